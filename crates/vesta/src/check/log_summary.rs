//! What is in a file of requests.

use std::collections::BTreeMap;

use vesta_rt::log::date;
use vesta_types::ReplId;

use super::console::shown;

/// Bytes of the longest name of a command that is counted on its own.
const NAME_BYTES_MAX: usize = 64;
/// Names of commands that are counted on their own; a log that was damaged may have any number.
const NAMES_MAX: usize = 1000;
/// Commands that are listed.
const LISTED_MAX: usize = 30;

/// What is in a file of requests.
#[derive(Default)]
pub(super) struct LogSummary {
    /// Requests, with those that make transactions.
    pub(super) requests: u64,
    /// Transactions that are whole.
    pub(super) transactions: u64,
    /// How often each command comes.
    pub(super) commands: Commands,
    /// What the annotations tell of the time.
    pub(super) times: Times,
    history: Option<History>,
}

/// Requests of a kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Count {
    requests: u64,
    bytes: u64,
}

/// How often each command comes.
#[derive(Default)]
pub(super) struct Commands {
    /// By names in lower case.
    known: BTreeMap<Box<[u8]>, Count>,
    /// Those for which there was no room.
    other: Count,
}

/// The times of annotations, in seconds since 1970.
#[derive(Default)]
pub(super) struct Times {
    /// The first and the last one.
    span: Option<(u64, u64)>,
    /// How many are earlier than the one before them.
    backward: u64,
}

/// The histories and offsets of annotations.
struct History {
    first: (ReplId, u64),
    /// The offset behind the last request.
    last: (ReplId, u64),
}

impl LogSummary {
    /// Takes in a request of `bytes` bytes.
    pub(super) fn note_request(&mut self, name: &[u8], bytes: u64) {
        self.requests += 1;
        self.commands.note(name, bytes);
        if let Some(History { last: (_, offset), .. }) = &mut self.history {
            *offset = offset.saturating_add(bytes);
        }
    }

    /// Takes in that the next request begins at this offset of this history.
    pub(super) fn note_history(&mut self, id: ReplId, offset: u64) {
        let at = (id, offset);
        self.history.get_or_insert(History { first: at, last: at }).last = at;
    }

    /// What is told of one file; nothing if there is nothing in it.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.requests > 0 {
            let requests = counted(self.requests, "request");
            let transactions = counted(self.transactions, "transaction");
            lines.push(format!("  {requests}, {transactions}"));
        }
        if let Some((first, last)) = self.times.span {
            let (from, to) = (date(first), date(last));
            lines.push(format!("  annotated from {first} ({from}) to {last} ({to})"));
        }
        if self.times.backward > 0 {
            let times = counted(self.times.backward, "annotation");
            lines.push(format!("  {times} earlier than the one before"));
        }
        if let Some(History { first, last }) = &self.history {
            let (from, to) = (first.1, last.1);
            if first.0 == last.0 {
                lines.push(format!("  history {} from offset {from} to {to}", first.0));
            } else {
                lines.push(format!("  history {} from offset {from}", first.0));
                lines.push(format!("  history {} up to offset {to}", last.0));
            }
        }
        lines
    }
}

impl Commands {
    fn note(&mut self, name: &[u8], bytes: u64) {
        let mut room = [0; NAME_BYTES_MAX];
        let count = match room.get_mut(..name.len()) {
            Some(folded) => {
                folded.copy_from_slice(name);
                folded.make_ascii_lowercase();
                self.count(folded)
            }
            None => &mut self.other,
        };
        count.add(Count { requests: 1, bytes });
    }

    fn count(&mut self, name: &[u8]) -> &mut Count {
        if self.known.len() >= NAMES_MAX && !self.known.contains_key(name) {
            return &mut self.other;
        }
        if !self.known.contains_key(name) {
            self.known.insert(name.into(), Count::default());
        }
        self.known.get_mut(name).expect("it is there or was inserted")
    }

    /// Takes in those of another file.
    pub(super) fn add(&mut self, others: &Self) {
        for (name, count) in &others.known {
            self.count(name).add(*count);
        }
        self.other.add(others.other);
    }

    /// The table of them, the most frequent first; nothing if there are none.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut counts: Vec<(String, Count)> =
            self.known.iter().map(|(name, count)| (shown(name), *count)).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse((count.requests, count.bytes)));
        let mut rest = self.other;
        for (_, count) in counts.drain(LISTED_MAX.min(counts.len())..) {
            rest.add(count);
        }
        if rest.requests > 0 {
            counts.push(("(others)".to_owned(), rest));
        }
        if counts.is_empty() {
            return Vec::new();
        }
        let row = |name: &str, requests: &str, bytes: &str| {
            format!("  {name:<20} {requests:>14} {bytes:>18}")
        };
        let mut lines = vec![row("command", "requests", "bytes")];
        lines.extend(counts.iter().map(|(name, Count { requests, bytes })| {
            row(name, &requests.to_string(), &bytes.to_string())
        }));
        lines
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Times {
    /// Takes in an annotation.
    pub(super) fn note(&mut self, unix_s: u64) {
        let span = self.span.get_or_insert((unix_s, unix_s));
        self.backward += u64::from(unix_s < span.1);
        span.1 = unix_s;
    }
}

/// `1 key`, `2 keys`.
pub(super) fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_whatever_their_case_up_to_a_limit() {
        let mut commands = Commands::default();
        for name in [&b"SET"[..], b"set", b"del", &[b'x'; 100]] {
            commands.note(name, 10);
        }
        for number in 0..2 * NAMES_MAX {
            commands.note(format!("command{number}").as_bytes(), 1);
        }
        assert_eq!(commands.known.len(), NAMES_MAX);
        let lines = commands.lines();
        assert!(lines[1].split_whitespace().eq(["set", "2", "20"]), "{lines:?}");
        assert!(lines[2].split_whitespace().eq(["del", "1", "10"]), "{lines:?}");
        assert_eq!(lines.len(), 1 + LISTED_MAX + 1);
        let all = 2 * NAMES_MAX as u64 + 4;
        let sum: u64 = lines[1..]
            .iter()
            .map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap())
            .sum();
        assert_eq!(sum, all);
        let mut twice = Commands::default();
        twice.add(&commands);
        twice.add(&commands);
        assert!(twice.lines()[1].split_whitespace().eq(["set", "4", "40"]));
    }

    #[test]
    fn times_and_histories_are_told() {
        let mut summary = LogSummary::default();
        for unix_s in [5, 9, 7] {
            summary.times.note(unix_s);
        }
        summary.note_request(b"SELECT", 23);
        summary.note_history(ReplId::NONE, 100);
        summary.note_request(b"SET", 27);
        let text = summary.lines().join("\n");
        assert!(text.starts_with("  2 requests, 0 transactions\n  annotated from 5 ("), "{text}");
        assert!(text.contains("\n  1 annotation earlier than the one before\n"), "{text}");
        assert!(text.ends_with("00000 from offset 100 to 127"), "{text}");
    }
}
