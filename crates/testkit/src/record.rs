//! Records drafts: requests without an expectation get the reply that a driver gives.
//!
//! A request without reply lines gets one, as does each line `(record)`; a line `=> (record)`
//! becomes what was propagated, and `~> (record)` the keyspace events. In a section with
//! `! notifications` events are also put behind every request without `~>` lines. What is written
//! already stays as it is. The author reads the result and loosens what may vary.

use std::collections::BTreeMap;

use crate::quote;
use crate::runner::{Command, Difference, Report, is_bookkeeping};
use crate::transcript::{Act, RECORD, Step, Transcript};

/// The text of the draft `source` with the answers of a run of it filled in.
#[must_use]
pub fn fill(source: &str, draft: &Transcript, report: &Report) -> String {
    let mut added: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let steps = draft.sections.iter().flat_map(|section| &section.steps);
    let requests: BTreeMap<usize, &Step> = steps.map(|step| (step.line, step)).collect();
    for failure in &report.failures {
        let step = requests.get(&failure.line);
        let exchange = step.and_then(|step| match &step.act {
            Act::Exchange(exchange) => Some(exchange),
            Act::Advance { .. } | Act::Close { .. } => None,
        });
        let has_stream = exchange.is_some_and(|exchange| exchange.propagated.is_some());
        let has_events = exchange.is_some_and(|exchange| exchange.notified.is_some());
        let lines = added.entry(failure.line).or_default();
        match &failure.difference {
            Difference::Reply { expected, got } if expected == RECORD => lines.push(got.clone()),
            Difference::Stream { expected, got, unix_ms } if has_stream => {
                if expected.iter().any(|line| line == RECORD) {
                    let told = got.iter().filter(|command| !is_bookkeeping(command));
                    let before = lines.len();
                    lines.extend(told.map(|command| stream_line(command, *unix_ms)));
                    if lines.len() == before {
                        lines.push("=> nothing".to_owned());
                    }
                }
            }
            Difference::Events { expected, got } => {
                // Behind the replies, where those are written already.
                let lines = added.entry(step.map_or(0, |step| step.last_line)).or_default();
                let asked = expected.iter().any(|event| event.event == RECORD.as_bytes());
                if asked && got.is_empty() {
                    lines.push("~> none".to_owned());
                }
                if asked || !has_events {
                    lines.extend(got.iter().map(|event| format!("~> {event}")));
                }
            }
            Difference::Reply { .. } | Difference::Stream { .. } | Difference::Broken(_) => {}
        }
    }
    let mut text = String::new();
    for (at, line) in source.lines().enumerate() {
        let mark = ["=>", "~>"].into_iter().find_map(|mark| line.strip_prefix(mark));
        if mark.unwrap_or(line).trim() != RECORD {
            text.push_str(line);
            text.push('\n');
        }
        for answer in added.remove(&(at + 1)).unwrap_or_default() {
            text.push_str(&answer);
            text.push('\n');
        }
    }
    text
}

/// Unix times within this distance of the request are written relative to it.
const NEAR_MS: i64 = 1 << 40;

fn stream_line(command: &Command, unix_ms: i64) -> String {
    let mut line = "=>".to_owned();
    for (at, word) in command.iter().enumerate() {
        line.push(' ');
        let time = str::from_utf8(word).ok().and_then(|text| text.parse::<i64>().ok());
        match time.map(|ms| ms.saturating_sub(unix_ms)) {
            Some(offset) if at > 0 && word.len() >= 13 && offset.abs() < NEAR_MS => {
                // What was asked for is a round number; the clock read just before it is not.
                line.push_str(&format!("@{:+}", (offset / 100) * 100));
            }
            _ => line.push_str(&quote::line(core::slice::from_ref(word))),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::Failure;
    use crate::transcript::{Mode, Notification};
    use std::path::Path;

    #[test]
    fn answers_are_put_behind_their_requests() {
        let source = "> SET k v EX 5\n=> (record)\n\n> GET k\n\n> GET x\nnil\n";
        let draft = Transcript::parse(Path::new("d.vt"), source, Mode::Draft).unwrap();
        let failure = |line, difference| Failure {
            path: draft.path.clone(),
            line,
            section: String::new(),
            request: String::new(),
            difference,
        };
        let reply = |got: &str| Difference::Reply { expected: RECORD.into(), got: got.into() };
        let set = ["SET", "k", "v", "PXAT", "1700000005001"];
        let report = Report {
            failures: vec![
                failure(1, reply("+OK")),
                failure(
                    1,
                    Difference::Stream {
                        expected: vec![RECORD.into()],
                        got: vec![set.iter().map(|w| w.as_bytes().to_vec()).collect()],
                        unix_ms: 1_700_000_000_000,
                    },
                ),
                failure(4, reply("\"v\"")),
            ],
            ..Report::default()
        };
        assert_eq!(
            fill(source, &draft, &report),
            "> SET k v EX 5\n+OK\n=> SET k v PXAT @+5000\n\n> GET k\n\"v\"\n\n> GET x\nnil\n"
        );
    }

    #[test]
    fn events_are_put_where_none_are_written() {
        let source =
            "! notifications\n> DEL k\n:1\n\n> DEL l\n:0\n~> (record)\n> DEL m\n:1\n~> del x\n";
        let source = format!("== s\n{source}");
        let draft = Transcript::parse(Path::new("d.vt"), &source, Mode::Draft).unwrap();
        let event = |event: &str, key: &str| Notification {
            db: 0,
            event: event.as_bytes().to_vec(),
            key: key.as_bytes().to_vec(),
        };
        let failure = |line, expected, got| Failure {
            path: draft.path.clone(),
            line,
            section: String::new(),
            request: String::new(),
            difference: Difference::Events { expected, got },
        };
        let report = Report {
            failures: vec![
                failure(3, vec![], vec![event("del", "k")]),
                failure(6, vec![event(RECORD, "")], vec![]),
                failure(9, vec![event("del", "x")], vec![event("del", "m")]),
            ],
            ..Report::default()
        };
        let filled = fill(&source, &draft, &report);
        let expected = source.replace("~> (record)", "~> none");
        assert_eq!(filled, expected.replacen(":1\n", ":1\n~> del k\n", 1));
    }
}
