//! `FIELDS numfields field...`, with which commands about the expiry of fields end.

use crate::ReplyError;
use vesta_resp::Request;
use vesta_types::{ascii, number};

/// What HGETDEL, HPERSIST and the HTTL family say to a bad number of fields.
pub(super) const NOT_POSITIVE: ReplyError =
    ReplyError::text("Number of fields must be a positive integer");

/// Checks that `FIELDS` stands at argument `at`, and that as many arguments follow its number as
/// that says. The number of the first field's argument.
///
/// # Errors
/// For a word that is not `FIELDS`; `bad_number` for a number that is not positive; when it does
/// not match. Source of the texts and their order: tests of Redis 7.4.
pub(super) fn first_field(
    request: &Request<'_>,
    at: usize,
    bad_number: ReplyError,
) -> Result<usize, ReplyError> {
    if !ascii::is_word(request.arg(at), "fields") {
        return Err(ReplyError::text(
            "Mandatory argument FIELDS is missing or not at the right position",
        ));
    }
    let count = positive(request.arg(at + 1)).ok_or(bad_number)?;
    let first = at + 2;
    if request.len().checked_sub(first) != Some(count) {
        return Err(ReplyError::text(
            "The `numfields` parameter must match the number of arguments",
        ));
    }
    Ok(first)
}

/// The same for commands that read options up to `FIELDS`, which stood just before argument `at`:
/// `words` arguments follow for each field.
///
/// # Errors
/// For a number that is not positive, and when it does not match. Source of the texts: tests of
/// Redis 8.0.
pub(super) fn first_after_options(
    request: &Request<'_>,
    at: usize,
    words: usize,
) -> Result<usize, ReplyError> {
    let count = positive(request.arg(at)).ok_or(ReplyError::text("invalid number of fields"))?;
    let first = at + 1;
    if request.len().checked_sub(first) != count.checked_mul(words) {
        return Err(ReplyError::text("wrong number of arguments"));
    }
    Ok(first)
}

fn positive(text: &[u8]) -> Option<usize> {
    let count = number::parse_i64(text).filter(|count| *count > 0)?;
    usize::try_from(count).ok()
}
