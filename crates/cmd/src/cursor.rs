//! Reading arguments one after another.

use crate::ReplyError;
use vesta_resp::Request;
use vesta_types::{ascii, number};

/// A position among the arguments of a request.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    request: Request<'a>,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads `request` from argument `at` on.
    #[must_use]
    pub fn new(request: Request<'a>, at: usize) -> Self {
        Self { request, at }
    }

    /// The number of the argument that comes next.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Arguments still to come.
    #[must_use]
    pub fn left(&self) -> usize {
        self.request.len().saturating_sub(self.at)
    }

    /// Whether all arguments were read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.left() == 0
    }

    /// The next argument, left in place.
    #[must_use]
    pub fn peek(&self) -> Option<&'a [u8]> {
        (self.left() > 0).then(|| self.request.arg(self.at))
    }

    /// The next argument, if there is one.
    pub fn pop(&mut self) -> Option<&'a [u8]> {
        let argument = self.peek()?;
        self.at += 1;
        Some(argument)
    }

    /// The next argument, which must be there.
    ///
    /// # Errors
    /// [`ReplyError::Syntax`] when there is none.
    pub fn need(&mut self) -> Result<&'a [u8], ReplyError> {
        self.pop().ok_or(ReplyError::Syntax)
    }

    /// The next argument as an integer.
    ///
    /// # Errors
    /// [`ReplyError::Syntax`] when there is none, [`ReplyError::NotInteger`] when it is no
    /// 64-bit integer.
    pub fn need_i64(&mut self) -> Result<i64, ReplyError> {
        number::parse_i64(self.need()?).ok_or(ReplyError::NotInteger)
    }

    /// Takes the next argument if it is `word` (given in lower case) in any case.
    pub fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|argument| ascii::is_word(argument, word));
        self.at += usize::from(found);
        found
    }
}
