//! Numbers to sort by, as leniently read as by C's `strtod`.

use crate::long_double::LongDouble;
use vesta_types::number;

/// The number that `text` is: decimal or hexadecimal, `inf` and `infinity`, blanks in front. A
/// text that is empty is 0, and one with a zero byte ends there. `None` for anything else, `nan`
/// too, and for numbers that are too large or too close to zero for a float.
///
/// Source: observed with SORT on redis-server 7.0.15.
pub(super) fn parse(text: &[u8]) -> Option<f64> {
    if let Some(integer) = number::parse_i64(text) {
        #[expect(clippy::cast_precision_loss, reason = "scores are floats")]
        return Some(integer as f64);
    }
    let text = text.split(|byte| *byte == 0).next()?;
    if text.is_empty() {
        return Some(0.0);
    }
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let text = text.get(blanks..)?;
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    if let [b'0', b'x' | b'X', ..] = digits {
        return LongDouble::parse(text)?.to_f64().filter(|value| value.is_finite());
    }
    let value: f64 = core::str::from_utf8(text).ok()?.parse().ok()?;
    let is_named = matches!(digits, [b'i' | b'I', ..]);
    let mantissa = digits.split(|byte| matches!(byte, b'e' | b'E')).next()?;
    let is_zero = !mantissa.iter().any(|byte| matches!(byte, b'1'..=b'9'));
    let fits = is_named && value.is_infinite() || value.is_normal() || is_zero && value == 0.0;
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_are_read_as_by_the_reference() {
        for (text, value) in [
            (&b""[..], 0.0),
            (b"7", 7.0),
            (b"-0", 0.0),
            (b"007", 7.0),
            (b" 1", 1.0),
            (b"\t\n1.5", 1.5),
            (b"+5", 5.0),
            (b".5", 0.5),
            (b"5.", 5.0),
            (b"1e3", 1000.0),
            (b"0e999", 0.0),
            (b"0x10", 16.0),
            (b"-0x1p3", -8.0),
            (b"inf", f64::INFINITY),
            (b"-Infinity", f64::NEG_INFINITY),
            (b"1e308", 1e308),
            (b"9223372036854775808", 9_223_372_036_854_775_808.0),
            (b"12\x00junk", 12.0),
            (b"\x00junk", 0.0),
        ] {
            assert_eq!(parse(text), Some(value), "{}", text.escape_ascii());
        }
        for text in [
            " ", "-", "+", ".", "1 ", "1x", "1_0", "abc", "nan", "-nan", "nan(1)", "1e400",
            "-1e400", "1e-400", "4.9e-324", "0x", "0x1p5000", "infi", "--1", "+ 1", "1e",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
