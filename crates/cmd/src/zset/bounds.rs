//! Scores and ends of ranges as arguments, and ranges of ranks.

use crate::ReplyError;
use core::ops::Range;
use vesta_store::{LexBound, ScoreBound};
use vesta_types::number;

/// Reads a score.
pub(super) fn score(text: &[u8]) -> Result<f64, ReplyError> {
    number::parse_f64(text).ok_or(ReplyError::NotFloat)
}

/// Reads an end of a range of scores; `(` excludes it.
fn score_bound(text: &[u8]) -> Result<ScoreBound, ReplyError> {
    let number = |text: &[u8]| {
        number::parse_f64_leniently(text).ok_or(ReplyError::text("min or max is not a float"))
    };
    match text.strip_prefix(b"(") {
        Some(text) => number(text).map(ScoreBound::Exclusive),
        None => number(text).map(ScoreBound::Inclusive),
    }
}

/// Reads both ends of a range of scores.
pub(super) fn scores(min: &[u8], max: &[u8]) -> Result<(ScoreBound, ScoreBound), ReplyError> {
    Ok((score_bound(min)?, score_bound(max)?))
}

/// Reads an end of a range of names.
fn lex_bound(text: &[u8]) -> Result<LexBound<'_>, ReplyError> {
    match text {
        b"-" => Ok(LexBound::Min),
        b"+" => Ok(LexBound::Max),
        [b'[', name @ ..] => Ok(LexBound::Inclusive(name)),
        [b'(', name @ ..] => Ok(LexBound::Exclusive(name)),
        _ => Err(ReplyError::text("min or max not valid string range item")),
    }
}

/// Reads both ends of a range of names.
pub(super) fn names<'a>(
    min: &'a [u8],
    max: &'a [u8],
) -> Result<(LexBound<'a>, LexBound<'a>), ReplyError> {
    Ok((lex_bound(min)?, lex_bound(max)?))
}

/// The ranks from one index to another, both included, as far as a set of `len` members goes.
pub(super) fn ranks(start: i64, stop: i64, len: usize) -> Range<usize> {
    let place = |index: i64| {
        let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        if index < 0 { len.checked_sub(distance) } else { Some(distance) }
    };
    let start = place(start).unwrap_or(0).min(len);
    let end = place(stop).map_or(0, |last| last.saturating_add(1).min(len));
    start..end.max(start)
}
