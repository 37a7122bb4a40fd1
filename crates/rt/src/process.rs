//! The process itself: going to the background, pid file, title, supervisors, limits, usage.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::system::{sysinfo, uname};
use sd_notify::NotifyState;

use crate::sys::argv::ArgvArea;
use crate::sys::process::{Side, cpu_times, fork};

/// Goes on in the background: a child in its own session, with the standard streams on /dev/null.
///
/// The parent exits with status 0 and never returns from here. Call it before any thread starts.
/// The working directory stays.
///
/// # Errors
/// The process cannot be split, or /dev/null cannot be opened.
pub fn daemonize() -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    match fork()? {
        // No destructors: what the parent holds (sockets, files) is the child's now.
        Side::Parent => signal_hook::low_level::exit(0),
        Side::Child => {}
    }
    rustix::process::setsid()?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// This process's id.
#[must_use]
pub fn pid() -> u32 {
    std::process::id()
}

/// Whether a process of this id runs, as far as this one can know: it may be somebody else's.
#[must_use]
pub fn may_run(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let test = pid.map(rustix::process::test_kill_process);
    test.is_some_and(|outcome| outcome != Err(rustix::io::Errno::SRCH))
}

/// A file that holds our pid while this value lives.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes the pid and a newline to `path`, replacing what was there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        // A relative path must still mean the same file if the working directory changes.
        let path = std::path::absolute(path)?;
        std::fs::write(&path, format!("{}\n", pid()))?;
        Ok(Self { path })
    }

    /// Removes the file; one that is gone already is fine.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The title that `ps` shows in place of the command line.
#[derive(Debug)]
pub struct Title(Option<ArgvArea>);

impl Title {
    /// Takes over the memory of the command line.
    ///
    /// Call it once, early, while the process has one thread; from then on `std::env::args` gives
    /// the title, so copy the arguments first. The environment keeps its contents.
    #[must_use]
    pub fn claim() -> Self {
        Self(ArgvArea::claim())
    }

    /// Shows `title`, cut to the bytes that the command line and the environment took at start.
    /// Where the platform does not say where they are, nothing happens.
    pub fn set(&mut self, title: &str) {
        if let Some(area) = &mut self.0 {
            area.write(title.as_bytes());
        }
    }
}

/// Who wants to hear that the service is ready.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Supervisor {
    /// systemd, through the socket named by `NOTIFY_SOCKET`.
    Systemd,
    /// upstart with `expect stop`: the process stops itself, upstart lets it go on.
    Upstart,
}

impl Supervisor {
    /// The supervisor that the environment speaks of: `UPSTART_JOB` or `NOTIFY_SOCKET`.
    #[must_use]
    pub fn detect() -> Option<Self> {
        if Self::Upstart.is_present() {
            Some(Self::Upstart)
        } else if Self::Systemd.is_present() {
            Some(Self::Systemd)
        } else {
            None
        }
    }

    /// Whether the environment speaks of this supervisor.
    #[must_use]
    pub fn is_present(self) -> bool {
        let variable = match self {
            Self::Systemd => "NOTIFY_SOCKET",
            Self::Upstart => "UPSTART_JOB",
        };
        std::env::var_os(variable).is_some_and(|value| !value.is_empty())
    }

    /// Tells systemd what we are doing, in a line for people. upstart does not listen.
    ///
    /// # Errors
    /// The socket cannot be reached.
    pub fn status(self, text: &str) -> io::Result<()> {
        self.notify(&[NotifyState::Status(text)])
    }

    /// Tells systemd that we serve, with a line for people. upstart was told by
    /// [`stop_for_upstart`].
    ///
    /// # Errors
    /// The socket cannot be reached.
    pub fn ready(self, text: &str) -> io::Result<()> {
        self.notify(&[NotifyState::Status(text), NotifyState::Ready])
    }

    /// Tells systemd that we are going down. upstart does not listen.
    ///
    /// # Errors
    /// The socket cannot be reached.
    pub fn stopping(self) -> io::Result<()> {
        self.notify(&[NotifyState::Stopping])
    }

    fn notify(self, states: &[NotifyState<'_>]) -> io::Result<()> {
        match self {
            Self::Systemd => sd_notify::notify(states),
            Self::Upstart => Ok(()),
        }
    }
}

/// Stops this process until upstart, which takes the stop for readiness, lets it go on.
///
/// # Errors
/// What `raise` gives; not expected.
pub fn stop_for_upstart() -> io::Result<()> {
    signal_hook::low_level::raise(libc::SIGSTOP)
}

/// The limit of open descriptors after [`raise_open_files`].
#[derive(Debug)]
pub struct OpenFiles {
    /// The limit now.
    pub limit: u64,
    /// The limit before.
    pub before: u64,
    /// Why the limit is below what was wanted, if it is.
    pub refused: Option<io::Error>,
}

/// Raises the limit of open descriptors to `wanted`, or as far as it goes. Never lowers it.
#[must_use]
pub fn raise_open_files(wanted: u64) -> OpenFiles {
    let now = getrlimit(Resource::Nofile);
    // None means no limit.
    let before = now.current.unwrap_or(u64::MAX);
    if before >= wanted {
        return OpenFiles { limit: before, before, refused: None };
    }
    let hard = now.maximum.map(|hard| hard.max(wanted));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: hard }) {
        Ok(()) => OpenFiles { limit: wanted, before, refused: None },
        Err(refusal) => {
            // Only the privileged raise the hard limit; everybody may go up to it.
            let reachable = now.maximum.unwrap_or(wanted).min(wanted);
            let limits = Rlimit { current: Some(reachable), maximum: now.maximum };
            let raised = setrlimit(Resource::Nofile, limits).is_ok();
            let limit = if raised { reachable } else { before };
            let refused = (limit < wanted).then(|| refusal.into());
            OpenFiles { limit, before, refused }
        }
    }
}

/// Allows or forbids transparent huge pages for this process and those it starts.
///
/// The allocator forbids them when the process starts, so that is the state before the first call.
///
/// # Errors
/// The kernel knows no such switch.
pub fn allow_huge_pages(allow: bool) -> io::Result<()> {
    Ok(rustix::thread::disable_transparent_huge_pages(!allow)?)
}

/// CPU time used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CpuTime {
    /// In user mode.
    pub user: Duration,
    /// In the kernel, on our behalf.
    pub system: Duration,
}

impl CpuTime {
    fn of(who: libc::c_int) -> Self {
        let (user, system) = cpu_times(who);
        Self { user, system }
    }
}

/// What the process uses of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Resident memory in bytes; 0 where /proc is missing.
    pub rss_bytes: u64,
    /// All threads of the process.
    pub own: CpuTime,
    /// Children that were waited for.
    pub children: CpuTime,
    /// The calling thread.
    pub thread: CpuTime,
}

/// Measures what the process uses now. Opens a file: not for every command.
#[must_use]
pub fn usage() -> Usage {
    #[cfg(target_os = "linux")]
    let thread = CpuTime::of(libc::RUSAGE_THREAD);
    #[cfg(not(target_os = "linux"))]
    let thread = CpuTime::of(libc::RUSAGE_SELF);
    Usage {
        rss_bytes: rss_bytes().unwrap_or(0),
        own: CpuTime::of(libc::RUSAGE_SELF),
        children: CpuTime::of(libc::RUSAGE_CHILDREN),
        thread,
    }
}

fn rss_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}

/// The machine's memory in bytes.
#[must_use]
pub fn total_memory_bytes() -> u64 {
    let info = sysinfo();
    u64::from(info.mem_unit).saturating_mul(info.totalram)
}

/// The operating system as INFO names it: `Linux 6.1.0 x86_64`.
#[must_use]
pub fn operating_system() -> String {
    let name = uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    format!("{} {} {}", text(name.sysname()), text(name.release()), text(name.machine()))
}

/// Whether standard output is a terminal.
#[must_use]
pub fn stdout_is_terminal() -> bool {
    use std::io::IsTerminal;
    io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_holds_the_pid_and_goes_away() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vesta.pid");
        let file = PidFile::create(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", pid()));
        file.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_process_runs_whoever_has_started_it() {
        assert!(may_run(pid()) && may_run(1), "ours and somebody else's");
        assert!(!may_run(u32::MAX) && !may_run(0));
    }

    #[test]
    fn removing_a_pid_file_that_is_gone_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vesta.pid");
        let file = PidFile::create(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file.remove().unwrap();
        assert!(PidFile::create(&dir.path().join("missing/vesta.pid")).is_err());
    }

    #[test]
    fn usage_is_that_of_this_process() {
        let usage = usage();
        assert!(usage.rss_bytes > 500_000, "{usage:?}");
        assert!(usage.rss_bytes < total_memory_bytes());
        assert!(usage.own.user + usage.own.system >= usage.thread.user);
    }

    #[test]
    fn an_open_files_limit_that_suffices_stays() {
        let before = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let files = raise_open_files(1);
        assert_eq!((files.limit, files.before), (before, before));
        assert!(files.refused.is_none());
    }

    #[test]
    fn an_open_files_limit_beyond_the_kernels_is_refused_and_left_as_high_as_it_goes() {
        let files = raise_open_files(u64::MAX - 1);
        assert!(files.refused.is_some() || files.before == u64::MAX, "{files:?}");
        assert!(files.limit >= files.before);
    }

    #[test]
    fn huge_pages_can_be_allowed_and_forbidden() {
        // The switch is the process's: forbidden again at the end, as the allocator left it.
        allow_huge_pages(true).unwrap();
        assert!(!rustix::thread::transparent_huge_pages_are_disabled().unwrap());
        allow_huge_pages(false).unwrap();
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }

    #[test]
    fn the_operating_system_is_named_with_its_release_and_machine() {
        let os = operating_system();
        assert_eq!(os.split(' ').count(), 3, "{os}");
        assert!(os.ends_with(std::env::consts::ARCH), "{os}");
    }
}
