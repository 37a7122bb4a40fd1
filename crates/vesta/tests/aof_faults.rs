//! Logs that are cut, damaged or incomplete, and disks that take no more: what is refused, with
//! what words, and what is left of it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of processes starts them, and fails where something is not as it should be"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, geteuid, prlimit};
use vesta_testkit::client::encode;
use vesta_testkit::local::{Local, Setup, ask, digest, eventually, figure, ok, text};
use vesta_testkit::value::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vesta");
const BASE: &str = "appendonlydir/appendonly.aof.1.base.rdb";
const INCREMENT: &str = "appendonlydir/appendonly.aof.1.incr.aof";
const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";

fn setup(args: &[&str]) -> Setup {
    Setup::new(PROGRAM, &[&["--appendonly", "yes"], args].concat())
}

/// A server with a log of two keys that has ended, whose files may be damaged.
fn ended() -> Local {
    let mut server = setup(&[]).start();
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    ok(&mut client, &["SET", "b", "2"]);
    server.kill();
    server
}

fn append(server: &Local, name: &str, bytes: &[u8]) {
    let file = [fs::read(server.path(name)).unwrap().as_slice(), bytes].concat();
    fs::write(server.path(name), file).unwrap();
}

fn cut(server: &Local, name: &str, bytes: usize) {
    let mut file = fs::read(server.path(name)).unwrap();
    file.truncate(file.len() - bytes);
    fs::write(server.path(name), file).unwrap();
}

/// All files of the log.
fn files(server: &Local) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(server.path("appendonlydir")).unwrap();
    let file = |path: &Path| (path.display().to_string(), fs::read(path).unwrap());
    let mut files: Vec<_> = entries.map(|entry| file(&entry.unwrap().path())).collect();
    files.sort();
    files
}

/// The server does not start: it says these things in its log, leaves with status 1 and touches
/// no file.
fn refuses(server: &mut Local, args: &[&str], words: &[&str]) {
    let before = files(server);
    server.restart_with(&[&["--appendonly", "yes"], args].concat());
    assert_eq!(server.ended(), Some(1), "{}", server.log());
    server.logged(words);
    assert!(!server.log().contains("Ready to accept connections"), "{}", server.log());
    assert_eq!(files(server), before, "the files are untouched");
}

#[test]
fn a_torn_tail_is_cut_off() {
    let transaction = [encode(&["MULTI"]), encode(&["SET", "a", "9"])].concat();
    for tail in [&b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nab"[..], b"*", b"#TS:17", &transaction] {
        let mut server = ended();
        let whole = fs::read(server.path(INCREMENT)).unwrap();
        append(&server, INCREMENT, tail);
        refuses(
            &mut server,
            &["--aof-load-truncated", "no"],
            &[" # Unexpected end of file reading the append only file appendonly.aof.1.incr.aof"],
        );
        server.restart_with(&["--appendonly", "yes"]);
        server.wait_ready();
        server.logged(&[
            " # !!! Warning: short read while loading the AOF file appendonly.aof.1.incr.aof!!!",
            &format!(
                " # !!! Truncating the AOF appendonly.aof.1.incr.aof at offset {} !!!",
                whole.len()
            ),
            " # AOF appendonly.aof.1.incr.aof loaded anyway because aof-load-truncated is enabled",
            " * Ready to accept connections",
        ]);
        assert_eq!(fs::read(server.path(INCREMENT)).unwrap(), whole);
        let mut client = server.client();
        assert_eq!(text(&ask(&mut client, &["GET", "a"])), "1");
        ok(&mut client, &["SET", "a", "3"]);
        let written = digest(&mut client);
        server.restart();
        server.wait_ready();
        assert_eq!(digest(&mut server.client()), written);
    }
}

#[test]
fn only_the_last_file_may_be_torn() {
    let mut server = ended();
    cut(&server, INCREMENT, 3);
    let second = "appendonlydir/appendonly.aof.2.incr.aof";
    fs::write(server.path(second), encode(&["PING"])).unwrap();
    append(&server, MANIFEST, b"file appendonly.aof.2.incr.aof seq 2 type i\n");
    refuses(&mut server, &[], &["appendonly.aof.1.incr.aof", "not the last file"]);

    let mut server = ended();
    cut(&server, BASE, 10);
    refuses(&mut server, &[], &["appendonly.aof.1.base.rdb", "byte "]);
}

#[test]
fn damage_is_refused_with_its_place() {
    let server = ended();
    let good = fs::read(server.path(INCREMENT)).unwrap();
    drop(server);
    let at = good.windows(3).position(|part| part == b"SET").unwrap();
    for (place, byte) in [(at - 4, b'#'), (at + 3, b'x'), (at - 3, b'9')] {
        let mut server = ended();
        let mut bad = good.clone();
        bad[place] = byte;
        fs::write(server.path(INCREMENT), &bad).unwrap();
        refuses(
            &mut server,
            &[],
            &[" # Bad file format reading the append only file appendonly.aof.1.incr.aof"],
        );
        assert!(server.log().contains("byte "), "{}", server.log());
    }
    let mut server = ended();
    append(&server, INCREMENT, &encode(&["FLUXX", "a"]));
    let words = " # Unknown command 'FLUXX' reading the append only file appendonly.aof.1.incr.aof";
    refuses(&mut server, &[], &[words]);

    let mut server = ended();
    let mut base = fs::read(server.path(BASE)).unwrap();
    let place = base.len() - 1;
    base[place] ^= 1;
    fs::write(server.path(BASE), base).unwrap();
    refuses(&mut server, &[], &["appendonly.aof.1.base.rdb", "byte "]);
}

#[test]
fn a_manifest_that_is_wrong_is_refused() {
    for (manifest, words) in [
        ("junk\n", &["at line 1", "'junk'", "Invalid AOF manifest file format"][..]),
        ("", &["Found an empty AOF manifest"]),
        (
            "file a seq 1 type i\nfile b seq 1 type i\n",
            &["at line 2", "Found a non-monotonic sequence number"],
        ),
        ("file ../a seq 1 type b\n", &["File can't be a path, just a filename"]),
    ] {
        let mut server = ended();
        fs::write(server.path(MANIFEST), manifest).unwrap();
        refuses(&mut server, &[], words);
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    for name in [BASE, INCREMENT] {
        let mut server = ended();
        fs::remove_file(server.path(name)).unwrap();
        let name = name.strip_prefix("appendonlydir/").unwrap();
        refuses(&mut server, &[], &[name, "No such file or directory"]);
    }
}

#[test]
fn a_log_without_its_manifest_is_not_written_over() {
    let mut server = ended();
    let before = files(&server);
    fs::remove_file(server.path(MANIFEST)).unwrap();
    server.restart();
    // Whether it starts with nothing, as Redis does, or refuses: what was acknowledged is still
    // in the files.
    let is_refused = eventually_either(&mut server);
    let increment = before.iter().find(|(name, _)| name.ends_with("incr.aof")).unwrap();
    let kept = fs::read_dir(server.path("appendonlydir"))
        .unwrap()
        .any(|entry| fs::read(entry.unwrap().path()).unwrap().starts_with(&increment.1));
    assert!(kept, "refused: {is_refused}, {}", server.log());
}

/// Whether it has ended, or else is ready.
fn eventually_either(server: &mut Local) -> bool {
    let mut is_refused = false;
    eventually("an end or a beginning", || {
        let log = server.log();
        is_refused = server.has_ended();
        is_refused || log.contains("Ready to accept connections")
    });
    is_refused
}

#[test]
fn a_single_file_of_old_becomes_the_base() {
    let requests = [encode(&["SELECT", "2"]), encode(&["SET", "z", "ab"])].concat();
    let server = ended();
    let preamble = [fs::read(server.path(BASE)).unwrap(), requests.clone()].concat();
    drop(server);
    for old in [&requests, &preamble] {
        let mut server =
            setup(&[]).start_in(|dir| fs::write(dir.join("appendonly.aof"), old).unwrap());
        server.logged(&[
            " * Successfully migrated an old-style AOF file (appendonly.aof) into the AOF \
             directory (appendonlydir).",
            " * DB loaded from base file appendonly.aof: ",
            " * Creating AOF incr file appendonly.aof.1.incr.aof on server start",
            " * Ready to accept connections",
        ]);
        let manifest = "file appendonly.aof seq 1 type b\n\
                        file appendonly.aof.1.incr.aof seq 1 type i\n";
        assert_eq!(fs::read_to_string(server.path(MANIFEST)).unwrap(), manifest);
        assert!(!server.path("appendonly.aof").exists());
        let mut client = server.client();
        ok(&mut client, &["SELECT", "2"]);
        assert_eq!(text(&ask(&mut client, &["GET", "z"])), "ab");
        ok(&mut client, &["SET", "y", "1"]);
        let written = digest(&mut client);
        server.restart();
        server.wait_ready();
        assert_eq!(digest(&mut server.client()), written);
    }
    // One that is damaged is refused; it is not lost on the way.
    let torn = [&requests[..], b"*9x\r\n"].concat();
    let mut server =
        setup(&[]).launch_in(|dir| fs::write(dir.join("appendonly.aof"), &torn).unwrap());
    assert_eq!(server.ended(), Some(1));
    let kept = ["appendonly.aof", "appendonlydir/appendonly.aof"].map(|name| server.path(name));
    assert!(kept.iter().any(|path| fs::read(path).is_ok_and(|file| file == torn)));
}

#[test]
fn a_directory_that_cannot_be_used_is_told() {
    let mut server =
        setup(&[]).launch_in(|dir| fs::write(dir.join("appendonlydir"), "a file").unwrap());
    assert_eq!(server.ended(), Some(1));
    server.logged(&[" # Can't prepare the files of the AOF in appendonlydir: File exists"]);
}

/// Words that run a program as somebody to whom permissions apply; `None` if that is us.
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

#[test]
fn a_directory_that_may_not_be_written_to_is_told() {
    let is_root = geteuid().is_root();
    let through: &[&str] = if is_root { &NOBODY } else { &[] };
    let readable = |path: &str, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let mut server = setup(&[]).through(through).launch_in(|dir| {
        let name = dir.join("appendonlydir");
        fs::create_dir(&name).unwrap();
        readable(name.to_str().unwrap(), 0o555);
        readable(dir.to_str().unwrap(), 0o777);
    });
    assert_eq!(server.ended(), Some(1));
    if server.log().is_empty() {
        eprintln!("SKIPPED: nobody may run the program, so none was run without permissions");
        return;
    }
    server.logged(&["Permission denied"]);
    assert!(files(&server).is_empty());
}

/// A server whose files may grow up to a limit, as if the disk was full: beyond it a write fails
/// with an error and not with a signal.
fn with_limit(args: &[&str]) -> Local {
    setup(args).through(&["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).start()
}

fn limit(server: &Local, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap());
    let new = Rlimit { current: bytes, maximum: None };
    prlimit(pid, Resource::Fsize, new).unwrap();
}

fn len(server: &Local, name: &str) -> u64 {
    fs::metadata(server.path(name)).unwrap().len()
}

#[test]
fn with_always_nothing_is_acknowledged_that_is_not_safe() {
    let mut server = with_limit(&["--appendfsync", "always"]);
    let mut client = server.client();
    ok(&mut client, &["SET", "a", &"x".repeat(20_000)]);
    limit(&server, Some(len(&server, INCREMENT) + 50));
    let mut reader = server.client();
    client.send(&["SET", "a", &"y".repeat(1_000)]).unwrap();
    assert_eq!(client.read_until_close().unwrap(), b"", "no reply");
    // Nor does anybody else see what is lost.
    let seen = reader.command(&["GETRANGE", "a", "0", "0"]);
    assert!(seen.is_err() || seen.is_ok_and(|value| text(&value) == "x"));
    assert_eq!(server.ended(), Some(1));
    server.logged(&[
        " # Error writing to the AOF file: File too large",
        " # Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    ]);
    server.restart();
    server.wait_ready();
    let mut client = server.client();
    assert_eq!(text(&ask(&mut client, &["GETRANGE", "a", "0", "0"])), "x");
}

#[test]
fn a_full_disk_stops_writes_until_there_is_room() {
    for policy in ["everysec", "no"] {
        let mut server = with_limit(&["--appendfsync", policy]);
        let mut client = server.client();
        ok(&mut client, &["SET", "a", &"x".repeat(20_000)]);
        let before = len(&server, INCREMENT);
        limit(&server, Some(before + 50));
        // It may be acknowledged: then it is kept and written later.
        let first = ask(&mut client, &["SET", "b", &"y".repeat(1_000)]);
        eventually("an error", || figure(&mut client, "aof_last_write_status") == "err");
        let refused = "MISCONF Errors writing to the AOF file: ";
        for words in [&["SET", "b", "z"][..], &["PING"]] {
            assert!(text(&ask(&mut client, words)).starts_with(refused), "{words:?}");
        }
        assert_eq!(ask(&mut client, &["STRLEN", "a"]), Value::Int(20_000));
        assert_eq!(len(&server, INCREMENT), before, "nothing is half there");
        server.logged(&[" # Error writing to the AOF file: File too large"]);

        limit(&server, None);
        eventually("a recovery", || figure(&mut client, "aof_last_write_status") == "ok");
        assert!(server.log().contains("AOF write error looks solved"));
        ok(&mut client, &["SET", "c", "1"]);
        let written = digest(&mut client);
        server.restart();
        server.wait_ready();
        let mut client = server.client();
        assert_eq!(digest(&mut client), written, "{policy}");
        if first == Value::Simple(b"OK".to_vec()) {
            assert_eq!(ask(&mut client, &["STRLEN", "b"]), Value::Int(1_000));
        }
    }
}

#[test]
fn a_rewrite_without_room_leaves_the_log_as_it_is() {
    let mut server = with_limit(&["--rdbcompression", "no"]);
    let mut client = server.client();
    for key in 0..200 {
        ok(&mut client, &["SET", &format!("key:{key}"), &"v".repeat(500)]);
        ok(&mut client, &["SET", "again", &"w".repeat(500)]);
        ask(&mut client, &["DEL", "again"]);
    }
    let written = digest(&mut client);
    limit(&server, Some(50_000));
    ask(&mut client, &["BGREWRITEAOF"]);
    eventually("a failure", || figure(&mut client, "aof_last_bgrewrite_status") == "err");
    assert_eq!(figure(&mut client, "aof_rewrites_consecutive_failures"), "1");
    assert!(!server.path(&format!("temp-rewriteaof-bg-{}.aof", server.pid())).exists());
    ok(&mut client, &["SET", "small", "1"]);
    ask(&mut client, &["DEL", "small"]);
    limit(&server, None);
    server.restart();
    server.wait_ready();
    let mut client = server.client();
    assert_eq!(digest(&mut client), written);
}

/// A debugger that has a server's calls fail; it lets go when dropped.
struct Saboteur(Child);

impl Saboteur {
    /// Has the next call of this name fail; `None` if processes cannot be traced here.
    fn on(server: &Local, call: &str, error: &str) -> Option<Self> {
        let trace = |words: &[&str]| {
            let mut command = Command::new("strace");
            command.args(["-f", "-q", "-o", "/dev/null"]).args(words).stderr(Stdio::null());
            command
        };
        if !trace(&["true"]).status().is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: nothing can be traced with strace, so no {call} has failed");
            return None;
        }
        let (pid, fault) = (server.pid(), format!("inject={call}:error={error}:when=1"));
        let child = trace(&["-p", &pid.to_string(), "-e", &fault]).spawn().unwrap();
        eventually("a hold on every thread", || {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
            tasks.map(|task| task.unwrap().path().join("status")).all(|path| {
                let status = fs::read_to_string(path).unwrap_or_default();
                !status.lines().any(|line| line == "TracerPid:\t0")
            })
        });
        Some(Self(child))
    }
}

impl Drop for Saboteur {
    fn drop(&mut self) {
        // It may have ended with the server.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn with_always_a_sync_that_fails_is_the_end() {
    let mut server = setup(&["--appendfsync", "always"]).start();
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    let Some(saboteur) = Saboteur::on(&server, "fdatasync", "EIO") else { return };
    client.send(&["SET", "a", "2"]).unwrap();
    assert_eq!(client.read_until_close().unwrap(), b"", "no reply");
    assert_eq!(server.ended(), Some(1));
    server.logged(&[
        " # Can't persist AOF for fsync error when the AOF fsync policy is 'always': Input/output \
         error. Exiting...",
    ]);
    drop(saboteur);
}

#[test]
fn a_log_that_cannot_be_made_safe_is_made_anew() {
    let mut server = setup(&["--appendfsync", "everysec"]).start();
    let mut client = server.client();
    let Some(saboteur) = Saboteur::on(&server, "fdatasync", "EIO") else { return };
    ok(&mut client, &["SET", "a", "1"]);
    eventually("a new log", || figure(&mut client, "aof_rewrites") == "1");
    eventually("its being trusted", || figure(&mut client, "aof_last_write_status") == "ok");
    server.logged(&[
        " # Fail to fsync the AOF file: Input/output error",
        " * Background AOF rewrite finished successfully",
    ]);
    let manifest = fs::read_to_string(server.path(MANIFEST)).unwrap();
    assert!(manifest.contains("file appendonly.aof.2.base.rdb seq 2 type b\n"), "{manifest}");
    drop(saboteur);
    ok(&mut client, &["SET", "b", "1"]);
    let written = digest(&mut client);
    server.restart();
    server.wait_ready();
    assert_eq!(digest(&mut server.client()), written);
}
