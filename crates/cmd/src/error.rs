//! Errors that a command answers with. The client reads them and goes on.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use vesta_store::WrongType;

/// An error reply. `Display` is its whole text, code first.
///
/// Source of the texts: observed on redis-server 7.0.15.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReplyError {
    /// The key holds another type of value.
    WrongType,
    /// The arguments do not make sense together.
    Syntax,
    /// An argument or value is no 64-bit integer.
    NotInteger,
    /// An argument or value is no float.
    NotFloat,
    /// The key that must be there is not.
    NoSuchKey,
    /// The value would grow beyond `proto-max-bulk-len`.
    StringTooLong,
    /// An increment leaves the range of 64 bits.
    Overflow,
    /// A database number that does not exist.
    DbOutOfRange,
    /// A key would be moved or copied onto itself.
    SameObject,
    /// An expiry that is not a positive time in range, for the command named.
    InvalidExpire(&'static str),
    /// The wrong number of arguments for the command named (`config|get` for a sub-command).
    WrongArity(String),
    /// A sub-command that the container named (in upper case) does not have.
    UnknownSubcommand {
        /// As the client wrote it.
        given: String,
        /// The container, in upper case.
        container: String,
    },
    /// Any other error whose code is `ERR`; the text follows the code.
    Generic(Cow<'static, str>),
    /// An error with a code of its own; the text begins with it.
    Coded(Cow<'static, str>),
}

impl ReplyError {
    /// An error with the code `ERR` and a fixed text.
    #[must_use]
    pub const fn text(text: &'static str) -> Self {
        Self::Generic(Cow::Borrowed(text))
    }
}

impl From<WrongType> for ReplyError {
    fn from(WrongType: WrongType) -> Self {
        Self::WrongType
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType => {
                f.write_str("WRONGTYPE Operation against a key holding the wrong kind of value")
            }
            Self::Syntax => f.write_str("ERR syntax error"),
            Self::NotInteger => f.write_str("ERR value is not an integer or out of range"),
            Self::NotFloat => f.write_str("ERR value is not a valid float"),
            Self::NoSuchKey => f.write_str("ERR no such key"),
            Self::StringTooLong => {
                f.write_str("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
            }
            Self::Overflow => f.write_str("ERR increment or decrement would overflow"),
            Self::DbOutOfRange => f.write_str("ERR DB index is out of range"),
            Self::SameObject => f.write_str("ERR source and destination objects are the same"),
            Self::InvalidExpire(name) => write!(f, "ERR invalid expire time in '{name}' command"),
            Self::WrongArity(name) => {
                write!(f, "ERR wrong number of arguments for '{name}' command")
            }
            Self::UnknownSubcommand { given, container } => {
                write!(f, "ERR unknown subcommand '{given}'. Try {container} HELP.")
            }
            Self::Generic(text) => write!(f, "ERR {text}"),
            Self::Coded(text) => f.write_str(text),
        }
    }
}
