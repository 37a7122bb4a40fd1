//! What was written and is to be handed on.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Bytes of a piece that nothing is added to any more.
const PIECE_BYTES: usize = 64 * 1024;
/// Bytes that there is room for from the beginning.
const ROOM_BYTES: usize = PIECE_BYTES + 16 * 1024;

/// Bytes in the order in which they were written, in pieces that are handed on as they are: none
/// grows without end, and none is copied into another.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    full: VecDeque<Vec<u8>>,
    last: Vec<u8>,
}

impl Pieces {
    /// Where the next bytes are to be added.
    #[inline]
    pub fn end(&mut self) -> &mut Vec<u8> {
        if self.last.len() >= PIECE_BYTES {
            self.cut();
        }
        if self.last.capacity() == 0 {
            self.last.reserve_exact(ROOM_BYTES);
        }
        &mut self.last
    }

    /// Takes the first bytes, as many as lie together; none when there are none.
    pub fn take(&mut self) -> Vec<u8> {
        self.full.pop_front().unwrap_or_else(|| core::mem::take(&mut self.last))
    }

    /// Adds all that `other` has, and leaves nothing there.
    pub fn append(&mut self, other: &mut Self) {
        if other.is_empty() {
            return;
        }
        if !self.last.is_empty() {
            self.cut();
        }
        self.full.append(&mut other.full);
        self.last = core::mem::take(&mut other.last);
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full.is_empty() && self.last.is_empty()
    }

    /// All bytes, one behind the other.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        let mut bytes = self.take();
        while !self.is_empty() {
            bytes.append(&mut self.take());
        }
        bytes
    }

    /// The bytes, piece by piece.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.full.iter().chain([&self.last]).map(Vec::as_slice)
    }

    fn cut(&mut self) {
        self.full.push_back(core::mem::take(&mut self.last));
    }
}
