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
}

impl fmt::Display for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
}
