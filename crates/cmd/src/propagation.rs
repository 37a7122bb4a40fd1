//! What a write hands to the log and to replicas: the commands that repeat its effect.
//!
//! By default that is the request itself. A command whose effect depends on the time, on chance
//! or on what it found says what it did instead ([`crate::WriteCtx::changed_as`]). Each effect is
//! encoded once, when somebody wants it, preceded by SELECT where the database changes.
//!
//! ```text
//!   stream  SELECT 0 | SET a 1 | PUBLISH c x | SET b 2 | ...        for replicas
//!   log     #REPL | SELECT 0 | SET a 1         | #REPL | SET b 2    for the disk
//! ```
//!
//! The offset counts the bytes of the stream. The log holds the same requests but for what only
//! replicas want, and says in annotations at which offset it goes on: in front of the first
//! request, and behind each hole. So whoever reads a log knows for every request in it where in the
//! stream it lies. When a turn ends with something that only replicas want, the log says so as
//! well: whoever starts from it is not behind what replicas have got.

mod group;
mod relay;

pub use relay::Relayed;

use alloc::vec::Vec;
use group::Group;
use relay::Follower;
use vesta_persist::aof::{annotation, encode_request};
use vesta_resp::Request;
use vesta_types::{DbIndex, ReplId};

/// The greatest offset; programs of old read it as a signed number.
const OFFSET_MAX: u64 = i64::MAX.unsigned_abs();
/// Room that is kept for the effects of commands, in bytes; more is given back.
const PENDING_BYTES: usize = 64 * 1024;
/// Room that is had ready for the bytes of the next turn, at most.
const READY_BYTES_MAX: usize = 64 * 1024;

/// The effects of one node, for those who want them.
#[derive(Debug)]
pub struct Propagation {
    /// Whether somebody reads the stream.
    wanted: bool,
    /// Whether there is a log.
    logged: bool,
    /// Changes since start, for `rdb_changes_since_last_save` and save points.
    changes: u64,
    /// The history that the stream belongs to, and how many of its bytes there were.
    history: ReplId,
    offset: u64,
    /// The database that the reader of the stream has selected.
    selected: Option<DbIndex>,
    /// What nobody has taken yet of the stream.
    stream: Vec<u8>,
    /// What nobody has taken yet of the log.
    log: Vec<u8>,
    /// What goes in front of the log's next request.
    lead: Lead,
    /// Something is in the stream behind the last request of the log.
    has_hole: bool,
    /// Effects of the command that is running.
    pending: Vec<u8>,
    pending_commands: usize,
    own: Own,
    /// All databases were emptied since the last look.
    all_flushed: bool,
    /// Whether the stream is that of a primary, and what is done besides.
    follower: Follower,
    /// What takes place together with what is still to come, if anything does.
    group: Option<Group>,
}

/// Where the stream stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StreamPoint {
    /// Changes to the data set since start.
    pub changes: u64,
    /// [`Propagation::offset`].
    pub offset: u64,
    /// The database that the reader of the stream has selected.
    pub db: Option<DbIndex>,
    /// [`Propagation::is_wanted`] or [`Propagation::follows`]: only then does the offset stand for
    /// the data.
    pub is_kept: bool,
}

/// What the request of the running command is to others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Own {
    /// Nothing: it had no effect, or says what it was.
    #[default]
    Nothing,
    /// Its effect.
    Effect,
    /// Something that replicas are to do as well, though it changes no data.
    Message,
}

/// What the log is to say before its next request.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Lead {
    /// Nothing: it goes on where it was.
    #[default]
    Nothing,
    /// At which offset it goes on.
    Offset,
    /// That too, and in which database: its reader knows nothing yet.
    Start,
}

impl Default for Propagation {
    fn default() -> Self {
        Self {
            wanted: false,
            logged: false,
            changes: 0,
            history: ReplId::NONE,
            offset: 0,
            selected: None,
            stream: Vec::new(),
            log: Vec::new(),
            lead: Lead::Nothing,
            has_hole: false,
            pending: Vec::new(),
            pending_commands: 0,
            own: Own::Nothing,
            all_flushed: false,
            follower: Follower::default(),
            group: None,
        }
    }
}

impl Propagation {
    /// Whether anybody reads the stream. Whoever begins to has selected no database yet.
    pub fn set_wanted(&mut self, wanted: bool) {
        if wanted && !self.wanted {
            self.selected = None;
        }
        self.wanted = wanted;
    }

    /// Whether there is a log. One that begins starts as an increment does.
    pub fn set_logged(&mut self, logged: bool) {
        if logged != self.logged {
            self.lead = if logged { Lead::Start } else { Lead::Nothing };
            self.has_hole = false;
            self.forget_aside();
        }
        self.logged = logged;
    }

    /// Whether anybody reads the stream or the log. When nobody does, nothing is encoded, and the
    /// offset stands still.
    #[must_use]
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.wanted || self.logged
    }

    /// Whether there is a log.
    #[must_use]
    #[inline]
    pub fn is_logged(&self) -> bool {
        self.logged
    }

    /// Changes to the data set since start.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Where the stream stands, with all that has been committed.
    #[must_use]
    pub fn point(&self) -> StreamPoint {
        StreamPoint {
            changes: self.changes,
            offset: self.offset,
            db: self.selected,
            is_kept: self.is_wanted() || self.follows(),
        }
    }

    /// How many bytes of the stream there have been in this history.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The stream goes on at this offset, 2^63 - 1 at most.
    pub fn set_offset(&mut self, offset: u64) {
        self.offset = offset.min(OFFSET_MAX);
        self.lead = self.lead.max(Lead::Offset);
    }

    /// The stream belongs to this history from here on.
    pub fn set_history(&mut self, history: ReplId) {
        self.history = history;
        self.lead = self.lead.max(Lead::Offset);
    }

    /// What comes behind this goes into a new file of the log, which is to be read by itself: it
    /// begins with what a reader must know. What came before is to be taken first.
    pub fn begin_increment(&mut self) {
        self.lead = Lead::Start;
        self.forget_aside();
    }

    /// Counts changes that did not come through here: those of a log that was loaded.
    pub fn add_changes(&mut self, count: u64) {
        self.changes += count;
    }

    /// Whether all databases were emptied since the last call.
    pub fn take_all_flushed(&mut self) -> bool {
        core::mem::take(&mut self.all_flushed)
    }

    /// The running command has emptied all databases.
    pub(crate) fn note_all_flushed(&mut self) {
        self.all_flushed = true;
    }

    /// What came to the stream since the last call.
    pub fn take_stream(&mut self) -> Vec<u8> {
        taken(&mut self.stream)
    }

    /// What nobody has taken yet of the stream, to be taken.
    #[inline]
    pub fn stream_mut(&mut self) -> &mut Vec<u8> {
        &mut self.stream
    }

    /// What came to the log since the last call; it is requests and lines that are whole.
    pub fn take_log(&mut self) -> Vec<u8> {
        if self.has_hole {
            self.lead_in();
        }
        taken(&mut self.log)
    }

    /// Whether [`Propagation::take_log`] would give anything.
    #[must_use]
    #[inline]
    pub fn has_log(&self) -> bool {
        !self.log.is_empty() || self.has_hole
    }

    /// Whoever reads the stream from here on has selected no database.
    pub fn forget_selected(&mut self) {
        self.selected = None;
    }

    /// Appends a request that changes nothing in any database and tells who reads the stream, and
    /// the log, that there is somebody (PING).
    pub fn append_sign<'a>(&mut self, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
        if self.is_wanted() {
            self.emit(|out| encode_request(out, arguments));
        }
    }

    /// Appends a request that is for replicas only (REPLCONF GETACK). The log has a hole there.
    pub fn append_question<'a>(&mut self, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
        if self.wanted {
            self.emit_past_log(|out| encode_request(out, arguments));
        }
    }

    /// Appends a command that no client sent (the deletion of an expired key).
    pub fn append<'a>(&mut self, db: DbIndex, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
        if !self.is_wanted() {
            return;
        }
        if self.group.is_some() {
            self.joins_group(db, 1, |out| encode_request(out, arguments));
            return;
        }
        self.select(db);
        self.emit(|out| encode_request(out, arguments));
    }

    /// The running command changed the data set `count` times.
    #[inline]
    pub(crate) fn count(&mut self, count: u64) {
        self.changes += count;
    }

    /// The running command's effect is its own request.
    #[inline]
    pub(crate) fn set_as_is(&mut self) {
        self.own = Own::Effect;
    }

    /// The running command is for replicas too, though it changes nothing (PUBLISH).
    pub(crate) fn pass_on(&mut self) {
        self.own = Own::Message;
    }

    /// The running command's effect is this command.
    pub(crate) fn add(&mut self, arguments: &[&[u8]]) {
        if self.is_wanted() && !self.applies() {
            encode_request(&mut self.pending, arguments.iter().copied());
            self.pending_commands += 1;
        }
    }

    /// Ends a command that ran on `db`: its effects join the stream and the log. `request` is what
    /// the client sent. Several effects are wrapped so that they take place together. Whether it
    /// had effects that somebody reads.
    #[inline]
    pub fn commit(&mut self, db: DbIndex, request: Request<'_>) -> bool {
        let own = core::mem::take(&mut self.own);
        if !self.is_wanted() {
            return false;
        }
        if self.group.is_some() {
            self.commit_to_group(db, own, request);
            return false;
        }
        match own {
            Own::Nothing if self.pending_commands == 0 => return false,
            Own::Nothing => self.commit_pending(db),
            Own::Effect => {
                self.forget_pending();
                self.select(db);
                self.emit(|out| copy_request(out, request));
            }
            Own::Message => {
                self.commit_message(db, request);
                return false;
            }
        }
        self.logged || !self.follows()
    }

    /// Hands on what the command said it did.
    fn commit_pending(&mut self, db: DbIndex) {
        let pending = core::mem::take(&mut self.pending);
        let is_one = self.pending_commands == 1;
        self.select(db);
        self.emit(|out| {
            if is_one {
                return out.extend_from_slice(&pending);
            }
            encode_request(out, [&b"MULTI"[..]].into_iter());
            out.extend_from_slice(&pending);
            encode_request(out, [&b"EXEC"[..]].into_iter());
        });
        if pending.capacity() <= PENDING_BYTES {
            self.pending = pending;
        }
        self.forget_pending();
    }

    /// Hands on what only replicas want. The log has a hole there.
    fn commit_message(&mut self, db: DbIndex, request: Request<'_>) {
        self.forget_pending();
        if !self.wanted || self.follows() {
            return;
        }
        self.select(db);
        self.emit_past_log(|out| copy_request(out, request));
    }

    /// Appends what `write` gives to the stream alone. The log has a hole there.
    fn emit_past_log(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.stream.len();
        write(&mut self.stream);
        self.offset += (self.stream.len() - before) as u64;
        if self.logged {
            self.lead = self.lead.max(Lead::Offset);
            self.has_hole = true;
        }
    }

    fn forget_pending(&mut self) {
        self.pending.clear();
        self.pending_commands = 0;
    }

    #[inline]
    fn select(&mut self, db: DbIndex) {
        if self.follows() {
            return self.go_aside(db);
        }
        if self.selected != Some(db) {
            self.emit(|out| encode_select(out, db));
            self.selected = Some(db);
        }
    }

    /// Appends what `write` gives to the stream and to the log, as far as they are wanted.
    #[inline]
    fn emit(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.follows() {
            return self.emit_aside(write);
        }
        if !self.logged {
            let before = self.stream.len();
            write(&mut self.stream);
            self.offset += (self.stream.len() - before) as u64;
            return;
        }
        if self.lead != Lead::Nothing {
            self.lead_in();
        }
        let before = self.log.len();
        write(&mut self.log);
        let fresh = self.log.get(before..).unwrap_or_default();
        self.offset += fresh.len() as u64;
        if self.wanted {
            self.stream.extend_from_slice(fresh);
        }
    }

    /// Says in the log where it goes on.
    #[cold]
    fn lead_in(&mut self) {
        let lead = core::mem::take(&mut self.lead);
        self.has_hole = false;
        if let Some(db) = self.selected.filter(|_| lead == Lead::Start) {
            encode_select(&mut self.log, db);
        }
        annotation::history(&mut self.log, self.history, self.offset);
    }
}

/// Takes `bytes`, and has about as much room ready for the next ones.
fn taken(bytes: &mut Vec<u8>) -> Vec<u8> {
    let ready = Vec::with_capacity(bytes.len().min(READY_BYTES_MAX));
    core::mem::replace(bytes, ready)
}

/// A request as it came, where that is possible.
#[inline]
fn copy_request(out: &mut Vec<u8>, request: Request<'_>) {
    match request.wire() {
        Some(wire) => out.extend_from_slice(wire),
        None => encode_request(out, request.args_from(0)),
    }
}

fn encode_select(out: &mut Vec<u8>, db: DbIndex) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(db.get()).as_bytes();
    encode_request(out, [&b"SELECT"[..], digits].into_iter());
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use alloc::{format, vec};
    use proptest::prelude::*;
    use vesta_persist::aof::{Item, ItemReader};
    use vesta_resp::{Batch, Inbox, Limits};

    /// One command, as a node runs it.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// A client's request, in words or as programs write it, is its own effect.
        AsIs {
            db: u64,
            inline: bool,
        },
        /// A request had so many effects.
        Effects {
            db: u64,
            count: usize,
        },
        /// The store deleted a key by itself.
        Deleted {
            db: u64,
        },
        /// PUBLISH.
        Message {
            db: u64,
        },
        Read,
        Increment,
        History(u64),
    }

    fn db(raw: u64) -> DbIndex {
        DbIndex::new(raw, 16).unwrap()
    }

    fn commit(propagation: &mut Propagation, in_db: u64, input: &[u8]) {
        let mut batch = Batch::default();
        Inbox::default().frame(input, 0, &Limits::default(), &mut batch).1.unwrap();
        propagation.commit(db(in_db), batch.request(0, input).unwrap());
    }

    fn encoded(words: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_request(&mut out, words.iter().map(|word| word.as_bytes()));
        out
    }

    fn take(propagation: &mut Propagation, step: Step) {
        let set = encoded(&["SET", "key", "value"]);
        match step {
            Step::AsIs { db, inline } => {
                propagation.set_as_is();
                commit(propagation, db, if inline { b"SET key value\r\n" } else { &set });
            }
            Step::Effects { db, count } => {
                for _ in 0..count {
                    propagation.add(&[b"INCR", b"n"]);
                }
                commit(propagation, db, &set);
            }
            Step::Deleted { db: raw } => {
                propagation.append(db(raw), [&b"DEL"[..], b"key"].into_iter());
            }
            Step::Message { db } => {
                propagation.pass_on();
                commit(propagation, db, &encoded(&["PUBLISH", "c", "hello"]));
            }
            Step::Read => commit(propagation, 0, &encoded(&["GET", "key"])),
            Step::Increment => propagation.begin_increment(),
            Step::History(seed) => {
                propagation.set_history(ReplId::random(&mut vesta_types::Rng::new(seed)));
            }
        }
    }

    /// Requests as words and annotations as `#offset`.
    fn picture(log: &[u8]) -> Vec<String> {
        let (mut reader, mut at, mut items) = (ItemReader::default(), 0, Vec::new());
        while at < log.len() {
            let (item, len) = reader.next(&log[at..]).unwrap();
            items.push(match item {
                Item::Request(words) => {
                    let words = words.iter().map(|word| &log[at..][word.clone()]);
                    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
                    words.join(" ")
                }
                Item::History { offset, .. } => format!("#{offset}"),
                Item::Time(_) | Item::Other => panic!("{item:?}"),
            });
            at += len;
        }
        items
    }

    #[test]
    fn nothing_is_encoded_for_nobody() {
        let mut propagation = Propagation::default();
        propagation.count(2);
        for step in [Step::AsIs { db: 0, inline: false }, Step::Effects { db: 0, count: 2 }] {
            take(&mut propagation, step);
        }
        take(&mut propagation, Step::Message { db: 0 });
        assert_eq!((propagation.offset(), propagation.changes()), (0, 2));
        assert!(propagation.take_stream().is_empty() && !propagation.has_log());
        // What was left to be encoded then does not come later.
        propagation.set_logged(true);
        take(&mut propagation, Step::Read);
        assert!(!propagation.has_log());
    }

    #[test]
    fn the_log_has_what_the_stream_has_but_for_messages() {
        let mut propagation = Propagation::default();
        propagation.set_wanted(true);
        propagation.set_logged(true);
        for step in [
            Step::AsIs { db: 0, inline: true },
            Step::Message { db: 0 },
            Step::Effects { db: 0, count: 2 },
            Step::Message { db: 5 },
            Step::Message { db: 5 },
            Step::Effects { db: 5, count: 1 },
            Step::Read,
            Step::Deleted { db: 5 },
        ] {
            take(&mut propagation, step);
        }
        let (stream, log) = (propagation.take_stream(), propagation.take_log());
        assert_eq!(propagation.offset(), stream.len() as u64);
        let messages = ["SELECT 0", "SET key value", "PUBLISH c hello"];
        let rest = ["MULTI", "INCR n", "INCR n", "EXEC", "SELECT 5"];
        let published = ["PUBLISH c hello", "PUBLISH c hello", "INCR n", "DEL key"];
        assert_eq!(picture(&stream), [&messages[..], &rest, &published].concat());
        let second = 23 + 33 + 35;
        let third = second + 15 + 2 * 21 + 14 + 23 + 2 * 35;
        assert_eq!(
            picture(&log),
            [
                "#0",
                "SELECT 0",
                "SET key value",
                &format!("#{second}"),
                "MULTI",
                "INCR n",
                "INCR n",
                "EXEC",
                "SELECT 5",
                &format!("#{third}"),
                "INCR n",
                "DEL key",
            ]
        );
    }

    #[test]
    fn a_log_that_is_taken_says_how_far_the_stream_is() {
        let mut propagation = Propagation::default();
        propagation.set_wanted(true);
        propagation.set_logged(true);
        take(&mut propagation, Step::AsIs { db: 0, inline: false });
        propagation.append_sign([&b"PING"[..]].into_iter());
        let offset = propagation.offset();
        assert_eq!(picture(&propagation.take_log()), ["#0", "SELECT 0", "SET key value", "PING"]);
        propagation.append_question([&b"REPLCONF"[..], b"GETACK", b"*"].into_iter());
        assert_eq!(propagation.offset(), offset + 37);
        assert!(propagation.has_log(), "what starts from the log must know");
        assert_eq!(picture(&propagation.take_log()), [format!("#{}", offset + 37)]);
        assert!(!propagation.has_log(), "it is said once");
        take(&mut propagation, Step::AsIs { db: 0, inline: false });
        assert_eq!(picture(&propagation.take_log()), ["SET key value"], "and need not be again");
    }

    #[test]
    fn who_joins_the_readers_is_told_the_database() {
        let mut propagation = Propagation::default();
        propagation.set_wanted(true);
        take(&mut propagation, Step::Deleted { db: 0 });
        propagation.forget_selected();
        take(&mut propagation, Step::Deleted { db: 0 });
        let stream = picture(&propagation.take_stream());
        assert_eq!(stream, ["SELECT 0", "DEL key", "SELECT 0", "DEL key"]);
    }

    #[test]
    fn an_increment_can_be_read_by_itself() {
        let mut propagation = Propagation::default();
        propagation.set_logged(true);
        propagation.set_offset(1000);
        take(&mut propagation, Step::AsIs { db: 3, inline: false });
        assert_eq!(picture(&propagation.take_log()), ["#1000", "SELECT 3", "SET key value"]);
        let offset = propagation.offset();
        propagation.begin_increment();
        assert!(!propagation.has_log(), "an increment is empty until something is written");
        take(&mut propagation, Step::AsIs { db: 3, inline: false });
        let log = propagation.take_log();
        assert_eq!(picture(&log), ["SELECT 3", &format!("#{offset}"), "SET key value"]);
        let counted = propagation.offset() - offset;
        assert_eq!(counted as usize, encoded(&["SET", "key", "value"]).len(), "SELECT is not");
    }

    #[test]
    fn no_offset_is_too_great() {
        let mut propagation = Propagation::default();
        propagation.set_logged(true);
        propagation.set_offset(u64::MAX);
        take(&mut propagation, Step::AsIs { db: 0, inline: false });
        assert!(propagation.offset() > OFFSET_MAX);
    }

    #[test]
    fn the_log_names_its_history() {
        let mut propagation = Propagation::default();
        propagation.set_logged(true);
        for seed in [1, 2] {
            take(&mut propagation, Step::History(seed));
            take(&mut propagation, Step::AsIs { db: 0, inline: false });
            let name = ReplId::random(&mut vesta_types::Rng::new(seed)).to_string();
            let line = format!("#REPL:{name}:");
            assert!(propagation.take_log().starts_with(line.as_bytes()));
        }
    }

    fn steps() -> impl Strategy<Value = Step> {
        let db = 0_u64..3;
        prop_oneof![
            4 => (db.clone(), any::<bool>()).prop_map(|(db, inline)| Step::AsIs { db, inline }),
            4 => (db.clone(), 1_usize..4).prop_map(|(db, count)| Step::Effects { db, count }),
            2 => db.clone().prop_map(|db| Step::Deleted { db }),
            4 => db.prop_map(|db| Step::Message { db }),
            1 => Just(Step::Read),
            1 => Just(Step::Increment),
            1 => any::<u64>().prop_map(Step::History),
        ]
    }

    proptest! {
        /// Every request of the log lies in the stream at the offset that the log tells, and
        /// nothing but messages lies between.
        #[test]
        fn the_log_tells_where_in_the_stream_it_is(steps in prop::collection::vec(steps(), 1..60)) {
            let mut propagation = Propagation::default();
            propagation.set_wanted(true);
            propagation.set_logged(true);
            let mut files = vec![Vec::new()];
            for step in steps {
                if matches!(step, Step::Increment) {
                    let log = propagation.take_log();
                    files.last_mut().unwrap().extend(log);
                    files.push(Vec::new());
                }
                take(&mut propagation, step);
            }
            files.last_mut().unwrap().extend(propagation.take_log());
            let stream = propagation.take_stream();
            prop_assert_eq!(propagation.offset(), stream.len() as u64);
            let (mut reader, mut logged) = (ItemReader::default(), Vec::new());
            for file in files {
                let (mut at, mut offset) = (0, None);
                while at < file.len() {
                    let (item, len) = reader.next(&file[at..]).unwrap();
                    let bytes = &file[at..at + len];
                    match (item, &mut offset) {
                        (Item::History { offset: told, .. }, offset) => {
                            *offset = Some(told as usize);
                        }
                        (Item::Request(_), Some(offset)) => {
                            prop_assert_eq!(&stream[*offset..*offset + len], bytes);
                            *offset += len;
                            logged.extend_from_slice(bytes);
                        }
                        // The SELECT for a reader that knows nothing.
                        (Item::Request(_), None) => prop_assert_eq!(at, 0),
                        other => panic!("{other:?}"),
                    }
                    at += len;
                }
            }
            let effects = picture(&stream);
            let effects = effects.iter().filter(|words| !words.starts_with("PUBLISH"));
            prop_assert!(effects.eq(&picture(&logged)), "the log has every effect once");
        }
    }
}
