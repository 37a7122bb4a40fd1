//! What a run of transcripts found.

use core::fmt;
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::quote;
use crate::runner::Command;
use crate::transcript::Notification;

/// A difference between a transcript and a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The transcript.
    pub path: PathBuf,
    /// Line of the request.
    pub line: usize,
    /// Name of the section.
    pub section: String,
    /// The request as written.
    pub request: String,
    /// What was expected, and what came.
    pub difference: Difference,
}

/// How a server differed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Difference {
    /// Another reply came.
    Reply {
        /// The expectation as written.
        expected: String,
        /// The reply in the transcripts' notation.
        got: String,
    },
    /// Something else was propagated.
    Stream {
        /// The expectation, a line each.
        expected: Vec<String>,
        /// What came.
        got: Vec<Command>,
        /// The server's clock at the request, unix milliseconds, if the expectation needed it.
        unix_ms: i64,
    },
    /// Other keyspace events came.
    Events {
        /// Those expected.
        expected: Vec<Notification>,
        /// What came.
        got: Vec<Notification>,
    },
    /// The driver could not go on.
    Broken(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply { expected, got } => write!(f, "  expected {expected}\n  got      {got}"),
            Self::Stream { expected, got, unix_ms } => {
                write!(f, "  expected propagation:")?;
                expected.iter().try_for_each(|line| write!(f, "\n    {line}"))?;
                write!(f, "\n  got (at {unix_ms} ms):")?;
                got.iter().try_for_each(|command| write!(f, "\n    {}", quote::line(command)))
            }
            Self::Events { expected, got } => {
                write!(f, "  expected events:")?;
                expected.iter().try_for_each(|event| write!(f, "\n    {event}"))?;
                write!(f, "\n  got:")?;
                got.iter().try_for_each(|event| write!(f, "\n    {event}"))
            }
            Self::Broken(why) => write!(f, "  {why}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, section, request, difference } = self;
        write!(f, "{}:{line}: [{section}] {request}\n{difference}", path.display())
    }
}

/// What came of a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Requests whose replies were compared.
    pub run: usize,
    /// Requests that were not, and why: reason to count.
    pub skipped: BTreeMap<String, usize>,
    /// Expected propagations that were compared.
    pub propagations: usize,
    /// Requests whose keyspace events were compared.
    pub notifications: usize,
    /// Every difference.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Adds another run's counts and failures.
    pub fn merge(&mut self, other: Self) {
        self.run += other.run;
        self.propagations += other.propagations;
        self.notifications += other.notifications;
        for (why, count) in other.skipped {
            *self.skipped.entry(why).or_default() += count;
        }
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}\n")?;
        }
        let skipped: usize = self.skipped.values().sum();
        write!(f, "{} requests compared ", self.run)?;
        write!(f, "({} with their propagation, ", self.propagations)?;
        write!(f, "{} with their events), ", self.notifications)?;
        write!(f, "{} different, {skipped} skipped", self.failures.len())?;
        for (why, count) in &self.skipped {
            write!(f, "\n  skipped {count}: {why}")?;
        }
        Ok(())
    }
}
