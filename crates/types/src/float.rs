//! Reading floats.
//!
//! Redis leaves the reading to C's `strtod` and then refuses some of what that takes. What is an
//! argument of its own is read strictly ([`parse_f64`]), the end of a range of scores as a C text
//! ([`parse_f64_leniently`]). Both know decimal and hexadecimal numbers and the names of infinity,
//! and round once, half to even.
//!
//! Source: compared with ZADD, ZINCRBY and ZCOUNT of redis-server 7.0.15.

/// Significant bits of a hexadecimal number that are kept exactly; of those beyond them only
/// whether any is set.
const HEX_BITS: u32 = 124;
/// Exponents are reckoned with up to this size; all beyond mean infinity or zero.
const EXPONENT_MAX: i64 = 1 << 60;

/// Reads a float as the arguments of commands are read: decimal or hexadecimal, `inf` or
/// `infinity`, in any case, with a sign, and nothing around it.
///
/// `None` for anything else, and for numbers whose nearest float is infinite or, wrongly, zero.
#[must_use]
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let (value, is_in_range) = read(text)?;
    is_in_range.then_some(value)
}

/// Reads a float as the ends of ranges of scores are read: as [`parse_f64`], but blanks may stand
/// before it, a zero byte ends the text, no text is 0, and what is too large is infinite and what
/// is too close to zero is zero.
#[must_use]
pub fn parse_f64_leniently(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next()?;
    if text.is_empty() {
        return Some(0.0);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_blank(byte))?;
    read(text.get(start..)?).map(|(value, _)| value)
}

/// The nearest float, and whether it is infinite or zero only where the text says so.
fn read(text: &[u8]) -> Option<(f64, bool)> {
    let (is_negative, magnitude) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let signed = |value: f64| if is_negative { -value } else { value };
    if let [b'0', b'x' | b'X', rest @ ..] = magnitude {
        let number = Hexadecimal::parse(rest)?;
        let value = number.to_f64();
        let is_in_range = value.is_finite() && (value != 0.0 || number.bits == 0);
        return Some((signed(value), is_in_range));
    }
    if magnitude.eq_ignore_ascii_case(b"inf") || magnitude.eq_ignore_ascii_case(b"infinity") {
        return Some((signed(f64::INFINITY), true));
    }
    // Of what is left to the standard library, what begins otherwise is a name or a second sign.
    if !matches!(magnitude.first()?, b'0'..=b'9' | b'.') {
        return None;
    }
    let value: f64 = core::str::from_utf8(magnitude).ok()?.parse().ok()?;
    let mantissa = magnitude.split(|byte| byte.eq_ignore_ascii_case(&b'e')).next()?;
    let is_zero = !mantissa.iter().any(|byte| (b'1'..=b'9').contains(byte));
    Some((signed(value), value.is_finite() && (value != 0.0 || is_zero)))
}

/// A hexadecimal float, `bits * 2^exponent` and a little more if `sticky`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hexadecimal {
    /// The leading significant bits, 124 at most.
    pub bits: u128,
    /// The power of two of the last of them; 2^62 in size at most.
    pub exponent: i64,
    /// Whether a bit is set behind them. Never when there are fewer than 121.
    pub sticky: bool,
}

impl Hexadecimal {
    /// Reads what follows `0x`: digits around an optional point, and perhaps `p` and the power of
    /// two that they are multiplied by, in decimal.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let marker = text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'p'));
        let (digits, power) = match marker {
            Some(at) => (text.get(..at)?, parse_exponent(text.get(at + 1..)?)?),
            None => (text, 0),
        };
        let mut number = Self { bits: 0, exponent: power, sticky: false };
        let (mut has_digit, mut has_point) = (false, false);
        for byte in digits {
            let Some(digit) = char::from(*byte).to_digit(16) else {
                if *byte != b'.' || has_point {
                    return None;
                }
                has_point = true;
                continue;
            };
            has_digit = true;
            if number.bits >> (HEX_BITS - 4) == 0 {
                number.bits = (number.bits << 4) | u128::from(digit);
                number.exponent -= if has_point { 4 } else { 0 };
            } else {
                number.sticky |= digit != 0;
                number.exponent += if has_point { 0 } else { 4 };
            }
        }
        has_digit.then_some(number)
    }

    /// The nearest float, half to even.
    fn to_f64(self) -> f64 {
        /// The power of two of the last bit of the smallest float.
        const LAST_MIN: i64 = -1074;
        const DIGITS: i64 = f64::MANTISSA_DIGITS as i64;
        let Self { bits, exponent, sticky } = self;
        if bits == 0 {
            return 0.0;
        }
        let length = i64::from(u128::BITS - bits.leading_zeros());
        if exponent + length > i64::from(f64::MAX_EXP) {
            return f64::INFINITY;
        }
        // The power of the last bit that is kept, and how many bits go.
        let last = (exponent + length - DIGITS).max(LAST_MIN);
        let surplus = last - exponent;
        let mut kept = match u32::try_from(surplus) {
            // Few bits and a large power: they all stay.
            Err(_) => bits << surplus.unsigned_abs().min(DIGITS.unsigned_abs()),
            Ok(0) => bits,
            Ok(surplus) if surplus >= u128::BITS => 0,
            Ok(surplus) => {
                let (kept, half) = (bits >> surplus, 1_u128 << (surplus - 1));
                let rest = bits & (half * 2 - 1);
                let is_above = rest > half || (rest == half && (sticky || kept & 1 == 1));
                kept + u128::from(is_above)
            }
        };
        let mut last = last;
        if kept >> DIGITS != 0 {
            (kept, last) = (kept >> 1, last + 1);
        }
        // At most 53 bits: the exponent field counts from the smallest normal number, whose top
        // bit adds one to it by itself.
        let mantissa = u64::try_from(kept).unwrap_or(u64::MAX);
        let is_normal = kept >> (DIGITS - 1) != 0;
        let field = u64::try_from(last - LAST_MIN).unwrap_or(0);
        if !is_normal {
            return f64::from_bits(mantissa);
        }
        f64::from_bits((field << (DIGITS - 1)) + mantissa)
    }
}

/// Reads a decimal exponent, a sign and digits; what is far out of range stays far out of range.
/// `None` when it is anything else.
#[must_use]
pub fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0_i64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))).min(EXPONENT_MAX)
    });
    Some(if is_negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_as_by_the_reference() {
        for (text, value) in [
            ("+1", 1.0),
            ("-0", -0.0),
            ("1.", 1.0),
            (".1", 0.1),
            ("00", 0.0),
            ("0x10", 16.0),
            ("0X1P+3", 8.0),
            ("-0x.8", -0.5),
            ("0x1.8p1", 3.0),
            ("0x0p99999999999999999999", 0.0),
            ("iNf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e-310", 1e-310),
            ("4.9e-324", f64::from_bits(1)),
            ("0e99999999999999999999", 0.0),
            ("0x1p-1074", f64::from_bits(1)),
            ("0x1.fffffffffffff7p1023", f64::MAX),
        ] {
            let read = parse_f64(text.as_bytes()).map(f64::to_bits);
            assert_eq!(read, Some(value.to_bits()), "{text}");
        }
        let refused = "|1 |\t1|1\0|0x1p+ 3|inf |+|-|.|+-1|1e|1e+|0x|0x1p|0xg|1_0|1,5|1d|1f|nan|\
             -NaN|nan(1)|in|infi|1e400|-1e400|1e-400|2e-324|0x1p1024|0x1.fffffffffffff8p1023|\
             0x1p-1075|0x.|0x1.1.1|(1| 1";
        for text in refused.split('|') {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ends_of_ranges_are_read_as_c_texts() {
        for (text, value) in [
            ("", 0.0),
            ("\0junk", 0.0),
            ("1\0junk", 1.0),
            ("  \t\n\x0b\x0c\r-5", -5.0),
            ("1e400", f64::INFINITY),
            ("-0x1p1024", f64::NEG_INFINITY),
            ("1e-400", 0.0),
            ("0x1p-1080", 0.0),
        ] {
            assert_eq!(parse_f64_leniently(text.as_bytes()), Some(value), "{text:?}");
        }
        for text in ["nan", " ", "1 ", " (1", "- 1", "abc"] {
            assert_eq!(parse_f64_leniently(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_numbers_are_rounded_half_to_even() {
        let ulp = f64::EPSILON;
        for (text, value) in [
            ("1.00000000000008", 1.0),
            ("1.00000000000008000000000000000000000000000000000000000001", 1.0 + ulp),
            ("1.00000000000018", 1.0 + 2.0 * ulp),
            ("1.fffffffffffff8", 2.0),
            ("0.0000000000001p-1022", f64::from_bits(1)),
            ("0.00000000000008p-1022", 0.0),
            ("0.00000000000018p-1022", f64::from_bits(2)),
            ("0.fffffffffffff8p-1022", f64::MIN_POSITIVE),
            ("1p-1022", f64::MIN_POSITIVE),
            ("00000000000000000000000000000000000000000000000000000001", 1.0),
            ("ffffffffffffffffffffffffffffffffffffffff", 1.461_501_637_330_903e48),
        ] {
            let number = Hexadecimal::parse(text.as_bytes()).unwrap();
            assert_eq!(number.to_f64().to_bits(), value.to_bits(), "{text}");
        }
    }
}
