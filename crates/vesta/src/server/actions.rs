//! Carrying out what the node wishes.

use std::path::Path;
use std::time::Duration;

use vesta_config::{Config, Opt};
use vesta_node::{
    Action, DiskNews, DiskWish, Event, FileFault, FileStep, Level as NodeLevel, SaveFault, SaveStep,
};
use vesta_rt::log::{Level, Role};
use vesta_rt::{files, process};
use vesta_types::Now;

use super::data_files;
use super::listen::listeners;
use super::logging;
use super::title::title;
use super::turn::{Turn, usage};

impl Turn {
    /// Carries out every wish of the node.
    pub(super) fn carry_out(&mut self, now: Now) {
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Log { level, text } => self.booted.logger.log(log_level(level), &text),
                Action::Close(conn) => self.close(conn),
                Action::Send { conn, bytes, batch } => self.append_reply(conn, &bytes, batch),
                Action::Resume(conn) => self.resume(conn),
                Action::Measure => self.node.handle(now, Event::Measured(usage())),
                Action::Apply { conn, config, options } => {
                    let outcome = self.apply(&config, &options);
                    self.node.handle(now, Event::Applied { conn, config, options, outcome });
                }
                Action::RewriteConfig { conn, config } => {
                    let outcome = self.rewrite_config(&config);
                    self.node.handle(now, Event::Rewritten { conn, outcome });
                }
                Action::PurgeMemory => self.purger.purge(),
                Action::Sleep { conn, us } => {
                    sleep(us);
                    self.node.handle(now, Event::Slept { conn });
                }
                Action::Disk(wish) => self.disk_wish(now, wish),
                Action::Release { batch } => self.release(batch),
                Action::Ready => self.booted.announce_ready(),
                Action::Connect { attempt, host, port } => self.dial(now, attempt, host, port),
                Action::GiveUpConnect { attempt } => self.dialler.give_up(attempt),
                Action::Feed(conn) => self.note_unfed(now.mono, conn),
                Action::Role { is_replica } => {
                    self.booted.logger.role =
                        if is_replica { Role::Replica } else { Role::Primary };
                }
                Action::Exit(cause) => {
                    self.booted.tell_stopping();
                    self.exit = Some(cause);
                }
            }
        }
    }

    fn disk_wish(&mut self, now: Now, wish: DiskWish) {
        match wish {
            DiskWish::SaveOpen { id, temporary, name, syncs_early } => {
                self.open_save(now, id, &temporary, &name, syncs_early);
            }
            DiskWish::SaveWrite(bytes) => {
                if let Some(writer) = &self.files.writer {
                    writer.write(bytes);
                }
            }
            DiskWish::SaveFinish => {
                if let Some(writer) = &self.files.writer {
                    writer.finish();
                }
            }
            DiskWish::SaveAbort => {
                if let Some(writer) = &self.files.writer {
                    writer.abort();
                }
            }
            DiskWish::List { name } => {
                self.tell(now, DiskNews::Listed(data_files::list(&name)));
            }
            DiskWish::Running { mut pids } => {
                pids.retain(|pid| vesta_rt::process::may_run(*pid));
                self.tell(now, DiskNews::Running(pids));
            }
            DiskWish::LoadOpen { name } => {
                let outcome = self.files.open_to_read(&name);
                self.tell(now, DiskNews::LoadOpened(outcome));
            }
            DiskWish::LoadRead { bytes_max } => {
                let outcome = self.files.read(bytes_max);
                self.tell(now, DiskNews::LoadPiece(outcome));
            }
            DiskWish::Files { id, steps } => self.begin_job(now, id, steps),
            DiskWish::LogOpen { name, len } => {
                if let Err(why) = self.files.open_log(&self.booted.waker, &name, len) {
                    self.tell(now, DiskNews::LogOpened(Err(vesta_rt::errno_text(&why))));
                }
            }
            DiskWish::LogAppend { batch, bytes, sync } => {
                self.files.append_to_log(now.mono, batch, bytes, sync);
            }
            DiskWish::LogRetry => {
                if let Some(log) = &mut self.files.log {
                    log.retry();
                }
            }
            DiskWish::LogSync => {
                if let Some(log) = &mut self.files.log {
                    log.sync();
                }
            }
            DiskWish::LogClose => match &mut self.files.log {
                Some(log) => log.close(),
                None => self.tell(now, DiskNews::LogClosed),
            },
            DiskWish::ShipOpen { ship, name } => {
                let outcome = self.files.open_to_ship(&self.booted.waker, ship, &name);
                self.tell(now, DiskNews::ShipOpened { ship, outcome });
            }
            DiskWish::ShipRead { ship, bytes_max } => self.files.read_to_ship(ship, bytes_max),
            DiskWish::ShipClose { ship } => self.files.close_shipped(ship),
        }
    }

    fn tell(&mut self, now: Now, news: DiskNews) {
        self.node.handle(now, Event::Disk(news));
    }

    fn open_save(&mut self, now: Now, id: u64, temporary: &str, name: &str, syncs_early: bool) {
        if let Err(why) = self.files.create(&self.booted.waker, id, temporary, name, syncs_early) {
            let fault = SaveFault { step: SaveStep::Create, why: vesta_rt::errno_text(&why) };
            self.tell(now, DiskNews::SaveDone { id, outcome: Err(fault) });
        }
    }

    fn begin_job(&mut self, now: Now, id: u64, steps: Vec<FileStep>) {
        if let Err(why) = self.files.begin_job(&self.booted.waker, id, steps) {
            let fault = FileFault { step: 0, why: vesta_rt::errno_text(&why) };
            self.tell(now, DiskNews::FilesDone { id, outcome: Err(fault) });
        }
    }

    /// Tells the node what has become of the files that are written.
    pub(super) fn hear_of_files(&mut self, now: Now) {
        while let Some(news) = self.files.news() {
            self.tell(now, news);
        }
    }

    /// Brings settings into force that are the rim's.
    fn apply(&mut self, config: &Config, options: &[&'static Opt]) -> Result<(), String> {
        let changed = |names: &[&str]| options.iter().any(|option| names.contains(&option.name));
        if changed(&["bind", "port", "unixsocket", "unixsocketperm"]) {
            self.listen_anew(config)?;
        }
        if changed(&["maxclients"]) {
            raise_open_files(config.maxclients)?;
        }
        if changed(&["dir"]) {
            std::env::set_current_dir(&config.dir).map_err(|why| {
                format!(
                    "CONFIG SET failed (possibly related to argument 'dir') - {}",
                    vesta_rt::errno_text(&why)
                )
            })?;
        }
        self.booted.logger.level = logging::level(config.loglevel);
        if config.set_proc_title && changed(&["proc-title-template", "bind", "port"]) {
            self.booted.title.set(&title(config, self.booted.from.main.as_deref()));
        }
        Ok(())
    }

    /// Opens the sockets that `config` asks for in place of the present ones. When one cannot be
    /// opened, the present ones are opened again.
    fn listen_anew(&mut self, config: &Config) -> Result<(), String> {
        let present = self.node.config().clone();
        self.booted.listeners.clear();
        let opened = listeners(config, &self.booted.logger);
        let outcome = opened.map(|listeners| self.booted.listeners = listeners).map_err(|_| {
            let (name, why) = if config.port == present.port {
                ("bind", "Failed to bind to specified addresses.")
            } else {
                ("port", "Unable to listen on this port. Check server logs.")
            };
            format!("CONFIG SET failed (possibly related to argument '{name}') - {why}")
        });
        if outcome.is_err()
            && let Ok(listeners) = listeners(&present, &self.booted.logger)
        {
            self.booted.listeners = listeners;
        }
        self.watch_listeners().map_err(|why| vesta_rt::errno_text(&why))?;
        outcome
    }

    fn rewrite_config(&mut self, config: &Config) -> Result<(), String> {
        let Some(path) = self.booted.from.main.clone() else {
            return Err("The server is running without a config file".to_owned());
        };
        let old = match std::fs::read(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(vesta_rt::errno_text(&error)),
        };
        let new = vesta_config::rewrite(old.as_deref(), config, &self.booted.from);
        files::write_atomically(Path::new(&path), &new).map_err(|error| error.to_string())
    }
}

fn raise_open_files(maxclients: u32) -> Result<(), String> {
    let wanted = u64::from(maxclients) + 32;
    let files = process::raise_open_files(wanted);
    if files.limit >= wanted {
        return Ok(());
    }
    Err(format!(
        "CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is \
         not able to handle the specified number of clients, try with {}",
        files.limit.saturating_sub(32)
    ))
}

#[expect(clippy::disallowed_methods, reason = "DEBUG SLEEP is asked for to stop the whole server")]
fn sleep(us: u64) {
    std::thread::sleep(Duration::from_micros(us));
}

fn log_level(level: NodeLevel) -> Level {
    match level {
        NodeLevel::Debug => Level::Debug,
        NodeLevel::Verbose => Level::Verbose,
        NodeLevel::Notice => Level::Notice,
        NodeLevel::Warning => Level::Warning,
    }
}
