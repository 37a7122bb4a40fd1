//! Transcripts of commands on data, on handlers alone; and what a transcript cannot say of them.

#[cfg(test)]
mod access;
#[cfg(test)]
mod expiry;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod scan;
#[cfg(test)]
mod spop;
#[cfg(test)]
mod watched;

use harness::HarnessDriver;
use std::path::Path;
use vesta_testkit::runner::{Report, run};
use vesta_testkit::transcript::{Mode, Transcript, find};

/// Runs a folder of transcripts. With `VT=text` in the environment, only those whose path
/// contains the text.
fn hold(folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts").join(folder);
    let wanted = std::env::var("VT").unwrap_or_default();
    let mut total = Report::default();
    for path in find(&root).expect("the transcripts are there") {
        if path.to_string_lossy().contains(&wanted) {
            let file =
                Transcript::read(&path, Mode::Complete).unwrap_or_else(|why| panic!("{why}"));
            total.merge(run(&mut HarnessDriver::default(), &file));
        }
    }
    println!("{total}");
    assert!(total.run > 0 || !wanted.is_empty(), "no transcript was found");
    assert!(total.failures.is_empty(), "{total}");
}

#[test]
fn transcripts_of_keys_hold_on_handlers() {
    hold("keys");
}

#[test]
fn transcripts_of_strings_hold_on_handlers() {
    hold("string");
}

#[test]
fn transcripts_of_sets_hold_on_handlers() {
    hold("set");
}

#[test]
fn transcripts_of_bitmaps_hold_on_handlers() {
    hold("bitmap");
}

#[test]
fn transcripts_of_hyperloglogs_hold_on_handlers() {
    hold("hyperloglog");
}
