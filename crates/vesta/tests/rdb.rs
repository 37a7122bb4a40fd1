//! The data on disk, with real processes: what is saved is there after a crash, what cannot be
//! saved or read is told, and files go to and from the reference.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of processes starts them and waits with a deadline"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::{Oracle, Signal, TempDir};
use vesta_testkit::rdb::samples;
use vesta_testkit::value::Value;
use vesta_testkit::wait;

const VESTA: &str = env!("CARGO_BIN_EXE_vesta");
const PATIENCE: Duration = Duration::from_secs(20);

/// A server in a directory of its own, on a unix socket; killed when dropped.
struct Server {
    dir: TempDir,
    args: Vec<String>,
    child: Child,
}

impl Server {
    /// Starts a server that saves nothing unless `args` say so, and waits until it is ready.
    fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    /// The same with a data file in its directory.
    fn start_with(args: &[&str], file: &[u8]) -> Self {
        let dir = TempDir::new().unwrap();
        if !file.is_empty() {
            std::fs::write(dir.path().join("dump.rdb"), file).unwrap();
        }
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let child = spawn(dir.path(), &args);
        let server = Self { dir, args, child };
        server.wait_ready(1);
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn dump(&self) -> PathBuf {
        self.path("dump.rdb")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn wait_ready(&self, starts: usize) {
        eventually("ready", || {
            self.log().matches("Ready to accept connections unix").count() >= starts
        });
    }

    /// Starts it again, with `kill -9` if it still runs; does not wait until it is ready.
    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_file(self.path("log")).unwrap();
        self.child = spawn(self.dir.path(), &self.args);
    }

    fn client(&self) -> Client {
        let client = wait::until(PATIENCE, || Client::unix(&self.path("s.sock")).ok());
        client.expect("it listens")
    }

    fn signal(&self, signal: Signal) {
        let name = if signal == Signal::Term { "-TERM" } else { "-INT" };
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its status once it has ended by itself.
    fn ended(&mut self) -> Option<i32> {
        wait::until(PATIENCE, || self.child.try_wait().unwrap()).expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(dir: &Path, args: &[String]) -> Child {
    Command::new(VESTA)
        .args(["server", "--port", "0", "--unixsocket", "s.sock", "--logfile", "log"])
        .args(["--enable-debug-command", "yes", "--enable-protected-configs", "yes", "--dir"])
        .arg(dir)
        .args(["--save", ""])
        .args(args)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let happened = wait::until(PATIENCE, || happened().then_some(()));
    assert!(happened.is_some(), "{what} did not happen");
}

fn ask(client: &mut Client, words: &[&str]) -> Value {
    client.command(words).unwrap()
}

fn ok(client: &mut Client, words: &[&str]) {
    assert_eq!(ask(client, words), Value::Simple(b"OK".to_vec()), "{words:?}");
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.text().or(value.error()).unwrap_or_default()).into_owned()
}

fn digest(client: &mut Client) -> String {
    text(&ask(client, &["DEBUG", "DIGEST"]))
}

/// A field of INFO persistence.
fn figure(client: &mut Client, name: &str) -> String {
    let info = text(&ask(client, &["INFO", "persistence"]));
    let field = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    field.unwrap_or_else(|| panic!("no {name} in {info}")).to_owned()
}

/// Keys of all types and encodings that readers of this version know, in two databases.
fn fill(client: &mut Client, version_max: u16) {
    let mut count = 0;
    for sample in samples().iter().filter(|sample| sample.version <= version_max) {
        let (key, payload) = (sample.name.as_bytes(), sample.payload());
        let restored = client.command(&[b"RESTORE", key, b"0", payload.as_slice()]).unwrap();
        assert_eq!(restored, Value::Simple(b"OK".to_vec()), "{}", sample.name);
        count += 1;
    }
    assert!(count > 10, "there are samples");
    ok(client, &["SET", "expiring", "v", "PX", "100000000"]);
    ok(client, &["SELECT", "3"]);
    for number in 0..500 {
        ok(client, &["SET", &format!("key:{number}"), &"text ".repeat(number)]);
    }
    ok(client, &["SELECT", "0"]);
}

#[test]
fn what_was_saved_is_there_after_kill_9() {
    let mut server = Server::start(&[]);
    let mut client = server.client();
    fill(&mut client, 80);
    assert_eq!(ask(&mut client, &["HSET", "h", "f", "v"]), Value::Int(1));
    let expires = ask(&mut client, &["HPEXPIREAT", "h", "9000000000000", "FIELDS", "1", "f"]);
    assert_eq!(expires.items().unwrap(), [Value::Int(1)]);
    let saved = digest(&mut client);
    ok(&mut client, &["SAVE"]);
    ok(&mut client, &["SET", "too", "late"]);

    server.restart();
    server.wait_ready(1);
    let mut client = server.client();
    assert_eq!(digest(&mut client), saved);
    assert_eq!(figure(&mut client, "rdb_changes_since_last_save"), "0");
    let when = ask(&mut client, &["HPEXPIRETIME", "h", "FIELDS", "1", "f"]);
    assert_eq!(when.items().unwrap(), [Value::Int(9_000_000_000_000)]);
    let ttl = ask(&mut client, &["PTTL", "expiring"]).int().unwrap();
    assert!((90_000_000..=100_000_000).contains(&ttl), "{ttl}");
    let log = server.log();
    let mut rest = log.as_str();
    for line in [
        " * Loading RDB produced by version 7.2.4",
        " * RDB age ",
        " * RDB memory usage when created ",
        " * Done loading RDB, keys loaded: ",
        " * DB loaded from disk: ",
        " * Ready to accept connections unix",
    ] {
        let place = rest.split_once(line);
        (_, rest) = place.unwrap_or_else(|| panic!("{line:?} is not in its place in\n{log}"));
    }
}

#[test]
fn a_snapshot_holds_what_was_there_when_it_began() {
    let mut server = Server::start(&[]);
    let mut client = server.client();
    let keys = 20_000;
    let request = |value: &'static str| {
        let set = move |key: usize| encode(&["SET", &format!("key:{key}"), value]);
        (0..keys).flat_map(set).collect::<Vec<u8>>()
    };
    client.send_raw(&request("before")).unwrap();
    (0..keys).for_each(|_| drop(client.reply().unwrap()));
    let before = digest(&mut client);
    // All of this comes while the snapshot has hardly begun.
    let mut batch = encode(&["BGSAVE"]);
    batch.extend(request("after"));
    batch.extend(encode(&["SWAPDB", "0", "1"]));
    batch.extend(request("new"));
    batch.extend(encode(&["FLUSHALL"]));
    batch.extend(encode(&["SET", "key:0", "later"]));
    client.send_raw(&batch).unwrap();
    let started = client.reply().unwrap().unwrap();
    assert_eq!(started, Value::Simple(b"Background saving started".to_vec()));
    (0..2 * keys + 3).for_each(|_| drop(client.reply().unwrap()));
    eventually("the end of the save", || figure(&mut client, "rdb_bgsave_in_progress") == "0");
    assert_eq!(figure(&mut client, "rdb_last_bgsave_status"), "ok");

    server.restart();
    server.wait_ready(1);
    let mut client = server.client();
    assert_eq!(ask(&mut client, &["DBSIZE"]), Value::Int(keys as i64));
    assert_eq!(digest(&mut client), before);
}

#[test]
fn a_save_point_saves_by_itself() {
    let server = Server::start(&["--save", "1", "3"]);
    let mut client = server.client();
    for key in ["a", "b"] {
        ok(&mut client, &["SET", key, "1"]);
    }
    assert!(!server.dump().exists());
    ok(&mut client, &["SET", "c", "1"]);
    eventually("a save", || figure(&mut client, "rdb_changes_since_last_save") == "0");
    assert!(server.dump().exists());
    let log = server.log();
    for line in [
        " * 3 changes in 1 seconds. Saving...",
        " * Background saving started by pid ",
        " * DB saved on disk",
        " * Background saving terminated with success",
    ] {
        assert!(log.contains(line), "{line:?} is not in\n{log}");
    }
    // Nothing of what was deleted may come back.
    ok(&mut client, &["FLUSHALL"]);
    eventually("a save", || figure(&mut client, "rdb_saves") == "2");
    assert!(std::fs::metadata(server.dump()).unwrap().len() < 300);
}

#[test]
fn who_ends_with_save_points_saves() {
    let mut server = Server::start(&["--save", "3600", "1000"]);
    ok(&mut server.client(), &["SET", "a", "1"]);
    server.signal(Signal::Term);
    assert_eq!(server.ended(), Some(0));
    let log = server.log();
    let mut rest = log.as_str();
    for line in [
        "Received SIGTERM scheduling shutdown...",
        " * User requested shutdown...",
        " * Saving the final RDB snapshot before exiting.",
        " * DB saved on disk",
        "bye bye...",
    ] {
        let place = rest.split_once(line);
        (_, rest) = place.unwrap_or_else(|| panic!("{line:?} is not in its place in\n{log}"));
    }
    server.restart();
    server.wait_ready(1);
    assert_eq!(text(&ask(&mut server.client(), &["GET", "a"])), "1");
    // The client of SHUTDOWN gets no reply, and what it sent behind is not executed.
    let mut client = server.client();
    client.send_raw(&[encode(&["SHUTDOWN", "NOSAVE"]), encode(&["SAVE"])].concat()).unwrap();
    assert_eq!(client.read_until_close().unwrap(), b"");
    assert_eq!(server.ended(), Some(0));
    assert!(!server.log().contains("DB saved on disk"));
}

#[test]
fn who_ends_without_save_points_saves_when_asked() {
    let mut server = Server::start(&[]);
    ok(&mut server.client(), &["SET", "a", "1"]);
    server.signal(Signal::Int);
    assert_eq!(server.ended(), Some(0));
    assert!(!server.dump().exists());

    let mut server = Server::start(&["--shutdown-on-sigterm", "save"]);
    server.signal(Signal::Term);
    assert_eq!(server.ended(), Some(0));
    assert!(server.dump().exists());

    let mut server = Server::start(&[]);
    server.client().send(&["SHUTDOWN", "SAVE"]).unwrap();
    assert_eq!(server.ended(), Some(0));
    assert!(server.dump().exists());
}

#[test]
fn a_directory_that_is_gone_is_told_and_the_server_goes_on() {
    let server = Server::start(&["--save", "3600", "1000"]);
    let (mut client, gone) = (server.client(), server.path("gone"));
    std::fs::create_dir(&gone).unwrap();
    ok(&mut client, &["CONFIG", "SET", "dir", gone.to_str().unwrap()]);
    std::fs::remove_dir(&gone).unwrap();
    ok(&mut client, &["SET", "a", "1"]);
    assert_eq!(text(&ask(&mut client, &["SAVE"])), "ERR");
    ok(&mut client, &["SET", "a", "2"]);
    let started = ask(&mut client, &["BGSAVE"]);
    assert_eq!(started, Value::Simple(b"Background saving started".to_vec()));
    eventually("a failure", || figure(&mut client, "rdb_last_bgsave_status") == "err");
    for refused in [&["SET", "a", "3"][..], &["PING"]] {
        assert!(text(&ask(&mut client, refused)).starts_with("MISCONF Redis is configured to"));
    }
    assert_eq!(text(&ask(&mut client, &["GET", "a"])), "2");
    // Nothing acknowledged is thrown away for an order to end.
    assert_eq!(
        text(&ask(&mut client, &["SHUTDOWN"])),
        "ERR Errors trying to SHUTDOWN. Check logs."
    );
    server.signal(Signal::Term);
    eventually("a refusal", || {
        server.log().matches("Errors trying to shut down the server.").count() == 2
    });
    let log = server.log();
    assert!(log.contains(" # Failed opening the temp RDB file temp-"), "{log}");
    assert!(log.contains(" # Background saving error"), "{log}");
    assert!(log.contains(" # Error trying to save the DB, can't exit."), "{log}");

    ok(&mut client, &["CONFIG", "SET", "dir", server.path("").to_str().unwrap()]);
    ok(&mut client, &["SAVE"]);
    ok(&mut client, &["SET", "a", "3"]);
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    if !Path::new("/dev/full").exists() {
        eprintln!("SKIPPED: there is no /dev/full");
        return;
    }
    let mut server = Server::start(&[]);
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    ok(&mut client, &["SAVE"]);
    let old = std::fs::read(server.dump()).unwrap();
    let temporary = server.path(&format!("temp-{}.rdb", server.child.id()));
    for value in ["2", "3"] {
        std::os::unix::fs::symlink("/dev/full", &temporary).unwrap();
        ok(&mut client, &["SET", "a", value]);
        assert_eq!(text(&ask(&mut client, &["SAVE"])), "ERR");
        assert!(server.log().contains(": No space left on device"), "{}", server.log());
        assert!(!temporary.exists());
        assert_eq!(std::fs::read(server.dump()).unwrap(), old);
    }
    // Whoever insists is obeyed.
    std::os::unix::fs::symlink("/dev/full", &temporary).unwrap();
    client.send(&["SHUTDOWN", "SAVE", "FORCE"]).unwrap();
    assert_eq!(server.ended(), Some(0));
    assert!(server.log().contains("Error trying to save the DB. Exit anyway."));
}

#[test]
fn a_save_that_is_under_way_leaves_nothing_behind() {
    let mut server = Server::start(&["--rdb-key-save-delay", "1000000000"]);
    let mut client = server.client();
    for key in 0..100 {
        ok(&mut client, &["SET", &key.to_string(), "v"]);
    }
    ask(&mut client, &["BGSAVE"]);
    let temporary = server.path(&format!("temp-{}.rdb", server.child.id()));
    eventually("a beginning", || temporary.exists());
    assert_eq!(figure(&mut client, "current_save_keys_total"), "100");
    // A last save can be called off, and holds back everybody else.
    client.send(&["SHUTDOWN", "SAVE"]).unwrap();
    let mut other = server.client();
    eventually("a last save", || server.log().contains("Saving the final RDB snapshot"));
    other.send(&["SET", "0", "w"]).unwrap();
    ok(&mut server.client(), &["SHUTDOWN", "ABORT"]);
    let told = client.reply().unwrap().unwrap();
    assert_eq!(text(&told), "ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(other.reply().unwrap().unwrap(), Value::Simple(b"OK".to_vec()));
    eventually("its end", || !temporary.exists());

    ask(&mut client, &["BGSAVE"]);
    eventually("a beginning", || temporary.exists());
    server.signal(Signal::Term);
    assert_eq!(server.ended(), Some(0));
    assert!(!temporary.exists() && !server.dump().exists());
}

#[test]
fn clients_are_told_how_far_loading_is() {
    let mut server = Server::start(&["--key-load-delay", "20000"]);
    let mut client = server.client();
    for key in 0..100 {
        ok(&mut client, &["SET", &key.to_string(), "v"]);
    }
    ok(&mut client, &["SAVE"]);
    server.restart();
    let mut client = server.client();
    const LOADING: &str = "LOADING Redis is loading the dataset in memory";
    for refused in [&["GET", "1"][..], &["PING"], &["SAVE"], &["SET", "a", "b"]] {
        assert_eq!(text(&ask(&mut client, refused)), LOADING, "{refused:?}");
    }
    assert_eq!(figure(&mut client, "loading"), "1");
    let total: u64 = figure(&mut client, "loading_total_bytes").parse().unwrap();
    assert_eq!(total, std::fs::metadata(server.dump()).unwrap().len());
    let loaded: u64 = figure(&mut client, "loading_loaded_bytes").parse().unwrap();
    assert!(loaded < total, "{loaded} of {total}");
    assert!(ask(&mut client, &["LASTSAVE"]).int().is_some());
    assert!(!server.log().contains("Ready to accept connections"));
    ok(&mut client, &["CONFIG", "SET", "key-load-delay", "0"]);
    eventually("all data", || ask(&mut client, &["DBSIZE"]) == Value::Int(100));
    server.wait_ready(1);
    // What is not all there must not be written over what is.
    server.restart();
    let old = std::fs::read(server.dump()).unwrap();
    server.client().send(&["SHUTDOWN", "SAVE"]).unwrap();
    assert_eq!(server.ended(), Some(0));
    assert_eq!(std::fs::read(server.dump()).unwrap(), old);
}

#[test]
fn a_damaged_file_is_refused_and_stays_as_it_is() {
    let server = Server::start(&[]);
    let mut client = server.client();
    fill(&mut client, 80);
    ok(&mut client, &["SAVE"]);
    let good = std::fs::read(server.dump()).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let cases = [
        (good[..good.len() / 2].to_vec(), "expected more bytes"),
        (flipped, "byte "),
        (b"garbage, all of it".to_vec(), "byte 0: expected "),
        (good[..5].to_vec(), "byte 0: expected more bytes"),
        ([&good[..], b"tail"].concat(), ""),
    ];
    for (file, reason) in cases {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("dump.rdb");
        std::fs::write(&path, &file).unwrap();
        let mut refused = Server { child: spawn(dir.path(), &[]), dir, args: Vec::new() };
        if reason.is_empty() {
            // Bytes behind the end are not looked at, as in Redis.
            refused.wait_ready(1);
            continue;
        }
        assert_eq!(refused.ended(), Some(1));
        let log = refused.log();
        let line = log.lines().find(|line| line.contains("Fatal error")).expect("it says why");
        let start = format!(" # Fatal error loading the DB {}: byte ", path.display());
        assert!(line.contains(&start) && line.contains(reason), "{line}");
        assert_eq!(std::fs::read(&path).unwrap(), file, "the file is untouched");
    }
}

#[test]
fn a_file_for_more_databases_is_refused() {
    let server = Server::start(&[]);
    let mut client = server.client();
    fill(&mut client, 10);
    ok(&mut client, &["SAVE"]);
    let file = std::fs::read(server.dump()).unwrap();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("dump.rdb"), file).unwrap();
    let args = ["--databases".to_owned(), "2".to_owned()];
    let mut refused = Server { child: spawn(dir.path(), &args), dir, args: Vec::new() };
    assert_eq!(refused.ended(), Some(1));
    let log = refused.log();
    assert!(log.contains("database 3 is not one of the 2 configured"), "{log}");
}

#[test]
fn files_go_to_the_reference_and_back() {
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed, so no file was exchanged with it");
        return;
    }
    let server = Server::start(&[]);
    let mut client = server.client();
    fill(&mut client, 10);
    let ours = digest(&mut client);
    ok(&mut client, &["SAVE"]);
    let checked = Command::new("redis-check-rdb").arg(server.dump()).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("RDB looks OK!"), "{said}");

    let mut oracle = Oracle::start(&[]).unwrap();
    let theirs = oracle.dir().join("dump.rdb");
    std::fs::copy(server.dump(), &theirs).unwrap();
    oracle.restart().unwrap();
    let mut reference = oracle.client().unwrap();
    assert_eq!(digest(&mut reference), ours);
    let library = "#!lua name=lib\nredis.register_function('f', function() return 7 end)";
    assert_eq!(text(&ask(&mut reference, &["FUNCTION", "LOAD", library])), "lib");
    ok(&mut reference, &["SAVE"]);

    let back = Server::start_with(&[], &std::fs::read(&theirs).unwrap());
    let mut client = back.client();
    assert_eq!(digest(&mut client), ours);
    let log = back.log();
    assert!(log.contains("Loading RDB produced by version 7."), "{log}");
    // What cannot be used here is not lost.
    ok(&mut client, &["SAVE"]);
    std::fs::copy(back.dump(), &theirs).unwrap();
    oracle.restart().unwrap();
    let mut reference = oracle.client().unwrap();
    assert_eq!(digest(&mut reference), ours);
    assert_eq!(ask(&mut reference, &["FCALL", "f", "0"]), Value::Int(7));
}
