//! Compares what a node did with what it had to do.
//!
//! The node executes requests one after another, so there is one true order, and the checker sees
//! it: each call of `Node::serve` executes a known number of one client's requests. The
//! [model](crate::model) executes the same ones and must come to the same replies and effects.
//!
//! When a key goes because its time has come or because memory is short is the node's choice.
//! Its stream of effects tells that it went, but not exactly before which request. So a deletion
//! is applied as late as the replies allow: when a reply or an effect does not fit, the next
//! deletion in the stream is applied and the request tried again. As the node's own choice of
//! moments fits, the latest ones that fit do too, and nothing that is right is ever reported.

mod deletions;
mod recovery;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vesta_node::{Node, Served};
use vesta_types::{DbIndex, Now};

use crate::Flaw;
use crate::chronicle::Chronicle;
use crate::follower::Follower;
use crate::model::{Bytes, Effect, Kind, Model, Reaction, Reply, Settings, Value as Held};
use crate::trace::{Event, Trace, shown};
use crate::wire::{self, Frame, Value};

/// What the checker finds: nothing, or a sentence.
pub(crate) type Check = Result<(), String>;

/// One call of `Node::serve` from outside.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) link: usize,
    pub(crate) now: Now,
    /// Bytes that the node was given, those that went straight into a big argument included.
    pub(crate) fed: &'a [u8],
    /// Bytes that it keeps because they were not executed.
    pub(crate) held_bytes: usize,
    /// Replies of this call.
    pub(crate) answered: &'a [u8],
    /// All replies not yet sent.
    pub(crate) pending_bytes: usize,
    pub(crate) served: Served,
    /// Effects since the last call.
    pub(crate) stream: &'a [u8],
    /// What clients that waited are sent, in order.
    pub(crate) sends: Sends,
}

/// Everything that is known of a run so far.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) model: Model,
    pub(crate) requests: u64,
    /// The settings that every server starts with.
    settings: Settings,
    flaw: Option<Flaw>,
    follower: Follower,
    /// The database that the stream of effects has selected.
    stream_db: usize,
    /// Policies of eviction that were in force during the call at hand: as deletions are applied
    /// late, that may be after a change.
    policies: BTreeSet<String>,
    /// Replies by link that were given and have not arrived.
    under_way: BTreeMap<usize, VecDeque<u8>>,
    /// What files may have to give back, when the server ends now and then.
    pub(crate) chronicle: Option<Chronicle>,
    /// Whether the node was told that something is wrong with the log: it may refuse writes.
    pub(crate) log_is_faulty: bool,
    /// Whether the server was asked to end: it may serve nobody until it does.
    pub(crate) is_ending: bool,
}

/// Replies by link to clients that waited for keys.
pub(crate) type Sends = VecDeque<(usize, Vec<u8>)>;

/// Effects of one call, in order, each with its database.
type Effects = VecDeque<(usize, Vec<Vec<u8>>)>;

/// What the node did in one call besides answering its client.
#[derive(Clone, Debug)]
struct Did {
    effects: Effects,
    sends: Sends,
    /// Keys that it deleted by itself at the latest before the request at hand.
    gone: Vec<(usize, Bytes)>,
    /// Where in the stream the effects of the call end, those included that are dealt with.
    ends: Vec<u64>,
}

impl Did {
    fn new((effects, ends): (Effects, Vec<u64>), sends: Sends) -> Self {
        Self { effects, sends, gone: Vec::new(), ends }
    }
}

impl Checker {
    /// `is_kept`: the data must outlive the server.
    pub(crate) fn new(
        settings: Settings,
        follower: Follower,
        is_kept: bool,
        flaw: Option<Flaw>,
    ) -> Self {
        let model = Model::new(settings.clone(), flaw);
        let chronicle = is_kept.then(|| Chronicle::new(model.data.clone()));
        Self {
            model,
            requests: 0,
            settings,
            flaw,
            follower,
            stream_db: 0,
            policies: BTreeSet::new(),
            under_way: BTreeMap::new(),
            chronicle,
            log_is_faulty: false,
            is_ending: false,
        }
    }

    /// The node accepted (`refusal` is `None`) or refused a client.
    pub(crate) fn connected(&mut self, link: usize, addr: &str, refusal: Option<&[u8]>) -> Check {
        let expected = self.model.connect(link, addr);
        self.under_way.insert(link, refusal.unwrap_or_default().iter().copied().collect());
        match refusal {
            None if expected => Ok(()),
            None => Err("a client was served beyond maxclients".to_owned()),
            Some(b"-ERR max number of clients reached\r\n") if !expected => Ok(()),
            Some(text) => Err(format!("a client was refused: {}", shown(text))),
        }
    }

    /// The server is done with a link.
    pub(crate) fn disconnected(&mut self, link: usize) {
        self.model.disconnect(link);
    }

    /// Bytes arrived at a client: they must be the next of its replies.
    pub(crate) fn received(&mut self, link: usize, bytes: &[u8]) -> Check {
        let given = self.under_way.entry(link).or_default();
        if given.len() < bytes.len() || given.iter().zip(bytes).any(|(want, got)| want != got) {
            return Err(format!("link {link} carried other bytes than replies: {}", shown(bytes)));
        }
        given.drain(..bytes.len());
        Ok(())
    }

    /// Whether all replies that were given to a client have arrived.
    pub(crate) fn has_all(&self, link: usize) -> bool {
        self.under_way.get(&link).is_none_or(VecDeque::is_empty)
    }

    /// The node has served a client.
    pub(crate) fn served(&mut self, call: &Call<'_>, trace: &mut Trace) -> Check {
        let effects = self.follow(call.now, call.stream, trace)?;
        let mut did = Did::new(effects, call.sends.clone());
        self.policies.clear();
        // Replies that nobody has tried to send yet are too slow for nobody.
        let [hard, _, _] = self.model.settings.output_limit;
        let is_over = hard > 0 && call.pending_bytes as u64 >= hard;
        let idle = call.answered.is_empty() && did.effects.is_empty() && did.sends.is_empty();
        let [_, _, seconds] = self.model.settings.output_limit;
        let session = self.model.session(call.link)?;
        if call.served == Served::Close && idle && session.is_too_slow(call.now.mono, seconds) {
            // The node has noticed by itself.
            session.closing = true;
            return Ok(());
        }
        let is_busy = session.closing || session.awaits.is_some();
        if is_busy || self.model.is_waiting(call.link) {
            return if idle && call.served == Served::Close {
                Ok(())
            } else {
                Err("a client that is gone or waits was served".to_owned())
            };
        }
        let session = self.model.session(call.link)?;
        session.input.extend_from_slice(call.fed);
        let mut input = std::mem::take(&mut session.input);
        let closes = call.served == Served::Close && !is_over;
        let limit = if closes {
            input.len()
        } else {
            input.len().checked_sub(call.held_bytes).ok_or("more bytes are held than came")?
        };
        let (executed, answered) = self.execute_upto(call, &input, limit, &mut did, trace)?;
        if answered != call.answered.len() {
            let rest = call.answered.get(answered..).unwrap_or_default();
            return Err(format!("a reply to nothing: {}", shown(rest)));
        }
        self.delete_all(call.now, &mut did, trace)?;
        self.nobody_oversleeps(call.now)?;
        self.under_way.entry(call.link).or_default().extend(call.answered);
        input.drain(..executed);
        self.stopped_rightly(call, is_over, &input)?;
        let session = self.model.session(call.link)?;
        session.input = input;
        session.closing |= call.served == Served::Close;
        Ok(())
    }

    /// Executes the requests within the first `limit` bytes of `input`; where it came to in the
    /// input and in the replies.
    fn execute_upto(
        &mut self,
        call: &Call<'_>,
        input: &[u8],
        limit: usize,
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<(usize, usize), String> {
        let (mut at, mut answered) = (0, 0);
        loop {
            let waits = self.model.is_waiting(call.link);
            let session = self.model.session(call.link)?;
            if session.closing || session.awaits.is_some() || waits || at >= limit {
                return Ok((at, answered));
            }
            let replies = call.answered.get(answered..).unwrap_or_default();
            match wire::frame(input.get(at..).unwrap_or_default()) {
                Frame::Incomplete => return Ok((at, answered)),
                Frame::Nothing { len } => at += len,
                Frame::Request { len, .. } if at + len > limit => return Ok((at, answered)),
                Frame::Request { words, len } => {
                    self.requests += 1;
                    answered += self.execute(call, &words, replies, did, trace)?;
                    at += len;
                }
                Frame::Broken(why) => {
                    let expected = format!("-ERR Protocol error: {why}\r\n");
                    if replies != expected.as_bytes() {
                        return Err(format!("{} instead of {expected:?}", shown(replies)));
                    }
                    trace.reached.breaches += 1;
                    self.model.session(call.link)?.closing = true;
                    return Ok((at, answered + replies.len()));
                }
            }
        }
    }

    /// Executes one request; the length of its reply.
    fn execute(
        &mut self,
        call: &Call<'_>,
        words: &[Vec<u8>],
        replies: &[u8],
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<usize, String> {
        let len = self.execute_anyhow(call, words, replies, did, trace).map_err(|why| {
            let words: Vec<String> = words.iter().map(|word| shown(word)).collect();
            format!("link {}: {}: {why}", call.link, words.join(" "))
        })?;
        let reply = replies.get(..len.min(64)).unwrap_or_default().to_vec();
        trace.reached.too_early += u64::from(reply.starts_with(b"-LOADING "));
        trace.note(call.now, Event::Executed { link: call.link, request: words.to_vec(), reply });
        trace.reached.unblocked += self.model.answered.len() as u64;
        self.match_sends(call.now, did, trace)?;
        let gone = std::mem::take(&mut did.gone);
        for key in &gone {
            self.tell_of_deletion(call.now, key, did, trace)?;
        }
        self.serve_waiting(call.now, did, trace)?;
        for (db, key) in &gone {
            self.serve_key(call.now, *db, key, did, trace)?;
        }
        Ok(len)
    }

    fn execute_anyhow(
        &mut self,
        call: &Call<'_>,
        words: &[Vec<u8>],
        replies: &[u8],
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<usize, String> {
        // Room is made before anything else is asked.
        if self.model.settings.maxmemory_bytes > 0 {
            self.policies.insert(self.model.settings.policy.clone());
        }
        if let Some(len) = self.refused_for_the_disk(words, replies) {
            trace.reached.disk_refusals += 1;
            return Ok(len);
        }
        if self.model.must_wait(call.now.mono, words) {
            return Err("executed during a pause".to_owned());
        }
        loop {
            if let Some(len) = self.out_of_memory(words, replies) {
                trace.reached.out_of_memory += 1;
                return Ok(len);
            }
            let may_retry =
                did.effects.front().is_some_and(|effect| self.is_deletion(call.now, effect));
            let before = if may_retry { Some(self.model.snapshot(call.link)?) } else { None };
            let reaction = self.model.execute(call.link, call.now, words)?;
            let mut outcome = self.agree(call, &reaction, words, replies, did, trace);
            if may_retry && reaction.wait.is_some() && reaction.effect == Effect::Nothing {
                // It is the last request of its call, and has no reply that could tell: what was
                // deleted was gone when it began to wait.
                outcome = Err("it waits, and a deletion is left".to_owned());
            }
            match outcome.and_then(|len| self.sends_agree(did).map(|()| len)) {
                Ok(len) => {
                    if reaction.effect != Effect::Nothing {
                        self.model.data_changed();
                    }
                    if let Some(wait) = reaction.wait {
                        self.model.joins(call.link, call.now, wait, !reaction.is_heard);
                    }
                    return Ok(len);
                }
                Err(why) => {
                    let Some(before) = before else { return Err(why) };
                    self.model.restore(call.link, before)?;
                    let touched = self.model.data.touched_count();
                    let gone = self.delete_next(call.now, did, trace)?;
                    // Which request noticed it is not known: it may have been an earlier one.
                    self.model.data.forget_touched(touched);
                    self.tell_of_deletion(call.now, &gone, did, trace)?;
                    did.gone.push(gone);
                }
            }
        }
    }

    /// The length of an error that only the node can know: memory is short.
    fn out_of_memory(&self, words: &[Vec<u8>], replies: &[u8]) -> Option<usize> {
        let limited = self.model.settings.maxmemory_bytes > 0;
        let grows = Model::kind(words) == Some(Kind::Grow);
        (limited && grows && replies.starts_with(REFUSED)).then_some(REFUSED.len())
    }

    /// The length of an error that only the node can know: the log cannot be written.
    fn refused_for_the_disk(&self, words: &[Vec<u8>], replies: &[u8]) -> Option<usize> {
        let is_meant = match Model::kind(words)? {
            Kind::Write | Kind::Grow => true,
            Kind::Plain => words.first().is_some_and(|name| name.eq_ignore_ascii_case(b"ping")),
            Kind::Free => false,
        };
        if !(self.log_is_faulty && is_meant && replies.starts_with(b"-MISCONF ")) {
            return None;
        }
        replies.windows(2).position(|pair| pair == b"\r\n").map(|end| end + 2)
    }

    /// Compares a reaction with the replies and effects that are next, and takes its effect; the
    /// length of the reply.
    fn agree(
        &mut self,
        call: &Call<'_>,
        reaction: &Reaction,
        words: &[Vec<u8>],
        replies: &[u8],
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<usize, String> {
        let (value, len) = match &reaction.reply {
            None => (None, 0),
            Some(Reply::Later(reply)) => {
                self.model.session(call.link)?.awaits = Some(Reply::clone(reply));
                (None, 0)
            }
            Some(later @ Reply::NowOrLater(_)) if replies.is_empty() => {
                self.model.session(call.link)?.awaits = Some(later.clone());
                (None, 0)
            }
            Some(expected) => {
                let Some((value, len)) = wire::value(replies)? else {
                    return Err("no reply".to_owned());
                };
                let bytes = replies.get(..len).unwrap_or_default();
                match expected.encoded(reaction.proto) {
                    Some(known) if known == bytes => {}
                    Some(known) => {
                        return Err(format!("{} instead of {}", shown(bytes), shown(&known)));
                    }
                    None => self.fits(call, expected, &value, trace)?,
                }
                (Some(value), len)
            }
        };
        let wanted: Vec<Vec<Bytes>> = match &reaction.effect {
            Effect::Nothing => Vec::new(),
            Effect::AsIs => vec![words.iter().map(|word| word.as_slice().into()).collect()],
            Effect::As(words) => vec![words.clone()],
            Effect::All(all) => all.clone(),
            Effect::Float { key } => {
                let sum = self.follow_float(call.now.unix.ms(), reaction.db, key, value);
                sum.into_iter().collect()
            }
            Effect::Drawn { key } => vec![self.follow_draw(reaction.db, key, value, did)?],
        };
        self.take_effects(reaction.db, wanted, did)?;
        Ok(len)
    }

    /// Takes effects that must be next.
    fn take_effects(&mut self, db: usize, wanted: Vec<Vec<Bytes>>, did: &mut Did) -> Check {
        take_effects(db, wanted, did)?;
        self.note_point(db, did);
        Ok(())
    }

    /// Remembers the data at the point of the stream that it has come to.
    fn note_point(&mut self, db: usize, did: &Did) {
        let Some(chronicle) = &mut self.chronicle else { return };
        let done = did.ends.len() - did.effects.len();
        if let Some(end) = done.checked_sub(1).and_then(|last| did.ends.get(last)) {
            chronicle.note(*end, self.model.data.untouched(), db);
        }
    }

    /// Takes the member out of a set that the node has drawn; the effect of that.
    fn follow_draw(
        &mut self,
        db: usize,
        key: &Bytes,
        reply: Option<Value<'_>>,
        did: &Did,
    ) -> Result<Vec<Bytes>, String> {
        let next = did.effects.front().map(|(_, words)| words.as_slice());
        let Some([_, _, member]) = next else { return Err("nothing was drawn".to_owned()) };
        if reply.is_some_and(|reply| reply != Value::Bulk(member)) {
            return Err(format!("{} is not what was drawn", shown(member)));
        }
        let member: Bytes = member.as_slice().into();
        let Some(Held::Set(set)) = self.model.data.slot(db, key).map(|slot| &slot.value) else {
            return Err("drawn from no set".to_owned());
        };
        if !set.contains(&member) {
            return Err(format!("{} is no member", shown(&member)));
        }
        let (is_last, expiry) =
            (set.len() == 1, self.model.data.slot(db, key).and_then(|slot| slot.expiry));
        let rest = set.iter().filter(|other| **other != member).cloned().collect();
        if is_last {
            self.model.data.remove(db, key);
        } else {
            self.model.data.set(db, key.clone(), Held::Set(rest), expiry);
        }
        Ok(vec![b"SREM"[..].into(), key.clone(), member])
    }

    /// Sets a key to the float that a reply tells; the effect of that.
    fn follow_float(
        &mut self,
        now_ms: u64,
        db: usize,
        key: &Bytes,
        reply: Option<Value<'_>>,
    ) -> Option<Vec<Bytes>> {
        let Some(Value::Bulk(value)) = reply else { return None };
        let old = self.model.data.live(db, key, now_ms);
        let expiry = old.and_then(|slot| slot.expiry);
        self.model.data.set(db, key.clone(), Held::Text(value.into()), expiry);
        Some(vec![b"SET"[..].into(), key.clone(), value.into(), b"KEEPTTL"[..].into()])
    }

    /// Whether `value` is one of the replies that are possible.
    fn fits(
        &mut self,
        call: &Call<'_>,
        expected: &Reply,
        value: &Value<'_>,
        trace: &mut Trace,
    ) -> Check {
        let now_ms = call.now.unix.ms();
        match (expected, value) {
            (Reply::AnyOf(keys), Value::Null) if keys.is_empty() => Ok(()),
            (Reply::AnyOf(keys), Value::Bulk(key)) if keys.contains(*key) => Ok(()),
            (Reply::Unordered(keys), Value::Array(items)) => {
                let mut found = bulks(items)?;
                found.sort_unstable();
                let same = found.iter().copied().eq(keys.iter().map(|key| &**key));
                if same { Ok(()) } else { Err(format!("{} keys, not {}", found.len(), keys.len())) }
            }
            (Reply::Pairs(wanted), Value::Array(items)) => {
                let words = bulks(items)?;
                let found: BTreeMap<&[u8], &[u8]> = words
                    .chunks(2)
                    .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
                    .collect();
                let same = words.len() == 2 * wanted.len()
                    && wanted.iter().all(|(k, v)| found.get(&**k) == Some(&&**v));
                if same { Ok(()) } else { Err("other fields".to_owned()) }
            }
            (Reply::Page { cursor, allowed }, Value::Array(page)) => {
                let [Value::Bulk(next), Value::Array(items)] = page.as_slice() else {
                    return Err("no page of a walk".to_owned());
                };
                let next = std::str::from_utf8(next).ok().and_then(|next| next.parse().ok());
                let next: u64 = next.ok_or("the cursor is no number")?;
                let keys = bulks(items)?;
                if let Some(key) = keys.iter().find(|key| !allowed.contains(**key)) {
                    return Err(format!("{} is not there", shown(key)));
                }
                self.model.walked(call.link, now_ms, *cursor, next, &keys)?;
                trace.reached.walks += u64::from(next == 0);
                Ok(())
            }
            // What is loaded so far it may tell.
            (Reply::Keyspace(_), Value::Bulk(_)) if self.model.is_loading => Ok(()),
            (Reply::Keyspace(sizes), Value::Bulk(text)) => keyspace_is(text, sizes),
            (Reply::Float, Value::Bulk(_) | Value::Error(_)) => Ok(()),
            (Reply::NowOrLater(lines), Value::Simple(text)) if has(lines, '+', text) => Ok(()),
            (Reply::NowOrLater(lines), Value::Error(text)) if has(lines, '-', text) => Ok(()),
            (expected, value) => Err(format!("{value:?} instead of {expected:?}")),
        }
    }

    /// Whether the call ended as it should, with `rest` not executed.
    fn stopped_rightly(&mut self, call: &Call<'_>, is_over: bool, rest: &[u8]) -> Check {
        let pause = self.model.pause;
        let waits = self.model.is_waiting(call.link);
        let session = self.model.session(call.link)?;
        let stands_still = matches!(wire::frame(rest), Frame::Incomplete);
        let right = match call.served {
            Served::Close => session.closing || is_over,
            _ if session.closing || is_over => false,
            // Nobody is served any more.
            Served::Waiting if self.is_ending => true,
            Served::Waiting => {
                waits || session.awaits.is_some() || (pause.is_some() && !stands_still)
            }
            Served::Idle => !waits && session.awaits.is_none() && stands_still,
            Served::More => !waits && session.awaits.is_none(),
        };
        if right {
            return Ok(());
        }
        Err(format!("serving link {} ended with {:?}", call.link, call.served))
    }

    /// So many bytes of replies could not be sent; whether that is too much.
    pub(crate) fn note_pending(
        &mut self,
        link: usize,
        now: Now,
        bytes: usize,
    ) -> Result<bool, String> {
        let [hard, soft, seconds] = self.model.settings.output_limit;
        let session = self.model.session(link)?;
        let bytes = bytes as u64;
        if soft == 0 || bytes < soft {
            session.soft_since = None;
        } else if session.soft_since.is_none() {
            session.soft_since = Some(now.mono);
        }
        Ok((hard > 0 && bytes >= hard) || session.is_too_slow(now.mono, seconds))
    }

    /// Whether a client waits for what comes of an action of the node.
    pub(crate) fn awaits_outcome(&self, link: usize) -> bool {
        let session = self.model.sessions.get(&link);
        session.is_some_and(|session| matches!(session.awaits, Some(Reply::NowOrLater(_))))
    }

    /// A reply came that was not given by serving.
    pub(crate) fn sent(&mut self, link: usize, bytes: &[u8]) -> Check {
        let session = self.model.session(link)?;
        let proto = session.proto;
        let expected = session.awaits.take();
        let is_right = match &expected {
            Some(Reply::NowOrLater(lines)) => {
                lines.iter().any(|line| bytes.strip_suffix(b"\r\n") == Some(line.as_bytes()))
            }
            Some(reply) => reply.encoded(proto).as_deref() == Some(bytes),
            None => false,
        };
        if !is_right {
            return Err(format!("link {link} was sent {}", shown(bytes)));
        }
        self.under_way.entry(link).or_default().extend(bytes);
        Ok(())
    }

    /// The node has a client disconnected at once: it was killed or took too long to read.
    pub(crate) fn expelled(
        &mut self,
        link: usize,
        now: Now,
        pending_bytes: usize,
        trace: &mut Trace,
    ) -> Check {
        let is_over = self.note_pending(link, now, pending_bytes)?;
        let closing = self.model.session(link)?.closing;
        trace.reached.too_slow += u64::from(is_over);
        trace.reached.killed += u64::from(closing && !is_over);
        if is_over || closing {
            self.model.session(link)?.closing = true;
            self.model.dismiss_the_killed();
            return Ok(());
        }
        Err(format!("link {link} is closed without a cause"))
    }

    /// The node did something by itself: it may have deleted keys.
    pub(crate) fn ticked(
        &mut self,
        now: Now,
        stream: &[u8],
        sends: Sends,
        trace: &mut Trace,
    ) -> Check {
        let pause_ends = self.model.pause.is_some_and(|pause| pause.until <= now.mono);
        if pause_ends {
            self.model.pause = None;
        }
        self.policies.clear();
        // Requests that are run again make room and find what has expired, like others.
        let may_run = !self.model.waiters.is_empty();
        if self.model.settings.maxmemory_bytes > 0 && may_run {
            self.policies.insert(self.model.settings.policy.clone());
        }
        let mut did = Did::new(self.follow(now, stream, trace)?, sends);
        self.time_out(now, &mut did, trace)?;
        let deletes = did.effects.front().is_some_and(|effect| self.is_deletion(now, effect));
        if deletes && !may_run && !self.model.settings.active_expire {
            return Err("keys were deleted although active expiry is off".to_owned());
        }
        self.delete_due(now, &mut did, trace)?;
        if pause_ends {
            self.model.data.touch_all();
        }
        self.delete_all(now, &mut did, trace)?;
        self.nobody_oversleeps(now)
    }

    /// Reads effects, and where they end, and has the follower repeat them.
    fn follow(
        &mut self,
        now: Now,
        stream: &[u8],
        trace: &mut Trace,
    ) -> Result<(Effects, Vec<u64>), String> {
        trace.bytes(stream);
        let mut one_by_one = Vec::new();
        let (mut effects, mut ends) = (Effects::new(), Vec::new());
        let start = self.chronicle.as_ref().map_or(0, Chronicle::end);
        let (mut at, mut group_from, mut is_within) = (0, 0, false);
        loop {
            match wire::frame(stream.get(at..).unwrap_or_default()) {
                Frame::Incomplete if at == stream.len() => {
                    self.follower.apply(now, &one_by_one)?;
                    return Ok((effects, ends));
                }
                Frame::Request { words, len } => {
                    at += len;
                    let end = start + at as u64;
                    match words.as_slice() {
                        [name] if name == b"MULTI" => is_within = true,
                        [name] if name == b"EXEC" => is_within = false,
                        // What takes place together is not torn apart by anybody here.
                        _ => one_by_one.extend(wire::encode(&words)),
                    }
                    match words.as_slice() {
                        [name, db] if name == b"SELECT" => {
                            let db = std::str::from_utf8(db).ok().and_then(|db| db.parse().ok());
                            self.stream_db = db.ok_or("SELECT of no number in the stream")?;
                            if let Some(chronicle) = &mut self.chronicle {
                                chronicle.selected(end, self.stream_db);
                            }
                            continue;
                        }
                        _ => effects.push_back((self.stream_db, words)),
                    }
                    ends.push(end);
                    if let Some(chronicle) = self.chronicle.as_mut().filter(|_| !is_within) {
                        let bytes = one_by_one.get(group_from..).unwrap_or_default().to_vec();
                        group_from = one_by_one.len();
                        chronicle.happened(end, now, bytes);
                    }
                }
                Frame::Incomplete | Frame::Nothing { .. } | Frame::Broken(_) => {
                    return Err("the stream of effects cannot be read".to_owned());
                }
            }
        }
    }

    /// The data of the node, of its follower and of the model must be the same.
    pub(crate) fn same_data(&mut self, node: &mut Node, now: Now) -> Check {
        let databases = u32::try_from(self.model.data.databases()).unwrap_or(0);
        for db in 0..databases {
            let Some(index) = DbIndex::new(db.into(), databases) else { continue };
            let dump = node.dump(now, index);
            let followed = self.follower.node.dump(now, index);
            if dump != followed {
                let odd = dump.iter().zip(&followed).find(|(ours, theirs)| ours != theirs);
                return Err(format!("the follower's db {db} differs, first in {odd:?}"));
            }
            let model = || self.model.data.live_slots(db as usize, now.unix.ms());
            let same = dump.len() == model().count();
            let odd = dump.iter().zip(model()).find(|((key, value, expiry), (name, slot))| {
                **key != ***name || *value != slot.value.dumped() || *expiry != slot.expiry
            });
            if let Some(((key, value, expiry), (name, slot))) = odd {
                return Err(format!(
                    "db {db} has {} = {value} until {expiry:?} instead of {} = {} until {:?}",
                    shown(key),
                    shown(name),
                    slot.value.dumped(),
                    slot.expiry
                ));
            }
            if !same {
                return Err(format!(
                    "db {db} has {} keys and the model another number",
                    dump.len()
                ));
            }
        }
        Ok(())
    }
}

/// How a node refuses a request for want of memory.
const REFUSED: &[u8] = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n";

/// The text of a refusal for want of memory.
fn is_refusal(bytes: &[u8]) -> Option<String> {
    (bytes == REFUSED)
        .then(|| String::from_utf8_lossy(REFUSED).trim_matches(['-', '\r', '\n']).to_owned())
}

/// Takes effects that must be next; several take place together.
fn take_effects(db: usize, mut wanted: Vec<Vec<Bytes>>, did: &mut Did) -> Check {
    if wanted.len() > 1 {
        wanted.insert(0, vec![b"MULTI"[..].into()]);
        wanted.push(vec![b"EXEC"[..].into()]);
    }
    for (place, wanted) in wanted.iter().enumerate() {
        let same = |(of, effect): &(usize, Vec<Vec<u8>>)| {
            *of == db && effect.iter().map(Vec::as_slice).eq(wanted.iter().map(|word| &**word))
        };
        if !did.effects.get(place).is_some_and(same) {
            let list = |words: &[Vec<u8>]| words.iter().map(|word| shown(word)).collect::<Vec<_>>();
            let next = did.effects.get(place).map(|(db, words)| (db, list(words)));
            let wanted: Vec<String> = wanted.iter().map(|word| shown(word)).collect();
            return Err(format!("its effect {wanted:?} is not next in the stream, but {next:?}"));
        }
    }
    did.effects.drain(..wanted.len());
    Ok(())
}

fn bulks<'a>(items: &[Value<'a>]) -> Result<Vec<&'a [u8]>, String> {
    let key = |item: &Value<'a>| {
        let Value::Bulk(text) = item else { return Err(format!("{item:?} is no key")) };
        Ok(*text)
    };
    items.iter().map(key).collect()
}

/// Whether this is one of the lines.
fn has(lines: &[&str], kind: char, text: &[u8]) -> bool {
    let rest = |line: &&str| line.strip_prefix(kind).is_some_and(|line| line.as_bytes() == text);
    lines.iter().any(rest)
}

/// Whether the keyspace section tells these sizes.
fn keyspace_is(text: &[u8], sizes: &[(usize, usize, usize)]) -> Check {
    let text = String::from_utf8_lossy(text).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("db")).collect();
    let heads =
        sizes.iter().map(|(db, keys, expiring)| format!("db{db}:keys={keys},expires={expiring},"));
    let same = lines.len() == sizes.len()
        && lines.iter().zip(heads).all(|(line, head)| line.starts_with(&head));
    if same { Ok(()) } else { Err(format!("{lines:?} instead of {sizes:?}")) }
}
