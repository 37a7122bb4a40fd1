//! Names of replication histories and of runs: 40 lower-case hexadecimal digits.

use crate::Rng;
use core::fmt;

/// A 160-bit random name, printed as 40 hexadecimal digits (`master_replid`, `run_id`).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ReplId([u8; 20]);

impl ReplId {
    /// The id that means "none": forty zeros, as `master_replid2` shows it.
    pub const NONE: Self = Self([0; 20]);

    /// A fresh random id.
    #[must_use]
    pub fn random(rng: &mut Rng) -> Self {
        let mut bytes = [0; 20];
        for chunk in bytes.chunks_mut(8) {
            let random = rng.bits().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(random) {
                *to = from;
            }
        }
        Self(bytes)
    }

    /// The id that these forty digits are, in either case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits: &[u8; 40] = text.try_into().ok()?;
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            *byte = u8::try_from(high? << 4 | low?).ok()?;
        }
        Some(Self(bytes))
    }

    /// Its forty digits.
    #[must_use]
    pub fn digits(self) -> [u8; 40] {
        let mut digits = [0; 40];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(|digit| match digit {
                0..=9 => b'0' + digit,
                _ => b'a' - 10 + digit,
            });
        }
        digits
    }
}

impl fmt::Display for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits().iter().try_for_each(|digit| fmt::Write::write_char(f, char::from(*digit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_id_prints_as_forty_hex_digits() {
        let text = ReplId::random(&mut Rng::new(3)).to_string();
        assert_eq!(text.len(), 40);
        assert!(text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(ReplId::NONE.to_string(), "0".repeat(40));
    }

    #[test]
    fn an_id_reads_back() {
        let id = ReplId::random(&mut Rng::new(3));
        assert_eq!(ReplId::parse(&id.digits()), Some(id));
        assert_eq!(ReplId::parse(&id.digits().to_ascii_uppercase()), Some(id));
        assert_eq!(ReplId::parse(&[b'0'; 40]), Some(ReplId::NONE));
        for text in [&b""[..], &[b'0'; 39], &[b'0'; 41], &[b'g'; 40], &[0xff; 40]] {
            assert_eq!(ReplId::parse(text), None);
        }
    }
}
