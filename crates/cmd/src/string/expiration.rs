//! The expiry options that SET and GETEX share.
//!
//! Each option excludes the others but may be repeated, and then the last one counts. Times are
//! looked at only when the whole request has been read: a mistake in the notation comes first.
//!
//! Source: observed on redis-server 7.0.15.

use crate::keys::deadline::TimeForm;
use crate::{Cursor, ReplyError};
use vesta_types::{Now, number};

/// A time as a request states it, still unread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Expiration<'a> {
    /// Its unit and starting point.
    pub(super) form: TimeForm,
    /// The number.
    pub(super) text: &'a [u8],
}

impl<'a> Expiration<'a> {
    /// Takes `EX`, `PX`, `EXAT` or `PXAT` with its time, if that comes next.
    pub(super) fn take(cursor: &mut Cursor<'a>) -> Option<Self> {
        const FORMS: [(&str, TimeForm); 4] = [
            ("ex", TimeForm::SECONDS),
            ("px", TimeForm::MILLISECONDS),
            ("exat", TimeForm::UNIX_SECONDS),
            ("pxat", TimeForm::UNIX_MILLISECONDS),
        ];
        let (_, form) = FORMS.into_iter().find(|(word, _)| cursor.take(word))?;
        Some(Self { form, text: cursor.pop()? })
    }

    /// The time in milliseconds since 1970; `command` is named in the error.
    ///
    /// # Errors
    /// [`ReplyError::NotInteger`], and [`ReplyError::InvalidExpire`] when the time is not positive
    /// or out of range.
    pub(super) fn at_ms(self, now: Now, command: &'static str) -> Result<u64, ReplyError> {
        let given = number::parse_i64(self.text).ok_or(ReplyError::NotInteger)?;
        let at = if given > 0 { self.form.absolute_ms(given, now) } else { None };
        at.and_then(|at| u64::try_from(at).ok()).ok_or(ReplyError::InvalidExpire(command))
    }
}
