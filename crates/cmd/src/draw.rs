//! What SRANDMEMBER, HRANDFIELD and ZRANDMEMBER are asked for, and how much of it they give.
//!
//! Source of the bounds: redis-server 7.0.15.

use crate::ReplyError;
use vesta_resp::Request;
use vesta_types::{ascii, number};

/// How many elements are drawn.
#[derive(Clone, Copy)]
pub(crate) enum Draws {
    /// So many different ones.
    Distinct(usize),
    /// So many, each drawn from all.
    Repeated(usize),
}

impl Draws {
    /// Reads a count, which is negative for elements that may come again.
    ///
    /// # Errors
    /// When it is no integer, or has no positive counterpart.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, ReplyError> {
        let count = number::parse_i64(text).ok_or(ReplyError::NotInteger)?;
        if count == i64::MIN {
            return Err(ReplyError::text(
                "value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807",
            ));
        }
        let draws = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(if count < 0 { Self::Repeated(draws) } else { Self::Distinct(draws) })
    }

    /// Reads a count, which is argument 2, and perhaps `word` (in lower case) behind it, which
    /// doubles what is given; whether it is there.
    ///
    /// # Errors
    /// As [`Draws::parse`], for any other word, and for counts that cannot be doubled.
    pub(crate) fn parse_with(request: Request<'_>, word: &str) -> Result<(Self, bool), ReplyError> {
        let draws = Self::parse(request.arg(2))?;
        let (Self::Distinct(count) | Self::Repeated(count)) = draws;
        match request.len() {
            3 => Ok((draws, false)),
            4 if !ascii::is_word(request.arg(3), word) => Err(ReplyError::Syntax),
            4 if count as u64 > i64::MAX.unsigned_abs() / 2 => {
                Err(ReplyError::text("value is out of range"))
            }
            4 => Ok((draws, true)),
            _ => Err(ReplyError::Syntax),
        }
    }
}

/// A reply of more bytes is refused. Redis has no such limit and goes on until its memory is used
/// up.
const REPLY_BYTES_MAX: usize = 4 << 30;

/// Refuses a reply of `count` elements drawn with repetitions when it would take too much memory.
///
/// # Errors
/// When elements of `mean_bytes` each would make it longer than 4 GiB.
pub(crate) fn refuse_endless_reply(count: usize, mean_bytes: usize) -> Result<(), ReplyError> {
    if count.saturating_mul(mean_bytes) > REPLY_BYTES_MAX {
        return Err(ReplyError::text("value is out of range"));
    }
    Ok(())
}
