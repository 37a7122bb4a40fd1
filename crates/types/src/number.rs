//! Integers and floats as commands read and write them.
//!
//! Redis reads integers strictly (no leading `+`, blank or zero) and prints floats in their
//! shortest form that reads back the same (since 7.2).

pub use crate::float::{Hexadecimal, parse_exponent, parse_f64, parse_f64_leniently};

use alloc::format;
use alloc::string::String;

/// Reads a 64-bit signed integer as Redis commands do: optional `-`, no leading zero, no blanks,
/// nothing behind it. `None` when the text is anything else or out of range.
///
/// Source: observed with `INCRBY` on redis-server 7.0.15 (`+1`, ` 1`, `01` and `-0` are refused).
#[must_use]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let (first, _) = digits.split_first()?;
    if digits.len() > 19 || (*first == b'0' && text.len() > 1) {
        return None;
    }
    let mut magnitude: u64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 19 digits stay below 10^19, which a u64 holds.
        magnitude = magnitude * 10 + u64::from(digit);
    }
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Reads an unsigned integer with the same strictness.
#[must_use]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    let (first, rest) = text.split_first()?;
    if text.len() > 20 || (*first == b'0' && !rest.is_empty()) {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { sum.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

/// A float in the form replies use, with the fewest digits that read back the same.
///
/// Integers below 2^52 have no fraction; of other numbers, large and small ones have an exponent
/// (`1e+20`, `1.5e-7`). Source: the printing of doubles in 7.2, whose rules for when an exponent
/// is written are those of the fpconv library.
#[must_use]
pub fn format_f64(value: f64) -> String {
    if value.is_nan() {
        return String::from("nan");
    }
    if value.is_infinite() {
        return String::from(if value > 0.0 { "inf" } else { "-inf" });
    }
    if value == 0.0 {
        return String::from(if value.is_sign_negative() { "-0" } else { "0" });
    }
    #[expect(clippy::cast_possible_truncation, reason = "only used where it is exact")]
    let whole = value as i64;
    #[expect(clippy::cast_precision_loss, reason = "only used where it is exact")]
    if whole.unsigned_abs() < 1 << 52 && whole as f64 == value {
        return format!("{whole}");
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let scientific = format!("{:e}", if value < 0.0 { -value } else { value });
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    format!("{sign}{}", place_digits(&digits, exponent.parse().unwrap_or(0)))
}

/// A float with 17 significant digits, without zeros at the end: C's `%.17g`, in which Redis
/// printed all floats before 7.2 and prints some still.
#[must_use]
pub fn format_f64_17(value: f64) -> String {
    /// Significant digits.
    const DIGITS: i32 = 17;
    if !value.is_finite() || value == 0.0 {
        return format_f64(value);
    }
    let scientific = format!("{:.*e}", 16, value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    if !(-4..DIGITS).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.abs());
    }
    let before = usize::try_from(exponent + 1).unwrap_or(0);
    match digits.split_at_checked(before) {
        _ if exponent < 0 => {
            let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        }
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        Some(_) | None => format!("{sign}{digits:0<before$}"),
    }
}

/// Writes `d.ddd * 10^exponent` with or without an exponent.
fn place_digits(digits: &str, exponent: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The power of ten of the last digit.
    let last = exponent - (count - 1);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if last >= 0 && exponent.abs() < count + 7 {
        return format!("{digits}{}", zeros(last));
    }
    if last < 0 && (last > -7 || exponent.abs() < 4) {
        let before = count + last;
        if before <= 0 {
            return format!("0.{}{digits}", zeros(-before));
        }
        let (whole, fraction) = digits.split_at(usize::try_from(before).unwrap_or(0));
        return format!("{whole}.{fraction}");
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_strictly() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("1x", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), value, "{text:?}");
        }
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b""), None);
        assert_eq!(parse_u64(b"00"), None);
    }

    #[test]
    fn floats_print_with_17_digits() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-1200.0, "-1200"),
            (0.5, "0.5"),
            (0.1, "0.10000000000000001"),
            (-core::f64::consts::PI, "-3.1415926535897931"),
            (0.000_123_456_78, "0.00012345678000000001"),
            (0.000_012_345_678, "1.2345677999999999e-05"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1e20, "1e+20"),
            (1.5e300, "1.5000000000000001e+300"),
            (4.9e-324, "4.9406564584124654e-324"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format_f64_17(value), text);
        }
    }

    #[test]
    fn floats_print_in_their_shortest_form() {
        for (value, text) in [
            (3.0, "3"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e20, "1e+20"),
            (-123_456_789.0, "-123456789"),
            (4_503_599_627_370_495.0, "4503599627370495"),
            (12_345_678_901_234_567_890.0, "12345678901234567000"),
            (1e-7, "1e-7"),
            (1.25e-9, "1.25e-9"),
            (0.000_123_456_78, "1.2345678e-4"),
            (0.001_234, "0.001234"),
            (-3.25, "-3.25"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format_f64(value), text);
        }
    }
}
