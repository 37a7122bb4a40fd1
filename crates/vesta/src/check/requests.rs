//! Going through a file of requests: how far it is sound, and what is wrong with it there.
//!
//! A file is sound up to the end of its last request that is whole, or up to the MULTI of a
//! transaction whose EXEC is not there: a server carries out all of a transaction or nothing of
//! it. This is how redis-check-aof 7.0.15 was observed to count.

use std::fmt;
use std::ops::ControlFlow;

use vesta_persist::aof::{Item, ItemReader};
use vesta_persist::rdb::Fault;
use vesta_rt::files::FileError;
use vesta_types::{ascii, number};

use super::console::{Console, shown};
use super::log_summary::{LogSummary, counted};
use super::window::Window;

/// What was found in a file of requests.
pub(super) struct Scan {
    /// Where its sound part ends.
    pub(super) ok_up_to: u64,
    /// The line of the protocol that begins there, from 1; annotations are not counted.
    pub(super) ok_up_to_line: u64,
    /// Why it ended where it did.
    pub(super) stop: Stop,
    /// What is in the sound part, and in a transaction that is not complete.
    pub(super) summary: LogSummary,
}

/// Why a scan ended.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file is at its end, and sound.
    End,
    /// Something is wrong.
    Faulty(Defect),
    /// What follows is later than was asked for.
    Later {
        /// When it is from, in seconds since 1970.
        unix_s: u64,
        /// The end of what is not later. It is in front of a transaction, never in one.
        cut_at: u64,
    },
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Defect {
    /// The first byte that is wrong or missing.
    pub(super) at: u64,
    /// What it is.
    pub(super) kind: DefectKind,
    /// The request that it is in.
    pub(super) place: Place,
    /// Where the transaction began that it is in.
    pub(super) transaction_at: Option<u64>,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum DefectKind {
    /// The file ends within a request or an annotation.
    Cut(Missing),
    /// The file ends within a transaction.
    OpenTransaction,
    /// Bytes that are no request and no annotation.
    Corrupt {
        /// What should stand there.
        expected: &'static str,
        /// What does.
        found: Vec<u8>,
    },
    /// A MULTI within a transaction.
    UnexpectedMulti,
    /// An EXEC without a MULTI.
    UnexpectedExec,
    /// An annotation that should tell a time.
    NoTime,
}

/// What a file lacks at its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Missing {
    /// Bytes of an argument with its line end.
    Bytes {
        /// How many it should have.
        of: u64,
        /// How many are there.
        there: u64,
    },
    /// The rest of a line.
    Line,
    /// More arguments.
    Arguments,
}

/// A place within a request.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Place {
    /// Where the request begins.
    pub(super) began: u64,
    /// How many requests of the file are in front of it.
    pub(super) behind: u64,
    /// The command, if it can be read.
    pub(super) command: Option<Vec<u8>>,
    /// Which argument, from 1, the command's name being the first, and how many there should be.
    pub(super) argument: Option<(u64, u64)>,
}

impl Defect {
    /// Whether the end of the file is all that is wrong: a crash while it was written leaves this.
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self.kind, DefectKind::Cut(_) | DefectKind::OpenTransaction)
    }
}

/// The line of redis-check-aof: the offset in hexadecimal, then the reason.
impl fmt::Display for Defect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "0x{:>16x}: ", self.at)?;
        match &self.kind {
            DefectKind::Cut(Missing::Bytes { of, there }) => {
                write!(out, "Expected to read {of} bytes, got {there} bytes")
            }
            DefectKind::Cut(Missing::Line) => out.write_str("The file ends within a line"),
            DefectKind::Cut(Missing::Arguments) => out.write_str("The file ends within a request"),
            DefectKind::OpenTransaction => {
                out.write_str("Reached EOF before reading EXEC for MULTI")
            }
            DefectKind::Corrupt { expected, found } => {
                write!(out, "Expected {expected}, got: \"{}\"", shown(found))
            }
            DefectKind::UnexpectedMulti => out.write_str("Unexpected MULTI"),
            DefectKind::UnexpectedExec => out.write_str("Unexpected EXEC"),
            DefectKind::NoTime => out.write_str("Invalid timestamp annotation"),
        }
    }
}

/// Where it is, in words: `argument 3 of 3 of 'set', request 5, begun at byte 120`.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { began, behind, command, argument } = self;
        if command.is_none() && argument.is_none() {
            let requests = counted(*behind, "request");
            return write!(out, "what begins at byte {began}, behind {requests}");
        }
        if let Some((argument, of)) = argument {
            write!(out, "argument {argument} of {of} of ")?;
        }
        if let Some(command) = command {
            write!(out, "'{}', ", shown(command))?;
        }
        write!(out, "request {}, begun at byte {began}", behind.saturating_add(1))
    }
}

/// Goes through the requests of a file from where the window stands. With `until`, in seconds since
/// 1970, it stops at the first annotation that is later, and annotations must be sound.
///
/// # Errors
/// What the disk says.
pub(super) fn scan(
    window: &mut Window,
    until: Option<i64>,
    console: &mut Console<'_>,
) -> Result<Scan, FileError> {
    let mut reader = ItemReader::default();
    let mut walk = Walk { ok_up_to: window.position(), ..Walk::default() };
    let stop = loop {
        let (bytes, at) = (window.bytes(), window.position());
        if bytes.is_empty() {
            console.reach(at);
            if window.fill(1)? {
                continue;
            }
            break walk.end(at);
        }
        match reader.next(bytes) {
            Ok((item, len)) => {
                if let ControlFlow::Break(stop) = walk.step(item, bytes, at, len, until) {
                    break stop;
                }
                window.take(len);
            }
            Err(Fault::Short { more }) => {
                console.reach(at);
                if !window.fill(more)? {
                    break walk.cut(window.bytes(), at, window.file_bytes());
                }
            }
            Err(Fault::Corrupt(error)) => {
                let offset = usize::try_from(error.at_byte).unwrap_or(usize::MAX);
                break walk.corrupt(bytes, at, offset, error.expected);
            }
        }
    };
    let Walk { ok_up_to, lines, summary, .. } = walk;
    Ok(Scan { ok_up_to, ok_up_to_line: lines.saturating_add(1), stop, summary })
}

/// How far a scan has come.
#[derive(Default)]
struct Walk {
    ok_up_to: u64,
    /// Lines of the protocol in front of `ok_up_to`.
    lines: u64,
    /// Where the transaction began that is open, and its lines so far.
    open: Option<(u64, u64)>,
    summary: LogSummary,
}

impl Walk {
    /// Takes in an item of `len` bytes that begins at `at` of the file, and with `bytes`.
    fn step(
        &mut self,
        item: Item<'_>,
        bytes: &[u8],
        at: u64,
        len: usize,
        until: Option<i64>,
    ) -> ControlFlow<Stop> {
        let end = at.saturating_add(len as u64);
        match item {
            Item::Request(arguments) => {
                let words = arguments.len() as u64;
                let name = arguments.first().and_then(|range| bytes.get(range.clone()));
                self.request(name.unwrap_or_default(), words, at, end)?;
            }
            Item::Time(unix_s) => {
                let passes = |until| i64::try_from(unix_s).is_ok_and(|unix_s| unix_s <= until);
                if !until.is_none_or(passes) {
                    let cut_at = self.open.map_or(at, |(began, _)| began);
                    return ControlFlow::Break(Stop::Later { unix_s, cut_at });
                }
                self.summary.times.note(unix_s);
            }
            Item::History { id, offset } => self.summary.note_history(id, offset),
            Item::Other => {
                if until.is_some() && bytes.starts_with(b"#TS:") {
                    return ControlFlow::Break(self.defect(at, DefectKind::NoTime, self.place(at)));
                }
            }
        }
        if self.open.is_none() {
            self.ok_up_to = end;
        }
        ControlFlow::Continue(())
    }

    fn request(&mut self, name: &[u8], words: u64, at: u64, end: u64) -> ControlFlow<Stop> {
        let lines = words.saturating_mul(2).saturating_add(1);
        let (is_multi, is_exec) = (ascii::is_word(name, "multi"), ascii::is_word(name, "exec"));
        let wrong = match (self.open, is_multi, is_exec) {
            (Some(_), true, _) => Some(DefectKind::UnexpectedMulti),
            (None, _, true) => Some(DefectKind::UnexpectedExec),
            (Some(_), false, _) | (None, _, false) => None,
        };
        if let Some(kind) = wrong {
            let place = Place { command: Some(name.to_vec()), ..self.place(at) };
            return ControlFlow::Break(self.defect(at, kind, place));
        }
        self.summary.note_request(name, end.saturating_sub(at));
        self.open = match self.open {
            Some((_, inner)) if is_exec => {
                self.summary.transactions += 1;
                self.lines = self.lines.saturating_add(inner).saturating_add(lines);
                None
            }
            Some((began, inner)) => Some((began, inner.saturating_add(lines))),
            None if is_multi => Some((at, lines)),
            None => {
                self.lines = self.lines.saturating_add(lines);
                None
            }
        };
        ControlFlow::Continue(())
    }

    /// The file ends at `at`, between two items.
    fn end(&self, at: u64) -> Stop {
        match self.open {
            Some((began, _)) => {
                let place = Place { command: Some(b"MULTI".to_vec()), ..self.place(began) };
                self.defect(at, DefectKind::OpenTransaction, place)
            }
            None => Stop::End,
        }
    }

    /// The file ends, at `end`, within the item that begins at `at` and with `bytes`.
    fn cut(&self, bytes: &[u8], at: u64, end: u64) -> Stop {
        let there = end.saturating_sub(at);
        let Located { at: offset, missing, place } = locate(bytes, there, None, self.place(at));
        self.defect(at.saturating_add(offset), DefectKind::Cut(missing), place)
    }

    /// The item that begins at `at` and with `bytes` is none because of its byte `offset`.
    fn corrupt(&self, bytes: &[u8], at: u64, offset: usize, expected: &'static str) -> Stop {
        let rest = bytes.get(offset..).unwrap_or_default();
        let found = rest.get(..FOUND_BYTES).unwrap_or(rest).to_vec();
        let place = locate(bytes, bytes.len() as u64, Some(offset), self.place(at)).place;
        let kind = DefectKind::Corrupt { expected, found };
        self.defect(at.saturating_add(offset as u64), kind, place)
    }

    fn place(&self, began: u64) -> Place {
        Place { began, behind: self.summary.requests, command: None, argument: None }
    }

    fn defect(&self, at: u64, kind: DefectKind, place: Place) -> Stop {
        let transaction_at = self.open.map(|(began, _)| began);
        Stop::Faulty(Defect { at, kind, place, transaction_at })
    }
}

/// Bytes that are shown of what stands in a wrong place.
const FOUND_BYTES: usize = 16;

/// Finds the part of a request that is cut, or that has the byte `wrong`: where the part begins,
/// what is missing of it, and its place. The request begins with `bytes`; with what follows it, as
/// far as anything does, it has `there` bytes in the file.
fn locate(bytes: &[u8], there: u64, wrong: Option<usize>, mut place: Place) -> Located {
    let wrong = wrong.map_or(u64::MAX, |wrong| wrong as u64);
    let Some((count, mut at)) = number_line(bytes, 0, b'*').filter(|(_, at)| wrong >= *at as u64)
    else {
        return Located { at: 0, missing: Missing::Line, place };
    };
    for argument in 1..=count {
        place.argument = Some((argument, count));
        let Some((len, begin)) = number_line(bytes, at, b'$') else {
            let is_none_there = at as u64 >= there;
            let missing = if is_none_there { Missing::Arguments } else { Missing::Line };
            return Located { at: at as u64, missing, place };
        };
        let have = there.saturating_sub(begin as u64);
        let of = len.saturating_add(2);
        if have < of || wrong < of.saturating_add(begin as u64) {
            let missing = Missing::Bytes { of, there: have };
            return Located { at: begin as u64, missing, place };
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let end = begin.saturating_add(len);
        if argument == 1 {
            place.command = bytes.get(begin..end).map(<[u8]>::to_vec);
        }
        at = end.saturating_add(2);
    }
    Located { at: at as u64, missing: Missing::Arguments, place }
}

struct Located {
    at: u64,
    missing: Missing,
    place: Place,
}

/// The number on the line at `at` that begins with `mark`, and where the next line begins.
fn number_line(bytes: &[u8], at: usize, mark: u8) -> Option<(u64, usize)> {
    let rest = bytes.get(at..)?.strip_prefix(&[mark])?;
    let len = rest.iter().take(24).position(|byte| *byte == b'\r')?;
    let number = number::parse_u64(rest.get(..len)?)?;
    let has_end = rest.get(len + 1) == Some(&b'\n');
    has_end.then_some((number, at + 1 + len + 2))
}
