//! Why a value was not accepted, in the words that CONFIG SET and a fatal start show.

use alloc::string::String;
use core::fmt;

/// Why the words of a directive were refused. The operator must change them.
///
/// Source of the texts: observed on redis-server 7.0.15 for each kind of option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Too few or too many words.
    WordCount,
    /// Neither `yes` nor `no`.
    NotYesNo,
    /// Not a decimal integer of 64 bits.
    NotInteger,
    /// Not an octal number.
    NotOctal,
    /// Not a number of bytes such as `100`, `64mb` or `1g`.
    NotMemory,
    /// Neither a number of bytes nor a percentage.
    NotMemoryOrPercent,
    /// A percentage above 100.
    PercentAbove100,
    /// A number outside its bounds, both inclusive.
    OutOfRange {
        /// The lowest accepted value.
        low: i128,
        /// The highest accepted value.
        high: i128,
    },
    /// An octal number outside its bounds, both inclusive.
    OutOfOctalRange {
        /// The lowest accepted value.
        low: u32,
        /// The highest accepted value.
        high: u32,
    },
    /// Not one of the words of a choice; they are listed, separated by `, `.
    NotOneOf(String),
    /// Bytes that are not UTF-8 where a name or path is wanted.
    NotText,
    /// A rule of one option only.
    Rule(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WordCount => f.write_str("wrong number of arguments"),
            Self::NotYesNo => f.write_str("argument must be 'yes' or 'no'"),
            Self::NotInteger => f.write_str("argument couldn't be parsed into an integer"),
            Self::NotOctal => f.write_str("argument couldn't be parsed as an octal number"),
            Self::NotMemory => f.write_str("argument must be a memory value"),
            Self::NotMemoryOrPercent => f.write_str("argument must be a memory or percent value"),
            Self::PercentAbove100 => {
                f.write_str("percentage argument must be less or equal to 100")
            }
            Self::OutOfRange { low, high } => {
                write!(f, "argument must be between {low} and {high} inclusive")
            }
            Self::OutOfOctalRange { low, high } => {
                write!(f, "argument must be between {low:o} and {high:o} inclusive")
            }
            Self::NotOneOf(words) => {
                write!(f, "argument(s) must be one of the following: {words}")
            }
            Self::NotText => f.write_str("argument must be UTF-8 text"),
            Self::Rule(text) => f.write_str(text),
        }
    }
}
