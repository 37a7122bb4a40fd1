//! Starting and stopping the real program: what it says, where, and with which status it leaves.
//!
//! Servers listen on unix sockets in directories of their own, so that no port is fixed.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of processes starts them and waits with a deadline"
)]

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const VESTA: &str = env!("CARGO_BIN_EXE_vesta");

/// A directory with a running server in it, which is killed if the test fails half-way.
struct Server {
    dir: tempfile::TempDir,
    child: Child,
}

impl Server {
    /// Starts a server that serves `s.sock` and logs to `log`, and waits until it is ready.
    fn start(extra: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = Command::new(VESTA)
            .args(["server", "--port", "0", "--unixsocket", "s.sock", "--logfile", "log", "--dir"])
            .arg(dir.path())
            .args(extra)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { dir, child };
        eventually("ready", || server.log().contains("Ready to accept connections unix"));
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !happened() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::yield_now();
    }
}

fn vesta(arguments: &[&str]) -> Output {
    Command::new(VESTA).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_server_says_what_tools_wait_for_and_leaves_with_status_0() {
    let mut server = Server::start(&["--pidfile", "v.pid"]);
    let pid = std::fs::read_to_string(server.path("v.pid")).unwrap();
    assert_eq!(pid, format!("{}\n", server.child.id()));
    UnixStream::connect(server.path("s.sock")).unwrap();

    server.signal(rustix::process::Signal::TERM);
    assert!(server.child.wait().unwrap().success());
    let log = server.log();
    let mut rest = log.as_str();
    for wanted in [
        ":C ",
        " * oO0OoO0OoO0Oo Vesta is starting oO0OoO0OoO0Oo",
        " * Vesta version=",
        " * Configuration loaded",
        ":M ",
        " * Running mode=standalone, port=0.",
        " * Server initialized",
        " * Ready to accept connections unix",
        ":signal-handler (",
        ") Received SIGTERM scheduling shutdown...",
        " * User requested shutdown...",
        " * Removing the pid file.",
        " * Removing the unix socket file.",
        " # Vesta is now ready to exit, bye bye...",
    ] {
        let Some((_, behind)) = rest.split_once(wanted) else {
            panic!("{wanted:?} is not in its place in:\n{log}")
        };
        rest = behind;
    }
    assert!(!server.path("s.sock").exists() && !server.path("v.pid").exists());
}

#[test]
fn the_process_title_names_the_address() {
    let server = Server::start(&[]);
    let line = std::fs::read(format!("/proc/{}/cmdline", server.child.id())).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert_eq!(line.trim_end_matches('\0'), "vesta-server unixsocket:s.sock");
}

#[test]
fn a_link_named_redis_server_is_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("redis-server");
    symlink(VESTA, &link).unwrap();
    let output = Command::new(&link).arg("--version").output().unwrap();
    assert!(output.status.success());
    assert!(stdout(&output).starts_with("Vesta server v="), "{output:?}");
    assert_eq!(stdout(&output), stdout(&vesta(&["server", "--version"])));
}

#[test]
fn an_unknown_role_is_refused_with_status_2() {
    let output = vesta(&["serve"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("unrecognized subcommand 'serve'"), "{output:?}");
}

#[test]
fn a_busy_port_is_one_clear_message_and_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = vesta(&["server", "--bind", "127.0.0.1", "--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    let warning = format!(
        " # Warning: Could not create server TCP listening socket 127.0.0.1:{port}: \
         bind: Address already in use\n"
    );
    assert!(said.contains(&warning), "{said}");
    let last = format!(" # Failed listening on port {port} (tcp), aborting.\n");
    assert!(said.ends_with(&last), "{said}");
    assert_eq!(stderr(&output), "", "standard output has said it");
}

#[test]
fn a_bad_configuration_is_told_with_its_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let conf = dir.path().join("v.conf");
    std::fs::write(&conf, "# one\nport 0\ndir /nonexistent\n").unwrap();
    let output = vesta(&["server", text(&conf)]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains(&format!("line 3 of {}", conf.display())), "{said}");
    assert!(said.contains(">>> 'dir /nonexistent'\nNo such file or directory"), "{said}");

    let missing = dir.path().join("missing.conf");
    let output = vesta(&["server", text(&missing)]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains(text(&missing)), "{said}");
    assert!(said.contains("No such file or directory"), "{said}");
}

#[test]
fn a_log_file_that_cannot_be_opened_is_told_on_standard_error() {
    let output = vesta(&["server", "--port", "0", "--logfile", "/nonexistent/log"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("Can't open the log file: No such file or directory"), "{said}");
}

#[test]
fn a_server_that_listens_nowhere_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let output = vesta(&["server", "--port", "0", "--logfile", text(&log)]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "Configured to not listen anywhere, exiting.\n");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.ends_with(" # Configured to not listen anywhere, exiting.\n"), "{log}");
}

#[test]
fn standard_input_and_the_command_line_are_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(VESTA)
        .args(["server", "-", "--port", "0", "--dir"])
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let input = b"unixsocket s.sock\nport 1\nlogfile log\nalways-show-logo yes\n";
    child.stdin.take().unwrap().write_all(input).unwrap();
    let server = Server { dir, child };
    eventually("ready", || server.log().contains("Ready to accept connections unix"));
    assert!(server.log().contains(" * Reading config from stdin"));
    assert!(server.log().contains("Running in standalone mode"), "the banner was asked for");
}

#[test]
fn a_daemon_outlives_its_parent_and_writes_its_own_pid() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(VESTA)
        .args(["server", "--port", "0", "--unixsocket", "s.sock", "--logfile", "log"])
        .args(["--daemonize", "yes", "--pidfile", "v.pid", "--dir"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "the parent leaves at once: {output:?}");
    let log = || std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    eventually("ready", || log().contains("Ready to accept connections unix"));
    let pid = std::fs::read_to_string(dir.path().join("v.pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    eventually("the end", || log().ends_with("bye bye...\n"));
}
