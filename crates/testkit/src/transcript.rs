//! The `.vt` transcript: requests, expected replies, expected propagation, time steps.
//!
//! ```text
//! # a comment
//! ! start databases 4            a directive the server must be started with (before any section)
//! == overwriting keeps the TTL   a section: fresh database, fresh connections
//! ! config maxmemory 100mb       set before the section runs, put back after it
//! ! resp 3                       connections of this section begin with HELLO 3
//! ! notifications Am             keyspace events of these classes are compared (`A` if none)
//! ! oracle skip                  the reference is not asked (section, or file if before any)
//! > SET k "v\x00" EX 100         a request of the unnamed connection
//! +OK                            its reply, as `pattern` describes; longer ones over several lines
//! => SET k "v\x00" PXAT @+100000 what replicas and the AOF get; `=> nothing`; @+N is now + N ms
//! @ +150ms                       time passes
//! a> GET k                       a request of the connection named a
//! "v\x00"
//! oracle: nil                    what the reference (7.0) answers instead; `oracle: skip`
//! oracle=> DEL k                 what the reference propagates instead
//! ~> set k                       a keyspace event; `~> 1 set k` in database 1, `~> none` for none
//! oracle~> set k                 the event of the reference instead
//! raw> "*1\r\n" "$4\r\nPING\r\n" bytes as they are; `a raw>` on a named connection
//! +PONG                          one expectation per reply
//! a<                             a reply without a request
//! >["invalidate", nil]
//! close a                        the client closes
//! ```
//!
//! Words of a request are quoted as in `redis-cli`. Bare words that begin with `$` are variables:
//! `$name` an integer captured by `:$name`; `$addr`, `$laddr` the client's and the server's address
//! of the unnamed connection (`$addr.a` of connection a); `$ms+N`, `$s-N` the server's clock in
//! milliseconds or seconds plus or minus N. `"x"*1000` repeats a quoted word.
//!
//! In a section with `! notifications` a request without `~>` lines must bring no event. What
//! happens in a time step counts for the request behind it.
//!
//! The stream's own bookkeeping (`SELECT`, `MULTI`, `EXEC`) is compared only where an expectation
//! writes it.

mod read;

use core::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::pattern::Pattern;
use crate::quote;

/// One `.vt` file.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Where it was read from, for messages.
    pub path: PathBuf,
    /// Directives the server must be started with.
    pub start: Vec<Directive>,
    /// The reference is not asked at all.
    pub oracle_skip: bool,
    /// Its sections in order.
    pub sections: Vec<Section>,
}

/// A configuration directive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Directive {
    /// Name as in a configuration file.
    pub name: String,
    /// Value, unquoted.
    pub value: String,
}

/// Steps that share a database.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// After `==`; empty for steps before the first header.
    pub name: String,
    /// Line of the header, from 1.
    pub line: usize,
    /// Configuration while it runs.
    pub config: Vec<Directive>,
    /// Connections begin with `HELLO 3`.
    pub resp3: bool,
    /// Keyspace events are compared, for every request.
    pub notifications: bool,
    /// The reference is not asked.
    pub oracle_skip: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Section {
    /// Whether any step says what is propagated.
    #[must_use]
    pub fn watches_propagation(&self) -> bool {
        self.steps.iter().any(|step| match &step.act {
            Act::Exchange(exchange) => exchange.propagated.is_some(),
            Act::Advance { .. } | Act::Close { .. } => false,
        })
    }
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Line in the file, from 1.
    pub line: usize,
    /// Last line of it, expectations included.
    pub last_line: usize,
    /// The line as written.
    pub text: String,
    /// What it does.
    pub act: Act,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Something is sent and replies are expected.
    Exchange(Exchange),
    /// Time passes.
    Advance {
        /// How much.
        ms: u64,
    },
    /// The client closes a connection.
    Close {
        /// Its name.
        conn: String,
    },
}

/// A request and what it brings about.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Connection name, empty for the unnamed one.
    pub conn: String,
    /// What is sent.
    pub request: Request,
    /// Expected replies, in order.
    pub replies: Vec<Expected>,
    /// What the reference replies instead.
    pub oracle: Option<Vec<Expected>>,
    /// Expected propagation; `None` is not looked at, empty is none.
    pub propagated: Option<Vec<Vec<StreamWord>>>,
    /// What the reference propagates instead.
    pub oracle_propagated: Option<Vec<Vec<StreamWord>>>,
    /// Expected keyspace events; `None` where nothing is said, which means none.
    pub notified: Option<Vec<Notification>>,
    /// Those of the reference instead.
    pub oracle_notified: Option<Vec<Notification>>,
}

/// A keyspace event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notification {
    /// Index of the database.
    pub db: u64,
    /// Name of the event.
    pub event: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
}

impl Notification {
    /// The one that a message tells, which was published to `__keyevent@<db>__:<event>` with the
    /// key as its text.
    #[must_use]
    pub fn of_message(channel: &[u8], key: &[u8]) -> Option<Self> {
        let rest = str::from_utf8(channel.strip_prefix(b"__keyevent@")?).ok()?;
        let (db, event) = rest.split_once("__:")?;
        let (db, event) = (db.parse().ok()?, event.as_bytes().to_vec());
        Some(Self { db, event, key: key.to_vec() })
    }
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.db != 0 {
            write!(f, "{} ", self.db)?;
        }
        write!(f, "{}", quote::line(&[self.event.clone(), self.key.clone()]))
    }
}

/// An expected reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// What to compare with.
    pub pattern: Pattern,
    /// As written, for messages.
    pub text: String,
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Request {
    /// A command.
    Args(Vec<Arg>),
    /// Bytes.
    Raw(Vec<u8>),
    /// Nothing: a further reply is read.
    Nothing,
}

/// An argument of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Arg {
    /// As written.
    Bytes(Vec<u8>),
    /// `$name`
    Captured(String),
    /// `$addr`, `$addr.name`
    ClientAddress(String),
    /// `$laddr`, `$laddr.name`
    ServerAddress(String),
    /// `$ms+N`, `$ms-N`
    UnixMs(i64),
    /// `$s+N`, `$s-N`
    UnixSeconds(i64),
}

/// A word of a propagated command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StreamWord {
    /// As written; the command's name is compared without case.
    Bytes(Vec<u8>),
    /// `?`
    Any,
    /// `@+N`: unix milliseconds at the request's time plus N.
    UnixMs(i64),
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyntaxError {
    /// The file.
    pub path: PathBuf,
    /// Line from 1; 0 if the file could not be read.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.why)
    }
}

impl core::error::Error for SyntaxError {}

/// In drafts, stands where a reply or a propagated command is to be recorded.
pub const RECORD: &str = "(record)";

/// How strict the reader is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// Every request has a reply.
    Complete,
    /// Requests without a reply are allowed: they are about to be recorded.
    Draft,
}

impl Transcript {
    /// Reads a file.
    pub fn read(path: &Path, mode: Mode) -> Result<Self, SyntaxError> {
        let text = fs::read_to_string(path).map_err(|error| SyntaxError {
            path: path.to_owned(),
            line: 0,
            why: error.to_string(),
        })?;
        Self::parse(path, &text, mode)
    }

    /// Reads a text; `path` is for messages.
    pub fn parse(path: &Path, text: &str, mode: Mode) -> Result<Self, SyntaxError> {
        read::file(path, text, mode).map_err(|(line, why)| SyntaxError {
            path: path.to_owned(),
            line,
            why,
        })
    }
}

/// All `.vt` files below `root`, sorted by path.
pub fn find(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "vt") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Transcript, SyntaxError> {
        Transcript::parse(Path::new("x.vt"), text, Mode::Complete)
    }

    fn expected(text: &str) -> Vec<Expected> {
        vec![Expected { pattern: Pattern::parse(text).unwrap(), text: text.to_owned() }]
    }

    fn exchange(step: &Step) -> &Exchange {
        match &step.act {
            Act::Exchange(exchange) => exchange,
            Act::Advance { .. } | Act::Close { .. } => panic!("not an exchange: {}", step.text),
        }
    }

    #[test]
    fn every_kind_of_line_is_read() {
        let file = parse(
            "# about\n! start databases 4\n\n== one\n! config maxmemory 1mb\n! resp 3\n\
             > SET k \"v 1\"\n+OK\n=> SET k \"v 1\" PXAT @+1000\n=> DEL ?\n\
             @ +150ms\na> GET k\n[\n  \"x\",\n  :1\n]\noracle: nil\noracle=> nothing\n\
             a raw> \"PI\" \"NG\\r\\n\"\n+PONG\n-ERR a > b\na<\n>[\"x\"]\nclose a\n\
             == two\n! oracle skip\n> CLIENT KILL ID $id $addr.a $ms+5 \"$id\"\n(none)\n> X\n#t\n",
        )
        .unwrap();
        assert_eq!(file.start, [Directive { name: "databases".into(), value: "4".into() }]);
        let [one, two] = file.sections.as_slice() else { panic!() };
        assert!(one.resp3 && !one.oracle_skip && one.watches_propagation());
        assert!(two.oracle_skip && !two.watches_propagation());
        assert_eq!(one.config.len(), 1);
        assert_eq!(one.steps.len(), 6);
        let set = exchange(&one.steps[0]);
        assert_eq!(set.replies, expected("+OK"));
        let stream = set.propagated.as_ref().unwrap();
        assert_eq!(stream[0][4], StreamWord::UnixMs(1000));
        assert_eq!(stream[1][1], StreamWord::Any);
        assert!(matches!(one.steps[1].act, Act::Advance { ms: 150 }));
        let get = exchange(&one.steps[2]);
        assert_eq!((get.conn.as_str(), one.steps[2].line, one.steps[2].last_line), ("a", 12, 18));
        assert_eq!(get.oracle, Some(expected("nil")));
        assert_eq!(get.oracle_propagated, Some(Vec::new()));
        let raw = exchange(&one.steps[3]);
        assert!(matches!(&raw.request, Request::Raw(bytes) if bytes == b"PING\r\n"));
        assert_eq!(raw.replies.len(), 2);
        assert!(matches!(exchange(&one.steps[4]).request, Request::Nothing));
        assert!(matches!(&one.steps[5].act, Act::Close { conn } if conn == "a"));
        let Request::Args(args) = &exchange(&two.steps[0]).request else { panic!() };
        assert_eq!(args[3], Arg::Captured("id".into()));
        assert_eq!(args[4], Arg::ClientAddress("a".into()));
        assert_eq!(args[5], Arg::UnixMs(5));
        assert_eq!(args[6], Arg::Bytes(b"$id".to_vec()));
        assert_eq!(exchange(&two.steps[1]).replies, expected("#t"));
    }

    #[test]
    fn events_have_a_database_a_name_and_a_key() {
        let file = parse(
            "== one\n! notifications gm\n> MOVE \"a b\" 1\n:1\n~> move_from \"a b\"\n\
             ~> 1 move_to \"a b\"\n> GET x\nnil\noracle~> keymiss x\n> DEL x\n:0\n~> none\n\
             == two\n! notifications\n> PING\n+PONG\n",
        )
        .unwrap();
        let [one, two] = file.sections.as_slice() else { panic!() };
        let wanted = |section: &Section| section.config.first().unwrap().value.clone();
        assert_eq!((wanted(one).as_str(), wanted(two).as_str()), ("Egm", "EA"));
        let event = |db, event: &str, key: &str| Notification {
            db,
            event: event.as_bytes().to_vec(),
            key: key.as_bytes().to_vec(),
        };
        let [moved, read, deleted] = [0, 1, 2].map(|at: usize| exchange(&one.steps[at]).clone());
        let expected = vec![event(0, "move_from", "a b"), event(1, "move_to", "a b")];
        assert_eq!(moved.notified, Some(expected));
        assert_eq!((read.notified, deleted.notified), (None, Some(Vec::new())));
        assert_eq!(read.oracle_notified, Some(vec![event(0, "keymiss", "x")]));
        assert_eq!(event(2, "set", "a b").to_string(), "2 set \"a b\"");
        let told = Notification::of_message(b"__keyevent@2__:set", b"a b");
        assert_eq!(told, Some(event(2, "set", "a b")));
        assert_eq!(parse("> X\n+OK\n~> set k\n").unwrap_err().line, 3);
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        for (text, line, why) in [
            ("+OK\n", 1, "no request for this line"),
            ("> GET k\n\n+OK", 1, "no expected reply"),
            ("> GET k\n[\n:1,\n", 2, "not closed"),
            ("> GET k\n:1\n:x\n", 3, "not an integer"),
            ("> GET \"k\n:1\n", 1, "not closed"),
            ("== a\n! frobnicate\n", 2, "unknown option"),
            ("! config a b\n", 1, "must stand in a section"),
            ("== a\n> X\n:1\n! resp 3\n", 4, "before the section's first request"),
            ("@ 5ms\n", 1, "expected +<n>ms"),
            ("raw> abc\n:1\n", 1, "between quotes"),
            (">\n:1\n", 1, "an empty request"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.why.contains(why), "{text:?}: {error}");
            assert!(error.to_string().starts_with("x.vt:"));
        }
    }
}
