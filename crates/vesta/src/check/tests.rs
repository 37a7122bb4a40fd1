//! The tools as functions: no file makes them panic, and only what is to be cut is cut.

use std::path::Path;

use proptest::prelude::*;
use vesta_testkit::rdb::{Mutator, snapshot};

use super::*;

const NOW: Unix = Unix(1_800_000_000_000_000);

fn means() -> Means {
    Means { now: NOW, rules: Rules::seeded(1) }
}

/// Whether it is sound, and what was said; every question is answered with `answer`.
fn check(task: &Task, answer: &str) -> (bool, String) {
    let (mut out, mut answers) = (Vec::new(), answer.as_bytes());
    let outcome = run(task, &means(), &mut Console::new(&mut out, &mut answers, false));
    (outcome.is_ok(), String::from_utf8(out).unwrap())
}

fn check_rdb(path: &Path) -> (bool, String) {
    check(&Task::Rdb { file: path.to_path_buf() }, "")
}

fn check_aof(path: &Path, repair: Repair) -> (bool, String) {
    check(&Task::Aof { file: path.to_path_buf(), repair }, "y\n")
}

fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

/// A log with all that a log can have, and where it is sound when it ends there.
fn log() -> (Vec<u8>, Vec<usize>) {
    let history = format!("#REPL:{}:100\r\n", "a".repeat(40)).into_bytes();
    let set = request(&["SET", "a", "1"]);
    let transaction = [request(&["MULTI"]), set.clone(), request(&["EXEC"])].concat();
    let parts = [
        request(&["SELECT", "0"]),
        history,
        b"#TS:5\r\n".to_vec(),
        set.clone(),
        transaction,
        b"#TS:9\r\n".to_vec(),
        set,
    ];
    let (mut log, mut sound) = (Vec::new(), vec![0]);
    for part in parts {
        log.extend(part);
        sound.push(log.len());
    }
    (log, sound)
}

fn figure(text: &str, name: &str) -> usize {
    let line = text.lines().find(|line| line.starts_with("AOF analyzed: ")).unwrap();
    let field = line.split(", ").find_map(|field| field.strip_prefix(&format!("{name}=")));
    field.unwrap().parse().unwrap()
}

#[test]
fn a_log_is_sound_up_to_its_last_whole_request_wherever_it_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.aof");
    let (log, sound) = log();
    for len in 1..=log.len() {
        std::fs::write(&path, &log[..len]).unwrap();
        let (is_sound, text) = check_aof(&path, Repair::Nothing);
        let expected = *sound.iter().rfind(|end| **end <= len).unwrap();
        assert_eq!(is_sound, expected == len, "{len}: {text}");
        assert_eq!(figure(&text, "ok_up_to"), expected, "{len}: {text}");
        assert_eq!(figure(&text, "diff"), len - expected, "{len}: {text}");
        assert_eq!(std::fs::read(&path).unwrap(), log[..len]);
        if !is_sound {
            assert!(text.contains(": the end of the file is missing\n"), "{len}: {text}");
        }
        let (is_mended, text) = check_aof(&path, Repair::Fix);
        assert!(is_mended, "{text}");
        assert_eq!(std::fs::read(&path).unwrap(), log[..expected]);
        let (is_sound, text) = check_aof(&path, Repair::Nothing);
        assert!(is_sound, "{text}");
    }
}

#[test]
fn a_fault_in_the_middle_is_told_with_what_is_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.aof");
    let (log, sound) = log();
    // The length of an argument of the first SET becomes one that reaches far behind the end.
    let set = sound[3];
    let mut bad = log.clone();
    bad.splice(set + 5..set + 6, *b"99999");
    std::fs::write(&path, &bad).unwrap();
    let (is_sound, text) = check_aof(&path, Repair::Nothing);
    assert!(!is_sound);
    assert_eq!(figure(&text, "ok_up_to"), set);
    let (behind, begun) = (set + 31, format!("request 2, begun at byte {set}\n"));
    assert!(text.contains(&format!(", in argument 1 of 3 of {begun}")), "{text}");
    let found =
        format!("Not just the end is missing: at byte {behind}, behind the fault, at least 4");
    assert!(text.contains(&found), "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), bad);
}

#[test]
fn a_cut_by_time_never_goes_through_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.aof");
    let (select, set) = (request(&["SELECT", "0"]), request(&["SET", "a", "1"]));
    let (multi, exec) = (request(&["MULTI"]), request(&["EXEC"]));
    let head = [select, b"#TS:5\r\n".to_vec()].concat();
    let log = [head.clone(), multi, set, b"#TS:9\r\n".to_vec(), exec].concat();
    std::fs::write(&path, &log).unwrap();
    let (is_done, text) = check_aof(&path, Repair::CutBehind(7));
    assert!(is_done, "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), head);
}

#[test]
fn a_snapshot_is_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dump.rdb");
    std::fs::write(&path, snapshot()).unwrap();
    let (is_sound, text) = check_rdb(&path);
    assert!(is_sound, "{text}");
    for line in [
        "Checksum OK\n",
        "\\o/ RDB looks OK! \\o/\n",
        "[info] 2 expires\n",
        "[info] 1 already expired\n",
        "  RDB version 10 of Redis, written by redis 7.0.15 at 1700000000 (",
        "\n  database 3: ",
        "\n  stream ",
        "  largest keys\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn a_cut_snapshot_is_refused_at_its_end_wherever_it_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dump.rdb");
    let file = snapshot();
    for len in (0..file.len()).step_by(1 + file.len() / 300) {
        std::fs::write(&path, &file[..len]).unwrap();
        let (is_sound, text) = check_rdb(&path);
        assert!(!is_sound, "{len}: {text}");
        let line = text.lines().find(|line| line.contains("] Unexpected EOF ")).unwrap();
        let at = line.strip_prefix("[offset ").and_then(|rest| rest.split(']').next()).unwrap();
        assert!(at.parse::<usize>().unwrap() <= len, "{len}: {text}");
        let bytes = format!(": after {len} byte");
        assert!(line.contains(&bytes), "{line}");
    }
}

#[test]
fn a_damaged_value_is_told_with_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dump.rdb");
    std::fs::write(&path, b"REDIS0010\xfe\x05\x01\x04list\x02\x01a\xc4").unwrap();
    let (is_sound, text) = check_rdb(&path);
    assert!(!is_sound);
    for line in [
        "[offset 20] Expected a length\n",
        "[additional info] Reading key 'list'\n",
        "[additional info] Reading type 1 (list-linked)\n",
        "[additional info] In database 5, in what begins at byte 11\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for (path, words) in
        [(missing.as_path(), ": No such file or directory\n"), (dir.path(), ": Is a directory\n")]
    {
        for (is_sound, text) in [check_rdb(path), check_aof(path, Repair::Fix)] {
            assert!(!is_sound);
            assert!(text.ends_with(words) && text.starts_with("Cannot "), "{text}");
        }
    }
}

/// A snapshot and requests behind it, as one file, with some changes.
fn damaged(seed: u64) -> Vec<u8> {
    let mut mutator = Mutator::new(seed);
    let (file, (log, _)) = (snapshot(), log());
    let whole = match mutator.below(3) {
        0 => file,
        1 => log,
        _ => [file, log].concat(),
    };
    let cut = (1 + mutator.below(2 * whole.len())).min(whole.len());
    mutator.mutated(&whole[..cut])
}

proptest! {
    #[test]
    fn no_file_makes_a_tool_panic_or_is_changed_unasked(seed in any::<u64>()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let bytes = damaged(seed);
        std::fs::write(&path, &bytes).unwrap();
        check_rdb(&path);
        let (is_sound, text) = check_aof(&path, Repair::Nothing);
        prop_assert_eq!(&std::fs::read(&path).unwrap(), &bytes);
        check_aof(&path, Repair::CutBehind(6));
        let left = std::fs::read(&path).unwrap();
        prop_assert!(bytes.starts_with(&left));
        std::fs::write(&path, &bytes).unwrap();
        let (is_mended, _) = check_aof(&path, Repair::Fix);
        let left = std::fs::read(&path).unwrap();
        prop_assert!(bytes.starts_with(&left));
        prop_assert!(!is_sound || left.len() == bytes.len());
        if is_mended {
            let (is_sound, _) = check_aof(&path, Repair::Nothing);
            prop_assert!(is_sound);
            prop_assert!(left.is_empty() || left.len() == figure(&text, "ok_up_to"));
        }
    }

    #[test]
    fn no_manifest_makes_a_tool_panic(text in "(file|seq|type|[a-c.\"#/ ]|[0-9]|\n){0,60}") {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.manifest");
        for name in ["a", "b", "c"] {
            std::fs::write(dir.path().join(name), log().0).unwrap();
        }
        std::fs::write(&path, &text).unwrap();
        check_aof(&path, Repair::Fix);
        prop_assert_eq!(std::fs::read(&path).unwrap(), text.as_bytes());
    }
}
