//! Records drafts: requests without an expectation get the reply that a driver gives.
//!
//! A request without reply lines gets one, as does each line `(record)`; a line `=> (record)`
//! becomes what was propagated. What
//! is written already stays as it is. The author reads the result and loosens what may vary.

use std::collections::BTreeMap;

use crate::quote;
use crate::runner::{Command, Difference, Report, is_bookkeeping};
use crate::transcript::{Act, RECORD, Transcript};

/// The text of the draft `source` with the answers of a run of it filled in.
#[must_use]
pub fn fill(source: &str, draft: &Transcript, report: &Report) -> String {
    let mut added: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let steps = draft.sections.iter().flat_map(|section| &section.steps);
    let requests: BTreeMap<usize, &Act> = steps.map(|step| (step.line, &step.act)).collect();
    for failure in &report.failures {
        let has_stream = requests.get(&failure.line).is_some_and(|act| match act {
            Act::Exchange(exchange) => exchange.propagated.is_some(),
            Act::Advance { .. } | Act::Close { .. } => false,
        });
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
            Difference::Reply { .. } | Difference::Stream { .. } | Difference::Broken(_) => {}
        }
    }
    let mut text = String::new();
    for (at, line) in source.lines().enumerate() {
        if line.strip_prefix("=>").unwrap_or(line).trim() != RECORD {
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
    use crate::transcript::Mode;
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
}
