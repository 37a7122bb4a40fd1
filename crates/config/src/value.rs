//! Words to values and back: the kinds that many options share.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::ops::RangeInclusive;

use vesta_types::ascii::is_word;
use vesta_types::number::{parse_i64, parse_u64};

use crate::Refusal;
use crate::choice::Choice;
use crate::shape::{MemoryOrPercent, Secret};

/// A number as text.
pub(crate) fn shown(number: impl Display) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// The only word.
pub(crate) fn one<'a>(words: &[&'a [u8]]) -> Result<&'a [u8], Refusal> {
    match words {
        [word] => Ok(word),
        _ => Err(Refusal::WordCount),
    }
}

pub(crate) fn yes_no(words: &[&[u8]]) -> Result<bool, Refusal> {
    match one(words)? {
        word if is_word(word, "yes") => Ok(true),
        word if is_word(word, "no") => Ok(false),
        _ => Err(Refusal::NotYesNo),
    }
}

pub(crate) fn yes_no_text(value: bool) -> Vec<u8> {
    if value { b"yes".to_vec() } else { b"no".to_vec() }
}

/// A decimal number within `range`, which must fit `T`.
pub(crate) fn number<T: TryFrom<i64>>(
    words: &[&[u8]],
    range: RangeInclusive<i64>,
) -> Result<T, Refusal> {
    let value = parse_i64(one(words)?).ok_or(Refusal::NotInteger)?;
    let refusal = Refusal::OutOfRange { low: (*range.start()).into(), high: (*range.end()).into() };
    if !range.contains(&value) {
        return Err(refusal);
    }
    T::try_from(value).map_err(|_| refusal)
}

/// A number of bytes within `range`.
pub(crate) fn memory(words: &[&[u8]], range: RangeInclusive<u64>) -> Result<u64, Refusal> {
    let bytes = parse_bytes(one(words)?).ok_or(Refusal::NotMemory)?;
    if range.contains(&bytes) {
        return Ok(bytes);
    }
    Err(Refusal::OutOfRange { low: (*range.start()).into(), high: (*range.end()).into() })
}

/// `100`, `64mb`, `1g`: digits, then a unit in any case (`k` is 1000 and `kb` is 1024, and so on).
/// No digits count as 0, and what a `u64` cannot hold as its greatest value.
///
/// Source: observed on redis-server 7.0.15 with `CONFIG SET maxmemory`.
pub(crate) fn parse_bytes(text: &[u8]) -> Option<u64> {
    const UNITS: &[(&str, u64)] = &[
        ("", 1),
        ("b", 1),
        ("k", 1000),
        ("kb", 1 << 10),
        ("m", 1_000_000),
        ("mb", 1 << 20),
        ("g", 1_000_000_000),
        ("gb", 1 << 30),
    ];
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = text.split_at_checked(digits)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| is_word(unit, name))?;
    let number = digits.iter().fold(0_u64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))
    });
    Some(number.saturating_mul(*factor))
}

/// A decimal number of bytes in the largest binary unit that divides it.
pub(crate) fn with_unit(decimal: Vec<u8>) -> Vec<u8> {
    let Some(bytes) = parse_u64(&decimal).filter(|bytes| *bytes != 0) else { return decimal };
    for (shift, unit) in [(30, "gb"), (20, "mb"), (10, "kb")] {
        if bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift).into_bytes();
        }
    }
    decimal
}

pub(crate) fn memory_or_percent(words: &[&[u8]]) -> Result<MemoryOrPercent, Refusal> {
    let word = one(words)?;
    let Some(digits) = word.strip_suffix(b"%") else {
        let bytes = parse_bytes(word).ok_or(Refusal::NotMemoryOrPercent)?;
        return Ok(MemoryOrPercent::Bytes(bytes));
    };
    match parse_i64(digits) {
        Some(0) => Ok(MemoryOrPercent::Bytes(0)),
        Some(percent @ 1..=100) => u8::try_from(percent)
            .map(MemoryOrPercent::Percent)
            .map_err(|_| Refusal::PercentAbove100),
        Some(101..) => Err(Refusal::PercentAbove100),
        Some(_) | None => Err(Refusal::NotMemoryOrPercent),
    }
}

/// File permissions: an octal number of at most three digits' worth. No digits count as 0.
pub(crate) fn permissions(words: &[&[u8]]) -> Result<u32, Refusal> {
    const HIGH: u32 = 0o777;
    let word = one(words)?;
    let (negative, digits) = match word.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, word),
    };
    if !digits.iter().all(|byte| (b'0'..=b'7').contains(byte)) || (negative && digits.is_empty()) {
        return Err(Refusal::NotOctal);
    }
    let value = digits.iter().fold(0_u32, |sum, digit| {
        sum.saturating_mul(8).saturating_add(u32::from(digit.wrapping_sub(b'0')))
    });
    if value > HIGH || (negative && value != 0) {
        return Err(Refusal::OutOfOctalRange { low: 0, high: HIGH });
    }
    Ok(value)
}

pub(crate) fn choice<T: Choice>(words: &[&[u8]]) -> Result<T, Refusal> {
    T::from_word(one(words)?).ok_or_else(|| Refusal::NotOneOf(T::words()))
}

pub(crate) fn text(words: &[&[u8]]) -> Result<String, Refusal> {
    utf8(one(words)?)
}

pub(crate) fn utf8(word: &[u8]) -> Result<String, Refusal> {
    core::str::from_utf8(word).map(String::from).map_err(|_| Refusal::NotText)
}

/// A text where the empty one means that there is none.
pub(crate) fn text_or_none(words: &[&[u8]]) -> Result<Option<String>, Refusal> {
    Ok(Some(text(words)?).filter(|text| !text.is_empty()))
}

pub(crate) fn text_or_none_shown(text: Option<&String>) -> Vec<u8> {
    text.map_or_else(Vec::new, |text| text.as_bytes().to_vec())
}

/// A password where the empty one means that there is none.
pub(crate) fn secret(words: &[&[u8]]) -> Result<Option<Secret>, Refusal> {
    let word = one(words)?;
    Ok((!word.is_empty()).then(|| Secret::new(word.to_vec())))
}

pub(crate) fn secret_shown(secret: Option<&Secret>) -> Vec<u8> {
    secret.map_or_else(Vec::new, |secret| secret.as_bytes().to_vec())
}

/// Words with one blank between.
pub(crate) fn spaced<T: AsRef<[u8]>>(words: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut line = Vec::new();
    for (at, word) in words.into_iter().enumerate() {
        if at > 0 {
            line.push(b' ');
        }
        line.extend_from_slice(word.as_ref());
    }
    line
}
