//! Ranges as ZRANGE and its relatives are given them: by rank, score or name, in either direction,
//! and perhaps limited.

use super::bounds;
use crate::{Cursor, ReplyError};
use core::ops::Range;
use vesta_resp::Request;
use vesta_store::{LexBound, ScoreBound, Zset};
use vesta_types::number;

/// What members are chosen by.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Sort {
    Rank,
    Score,
    Lex,
}

/// What the name of a command says about the range before any option does.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Nothing; the result is shown.
    Shown,
    /// Nothing; the result is kept, so scores cannot be asked for.
    Kept,
    /// What members are chosen by, and whether the highest come first.
    Settled(Sort, bool),
}

/// The range that a request asks for.
pub(super) struct Asked<'a> {
    by: By<'a>,
    offset: i64,
    /// A negative one means all.
    count: i64,
    /// Whether the highest come first.
    pub(super) is_reverse: bool,
    /// Whether scores are wanted.
    pub(super) with_scores: bool,
}

enum By<'a> {
    Rank(i64, i64),
    Score(ScoreBound, ScoreBound),
    Lex(LexBound<'a>, LexBound<'a>),
}

/// Options as far as they are read.
struct Options {
    sort: Option<Sort>,
    is_reverse: bool,
    offset: i64,
    count: i64,
    with_scores: bool,
}

impl Options {
    fn parse(form: Form, mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let (sort, is_reverse) = match form {
            Form::Shown | Form::Kept => (None, false),
            Form::Settled(sort, is_reverse) => (Some(sort), is_reverse),
        };
        let mut options = Self { sort, is_reverse, offset: 0, count: -1, with_scores: false };
        let is_open = !matches!(form, Form::Settled(..));
        while !cursor.is_done() {
            if !matches!(form, Form::Kept) && cursor.take("withscores") {
                options.with_scores = true;
            } else if cursor.left() > 2 && cursor.take("limit") {
                (options.offset, options.count) = (cursor.need_i64()?, cursor.need_i64()?);
            } else if options.sort.is_none() && cursor.take("bylex") {
                options.sort = Some(Sort::Lex);
            } else if options.sort.is_none() && cursor.take("byscore") {
                options.sort = Some(Sort::Score);
            } else if is_open && !options.is_reverse && cursor.take("rev") {
                options.is_reverse = true;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(options)
    }

    /// What members are chosen by, unless that does not go with the other options.
    fn sort(&self) -> Result<Sort, ReplyError> {
        let sort = self.sort.unwrap_or(Sort::Rank);
        // A limit to all of them is none. Source: redis-server 7.0.15.
        if sort == Sort::Rank && self.count != -1 {
            return Err(ReplyError::text(
                "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if sort == Sort::Lex && self.with_scores {
            return Err(ReplyError::text(
                "syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        Ok(sort)
    }
}

impl<'a> Asked<'a> {
    /// Reads the ends of the range, which are arguments `first` and the next, and the options
    /// behind them.
    pub(super) fn parse(
        form: Form,
        request: Request<'a>,
        first: usize,
    ) -> Result<Self, ReplyError> {
        let options = Options::parse(form, Cursor::new(request, first + 2))?;
        let sort = options.sort()?;
        let (start, stop) = (request.arg(first), request.arg(first + 1));
        let (min, max) = if options.is_reverse { (stop, start) } else { (start, stop) };
        let by = match sort {
            Sort::Rank => {
                let index = |text| number::parse_i64(text).ok_or(ReplyError::NotInteger);
                By::Rank(index(start)?, index(stop)?)
            }
            Sort::Score => bounds::scores(min, max).map(|(min, max)| By::Score(min, max))?,
            Sort::Lex => bounds::names(min, max).map(|(min, max)| By::Lex(min, max))?,
        };
        let Options { is_reverse, offset, count, with_scores, .. } = options;
        Ok(Self { by, offset, count, is_reverse, with_scores })
    }

    /// Whether members are chosen by their ranks.
    pub(super) fn is_by_rank(&self) -> bool {
        matches!(self.by, By::Rank(..))
    }

    /// The ranks asked for; in reverse those of indexes count from the end.
    pub(super) fn ranks(&self, zset: &Zset) -> Range<usize> {
        let len = zset.len();
        let ranks = match self.by {
            By::Rank(start, stop) => {
                let ranks = bounds::ranks(start, stop, len);
                return if self.is_reverse { len - ranks.end..len - ranks.start } else { ranks };
            }
            By::Score(min, max) => zset.ranks_by_score(min, max),
            By::Lex(min, max) => zset.ranks_by_lex(min, max),
        };
        // A negative offset gives nothing, a negative count everything.
        let skipped = usize::try_from(self.offset).unwrap_or(usize::MAX).min(ranks.len());
        let taken = usize::try_from(self.count).unwrap_or(usize::MAX).min(ranks.len() - skipped);
        if self.is_reverse {
            let end = ranks.end - skipped;
            end - taken..end
        } else {
            let start = ranks.start + skipped;
            start..start + taken
        }
    }
}
