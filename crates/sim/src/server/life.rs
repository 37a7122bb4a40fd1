//! How servers begin and end.

use vesta_cmd::host::Process;
use vesta_config::AppendFsync;
use vesta_node::{Event as NodeEvent, ExitCause, Meter, Node, Setup, Signal};
use vesta_types::Mono;

use super::{Heard, Server, Wishes, World};
use crate::checker::Check;
use crate::chronicle::LogFacts;
use crate::disk::Crash;
use crate::model::LogSetting;
use crate::trace::Event;

/// Where a server is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Life {
    /// It reads its data.
    Loading(Source),
    Serving,
    /// There is none.
    Away {
        until: Mono,
    },
}

/// Where data is read from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    Log,
    Snapshot,
    /// The log was switched off while the server was about to look.
    Either,
}

/// How long somebody needs to notice that a server has ended by itself, in microseconds.
const NOTICE_US: u64 = 50_000;

impl Server {
    /// Whether clients find somebody.
    pub(crate) fn is_there(&self) -> bool {
        !matches!(self.life, Life::Away { .. })
    }

    /// Whether it has its data.
    pub(crate) fn is_serving(&self) -> bool {
        self.life == Life::Serving
    }

    /// Whether it serves and nothing is wrong with its log.
    pub(crate) fn is_well(&self) -> bool {
        self.is_serving() && !self.log_facts().is_failing
    }

    /// Steps of the disk so far.
    pub(crate) fn disk_steps(&self) -> u64 {
        self.disk.steps()
    }

    /// The disk is to stand still once it has made so many steps.
    pub(crate) fn stop_disk_at(&mut self, steps: Option<u64>) {
        self.disk.stop_at(steps);
    }

    /// Has the first node load what is there: nothing.
    pub(crate) fn begin(&mut self, world: &mut World<'_>) -> Check {
        world.checker.model.is_loading = true;
        self.load(world)
    }

    /// A new node takes the place of the one that has ended.
    pub(super) fn start(&mut self, world: &mut World<'_>) -> Check {
        let (now, seed) = (world.clock.now(), self.rng.bits());
        world.trace.note(now, Event::Started { files: self.disk.listing() });
        let process = Process { pid: 1, arch_bits: 64, ..Process::default() };
        let (config, meter) = (self.config.clone(), Meter::still());
        self.node = Node::new(Setup { config, process, seed, now, meter });
        self.node.keep_stream();
        self.node.save_in_pieces_from(self.large_bytes);
        self.load(world)
    }

    fn load(&mut self, world: &mut World<'_>) -> Check {
        let now = world.clock.now();
        let source = if self.config.appendonly { Source::Log } else { Source::Snapshot };
        self.life = Life::Loading(source);
        self.fsync = self.config.appendfsync;
        self.wants_log = false;
        self.promise(world, self.config.appendonly);
        self.node.load_at_start(now);
        self.settle(world)?;
        // A snapshot is loaded in no time: which keys are too old for it is certain then.
        while self.life == Life::Loading(Source::Snapshot) {
            self.carry_out(world)?;
            self.disk.load_now();
            self.hear_of_files(world)?;
            if self.is_loading() && now.mono >= self.node.next_deadline() {
                self.tick(world)?;
            }
        }
        Ok(())
    }

    fn is_loading(&self) -> bool {
        matches!(self.life, Life::Loading(_))
    }

    /// From here on the log promises what its settings say, or there is none.
    fn promise(&mut self, world: &mut World<'_>, has_log: bool) {
        // Without syncs while a snapshot is saved no more is promised than without any.
        let spares_disk = self.config.no_appendfsync_on_rewrite;
        let fsync = if spares_disk { AppendFsync::No } else { self.fsync };
        if let Some(chronicle) = &mut world.checker.chronicle {
            chronicle.promise(has_log.then_some(fsync));
        }
    }

    /// Follows settings about the log. Whoever looks after the server sees to it that the next one
    /// has them, too, but for `appendfsync`.
    pub(super) fn follow_settings(&mut self, world: &mut World<'_>) {
        for setting in std::mem::take(&mut world.checker.model.settings.log) {
            match setting {
                LogSetting::On => self.wants_log |= !self.config.appendonly,
                LogSetting::Off => {
                    self.config.appendonly = false;
                    self.wants_log = false;
                    // What was begun for this log is none of the next.
                    self.heard.building = None;
                    self.heard.base = None;
                    self.heard.naming = None;
                    if self.is_loading() {
                        self.life = Life::Loading(Source::Either);
                    }
                }
                LogSetting::Sync(fsync) => self.fsync = fsync,
            }
            self.promise(world, self.config.appendonly);
        }
    }

    /// A log was written anew: if it is the first one, it counts from now on.
    pub(super) fn log_is_there(&mut self, world: &mut World<'_>) {
        if std::mem::take(&mut self.wants_log) {
            self.config.appendonly = true;
            self.promise(world, true);
        }
    }

    /// The data is there.
    pub(super) fn is_ready(&mut self, world: &mut World<'_>) -> Check {
        let life = std::mem::replace(&mut self.life, Life::Serving);
        let snapshot = self.disk.snapshot_at(&self.config.dbfilename);
        let snapshot = match life {
            Life::Loading(Source::Snapshot) => Some(snapshot),
            Life::Loading(Source::Either) => {
                let chronicle = world.checker.chronicle.as_ref();
                let is_it =
                    chronicle.is_some_and(|it| it.has_snapshot(snapshot, self.node.offset()));
                is_it.then_some(snapshot)
            }
            Life::Loading(Source::Log) | Life::Serving | Life::Away { .. } => None,
        };
        let now = world.clock.now();
        world.checker.recovered(&mut self.node, now, snapshot, world.trace)?;
        // Whoever looks after the server does not keep a snapshot of what has never been.
        let number = self.disk.snapshot_at(&self.config.dbfilename);
        if let Some(chronicle) = &mut world.checker.chronicle
            && chronicle.take_orphan(number)
        {
            self.disk.forget(&self.config.dbfilename);
        }
        Ok(())
    }

    /// Asks the server to end.
    pub(crate) fn ask_to_end(&mut self, world: &mut World<'_>) -> Check {
        if !self.is_there() {
            return Ok(());
        }
        world.checker.is_ending = true;
        self.node.handle(world.clock.now(), NodeEvent::Terminate(Signal::Term));
        self.settle(world)
    }

    /// The server ends without notice.
    pub(crate) fn crash(&mut self, world: &mut World<'_>, crash: Crash, pause_us: u64) {
        match crash {
            Crash::Process => world.trace.reached.process_crashes += 1,
            Crash::Machine => world.trace.reached.machine_crashes += 1,
        }
        if let (Crash::Machine, Life::Away { until }) = (crash, self.life) {
            // What an earlier one has left is lost all the same.
            self.end(world, Some(crash), until);
        } else if self.is_there() {
            let until = Mono(world.clock.now().mono.0 + pause_us);
            self.end(world, Some(crash), until);
        }
    }

    /// The node wants to end.
    pub(super) fn exit(&mut self, world: &mut World<'_>, cause: ExitCause) -> Check {
        let now = world.clock.now();
        self.disk.finish();
        let places: Vec<u32> = self.connections.keys().copied().collect();
        for place in places {
            self.send(world, place)?;
        }
        match cause {
            ExitCause::Signal if world.checker.is_ending => {
                world.trace.reached.orderly_ends += 1;
                self.end(world, None, Mono(now.mono.0 + NOTICE_US));
                return Ok(());
            }
            ExitCause::Failed if self.has_reason_to_fail() => {
                world.trace.reached.own_ends += 1;
                let until = self.disk.calm_at(now.mono);
                self.end(world, Some(Crash::Process), Mono(until.0 + NOTICE_US));
                return Ok(());
            }
            ExitCause::Asked | ExitCause::Signal | ExitCause::Failed => {}
        }
        Err(format!("the node wants to end: {cause:?}, with {}", self.disk.listing()))
    }

    /// Whether a server may give up: it cannot keep its promises, or cannot begin.
    fn has_reason_to_fail(&mut self) -> bool {
        if self.is_loading() && !self.config.aof_load_truncated && self.config.appendonly {
            // Whoever looks after it allows it to leave out the end.
            self.config.aof_load_truncated = true;
            return true;
        }
        let is_strict = self.is_loading() || self.fsync == AppendFsync::Always;
        is_strict && self.heard.has_failed
    }

    fn end(&mut self, world: &mut World<'_>, crash: Option<Crash>, until: Mono) {
        let now = world.clock.now();
        world.trace.note(now, Event::Ended { how: format!("{crash:?}") });
        for (_, connection) in std::mem::take(&mut self.connections) {
            let link = connection.link;
            if crash == Some(Crash::Machine)
                && let Some(wire) = world.network.link(link)
            {
                wire.cut();
            }
            world.trace.note(now, Event::Closed { link });
            world.checker.disconnected(link);
            world.network.close(link, now.mono, false);
        }
        let facts = self.log_facts();
        let has_lost = self.disk.crash(crash.unwrap_or(Crash::Process));
        world.checker.server_ends(crash, facts, has_lost);
        self.free.clear();
        self.freed.clear();
        self.next_place = 0;
        self.must_go.clear();
        self.wishes = Wishes::default();
        self.heard = Heard::default();
        self.pictures.forget();
        self.life = Life::Away { until };
    }

    /// What is true of the log now.
    pub(super) fn log_facts(&self) -> LogFacts {
        let Heard { write_failed, sync_failed, building, .. } = &self.heard;
        // What was begun for a log that was switched off again is of no interest.
        let is_wanted = self.config.appendonly || self.wants_log;
        let building = building.as_ref().filter(|_| is_wanted);
        // What goes to files that no list names is lost with the server.
        let named = building.map_or(u64::MAX, |building| building.behind);
        LogFacts {
            written: self.disk.written_batch(),
            lasting: self.disk.lasting_batch().map(|batch| batch.min(named)),
            safe: self.disk.safe_batch().map(|batch| batch.min(named)),
            is_failing: *write_failed || *sync_failed || building.is_some(),
        }
    }
}
