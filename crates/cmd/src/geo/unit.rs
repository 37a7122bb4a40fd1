//! Units of distance, and distances as clients see them.

use crate::ReplyError;
use crate::long_double::shift_half_even;
use alloc::format;
use alloc::string::String;
use vesta_types::ascii;

/// A unit of distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    /// Its length in metres.
    pub(super) metres: f64,
}

impl Unit {
    pub(super) const METRE: Self = Self { metres: 1.0 };

    /// Reads the name of a unit, in any case.
    pub(super) fn parse(name: &[u8]) -> Result<Self, ReplyError> {
        let named = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
        named
            .into_iter()
            .find(|(word, _)| ascii::is_word(name, word))
            .map(|(_, metres)| Self { metres })
            .ok_or(ReplyError::text("unsupported unit provided. please use M, KM, FT, MI"))
    }
}

/// A distance, which is not negative, with four decimals.
///
/// It is rounded in units of the last one, half to even, as 7.0.8 and later do.
pub(super) fn four_decimals(distance: f64) -> String {
    let scaled = libm::rint(distance * 10_000.0) as u64;
    format!("{}.{:04}", scaled / 10_000, scaled % 10_000)
}

/// A coordinate, up to 180 in size, with seventeen decimals less the zeros at its end.
///
/// Exactly rounded, half to even, as C prints it; a float is an integer divided by a power of two,
/// so this is integers' work, of which a search with thousands of results has a lot.
pub(super) fn coordinate(degrees: f64) -> String {
    const ONE: u128 = 100_000_000_000_000_000;
    let bits = degrees.to_bits();
    let exponent = (bits >> 52) as u32 & 0x7ff;
    let significand = (bits & ((1 << 52) - 1)) | (1 << 52);
    let decimals = shift_half_even(u128::from(significand) * ONE, 1075 - exponent.min(1075));
    let (whole, fraction) = ((decimals / ONE) as u64, (decimals % ONE) as u64);
    let sign = if degrees < 0.0 && decimals > 0 { "-" } else { "" };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let mut text = format!("{sign}{whole}.{fraction:017}");
    text.truncate(text.trim_end_matches('0').len());
    text
}

#[cfg(test)]
mod tests {
    use super::{coordinate, four_decimals};
    use alloc::format;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn coordinates_are_exactly_rounded(degrees in -180.0..180.0, down in 0..40_i32) {
            let degrees: f64 = degrees * libm::exp2(-f64::from(down));
            let text = format!("{degrees:.17}");
            let trimmed = text.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(coordinate(degrees), trimmed);
        }
    }

    #[test]
    fn numbers_print_as_by_the_real_server() {
        assert_eq!(four_decimals(166_274.151_562_36), "166274.1516");
        assert_eq!(four_decimals(0.0), "0.0000");
        assert_eq!(four_decimals(0.000_04), "0.0000");
        assert_eq!(four_decimals(5.009_96), "5.0100");
        assert_eq!(coordinate(13.361_389_338_970_184), "13.36138933897018433");
        assert_eq!(coordinate(180.0), "180");
        assert_eq!(coordinate(-0.000_002_5), "-0.0000025");
        assert_eq!(coordinate(1e-30), "0");
        assert_eq!(coordinate(-0.0), "0");
    }
}
