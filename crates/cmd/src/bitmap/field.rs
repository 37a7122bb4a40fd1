//! An integer of any width at any bit of a string.

use crate::ReplyError;
use vesta_types::number;

/// What happens to a value that does not fit its field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overflow {
    /// Its lowest bits count.
    Wrap,
    /// The nearest value that fits takes its place.
    Saturate,
    /// Nothing is written.
    Fail,
}

/// Whether a field is signed, and its bits: 1 to 64, or 63 if it is not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Encoding {
    is_signed: bool,
    width: u8,
}

impl Encoding {
    /// Reads `i16`, `u8` and so on.
    ///
    /// # Errors
    /// When `text` is no encoding. That of 64 bits without a sign has no integer reply.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ReplyError> {
        let (is_signed, digits) = match text.split_first() {
            Some((b'i', digits)) => (true, digits),
            Some((b'u', digits)) => (false, digits),
            Some(_) | None => return Err(INVALID_ENCODING),
        };
        let max = if is_signed { 64 } else { 63 };
        let width = number::parse_i64(digits).and_then(|width| u8::try_from(width).ok());
        let width = width.filter(|width| (1..=max).contains(width)).ok_or(INVALID_ENCODING)?;
        Ok(Self { is_signed, width })
    }

    /// Bits of the field.
    pub(super) fn width(self) -> u8 {
        self.width
    }

    /// How many values there are: a power of two.
    fn values(self) -> i128 {
        1 << self.width
    }

    fn min(self) -> i128 {
        if self.is_signed { -(self.values() / 2) } else { 0 }
    }

    fn max(self) -> i128 {
        self.min() + self.values() - 1
    }

    /// A value as it will be written, `None` when it does not fit and that is a failure.
    fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        let fitting = match overflow {
            Overflow::Wrap => (value - self.min()).rem_euclid(self.values()) + self.min(),
            Overflow::Saturate => value.clamp(self.min(), self.max()),
            Overflow::Fail if (self.min()..=self.max()).contains(&value) => value,
            Overflow::Fail => return None,
        };
        i64::try_from(fitting).ok()
    }

    /// What SET writes for `value`, which is taken as unsigned for a field without a sign: a
    /// negative one is too great for it.
    ///
    /// A negative one can be too great for a signed field too: where its distance from the
    /// field's maximum is beyond 64 bits, Redis saturates to the maximum. As requests are
    /// replicated, all servers must agree on that. Source: observed on redis-server 7.0.15.
    pub(super) fn set(self, value: i64, overflow: Overflow) -> Option<i64> {
        if !self.is_signed {
            return self.fit(value.cast_unsigned().into(), overflow);
        }
        let is_far = self.max() - i128::from(value) > i128::from(i64::MAX);
        if is_far && self.width < 64 && overflow == Overflow::Saturate {
            return self.fit(self.max(), overflow);
        }
        self.fit(value.into(), overflow)
    }

    /// What INCRBY writes.
    pub(super) fn add(self, value: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        self.fit(i128::from(value) + i128::from(increment), overflow)
    }

    /// The value of the field at bit `at`; what lies behind the end of `text` is zero.
    pub(super) fn read(self, text: &[u8], at: u64) -> i64 {
        let mut window = [0; WINDOW];
        let (byte, shift) = self.place(at);
        let there = text.get(byte..).unwrap_or_default();
        for (place, value) in window.iter_mut().zip(there) {
            *place = *value;
        }
        let raw = u128::from_be_bytes(window) >> shift & self.mask();
        // Below 2^64, so that the value fits when the sign is taken off.
        let value = i128::try_from(raw).unwrap_or(0);
        i64::try_from(if value > self.max() { value - self.values() } else { value }).unwrap_or(0)
    }

    /// Writes the field at bit `at`, all of which lies within `text`.
    pub(super) fn write(self, text: &mut [u8], at: u64, value: i64) {
        let (byte, shift) = self.place(at);
        let there = text.get_mut(byte..).unwrap_or_default();
        let mut window = [0; WINDOW];
        for (place, value) in window.iter_mut().zip(&*there) {
            *place = *value;
        }
        let raw = u128::from(value.cast_unsigned()) & self.mask();
        let rest = u128::from_be_bytes(window) & !(self.mask() << shift);
        let changed = (rest | raw << shift).to_be_bytes();
        for (place, value) in there.iter_mut().zip(changed) {
            *place = value;
        }
    }

    /// The byte where the field begins, and how far it is from the end of the window there.
    fn place(self, at: u64) -> (usize, u32) {
        let byte = usize::try_from(at / 8).unwrap_or(usize::MAX);
        // At most 7 bits before the field and 64 in it.
        (byte, u128::BITS - (at % 8) as u32 - u32::from(self.width))
    }

    fn mask(self) -> u128 {
        (1 << self.width) - 1
    }
}

/// Bytes that are read and written around a field.
const WINDOW: usize = size_of::<u128>();

const INVALID_ENCODING: ReplyError = ReplyError::text(
    "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn encodings() -> impl Strategy<Value = Encoding> {
        (any::<bool>(), 1..=64_u8)
            .prop_map(|(is_signed, width)| Encoding { is_signed, width })
            .prop_filter("no unsigned field has 64 bits", |e| e.is_signed || e.width < 64)
    }

    proptest! {
        #[test]
        fn a_field_holds_what_was_written_and_touches_nothing_else(
            encoding in encodings(), at in 0..100_u64, value: i64, fill: u8,
        ) {
            let value = encoding.set(value, Overflow::Wrap).unwrap();
            let mut text = vec![fill; 24];
            encoding.write(&mut text, at, value);
            prop_assert_eq!(encoding.read(&text, at), value);
            let inside = at..at + u64::from(encoding.width);
            for bit in (0..24 * 8).filter(|bit| !inside.contains(bit)) {
                let (byte, mask) = ((bit / 8) as usize, 0x80 >> (bit % 8));
                prop_assert_eq!(text[byte] & mask, fill & mask);
            }
        }

        #[test]
        fn what_lies_behind_the_end_is_zero(
            encoding in encodings(), at in 0..100_u64, len in 0..8,
        ) {
            let text = vec![0xff; len as usize];
            let mut longer = text.clone();
            longer.resize(32, 0);
            prop_assert_eq!(encoding.read(&text, at), encoding.read(&longer, at));
        }

        #[test]
        fn sums_overflow_as_asked(encoding in encodings(), value: i64, increment: i64) {
            let value = encoding.set(value, Overflow::Wrap).unwrap();
            let exact = i128::from(value) + i128::from(increment);
            let fits = (encoding.min()..=encoding.max()).contains(&exact);
            let failed = encoding.add(value, increment, Overflow::Fail);
            prop_assert_eq!(failed.map(i128::from), fits.then_some(exact));
            let wrapped = encoding.add(value, increment, Overflow::Wrap).unwrap();
            prop_assert_eq!((i128::from(wrapped) - exact) % encoding.values(), 0);
            let nearest = encoding.add(value, increment, Overflow::Saturate).unwrap();
            prop_assert_eq!(i128::from(nearest), exact.clamp(encoding.min(), encoding.max()));
        }
    }
}
