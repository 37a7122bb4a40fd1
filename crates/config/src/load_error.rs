//! Why a configuration cannot be loaded, and where the fault lies.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use vesta_types::ascii::lossy;

use crate::Refusal;
use crate::load::{MAX_FILES, MAX_INCLUDE_DEPTH};

/// Why the server cannot start with this configuration. The operator must act.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LoadError {
    /// The line that is to blame, if it is one line.
    pub line: Option<Box<BadLine>>,
    /// What is wrong.
    pub problem: Problem,
}

/// The line that is to blame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadLine {
    /// Where it stands.
    pub origin: Origin,
    /// Its text.
    pub text: String,
}

impl LoadError {
    pub(crate) fn at(origin: &Origin, text: &[u8], problem: Problem) -> Self {
        let line = BadLine { origin: origin.clone(), text: lossy(text) };
        Self { line: Some(Box::new(line)), problem }
    }

    pub(crate) fn anywhere(problem: Problem) -> Self {
        Self { line: None, problem }
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// A file cannot be read.
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        why: String,
    },
    /// Standard input cannot be read.
    UnreadableStdin(String),
    /// Quotes do not match.
    Quotes,
    /// Not a directive, or one with too few or too many words.
    Unknown,
    /// A value was refused.
    Value(Refusal),
    /// A directive of another mode.
    SentinelOnly,
    /// Files that include each other in a circle, or a file that includes itself.
    IncludeCycle(String),
    /// Files that include each other too deeply.
    IncludeDepth,
    /// Too many files.
    IncludeCount,
    /// Directives that contradict each other.
    Conflict(&'static str),
    /// A rule of the option's owner.
    Owner(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => {
                write!(f, "Fatal error, can't open config file '{path}': {why}")
            }
            Self::UnreadableStdin(why) => write!(f, "Fatal error, can't read config: {why}"),
            Self::Quotes => f.write_str("Unbalanced quotes in configuration line"),
            Self::Unknown => f.write_str("Bad directive or wrong number of arguments"),
            Self::Value(refusal) => refusal.fmt(f),
            Self::SentinelOnly => f.write_str("sentinel directive while not in sentinel mode"),
            Self::IncludeCycle(path) => {
                write!(f, "'{path}' includes itself, directly or through other files")
            }
            Self::IncludeDepth => {
                write!(f, "Files include each other more than {MAX_INCLUDE_DEPTH} deep")
            }
            Self::IncludeCount => write!(f, "More than {MAX_FILES} files are included"),
            Self::Conflict(text) => f.write_str(text),
            Self::Owner(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = env!("CARGO_PKG_VERSION");
        writeln!(f, "*** FATAL CONFIG FILE ERROR (Vesta {version}) ***")?;
        if let Some(line) = &self.line {
            writeln!(f, "{}\n>>> '{}'", line.origin, line.text)?;
        }
        self.problem.fmt(f)
    }
}

impl core::error::Error for LoadError {}

/// Where a directive stood.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// In a file.
    File {
        /// The path as it was asked for.
        path: String,
        /// The line, counted from 1.
        line: u32,
    },
    /// On standard input.
    Stdin {
        /// The line, counted from 1.
        line: u32,
    },
    /// On the command line.
    CommandLine {
        /// The directive's number, counted from 1.
        directive: u32,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => {
                write!(f, "Reading the configuration file, at line {line} of {path}")
            }
            Self::Stdin { line } => {
                write!(f, "Reading the configuration from standard input, at line {line}")
            }
            Self::CommandLine { directive } => {
                write!(f, "Reading the command line, at directive {directive}")
            }
        }
    }
}
