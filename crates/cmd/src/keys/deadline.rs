//! The forms in which expiries are given and handed on.

use crate::WriteCtx;
use vesta_types::Now;

/// A unit and a starting point of a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TimeForm {
    /// Milliseconds in one unit.
    pub(crate) unit_ms: i64,
    /// Whether it counts from now rather than from 1970.
    pub(crate) relative: bool,
}

impl TimeForm {
    /// Seconds from now.
    pub(crate) const SECONDS: Self = Self { unit_ms: 1000, relative: true };
    /// Milliseconds from now.
    pub(crate) const MILLISECONDS: Self = Self { unit_ms: 1, relative: true };
    /// Seconds since 1970.
    pub(crate) const UNIX_SECONDS: Self = Self { unit_ms: 1000, relative: false };
    /// Milliseconds since 1970.
    pub(crate) const UNIX_MILLISECONDS: Self = Self { unit_ms: 1, relative: false };

    /// The time `given` in milliseconds since 1970, which may lie before 1970; `None` when it
    /// does not fit 64 bits.
    pub(crate) fn absolute_ms(self, given: i64, now: Now) -> Option<i64> {
        let span = given.checked_mul(self.unit_ms)?;
        let start = if self.relative { i64::try_from(now.unix.ms()).ok()? } else { 0 };
        span.checked_add(start)
    }
}

/// The effect of setting `key` to `value` until `at`.
pub(crate) fn changed_as_set(ctx: &mut WriteCtx<'_>, key: &[u8], value: &[u8], at: u64) {
    let mut digits = itoa::Buffer::new();
    ctx.changed_as(&[b"SET", key, value, b"PXAT", digits.format(at).as_bytes()]);
}
