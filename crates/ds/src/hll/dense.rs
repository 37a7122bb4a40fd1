//! The dense form: 16384 registers of 6 bits, and the same registers a byte each.

use super::{HEADER_LEN, REGISTERS, View, forget_count, place};

/// Length of every dense string in bytes.
pub const DENSE_LEN: usize = HEADER_LEN + REGISTERS / 8 * PACKED;

/// Bytes of eight registers.
const PACKED: usize = 6;
const REGISTER_MAX: u8 = 63;

/// Counts `element` in a dense string where it lies; whether a register changed, after which the
/// cached count is stale. `None`, and nothing done, if `bytes` are not a dense HyperLogLog.
pub fn add_dense(bytes: &mut [u8], element: &[u8]) -> Option<bool> {
    let Some(View::Dense(_)) = View::parse(bytes) else { return None };
    let bytes: &mut [u8; DENSE_LEN] = bytes.try_into().ok()?;
    let (index, rank) = place(element);
    let is_changed = raise(bytes, index, rank);
    if is_changed {
        forget_count(bytes);
    }
    Some(is_changed)
}

/// One register.
pub(super) fn register(bytes: &[u8; DENSE_LEN], index: usize) -> u8 {
    let (at, shift) = location(index);
    let pair = [byte(bytes, at), byte(bytes, at + 1)];
    (u16::from_le_bytes(pair) >> shift) as u8 & REGISTER_MAX
}

/// Sets one register if `rank` is greater than what it holds; whether it was.
pub(super) fn raise(bytes: &mut [u8; DENSE_LEN], index: usize, rank: u8) -> bool {
    if register(bytes, index) >= rank {
        return false;
    }
    let (at, shift) = location(index);
    let pair = u16::from_le_bytes([byte(bytes, at), byte(bytes, at + 1)]);
    let pair = pair & !(u16::from(REGISTER_MAX) << shift) | u16::from(rank) << shift;
    for (place, value) in bytes.iter_mut().skip(at).zip(pair.to_le_bytes()) {
        *place = value;
    }
    true
}

/// All registers, a byte each: 6 bytes of the string are spread over 8 in one word.
pub(super) fn unpack(bytes: &[u8; DENSE_LEN]) -> [u8; REGISTERS] {
    let mut registers = [0; REGISTERS];
    let (packed, _) = bytes.split_at(HEADER_LEN).1.as_chunks::<PACKED>();
    let (unpacked, _) = registers.as_chunks_mut::<8>();
    for (six, eight) in packed.iter().zip(unpacked) {
        let [a, b, c, d, e, f] = *six;
        *eight = spread(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])).to_le_bytes();
    }
    registers
}

/// Writes all registers behind the header of a dense string.
pub(super) fn pack(registers: &[u8; REGISTERS], bytes: &mut [u8]) {
    let Some(bytes) = bytes.get_mut(HEADER_LEN..) else { return };
    let (unpacked, _) = registers.as_chunks::<8>();
    let (packed, _) = bytes.as_chunks_mut::<PACKED>();
    for (eight, six) in unpacked.iter().zip(packed) {
        let word = eight.iter().rev().fold(0, |word, value| word << 6 | u64::from(*value));
        for (place, value) in six.iter_mut().zip(word.to_le_bytes()) {
            *place = value;
        }
    }
}

/// Eight fields of 6 bits, at the bottom of `word`, into a byte each: halves apart, then
/// quarters, then eighths.
fn spread(word: u64) -> u64 {
    let word = (word & 0x0000_ffff_ff00_0000) << 8 | word & 0x0000_0000_00ff_ffff;
    let word = (word & 0x00ff_f000_00ff_f000) << 4 | word & 0x0000_0fff_0000_0fff;
    (word & 0x0fc0_0fc0_0fc0_0fc0) << 2 | word & 0x003f_003f_003f_003f
}

/// First byte of a register and the place of its lowest bit there.
fn location(index: usize) -> (usize, u32) {
    let bit = index % REGISTERS * PACKED;
    (HEADER_LEN + bit / 8, (bit % 8) as u32)
}

/// A byte of the string; the one behind the last register's is zero.
fn byte(bytes: &[u8; DENSE_LEN], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}
