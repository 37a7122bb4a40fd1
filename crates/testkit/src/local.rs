//! One server in a directory of its own, for tests that look at its files, its log and its end.
//!
//! It listens on a unix socket, so that it can be tested that it refuses to start: no port is
//! tried twice. All of this panics where a test would: with what the server has logged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::client::Client;
use crate::process::{Signal, TempDir, role};
use crate::rdb::samples;
use crate::value::Value;
use crate::wait;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Words before the program: another program that becomes it.
    pub through: Vec<String>,
    /// The program.
    pub program: PathBuf,
    /// Directives behind those that give it its socket, its log and its directory, and no save
    /// points.
    pub args: Vec<String>,
}

impl Setup {
    /// A server with more directives.
    #[must_use]
    pub fn new(program: impl AsRef<Path>, args: &[&str]) -> Self {
        let program = program.as_ref().to_owned();
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { through: Vec::new(), program, args }
    }

    /// Starts the program through another one.
    #[must_use]
    pub fn through(mut self, words: &[&str]) -> Self {
        self.through = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn start(self) -> Local {
        self.start_in(|_| {})
    }

    /// Starts it in a directory that was prepared, and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn start_in(self, prepare: impl FnOnce(&Path)) -> Local {
        let mut server = self.launch_in(prepare);
        server.wait_ready();
        server
    }

    /// Starts it in a directory that was prepared, and does not wait.
    ///
    /// # Panics
    /// If there is no such program.
    #[must_use]
    pub fn launch_in(self, prepare: impl FnOnce(&Path)) -> Local {
        let dir = TempDir::new().expect("a folder can be made");
        prepare(dir.path());
        let child = self.spawn(dir.path());
        Local { setup: self, child, dir }
    }

    fn spawn(&self, dir: &Path) -> Child {
        let mut words = self.through.iter().map(AsRef::as_ref);
        let words = words.by_ref().chain([self.program.as_os_str()]);
        let mut words = words.chain(role(&self.program).iter().map(AsRef::as_ref));
        Command::new(words.next().unwrap_or_default())
            .args(words)
            .args(["--port", "0", "--unixsocket", "s.sock", "--logfile", "log"])
            .args(["--enable-debug-command", "yes", "--enable-protected-configs", "yes", "--dir"])
            .arg(dir)
            .args(["--save", ""])
            .args(&self.args)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program can be started")
    }
}

/// A server that was started; killed when dropped.
#[derive(Debug)]
pub struct Local {
    setup: Setup,
    child: Child,
    dir: TempDir,
}

impl Local {
    /// A file in its directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What it has logged since its last start.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says that it accepts connections.
    ///
    /// # Panics
    /// If it does not, or ends.
    pub fn wait_ready(&mut self) {
        eventually("ready", || {
            assert!(!self.has_ended(), "it has ended: {}", self.log());
            let log = self.log();
            log.contains("Ready to accept connections unix") || log.contains("ready to accept")
        });
    }

    /// Starts it again, with `kill -9` if it still runs; does not wait until it is ready.
    ///
    /// # Panics
    /// If that cannot be done.
    pub fn restart(&mut self) {
        self.kill();
        fs::remove_file(self.path("log")).expect("it has logged");
        self.child = self.setup.spawn(self.dir.path());
    }

    /// The same with other directives.
    ///
    /// # Panics
    /// If that cannot be done.
    pub fn restart_with(&mut self, args: &[&str]) {
        self.setup.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.restart();
    }

    /// `kill -9`, if it still runs.
    ///
    /// # Panics
    /// If that cannot be done.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// A new connection to it, as soon as it listens.
    ///
    /// # Panics
    /// If it never does.
    #[must_use]
    pub fn client(&self) -> Client {
        let client = wait::until(PATIENCE, || Client::unix(&self.path("s.sock")).ok());
        client.unwrap_or_else(|| panic!("it does not listen: {}", self.log()))
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If that cannot be done.
    pub fn signal(&self, signal: Signal) {
        signal.send(self.pid()).expect("it still runs");
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// If that cannot be known.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Its status once it has ended by itself; `None` if a signal has ended it.
    ///
    /// # Panics
    /// If it does not end.
    pub fn ended(&mut self) -> Option<i32> {
        let status = wait::until(PATIENCE, || self.child.try_wait().expect("it is our child"));
        status.unwrap_or_else(|| panic!("it does not end: {}", self.log())).code()
    }

    /// Looks for texts in its log, each behind the one before it.
    ///
    /// # Panics
    /// If one is not in its place.
    pub fn logged(&self, texts: &[&str]) {
        let log = self.log();
        let mut rest = log.as_str();
        for text in texts {
            let Some((_, behind)) = rest.split_once(text) else {
                panic!("{text:?} is not in its place in\n{log}")
            };
            rest = behind;
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // It may have gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something has happened.
///
/// # Panics
/// If it does not.
pub fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let happened = wait::until(PATIENCE, || happened().then_some(()));
    assert!(happened.is_some(), "{what} did not happen");
}

/// The reply to a command.
///
/// # Panics
/// If there is none.
pub fn ask(client: &mut Client, words: &[&str]) -> Value {
    client.command(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// Asks for something that is answered with OK.
///
/// # Panics
/// If it is not.
pub fn ok(client: &mut Client, words: &[&str]) {
    assert_eq!(ask(client, words), Value::Simple(b"OK".to_vec()), "{words:?}");
}

/// The text of a string or an error.
#[must_use]
pub fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.text().or(value.error()).unwrap_or_default()).into_owned()
}

/// What DEBUG DIGEST says about all data.
///
/// # Panics
/// If it says nothing.
pub fn digest(client: &mut Client) -> String {
    let digest = text(&ask(client, &["DEBUG", "DIGEST"]));
    assert_eq!(digest.len(), 40, "{digest}");
    digest
}

/// A field of INFO persistence.
///
/// # Panics
/// If there is none.
pub fn figure(client: &mut Client, name: &str) -> String {
    let info = text(&ask(client, &["INFO", "persistence"]));
    let field = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    field.unwrap_or_else(|| panic!("no {name} in {info}")).to_owned()
}

/// Makes keys of all types and encodings that readers of this version know, in two databases.
///
/// # Panics
/// If the server refuses one.
pub fn fill(client: &mut Client, version_max: u16) {
    let mut count = 0;
    for sample in samples().iter().filter(|sample| sample.version <= version_max) {
        let (key, payload) = (sample.name.as_bytes(), sample.payload());
        let restored = client.command(&[b"RESTORE", key, b"0", payload.as_slice()]);
        let restored = restored.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
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
