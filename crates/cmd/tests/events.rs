//! Every command that writes says in a transcript which keyspace events it makes.

use std::collections::BTreeSet;
use std::path::Path;
use vesta_cmd::{Command, Commands, Run, commands};
use vesta_testkit::transcript::{self, Act, Arg, Mode, Request, Transcript};

/// Full names of all commands and sub-commands whose handlers may change keys.
fn writers() -> BTreeSet<String> {
    let writes = |command: &Command| matches!(command.run, Run::Write(_));
    let mut names = BTreeSet::new();
    for command in commands() {
        if writes(command) {
            names.insert(command.spec.name.to_owned());
        }
        for sub in command.within().iter().filter(|sub| writes(sub)) {
            names.insert(format!("{}|{}", command.spec.name, sub.spec.name));
        }
    }
    names
}

/// Full names of the commands that have a line `~>` in a transcript.
fn told() -> BTreeSet<String> {
    let all = Commands::new(&[]).expect("nothing is renamed");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let mut names = BTreeSet::new();
    for path in transcript::find(&root).expect("the transcripts are there") {
        let file = Transcript::read(&path, Mode::Complete).unwrap_or_else(|why| panic!("{why}"));
        for step in file.sections.iter().flat_map(|section| &section.steps) {
            let Act::Exchange(exchange) = &step.act else { continue };
            let (Some(_), Request::Args(args)) = (&exchange.notified, &exchange.request) else {
                continue;
            };
            let mut words = args.iter().map_while(|arg| match arg {
                Arg::Bytes(bytes) => Some(bytes.as_slice()),
                Arg::Captured(_)
                | Arg::ClientAddress(_)
                | Arg::ServerAddress(_)
                | Arg::UnixMs(_)
                | Arg::UnixSeconds(_) => None,
            });
            let Some(name) = words.next() else { continue };
            if let Ok(Some(found)) = all.find(name, words.next()) {
                names.insert(found.full_name());
            }
        }
    }
    names
}

/// A new command that writes needs a section with `! notifications`, and in it a request with the
/// events it brings (`~> lpush key`), or with `~> none` when Redis makes none for it.
#[test]
fn every_command_that_writes_has_a_transcript_of_its_events() {
    let told = told();
    let silent: Vec<String> = writers().into_iter().filter(|name| !told.contains(name)).collect();
    assert!(silent.is_empty(), "without a line ~> in any transcript: {silent:?}");
}
