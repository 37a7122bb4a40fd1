//! What the replies must be: a small server written a second time, from the documented behaviour.
//!
//! It keeps keys in ordered maps, knows nothing of tables, sharing or buffers, and deletes no key
//! by itself: that a key is gone because its time had come, or because memory was short, it is
//! told by the [checker](crate::checker), which reads it in the stream of effects.

mod connection;
mod data;
mod hashes;
mod keys;
mod lists;
mod sets;
mod stream_data;
mod streams;
mod strings;
mod typed;
mod waiting;
mod zsets;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vesta_config::AppendFsync;
use vesta_types::{Mono, Now};

use connection::Replies;
pub(crate) use connection::Session;
use data::Hash;
pub(crate) use data::{Bytes, Data, Touched, Value};
use waiting::Wait;
pub(crate) use waiting::Waiter;

use crate::Flaw;

/// The whole model server.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) data: Data,
    pub(crate) sessions: BTreeMap<usize, Session>,
    pub(crate) settings: Settings,
    pub(crate) pause: Option<Pause>,
    /// The data is not there yet: most commands are refused.
    pub(crate) is_loading: bool,
    /// Clients that wait for keys, in order of arrival.
    pub(crate) waiters: Vec<Waiter>,
    /// Clients whose wait has ended, with what they are to be sent, in order.
    pub(crate) answered: VecDeque<(usize, Option<Reply>)>,
    /// Values of `maxclients` that the rim is to bring into force.
    applying: VecDeque<usize>,
    /// Walks with SCAN by the link of the client that walks.
    walks: BTreeMap<usize, Walk>,
    next_id: u64,
    flaw: Option<Flaw>,
}

/// The settings that matter here.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) databases: usize,
    pub(crate) maxclients: usize,
    pub(crate) maxmemory_bytes: u64,
    /// `maxmemory-policy`.
    pub(crate) policy: String,
    pub(crate) lazy_expire: bool,
    pub(crate) active_expire: bool,
    /// `client-output-buffer-limit` of normal clients: hard bytes, soft bytes, soft seconds.
    pub(crate) output_limit: [u64; 3],
    pub(crate) bulk_bytes_max: u64,
    /// What was set about the log and nobody has looked at yet.
    pub(crate) log: Vec<LogSetting>,
}

/// A setting about the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogSetting {
    On,
    Off,
    Sync(AppendFsync),
}

/// A CLIENT PAUSE in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    pub(crate) until: Mono,
    pub(crate) all: bool,
}

/// A walk through a database with SCAN.
#[derive(Debug)]
struct Walk {
    db: usize,
    /// The cursor that goes on with it.
    cursor: u64,
    /// Keys that are there since it began and were not returned yet.
    missing: BTreeSet<Bytes>,
}

/// What a request may have changed that is tried again after a deletion.
#[derive(Debug)]
pub(crate) struct Snapshot {
    data: Data,
    replies: Replies,
    waiters: Vec<Waiter>,
}

/// What executing a request must lead to.
#[derive(Debug)]
pub(crate) struct Reaction {
    /// `None`: no reply at all.
    pub(crate) reply: Option<Reply>,
    pub(crate) proto: u8,
    /// The database that was selected when it ran.
    pub(crate) db: usize,
    pub(crate) effect: Effect,
    /// Set when there is no reply yet.
    pub(crate) wait: Option<Wait>,
    /// Whether the reply is wanted.
    pub(crate) is_heard: bool,
}

/// A reply, or what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Simple(&'static str),
    Error(String),
    Int(i64),
    Bulk(Bytes),
    Null,
    NullArray,
    Double(f64),
    Array(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
    /// A map that is an array of pairs in RESP2.
    ByKey(Vec<(Reply, Reply)>),
    /// Members with their scores.
    Scored(Vec<(Bytes, f64)>),
    /// One of these, or null when there is none.
    AnyOf(BTreeSet<Bytes>),
    /// All of these in any order.
    Unordered(BTreeSet<Bytes>),
    /// All of these fields with their values in any order.
    Pairs(Hash),
    /// A step of a walk: the cursor that began it and which keys it may return.
    Page {
        cursor: u64,
        allowed: BTreeSet<Bytes>,
    },
    /// INFO: keys and keys with an expiry of each database that has any.
    Keyspace(Vec<(usize, usize, usize)>),
    /// A float that is not computed here, or an error.
    Float,
    /// This one, when an action of the node is finished.
    Later(Box<Reply>),
    /// One of these lines, at once or when an action of the node is finished.
    NowOrLater(&'static [&'static str]),
}

/// What is handed on to replicas.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Effect {
    #[default]
    Nothing,
    /// The request itself.
    AsIs,
    As(Vec<Bytes>),
    /// Several at once.
    All(Vec<Vec<Bytes>>),
    /// SREM of a member of this set that is not chosen here.
    Drawn {
        key: Bytes,
    },
    /// SET of this key to a float that is not computed here, its expiry kept; or nothing.
    Float {
        key: Bytes,
    },
}

/// How a handler ends; `Err` is the text of an error reply.
type Answer = Result<Reply, String>;

/// What a handler works on.
struct Ask<'a> {
    words: &'a [Vec<u8>],
    link: usize,
    now: Now,
    model: &'a mut Model,
    effect: Effect,
    wait: Option<Wait>,
}

/// A command: name, least and most words (0: no end), properties, handler.
struct Known {
    name: &'static str,
    words: (usize, usize),
    kind: Kind,
    run: fn(&mut Ask<'_>) -> Answer,
}

impl Known {
    /// Whether it runs before the data is there.
    fn needs_no_data(&self) -> bool {
        const NAMES: [&str; 8] =
            ["echo", "select", "quit", "reset", "hello", "config|set", "debug", "info"];
        self.name.starts_with("client|") || NAMES.contains(&self.name)
    }
}

/// What gates go by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Neither writes nor takes memory.
    Plain,
    /// Writes, but may run when memory is short.
    Write,
    /// Writes, and is refused when memory is short.
    Grow,
    /// Runs although everybody is paused.
    Free,
}

impl Model {
    pub(crate) fn new(settings: Settings, flaw: Option<Flaw>) -> Self {
        Self {
            data: Data::new(settings.databases),
            sessions: BTreeMap::new(),
            settings,
            pause: None,
            is_loading: false,
            waiters: Vec::new(),
            answered: VecDeque::new(),
            applying: VecDeque::new(),
            walks: BTreeMap::new(),
            next_id: 1,
            flaw,
        }
    }

    /// A client connects; whether it is served.
    pub(crate) fn connect(&mut self, link: usize, addr: &str) -> bool {
        if self.sessions.len() >= self.settings.maxclients {
            return false;
        }
        self.sessions.insert(link, Session::new(self.next_id, addr));
        self.next_id += 1;
        true
    }

    /// A client is gone.
    pub(crate) fn disconnect(&mut self, link: usize) {
        self.sessions.remove(&link);
        self.walks.remove(&link);
        self.waiters.retain(|waiter| waiter.link != link);
    }

    /// The server is no more: everything it knew is gone, and the settings
    /// are those at the start again.
    pub(crate) fn server_ends(&mut self, settings: Settings) {
        *self = Self { is_loading: true, ..Self::new(settings, self.flaw) };
    }

    /// The rim has brought a setting into force.
    pub(crate) fn applied(&mut self) {
        if let Some(wanted) = self.applying.pop_front() {
            self.settings.maxclients = wanted;
        }
    }

    pub(crate) fn session(&mut self, link: usize) -> Result<&mut Session, String> {
        self.sessions.get_mut(&link).ok_or_else(|| format!("link {link} has no session"))
    }

    /// What gates know of a request; `None` when it names no command.
    pub(crate) fn kind(words: &[Vec<u8>]) -> Option<Kind> {
        known(words).map(|known| known.kind)
    }

    /// Whether a pause holds this request back at `now`.
    pub(crate) fn must_wait(&self, now: Mono, words: &[Vec<u8>]) -> bool {
        let Some(known) = known(words).filter(|known| takes(known, words.len())) else {
            return false;
        };
        if self.is_loading && !known.needs_no_data() {
            return false;
        }
        self.pause.is_some_and(|pause| {
            now < pause.until
                && match known.kind {
                    Kind::Plain => pause.all,
                    Kind::Write | Kind::Grow => true,
                    Kind::Free => false,
                }
        })
    }

    /// Executes a request of the client at `link`.
    pub(crate) fn execute(
        &mut self,
        link: usize,
        now: Now,
        words: &[Vec<u8>],
    ) -> Result<Reaction, String> {
        let session = self.session(link)?;
        session.replies = session.replies.next();
        let mut reaction = self.perform(link, now, words)?;
        // What counts is what the client wants when the command ends.
        reaction.is_heard = self.session(link)?.replies == Replies::On;
        if !reaction.is_heard || reaction.wait.is_some() {
            reaction.reply = None;
        }
        Ok(reaction)
    }

    /// Does what a request asks for.
    fn perform(&mut self, link: usize, now: Now, words: &[Vec<u8>]) -> Result<Reaction, String> {
        let db = self.session(link)?.db;
        let mut ask = Ask { words, link, now, model: self, effect: Effect::Nothing, wait: None };
        let answer = match known(words) {
            None => Err(unknown(words)),
            Some(known) if !takes(known, words.len()) => {
                Err(format!("ERR wrong number of arguments for '{}' command", known.name))
            }
            Some(known) if ask.model.is_loading && !known.needs_no_data() => {
                Err("LOADING Redis is loading the dataset in memory".to_owned())
            }
            Some(known) => (known.run)(&mut ask),
        };
        let (effect, wait) = (ask.effect, ask.wait);
        let reply = Some(answer.unwrap_or_else(Reply::Error));
        let proto = self.session(link)?.proto;
        Ok(Reaction { reply, proto, db, effect, wait, is_heard: true })
    }

    /// What [`Model::restore`] brings back when a request of this client is tried again.
    pub(crate) fn snapshot(&mut self, link: usize) -> Result<Snapshot, String> {
        let replies = self.session(link)?.replies;
        Ok(Snapshot { data: self.data.clone(), replies, waiters: self.waiters.clone() })
    }

    /// Takes back the request that was executed since the snapshot.
    pub(crate) fn restore(&mut self, link: usize, snapshot: Snapshot) -> Result<(), String> {
        self.session(link)?.replies = snapshot.replies;
        self.data = snapshot.data;
        self.waiters = snapshot.waiters;
        self.answered.clear();
        for waiter in &self.waiters {
            if let Some(session) = self.sessions.get_mut(&waiter.link) {
                session.awaits = None;
            }
        }
        Ok(())
    }

    /// Follows what a walk has returned.
    ///
    /// # Errors
    /// When it is over and a key is missing that was there all the time.
    pub(crate) fn walked(
        &mut self,
        link: usize,
        now_ms: u64,
        from: u64,
        to: u64,
        returned: &[&[u8]],
    ) -> Result<(), String> {
        let db = self.session(link)?.db;
        if from == 0 {
            let missing = self.data.live_keys(db, now_ms);
            self.walks.insert(link, Walk { db, cursor: 0, missing });
        }
        let Some(walk) = self.walks.get_mut(&link) else { return Ok(()) };
        if walk.db != db || walk.cursor != from {
            self.walks.remove(&link);
            return Ok(());
        }
        for key in returned {
            walk.missing.remove(*key);
        }
        walk.cursor = to;
        if to == 0 {
            let data = &self.data;
            let lost = walk.missing.iter().find(|key| data.live(db, key, now_ms).is_some());
            let lost = lost.map(|key| crate::trace::shown(key));
            self.walks.remove(&link);
            if let Some(key) = lost {
                return Err(format!("a whole walk of db {db} did not return {key}"));
            }
        }
        Ok(())
    }

    /// After a change of data: a key that went and came again need not be returned by walks.
    pub(crate) fn data_changed(&mut self) {
        let data = &self.data;
        for walk in self.walks.values_mut() {
            walk.missing.retain(|key| data.slot(walk.db, key).is_some());
        }
    }
}

const COMMANDS: &[&[Known]] = &[
    strings::COMMANDS,
    lists::COMMANDS,
    sets::COMMANDS,
    hashes::COMMANDS,
    zsets::COMMANDS,
    streams::COMMANDS,
    keys::COMMANDS,
    connection::COMMANDS,
];

fn known(words: &[Vec<u8>]) -> Option<&'static Known> {
    let name = words.first()?;
    let is = |known: &&Known| {
        let Some((head, rest)) = known.name.as_bytes().split_at_checked(name.len()) else {
            return false;
        };
        head.eq_ignore_ascii_case(name)
            && match rest {
                [] => true,
                [b'|', sub @ ..] => words.get(1).is_some_and(|word| word.eq_ignore_ascii_case(sub)),
                _ => false,
            }
    };
    COMMANDS.iter().copied().flatten().find(is)
}

fn takes(known: &Known, words: usize) -> bool {
    let (least, most) = known.words;
    words >= least && (most == 0 || words <= most)
}

fn unknown(words: &[Vec<u8>]) -> String {
    let shown = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let mut words = words.iter().map(|word| shown(word));
    let name = words.next().unwrap_or_default();
    let mut text = format!("ERR unknown command '{name}', with args beginning with: ");
    words.for_each(|word| text.push_str(&format!("'{word}' ")));
    text
}

impl Reply {
    /// Its bytes, when they are known.
    pub(crate) fn encoded(&self, proto: u8) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.encode(proto, &mut out).then_some(out)
    }

    fn encode(&self, proto: u8, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Simple(text) => out.extend_from_slice(format!("+{text}\r\n").as_bytes()),
            Self::Error(text) => out.extend_from_slice(format!("-{text}\r\n").as_bytes()),
            Self::Int(value) => out.extend_from_slice(format!(":{value}\r\n").as_bytes()),
            Self::Bulk(bytes) => {
                out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Self::Null if proto == 3 => out.extend_from_slice(b"_\r\n"),
            Self::Null => out.extend_from_slice(b"$-1\r\n"),
            Self::NullArray if proto == 3 => out.extend_from_slice(b"_\r\n"),
            Self::NullArray => out.extend_from_slice(b"*-1\r\n"),
            Self::Double(value) if proto == 3 => {
                out.extend_from_slice(format!(",{value}\r\n").as_bytes());
            }
            Self::Double(value) => return Self::bulk(&value.to_string()).encode(proto, out),
            Self::Array(items) => {
                out.extend_from_slice(format!("*{}\r\n", items.len()).as_bytes());
                return items.iter().all(|item| item.encode(proto, out));
            }
            Self::ByKey(pairs) if proto == 3 => return Self::Map(pairs.clone()).encode(proto, out),
            Self::ByKey(pairs) => {
                let pairs = pairs.iter().cloned();
                let pairs = pairs.map(|(key, value)| Self::Array(vec![key, value]));
                return Self::Array(pairs.collect()).encode(proto, out);
            }
            Self::Scored(members) => {
                let members = members.iter().cloned();
                let pairs = members.map(|(name, score)| [Self::Bulk(name), Self::Double(score)]);
                let items: Vec<Self> = if proto == 3 {
                    pairs.map(|pair| Self::Array(pair.to_vec())).collect()
                } else {
                    pairs.flatten().collect()
                };
                return Self::Array(items).encode(proto, out);
            }
            Self::Map(pairs) => {
                let head = if proto == 3 {
                    format!("%{}\r\n", pairs.len())
                } else {
                    format!("*{}\r\n", 2 * pairs.len())
                };
                out.extend_from_slice(head.as_bytes());
                return pairs
                    .iter()
                    .all(|(key, value)| key.encode(proto, out) && value.encode(proto, out));
            }
            Self::AnyOf(_)
            | Self::Unordered(_)
            | Self::Pairs(_)
            | Self::Page { .. }
            | Self::Keyspace(_)
            | Self::Float
            | Self::Later(_)
            | Self::NowOrLater(_) => return false,
        }
        true
    }

    fn bulk(text: &str) -> Self {
        Self::Bulk(text.as_bytes().into())
    }
}

impl Ask<'_> {
    fn word(&self, place: usize) -> &[u8] {
        self.words.get(place).map_or(&[], Vec::as_slice)
    }

    fn bytes(&self, place: usize) -> Bytes {
        self.word(place).into()
    }

    /// Whether word `place` is `lower` in any case.
    fn is(&self, place: usize, lower: &str) -> bool {
        self.word(place).eq_ignore_ascii_case(lower.as_bytes())
    }

    fn number(&self, place: usize) -> Result<i64, String> {
        integer(self.word(place)).ok_or_else(not_an_integer)
    }

    fn now_ms(&self) -> u64 {
        self.now.unix.0 / 1000
    }

    fn session(&mut self) -> Result<&mut Session, String> {
        self.model.session(self.link)
    }

    fn db(&mut self) -> Result<usize, String> {
        Ok(self.session()?.db)
    }

    fn has_flaw(&self, flaw: Flaw) -> bool {
        self.model.flaw == Some(flaw)
    }
}

/// An integer as commands read it: no sign but `-`, no leading zeros.
fn integer(text: &[u8]) -> Option<i64> {
    let value: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (value.to_string().as_bytes() == text).then_some(value)
}

fn not_an_integer() -> String {
    "ERR value is not an integer or out of range".to_owned()
}

fn syntax_error() -> String {
    "ERR syntax error".to_owned()
}
