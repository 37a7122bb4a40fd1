//! The effects of a transaction: they are gathered and handed on together when it ends, between
//! MULTI and EXEC if there are several.
//!
//! Messages that only replicas want stay among the effects, in the log as well: a transaction has
//! the same bytes in both, so that no offset lies between its parts. Where there is no effect they
//! go to replicas alone.

use super::{Own, Propagation, copy_request};
use alloc::vec::Vec;
use vesta_persist::aof::encode_request;
use vesta_resp::Request;
use vesta_types::DbIndex;

/// What a transaction has done so far.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Encoded requests.
    bytes: Vec<u8>,
    parts: Vec<Part>,
    /// How many requests there are.
    requests: usize,
    /// Whether one of them has changed something.
    has_effect: bool,
}

/// Requests that go to one database.
#[derive(Debug)]
struct Part {
    db: DbIndex,
    /// Where in the bytes they end.
    end: usize,
}

impl Propagation {
    /// What comes from here on takes place together, until [`Propagation::end_group`].
    pub fn begin_group(&mut self) {
        self.group.get_or_insert_default();
    }

    /// Hands on what came since [`Propagation::begin_group`]; whether there were effects that
    /// somebody reads.
    pub fn end_group(&mut self) -> bool {
        let Some(group) = self.group.take() else { return false };
        let Some(first) = group.parts.first() else { return false };
        let is_wrapped = group.requests > 1;
        self.select(first.db);
        self.emit_framed(&group, is_wrapped, b"MULTI");
        let mut at = 0;
        for part in &group.parts {
            self.select(part.db);
            let bytes = group.bytes.get(at..part.end).unwrap_or_default();
            self.emit_part(&group, |out| out.extend_from_slice(bytes));
            at = part.end;
        }
        self.emit_framed(&group, is_wrapped, b"EXEC");
        group.has_effect && (self.logged || !self.follows())
    }

    fn emit_framed(&mut self, group: &Group, is_wrapped: bool, word: &[u8]) {
        if is_wrapped {
            self.emit_part(group, |out| encode_request(out, [word].into_iter()));
        }
    }

    fn emit_part(&mut self, group: &Group, write: impl FnOnce(&mut Vec<u8>)) {
        if group.has_effect { self.emit(write) } else { self.emit_past_log(write) }
    }

    /// Adds what `write` gives to the group, if there is one; whether there is.
    pub(super) fn joins_group(
        &mut self,
        db: DbIndex,
        requests: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let Some(group) = &mut self.group else { return false };
        write(&mut group.bytes);
        group.requests += requests;
        group.has_effect = true;
        group.note_part(db);
        true
    }

    /// Ends a command within a group: its effects join it.
    pub(super) fn commit_to_group(&mut self, db: DbIndex, own: Own, request: Request<'_>) {
        let (requests, pending) = (self.pending_commands, core::mem::take(&mut self.pending));
        let is_read = self.wanted && !self.follows();
        match own {
            Own::Nothing if requests > 0 => {
                self.joins_group(db, requests, |out| out.extend_from_slice(&pending));
            }
            Own::Effect => {
                self.joins_group(db, 1, |out| copy_request(out, request));
            }
            Own::Message if is_read => {
                if let Some(group) = &mut self.group {
                    copy_request(&mut group.bytes, request);
                    group.requests += 1;
                    group.note_part(db);
                }
            }
            Own::Nothing | Own::Message => {}
        }
        self.pending = pending;
        self.forget_pending();
    }
}

impl Group {
    /// All bytes behind the last part are for this database.
    fn note_part(&mut self, db: DbIndex) {
        let end = self.bytes.len();
        match self.parts.last_mut() {
            Some(last) if last.db == db => last.end = end,
            Some(_) | None => self.parts.push(Part { db, end }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use vesta_persist::aof::{Item, ItemReader};
    use vesta_resp::{Batch, Inbox, Limits};

    fn db(index: u64) -> DbIndex {
        DbIndex::new(index, 16).unwrap()
    }

    /// A propagation with a log and readers of the stream.
    fn propagation() -> Propagation {
        let mut propagation = Propagation::default();
        propagation.set_wanted(true);
        propagation.set_logged(true);
        propagation
    }

    /// A command of a client that is its own effect, or a message.
    fn run(propagation: &mut Propagation, in_db: u64, line: &str, is_message: bool) {
        let input = alloc::format!("{line}\r\n").into_bytes();
        let mut batch = Batch::default();
        let _ = Inbox::default().frame(&input, 0, &Limits::default(), &mut batch);
        if is_message {
            propagation.pass_on()
        } else {
            propagation.set_as_is()
        }
        propagation.commit(db(in_db), batch.request(0, &input).unwrap());
    }

    fn words(mut bytes: &[u8]) -> String {
        let (mut reader, mut all) = (ItemReader::default(), Vec::new());
        while !bytes.is_empty() {
            let (item, len) = reader.next(bytes).unwrap();
            if let Item::Request(arguments) = item {
                let line = arguments.iter().map(|range| &bytes[range.clone()]);
                all.push(line.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "));
            }
            bytes = &bytes[len..];
        }
        all.join(" | ").to_string()
    }

    #[test]
    fn one_effect_stands_for_itself_and_several_are_wrapped() {
        let mut propagation = propagation();
        propagation.begin_group();
        run(&mut propagation, 0, "SET a 1", false);
        assert!(propagation.end_group());
        assert_eq!(words(&propagation.take_stream()), "SELECT 0 | SET a 1");
        propagation.begin_group();
        run(&mut propagation, 3, "SET a 1", false);
        propagation.append(db(3), [&b"DEL"[..], b"x"].into_iter());
        run(&mut propagation, 0, "SET b 2", false);
        assert!(propagation.take_stream().is_empty());
        assert!(propagation.end_group());
        let expected = "SELECT 3 | MULTI | SET a 1 | DEL x | SELECT 0 | SET b 2 | EXEC";
        assert_eq!(words(&propagation.take_stream()), expected);
        propagation.begin_group();
        assert!(!propagation.end_group());
        assert!(propagation.take_stream().is_empty());
    }

    #[test]
    fn messages_are_in_the_log_only_among_effects() {
        let mut propagation = propagation();
        propagation.begin_group();
        run(&mut propagation, 0, "PUBLISH c x", true);
        run(&mut propagation, 0, "PUBLISH c y", true);
        assert!(!propagation.end_group());
        let stream = words(&propagation.take_stream());
        assert_eq!(stream, "SELECT 0 | MULTI | PUBLISH c x | PUBLISH c y | EXEC");
        assert_eq!(words(&propagation.take_log()), "SELECT 0");
        propagation.begin_group();
        run(&mut propagation, 0, "PUBLISH c x", true);
        run(&mut propagation, 0, "SET a 1", false);
        assert!(propagation.end_group());
        let stream = words(&propagation.take_stream());
        assert_eq!(stream, "MULTI | PUBLISH c x | SET a 1 | EXEC");
        assert_eq!(words(&propagation.take_log()), stream);
    }
}
