//! The reader of transcripts: lines into steps.

use core::iter::Peekable;
use std::path::Path;

use super::{
    Act, Arg, Directive, Exchange, Expected, Mode, Notification, RECORD, Request, Section, Step,
    StreamWord, Transcript,
};
use crate::pattern::{BadPattern, Pattern};
use crate::quote::{self, Word};

/// Line number and what is wrong there.
pub(super) type Wrong = (usize, String);

/// Reads a whole file; `path` is for messages.
pub(super) fn file(path: &Path, text: &str, mode: Mode) -> Result<Transcript, Wrong> {
    let file = Transcript {
        path: path.to_owned(),
        start: Vec::new(),
        oracle_skip: false,
        sections: Vec::new(),
    };
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line)).peekable();
    let mut reader = Reader { lines, mode, file };
    reader.read()?;
    Ok(reader.file)
}

struct Reader<'a, I: Iterator<Item = (usize, &'a str)>> {
    lines: Peekable<I>,
    mode: Mode,
    file: Transcript,
}

/// What a line says, by its first characters.
enum Line<'a> {
    Blank,
    Header(&'a str),
    Option(&'a str),
    Advance(&'a str),
    Close(&'a str),
    Request { conn: &'a str, raw: bool, text: &'a str },
    More { conn: &'a str },
    Propagated(&'a str),
    OraclePropagated(&'a str),
    Notified(&'a str),
    OracleNotified(&'a str),
    OracleReply(&'a str),
    Reply(&'a str),
}

fn classify(line: &str) -> Line<'_> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') && !matches!(line, "#t" | "#f") {
        return Line::Blank;
    }
    let after = |prefix: &str| line.strip_prefix(prefix).map(str::trim);
    if let Some(name) = after("== ") {
        return Line::Header(name);
    }
    if let Some(option) = after("! ") {
        return Line::Option(option);
    }
    if let Some(step) = after("@ ") {
        return Line::Advance(step);
    }
    if let Some(conn) = after("close ") {
        return Line::Close(conn);
    }
    if let Some(reply) = after("oracle: ") {
        return Line::OracleReply(reply);
    }
    if let Some(words) = after("oracle=>") {
        return Line::OraclePropagated(words);
    }
    if let Some(words) = after("=>") {
        return Line::Propagated(words);
    }
    if let Some(words) = after("oracle~>") {
        return Line::OracleNotified(words);
    }
    if let Some(words) = after("~>") {
        return Line::Notified(words);
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ' ';
    let end = line.find(|c| !word(c)).unwrap_or(line.len());
    let (head, rest) = line.split_at(end);
    let (conn, raw) = match head.split_once("raw") {
        Some((conn, "")) => (conn.trim(), true),
        _ => (head, false),
    };
    match (rest.strip_prefix('>'), rest.strip_prefix('<')) {
        _ if conn.contains(' ') => Line::Reply(line),
        (Some(text), _) if text.is_empty() || text.starts_with(' ') => {
            Line::Request { conn, raw, text }
        }
        (_, Some("")) if !raw => Line::More { conn },
        _ => Line::Reply(line),
    }
}

impl<'a, I: Iterator<Item = (usize, &'a str)>> Reader<'a, I> {
    fn read(&mut self) -> Result<(), Wrong> {
        while let Some((line, text)) = self.lines.next() {
            match classify(text) {
                Line::Blank => {}
                Line::Header(name) => self.file.sections.push(Section {
                    name: name.to_owned(),
                    line,
                    ..Section::default()
                }),
                Line::Option(option) => self.option(option).map_err(|why| (line, why))?,
                Line::Advance(step) => {
                    let ms = milliseconds(step).map_err(|why| (line, why))?;
                    self.push(line, line, text, Act::Advance { ms });
                }
                Line::Close(conn) => {
                    let conn = conn.to_owned();
                    self.push(line, line, text, Act::Close { conn });
                }
                Line::More { conn } => self.exchange(line, text, conn, Request::Nothing)?,
                Line::Request { conn, raw, text: words } => {
                    let request = request(words, raw).map_err(|why| (line, why))?;
                    self.exchange(line, text, conn, request)?;
                }
                Line::Propagated(_)
                | Line::OraclePropagated(_)
                | Line::Notified(_)
                | Line::OracleNotified(_)
                | Line::OracleReply(_)
                | Line::Reply(_) => {
                    return Err((line, format!("no request for this line: {}", text.trim())));
                }
            }
        }
        Ok(())
    }

    fn option(&mut self, option: &str) -> Result<(), String> {
        let words = quote::split(option)?;
        let words: Vec<String> =
            words.iter().map(|w| String::from_utf8_lossy(&w.bytes).into_owned()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let directive = |name: &str, values: &[&str]| Directive {
            name: name.to_owned(),
            value: values.join(" "),
        };
        match (words.as_slice(), self.file.sections.last_mut()) {
            (["start", name, values @ ..], None) => self.file.start.push(directive(name, values)),
            (["start", ..], Some(_)) => {
                return Err("`! start` must stand before any section".to_owned());
            }
            (["oracle", "skip"], None) => self.file.oracle_skip = true,
            (_, None) => return Err("this option must stand in a section".to_owned()),
            (_, Some(section)) if !section.steps.is_empty() => {
                return Err("options stand before the section's first request".to_owned());
            }
            (["oracle", "skip"], Some(section)) => section.oracle_skip = true,
            (["resp", "3"], Some(section)) => section.resp3 = true,
            (["notifications", classes @ ..], Some(section)) if classes.len() < 2 => {
                let classes = classes.first().copied().unwrap_or("A");
                section.notifications = true;
                section.config.push(directive("notify-keyspace-events", &[&format!("E{classes}")]));
            }
            (["config", name, values @ ..], Some(section)) => {
                section.config.push(directive(name, values));
            }
            _ => return Err(format!("unknown option: {option}")),
        }
        Ok(())
    }

    fn push(&mut self, line: usize, last_line: usize, text: &str, act: Act) {
        if self.file.sections.is_empty() {
            self.file.sections.push(Section::default());
        }
        if let Some(section) = self.file.sections.last_mut() {
            section.steps.push(Step { line, last_line, text: text.trim().to_owned(), act });
        }
    }

    fn exchange(
        &mut self,
        line: usize,
        text: &str,
        conn: &str,
        request: Request,
    ) -> Result<(), Wrong> {
        let mut exchange = Exchange {
            conn: conn.to_owned(),
            request,
            replies: Vec::new(),
            oracle: None,
            propagated: None,
            oracle_propagated: None,
            notified: None,
            oracle_notified: None,
        };
        let mut last_line = line;
        while let Some(&(at, text)) = self.lines.peek() {
            match classify(text) {
                Line::Reply(reply) => {
                    self.lines.next();
                    let expected = self.pattern(at, reply, &mut last_line)?;
                    if expected.pattern == Pattern::Record && self.mode == Mode::Complete {
                        return Err((at, "this reply was never recorded".to_owned()));
                    }
                    exchange.replies.push(expected);
                }
                Line::OracleReply(reply) => {
                    self.lines.next();
                    let pattern = match reply {
                        reply @ "skip" => {
                            last_line = at;
                            Expected { pattern: Pattern::Any, text: reply.to_owned() }
                        }
                        reply => self.pattern(at, reply, &mut last_line)?,
                    };
                    exchange.oracle.get_or_insert_default().push(pattern);
                }
                Line::Propagated(words) => {
                    self.lines.next();
                    last_line = at;
                    add_propagated(&mut exchange.propagated, words).map_err(|why| (at, why))?;
                }
                Line::OraclePropagated(words) => {
                    self.lines.next();
                    last_line = at;
                    add_propagated(&mut exchange.oracle_propagated, words)
                        .map_err(|why| (at, why))?;
                }
                Line::Notified(words) => {
                    self.lines.next();
                    last_line = at;
                    self.add_event(&mut exchange.notified, words).map_err(|why| (at, why))?;
                }
                Line::OracleNotified(words) => {
                    self.lines.next();
                    last_line = at;
                    self.add_event(&mut exchange.oracle_notified, words)
                        .map_err(|why| (at, why))?;
                }
                Line::Blank
                | Line::Header(_)
                | Line::Option(_)
                | Line::Advance(_)
                | Line::Close(_)
                | Line::Request { .. }
                | Line::More { .. } => break,
            }
        }
        if exchange.replies.is_empty() {
            if self.mode == Mode::Complete {
                return Err((line, "no expected reply; write (none) if none comes".to_owned()));
            }
            let expected = Expected { pattern: Pattern::Record, text: RECORD.to_owned() };
            exchange.replies.push(expected);
        }
        self.push(line, last_line, text, Act::Exchange(exchange));
        Ok(())
    }

    /// Reads what stands behind `~>`.
    fn add_event(&self, list: &mut Option<Vec<Notification>>, text: &str) -> Result<(), String> {
        if !self.file.sections.last().is_some_and(|section| section.notifications) {
            return Err("events are compared only in a section with `! notifications`".to_owned());
        }
        let list = list.get_or_insert_default();
        if text == "none" {
            return Ok(());
        }
        if text == RECORD && self.mode == Mode::Draft {
            list.push(Notification { db: 0, event: RECORD.into(), key: Vec::new() });
            return Ok(());
        }
        let mut words: Vec<Vec<u8>> = quote::split(text)?.into_iter().map(|w| w.bytes).collect();
        let number = words.first().and_then(|word| str::from_utf8(word).ok()?.parse::<u64>().ok());
        if number.is_some() {
            words.remove(0);
        }
        let [event, key] = <[Vec<u8>; 2]>::try_from(words)
            .map_err(|_| format!("expected [database] event key, not {text}"))?;
        list.push(Notification { db: number.unwrap_or(0), event, key });
        Ok(())
    }

    /// A pattern that begins with `text`, taking further lines while brackets are open.
    fn pattern(&mut self, at: usize, text: &str, last: &mut usize) -> Result<Expected, Wrong> {
        let mut whole = text.to_owned();
        *last = at;
        loop {
            match Pattern::parse(&whole) {
                Ok(pattern) => return Ok(Expected { pattern, text: whole }),
                Err(BadPattern::Wrong(why)) => return Err((*last, why)),
                Err(BadPattern::Incomplete) => {
                    let Some((next, line)) = self.lines.next() else {
                        return Err((at, "a bracket is not closed".to_owned()));
                    };
                    *last = next;
                    whole.push('\n');
                    whole.push_str(line);
                }
            }
        }
    }
}

fn milliseconds(step: &str) -> Result<u64, String> {
    let digits = step.strip_prefix('+').and_then(|s| s.strip_suffix("ms"));
    digits.and_then(|d| d.parse().ok()).ok_or_else(|| format!("expected +<n>ms, not {step}"))
}

fn request(text: &str, raw: bool) -> Result<Request, String> {
    let words = quote::split(text)?;
    if words.is_empty() {
        return Err("an empty request".to_owned());
    }
    if raw {
        if !words.iter().all(|word| word.quoted) {
            return Err("raw bytes stand between quotes".to_owned());
        }
        return Ok(Request::Raw(words.into_iter().flat_map(|word| word.bytes).collect()));
    }
    Ok(Request::Args(words.into_iter().map(argument).collect()))
}

fn argument(word: Word) -> Arg {
    let name = str::from_utf8(&word.bytes).ok().and_then(|text| text.strip_prefix('$'));
    let Some(name) = name.filter(|name| !word.quoted && !name.is_empty()) else {
        return Arg::Bytes(word.bytes);
    };
    let clock = |unit: &str| {
        let offset = name.strip_prefix(unit)?;
        let signed = offset.starts_with(['+', '-']);
        if signed { offset.parse::<i64>().ok() } else { None }
    };
    let address = |kind: &str| match name.strip_prefix(kind) {
        Some("") => Some(String::new()),
        Some(rest) => rest.strip_prefix('.').map(str::to_owned),
        None => None,
    };
    if let Some(offset) = clock("ms") {
        Arg::UnixMs(offset)
    } else if let Some(offset) = clock("s") {
        Arg::UnixSeconds(offset)
    } else if let Some(conn) = address("addr") {
        Arg::ClientAddress(conn)
    } else if let Some(conn) = address("laddr") {
        Arg::ServerAddress(conn)
    } else {
        Arg::Captured(name.to_owned())
    }
}

fn add_propagated(list: &mut Option<Vec<Vec<StreamWord>>>, text: &str) -> Result<(), String> {
    let list = list.get_or_insert_default();
    if text != "nothing" {
        let words = quote::split(text)?;
        list.push(words.into_iter().map(stream_word).collect());
    }
    Ok(())
}

fn stream_word(word: Word) -> StreamWord {
    let text = if word.quoted { None } else { str::from_utf8(&word.bytes).ok() };
    if text == Some("?") {
        return StreamWord::Any;
    }
    match text.and_then(|t| t.strip_prefix('@')).and_then(|offset| offset.parse().ok()) {
        Some(offset) => StreamWord::UnixMs(offset),
        None => StreamWord::Bytes(word.bytes),
    }
}
