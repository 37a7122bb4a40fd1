//! Every transcript on a node in process.

mod driver;

use driver::NodeDriver;
use std::path::Path;
use vesta_testkit::runner::{Report, run};
use vesta_testkit::transcript::{Mode, Transcript, find};

/// With `VT=text` in the environment, only transcripts whose path contains the text.
#[test]
fn every_transcript_holds_on_a_node() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let wanted = std::env::var("VT").unwrap_or_default();
    let mut total = Report::default();
    for path in find(&root).unwrap() {
        if path.to_string_lossy().contains(&wanted) {
            let file =
                Transcript::read(&path, Mode::Complete).unwrap_or_else(|why| panic!("{why}"));
            total.merge(run(&mut NodeDriver::default(), &file));
        }
    }
    println!("{total}");
    assert!(total.run > 0, "no transcript was found");
    assert!(total.failures.is_empty(), "{total}");
}
