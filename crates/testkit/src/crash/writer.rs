//! One client that writes until its server dies, and then knows what must be there.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::model::{Answer, Bytes, State, Window};
use super::read;
use super::write::{Chooser, Write};
use crate::client::Client;
use crate::value::Value;

/// A write that was sent.
#[derive(Debug)]
struct Sent {
    write: Write,
    /// What the server must answer.
    answer: Answer,
    at_ms: i64,
    acknowledged: Option<Acknowledged>,
}

#[derive(Debug)]
struct Acknowledged {
    at_ms: i64,
    /// The id of a stream's entry.
    chosen: Option<Bytes>,
}

impl Sent {
    /// When the server may have done it; `died_ms` is when the server was gone.
    fn done_within(&self, died_ms: i64) -> Window {
        let last_ms = self.acknowledged.as_ref().map_or(died_ms, |reply| reply.at_ms);
        Window { first_ms: self.at_ms, last_ms }
    }

    fn chosen(&self) -> Option<&[u8]> {
        self.acknowledged.as_ref().and_then(|reply| reply.chosen.as_deref())
    }
}

/// One client and its database, which nobody else writes to.
#[derive(Debug)]
pub(super) struct Writer {
    db: usize,
    chooser: Chooser,
    /// What was there when this round began.
    base: State,
    /// What is there once everything is done that was sent.
    ahead: State,
    sent: Vec<Sent>,
    /// How many of them are acknowledged; all of these come before those that are not.
    acknowledged: Arc<AtomicUsize>,
    /// When the connection was seen to be closed.
    died_ms: i64,
    /// Answers that were wrong, or did not come.
    faults: Vec<String>,
}

/// How one round ended for one client.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Writes that were acknowledged.
    pub(super) acknowledged: usize,
    /// Those of them that are there.
    pub(super) found: usize,
    /// Those that are not there and had to be.
    pub(super) lost: usize,
    /// Those that are not there and did not have to be.
    pub(super) unsaved: usize,
    /// Writes that were sent and not acknowledged.
    pub(super) unanswered: usize,
    /// Those of them that are there.
    pub(super) unanswered_found: usize,
    /// What is wrong.
    pub(super) faults: Vec<String>,
}

/// Writes that are sent before their replies are read: up to one of these.
const BATCHES: [u64; 4] = [1, 1, 8, 64];
/// After so many wrong answers no more are told.
const FAULTS_MAX: usize = 5;

impl Writer {
    pub(super) fn new(db: usize, seed: u64, transactions: bool) -> Self {
        Self {
            db,
            chooser: Chooser::new(seed, transactions),
            base: State::default(),
            ahead: State::default(),
            sent: Vec::new(),
            acknowledged: Arc::default(),
            died_ms: 0,
            faults: Vec::new(),
        }
    }

    /// How many of this round's writes are acknowledged, now and later.
    pub(super) fn acknowledged(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.acknowledged)
    }

    /// Writes until the connection ends.
    pub(super) fn run(&mut self, client: &mut Client) {
        if let Err(error) = self.write(client) {
            self.faults.push(format!("no reply: {error}"));
        }
        self.died_ms = now_ms();
    }

    fn write(&mut self, client: &mut Client) -> io::Result<()> {
        if client.send(&["SELECT", &self.db.to_string()]).is_err() || client.reply()?.is_none() {
            return Ok(());
        }
        loop {
            let first = self.sent.len();
            let bytes = self.next_batch();
            if client.send_raw(&bytes).is_err() {
                return Ok(());
            }
            for at in first..self.sent.len() {
                let Some(reply) = self.reply(client, at)? else { return Ok(()) };
                self.take(at, &reply);
            }
        }
    }

    fn next_batch(&mut self) -> Vec<u8> {
        let kind = usize::try_from(self.chooser.below(BATCHES.len() as u64)).unwrap_or(0);
        let count = 1 + self.chooser.below(BATCHES.get(kind).copied().unwrap_or(1));
        let (mut bytes, at_ms) = (Vec::new(), now_ms());
        for _ in 0..count {
            let write = self.chooser.next(&self.ahead);
            let answer = self.ahead.apply(&write, Window::ALWAYS, None);
            write.encode(&mut bytes);
            self.sent.push(Sent { write, answer, at_ms, acknowledged: None });
        }
        bytes
    }

    /// The reply to a write: the last one of a transaction. `None` if the server is gone.
    fn reply(&self, client: &mut Client, at: usize) -> io::Result<Option<Value>> {
        let before = self.sent.get(at).map_or(0, |sent| sent.write.replies_before());
        for _ in 0..before {
            if client.reply()?.is_none() {
                return Ok(None);
            }
        }
        client.reply()
    }

    fn take(&mut self, at: usize, reply: &Value) {
        let Some(sent) = self.sent.get_mut(at) else { return };
        if !answers(reply, &sent.answer) && self.faults.len() < FAULTS_MAX {
            self.faults.push(format!("{} was answered with {reply}", sent.write));
        }
        let is_chosen = sent.answer == Answer::Chosen;
        let chosen = reply.text().filter(|_| is_chosen).map(<[u8]>::to_vec);
        sent.acknowledged = Some(Acknowledged { at_ms: now_ms(), chosen });
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// Compares what the restarted server holds with what was written. Of the acknowledged writes
    /// the first `kept` must be there, all if `None`; of the rest none behind one that is missing.
    /// Then the next round may begin.
    pub(super) fn check(
        &mut self,
        client: &mut Client,
        kept: Option<usize>,
    ) -> io::Result<Outcome> {
        let (found, when) = read::state(client, self.db)?;
        let acknowledged = self.acknowledged.swap(0, Ordering::SeqCst);
        let sent = core::mem::take(&mut self.sent);
        let mut outcome = Outcome {
            acknowledged,
            unanswered: sent.len() - acknowledged,
            faults: core::mem::take(&mut self.faults),
            ..Outcome::default()
        };
        match self.replay(&sent, &found, when, acknowledged) {
            Ok(done) => {
                outcome.found = done.min(acknowledged);
                outcome.unanswered_found = done.saturating_sub(acknowledged);
                outcome.lost = kept.unwrap_or(acknowledged).saturating_sub(done);
                outcome.unsaved = acknowledged - outcome.found - outcome.lost;
                if outcome.lost > 0 {
                    let first = sent.get(done).map(|sent| sent.write.to_string());
                    let first = first.unwrap_or_default();
                    outcome.faults.push(format!("{} are lost from {first} on", outcome.lost));
                }
            }
            Err(differences) => {
                outcome.lost = differences.len();
                outcome.faults.push("what is there never was".to_owned());
                outcome.faults.extend(differences.into_iter().take(FAULTS_MAX));
            }
        }
        let client = format!("client {}: ", self.db);
        outcome.faults.iter_mut().for_each(|fault| fault.insert_str(0, &client));
        self.ahead = found.clone();
        self.base = found;
        Ok(outcome)
    }

    /// How many of the writes that were sent lead to what was found, the greatest such number; or,
    /// if none does, what differs once all acknowledged ones are done.
    fn replay(
        &self,
        sent: &[Sent],
        found: &State,
        when: Window,
        acknowledged: usize,
    ) -> Result<usize, Vec<String>> {
        let (mut state, mut best, mut told) = (self.base.clone(), None, Vec::new());
        let mut different: BTreeSet<Bytes> =
            state.differences(found, when).map(|one| one.key.to_vec()).collect();
        for done in 0..=sent.len() {
            if different.is_empty() {
                best = Some(done);
            }
            if done == acknowledged {
                told = state.differences(found, when).map(|one| one.to_string()).collect();
            }
            let Some(sent) = sent.get(done) else { break };
            state.apply(&sent.write, sent.done_within(self.died_ms), sent.chosen());
            for key in sent.write.keys() {
                if state.difference(found, when, key).is_some() {
                    different.insert(key.clone());
                } else {
                    different.remove(key);
                }
            }
        }
        best.ok_or(told)
    }
}

fn answers(reply: &Value, wanted: &Answer) -> bool {
    match wanted {
        Answer::Ok => *reply == Value::Simple(b"OK".to_vec()),
        Answer::Int(number) => reply.int() == Some(*number),
        Answer::Text(Some(text)) => *reply == Value::Bulk(text.clone()),
        Answer::Text(None) => *reply == Value::NilBulk,
        Answer::Chosen => matches!(reply, Value::Bulk(_)),
        Answer::All(wanted) => reply.items().is_some_and(|replies| {
            let mut both = replies.iter().zip(wanted);
            replies.len() == wanted.len() && both.all(|(reply, wanted)| answers(reply, wanted))
        }),
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A reply that is not what it should be.
pub(super) fn unexpected(reply: &Value) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("unexpected reply {reply}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that has sent `sent` increments, of which some are acknowledged.
    fn writer(sent: usize, acknowledged: usize) -> Writer {
        let mut writer = Writer::new(0, 1, false);
        writer.died_ms = 100;
        for at in 0..sent {
            let write = Write::Increment { key: b"n".to_vec(), by: 1 };
            let answer = writer.ahead.apply(&write, Window::ALWAYS, None);
            writer.sent.push(Sent { write, answer, at_ms: 50, acknowledged: None });
            if at < acknowledged {
                writer.take(at, &Value::Int(i64::try_from(at).unwrap() + 1));
            }
        }
        assert!(writer.faults.is_empty());
        writer
    }

    fn found(text: &str) -> State {
        let mut state = State::default();
        let write = Write::Set { key: b"n".to_vec(), value: text.into() };
        state.apply(&write, Window::ALWAYS, None);
        state
    }

    #[test]
    fn the_writes_that_are_there_are_counted() {
        let writer = writer(5, 3);
        let when = Window::exactly(200);
        for done in 1..=5 {
            let found = found(&done.to_string());
            assert_eq!(writer.replay(&writer.sent, &found, when, 3), Ok(done));
        }
        assert_eq!(writer.replay(&writer.sent, &State::default(), when, 3), Ok(0));
        let never = writer.replay(&writer.sent, &found("7"), when, 3).unwrap_err();
        assert_eq!(never, ["\"n\": expected [1: \"3\"], found [1: \"7\"]"]);
    }

    #[test]
    fn a_wrong_answer_is_told() {
        let mut writer = writer(1, 0);
        writer.take(0, &Value::Int(2));
        assert!(writer.faults[0].contains("was answered with"), "{:?}", writer.faults);
    }
}
