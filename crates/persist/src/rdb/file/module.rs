//! What modules wrote, which is skipped.
//!
//! ```text
//! module  number: nine characters of six bits each, then ten bits for the version of the encoding
//! part    1 number | 2 number | 3 + 4 bytes | 4 + 8 bytes | 5 string
//! ```

use crate::rdb::{Fault, Reader};
use core::fmt;

/// The end of a value's parts.
const END: u64 = 0;
/// The characters that a name is made of.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The name of a module's type, as it stands in files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ModuleName(u64);

impl ModuleName {
    /// The name that a file has as this number.
    #[must_use]
    pub fn new(id: u64) -> Self {
        Self(id)
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..9).rev() {
            let index = (self.0 >> (10 + 6 * place)) & 0x3f;
            let letter = usize::try_from(index).ok().and_then(|index| ALPHABET.get(index));
            write!(out, "{}", char::from(letter.copied().unwrap_or(b'?')))?;
        }
        Ok(())
    }
}

/// Skips one part; whether it was the end.
pub(super) fn skip_part(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    match reader.number()? {
        END => return Ok(true),
        1 | 2 => drop(reader.number()?),
        3 => drop(reader.take(4)?),
        4 => drop(reader.take(8)?),
        5 => drop(reader.text()?),
        _ => return Err(reader.wrong("a part of a module's value")),
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_name_has_nine_characters() {
        let letters = b"tree-ABC9".iter().fold(0_u64, |id, letter| {
            id << 6 | ALPHABET.iter().position(|known| known == letter).unwrap() as u64
        });
        assert_eq!(ModuleName::new(letters << 10 | 3).to_string(), "tree-ABC9");
    }
}
