//! What SORT is told.

use super::pattern::{self, Pattern};
use crate::{Cursor, ReplyError};
use alloc::vec::Vec;
use core::ops::Range;

/// What the elements are sorted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum By<'a> {
    /// The elements themselves.
    Element,
    /// A value for each.
    Weight(Pattern<'a>),
    /// Nothing: they stay in their order.
    Nothing,
}

/// What SORT is told.
pub(super) struct Options<'a> {
    /// What the elements are sorted by.
    pub(super) by: By<'a>,
    /// What is returned for each; nothing said: the element.
    pub(super) gets: Vec<Pattern<'a>>,
    /// Whether the greatest comes first.
    pub(super) descending: bool,
    /// Whether texts are compared, not numbers.
    pub(super) alpha: bool,
    /// Where the result is kept; it is returned when nothing is said.
    pub(super) store: Option<&'a [u8]>,
    /// Elements left out in front, and how many follow; all when negative.
    limit: (i64, i64),
}

impl<'a> Options<'a> {
    /// Reads all options; STORE only if it `may_store`.
    ///
    /// # Errors
    /// For a word that is no option, or an option without its arguments.
    pub(super) fn parse(mut cursor: Cursor<'a>, may_store: bool) -> Result<Self, ReplyError> {
        let mut options = Self {
            by: By::Element,
            gets: Vec::new(),
            descending: false,
            alpha: false,
            store: None,
            limit: (0, -1),
        };
        while !cursor.is_done() {
            if cursor.take("asc") {
                options.descending = false;
            } else if cursor.take("desc") {
                options.descending = true;
            } else if cursor.take("alpha") {
                options.alpha = true;
            } else if cursor.left() > 2 && cursor.take("limit") {
                options.limit = (cursor.need_i64()?, cursor.need_i64()?);
            } else if may_store && cursor.left() > 1 && cursor.take("store") {
                options.store = cursor.pop();
            } else if cursor.take("by") {
                let text = cursor.need()?;
                if pattern::leaves_order(text) {
                    options.by = By::Nothing;
                } else if options.by != By::Nothing {
                    options.by = By::Weight(Pattern::parse(text));
                }
            } else if cursor.take("get") {
                options.gets.push(Pattern::parse(cursor.need()?));
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(options)
    }

    /// Which of `len` sorted elements are wanted.
    pub(super) fn range(&self, len: usize) -> Range<usize> {
        let (offset, count) = self.limit;
        let start = usize::try_from(offset.max(0)).unwrap_or(usize::MAX).min(len);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(len - start);
        start..start + count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_cut_to_what_is_there() {
        for (limit, range) in [
            ((0, -1), 0..3),
            ((1, 1), 1..2),
            ((-5, 2), 0..2),
            ((2, 5), 2..3),
            ((3, 1), 3..3),
            ((9, 9), 3..3),
            ((1, -7), 1..3),
            ((0, 0), 0..0),
            ((i64::MIN, i64::MAX), 0..3),
            ((i64::MAX, i64::MAX), 3..3),
            ((i64::MAX, i64::MIN), 3..3),
        ] {
            let options = Options {
                by: By::Element,
                gets: Vec::new(),
                descending: false,
                alpha: false,
                store: None,
                limit,
            };
            assert_eq!(options.range(3), range, "{limit:?}");
        }
    }
}
