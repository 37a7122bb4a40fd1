//! Clients of several servers: each talks to one of them for a while, then to another.

use std::collections::VecDeque;

use vesta_types::{Mono, Rng};

use super::plan::{Plan, to_size};
use crate::Flaw;
use crate::checker::Check;
use crate::network::Network;
use crate::trace::{Trace, shown};
use crate::wire::{self, Value};

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    rng: Rng,
    plan: Plan,
    place: Place,
    next_at: Mono,
    outgoing: Vec<u8>,
    awaited: VecDeque<Awaited>,
    received: Vec<u8>,
    /// The last request was a write by itself, so that it can be waited for.
    has_written: bool,
    written: u64,
    /// Replies that have come.
    answered: u64,
    /// Nothing goes wrong any more, and it wants nothing more.
    is_done: bool,
    flaw: Option<Flaw>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Away,
    At(usize),
}

/// A reply that is to come.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Awaited {
    /// Of a write, or of anything else.
    Any,
    /// A value of this key.
    Value(Vec<u8>),
    /// That a request is queued.
    Queued,
    /// The replies to the queue, or that a watched key has changed.
    Executed { count: usize, is_watching: bool },
    /// Two values that are only ever written together.
    Pair,
}

/// What errors may begin with.
const ERRORS: [&[u8]; 8] = [
    b"READONLY ",
    b"LOADING ",
    b"MASTERDOWN ",
    b"NOREPLICAS ",
    b"WRONGTYPE ",
    b"ERR WAIT cannot be used with replica instances",
    b"UNBLOCKED ",
    b"EXECABORT ",
];

impl Client {
    pub(super) fn new(plan: &Plan, now: Mono, mut rng: Rng, flaw: Option<Flaw>) -> Self {
        Self {
            next_at: Mono(now.0 + rng.below(plan.think_us_max)),
            rng,
            plan: plan.clone(),
            place: Place::Away,
            outgoing: Vec::new(),
            awaited: VecDeque::new(),
            received: Vec::new(),
            has_written: false,
            written: 0,
            answered: 0,
            is_done: false,
            flaw,
        }
    }

    /// How many requests were answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// Nothing more is wanted.
    pub(super) fn calm_down(&mut self) {
        self.is_done = true;
    }

    pub(super) fn wants_to_connect(&self, now: Mono) -> bool {
        self.place == Place::Away && self.next_at <= now && !self.is_done
    }

    /// Which of the servers it wants to talk to: mostly one that says that it takes writes.
    pub(super) fn choose(&mut self, primaries: &[usize]) -> usize {
        let any = to_size(self.rng.below(self.plan.members.len() as u64));
        let place = to_size(self.rng.below(primaries.len().max(1) as u64));
        let primary = primaries.get(place).filter(|_| self.rng.below(4) > 0);
        primary.copied().unwrap_or(any)
    }

    pub(super) fn connected(&mut self, link: usize) {
        self.place = Place::At(link);
    }

    /// Nobody answers.
    pub(super) fn finds_nobody(&mut self, now: Mono) {
        self.next_at = Mono(now.0 + 1 + self.rng.below(self.plan.think_us_max.max(20_000)));
    }

    pub(super) fn next_deadline(&self) -> Mono {
        let is_idle = self.awaited.is_empty() && self.outgoing.is_empty();
        if is_idle && !self.is_done { self.next_at } else { Mono::NEVER }
    }

    /// Reads, asks, writes, leaves.
    pub(super) fn act(&mut self, now: Mono, network: &mut Network, trace: &mut Trace) -> Check {
        let Place::At(link) = self.place else { return Ok(()) };
        let Some(wire) = network.link(link) else { return Ok(()) };
        let bytes = wire.down.take(usize::MAX);
        let is_over = wire.down.is_over();
        trace.bytes(&bytes);
        self.received.extend(bytes);
        self.take_replies(trace)?;
        let is_idle = self.awaited.is_empty() && self.outgoing.is_empty();
        let is_due = is_idle && self.next_at <= now;
        let is_content = is_due && self.rng.below(12) == 0;
        if is_over || is_content || is_idle && self.is_done {
            self.leave(now, link, network);
            return Ok(());
        }
        if is_due {
            self.ask(now);
        }
        if let Some(wire) = network.link(link).filter(|_| !self.outgoing.is_empty()) {
            let sent = wire.send_up(now, &self.outgoing);
            self.outgoing.drain(..sent);
        }
        Ok(())
    }

    fn leave(&mut self, now: Mono, link: usize, network: &mut Network) {
        network.leave(link, now);
        self.place = Place::Away;
        self.outgoing.clear();
        self.awaited.clear();
        self.received.clear();
        self.has_written = false;
        self.finds_nobody(now);
    }

    fn take_replies(&mut self, trace: &mut Trace) -> Check {
        let mut at = 0;
        while let Some((value, len)) = wire::value(self.received.get(at..).unwrap_or_default())? {
            at += len;
            self.answered += 1;
            let awaited = self.awaited.pop_front().ok_or("a reply to nothing")?;
            if let Value::Error(text) = &value {
                self.has_written = false;
                trace.reached.read_only += u64::from(text.starts_with(b"READONLY "));
                let is_expected = ERRORS.iter().any(|known| text.starts_with(known));
                if !is_expected {
                    return Err(format!("a client is told {}", shown(text)));
                }
            } else {
                agree(awaited, &value, trace)?;
            }
        }
        self.received.drain(..at);
        Ok(())
    }

    fn ask(&mut self, now: Mono) {
        if std::mem::take(&mut self.has_written) && self.rng.below(2) == 0 {
            let count = (1 + self.rng.below(3)).to_string();
            let ms = [1, 100, 2000].get(to_size(self.rng.below(3))).copied().unwrap_or(1);
            self.say(&["WAIT", &count, &ms.to_string()], Awaited::Any);
        } else if self.rng.below(3) == 0 {
            // One that has an effect in any case, and is all that happens meanwhile.
            self.written += 1;
            let key = format!("k{}", self.rng.below(self.plan.keys));
            let value = format!("{key}:v{}", self.written);
            self.say(&["SET", &key, &value], Awaited::Any);
            self.has_written = true;
        } else {
            for _ in 0..=self.rng.below(self.plan.pipeline_max) {
                self.request();
            }
        }
        self.next_at = Mono(now.0 + 1 + self.rng.below(self.plan.think_us_max));
    }

    fn say(&mut self, words: &[&str], awaited: Awaited) {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        self.outgoing.extend(wire::encode(&words));
        self.awaited.push_back(awaited);
    }

    fn request(&mut self) {
        let number = self.rng.below(self.plan.keys);
        match self.rng.below(22) {
            0..4 => {
                let key = format!("k{number}");
                self.say(&["GET", &key], Awaited::Value(key.clone().into_bytes()));
            }
            4 => self.say(&["DBSIZE"], Awaited::Any),
            5 => {
                let db = self.rng.below(3).to_string();
                self.say(&["SELECT", &db], Awaited::Any);
            }
            6 => self.say(&["PUBLISH", "news", "something"], Awaited::Any),
            7 if self.rng.below(20) == 0 => self.say(&["FLUSHALL"], Awaited::Any),
            8 => self.transaction(),
            9 => self.say(&["MGET", &format!("p{number}"), &format!("q{number}")], Awaited::Pair),
            _ => self.write_one(Awaited::Any),
        }
    }

    /// Writes a pair of keys in one go, perhaps with more, and perhaps only if nobody has written
    /// one of them meanwhile.
    fn transaction(&mut self) {
        let number = self.rng.below(self.plan.keys);
        let (one, other) = (format!("p{number}"), format!("q{number}"));
        let is_watching = self.rng.below(3) == 0;
        if is_watching {
            self.say(&["WATCH", &one], Awaited::Any);
            if self.rng.below(4) == 0 {
                self.say(&["DEL", &one, &other], Awaited::Any);
            }
        }
        self.say(&["MULTI"], Awaited::Any);
        self.written += 1;
        let value = self.rng.bits().to_string();
        let more = to_size(self.rng.below(4));
        self.say(&["SET", &one, &value], Awaited::Queued);
        for _ in 0..more {
            self.write_one(Awaited::Queued);
        }
        let is_half = self.flaw == Some(Flaw::PairsAreHalved) && self.rng.below(20) == 0;
        let value = if is_half { "half" } else { &value };
        self.say(&["SET", &other, value], Awaited::Queued);
        let count = 2 + more;
        match self.rng.below(10) {
            0 => self.say(&["DISCARD"], Awaited::Any),
            _ => self.say(&["EXEC"], Awaited::Executed { count, is_watching }),
        }
    }

    /// A write; each kind of value has its own keys.
    fn write_one(&mut self, awaited: Awaited) {
        self.written += 1;
        let (number, text) = (self.rng.below(self.plan.keys), self.written.to_string());
        let key = |kind: &str| format!("{kind}{number}");
        let element = self.rng.below(8).to_string();
        let name = key("k");
        let is_long = self.rng.below(1000) < self.plan.long_per_1000;
        let long = "x".repeat(if is_long { to_size(self.rng.below(20_000)) } else { 0 });
        let value = format!("{name}:v{text}{long}");
        let ms = (1 + self.rng.below(3000)).to_string();
        let words: &[&str] = match self.rng.below(17) {
            0..4 => &["SET", &name, &value],
            4 => &["SET", &name, &value, "PX", &ms],
            5 => &["APPEND", &name, &value],
            6 => &["DEL", &name],
            7 => &["PEXPIRE", &name, &ms],
            8 => &["RPUSH", &key("l"), &value, &text],
            9 => &["LPOP", &key("l")],
            10 => &["SADD", &key("s"), &element, &text],
            11 => &["SPOP", &key("s")],
            12 => &["ZADD", &key("z"), &text, &element],
            13 => &["HSET", &key("h"), &element, &value],
            14 => &["XADD", &key("x"), "MAXLEN", "5", "*", "f", &value],
            15 => &["INCRBYFLOAT", &key("f"), "0.1"],
            _ => &["GETEX", &name, "PX", &ms],
        };
        self.say(words, awaited);
    }
}

/// Compares a reply that is no error with what was awaited.
fn agree(awaited: Awaited, value: &Value<'_>, trace: &mut Trace) -> Check {
    match (awaited, value) {
        (Awaited::Value(key), Value::Bulk(text)) if !text.starts_with(&key) => {
            let (key, text) = (shown(&key), shown(text));
            Err(format!("{key} is {text}, which nobody has ever written"))
        }
        (Awaited::Queued, Value::Simple(b"QUEUED")) | (Awaited::Any | Awaited::Value(_), _) => {
            Ok(())
        }
        (Awaited::Executed { count, .. }, Value::Array(replies)) if replies.len() == count => {
            trace.reached.transactions += 1;
            let error = replies.iter().find(|reply| matches!(reply, Value::Error(_)));
            error.map_or(Ok(()), |error| Err(format!("a queued request fails: {error:?}")))
        }
        (Awaited::Executed { is_watching: true, .. }, Value::Null) => {
            trace.reached.changed_meanwhile += 1;
            Ok(())
        }
        (Awaited::Pair, Value::Array(pair)) => match &**pair {
            [one, other] if one == other => {
                trace.reached.pairs += u64::from(*one != Value::Null);
                Ok(())
            }
            pair => Err(format!("of what is written in one go a part is seen: {pair:?}")),
        },
        (Awaited::Queued | Awaited::Executed { .. } | Awaited::Pair, other) => {
            Err(format!("{other:?} about a transaction"))
        }
    }
}
