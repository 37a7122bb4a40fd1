//! Runs a transcript on any driver and reports every difference.

use std::collections::BTreeMap;

use crate::pattern::{Captures, Pattern};
use crate::quote;
use crate::transcript::{
    Act, Arg, Directive, Exchange, Notification, Request, Section, Step, StreamWord, Transcript,
};
use crate::value::Value;

pub use crate::report::{Difference, Failure, Report};

/// A command as a list of arguments.
pub type Command = Vec<Vec<u8>>;

/// Why a driver cannot go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unable {
    /// It has no such ability; the rest of the section is skipped and counted.
    Skip(String),
    /// Something broke; the section fails.
    Broken(String),
}

impl From<std::io::Error> for Unable {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// What a section needs before its first request.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Configuration for this section alone.
    pub config: &'a [Directive],
    /// [`Driver::propagated`] will be asked.
    pub propagation: bool,
    /// [`Driver::notified`] will be asked; `config` says for which classes.
    pub notifications: bool,
}

/// Something that answers requests: a handler harness, a node, a server process.
pub trait Driver {
    /// A client connection.
    type Conn;

    /// Whether this is the reference, for which `oracle:` lines are meant.
    fn is_oracle(&self) -> bool {
        false
    }

    /// A transcript begins; `start` are directives that only a start of the server can set.
    fn open_file(&mut self, start: &[Directive]) -> Result<(), Unable>;

    /// A section begins: empty databases, default configuration but for `setup`.
    fn open_section(&mut self, setup: Setup<'_>) -> Result<(), Unable>;

    /// A new client.
    fn connect(&mut self) -> Result<Self::Conn, Unable>;

    /// The client sends a command.
    fn send(&mut self, conn: &mut Self::Conn, args: &[Vec<u8>]) -> Result<(), Unable>;

    /// The client sends bytes. Drivers without a wire skip.
    fn send_raw(&mut self, _conn: &mut Self::Conn, _bytes: &[u8]) -> Result<(), Unable> {
        Err(Unable::Skip("no wire".to_owned()))
    }

    /// The client's next reply; `None` if its connection was closed by the server.
    fn reply(&mut self, conn: &mut Self::Conn) -> Result<Option<Value>, Unable>;

    /// Whether the server has nothing more to say to this client for now.
    fn is_silent(&mut self, conn: &mut Self::Conn) -> Result<bool, Unable>;

    /// The client goes away.
    fn close(&mut self, _conn: Self::Conn) -> Result<(), Unable> {
        Ok(())
    }

    /// The addresses of the client and of the server, as CLIENT LIST shows them.
    fn addresses(&mut self, _conn: &mut Self::Conn) -> Result<(String, String), Unable> {
        Err(Unable::Skip("no addresses".to_owned()))
    }

    /// Lets time pass; `false` if this driver cannot, so that the section's rest is skipped.
    fn advance(&mut self, ms: u64) -> Result<bool, Unable>;

    /// The server's clock, unix milliseconds.
    fn unix_ms(&mut self) -> Result<i64, Unable>;

    /// What was propagated since the last call; `None` if this driver cannot see it.
    fn propagated(&mut self) -> Result<Option<Vec<Command>>, Unable>;

    /// The keyspace events since the last call; `None` if this driver cannot see them.
    fn notified(&mut self) -> Result<Option<Vec<Notification>>, Unable> {
        Ok(None)
    }
}

/// Runs every section of `file`.
pub fn run<D: Driver>(driver: &mut D, file: &Transcript) -> Report {
    let mut report = Report::default();
    let skip_all = |why: &str, report: &mut Report| {
        for section in &file.sections {
            skip(report, &section.steps, why);
        }
    };
    if file.oracle_skip && driver.is_oracle() {
        skip_all("not asked of the reference", &mut report);
        return report;
    }
    match driver.open_file(&file.start) {
        Ok(()) => {}
        Err(Unable::Skip(why)) => {
            skip_all(&why, &mut report);
            return report;
        }
        Err(Unable::Broken(why)) => {
            report.failures.push(Failure {
                path: file.path.clone(),
                line: 1,
                section: String::new(),
                request: "start of the server".to_owned(),
                difference: Difference::Broken(why),
            });
            return report;
        }
    }
    for section in &file.sections {
        if section.oracle_skip && driver.is_oracle() {
            skip(&mut report, &section.steps, "not asked of the reference");
            continue;
        }
        SectionRun { driver: &mut *driver, file, section, conns: BTreeMap::new() }.run(&mut report);
    }
    report
}

fn skip(report: &mut Report, steps: &[Step], why: &str) {
    let requests = steps.iter().filter(|step| matches!(step.act, Act::Exchange(_))).count();
    if requests > 0 {
        *report.skipped.entry(why.to_owned()).or_default() += requests;
    }
}

struct SectionRun<'a, D: Driver> {
    driver: &'a mut D,
    file: &'a Transcript,
    section: &'a Section,
    conns: BTreeMap<String, D::Conn>,
}

impl<D: Driver> SectionRun<'_, D> {
    fn run(mut self, report: &mut Report) {
        let propagation = self.section.watches_propagation();
        let notifications = self.section.notifications;
        let setup = Setup { config: &self.section.config, propagation, notifications };
        let opened = self.driver.open_section(setup);
        let mut captures = Captures::new();
        let mut left = self.section.steps.as_slice();
        let mut state = opened;
        while let (Ok(()), Some((step, rest))) = (&state, left.split_first()) {
            let mut differences = Vec::new();
            state = self.step(step, &mut captures, report, &mut differences);
            for difference in differences {
                report.failures.push(self.failure(step, difference));
            }
            if state.is_ok() {
                left = rest;
            }
        }
        match state {
            Ok(()) => {}
            Err(Unable::Skip(why)) => skip(report, left, &why),
            Err(Unable::Broken(why)) => {
                if let Some(step) = left.first() {
                    report.failures.push(self.failure(step, Difference::Broken(why)));
                }
                skip(report, left.get(1..).unwrap_or_default(), "an earlier step failed");
            }
        }
    }

    fn failure(&self, step: &Step, difference: Difference) -> Failure {
        Failure {
            path: self.file.path.clone(),
            line: step.line,
            section: self.section.name.clone(),
            request: step.text.clone(),
            difference,
        }
    }

    fn step(
        &mut self,
        step: &Step,
        captures: &mut Captures,
        report: &mut Report,
        differences: &mut Vec<Difference>,
    ) -> Result<(), Unable> {
        match &step.act {
            Act::Advance { ms } => {
                if self.driver.advance(*ms)? {
                    return Ok(());
                }
                Err(Unable::Skip("time steps this driver cannot take".to_owned()))
            }
            Act::Close { conn } => match self.conns.remove(conn) {
                Some(conn) => self.driver.close(conn),
                None => Ok(()),
            },
            Act::Exchange(exchange) => self.exchange(exchange, captures, report, differences),
        }
    }

    fn exchange(
        &mut self,
        exchange: &Exchange,
        captures: &mut Captures,
        report: &mut Report,
        differences: &mut Vec<Difference>,
    ) -> Result<(), Unable> {
        let oracle = self.driver.is_oracle();
        let replies = match &exchange.oracle {
            Some(replies) if oracle => replies,
            _ => &exchange.replies,
        };
        let stream = match &exchange.oracle_propagated {
            Some(stream) if oracle => Some(stream),
            _ => exchange.propagated.as_ref(),
        };
        let clocked = stream.is_some();
        let before = if clocked { self.driver.unix_ms()? } else { 0 };
        let mut conn = match self.conns.remove(&exchange.conn) {
            Some(conn) => conn,
            None => self.connect()?,
        };
        self.send(&mut conn, exchange, captures)?;
        let mut open = true;
        for expected in replies {
            if let Some(got) = self.reply(&mut conn, &expected.pattern, captures, &mut open)? {
                differences.push(Difference::Reply { expected: expected.text.clone(), got });
            }
        }
        if open {
            self.conns.insert(exchange.conn.clone(), conn);
        }
        report.run += 1;
        self.compare_events(exchange, report, differences)?;
        if !self.section.watches_propagation() {
            return Ok(());
        }
        let after = if clocked { self.driver.unix_ms()? } else { 0 };
        let (Some(got), Some(expected)) = (self.driver.propagated()?, stream) else {
            return Ok(());
        };
        report.propagations += 1;
        if !stream_matches(expected, &got, before, after) {
            let expected = expected.iter().map(|command| stream_line(command)).collect();
            differences.push(Difference::Stream { expected, got, unix_ms: before });
        }
        Ok(())
    }

    /// Compares the keyspace events of a request, in a section where they are.
    fn compare_events(
        &mut self,
        exchange: &Exchange,
        report: &mut Report,
        differences: &mut Vec<Difference>,
    ) -> Result<(), Unable> {
        if !self.section.notifications {
            return Ok(());
        }
        let expected = match &exchange.oracle_notified {
            Some(events) if self.driver.is_oracle() => events.as_slice(),
            _ => exchange.notified.as_deref().unwrap_or_default(),
        };
        let Some(got) = self.driver.notified()? else { return Ok(()) };
        report.notifications += 1;
        if got != expected {
            differences.push(Difference::Events { expected: expected.to_vec(), got });
        }
        Ok(())
    }

    /// Reads one reply; what came instead, if it is not the expected one.
    fn reply(
        &mut self,
        conn: &mut D::Conn,
        expected: &Pattern,
        captures: &mut Captures,
        open: &mut bool,
    ) -> Result<Option<String>, Unable> {
        if *expected == Pattern::Later {
            return Ok(None);
        }
        if !*open {
            return Ok(Some("(closed)".to_owned()));
        }
        if *expected == Pattern::Silence && self.driver.is_silent(conn)? {
            return Ok(None);
        }
        let Some(value) = self.driver.reply(conn)? else {
            *open = false;
            let wanted = *expected == Pattern::Closed;
            return Ok((!wanted).then(|| "(closed)".to_owned()));
        };
        Ok((!expected.matches(&value, captures)).then(|| format!("{value:#}")))
    }

    fn connect(&mut self) -> Result<D::Conn, Unable> {
        let mut conn = self.driver.connect()?;
        if self.section.resp3 {
            self.driver.send(&mut conn, &[b"HELLO".to_vec(), b"3".to_vec()])?;
            match self.driver.reply(&mut conn)? {
                Some(Value::Map(_)) => {}
                other => return Err(Unable::Broken(format!("HELLO 3 answered {other:?}"))),
            }
        }
        Ok(conn)
    }

    fn send(
        &mut self,
        conn: &mut D::Conn,
        exchange: &Exchange,
        captures: &Captures,
    ) -> Result<(), Unable> {
        match &exchange.request {
            Request::Nothing => Ok(()),
            Request::Raw(bytes) => self.driver.send_raw(conn, bytes),
            Request::Args(args) => {
                let args: Result<Vec<_>, _> =
                    args.iter().map(|arg| self.argument(arg, conn, exchange, captures)).collect();
                self.driver.send(conn, &args?)
            }
        }
    }

    fn argument(
        &mut self,
        arg: &Arg,
        own: &mut D::Conn,
        exchange: &Exchange,
        captures: &Captures,
    ) -> Result<Vec<u8>, Unable> {
        let text = match arg {
            Arg::Bytes(bytes) => return Ok(bytes.clone()),
            Arg::Captured(name) => match captures.get(name) {
                Some(n) => n.to_string(),
                None => return Err(Unable::Broken(format!("${name} was never captured"))),
            },
            Arg::ClientAddress(conn) => self.addresses(conn, own, exchange)?.0,
            Arg::ServerAddress(conn) => self.addresses(conn, own, exchange)?.1,
            Arg::UnixMs(offset) => (self.driver.unix_ms()? + offset).to_string(),
            Arg::UnixSeconds(offset) => (self.driver.unix_ms()? / 1000 + offset).to_string(),
        };
        Ok(text.into_bytes())
    }

    fn addresses(
        &mut self,
        name: &str,
        own: &mut D::Conn,
        exchange: &Exchange,
    ) -> Result<(String, String), Unable> {
        if name == exchange.conn {
            return self.driver.addresses(own);
        }
        match self.conns.get_mut(name) {
            Some(conn) => self.driver.addresses(conn),
            None => Err(Unable::Broken(format!("no connection {name:?}"))),
        }
    }
}

/// The stream's own bookkeeping: compared only where an expectation writes it.
const BOOKKEEPING: [&[u8]; 3] = [b"SELECT", b"MULTI", b"EXEC"];

/// Whether a propagated command is the stream's own bookkeeping.
#[must_use]
pub fn is_bookkeeping(command: &Command) -> bool {
    command.first().is_some_and(|name| BOOKKEEPING.iter().any(|b| name.eq_ignore_ascii_case(b)))
}

fn stream_matches(expected: &[Vec<StreamWord>], got: &[Command], before: i64, after: i64) -> bool {
    let written = |name: &[u8]| {
        expected.iter().any(|command| match command.first() {
            Some(StreamWord::Bytes(bytes)) => bytes.eq_ignore_ascii_case(name),
            _ => false,
        })
    };
    let ignored: Vec<&[u8]> = BOOKKEEPING.into_iter().filter(|name| !written(name)).collect();
    let got: Vec<&Command> = got
        .iter()
        .filter(|command| {
            let name = command.first().map_or(&[][..], Vec::as_slice);
            !ignored.iter().any(|ignored| name.eq_ignore_ascii_case(ignored))
        })
        .collect();
    expected.len() == got.len()
        && expected.iter().zip(got).all(|(words, args)| {
            words.len() == args.len()
                && words.iter().zip(args).enumerate().all(|(at, (word, arg))| match word {
                    StreamWord::Any => true,
                    StreamWord::Bytes(bytes) if at == 0 => bytes.eq_ignore_ascii_case(arg),
                    StreamWord::Bytes(bytes) => bytes == arg,
                    StreamWord::UnixMs(offset) => {
                        let ms = str::from_utf8(arg).ok().and_then(|text| text.parse::<i64>().ok());
                        ms.is_some_and(|ms| (before + offset..=after + offset).contains(&ms))
                    }
                })
        })
}

fn stream_line(words: &[StreamWord]) -> String {
    let words = words.iter().map(|word| match word {
        StreamWord::Any => "?".to_owned(),
        StreamWord::UnixMs(offset) => format!("@{offset:+}"),
        StreamWord::Bytes(bytes) => quote::line(core::slice::from_ref(bytes)),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::Mode;
    use std::path::Path;

    /// Answers `SAY a b` with the bulks a and b one after the other, and propagates `DID <now>`.
    #[derive(Default)]
    struct Parrot {
        now: i64,
        sections: usize,
        stream: Vec<Command>,
        oracle: bool,
    }

    impl Driver for Parrot {
        type Conn = Vec<Value>;

        fn is_oracle(&self) -> bool {
            self.oracle
        }
        fn open_file(&mut self, start: &[Directive]) -> Result<(), Unable> {
            if start.is_empty() { Ok(()) } else { Err(Unable::Skip("no start".into())) }
        }
        fn open_section(&mut self, _: Setup<'_>) -> Result<(), Unable> {
            self.sections += 1;
            Ok(())
        }
        fn connect(&mut self) -> Result<Self::Conn, Unable> {
            Ok(Vec::new())
        }
        fn send(&mut self, conn: &mut Self::Conn, args: &[Vec<u8>]) -> Result<(), Unable> {
            conn.extend(args.iter().skip(1).map(|arg| Value::Bulk(arg.clone())));
            self.stream.push(vec![b"DID".to_vec(), self.now.to_string().into_bytes()]);
            Ok(())
        }
        fn reply(&mut self, conn: &mut Self::Conn) -> Result<Option<Value>, Unable> {
            Ok((!conn.is_empty()).then(|| conn.remove(0)))
        }
        fn is_silent(&mut self, conn: &mut Self::Conn) -> Result<bool, Unable> {
            Ok(conn.is_empty())
        }
        fn advance(&mut self, ms: u64) -> Result<bool, Unable> {
            self.now += ms as i64;
            Ok(ms < 1000)
        }
        fn unix_ms(&mut self) -> Result<i64, Unable> {
            Ok(self.now)
        }
        fn propagated(&mut self) -> Result<Option<Vec<Command>>, Unable> {
            Ok(Some(core::mem::take(&mut self.stream)))
        }
    }

    fn parrot(text: &str, oracle: bool) -> Report {
        let file = Transcript::parse(Path::new("p.vt"), text, Mode::Complete).unwrap();
        run(&mut Parrot { oracle, ..Parrot::default() }, &file)
    }

    #[test]
    fn matching_replies_pass_and_others_name_their_line() {
        let report =
            parrot("> SAY a b\n\"a\"\n\"b\"\n\n> SAY\n(closed)\n\n> SAY c\n\"d\"\n", false);
        assert_eq!((report.run, report.failures.len()), (3, 1));
        let shown = report.to_string();
        assert!(
            shown.contains("p.vt:8: [] > SAY c\n  expected \"d\"\n  got      \"c\""),
            "{shown}"
        );
    }

    #[test]
    fn a_reply_too_many_is_seen_where_silence_is_expected() {
        assert!(parrot("> SAY\n(none)\n", false).failures.is_empty());
        assert_eq!(parrot("> SAY a\n(none)\n", false).failures.len(), 1);
    }

    #[test]
    fn a_reply_may_be_read_by_a_later_step() {
        assert!(parrot("> SAY a\n(later)\n@ +5ms\n<\n\"a\"\n", false).failures.is_empty());
        assert_eq!(parrot("> SAY a\n(later)\n> SAY\n(none)\n", false).failures.len(), 1);
    }

    #[test]
    fn the_reference_is_held_to_its_own_lines() {
        let text = "> SAY a\n\"b\"\noracle: \"a\"\n== s\n! oracle skip\n> SAY a\n\"a\"\n";
        assert_eq!(parrot(text, false).failures.len(), 1);
        let report = parrot(text, true);
        assert!(report.failures.is_empty());
        assert_eq!(report.skipped.values().sum::<usize>(), 1);
    }

    #[test]
    fn propagation_is_compared_with_the_clock_of_the_request() {
        let text = "> SAY a\n\"a\"\n=> did @+0\n@ +5ms\n> SAY $ms+1\n\"6\"\n=> DID 5\n";
        let report = parrot(text, false);
        assert!(report.failures.is_empty(), "{report}");
        assert_eq!(report.propagations, 2);
        assert_eq!(parrot("> SAY a\n\"a\"\n=> nothing\n", false).failures.len(), 1);
        assert_eq!(parrot("> SAY a\n\"a\"\n=> DID @+1\n", false).failures.len(), 1);
    }

    #[test]
    fn what_a_driver_cannot_do_skips_the_rest_of_the_section() {
        let report = parrot("@ +1000ms\n> SAY a\n\"x\"\n== b\n> SAY a\n\"a\"\n", false);
        assert_eq!((report.run, report.failures.len()), (1, 0));
        assert_eq!(report.skipped.values().sum::<usize>(), 1);
        let report = parrot("raw> \"x\"\n+OK\n> SAY a\n\"a\"\n", false);
        assert_eq!(report.skipped.get("no wire"), Some(&2));
        let report = parrot("! start databases 4\n> SAY a\n\"a\"\n", false);
        assert_eq!(report.skipped.get("no start"), Some(&1));
    }

    #[test]
    fn bookkeeping_counts_only_where_it_is_written() {
        let command = |text: &str| -> Command {
            text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
        };
        let got = [command("MULTI"), command("SELECT 1"), command("DEL k"), command("EXEC")];
        let words = |text: &str| -> Vec<StreamWord> {
            text.split(' ').map(|w| StreamWord::Bytes(w.as_bytes().to_vec())).collect()
        };
        assert!(stream_matches(&[words("DEL k")], &got, 0, 0));
        assert!(stream_matches(&[words("SELECT 1"), words("DEL k")], &got, 0, 0));
        assert!(!stream_matches(&[words("SELECT 2"), words("DEL k")], &got, 0, 0));
        assert!(!stream_matches(&[words("DEL k"), words("MULTI")], &got, 0, 0));
        assert!(!stream_matches(&[], &got, 0, 0));
    }
}
