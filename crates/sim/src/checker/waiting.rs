//! Whose turn it is among the clients that wait, and what they are sent.
//!
//! After every request the keys that it touched are looked at in the order in which they were
//! touched, and those that this touches behind them. For each key the clients that wait for it are
//! tried in the order of their arrival. That is what the node promises, so replies and effects
//! must come in exactly this order; and afterwards nobody may wait who could be served.

use std::collections::VecDeque;

use vesta_types::Now;

use super::{Check, Checker, Did, is_refusal};
use crate::model::{Bytes, Effect, Kind, Model, Reaction, Reply, Touched};
use crate::trace::{Event, Trace, shown};

impl Checker {
    /// Serves those who wait for what was touched.
    pub(super) fn serve_waiting(&mut self, now: Now, did: &mut Did, trace: &mut Trace) -> Check {
        let mut touched = VecDeque::from(self.model.data.take_touched());
        let mut is_chained = false;
        while let Some(next) = touched.pop_front() {
            if self.model.waiters.is_empty() {
                return Ok(());
            }
            let woken = trace.reached.woken;
            match next {
                Touched::Key(db, key) => self.serve_key(now, db, &key, did, trace)?,
                Touched::All(db) => {
                    for key in self.model.awaited_keys(db) {
                        self.serve_key(now, db, &key, did, trace)?;
                    }
                }
            }
            if is_chained {
                trace.reached.chained += trace.reached.woken - woken;
            }
            let more = self.model.data.take_touched();
            is_chained |= !more.is_empty();
            touched.extend(more);
        }
        Ok(())
    }

    /// Tries those who wait for a key, in order, each once.
    pub(super) fn serve_key(
        &mut self,
        now: Now,
        db: usize,
        key: &Bytes,
        did: &mut Did,
        trace: &mut Trace,
    ) -> Check {
        let mut tried = Vec::new();
        while let Some(link) = self.model.first_in_line(db, key, &tried) {
            let words = self.model.waiter(link).map(|waiter| waiter.words().to_vec());
            let served = self.try_waiting(now, link, did, trace).map_err(|why| {
                let words: Vec<String> =
                    words.unwrap_or_default().iter().map(|word| shown(word)).collect();
                let words = words.join(" ");
                format!("link {link}, which waits with {words} for {}: {why}", shown(key))
            })?;
            if !served {
                tried.push(link);
            }
        }
        Ok(())
    }

    /// Runs the request of a waiting client again; whether its wait is over.
    fn try_waiting(
        &mut self,
        now: Now,
        link: usize,
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<bool, String> {
        let waiter = self.model.waiter(link).ok_or("it does not wait")?;
        let words = waiter.words().to_vec();
        if self.model.must_wait(now.mono, &words) {
            return Ok(false);
        }
        loop {
            let limited = self.model.settings.maxmemory_bytes > 0;
            let next = did.sends.front().filter(|(to, _)| *to == link);
            if limited
                && Model::kind(&words) == Some(Kind::Grow)
                && let Some(text) = next.and_then(|(_, bytes)| is_refusal(bytes))
            {
                trace.reached.out_of_memory += 1;
                self.model.answer(link, Reply::Error(text))?;
                self.match_sends(now, did, trace)?;
                return Ok(true);
            }
            let may_retry = did.effects.front().is_some_and(|next| self.is_deletion(now, next));
            let before = self.model.snapshot(link)?;
            let reaction = self.model.try_again(link, now)?;
            // A change that matters to nobody may wake nobody. Who is then told that a key is of
            // no use, or becomes a consumer again, may as well be told at the next change.
            let is_optional = matches!(reaction.reply, Some(Reply::Error(_)))
                || (reaction.wait.is_some() && reaction.effect != Effect::Nothing);
            match self.waiter_agrees(now, link, reaction, did, trace) {
                Ok(is_over) => return Ok(is_over),
                Err(_) if is_optional => {
                    self.model.restore(link, before)?;
                    return self.try_without_next(now, link, did, trace);
                }
                Err(why) if !may_retry => return Err(why),
                Err(_) => {
                    self.model.restore(link, before)?;
                    self.delete_next(now, did, trace)?;
                }
            }
        }
    }

    /// Whether a waiting client is served once the next deletion is applied: room may have been
    /// made for its request, and the key in its way may have gone by that. If not, nothing happens.
    fn try_without_next(
        &mut self,
        now: Now,
        link: usize,
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<bool, String> {
        if !did.effects.front().is_some_and(|next| self.is_deletion(now, next)) {
            return Ok(false);
        }
        let (before, did_before) = (self.model.snapshot(link)?, did.clone());
        self.delete_next(now, did, trace)?;
        if self.try_waiting(now, link, did, trace) == Ok(true) {
            return Ok(true);
        }
        self.model.restore(link, before)?;
        *did = did_before;
        Ok(false)
    }

    /// Compares the outcome of a request that was run again with what the node did.
    fn waiter_agrees(
        &mut self,
        now: Now,
        link: usize,
        reaction: Reaction,
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<bool, String> {
        let wanted = match &reaction.effect {
            Effect::Nothing => Vec::new(),
            Effect::As(words) => vec![words.clone()],
            Effect::All(all) => all.clone(),
            Effect::AsIs | Effect::Float { .. } | Effect::Drawn { .. } => {
                return Err("a request of a kind that does not wait".to_owned());
            }
        };
        let Some(reply) = reaction.reply.filter(|_| reaction.wait.is_none()) else {
            self.take_effects(reaction.db, wanted, did)?;
            return Ok(false);
        };
        let is_error = matches!(reply, Reply::Error(_));
        self.model.answer(link, reply)?;
        self.sends_agree(did)?;
        self.take_effects(reaction.db, wanted, did)?;
        self.match_sends(now, did, trace)?;
        trace.reached.disappointed += u64::from(is_error);
        trace.reached.woken += u64::from(!is_error);
        self.model.data_changed();
        Ok(true)
    }

    /// Whether the answers that clients were given are those that are sent next.
    pub(super) fn sends_agree(&mut self, did: &Did) -> Check {
        let mut sends = did.sends.iter();
        for (link, reply) in self.model.answered.clone() {
            let Some(reply) = reply else { continue };
            let proto = self.model.session(link)?.proto;
            let expected = reply.encoded(proto).ok_or("an answer of which no bytes are known")?;
            match sends.next() {
                Some((to, bytes)) if *to == link && *bytes == expected => {}
                Some((to, bytes)) => {
                    let (bytes, expected) = (shown(bytes), shown(&expected));
                    return Err(format!("{bytes} to link {to} instead of {expected} to {link}"));
                }
                None => return Err(format!("{} is not sent to link {link}", shown(&expected))),
            }
        }
        Ok(())
    }

    /// Takes what clients that waited are sent.
    pub(super) fn match_sends(&mut self, now: Now, did: &mut Did, trace: &mut Trace) -> Check {
        self.sends_agree(did)?;
        for (link, reply) in std::mem::take(&mut self.model.answered) {
            let sent = reply.and_then(|_| did.sends.pop_front());
            let reply = sent.map(|(_, bytes)| bytes).unwrap_or_default();
            trace.note(now, Event::Woken { link, reply });
        }
        Ok(())
    }

    /// The next deletion was the cause of what is sent next: who waits for a stream that is gone
    /// is told so right after the request that has noticed it, and that may be long before the
    /// next change of data.
    pub(super) fn tell_of_deletion(
        &mut self,
        now: Now,
        (db, key): &(usize, Bytes),
        did: &mut Did,
        trace: &mut Trace,
    ) -> Check {
        let Some((link, bytes)) = did.sends.front() else { return Ok(()) };
        let is_told = bytes.starts_with(b"-")
            && self.model.first_in_line(*db, key, &[]).is_some()
            && self.model.waiter(*link).is_some_and(|waiter| waiter.awaits(*db, key));
        if is_told { self.serve_key(now, *db, key, did, trace) } else { Ok(()) }
    }

    /// Ends the wait of those whose time is up.
    pub(super) fn time_out(&mut self, now: Now, did: &mut Did, trace: &mut Trace) -> Check {
        loop {
            let is_overdue = |waiter: &crate::model::Waiter| {
                waiter.deadline.is_some_and(|deadline| deadline <= now.mono)
            };
            let first = did.sends.front().map(|(link, _)| *link);
            let overdue = self.model.waiters.iter().filter(|waiter| is_overdue(waiter));
            let mut overdue = overdue.map(|waiter| waiter.link);
            // Who is told first when several are due makes no difference.
            let Some(any) = overdue.next() else { return Ok(()) };
            let link = first.filter(|first| overdue.any(|link| link == *first)).unwrap_or(any);
            self.model.answer(link, Reply::NullArray)?;
            self.match_sends(now, did, trace)
                .map_err(|why| format!("link {link}, whose time is up: {why}"))?;
            trace.reached.timed_out += 1;
        }
    }

    /// Nobody may wait who could be served.
    pub(super) fn nobody_oversleeps(&mut self, now: Now) -> Check {
        match self.model.oversleeper(now)? {
            None => Ok(()),
            Some(link) => Err(format!("link {link} waits for what is there")),
        }
    }
}
