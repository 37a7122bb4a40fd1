//! Reading of expiry options and the forms in which expiries are handed on.

use crate::{Cursor, ReplyError, WriteCtx};
use vesta_store::Deadline;
use vesta_types::Now;

/// An expiry as a request states it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expiry {
    /// Nothing was said: the key does not expire.
    Unsaid,
    /// The key keeps what it has.
    Keep,
    /// Milliseconds since 1970.
    At(u64),
}

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

impl Expiry {
    /// Reads `EX`, `PX`, `EXAT` or `PXAT` with its time; `command` is named in the error.
    ///
    /// # Errors
    /// [`ReplyError::Syntax`] when none of them is next, [`ReplyError::NotInteger`], and
    /// [`ReplyError::InvalidExpire`] when the time is not positive or out of range.
    pub(crate) fn parse(
        cursor: &mut Cursor<'_>,
        now: Now,
        command: &'static str,
    ) -> Result<Self, ReplyError> {
        const FORMS: [(&str, TimeForm); 4] = [
            ("ex", TimeForm::SECONDS),
            ("px", TimeForm::MILLISECONDS),
            ("exat", TimeForm::UNIX_SECONDS),
            ("pxat", TimeForm::UNIX_MILLISECONDS),
        ];
        let form = FORMS.into_iter().find(|(word, _)| cursor.take(word));
        let (_, form) = form.ok_or(ReplyError::Syntax)?;
        let given = cursor.need_i64()?;
        Self::positive(form, given, now).ok_or(ReplyError::InvalidExpire(command))
    }

    /// The expiry at a time that must be positive and in range.
    pub(crate) fn positive(form: TimeForm, given: i64, now: Now) -> Option<Self> {
        if given <= 0 {
            return None;
        }
        form.absolute_ms(given, now).and_then(|at| u64::try_from(at).ok()).map(Self::At)
    }

    /// What becomes of the expiry of a key whose value is set.
    pub(crate) const fn deadline(self) -> Deadline {
        match self {
            Self::Unsaid => Deadline::Never,
            Self::Keep => Deadline::Keep,
            Self::At(at) => Deadline::At(at),
        }
    }
}

/// The effect of setting `key` to `value` until `at`.
pub(crate) fn changed_as_set(ctx: &mut WriteCtx<'_>, key: &[u8], value: &[u8], at: u64) {
    let mut digits = itoa::Buffer::new();
    ctx.changed_as(&[b"SET", key, value, b"PXAT", digits.format(at).as_bytes()]);
}
