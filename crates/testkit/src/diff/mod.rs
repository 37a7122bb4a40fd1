//! Differential fuzzing: the same random requests to two servers, their replies compared.
//!
//! A seed gives one sequence of requests, always the same. Both servers begin empty; even seeds
//! speak RESP2 and odd ones RESP3. At the first difference the sequence is shrunk: requests are
//! taken out as long as some difference remains.

mod compare;
mod grammar;

use core::fmt;
use core::ops::Range;
use std::io;

use crate::client::Client;
use crate::quote;
use crate::runner::Command;
use crate::value::Value;

pub use compare::agree;
pub use grammar::sequence;

/// Sequences that differ are shrunk and reported until there are this many.
const MISMATCHES_MAX: usize = 10;

/// A shortest sequence that two servers answer differently.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// What [`sequence`] was given.
    pub seed: u64,
    /// The requests after shrinking; the last one is answered differently.
    pub commands: Vec<Command>,
    /// Our reply to it.
    pub ours: Value,
    /// The reference's reply to it.
    pub reference: Value,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if speaks_resp3(self.seed) { 3 } else { 2 };
        writeln!(f, "seed {}, RESP{protocol}:", self.seed)?;
        self.commands.iter().try_for_each(|command| writeln!(f, "> {}", quote::line(command)))?;
        write!(f, "  reference {}\n  ours      {}", self.reference, self.ours)
    }
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sequences that were run.
    pub seeds: usize,
    /// Requests whose replies were compared, shrinking not counted.
    pub requests: usize,
    /// What differed, at most ten: then the run ends.
    pub mismatches: Vec<Mismatch>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mismatches.iter().try_for_each(|mismatch| writeln!(f, "{mismatch}\n"))?;
        let Self { seeds, requests, mismatches } = self;
        write!(f, "{seeds} seeds, {requests} requests, {} mismatches", mismatches.len())
    }
}

/// Runs the sequences of `seeds` on both servers, which lose all their data.
///
/// The error is a connection that broke (a server that crashed), and names the seed.
pub fn run(seeds: Range<u64>, ours: &mut Client, reference: &mut Client) -> io::Result<Report> {
    let mut report = Report::default();
    for seed in seeds {
        if report.mismatches.len() == MISMATCHES_MAX {
            break;
        }
        let found = one(seed, ours, reference, &mut report)
            .map_err(|error| io::Error::new(error.kind(), format!("seed {seed}: {error}")))?;
        report.seeds += 1;
        report.mismatches.extend(found);
    }
    Ok(report)
}

fn speaks_resp3(seed: u64) -> bool {
    seed % 2 == 1
}

/// The first difference of a pass: where, and the two replies.
struct Difference {
    at: usize,
    ours: Value,
    reference: Value,
}

fn one(
    seed: u64,
    ours: &mut Client,
    reference: &mut Client,
    report: &mut Report,
) -> io::Result<Option<Mismatch>> {
    let mut commands = sequence(seed);
    report.requests += commands.len();
    let Some(mut difference) = pass(seed, &commands, ours, reference)? else { return Ok(None) };
    commands.truncate(difference.at + 1);
    // From the end: what was set up early is often needed by what comes late.
    let mut at = commands.len();
    while at > 0 {
        at -= 1;
        let mut shorter = commands.clone();
        shorter.remove(at);
        if let Some(found) = pass(seed, &shorter, ours, reference)? {
            shorter.truncate(found.at + 1);
            at = at.min(shorter.len());
            (commands, difference) = (shorter, found);
        }
    }
    let Difference { ours, reference, .. } = difference;
    Ok(Some(Mismatch { seed, commands, ours, reference }))
}

fn pass(
    seed: u64,
    commands: &[Command],
    ours: &mut Client,
    reference: &mut Client,
) -> io::Result<Option<Difference>> {
    for client in [&mut *ours, &mut *reference] {
        client.command(&["HELLO", if speaks_resp3(seed) { "3" } else { "2" }])?;
        client.command(&["SELECT", "0"])?;
        client.command(&["FLUSHALL"])?;
    }
    for (at, command) in commands.iter().enumerate() {
        ours.send(command)?;
        reference.send(command)?;
        let closed = || io::Error::other("the connection was closed");
        let (ours, reference) =
            (ours.reply()?.ok_or_else(closed)?, reference.reply()?.ok_or_else(closed)?);
        if !agree(command, &ours, &reference) {
            return Ok(Some(Difference { at, ours, reference }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A server that answers `+OK`, but `:1` to requests that hold `bad`.
    fn server(bad: Option<&'static [u8]>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut bytes = vec![0; 1 << 16];
            while let Ok(len) = stream.read(&mut bytes) {
                if len == 0 {
                    break;
                }
                let request = &bytes[..len];
                let is_bad = bad.is_some_and(|bad| request.windows(bad.len()).any(|w| w == bad));
                let reply: &[u8] = if is_bad { b":1\r\n" } else { b"+OK\r\n" };
                stream.write_all(reply).unwrap();
            }
        });
        Client::tcp(address).unwrap()
    }

    #[test]
    fn a_difference_is_shrunk_to_the_request_that_shows_it() {
        let (mut ours, mut reference) = (server(Some(b"APPEND")), server(None));
        let report = run(0..200, &mut ours, &mut reference).unwrap();
        assert_eq!(report.mismatches.len(), MISMATCHES_MAX);
        for mismatch in &report.mismatches {
            assert_eq!(mismatch.commands.len(), 1, "{mismatch}");
            assert_eq!(mismatch.commands[0][0], b"APPEND");
        }
        assert!(report.to_string().contains("reference +OK\n  ours      :1"));
    }

    #[test]
    fn servers_that_agree_have_no_mismatch() {
        let report = run(0..20, &mut server(None), &mut server(None)).unwrap();
        assert_eq!((report.seeds, report.mismatches.len()), (20, 0));
        assert!(report.requests > 20);
    }
}
