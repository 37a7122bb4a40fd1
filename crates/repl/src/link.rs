//! The replica's end of a link: how it comes to be, is kept alive, and is made anew.
//!
//! ```text
//!  Idle --follow--> Connecting --Connected--> Talking --+CONTINUE--> Streaming
//!                    ^    | fails                | |                  ^   | silent, or gone
//!                    |    v                      | +FULLRESYNC        |   v
//!                  Waiting <---------------------+   v                | Connecting (or Waiting)
//!                    ^                           | Receiving ---> Loading
//!                    +---------------------------+-----+--------------+ fails
//! ```
//!
//! *Talking*: PING; when that is answered, everything that says who we are, in one go; when all
//! of that is answered, PSYNC. A primary that does not know PSYNC is asked with SYNC. What it
//! does not understand of the rest does no harm.
//!
//! The machine sees the bytes of the talk ([`Link::talk`]) and those of the snapshot
//! ([`Link::receive`]), and is told when something came of the stream ([`Link::note_heard`]), which
//! it does not look at. Source of the talk, its order and the texts for the log: what redis-server
//! 7.0.15 sends, accepts and logs.

use crate::line::{Line, LineBuffer};
use crate::payload::{Payload, Progress, Refused};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vesta_types::{Mono, Now, ReplId, ascii, number};

/// How long after a failure the next attempt comes, in milliseconds. Source: redis-server 7.0.15
/// tries once a second.
const RETRY_MS: u64 = 1000;
/// Milliseconds between two acknowledgements at most. Source: redis-server 7.0.15.
const ACK_EVERY_MS: u64 = 1000;
/// Milliseconds between two acknowledgements at least while data comes, unless one is asked for.
const ACK_GAP_MS: u64 = 100;
/// Milliseconds between two signs of life while no acknowledgement can be given.
const LIFE_EVERY_MS: u64 = 1000;

/// A link to our primary.
#[derive(Debug)]
pub struct Link {
    state: State,
    /// The number of the last attempt to connect.
    attempt: u64,
    /// Silence after which the primary counts as gone, in milliseconds (`repl-timeout`).
    silence_ms: u64,
    actions: VecDeque<Action>,
}

#[derive(Debug)]
enum State {
    /// We follow nobody.
    Idle,
    Waiting {
        retry_at: Mono,
    },
    Connecting {
        since: Mono,
    },
    Talking(Box<Talk>),
    /// A snapshot comes.
    Receiving {
        payload: Box<Payload>,
        heard_at: Mono,
        life_at: Mono,
    },
    /// It has come, and is being read.
    Loading {
        life_at: Mono,
    },
    Streaming {
        began: Mono,
        /// Whether anything of it was applied.
        is_fruitful: bool,
        heard_at: Mono,
        acked_at: Mono,
        ack_at: Mono,
    },
}

/// The talk before anything is transferred.
#[derive(Debug)]
struct Talk {
    hello: Hello,
    line: LineBuffer,
    /// What is still to be answered, in order.
    asked: VecDeque<Asked>,
    heard_at: Mono,
}

/// What was said and is to be answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Ping,
    Auth,
    Port,
    Address,
    Capabilities,
    Version,
    Psync,
}

/// What a replica says about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hello {
    /// User, if it is not the default one, and password (`masteruser`, `masterauth`).
    pub credentials: Option<(Option<String>, Vec<u8>)>,
    /// The port it is to be reached at.
    pub port: u16,
    /// The address, if it is another than that of the connection.
    pub address: Option<String>,
    /// The version of Redis that it is as good as.
    pub version: &'static str,
    /// The history of its data, and how many bytes of it it has; `None`: it wants everything.
    pub from: Option<(ReplId, u64)>,
    /// Whether the other end is to become a primary with that (FAILOVER).
    pub hands_over: bool,
}

/// Something that happened to a link.
#[derive(Clone, Debug)]
pub enum Event {
    /// The time of [`Link::next_deadline`] may have come.
    Tick,
    /// The last attempt to connect has succeeded.
    Connected(Box<Hello>),
    /// It has not, for this reason.
    NotConnected(String),
    /// The connection is gone.
    Closed,
    /// The snapshot is in force: the stream can come.
    Loaded,
    /// There is no use in going on with this connection: try another one, later.
    GivenUp,
    /// As before, but not earlier than in so many milliseconds.
    PutOff {
        /// How many.
        ms: u64,
    },
}

/// What a link wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Connect to the primary; answer with [`Event::Connected`] or [`Event::NotConnected`].
    Connect {
        /// The number of the attempt.
        attempt: u64,
    },
    /// Give this attempt up.
    GiveUp {
        /// Its number.
        attempt: u64,
    },
    /// Send these bytes.
    Send(Vec<u8>),
    /// Close the connection: nothing more is wanted of it, and nothing need be told.
    HangUp,
    /// A snapshot comes: of this history, with so many bytes of it. `None`: the primary is too old
    /// to say.
    Copy(Option<(ReplId, u64)>),
    /// The stream goes on where it was asked for, under this name if it has another now.
    Resume(Option<ReplId>),
    /// Acknowledge what has been applied.
    Acknowledge,
    /// The primary was to take over, and says why it does not.
    NotTakenOver(String),
    /// For the log.
    Tell(Weight, String),
}

/// How important a line for the log is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// An operator wants to know.
    Notice,
    /// An operator must know.
    Warning,
}

/// What a link is at, as ROLE and INFO tell it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Nobody is connected to.
    Away,
    /// A connection is being made.
    Connecting,
    /// The talk before the data.
    Talking,
    /// A snapshot comes.
    Receiving,
    /// A snapshot is being read.
    Loading,
    /// The stream comes.
    Streaming,
}

impl Default for Link {
    fn default() -> Self {
        Self { state: State::Idle, attempt: 0, silence_ms: 60_000, actions: VecDeque::new() }
    }
}

impl Link {
    /// What it is at.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Idle | State::Waiting { .. } => Phase::Away,
            State::Connecting { .. } => Phase::Connecting,
            State::Talking(_) => Phase::Talking,
            State::Receiving { .. } => Phase::Receiving,
            State::Loading { .. } => Phase::Loading,
            State::Streaming { .. } => Phase::Streaming,
        }
    }

    /// The snapshot that comes.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        match &self.state {
            State::Receiving { payload, .. } => Some(payload),
            State::Idle
            | State::Waiting { .. }
            | State::Connecting { .. }
            | State::Talking(_)
            | State::Loading { .. }
            | State::Streaming { .. } => None,
        }
    }

    /// When the primary was last heard, once data comes.
    #[must_use]
    pub fn heard_at(&self) -> Option<Mono> {
        match self.state {
            State::Receiving { heard_at, .. } | State::Streaming { heard_at, .. } => Some(heard_at),
            State::Idle
            | State::Waiting { .. }
            | State::Connecting { .. }
            | State::Talking(_)
            | State::Loading { .. } => None,
        }
    }

    /// Silence after which the primary counts as gone is this from here on, in milliseconds.
    pub fn set_silence(&mut self, silence_ms: u64) {
        self.silence_ms = silence_ms;
    }

    /// Begins anew, with another primary perhaps.
    pub fn follow(&mut self, now: Now) {
        self.stop();
        self.connect(now);
    }

    /// Follows nobody any more.
    pub fn stop(&mut self) {
        self.hang_up();
        self.state = State::Idle;
    }

    /// What is to be done next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Event::Tick`] is wanted; at once while there are actions.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        if !self.actions.is_empty() {
            return Mono(0);
        }
        let gone = |heard_at: Mono| heard_at.plus_ms(self.silence_ms);
        match &self.state {
            State::Idle => Mono::NEVER,
            State::Waiting { retry_at } => *retry_at,
            State::Connecting { since } => gone(*since),
            State::Talking(talk) => gone(talk.heard_at),
            State::Receiving { heard_at, life_at, .. } => gone(*heard_at).min(*life_at),
            State::Loading { life_at } => *life_at,
            State::Streaming { heard_at, ack_at, .. } => gone(*heard_at).min(*ack_at),
        }
    }

    /// Takes in something that happened. What does not fit the state comes too late, and is
    /// passed over.
    pub fn handle(&mut self, now: Now, event: Event) {
        match event {
            Event::Tick => self.tick(now),
            Event::Connected(hello) => {
                if let State::Connecting { .. } = self.state {
                    self.tell(Weight::Notice, "Non blocking connect for SYNC fired the event.");
                    self.send(&[b"PING"]);
                    self.state = State::Talking(Box::new(Talk {
                        hello: *hello,
                        line: LineBuffer::default(),
                        asked: VecDeque::from([Asked::Ping]),
                        heard_at: now.mono,
                    }));
                }
            }
            Event::NotConnected(why) => {
                if let State::Connecting { .. } = self.state {
                    self.warn(format!("Error condition on socket for SYNC: {why}"));
                    self.retry(now);
                }
            }
            Event::Closed => self.closed(now),
            Event::Loaded => {
                if let State::Loading { .. } | State::Receiving { .. } = self.state {
                    self.stream(now);
                }
            }
            Event::GivenUp => self.put_off(now, RETRY_MS),
            Event::PutOff { ms } => self.put_off(now, ms),
        }
    }

    fn tick(&mut self, now: Now) {
        let silence_ms = self.silence_ms;
        let is_gone = |heard_at: Mono| now.mono >= heard_at.plus_ms(silence_ms);
        match &mut self.state {
            State::Idle => {}
            State::Waiting { retry_at } => {
                if now.mono >= *retry_at {
                    self.connect(now);
                }
            }
            State::Connecting { since } if is_gone(*since) => {
                self.warn("Timeout connecting to the MASTER...".to_string());
                self.fail(now);
            }
            State::Talking(talk) if is_gone(talk.heard_at) => {
                self.warn("Timeout connecting to the MASTER...".to_string());
                self.fail(now);
            }
            State::Receiving { heard_at, .. } if is_gone(*heard_at) => {
                self.warn(
                    "Timeout receiving bulk data from MASTER... If the problem persists try to \
                     set the 'repl-timeout' parameter in redis.conf to a larger value."
                        .to_string(),
                );
                self.fail(now);
            }
            State::Streaming { heard_at, .. } if is_gone(*heard_at) => {
                self.warn("MASTER timeout: no data nor PING received...".to_string());
                self.hang_up();
                self.lost(now);
            }
            State::Connecting { .. } | State::Talking(_) => {}
            State::Receiving { life_at, .. } | State::Loading { life_at } => {
                if now.mono >= *life_at {
                    *life_at = now.mono.plus_ms(LIFE_EVERY_MS);
                    self.actions.push_back(Action::Send(vec![b'\n']));
                }
            }
            State::Streaming { ack_at, .. } => {
                if now.mono >= *ack_at {
                    self.acknowledge(now);
                }
            }
        }
    }

    fn closed(&mut self, now: Now) {
        match self.state {
            State::Idle | State::Waiting { .. } | State::Connecting { .. } => {}
            State::Talking(_) => {
                self.warn("The connection was closed before the master has answered".to_string());
                self.retry(now);
            }
            State::Receiving { .. } | State::Loading { .. } => {
                let line = "I/O error trying to sync with MASTER: connection lost";
                self.warn(line.to_string());
                self.retry(now);
            }
            State::Streaming { .. } => {
                self.warn("Connection with master lost.".to_string());
                self.lost(now);
            }
        }
    }

    /// A connection that was good is gone: makes another one, at once unless it was good for a
    /// moment only and of no use.
    fn lost(&mut self, now: Now) {
        let State::Streaming { began, is_fruitful, .. } = self.state else {
            return self.retry(now);
        };
        if is_fruitful || now.mono >= began.plus_ms(RETRY_MS) {
            self.connect(now);
        } else {
            self.retry(now);
        }
    }

    fn connect(&mut self, now: Now) {
        self.attempt += 1;
        self.actions.push_back(Action::Connect { attempt: self.attempt });
        self.state = State::Connecting { since: now.mono };
    }

    /// Tries again in so many milliseconds, with another connection, unless that is so already.
    fn put_off(&mut self, now: Now, ms: u64) {
        match self.state {
            State::Idle | State::Waiting { .. } => {}
            State::Connecting { .. }
            | State::Talking(_)
            | State::Receiving { .. }
            | State::Loading { .. }
            | State::Streaming { .. } => {
                self.hang_up();
                self.state = State::Waiting { retry_at: now.mono.plus_ms(ms) };
            }
        }
    }

    /// Tries again later; there is no connection any more.
    fn retry(&mut self, now: Now) {
        self.state = State::Waiting { retry_at: now.mono.plus_ms(RETRY_MS) };
    }

    /// Tries again later, with another connection.
    fn fail(&mut self, now: Now) {
        self.hang_up();
        self.retry(now);
    }

    /// Has the connection closed, or the attempt to make one given up.
    fn hang_up(&mut self) {
        match self.state {
            State::Idle | State::Waiting { .. } => {}
            State::Connecting { .. } => {
                self.actions.push_back(Action::GiveUp { attempt: self.attempt });
            }
            State::Talking(_)
            | State::Receiving { .. }
            | State::Loading { .. }
            | State::Streaming { .. } => self.actions.push_back(Action::HangUp),
        }
    }

    fn tell(&mut self, weight: Weight, text: impl Into<String>) {
        self.actions.push_back(Action::Tell(weight, text.into()));
    }

    fn warn(&mut self, text: String) {
        self.tell(Weight::Warning, text);
    }

    fn send(&mut self, words: &[&[u8]]) {
        let mut bytes = Vec::new();
        encode(&mut bytes, words);
        self.actions.push_back(Action::Send(bytes));
    }
}

/// The talk.
impl Link {
    /// Takes in what the primary says before the data; how many bytes of `input` that is. The rest
    /// belongs to what comes then.
    pub fn talk(&mut self, now: Now, input: &[u8]) -> usize {
        let mut taken = 0;
        while let State::Talking(talk) = &mut self.state {
            talk.heard_at = now.mono;
            let rest = input.get(taken..).unwrap_or_default();
            let (count, line) = talk.line.take(rest);
            taken += count;
            match line {
                Line::Short => break,
                Line::TooLong => {
                    self.warn("The master's reply is longer than any should be".to_string());
                    self.fail(now);
                }
                Line::Whole(line) => self.answered(now, &line),
            }
        }
        taken
    }

    /// The primary has answered what was asked first.
    fn answered(&mut self, now: Now, line: &[u8]) {
        let State::Talking(talk) = &mut self.state else { return };
        let Some(asked) = talk.asked.pop_front() else { return };
        let is_error = line.first() == Some(&b'-');
        let text = ascii::lossy(line);
        match asked {
            Asked::Ping if is_error && !wants_password(line) => {
                self.warn(format!("Error reply to PING from master: '{text}'"));
                return self.fail(now);
            }
            Asked::Ping => {
                let line = "Master replied to PING, replication can continue...";
                self.tell(Weight::Notice, line);
                return self.introduce();
            }
            Asked::Auth if is_error => {
                self.warn(format!("Unable to AUTH to MASTER: {text}"));
                return self.fail(now);
            }
            Asked::Port if is_error => self.not_understood("listening-port", &text),
            Asked::Address if is_error => self.not_understood("ip-address", &text),
            Asked::Capabilities if is_error => self.not_understood("capa", &text),
            // No server before Valkey 8 knows it.
            Asked::Version | Asked::Auth | Asked::Port | Asked::Address | Asked::Capabilities => {}
            Asked::Psync => return self.decided(now, line),
        }
        if let State::Talking(talk) = &self.state
            && talk.asked.is_empty()
        {
            self.ask_for_data();
        }
    }

    /// Source of the text: redis-server 7.0.15.
    fn not_understood(&mut self, what: &str, reply: &str) {
        let line = format!("(Non critical) Master does not understand REPLCONF {what}: {reply}");
        self.tell(Weight::Notice, line);
    }

    /// Says who we are.
    fn introduce(&mut self) {
        let State::Talking(talk) = &mut self.state else { return };
        let Hello { credentials, port, address, version, .. } = &talk.hello;
        let mut bytes = Vec::new();
        let mut say = |asked: Asked, words: &[&[u8]]| {
            talk.asked.push_back(asked);
            encode(&mut bytes, words);
        };
        match credentials {
            Some((Some(user), password)) => {
                say(Asked::Auth, &[b"AUTH", user.as_bytes(), password]);
            }
            Some((None, password)) => say(Asked::Auth, &[b"AUTH", password]),
            None => {}
        }
        let port = port.to_string();
        say(Asked::Port, &[b"REPLCONF", b"listening-port", port.as_bytes()]);
        if let Some(address) = address {
            say(Asked::Address, &[b"REPLCONF", b"ip-address", address.as_bytes()]);
        }
        say(Asked::Capabilities, &[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]);
        say(Asked::Version, &[b"REPLCONF", b"version", version.as_bytes()]);
        self.actions.push_back(Action::Send(bytes));
    }

    /// Says what we have and want.
    fn ask_for_data(&mut self) {
        let State::Talking(talk) = &mut self.state else { return };
        talk.asked.push_back(Asked::Psync);
        let hands_over = talk.hello.hands_over;
        let (id, next, line) = match talk.hello.from {
            Some((id, offset)) => {
                let next = offset.saturating_add(1).to_string();
                let line = format!("Trying a partial resynchronization (request {id}:{next}).");
                (id.to_string(), next, line)
            }
            None => {
                let line = "Partial resynchronization not possible (no cached master)";
                ("?".to_string(), "-1".to_string(), line.to_string())
            }
        };
        self.tell(Weight::Notice, line);
        let words: [&[u8]; 4] = [b"PSYNC", id.as_bytes(), next.as_bytes(), b"FAILOVER"];
        self.send(words.get(..if hands_over { 4 } else { 3 }).unwrap_or(&words));
    }

    /// The primary has decided what we get.
    fn decided(&mut self, now: Now, line: &[u8]) {
        let text = ascii::lossy(line);
        if let Some(rest) = line.strip_prefix(b"+FULLRESYNC") {
            let Some((id, offset)) = full_point(rest) else {
                self.warn("Master replied with wrong +FULLRESYNC syntax.".to_string());
                return self.fail(now);
            };
            self.tell(Weight::Notice, format!("Full resync from master: {id}:{offset}"));
            return self.receive_copy(now, Some((id, offset)));
        }
        if let Some(rest) = line.strip_prefix(b"+CONTINUE") {
            let line = "Successful partial resynchronization with master.";
            self.tell(Weight::Notice, line);
            let id = ReplId::parse(rest.trim_ascii());
            let ours = self.asked_from().map(|(id, _)| id);
            let changed = id.filter(|id| Some(*id) != ours);
            if let Some(id) = changed {
                self.tell(Weight::Notice, format!("Master replication ID changed to {id}"));
            }
            let line = "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.";
            self.tell(Weight::Notice, line);
            self.actions.push_back(Action::Resume(changed));
            return self.stream(now);
        }
        if line.starts_with(b"-NOMASTERLINK") || line.starts_with(b"-LOADING") {
            let why =
                format!("Master is currently unable to PSYNC but should be in the future: {text}");
            self.tell(Weight::Notice, why);
            return self.fail(now);
        }
        if self.hands_over() {
            self.actions.push_back(Action::NotTakenOver(text));
            return self.fail(now);
        }
        let line = if line.starts_with(b"-") {
            format!("Master does not support PSYNC or is in error state (reply: {text})")
        } else {
            format!("Unexpected reply to PSYNC from master: {text}")
        };
        self.tell(Weight::Notice, line);
        self.tell(Weight::Notice, "Retrying with SYNC...");
        self.actions.push_back(Action::Send(b"SYNC\r\n".to_vec()));
        self.receive_copy(now, None);
    }

    fn asked_from(&self) -> Option<(ReplId, u64)> {
        match &self.state {
            State::Talking(talk) => talk.hello.from,
            State::Idle
            | State::Waiting { .. }
            | State::Connecting { .. }
            | State::Receiving { .. }
            | State::Loading { .. }
            | State::Streaming { .. } => None,
        }
    }

    fn hands_over(&self) -> bool {
        matches!(&self.state, State::Talking(talk) if talk.hello.hands_over)
    }
}

/// The data.
impl Link {
    fn receive_copy(&mut self, now: Now, history: Option<(ReplId, u64)>) {
        self.actions.push_back(Action::Copy(history));
        self.state = State::Receiving {
            payload: Box::default(),
            heard_at: now.mono,
            life_at: now.mono.plus_ms(LIFE_EVERY_MS),
        };
    }

    /// Takes in what comes of a snapshot; `sink` gets its bytes. With [`Progress::End`] it is
    /// complete, and [`Event::Loaded`] is awaited. `None`: it is not to be had, or nothing is
    /// received; there will be another attempt.
    pub fn receive(&mut self, now: Now, input: &[u8], sink: impl FnMut(&[u8])) -> Option<Progress> {
        let State::Receiving { payload, heard_at, .. } = &mut self.state else { return None };
        *heard_at = now.mono;
        let had_begun = payload.has_begun();
        let outcome = payload.take(input, sink);
        let head = (!had_begun && payload.has_begun()).then(|| {
            if payload.is_marked() {
                "MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF".to_string()
            } else {
                let bytes = payload.total().unwrap_or(0);
                format!("MASTER <-> REPLICA sync: receiving {bytes} bytes from master")
            }
        });
        if let Some(line) = head {
            self.tell(Weight::Notice, line);
        }
        match outcome {
            Ok(Progress::All) => Some(Progress::All),
            Ok(end @ Progress::End(_)) => {
                self.state = State::Loading { life_at: now.mono.plus_ms(LIFE_EVERY_MS) };
                Some(end)
            }
            Err(refused) => {
                self.warn(match refused {
                    Refused::Aborted(text) => {
                        format!("MASTER aborted replication with an error: {text}")
                    }
                    Refused::Garbled => "Bad protocol from MASTER: what should be a snapshot does \
                                         not begin as one, are you sure the host and port are \
                                         right?"
                        .to_string(),
                });
                self.fail(now);
                None
            }
        }
    }

    fn stream(&mut self, now: Now) {
        let at = now.mono;
        self.state = State::Streaming {
            began: at,
            is_fruitful: false,
            heard_at: at,
            acked_at: at,
            ack_at: at,
        };
        self.acknowledge(now);
    }

    /// Something came of the stream.
    pub fn note_heard(&mut self, now: Now) {
        if let State::Streaming { heard_at, .. } = &mut self.state {
            *heard_at = now.mono;
        }
    }

    /// Something of the stream was applied: the primary is to know soon.
    pub fn note_applied(&mut self) {
        if let State::Streaming { is_fruitful, acked_at, ack_at, .. } = &mut self.state {
            *is_fruitful = true;
            *ack_at = (*ack_at).min(acked_at.plus_ms(ACK_GAP_MS));
        }
    }

    /// The primary wants to know now what has been applied.
    pub fn acknowledge(&mut self, now: Now) {
        if let State::Streaming { acked_at, ack_at, .. } = &mut self.state {
            *acked_at = now.mono;
            *ack_at = now.mono.plus_ms(ACK_EVERY_MS);
            self.actions.push_back(Action::Acknowledge);
        }
    }
}

/// Whether a reply to PING only says that there is a password.
fn wants_password(line: &[u8]) -> bool {
    let forms: [&[u8]; 3] = [b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted"];
    forms.iter().any(|form| line.starts_with(form))
}

/// Reads what is behind `+FULLRESYNC`.
fn full_point(rest: &[u8]) -> Option<(ReplId, u64)> {
    let rest = rest.strip_prefix(b" ")?;
    let (id, offset) = rest.split_at_checked(40)?;
    let offset = number::parse_u64(offset.strip_prefix(b" ")?.trim_ascii_end())?;
    Some((ReplId::parse(id)?, offset))
}

/// A request in the form that programs write.
fn encode(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
