//! Real server processes on ports that the kernel chose, in folders of their own.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::client::Client;
use crate::wait;

/// How long a server may take to answer its first PING, and to end when told to.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How long the removal of a folder is tried.
const REMOVED_WITHIN: Duration = Duration::from_secs(1);

/// Another program may take the free port before the server does: so many ports are tried.
const PORTS_TRIED: usize = 5;

/// A folder that is removed with its content when dropped.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// A new empty folder.
    pub fn new() -> io::Result<Self> {
        let base = std::env::temp_dir();
        let mut number = 0_u32;
        loop {
            let path = base.join(format!("vesta-testkit-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // The child of a killed server may still be writing a snapshot into it. Nothing is left to
        // do for a folder that cannot be removed at all.
        let _ = wait::until(REMOVED_WITHIN, || fs::remove_dir_all(&self.0).ok());
    }
}

/// A signal that can be sent to a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signal {
    /// Shut down cleanly.
    Term,
    /// As a person at the terminal would.
    Int,
    /// Stop running until [`Signal::Continue`].
    Stop,
    /// Run again.
    Continue,
}

impl Signal {
    /// Sends it to a process of ours.
    pub fn send(self, pid: u32) -> io::Result<()> {
        let name = match self {
            Self::Term => "-TERM",
            Self::Int => "-INT",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
        };
        let status = Command::new("kill").arg(name).arg(pid.to_string()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("kill failed")) }
    }
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    args: Vec<String>,
    port: u16,
    child: Child,
    dir: TempDir,
}

impl Server {
    /// Starts `binary args.. --port P --dir D` and waits until it answers PING.
    ///
    /// The binary must be the server itself: its INFO is asked for the id of the process.
    /// The error tells the end of the server's log if it does not come up.
    pub fn start(binary: &Path, args: &[String]) -> io::Result<Self> {
        Self::start_on(binary, &|port, dir| {
            let place = ["--port", &port.to_string(), "--dir"].map(str::to_owned);
            let dir = dir.to_string_lossy().into_owned();
            Ok(args.iter().cloned().chain(place).chain([dir]).collect())
        })
    }

    /// Starts `binary` with what `args` makes of a free port and an empty folder, and waits until
    /// it answers PING on that port. It may write files there; it is asked again with others when
    /// the port was taken.
    pub fn start_on(
        binary: &Path,
        args: &dyn Fn(u16, &Path) -> io::Result<Vec<String>>,
    ) -> io::Result<Self> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (dir, port) = (TempDir::new()?, free_port()?);
            let args = args(port, dir.path())?;
            let child = spawn(binary, &args, dir.path())?;
            let binary = binary.to_owned();
            let mut server = Self { binary, args, port, child, dir };
            match server.wait_ready() {
                Err(_) if tried < PORTS_TRIED && server.log().contains("in use") => {}
                ready => return ready.map(|()| server),
            }
        }
    }

    /// Starts a server of either kind with the usual arguments and more behind them.
    pub fn start_as(binary: &Path, args: &[String]) -> io::Result<Self> {
        Self::start(binary, &with_quiet(role(binary), args))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its working folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A new connection to it.
    pub fn client(&self) -> io::Result<Client> {
        Client::tcp(self.address())
    }

    /// All it printed since its first start.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.dir.path().join(LOG_NAME))
            .map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        signal.send(self.pid())
    }

    /// Waits for the process to end by itself.
    pub fn wait_exit(&mut self) -> io::Result<ExitStatus> {
        wait::until(READY_WITHIN, || self.child.try_wait().transpose())
            .unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::TimedOut, "still running")))
    }

    /// Starts it again on the same port and folder, after it ended or was killed.
    pub fn restart(&mut self) -> io::Result<()> {
        self.relaunch()?;
        self.wait_ready()
    }

    /// The same, without waiting until it answers.
    pub fn relaunch(&mut self) -> io::Result<()> {
        if self.is_running() {
            self.kill()?;
        }
        self.child = spawn(&self.binary, &self.args, self.dir.path())?;
        Ok(())
    }

    fn wait_ready(&mut self) -> io::Result<()> {
        let ready = wait::until(READY_WITHIN, || {
            if let Some(status) = self.child.try_wait().transpose() {
                return Some(status.map(Some));
            }
            let mut client = self.client().ok()?;
            let answer = client.command(&["PING"]).ok()?;
            let loading = answer.error().is_some_and(|text| text.starts_with(b"LOADING"));
            // Another program's server may have taken the port: then ours is about to end.
            let info = client.command(&["INFO", "server"]).ok()?;
            let process = format!("process_id:{}\r\n", self.child.id()).into_bytes();
            let ours = |text: &[u8]| text.windows(process.len()).any(|part| part == process);
            (!loading && info.text().is_none_or(ours)).then_some(Ok(None))
        });
        match ready {
            Some(Ok(None)) => Ok(()),
            Some(Ok(Some(status))) => {
                Err(io::Error::other(format!("ended with {status}; its log:\n{}", self.log())))
            }
            Some(Err(error)) => Err(error),
            None => Err(io::Error::other(format!("never answered; its log:\n{}", self.log()))),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.kill();
    }
}

/// What a program is told to be a server: nothing if its name begins with `redis`.
pub(crate) fn role(binary: &Path) -> &'static [&'static str] {
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("redis") { &[] } else { &["server"] }
}

const LOG_NAME: &str = "server.log";

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn spawn(binary: &Path, args: &[String], dir: &Path) -> io::Result<Child> {
    let log = File::options().create(true).append(true).open(dir.join(LOG_NAME))?;
    Command::new(binary)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", binary.display())))
}

/// Directives of every server under test: nothing is kept, nothing waits.
const QUIET: [&str; 12] = [
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--enable-debug-command",
    "yes",
    "--repl-diskless-sync",
    "no",
    "--repl-diskless-sync-delay",
    "0",
];

/// The reference: the installed `redis-server`.
#[derive(Clone, Copy, Debug)]
pub struct Oracle;

impl Oracle {
    /// Whether it is installed.
    #[must_use]
    pub fn is_installed() -> bool {
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok()
    }

    /// Starts it with more arguments after the usual ones.
    pub fn start(args: &[String]) -> io::Result<Server> {
        Server::start_as(Path::new("redis-server"), args)
    }
}

/// The server under test.
#[derive(Clone, Copy, Debug)]
pub struct Vesta;

impl Vesta {
    /// `VESTA_BIN`, a relative path being one from the root of the workspace, where no test runs;
    /// else the `vesta` beside the running test executable; `None` if neither exists.
    #[must_use]
    pub fn binary() -> Option<PathBuf> {
        if let Some(path) = std::env::var_os("VESTA_BIN") {
            return Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path));
        }
        let test = std::env::current_exe().ok()?;
        // target/<profile>/deps/<test>, or target/<profile>/<tool>
        test.ancestors().skip(1).take(2).map(|dir| dir.join("vesta")).find(|path| path.is_file())
    }

    /// Starts `binary server` with more arguments after the usual ones.
    pub fn start(binary: &Path, args: &[String]) -> io::Result<Server> {
        Server::start(binary, &with_quiet(&["server"], args))
    }
}

fn with_quiet(first: &[&str], more: &[String]) -> Vec<String> {
    first.iter().chain(&QUIET).map(|arg| (*arg).to_owned()).chain(more.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_gone_after_its_owner() {
        let first = TempDir::new().unwrap();
        let second = TempDir::new().unwrap();
        assert_ne!(first.path(), second.path());
        fs::write(first.path().join("x"), "y").unwrap();
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists() && second.path().exists());
    }

    #[test]
    fn a_server_that_ends_at_once_shows_its_log() {
        let error = Server::start(Path::new("/bin/sh"), &["-c".into(), "echo sorry".into()]);
        assert!(error.unwrap_err().to_string().contains("sorry"));
    }
}
