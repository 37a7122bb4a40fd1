//! CRC-64 as Redis has it: the Jones polynomial, reflected, beginning with 0.

use core::fmt;
use crc_fast::{CrcAlgorithm, Digest};

/// The checksum of bytes that come in pieces.
#[derive(Clone)]
pub struct Checksum(Digest);

impl Checksum {
    /// The checksum of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(Digest::new(CrcAlgorithm::Crc64Redis))
    }

    /// The checksum of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> u64 {
        let mut sum = Self::new();
        sum.add(bytes);
        sum.value()
    }

    /// Takes more bytes in.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.finalize()
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Checksum({:016x})", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value that the documentation of the algorithm gives, whole and in pieces.
    #[test]
    fn the_checksum_is_that_of_redis() {
        assert_eq!(Checksum::of(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(Checksum::of(b""), 0);
        let mut sum = Checksum::new();
        for piece in b"123456789".chunks(2) {
            sum.add(piece);
        }
        assert_eq!(sum.value(), 0xe9c6_d914_c4b8_d9ca);
    }
}
