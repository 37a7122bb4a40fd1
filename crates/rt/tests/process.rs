//! What a process does to itself, tried on child processes: title, background, signals, crash.
//!
//! This test has no harness, for its children must start with one thread: called with a scene's
//! name in the environment the program plays that scene, otherwise it starts itself once for each.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test of processes starts them and waits with a deadline"
)]

use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vesta_rt::log::{Level, Logger, Role, Sink};
use vesta_rt::process::{PidFile, Supervisor, Title, daemonize};
use vesta_rt::reactor::{Reactor, Token};
use vesta_rt::signals::{Signal, Signals, report_panics};
use vesta_rt::socket::{Accepted, Listener};

const SCENE: &str = "VESTA_TEST_SCENE";
const PLACE: &str = "VESTA_TEST_PLACE";

const TESTS: &[(&str, fn())] = &[
    ("a_title_longer_than_the_arguments_is_what_ps_shows", a_title_is_what_ps_shows),
    ("a_daemon_has_its_own_session_and_no_terminal", a_daemon_has_its_own_session),
    ("a_term_signal_wakes_the_reactor", a_term_signal_wakes_the_reactor),
    ("a_second_interrupt_ends_the_process_at_once", a_second_interrupt_ends_the_process),
    ("a_panic_is_reported_in_the_log_and_aborts", a_panic_is_reported_and_aborts),
    ("systemd_is_told_of_each_step", systemd_is_told_of_each_step),
    ("accepting_without_descriptors_waits_for_some", accepting_without_descriptors_waits),
];

fn main() {
    match std::env::var(SCENE).as_deref() {
        Ok("title") => play_title(),
        Ok("daemon") => play_daemon(),
        Ok("signals") => play_signals(),
        Ok("panic") => play_panic(),
        Ok("systemd") => play_systemd(),
        Ok("descriptors") => play_descriptors(),
        _ => run_tests(),
    }
}

/// The little of a harness that `cargo test` and nextest ask for: `--list` and names.
fn run_tests() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        let ignored = arguments.iter().any(|argument| argument == "--ignored");
        for (name, _) in TESTS.iter().filter(|_| !ignored) {
            println!("{name}: test");
        }
        return;
    }
    let asked: Vec<&String> =
        arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    for (name, test) in TESTS {
        if asked.is_empty() || asked.iter().any(|part| name.contains(part.as_str())) {
            test();
            println!("test {name} ... ok");
        }
    }
}

fn start(scene: &str, place: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .env(SCENE, scene)
        .env(PLACE, place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn place() -> PathBuf {
    std::env::var_os(PLACE).unwrap().into()
}

fn line(from: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_string()
}

/// Tries until it gives something; a process that never gets there fails the test.
fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::yield_now();
    }
}

fn play_title() {
    let mut title = Title::claim();
    let long = format!("vesta-server 127.0.0.1:6379 {}", "x".repeat(200));
    title.set(&long);
    println!("{}", std::env::var(PLACE).unwrap());
    let mut wait = String::new();
    std::io::stdin().read_line(&mut wait).unwrap();
    title.set("vesta-server *:1");
    println!("{}", std::env::var(SCENE).unwrap());
    std::io::stdin().read_line(&mut wait).unwrap();
}

fn a_title_is_what_ps_shows() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start("title", dir.path());
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let shown = |child: &Child| {
        let raw = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
        String::from_utf8(raw).unwrap().trim_end_matches('\0').to_string()
    };
    assert_eq!(line(&mut out), dir.path().to_str().unwrap(), "the environment survives");
    let expected = format!("vesta-server 127.0.0.1:6379 {}", "x".repeat(200));
    assert_eq!(shown(&child), expected, "longer than the arguments were");
    use std::io::Write;
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"\n").unwrap();
    assert_eq!(line(&mut out), "title", "the environment still survives");
    assert_eq!(shown(&child), "vesta-server *:1", "a shorter title leaves nothing behind");
    drop(input);
    assert!(child.wait().unwrap().success());
}

fn play_daemon() {
    daemonize().unwrap();
    println!("nobody hears this");
    let pid_file = PidFile::create(&place().join("pid")).unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_string();
    let out = std::fs::read_link("/proc/self/fd/1").unwrap();
    let report = format!("{} {session} {}", std::process::id(), out.display());
    pid_file.remove().unwrap();
    vesta_rt::files::write_atomically(&place().join("report"), report.as_bytes()).unwrap();
}

fn a_daemon_has_its_own_session() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start("daemon", dir.path());
    assert!(child.wait().unwrap().success(), "the parent leaves with status 0");
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    let report = eventually("the daemon's report", || {
        std::fs::read_to_string(dir.path().join("report")).ok()
    });
    let [pid, session, out] = report.split(' ').collect::<Vec<_>>()[..] else { panic!("{report}") };
    assert_ne!(pid, child.id().to_string());
    assert_eq!(pid, session, "it leads its own session");
    assert_eq!(out, "/dev/null");
    assert!(!dir.path().join("pid").exists());
}

fn play_signals() {
    let mut reactor = Reactor::new(8).unwrap();
    let waker = reactor.waker(Token(0)).unwrap();
    let signals = Signals::install(&waker).unwrap();
    println!("ready");
    let mut ready = Vec::new();
    loop {
        reactor.wait(None, &mut ready).unwrap();
        match signals.take() {
            Some(Signal::Term) => {
                assert_eq!(signals.take(), None, "each request is taken once");
                println!("{}", Signal::Term.name());
                return;
            }
            Some(Signal::Int) => println!("{}", Signal::Int.name()),
            None => {}
        }
    }
}

fn send(signal: rustix::process::Signal, child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

fn a_term_signal_wakes_the_reactor() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start("signals", dir.path());
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut out), "ready");
    send(rustix::process::Signal::HUP, &child);
    send(rustix::process::Signal::PIPE, &child);
    send(rustix::process::Signal::TERM, &child);
    assert_eq!(line(&mut out), "SIGTERM");
    assert!(child.wait().unwrap().success(), "SIGHUP and SIGPIPE were ignored");
}

fn a_second_interrupt_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start("signals", dir.path());
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut out), "ready");
    send(rustix::process::Signal::INT, &child);
    assert_eq!(line(&mut out), "SIGINT");
    send(rustix::process::Signal::INT, &child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

fn play_panic() {
    report_panics(Logger {
        level: Level::Notice,
        role: Role::Primary,
        sink: Sink::File(place().join("log")),
        syslog: None,
    });
    panic!("the hearth went out");
}

fn a_panic_is_reported_and_aborts() {
    use std::os::unix::process::ExitStatusExt;
    let dir = tempfile::tempdir().unwrap();
    let status = start("panic", dir.path()).wait().unwrap();
    assert_eq!(status.signal(), Some(6), "SIGABRT");
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("# === VESTA BUG REPORT START"), "{log}");
    assert!(log.contains("the hearth went out"), "{log}");
}

fn play_systemd() {
    assert_eq!(Supervisor::detect(), Some(Supervisor::Systemd));
    Supervisor::Systemd.ready("Ready to accept connections").unwrap();
    Supervisor::Systemd.stopping().unwrap();
}

fn systemd_is_told_of_each_step() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(SCENE, "systemd")
        .env("NOTIFY_SOCKET", &path)
        .env_remove("UPSTART_JOB")
        .spawn()
        .unwrap();
    let heard = || {
        let mut buffer = [0; 256];
        let len = systemd.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    };
    assert_eq!(heard(), "STATUS=Ready to accept connections\nREADY=1\n");
    assert_eq!(heard(), "STOPPING=1\n");
    assert!(child.wait().unwrap().success());
}

fn play_descriptors() {
    let path = place().join("s.sock");
    let listener = Listener::unix(&path, None, 16).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let limits = getrlimit(Resource::Nofile);
    // The lowest free number is that of the next descriptor.
    let next = u64::try_from(client.try_clone().unwrap().as_raw_fd()).unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(next), ..limits }).unwrap();
    match listener.accept_up_to(10, |_| panic!("accepted beyond the limit")) {
        Accepted::Later(error) => assert_eq!(error.raw_os_error(), Some(24), "EMFILE: {error}"),
        other @ (Accepted::Drained | Accepted::More) => panic!("{other:?}"),
    }
    setrlimit(Resource::Nofile, limits).unwrap();
    let mut accepted = 0;
    let end = listener.accept_up_to(10, |_| accepted += 1);
    assert!(matches!(end, Accepted::Drained));
    assert_eq!(accepted, 1, "the connection was kept in the queue");
}

fn accepting_without_descriptors_waits() {
    let dir = tempfile::tempdir().unwrap();
    assert!(start("descriptors", dir.path()).wait().unwrap().success());
}
