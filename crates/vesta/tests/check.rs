//! The check tools as programs: what they say, their statuses, what they do to files, and whether
//! the programs they replace say the same of the same files.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of processes starts them and waits for them"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vesta_testkit::process::{Oracle, Signal, TempDir};
use vesta_testkit::rdb::{Mutator, samples, snapshot};
use vesta_testkit::value::Value;

const VESTA: &str = env!("CARGO_BIN_EXE_vesta");

/// What a tool did.
struct Done {
    status: Option<i32>,
    out: String,
}

impl Done {
    /// A number of the last line that says `AOF analyzed`.
    fn figure(&self, name: &str) -> Option<u64> {
        let line = self.out.lines().rfind(|line| line.starts_with("AOF analyzed: "))?;
        let field = line.split(", ").find_map(|field| field.strip_prefix(name));
        field.and_then(|field| field.strip_prefix('=')).and_then(|field| field.parse().ok())
    }
}

fn run(command: &mut Command, answers: &[u8]) -> Done {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A tool that asks nothing may have gone without reading.
    let _ = child.stdin.take().unwrap().write_all(answers);
    let output = child.wait_with_output().unwrap();
    assert!(!output.stderr.contains(&0x1b), "no bar without a terminal");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    Done { status: output.status.code(), out }
}

/// A tool of ours through a link with the name of the original, in the folder `dir`.
fn ours(dir: &Path, tool: &str) -> Command {
    let link = dir.join(tool);
    if !link.exists() {
        symlink(VESTA, &link).unwrap();
    }
    let mut command = Command::new(link);
    command.current_dir(dir);
    command
}

fn theirs(dir: &Path, tool: &str) -> Command {
    let mut command = Command::new(tool);
    command.current_dir(dir);
    command
}

fn is_installed(tool: &str) -> bool {
    let found = Command::new(tool).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("SKIPPED: {tool} is not installed, so nothing was compared with it");
    }
    found
}

fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

fn set() -> Vec<u8> {
    request(&["SET", "a", "1"])
}

fn transaction() -> Vec<u8> {
    [request(&["MULTI"]), set(), request(&["EXEC"])].concat()
}

/// Requests of two seconds.
fn log(first: u64, second: u64) -> Vec<u8> {
    let at = |unix_s: u64| format!("#TS:{unix_s}\r\n").into_bytes();
    let select = request(&["SELECT", "0"]);
    [select, set(), at(first), set(), transaction(), at(second), set()].concat()
}

type Files<'a> = &'a [(&'a str, Vec<u8>)];

/// Puts files into a new folder.
fn folder(files: Files<'_>) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

/// What is left of the files.
fn contents(dir: &Path, files: Files<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |name: &str| (PathBuf::from(name), std::fs::read(dir.join(name)).unwrap());
    files.iter().map(|(name, _)| read(name)).collect()
}

/// Has both tools work on the same files: statuses, figures and what is left of the files agree.
fn compare(tool: &str, files: Files<'_>, args: &[&str], answers: &str) -> Done {
    let (here, there) = (folder(files), folder(files));
    let our = run(ours(here.path(), tool).args(args), answers.as_bytes());
    let their = run(theirs(there.path(), tool).args(args), answers.as_bytes());
    let what = format!("{args:?} of {files:?}\nours:\n{}\ntheirs:\n{}", our.out, their.out);
    assert_eq!(our.status, their.status, "status of {what}");
    for figure in ["size", "ok_up_to", "diff"] {
        assert_eq!(our.figure(figure), their.figure(figure), "{figure} of {what}");
    }
    assert_eq!(contents(here.path(), files), contents(there.path(), files), "files after {what}");
    let last = |done: &Done| {
        let said = |line: &&str| {
            line.contains(" is valid") || line.contains("uccessfully") || line.contains(" is empty")
        };
        let lines = done.out.lines().filter(said);
        // The answer to a question ends its line, but it is not in what is printed.
        let lines = lines.map(|line| line.rsplit("[y/N]: ").next().unwrap_or(line).to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(last(&our), last(&their), "verdicts of {what}");
    our
}

#[test]
fn logs_are_judged_as_the_original_judges_them() {
    if !is_installed("redis-check-aof") {
        return;
    }
    let whole = log(5, 9);
    let one = |bytes: Vec<u8>| [("log.aof", bytes)];
    // An annotation that is cut is sound to the original, though a server that goes on writing
    // behind it makes the file unreadable.
    let is_in_annotation =
        |len: &usize| whole[..*len].rsplit(|byte| *byte == b'\n').next().unwrap().starts_with(b"#");
    for len in (0..=whole.len()).filter(|len| !is_in_annotation(len)) {
        compare("redis-check-aof", &one(whole[..len].to_vec()), &["log.aof"], "");
        if len % 9 == 0 {
            for answer in ["y\n", "n\n", ""] {
                let files = one(whole[..len].to_vec());
                compare("redis-check-aof", &files, &["--fix", "log.aof"], answer);
            }
        }
    }
    let broken = [
        [set(), b"xx".to_vec(), set()].concat(),
        [set(), b"\r\n".to_vec(), set()].concat(),
        [set(), b"PING\r\n".to_vec(), set()].concat(),
        [set(), b"*x\r\n".to_vec()].concat(),
        [set(), b"*1\n$4\nPING\n".to_vec()].concat(),
        [set(), b"*1\r\n+PING\r\n".to_vec(), set()].concat(),
        [set(), b"*1\r\n$-1\r\n".to_vec()].concat(),
        [set(), b"*1\r\n$99999999999\r\nabc".to_vec()].concat(),
        [set(), b"*1\r\n$4\r\nPINGxx".to_vec(), set()].concat(),
        [set(), b"*1\r\n$3\r\nPING\r\n".to_vec(), set()].concat(),
        [set(), request(&["MULTI"]), set(), transaction()].concat(),
        [transaction(), request(&["exec"]), set()].concat(),
        [transaction(), request(&["multi", "x"]), set()].concat(),
        [b"#REPL:x:1\r\n".to_vec(), set(), b"#\r\n".to_vec()].concat(),
        request(&["SET", "", ""]),
        b"xx".to_vec(),
        [snapshot(), whole.clone()].concat(),
        [snapshot(), whole[..130].to_vec()].concat(),
        snapshot(),
        [snapshot()[..300].to_vec(), whole.clone()].concat(),
    ];
    for bytes in broken {
        compare("redis-check-aof", &one(bytes.clone()), &["log.aof"], "");
        compare("redis-check-aof", &one(bytes), &["--fix", "log.aof"], "y\n");
    }
}

#[test]
fn logs_are_cut_by_time_where_the_original_cuts_them() {
    if !is_installed("redis-check-aof") {
        return;
    }
    let early = [b"#TS:5\r\n".to_vec(), log(7, 9)].concat();
    let damaged = [log(5, 9), b"xx".to_vec()].concat();
    let no_time = [log(5, 6), b"#TS:x\r\n".to_vec(), set()].concat();
    let back = [log(5, 9), log(6, 7)].concat();
    for bytes in [log(5, 9), early, damaged, no_time, back, set(), Vec::new()] {
        for until in ["-1", "0", "1", "4", "5", "6", "8", "9", "10", "x", "7x", " 6"] {
            let files = [("log.aof", bytes.clone())];
            let args = ["--truncate-to-timestamp", until, "log.aof"];
            compare("redis-check-aof", &files, &args, "");
        }
    }
}

#[test]
fn logs_of_several_files_are_judged_and_mended_as_by_the_original() {
    if !is_installed("redis-check-aof") {
        return;
    }
    let names = "file \"b ase.rdb\" seq 1 type b\nfile h.aof seq 1 type h\n\
                 file 1.aof seq 1 type i\nfile 2.aof seq 2 type i\n";
    let (first, second) = (log(5, 9), log(15, 19));
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 3].to_vec();
    let snapshot = snapshot();
    let damaged = [&snapshot[..400], b"\xff\xff", &snapshot[402..]].concat();
    let bases = [snapshot.clone(), first.clone(), cut(&first), cut(&snapshot), damaged, Vec::new()];
    let repairs: [&[&str]; 6] = [
        &["log.manifest"],
        &["--fix", "log.manifest"],
        &["--truncate-to-timestamp", "7", "log.manifest"],
        &["--truncate-to-timestamp", "12", "log.manifest"],
        &["--truncate-to-timestamp", "16", "log.manifest"],
        &["--truncate-to-timestamp", "20", "log.manifest"],
    ];
    for args in repairs {
        for base in &bases {
            for (one, two) in [(first.clone(), second.clone()), (cut(&first), second.clone())] {
                for two in [two.clone(), cut(&two), Vec::new(), base.clone()] {
                    let files = [
                        ("log.manifest", names.as_bytes().to_vec()),
                        ("b ase.rdb", base.clone()),
                        ("1.aof", one.clone()),
                        ("2.aof", two),
                    ];
                    compare("redis-check-aof", &files, args, "y\n");
                }
            }
        }
    }
    let only = |text: &str| [("log.manifest", text.as_bytes().to_vec()), ("a", cut(&first))];
    for text in [
        "file a seq 1 type b\n",
        "file a seq 1 type i\n",
        "#x\nfile a seq 1 type i\n",
        "file a seq 1 type h\n",
        "file a seq x type b\n",
        "file a seq 1 type b\nfile a seq 2 type b\n",
        "file ../a seq 1 type b\n",
        "file a seq 1 type b",
        "file missing seq 1 type i\n",
        "file a seq 1 type z\n",
    ] {
        for args in [&["log.manifest"][..], &["--fix", "log.manifest"]] {
            compare("redis-check-aof", &only(text), args, "y\n");
        }
    }
}

#[test]
fn snapshots_are_judged_as_the_original_judges_them() {
    if !is_installed("redis-check-rdb") {
        return;
    }
    let whole = snapshot();
    let one = |bytes: &[u8]| [("dump.rdb", bytes.to_vec())];
    let done = compare("redis-check-rdb", &one(&whole), &["dump.rdb"], "");
    assert!(done.out.contains("\\o/ RDB looks OK! \\o/\n"), "{}", done.out);
    assert!(done.out.contains("Checksum OK\n"), "{}", done.out);
    assert!(done.out.contains("\n[info] 2 expires\n[info] 1 already expired\n"), "{}", done.out);
    for len in (0..whole.len()).step_by(331) {
        compare("redis-check-rdb", &one(&whole[..len]), &["dump.rdb"], "");
    }
    let unsealed = |magic: &[u8; 9]| [&magic[..], &whole[9..whole.len() - 8], &[0; 8]].concat();
    for bytes in [
        [&whole[..whole.len() - 8], b"\x01\x02\x03\x04\x05\x06\x07\x08"].concat(),
        [whole.clone(), b"behind".to_vec()].concat(),
        unsealed(b"RODIS0010"),
        unsealed(b"REDIS0000"),
        unsealed(b"REDIS00x0"),
        unsealed(b"REDIS0010"),
        unsealed(b"REDIS0009"),
        b"REDIS0004\xff".to_vec(),
        b"REDIS0003\xfe\x00\x00\x01k\xc4\xff".to_vec(),
        b"REDIS0010\xfe\x00\x08\x01k\x01v\xff\0\0\0\0\0\0\0\0".to_vec(),
    ] {
        compare("redis-check-rdb", &one(&bytes), &["dump.rdb"], "");
    }
}

/// What the original passes may be refused here, as by a server that loads it; not the other way.
#[test]
fn no_damaged_snapshot_passes_that_the_original_refuses() {
    if !is_installed("redis-check-rdb") {
        return;
    }
    let (whole, mut mutator) = (snapshot(), Mutator::new(0xc4ec));
    for _ in 0..60 {
        let files = [("dump.rdb", mutator.mutated(&whole))];
        let dir = folder(&files);
        let our = run(ours(dir.path(), "redis-check-rdb").arg("dump.rdb"), b"");
        let their = run(theirs(dir.path(), "redis-check-rdb").arg("dump.rdb"), b"");
        let both = format!("ours:\n{}\ntheirs:\n{}", our.out, their.out);
        assert!(our.status != Some(0) || their.status == Some(0), "{both}");
        assert_eq!(contents(dir.path(), &files).into_values().next(), Some(files[0].1.clone()));
    }
}

#[test]
fn what_a_real_server_wrote_is_sound() {
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed, so there was no file of it");
        return;
    }
    let args = ["--appendonly", "yes", "--aof-timestamp-enabled", "yes"].map(str::to_owned);
    let mut server = Oracle::start(&args).unwrap();
    let mut client = server.client().unwrap();
    for sample in samples().iter().filter(|sample| sample.version <= 10) {
        let payload = sample.payload();
        let words: [&[u8]; 4] = [b"RESTORE", sample.name.as_bytes(), b"0", &payload];
        assert_eq!(client.command(&words).unwrap(), Value::Simple(b"OK".to_vec()));
    }
    let commands: [&[&str]; 5] =
        [&["MULTI"], &["SET", "a", "1"], &["SET", "b", "2"], &["EXEC"], &["SAVE"]];
    for words in commands {
        assert!(client.command(words).unwrap().error().is_none(), "{words:?}");
    }
    server.signal(Signal::Term).unwrap();
    assert!(server.wait_exit().unwrap().success());
    let manifest = server.dir().join("appendonlydir/appendonly.aof.manifest");
    let aof = run(Command::new(VESTA).args(["check", "aof"]).arg(manifest), b"");
    assert_eq!(aof.status, Some(0), "{}", aof.out);
    assert!(aof.out.ends_with("All AOF files and manifest are valid\n"), "{}", aof.out);
    assert!(aof.out.contains(", 1 transaction\n"), "{}", aof.out);
    assert!(aof.out.contains("  annotated from "), "{}", aof.out);
    let rdb =
        run(Command::new(VESTA).args(["check", "rdb"]).arg(server.dir().join("dump.rdb")), b"");
    assert_eq!(rdb.status, Some(0), "{}", rdb.out);
    assert!(rdb.out.contains("Checksum OK\n"), "{}", rdb.out);
    assert!(rdb.out.contains(", written by redis 7."), "{}", rdb.out);
}

#[test]
fn what_the_original_passes_and_a_server_refuses_is_refused() {
    for (bytes, words) in [
        ([set(), b"#TS:12".to_vec()].concat(), "The file ends within a line"),
        ([set(), b"*0\r\n".to_vec()].concat(), "Expected a count of arguments from 1"),
    ] {
        let files = [("log.aof", bytes)];
        let dir = folder(&files);
        let done = run(ours(dir.path(), "redis-check-aof").arg("log.aof"), b"");
        assert_eq!((done.status, done.figure("ok_up_to")), (Some(1), Some(set().len() as u64)));
        assert!(done.out.contains(words), "{}", done.out);
    }
    let dir = folder(&[("log.manifest", Vec::new())]);
    let done = run(ours(dir.path(), "redis-check-aof").arg("log.manifest"), b"");
    assert_eq!(done.status, Some(1), "{}", done.out);
}

#[test]
fn tools_called_without_sense_say_how_they_are_called() {
    let dir = folder(&[]);
    for (tool, args) in [
        ("redis-check-rdb", &[][..]),
        ("redis-check-rdb", &["a", "b"]),
        ("redis-check-aof", &[]),
        ("redis-check-aof", &["a", "b"]),
        ("redis-check-aof", &["--fix", "--truncate-to-timestamp", "1", "a"]),
    ] {
        let done = run(ours(dir.path(), tool).args(args), b"");
        assert_eq!(done.status, Some(1), "{tool} {args:?}");
        assert!(done.out.starts_with(&format!("Usage: {tool} ")), "{}", done.out);
    }
    for tool in ["redis-check-rdb", "redis-check-aof"] {
        let done = run(ours(dir.path(), tool).arg("--version"), b"");
        assert_eq!(done.status, Some(0));
        assert!(done.out.starts_with(&format!("{tool} 7.2.4 ")), "{}", done.out);
    }
}

/// Files far larger than what the process may have.
#[test]
fn files_larger_than_memory_are_checked() {
    const MEMORY_KB: u64 = 400_000;
    const VALUE: u64 = 1 << 20;
    let dir = folder(&[]);
    let head = format!("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n${VALUE}\r\n");
    let requests: [&[u8]; 4] = [b"", head.as_bytes(), b"\r\n", b""];
    let snapshot: [&[u8]; 4] =
        [b"REDIS0010", b"\x00\x03key\x80\x00\x10\x00\x00", b"", b"\xff\0\0\0\0\0\0\0\0"];
    for (kind, [start, head, tail, end], words) in [
        ("aof", requests, "  600 requests, 0 transactions\n"),
        ("rdb", snapshot, "\n[info] 600 keys read\n"),
    ] {
        let file = std::fs::File::create(dir.path().join("file")).unwrap();
        let mut at = 0;
        let mut put = |bytes: &[u8], skip: u64| {
            file.write_all_at(bytes, at).unwrap();
            at += bytes.len() as u64 + skip;
        };
        put(start, 0);
        for _ in 0..600 {
            // The values are holes in the file.
            put(head, VALUE);
            put(tail, 0);
        }
        put(end, 0);
        let limited = format!("ulimit -v {MEMORY_KB}; exec \"$0\" check {kind} file");
        let mut command = Command::new("sh");
        let done = run(command.args(["-c", &limited, VESTA]).current_dir(dir.path()), b"");
        assert_eq!(done.status, Some(0), "{}", done.out);
        assert!(done.out.contains(words), "{}", done.out);
    }
}
