//! From a command line to a process that is ready to serve: everything before the first turn of the
//! loop, and the words of the last.
//!
//! The order matters. The configuration comes first, because it says where to log. Going to the
//! background comes before anything with a thread, a lock or a pid in it. Sockets come before the
//! pid file, so that a second server on the same port does not overwrite the first one's. The
//! lines that tools wait for are worded as redis-server 7.0.15 was observed to word them; that 7.2
//! logs most of them as notices and names the kind of socket is known but was not observed.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use vesta_cmd::{Commands, RenameError};
use vesta_config::{
    Argv, Choice, Config, Given, LoadError, Loaded, LoadedFrom, Problem, Supervised, load,
};
use vesta_rt::clock::{Clock, Ticks};
use vesta_rt::errno_text;
use vesta_rt::log::{Level, Logger, Role, Sink};
use vesta_rt::process::{self, PidFile, Supervisor, Title};
use vesta_rt::reactor::{Reactor, Token, Waker};
use vesta_rt::signals::{Signal, Signals, report_panics};
use vesta_rt::socket::Listener;

use super::banner::banner;
use super::listen::listeners;
use super::logging::logger;
use super::sources::Disk;
use super::title::title;
use crate::version::{BITS, COMMIT, VERSION};

/// Events handled in one turn of the loop.
const EVENTS_PER_TURN: usize = 1024;
/// Descriptors that are kept for files, listeners and the log beside those of clients.
const RESERVED_DESCRIPTORS: u32 = 32;
/// Where the pid of a server in the background goes unless `pidfile` says otherwise.
const DEFAULT_PID_FILE: &str = "/var/run/vesta.pid";

/// Where a server without any arguments listens: nobody has said yet that others may come. With a
/// file or arguments, what they leave out is as in redis-server, so that existing set-ups that
/// never mention `bind` are reached as before.
const LOOPBACK: [&str; 2] = ["127.0.0.1", "-::1"];

/// A process that is ready to serve.
pub(crate) struct Booted {
    /// The settings, as the system allowed them (`maxclients` may be lower than configured).
    pub(crate) config: Config,
    /// Where they came from, for CONFIG REWRITE.
    pub(crate) from: LoadedFrom,
    /// The log. Its level and role are the loop's to change.
    pub(crate) logger: Logger,
    /// Open sockets, not yet registered.
    pub(crate) listeners: Vec<Listener>,
    /// The reactor; a signal, or a report of a thread, is an event of [`Booted::WAKER`].
    pub(crate) reactor: Reactor,
    /// Wakes the reactor.
    pub(crate) waker: Waker,
    /// Requests to end.
    pub(crate) signals: Signals,
    /// The clocks.
    pub(crate) clock: Clock,
    /// The counter for the time of single commands.
    pub(crate) ticks: Ticks,
    /// The process title.
    pub(crate) title: Title,
    supervisor: Option<Supervisor>,
    pid_file: Option<PidFile>,
}

/// Prepares the process.
///
/// # Errors
/// Why it cannot serve; nothing is left behind.
pub(crate) fn boot(arguments: &[OsString]) -> Result<Booted, Failed> {
    // Before anything else: the title takes the memory of the arguments, which were copied.
    let mut title_area = Title::claim();
    let (mut config, from, argv) = configuration(arguments)?;
    check_renamed_commands(&config, &from)?;
    enter_directory(&mut config, &from)?;
    let mut logger = opened_log(&config)?;
    let log = logger.clone();
    let refused =
        |what: &str, why: &io::Error| Failed::logged(&log, format!("{what}: {}", errno_text(why)));
    let supervisor = supervisor(&config, &logger);
    if config.daemonize && supervisor.is_none() {
        process::daemonize().map_err(|error| refused("Failed going to the background", &error))?;
    }
    announce_start(&config, &argv, &logger);
    if config.crash_log_enabled {
        report_panics(logger.clone());
    }
    if !config.disable_thp {
        allow_huge_pages(&logger);
    }
    logger.role = if config.replicaof.is_some() { Role::Replica } else { Role::Primary };
    let ticks = Ticks::calibrated();
    logger.log(Level::Notice, &format!("monotonic clock: {}", ticks.describe()));
    fit_open_files(&mut config, &logger)?;

    let mut reactor = Reactor::new(EVENTS_PER_TURN)
        .map_err(|error| refused("Failed creating the event loop", &error))?;
    let waker = reactor
        .waker(Booted::WAKER)
        .map_err(|error| refused("Failed creating the event loop", &error))?;
    let signals = Signals::install(&waker)
        .map_err(|error| refused("Failed installing signal handlers", &error))?;
    let listeners =
        listeners(&config, &logger).map_err(|error| Failed::logged(&logger, error.to_string()))?;
    let pid_file = pid_file(&config, &logger);
    if config.set_proc_title {
        title_area.set(&title(&config, from.main.as_deref()));
    }
    show_logo(&config, &logger);
    logger.log(Level::Notice, "Server initialized");
    Ok(Booted {
        config,
        from,
        logger,
        listeners,
        reactor,
        waker,
        signals,
        clock: Clock::new(),
        ticks,
        title: title_area,
        supervisor,
        pid_file,
    })
}

impl Booted {
    /// The token of the event that says: look at the signals, and hear the threads. No socket may
    /// use it.
    pub(crate) const WAKER: Token = Token(usize::MAX);

    /// Says that clients are served from now on: to the log, and to the supervisor.
    pub(crate) fn announce_ready(&self) {
        let kinds = [(false, "tcp"), (true, "unix")];
        for (unix, kind) in kinds {
            if self.listeners.iter().any(|listener| listener.is_unix() == unix) {
                self.logger.log(Level::Notice, &format!("Ready to accept connections {kind}"));
            }
        }
        self.tell_supervisor(|supervisor| supervisor.ready("Ready to accept connections"));
    }

    /// Logs that a signal was received, as redis-server's signal handler does.
    pub(crate) fn announce_signal(&self, signal: Signal) {
        self.logger.signal(&format!("Received {} scheduling shutdown...", signal.name()));
    }

    /// Says that the process is about to end, to the supervisor.
    pub(crate) fn tell_stopping(&self) {
        self.tell_supervisor(Supervisor::stopping);
    }

    /// Leaves: closes the sockets, removes what the start created, says goodbye.
    pub(crate) fn leave(self, code: ExitCode) -> ExitCode {
        if let Some(pid_file) = self.pid_file {
            self.logger.log(Level::Notice, "Removing the pid file.");
            if let Err(error) = pid_file.remove() {
                let why = errno_text(&error);
                self.logger.log(Level::Warning, &format!("Failed to remove the pid file: {why}"));
            }
        }
        for listener in &self.listeners {
            if listener.is_unix() {
                self.logger.log(Level::Notice, "Removing the unix socket file.");
                // Somebody else may have removed it, which is as good.
                let _ = listener.remove_file();
            }
        }
        drop(self.listeners);
        self.logger.log(Level::Warning, "Vesta is now ready to exit, bye bye...");
        code
    }

    fn tell_supervisor(&self, say: impl FnOnce(Supervisor) -> io::Result<()>) {
        if let Some(Err(error)) = self.supervisor.map(say) {
            let why = errno_text(&error);
            self.logger.log(Level::Warning, &format!("Can't reach the supervisor: {why}"));
        }
    }
}

/// Why the process cannot serve. Whoever started it must act.
#[derive(Debug)]
pub(crate) struct Failed {
    text: String,
    /// The log, if it was known already.
    logger: Option<Box<Logger>>,
}

impl Failed {
    /// A configuration that is wrong, found before there is a log.
    fn config(error: &LoadError) -> Self {
        Self { text: format!("\n{error}"), logger: None }
    }

    /// Something that the system refuses.
    fn logged(logger: &Logger, text: String) -> Self {
        Self { text, logger: Some(Box::new(logger.clone())) }
    }

    /// Tells whoever looks: the log if there is one, and standard error unless that is the same
    /// terminal.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(logger) = &self.logger {
            logger.log(Level::Warning, &self.text);
        }
        if self.logger.is_none_or(|logger| logger.sink != Sink::Stdout) {
            eprintln!("{}", self.text);
        }
        ExitCode::FAILURE
    }
}

/// Reads the files and arguments. The main file's path becomes absolute, for it must still name the
/// same file once the working directory has changed.
fn configuration(arguments: &[OsString]) -> Result<(Config, LoadedFrom, Argv), Failed> {
    let arguments: Vec<Vec<u8>> =
        arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect();
    let mut argv = Argv::parse(&arguments);
    if let Some(file) = &mut argv.file
        && let Ok(path) = std::path::absolute(&*file)
    {
        *file = path.to_string_lossy().into_owned();
    }
    let Loaded { mut config, from } =
        load(&argv, &mut Disk).map_err(|error| Failed::config(&error))?;
    if argv == Argv::default() {
        config.bind = LOOPBACK.map(str::to_owned).to_vec();
    }
    Ok((config, from, argv))
}

/// Renamings that cannot be are the fault of the line that asks for them.
fn check_renamed_commands(config: &Config, from: &LoadedFrom) -> Result<(), Failed> {
    let Err(error) = Commands::new(&config.rename_commands) else { return Ok(()) };
    let (RenameError::Unknown { at } | RenameError::Taken { at }) = error;
    let mut lines = from.given.iter().filter(|given| given.option.name == "rename-command");
    Err(Failed::config(&blame(lines.nth(at), error.to_string())))
}

/// Enters `dir`, and makes the setting absolute. The line that gave it is to blame if that fails.
fn enter_directory(config: &mut Config, from: &LoadedFrom) -> Result<(), Failed> {
    let entered = std::env::set_current_dir(&config.dir).and_then(|()| std::env::current_dir());
    match entered {
        Ok(dir) => {
            config.dir = dir.to_string_lossy().into_owned();
            Ok(())
        }
        Err(error) => {
            let given = from.given.iter().rev().find(|given| given.option.name == "dir");
            Err(Failed::config(&blame(given, errno_text(&error))))
        }
    }
}

/// An error that blames a line, if there is one to blame.
fn blame(given: Option<&Given>, reason: String) -> LoadError {
    match given {
        Some(given) => given.refused(reason),
        None => LoadError { line: None, problem: Problem::Owner(reason) },
    }
}

/// The log, if its file can be opened.
fn opened_log(config: &Config) -> Result<Logger, Failed> {
    let logger = logger(config);
    match logger.check() {
        Ok(()) => Ok(logger),
        Err(error) => {
            let reason = format!("Can't open the log file: {}", errno_text(&error));
            Err(Failed::config(&blame(None, reason)))
        }
    }
}

/// The supervisor that was asked for and is there. upstart is told at once, by stopping.
fn supervisor(config: &Config, logger: &Logger) -> Option<Supervisor> {
    let wanted = match config.supervised {
        Supervised::No => return None,
        Supervised::Auto => return Supervisor::detect().inspect(|found| meet(*found, logger)),
        Supervised::Systemd => Supervisor::Systemd,
        Supervised::Upstart => Supervisor::Upstart,
    };
    if !wanted.is_present() {
        let (name, variable) = match wanted {
            Supervisor::Systemd => ("systemd", "NOTIFY_SOCKET"),
            Supervisor::Upstart => ("upstart", "UPSTART_JOB"),
        };
        logger.log(
            Level::Warning,
            &format!("{name} supervision requested, but {variable} not found!"),
        );
        return None;
    }
    meet(wanted, logger);
    Some(wanted)
}

fn meet(supervisor: Supervisor, logger: &Logger) {
    match supervisor {
        Supervisor::Systemd => logger.log(
            Level::Notice,
            "Supervised by systemd. Please make sure you set appropriate values for \
             TimeoutStartSec and TimeoutStopSec in your service unit.",
        ),
        Supervisor::Upstart => {
            logger.log(Level::Notice, "Supervised by upstart, will stop to signal readiness.");
            if let Err(error) = process::stop_for_upstart() {
                let why = errno_text(&error);
                logger.log(Level::Warning, &format!("Can't stop for upstart: {why}"));
            }
        }
    }
}

fn announce_start(config: &Config, argv: &Argv, logger: &Logger) {
    if argv.stdin {
        logger.log(Level::Notice, "Reading config from stdin");
    }
    logger.log(Level::Notice, "oO0OoO0OoO0Oo Vesta is starting oO0OoO0OoO0Oo");
    let pid = process::pid();
    logger.log(
        Level::Notice,
        &format!(
            "Vesta version={VERSION}, bits={BITS}, commit={COMMIT}, modified=0, pid={pid}, \
             just started"
        ),
    );
    if *argv == Argv::default() {
        logger.log(
            Level::Warning,
            "Warning: no config file specified, using the default config. In order to specify a \
             config file use vesta server /path/to/vesta.conf",
        );
    } else {
        logger.log(Level::Notice, "Configuration loaded");
    }
    if config.syslog_enabled {
        let facility = config.syslog_facility.word();
        logger.log(Level::Verbose, &format!("Logging to syslog as {facility}"));
    }
}

fn allow_huge_pages(logger: &Logger) {
    if let Err(error) = process::allow_huge_pages(true) {
        let why = errno_text(&error);
        logger.log(Level::Warning, &format!("Can't allow transparent huge pages: {why}"));
    }
}

/// Raises the limit of descriptors for `maxclients`, or lowers `maxclients` to the limit.
fn fit_open_files(config: &mut Config, logger: &Logger) -> Result<(), Failed> {
    let wanted = u64::from(config.maxclients) + u64::from(RESERVED_DESCRIPTORS);
    let files = process::raise_open_files(wanted);
    let Some(refused) = &files.refused else {
        if files.limit > files.before {
            logger.log(
                Level::Notice,
                &format!(
                    "Increased maximum number of open files to {wanted} (it was originally set to \
                     {}).",
                    files.before
                ),
            );
        }
        return Ok(());
    };
    let room = files.limit.saturating_sub(u64::from(RESERVED_DESCRIPTORS));
    if room == 0 {
        return Err(Failed::logged(
            logger,
            format!(
                "Your current 'ulimit -n' of {} is not enough for the server to start. Please \
                 increase your open file limit to at least {wanted}. Exiting.",
                files.before
            ),
        ));
    }
    // `room` is below what was wanted, which fits.
    let fitting = u32::try_from(room).unwrap_or(config.maxclients);
    let lines = [
        format!(
            "You requested maxclients of {} requiring at least {wanted} max file descriptors.",
            config.maxclients
        ),
        format!(
            "Server can't set maximum open files to {wanted} because of OS error: {}.",
            errno_text(refused)
        ),
        format!(
            "Current maximum open files is {}. maxclients has been reduced to {fitting} to \
             compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
            files.limit
        ),
    ];
    for line in lines {
        logger.log(Level::Warning, &line);
    }
    config.maxclients = fitting;
    Ok(())
}

/// A pid file that cannot be written is no reason not to serve.
fn pid_file(config: &Config, logger: &Logger) -> Option<PidFile> {
    let path = match config.pidfile.as_str() {
        "" if config.daemonize => DEFAULT_PID_FILE,
        "" => return None,
        path => path,
    };
    match PidFile::create(Path::new(path)) {
        Ok(file) => Some(file),
        Err(error) => {
            let why = errno_text(&error);
            logger.log(Level::Warning, &format!("Failed to write PID file: {why}"));
            None
        }
    }
}

/// The banner if a person is likely to see it or wants it, otherwise its facts in one line.
fn show_logo(config: &Config, logger: &Logger) {
    let mode = if config.cluster_enabled { "cluster" } else { "standalone" };
    let port = if config.port == 0 { config.tls_port } else { config.port };
    let seen =
        logger.sink == Sink::Stdout && !config.syslog_enabled && process::stdout_is_terminal();
    if config.always_show_logo || seen {
        logger.raw(&banner(mode, port, process::pid()));
    } else {
        logger.log(Level::Notice, &format!("Running mode={mode}, port={port}."));
    }
}
