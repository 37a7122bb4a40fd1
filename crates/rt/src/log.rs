//! The server's log, in the line shape that every tool around Redis reads:
//!
//! ```text
//! 12345:M 23 Nov 2026 08:29:43.931 * Ready to accept connections
//! ```
//!
//! pid, role, local time, mark of the level, text. A line is one `write` to a file opened for
//! appending, and the file is opened for each line: a rotated log is followed without being told,
//! two processes may share a file, and a logger is a plain value without a descriptor. The log is
//! not on any hot path.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sys::process::local_time;

/// How much a line matters; a logger writes those at or above its own level.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// For development: everything.
    Debug,
    /// Many lines that are rarely useful.
    Verbose,
    /// What one wants to know in production.
    Notice,
    /// What somebody should look at.
    Warning,
    /// Never the level of a line; a logger at this level writes nothing (`loglevel nothing`).
    Nothing,
}

impl Level {
    const fn mark(self) -> char {
        match self {
            Self::Debug => '.',
            Self::Verbose => '-',
            Self::Notice => '*',
            Self::Warning | Self::Nothing => '#',
        }
    }

    /// The severity of RFC 5424 that syslog gets.
    const fn severity(self) -> u8 {
        match self {
            Self::Debug => 7,
            Self::Verbose => 6,
            Self::Notice => 5,
            Self::Warning | Self::Nothing => 4,
        }
    }
}

/// What the writing process is, as one letter behind its pid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// `X`: a sentinel.
    Sentinel,
    /// `C`: a child, or a server that has not yet found its role.
    Child,
    /// `S`: a replica.
    Replica,
    /// `M`: a primary.
    Primary,
}

impl Role {
    const fn letter(self) -> char {
        match self {
            Self::Sentinel => 'X',
            Self::Child => 'C',
            Self::Replica => 'S',
            Self::Primary => 'M',
        }
    }
}

/// Where lines go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sink {
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
}

/// Where lines go besides the sink, as `syslog-enabled` asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Syslog {
    /// The daemon's socket: `/dev/log`.
    pub socket: PathBuf,
    /// The program's name in each message (`syslog-ident`).
    pub ident: String,
    /// The facility's code of RFC 5424: 1 user, 16 to 23 local0 to local7.
    pub facility: u8,
}

impl Syslog {
    /// Sends to the daemon of this machine.
    #[must_use]
    pub fn local(ident: String, facility: u8) -> Self {
        Self { socket: PathBuf::from("/dev/log"), ident, facility }
    }

    /// `<priority>Nov 23 08:29:43 ident[pid]: text`, the datagram that the C library sends.
    fn send(&self, unix_us: u64, pid: u32, level: Level, text: &str) -> io::Result<()> {
        let priority = u32::from(self.facility) * 8 + u32::from(level.severity());
        let [day, month, _, hour, minute, second] =
            local_time(i64::try_from(unix_us / 1_000_000).unwrap_or(i64::MAX));
        let message = format!(
            "<{priority}>{} {day:2} {hour:02}:{minute:02}:{second:02} {}[{pid}]: {text}",
            month_name(month),
            self.ident
        );
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to(message.as_bytes(), &self.socket).map(drop)
    }
}

/// Writes lines. Plain data: clone it for another thread or for the panic hook.
#[derive(Clone, Debug)]
pub struct Logger {
    /// The lowest level that is written.
    pub level: Level,
    /// What this process is.
    pub role: Role,
    /// Where lines go.
    pub sink: Sink,
    /// Where else.
    pub syslog: Option<Syslog>,
}

impl Logger {
    /// Writes one line, if `level` is at or above the logger's.
    ///
    /// A log that cannot be written is no reason to stop serving: failures are ignored, as Redis
    /// does. (That the file can be opened is checked once, at start: [`check`](Self::check).)
    pub fn log(&self, level: Level, text: &str) {
        if level < self.level || level == Level::Nothing {
            return;
        }
        let (unix_us, pid) = (unix_us(), crate::process::pid());
        let _ = self.append(format_line(pid, self.role, unix_us, level, text).as_bytes());
        if let Some(syslog) = &self.syslog {
            let _ = syslog.send(unix_us, pid, level, text);
        }
    }

    /// Writes text as it is, without a header: the banner. Counts as a notice.
    pub fn raw(&self, text: &str) {
        if self.level <= Level::Notice {
            let _ = self.append(text.as_bytes());
        }
    }

    /// Writes the line that tells of a signal, whose header has the signal handler's shape:
    /// `pid:signal-handler (unix seconds) text`.
    pub fn signal(&self, text: &str) {
        if self.level != Level::Nothing {
            let unix_s = unix_us() / 1_000_000;
            let pid = crate::process::pid();
            let line = format!("{pid}:signal-handler ({unix_s}) {text}\n");
            let _ = self.append(line.as_bytes());
        }
    }

    /// Whether the log file can be opened.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check(&self) -> io::Result<()> {
        self.append(b"")
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        match &self.sink {
            Sink::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()
            }
            Sink::File(path) => {
                File::options().append(true).create(true).open(path)?.write_all(bytes)
            }
        }
    }

    /// A sink from the value of `logfile`, where empty means standard output.
    #[must_use]
    pub fn sink_of(logfile: &OsStr) -> Sink {
        if logfile.is_empty() { Sink::Stdout } else { Sink::File(PathBuf::from(logfile)) }
    }
}

/// One line with its header and newline. Line breaks in `text` are kept, as Redis keeps them.
fn format_line(pid: u32, role: Role, unix_us: u64, level: Level, text: &str) -> String {
    let ms = unix_us / 1000 % 1000;
    let date = date(unix_us / 1_000_000);
    let mut line = String::with_capacity(48 + text.len());
    let _ = writeln!(line, "{pid}:{} {date}.{ms:03} {} {text}", role.letter(), level.mark());
    line
}

/// A moment as people write it, by the local clock: `23 Nov 2026 14:48:20`.
#[must_use]
pub fn date(unix_s: u64) -> String {
    let unix_s = i64::try_from(unix_s).unwrap_or(i64::MAX);
    let [day, month, year, hour, minute, second] = local_time(unix_s);
    let month = month_name(month);
    format!("{day:02} {month} {year} {hour:02}:{minute:02}:{second:02}")
}

fn month_name(month: i32) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    usize::try_from(month).ok().and_then(|month| NAMES.get(month)).copied().unwrap_or("???")
}

fn unix_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logger(path: PathBuf) -> Logger {
        Logger { level: Level::Notice, role: Role::Primary, sink: Sink::File(path), syslog: None }
    }

    /// Splits a header into what is the same every time and what is not.
    fn shape(line: &str) -> String {
        line.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect()
    }

    #[test]
    fn a_line_has_the_shape_that_tools_read() {
        let line = format_line(42, Role::Primary, 1_795_422_583_931_456, Level::Notice, "Hello");
        // Day, hour and perhaps month depend on the zone; the rest does not.
        assert!(line.starts_with("42:M "), "{line}");
        assert!(line.contains(" Nov 2026 "), "{line}");
        assert!(line.ends_with(":43.931 * Hello\n"), "{line}");
        assert_eq!(shape(&line), "99:M 99 Nov 9999 99:99:99.999 * Hello\n");
        assert!(line.contains(&date(1_795_422_583)), "{line}");
        assert!(!date(u64::MAX).is_empty());
    }

    #[test]
    fn roles_and_levels_have_their_letters() {
        let marks = [
            (Role::Sentinel, Level::Debug, "X .", "1:X"),
            (Role::Child, Level::Verbose, "C -", "1:C"),
            (Role::Replica, Level::Notice, "S *", "1:S"),
            (Role::Primary, Level::Warning, "M #", "1:M"),
        ];
        for (role, level, both, head) in marks {
            let line = format_line(1, role, 0, level, "x");
            assert!(line.starts_with(head), "{line}");
            assert!(line.ends_with(&format!(" {} x\n", &both[2..])), "{line}");
        }
    }

    #[test]
    fn a_logger_writes_what_is_at_or_above_its_level() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = logger(dir.path().join("log"));
        log.log(Level::Verbose, "too quiet");
        log.log(Level::Notice, "notice");
        log.log(Level::Warning, "warning");
        log.raw("banner\n");
        log.signal("Received SIGTERM scheduling shutdown...");
        log.level = Level::Nothing;
        log.log(Level::Warning, "unheard");
        log.raw("unseen");
        let text = std::fs::read_to_string(dir.path().join("log")).unwrap();
        let ends =
            [" * notice", " # warning", "banner", ") Received SIGTERM scheduling shutdown..."];
        assert_eq!(text.lines().count(), ends.len(), "{text}");
        for (line, end) in text.lines().zip(ends) {
            assert!(line.ends_with(end), "{line:?} should end in {end:?}");
        }
        assert!(text.contains(":signal-handler ("), "{text}");
    }

    #[test]
    fn a_rotated_log_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let log = logger(path.clone());
        log.log(Level::Notice, "before");
        std::fs::rename(&path, dir.path().join("log.1")).unwrap();
        log.log(Level::Notice, "after");
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("after\n"));
        assert!(logger(dir.path().join("missing/log")).check().is_err());
    }

    #[test]
    fn syslog_gets_a_datagram_with_priority_and_ident() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("syslog");
        let daemon = UnixDatagram::bind(&socket).unwrap();
        let mut log = logger(dir.path().join("log"));
        log.syslog = Some(Syslog { socket, ident: "vesta".into(), facility: 16 });
        log.log(Level::Warning, "hello");
        let mut buffer = [0; 256];
        let len = daemon.recv(&mut buffer).unwrap();
        let message = std::str::from_utf8(&buffer[..len]).unwrap();
        assert!(message.starts_with("<132>"), "local0 is 16, warning is 4: {message}");
        let end = format!(" vesta[{}]: hello", std::process::id());
        assert!(message.ends_with(&end), "{message}");
    }
}
