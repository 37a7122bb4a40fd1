//! The stream of a replica: that of its primary, byte by byte.
//!
//! What was applied is handed on as it came, so that whoever follows the replica follows the same
//! history. What clients of a replica write is not of that history: it goes to no replica, and lies
//! in the log aside, where no offset is told, until the stream goes on.
//!
//! ```text
//!   log   #REPL:id:500 | SET a 1 | #REPL:000..0:0 | SELECT 2 | SET own x | ...
//!                                       ... | SELECT 0 | #REPL:id:531 | SET b 2
//! ```

use super::{Lead, Own, Propagation, encode_select};
use alloc::vec::Vec;
use vesta_persist::aof::annotation;
use vesta_types::{DbIndex, ReplId};

/// Whether the stream is that of a primary.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Follower {
    follows: bool,
    /// A request of the stream is being applied: its effects are known.
    applies: bool,
    /// The log is aside of the stream, in this database.
    aside: Option<DbIndex>,
}

/// What a request of a primary's stream is to a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relayed {
    /// Something that data depends on, or a sign of life.
    Effect,
    /// Something for replicas only.
    Message,
}

impl Propagation {
    /// The stream is that of a primary from here on, or our own.
    pub fn set_follows(&mut self, follows: bool) {
        if self.follower.follows && !follows {
            self.selected = None;
        }
        self.follower.follows = follows;
        self.leave_aside();
    }

    /// Whether the stream is that of a primary.
    #[must_use]
    #[inline]
    pub fn follows(&self) -> bool {
        self.follower.follows
    }

    /// Requests of the primary's stream are executed from here on. [`Propagation::relay`] ends it.
    pub fn begin_applying(&mut self) {
        self.follower.applies = true;
    }

    /// Whether this is a replica, and what is executed does not come from its primary: what it
    /// changed would be the primary's data no more.
    #[must_use]
    pub fn is_of_reader(&self) -> bool {
        self.follower.follows && !self.follower.applies
    }

    /// Whether effects are known already, and need not be encoded.
    #[inline]
    pub(super) fn applies(&self) -> bool {
        self.follower.applies
    }

    /// The reader of the stream has selected this database.
    pub fn set_selected(&mut self, db: Option<DbIndex>) {
        self.selected = db;
    }

    /// Hands on what came from the primary and was applied. `db` is the database that the stream
    /// has selected behind it.
    pub fn relay(&mut self, wire: &[u8], db: DbIndex, what: Relayed) {
        self.follower.applies = false;
        self.own = Own::Nothing;
        self.forget_pending();
        if self.logged && what == Relayed::Effect {
            self.leave_aside();
            if self.lead != Lead::Nothing {
                self.lead_in();
            }
            self.log.extend_from_slice(wire);
        } else if self.logged && !wire.is_empty() {
            self.leave_aside();
            self.lead = self.lead.max(Lead::Offset);
            self.has_hole = true;
        }
        self.offset += wire.len() as u64;
        if self.wanted {
            self.stream.extend_from_slice(wire);
        }
        self.selected = Some(db);
    }

    /// Where the log is to be for what a client of a replica has written to `db`.
    pub(super) fn go_aside(&mut self, db: DbIndex) {
        if self.follower.aside == Some(db) || !self.logged {
            return;
        }
        if self.follower.aside.is_none() {
            annotation::history(&mut self.log, ReplId::NONE, 0);
        }
        encode_select(&mut self.log, db);
        self.follower.aside = Some(db);
    }

    /// Appends what a client of a replica has written.
    pub(super) fn emit_aside(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.logged {
            write(&mut self.log);
        }
    }

    /// The log is where its reader knows nothing.
    pub(super) fn forget_aside(&mut self) {
        self.follower.aside = None;
    }

    /// The log goes on with the stream.
    fn leave_aside(&mut self) {
        if self.follower.aside.take().is_some() {
            self.lead = Lead::Start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use vesta_persist::aof::encode_request;

    fn db(raw: u64) -> DbIndex {
        DbIndex::new(raw, 16).unwrap()
    }

    fn encoded(words: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_request(&mut out, words.iter().map(|word| word.as_bytes()));
        out
    }

    /// Requests as words, annotations as they are.
    fn picture(log: &[u8]) -> String {
        let text = String::from_utf8_lossy(log).replace("\r\n", " ");
        let words = text.split(' ').filter(|word| !word.starts_with(['*', '$']));
        words.collect::<Vec<_>>().join(" ").trim().into()
    }

    fn follower() -> Propagation {
        let mut propagation = Propagation::default();
        propagation.set_wanted(true);
        propagation.set_logged(true);
        propagation.set_follows(true);
        propagation.set_offset(100);
        propagation
    }

    #[test]
    fn what_comes_is_handed_on_as_it_is() {
        let mut propagation = follower();
        let (set, ping) = (encoded(&["SET", "a", "1"]), b"\r\n*1\r\n$4\r\nPING\r\n");
        propagation.begin_applying();
        propagation.add(&[b"DEL", b"x"]);
        propagation.relay(&set, db(3), Relayed::Effect);
        propagation.relay(ping, db(3), Relayed::Effect);
        let all = [&set[..], ping].concat();
        assert_eq!(propagation.take_stream(), all);
        assert_eq!(propagation.point().db, Some(db(3)));
        assert_eq!(propagation.offset(), 100 + all.len() as u64);
        let log = propagation.take_log();
        assert!(log.ends_with(&all) && log.starts_with(b"#REPL:"), "{}", picture(&log));
    }

    #[test]
    fn what_clients_write_lies_aside_in_the_log_and_nowhere_else() {
        let mut propagation = follower();
        let set = encoded(&["SET", "a", "1"]);
        propagation.relay(&set, db(3), Relayed::Effect);
        propagation.append(db(2), [&b"DEL"[..], b"own"].into_iter());
        propagation.append(db(2), [&b"DEL"[..], b"too"].into_iter());
        propagation.append(db(5), [&b"DEL"[..], b"end"].into_iter());
        propagation.relay(&set, db(3), Relayed::Effect);
        let offset = 100 + set.len();
        assert_eq!(propagation.take_stream(), [&set[..], &set].concat());
        assert_eq!(propagation.offset() as usize, offset + set.len());
        let (id, none) = (ReplId::NONE, ReplId::NONE);
        let expected = format!(
            "#REPL:{id}:100 SET a 1 #REPL:{none}:0 SELECT 2 DEL own DEL too SELECT 5 DEL end \
             SELECT 3 #REPL:{id}:{offset} SET a 1"
        );
        assert_eq!(picture(&propagation.take_log()), expected);
    }

    #[test]
    fn a_message_leaves_a_hole_in_the_log() {
        let mut propagation = follower();
        let (set, message) = (encoded(&["SET", "a", "1"]), encoded(&["PUBLISH", "c", "x"]));
        propagation.relay(&message, db(0), Relayed::Message);
        propagation.relay(&set, db(0), Relayed::Effect);
        let offset = 100 + message.len();
        let log = picture(&propagation.take_log());
        assert_eq!(log, format!("SELECT 0 #REPL:{}:{offset} SET a 1", ReplId::NONE));
        assert_eq!(propagation.take_stream(), [message, set].concat());
    }

    #[test]
    fn a_promoted_server_selects_its_database_anew() {
        let mut propagation = follower();
        propagation.relay(&encoded(&["SELECT", "3"]), db(3), Relayed::Effect);
        propagation.set_follows(false);
        propagation.take_stream();
        propagation.append(db(3), [&b"DEL"[..], b"x"].into_iter());
        assert_eq!(picture(&propagation.take_stream()), "SELECT 3 DEL x");
    }

    #[test]
    fn an_increment_begins_aside_if_need_be() {
        let mut propagation = follower();
        propagation.append(db(2), [&b"DEL"[..], b"own"].into_iter());
        propagation.take_log();
        propagation.begin_increment();
        propagation.append(db(2), [&b"DEL"[..], b"own"].into_iter());
        let none = ReplId::NONE;
        let log = picture(&propagation.take_log());
        assert_eq!(log, format!("#REPL:{none}:0 SELECT 2 DEL own"));
    }
}
