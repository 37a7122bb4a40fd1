//! Differential fuzzing: the same random requests to two servers, their replies compared.
//!
//! A seed gives one sequence of requests, always the same. Both servers begin empty; even seeds
//! speak RESP2 and odd ones RESP3. The keyspace events that the requests bring about are compared
//! too, all but those of expiry, whose time is nobody's choice, and of missed keys. At the first
//! difference the sequence is shrunk: requests are taken out as long as some difference remains.

mod compare;
mod grammar;

use core::fmt;
use core::ops::Range;
use std::io;

use crate::client::{Client, encode};
use crate::quote;
use crate::runner::Command;
use crate::value::Value;

pub use compare::agree;
pub use grammar::sequence;

/// Requests that are sent before their replies are read.
const REQUESTS_AT_ONCE: usize = 16;

/// The keyspace events that are compared.
const EVENTS: &str = "g$lshztnE";

/// Where the end of a sequence is marked for who listens.
const MARKERS: &str = "testkit";

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
    /// What differed, at most ten in a run, which then ends.
    pub mismatches: Vec<Mismatch>,
}

impl Report {
    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.requests += other.requests;
        self.mismatches.extend(other.mismatches);
        self
    }
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
    let (mut ours, mut reference) = (Side::new(ours)?, Side::new(reference)?);
    for seed in seeds {
        if report.mismatches.len() == MISMATCHES_MAX {
            break;
        }
        let found = one(seed, &mut ours, &mut reference, &mut report)
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
    ours: &mut Side<'_>,
    reference: &mut Side<'_>,
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
    ours: &mut Side<'_>,
    reference: &mut Side<'_>,
) -> io::Result<Option<Difference>> {
    for client in [&mut *ours.client, &mut *reference.client] {
        client.command(&["HELLO", if speaks_resp3(seed) { "3" } else { "2" }])?;
        client.command(&["SELECT", "0"])?;
        client.command(&["FLUSHALL"])?;
    }
    let mut found = None;
    let mut numbered = commands.iter().enumerate();
    for chunk in commands.chunks(REQUESTS_AT_ONCE) {
        let bytes: Vec<u8> = chunk.iter().flat_map(|command| encode(command)).collect();
        ours.client.send_raw(&bytes)?;
        reference.client.send_raw(&bytes)?;
        for (at, command) in numbered.by_ref().take(chunk.len()) {
            let closed = || io::Error::other("the connection was closed");
            let (ours, reference) = (
                ours.client.reply()?.ok_or_else(closed)?,
                reference.client.reply()?.ok_or_else(closed)?,
            );
            if found.is_none() && !agree(command, &ours, &reference) {
                found = Some(Difference { at, ours, reference });
            }
        }
        if found.is_some() {
            break;
        }
    }
    let (told_ours, told_reference) = (ours.events()?, reference.events()?);
    if found.is_none() && told_ours != told_reference {
        let (ours, reference) = (Value::Array(told_ours), Value::Array(told_reference));
        found = Some(Difference { at: commands.len().saturating_sub(1), ours, reference });
    }
    Ok(found)
}

/// One of the two servers.
struct Side<'a> {
    client: &'a mut Client,
    /// Gets the keyspace events; `None` if the server has none.
    listener: Option<Client>,
}

impl<'a> Side<'a> {
    fn new(client: &'a mut Client) -> io::Result<Self> {
        let Some((_, server)) = client.addresses() else {
            return Ok(Self { client, listener: None });
        };
        client.command(&["CONFIG", "SET", "notify-keyspace-events", EVENTS])?;
        let mut listener = Client::tcp(server)?;
        let confirmed = listener.command(&["PSUBSCRIBE", "__keyevent@*__:*", MARKERS])?;
        if confirmed.items().is_none() {
            return Ok(Self { client, listener: None });
        }
        listener.reply()?;
        Ok(Self { client, listener: Some(listener) })
    }

    /// The keyspace events since the last call, as their channels and keys.
    fn events(&mut self) -> io::Result<Vec<Value>> {
        let Some(listener) = &mut self.listener else { return Ok(Vec::new()) };
        // A sequence may leave its client in a state in which it cannot publish.
        self.client.command(&["RESET"])?;
        self.client.command(&["PUBLISH", MARKERS, ""])?;
        let mut events = Vec::new();
        loop {
            let message = listener.reply()?.ok_or_else(|| io::Error::other("nobody is heard"))?;
            let Some([_, _, channel, key]) = message.items() else { continue };
            if channel.text() == Some(MARKERS.as_bytes()) {
                return Ok(events);
            }
            // XCLAIM and XREADGROUP make a consumer since 7.2 even when it gets nothing, which can
            // then be removed.
            let is_about_consumer =
                |name: &[u8]| name.ends_with(b"createconsumer") || name.ends_with(b"delconsumer");
            if channel.text().is_some_and(|name| !is_about_consumer(name)) {
                events.push(Value::Array(vec![channel.clone(), key.clone()]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    fn answer_all(mut stream: TcpStream, bad: Option<&[u8]>) {
        stream.set_nodelay(true).unwrap();
        let (mut chunk, mut received) = (vec![0; 1 << 16], Vec::new());
        loop {
            let len = stream.read(&mut chunk).unwrap_or(0);
            if len == 0 {
                break;
            }
            received.extend_from_slice(&chunk[..len]);
            while let Some((_, len)) = Value::decode(&received).unwrap() {
                let request: Vec<u8> = received.drain(..len).collect();
                let is_bad = bad.is_some_and(|bad| request.windows(bad.len()).any(|w| w == bad));
                let reply: &[u8] = if is_bad { b":1\r\n" } else { b"+OK\r\n" };
                stream.write_all(reply).unwrap();
            }
        }
    }

    /// A server that answers `+OK`, but `:1` to requests that hold `bad`.
    fn server(bad: Option<&'static [u8]>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                std::thread::spawn(move || answer_all(stream, bad));
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
