//! Writing entries of a snapshot down as requests: a base for readers that know no RDB.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use vesta_persist::Pieces;
use vesta_persist::aof::{BaseWriter, OpenKey, annotation, encode_request};
use vesta_store::{Entry, Keeper};
use vesta_types::{DbIndex, ReplId};

/// Writes requests, piece by piece.
pub(super) struct RequestKeeper {
    writer: BaseWriter,
    written: Pieces,
    /// The key that is written in pieces.
    open: Option<OpenKey>,
    /// What comes behind it.
    aside: Pieces,
    /// Which point of which history it is all of.
    history: Option<(ReplId, u64)>,
    /// The database that the primary's stream has selected there, on a replica.
    stream_db: Option<DbIndex>,
    large_bytes: usize,
    kept: u64,
}

impl RequestKeeper {
    /// Begins with the libraries of functions. What comes is all of this point of a history, where
    /// the stream of a primary has selected `stream_db`; entries of `large_bytes` and more are
    /// written in pieces.
    pub(super) fn new(
        functions: &[Vec<u8>],
        history: Option<(ReplId, u64)>,
        stream_db: Option<DbIndex>,
        large_bytes: usize,
    ) -> Self {
        let (mut writer, mut written) = (BaseWriter::default(), Pieces::default());
        for source in functions {
            writer.function(written.end(), source);
        }
        let aside = Pieces::default();
        Self { writer, written, open: None, aside, history, stream_db, large_bytes, kept: 0 }
    }
}

impl Keeper for RequestKeeper {
    fn keep(&mut self, db: DbIndex, entry: &Entry) {
        let place = if self.open.is_some() { &mut self.aside } else { &mut self.written };
        self.writer.key(place.end(), db, entry);
        self.kept += 1;
    }

    fn is_large(&self, entry: &Entry) -> bool {
        entry.alloc_bytes() >= self.large_bytes
    }

    fn keep_some(&mut self, db: DbIndex, entry: &Entry, budget: usize) -> bool {
        let out = self.written.end();
        let mut open = self.open.take().unwrap_or_else(|| self.writer.open_key(out, db, entry));
        let is_done = open.go_on(out, entry, budget);
        if is_done {
            self.written.append(&mut self.aside);
            self.kept += 1;
        } else {
            self.open = Some(open);
        }
        is_done
    }

    fn drain(&mut self) -> Vec<u8> {
        self.written.take()
    }

    fn finish(&mut self) {
        if let Some(db) = self.stream_db {
            let db = db.get().to_string();
            encode_request(self.written.end(), [&b"SELECT"[..], db.as_bytes()].into_iter());
        }
        if let Some((id, offset)) = self.history {
            annotation::history(self.written.end(), id, offset);
        }
    }

    fn kept(&self) -> u64 {
        self.kept
    }
}

impl fmt::Debug for RequestKeeper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RequestKeeper({} entries)", self.kept)
    }
}
