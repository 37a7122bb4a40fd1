//! What a write hands to the log and to replicas: the commands that repeat its effect.
//!
//! By default that is the request itself. A command whose effect depends on the time, on chance
//! or on what it found says what it did instead ([`crate::WriteCtx::changed_as`]). Each effect is
//! encoded once, when somebody wants it, preceded by SELECT where the database changes.

use alloc::vec::Vec;
use vesta_types::DbIndex;

/// The stream of effects of one node.
#[derive(Debug, Default)]
pub struct Propagation {
    wanted: bool,
    /// Changes since start, for `rdb_changes_since_last_save` and save points.
    changes: u64,
    /// The database that the reader of the stream has selected.
    selected: Option<DbIndex>,
    /// Encoded commands that nobody has taken yet.
    stream: Vec<u8>,
    /// Effects of the command that is running.
    pending: Vec<u8>,
    pending_commands: usize,
    as_is: bool,
    /// All databases were emptied since the last look.
    all_flushed: bool,
}

impl Propagation {
    /// Whether anybody reads the stream. When nobody does, nothing is encoded.
    pub fn set_wanted(&mut self, wanted: bool) {
        self.wanted = wanted;
    }

    /// Whether anybody reads the stream.
    #[must_use]
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Changes to the data set since start.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether all databases were emptied since the last call.
    pub fn take_all_flushed(&mut self) -> bool {
        core::mem::take(&mut self.all_flushed)
    }

    /// The running command has emptied all databases.
    pub(crate) fn note_all_flushed(&mut self) {
        self.all_flushed = true;
    }

    /// Takes the encoded stream.
    pub fn take_stream(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.stream)
    }

    /// Appends a command that no client sent (the deletion of an expired key).
    pub fn append<'a>(&mut self, db: DbIndex, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
        if self.wanted {
            self.select(db);
            encode(&mut self.stream, arguments);
        }
    }

    /// The running command changed the data set `count` times.
    #[inline]
    pub(crate) fn count(&mut self, count: u64) {
        self.changes += count;
    }

    /// The running command's effect is its own request.
    #[inline]
    pub(crate) fn set_as_is(&mut self) {
        self.as_is = true;
    }

    /// The running command is for replicas too, though it changes nothing (PUBLISH).
    pub(crate) fn pass_on(&mut self) {
        self.as_is = true;
    }

    /// The running command's effect is this command.
    pub(crate) fn add(&mut self, arguments: &[&[u8]]) {
        if self.wanted {
            encode(&mut self.pending, arguments.iter().copied());
            self.pending_commands += 1;
        }
    }

    /// Ends a command that ran on `db`: its effects join the stream. `request` is what the client
    /// sent. Several effects are wrapped so that they take place together.
    pub fn commit<'a>(&mut self, db: DbIndex, request: impl FnOnce() -> Vec<&'a [u8]>) {
        let as_is = core::mem::take(&mut self.as_is);
        if !self.wanted {
            return;
        }
        let count = core::mem::take(&mut self.pending_commands);
        if as_is {
            self.select(db);
            let request = request();
            encode(&mut self.stream, request.into_iter());
        } else if count > 0 {
            self.select(db);
            if count > 1 {
                encode(&mut self.stream, [&b"MULTI"[..]].into_iter());
            }
            self.stream.append(&mut self.pending);
            if count > 1 {
                encode(&mut self.stream, [&b"EXEC"[..]].into_iter());
            }
        }
        self.pending.clear();
    }

    fn select(&mut self, db: DbIndex) {
        if self.selected != Some(db) {
            self.selected = Some(db);
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(db.get()).as_bytes();
            encode(&mut self.stream, [&b"SELECT"[..], digits].into_iter());
        }
    }
}

fn encode<'a>(out: &mut Vec<u8>, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
    let mut digits = itoa::Buffer::new();
    out.push(b'*');
    out.extend_from_slice(digits.format(arguments.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    for argument in arguments {
        out.push(b'$');
        out.extend_from_slice(digits.format(argument.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}
