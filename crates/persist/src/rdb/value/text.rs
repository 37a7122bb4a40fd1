//! Values that are one text: strings, and what has a small encoding.
//!
//! A long text is compressed piece by piece. Its compressed form stands behind its length, so it is
//! kept until it is whole.

use super::Writer;
use crate::rdb::writer::{LZF_BYTES_MAX, packed_max};
use alloc::vec::Vec;
use vesta_ds::lzf::{Packed, Packing};

/// Longer texts are not compressed: what is kept of them would be too much.
const PACKED_PLAIN_MAX: usize = 32 << 20;
/// Bytes that are compressed, or copied, between two looks at what was spent.
const PIECE_BYTES: usize = 16 * 1024;

/// What is left of a text.
pub(super) enum Rest {
    Packing(Packing),
    /// What was compressed, from this place on.
    Packed {
        packed: Vec<u8>,
        from: usize,
    },
    /// The text itself, from this place on.
    Plain {
        from: usize,
    },
}

/// Begins with a text; `None` when nothing of it is left.
pub(super) fn begin(text: &[u8], writer: &mut Writer<'_>) -> Option<Rest> {
    if text.len() <= LZF_BYTES_MAX {
        writer.text(text);
        return None;
    }
    if text.len() <= PACKED_PLAIN_MAX
        && let Some(compressor) = writer.compressor()
        && let Some(packing) = compressor.begin(text.len(), packed_max(text))
    {
        return Some(Rest::Packing(packing.with_room()));
    }
    Some(plain(text, writer))
}

fn plain(text: &[u8], writer: &mut Writer<'_>) -> Rest {
    writer.count(text.len());
    Rest::Plain { from: 0 }
}

impl Rest {
    /// Writes about so much more of the text; whether that was the rest.
    pub(super) fn go_on(&mut self, text: &[u8], writer: &mut Writer<'_>, budget: usize) -> bool {
        while writer.spent() < budget {
            let is_copied = match self {
                Self::Plain { from } => copy(text, from, writer),
                Self::Packed { packed, from } => copy(packed, from, writer),
                Self::Packing(packing) => {
                    if let Some(next) = pack(packing, text, writer) {
                        *self = next;
                    }
                    false
                }
            };
            if is_copied {
                return true;
            }
        }
        false
    }
}

/// Compresses a piece more; what is to be done then, if something else is.
fn pack(packing: &mut Packing, text: &[u8], writer: &mut Writer<'_>) -> Option<Rest> {
    writer.spend(PIECE_BYTES);
    // Without a compressor there is no time for this any more.
    let compressor = writer.compressor();
    match compressor.map(|compressor| compressor.advance(packing, text, PIECE_BYTES)) {
        Some(Packed::Some) => None,
        Some(Packed::All) => {
            let packed = packing.take_packed();
            writer.packed_head(packed.len(), text.len());
            Some(Rest::Packed { packed, from: 0 })
        }
        Some(Packed::TooLong) | None => Some(plain(text, writer)),
    }
}

/// Writes a piece of `bytes` that begins at `from`; whether it was the last one.
fn copy(bytes: &[u8], from: &mut usize, writer: &mut Writer<'_>) -> bool {
    let rest = bytes.get(*from..).unwrap_or_default();
    let piece = rest.get(..PIECE_BYTES).unwrap_or(rest);
    writer.spend(piece.len());
    writer.raw(piece);
    *from += piece.len();
    piece.len() == rest.len()
}
