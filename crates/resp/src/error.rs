//! What makes a request unreadable. The client is told once, then the connection closes.

use core::fmt;

/// A request that breaks the protocol. `Display` is the text behind `-ERR Protocol error: `.
///
/// Source of the texts: observed on redis-server 7.0.15.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProtocolError {
    /// An inline request without a line end within 64 KiB.
    InlineTooLong,
    /// An inline request with an open quote, or with text right behind a closing one.
    UnbalancedQuotes,
    /// No line end within 64 KiB of `*`.
    CountLineTooLong,
    /// No line end within 64 KiB of `$`.
    LengthLineTooLong,
    /// The text behind `*` is not a number in range.
    BadCount,
    /// More arguments than a client may send before it authenticates.
    UnauthenticatedCount,
    /// An argument that does not begin with `$` but with this byte.
    ExpectedDollar(u8),
    /// The text behind `$` is not a number in range.
    BadLength,
    /// A longer argument than a client may send before it authenticates.
    UnauthenticatedLength,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InlineTooLong => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::CountLineTooLong => "too big mbulk count string",
            Self::LengthLineTooLong => "too big bulk count string",
            Self::BadCount => "invalid multibulk length",
            Self::UnauthenticatedCount => "unauthenticated multibulk length",
            Self::BadLength => "invalid bulk length",
            Self::UnauthenticatedLength => "unauthenticated bulk length",
            Self::ExpectedDollar(got) => {
                // A byte that would break the line is shown as a blank.
                let shown = if got.is_ascii_control() { ' ' } else { char::from(*got) };
                return write!(f, "expected '$', got '{shown}'");
            }
        })
    }
}
