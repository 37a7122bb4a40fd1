//! What a node does by itself, without a request: expiry, freeing, time-outs, measurements.
//!
//! A round comes `hz` times a second. Expiry and freeing work in slices of at most half a
//! millisecond; while one has not finished, the next slice comes soon after, so that they get a
//! bounded share of the time and no request waits longer than a slice.

use crate::action::{Action, Event, ExitCause, Level, Signal};
use crate::client::{Part, Waiting};
use crate::persistence::Purpose;
use crate::pubsub::wanted_events;
use crate::server::Server;
use crate::statistics::Counts;
use crate::{ConnId, Node};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::host::Usage;
use vesta_resp::{Outbox, Reply};
use vesta_types::{Mono, Now};

/// Longest slice of work, in microseconds.
const SLICE_US: u64 = 500;
/// Share of the time that slices of expiry take, in percent, at effort 1; each further step adds
/// two. Source: the documented meaning of `active-expire-effort`.
const EXPIRE_SHARE_PERCENT: u64 = 25;
/// Entries looked at between two readings of the meter.
const VISITS_PER_STEP: usize = 512;
/// Steps of one slice when the meter stands still.
pub(crate) const STEPS_PER_SLICE: usize = 64;
/// Entries freed in one step.
const FREED_PER_STEP: usize = 256;
/// Clients per `hz` step above which `dynamic-hz` makes rounds more frequent.
const CLIENTS_PER_ROUND: u32 = 200;
/// Bounds of `hz`.
const HZ_MAX: u32 = 500;

/// When things are due.
#[derive(Debug)]
pub(crate) struct Cron {
    round_at: Mono,
    /// When the next slice of expiry comes, while one is under way.
    expire_at: Option<Mono>,
    /// When the next slice of freeing comes, while there is something to free.
    reap_at: Option<Mono>,
    /// When samples for figures per second are taken.
    sample_at: Mono,
    /// Where the check of clients goes on.
    next_client: usize,
}

impl Cron {
    pub(crate) fn new(now: Mono) -> Self {
        Self { round_at: now, expire_at: None, reap_at: None, sample_at: now, next_client: 0 }
    }

    /// Has a round no later than at `at`.
    pub(crate) fn wake_by(&mut self, at: Mono) {
        self.round_at = self.round_at.min(at);
    }

    pub(crate) fn next_deadline(&self) -> Mono {
        let slices = [self.expire_at, self.reap_at].into_iter().flatten();
        slices.fold(self.round_at.min(self.sample_at), Mono::min)
    }
}

impl Node {
    /// Takes in something that happened.
    pub fn handle(&mut self, now: Now, event: Event) {
        self.server.persistence.log.note_time(now);
        self.server.replication.primary.note_time(now);
        match event {
            Event::Tick => self.tick(now),
            Event::Measured(usage) => self.measured(now, usage),
            Event::Pending { conn, bytes } => self.pending(now, conn, bytes),
            Event::Applied { conn, config, options, outcome } => {
                if outcome.is_ok() {
                    let present = &self.server.config;
                    self.server.config = vesta_config::carry_over(present, &config, &options);
                    if options.iter().any(|option| option.name == "dir") {
                        self.server.note_new_dir();
                    }
                    self.config_changed(now);
                }
                self.server.finish(conn, outcome.map_err(|why| format!("ERR {why}")));
            }
            Event::Rewritten { conn, outcome } => {
                match &outcome {
                    Ok(()) => {
                        let line = "CONFIG REWRITE executed with success.".to_string();
                        self.server.log(Level::Notice, line);
                    }
                    Err(why) => {
                        self.server.log(Level::Warning, format!("CONFIG REWRITE failed: {why}"));
                    }
                }
                self.server.finish(
                    conn,
                    outcome.map_err(|why| format!("ERR Rewriting config file: {why}")),
                );
            }
            Event::Slept { conn } => self.server.finish(conn, Ok(())),
            Event::Terminate(signal) => self.terminate(now, signal),
            Event::Disk(news) => self.hear_of_disk(now, news),
            Event::Linked { attempt, outcome } => self.linked(now, attempt, outcome),
        }
        self.server.serve_safe();
    }

    fn terminate(&mut self, now: Now, signal: Signal) {
        let wish = match signal {
            Signal::Term => self.server.config.shutdown_on_sigterm,
            Signal::Int => self.server.config.shutdown_on_sigint,
        };
        let point = self.propagation.point();
        self.server.shut_down(now, &mut self.store, point, wish, (ExitCause::Signal, None));
    }

    fn tick(&mut self, now: Now) {
        if now.mono >= self.server.cron.sample_at {
            self.server.cron.sample_at = now.mono.plus_ms(100);
            self.sample(now);
        }
        let is_round = now.mono >= self.server.cron.round_at;
        if is_round {
            self.round(now);
        }
        self.drive_replica(now);
        self.end_overdue_blocks(now);
        if self.server.cron.expire_at.is_some_and(|at| now.mono >= at) {
            self.expire_slice(now);
        }
        if self.server.cron.reap_at.is_some_and(|at| now.mono >= at) || self.store.has_garbage() {
            self.reap_slice(now);
        }
        if self.store.has_touched() || self.server.retry_blocked {
            self.serve_touched(now);
        }
        self.drive_primary(now);
        // A snapshot that begins in a tick holds what is there behind it.
        if is_round {
            self.server.check_rewrites(now);
            self.check_save_points(now);
        }
        if now.mono >= self.server.persistence_deadline() {
            let point = self.propagation.point();
            self.server.go_on_saving(now, &mut self.store, point);
            self.go_on_loading(now);
            self.drive_log(now);
        }
    }

    /// What is done `hz` times a second.
    fn round(&mut self, now: Now) {
        let hz = self.hz();
        self.server.cron.round_at = now.mono.plus_ms(u64::from(1000 / hz));
        match self.server.pause {
            Some(pause) if now.mono >= pause.until => self.server.end_pause(now.mono),
            Some(pause) => self.server.cron.wake_by(pause.until),
            None => {}
        }
        self.check_clients(now, hz);
        let active = self.server.active_expire
            && self.server.pause.is_none()
            && !self.server.holds_stream()
            && !self.server.is_loading()
            && !self.server.is_replica();
        if active && self.server.cron.expire_at.is_none() {
            self.expire_slice(now);
        }
    }

    fn check_save_points(&mut self, now: Now) {
        // A client that waits for SAVE gets what it asked for first.
        let waits = matches!(self.server.persistence.saving.purpose(), Some(Purpose::Client(_)));
        let all_flushed = !waits && self.propagation.take_all_flushed();
        let point = self.propagation.point();
        self.server.check_save_points(now, &mut self.store, point, all_flushed);
        self.server.save_put_off(now, &mut self.store, point);
    }

    /// Rounds per second: more of them when there are many clients to look after.
    fn hz(&self) -> u32 {
        let mut hz = self.server.config.hz.clamp(1, HZ_MAX);
        if self.server.config.dynamic_hz {
            let clients = u32::try_from(self.server.clients.len()).unwrap_or(u32::MAX);
            while clients / hz > CLIENTS_PER_ROUND && hz < HZ_MAX {
                hz = (hz * 2).min(HZ_MAX);
            }
        }
        hz
    }

    fn sample(&mut self, now: Now) {
        let statistics = &mut self.server.statistics;
        let counts = Counts {
            commands: statistics.processed,
            input_bytes: statistics.input_bytes,
            output_bytes: statistics.output_bytes,
        };
        statistics.rates.sample(now.mono, counts);
        self.server.actions.push_back(Action::Measure);
    }

    fn measured(&mut self, now: Now, usage: Usage) {
        if self.server.spare.wants_purge(now.mono, &usage) {
            self.server.actions.push_back(Action::PurgeMemory);
        }
        self.server.usage = usage;
        self.server.store_bytes_measured = self.store.bytes();
        self.server.peak_bytes = self.server.peak_bytes.max(usage.allocated_bytes);
        if self.server.startup_bytes == 0 {
            self.server.startup_bytes = usage.allocated_bytes;
        }
    }

    /// Deletes expired keys for at most a slice of time.
    fn expire_slice(&mut self, now: Now) {
        if self.server.leaves_expired() {
            self.server.cron.expire_at = None;
            return;
        }
        let mut slice = Slice::start(self.server.meter);
        let done = loop {
            if self.store.expire_some(now.unix, VISITS_PER_STEP).done {
                break true;
            }
            if slice.is_over() {
                break false;
            }
        };
        if self.store.has_news() {
            self.hand_on_news(None);
        }
        self.server.cron.expire_at = if done {
            None
        } else {
            self.store.note_cut_round();
            let effort = u64::from(self.server.config.active_expire_effort.clamp(1, 10));
            let share = EXPIRE_SHARE_PERCENT + 2 * (effort - 1);
            let gap_us = SLICE_US * (100 - share) / share;
            Some(Mono(now.mono.0 + SLICE_US + gap_us))
        };
    }

    /// Frees flushed entries for at most a slice of time.
    fn reap_slice(&mut self, now: Now) {
        let mut slice = Slice::start(self.server.meter);
        while self.store.reap(FREED_PER_STEP) && !slice.is_over() {}
        self.server.cron.reap_at = self.store.has_garbage().then(|| now.mono.plus_ms(1));
    }

    /// Looks after a share of the clients, so that all are looked at every second.
    fn check_clients(&mut self, now: Now, hz: u32) {
        let places = self.server.clients.places();
        let share = places.div_ceil(hz as usize).max(places.min(5));
        for _ in 0..share {
            let place = self.server.cron.next_client % places.max(1);
            self.server.cron.next_client = place + 1;
            let conn = ConnId(u32::try_from(place).unwrap_or(u32::MAX));
            self.check_client(now, conn);
        }
    }

    fn check_client(&mut self, now: Now, conn: ConnId) {
        let timeout_us = u64::from(self.server.config.timeout_s) * 1_000_000;
        let Some(client) = self.server.clients.get(conn) else { return };
        if client.closing {
            return;
        }
        let idle_us = now.mono.since_us(client.active);
        // Who waits for a key or for messages is not idle.
        let is_idle = client.waiting == Waiting::No
            && client.session.subscriptions == 0
            && client.part == Part::Client;
        if is_idle && timeout_us > 0 && idle_us > timeout_us {
            self.server.log(Level::Verbose, "Closing idle client".to_string());
            self.server.close(conn);
            return;
        }
        let pending = client.pending_bytes;
        self.server.is_over_output_limit(Some(now), conn, pending);
    }

    fn pending(&mut self, now: Now, conn: ConnId, bytes: usize) {
        if let Some(client) = self.server.clients.get_mut(conn) {
            if bytes < client.pending_bytes {
                client.active = now.mono;
            }
            client.pending_bytes = bytes;
        }
        if !self.server.is_over_output_limit(Some(now), conn, bytes) {
            self.server.weigh(conn);
        }
    }

    /// Brings the owners of settings up to date.
    pub(crate) fn config_changed(&mut self, now: Now) {
        self.server.persistence.saving.hurry();
        self.store.set_access(crate::access_of(&self.server.config));
        self.store.set_limits(vesta_cmd::limits_of(&self.server.config));
        self.store.record_events(wanted_events(self.server.config.notify_keyspace_events));
        self.follow_log_settings(now);
        self.follow_role(now);
        self.server.weigh_all();
        self.server.serve_safe();
    }

    /// How many bytes were sent to clients and in how many writes, since the last report.
    pub fn sent(&mut self, bytes: u64, writes: u64) {
        self.server.statistics.output_bytes += bytes;
        self.server.statistics.writes += writes;
    }
}

impl Server {
    /// Ends the wait of a client with OK or an error.
    pub(crate) fn finish(&mut self, conn: ConnId, outcome: Result<(), String>) {
        self.finish_with(conn, outcome.map(|()| "OK"));
    }

    /// Ends the wait of a client with a text or an error.
    pub(crate) fn finish_with(&mut self, conn: ConnId, outcome: Result<&str, String>) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        // Who asked may be gone, and another client in its place.
        let Waiting::Action { unheard } = client.waiting else { return };
        client.waiting = Waiting::No;
        let mut outbox = Outbox::default();
        let mark = outbox.mark();
        let mut reply = Reply::new(&mut outbox, client.session.proto);
        match outcome {
            Ok(text) => reply.simple(text),
            Err(text) => {
                reply.error(&text);
                self.statistics.count_error(&text);
            }
        }
        if !unheard {
            let bytes: Vec<u8> = outbox.since(mark).to_vec();
            self.actions.push_back(Action::Send { conn, bytes, batch: 0 });
        }
        self.actions.push_back(Action::Resume(conn));
    }
}

/// A bounded stretch of work.
pub(crate) struct Slice {
    meter: crate::Meter,
    start: u64,
    us_max: u64,
    steps_left: usize,
}

impl Slice {
    pub(crate) fn start(meter: crate::Meter) -> Self {
        Self::lasting(meter, SLICE_US, STEPS_PER_SLICE)
    }

    /// One of at most `us_max` microseconds; of `steps_max` steps when the meter stands still.
    pub(crate) fn lasting(meter: crate::Meter, us_max: u64, steps_max: usize) -> Self {
        Self { meter, start: (meter.ticks)(), us_max, steps_left: steps_max }
    }

    /// Whether the time is up, or as many steps were made as a meter that stands still allows.
    pub(crate) fn is_over(&mut self) -> bool {
        self.steps_left = self.steps_left.saturating_sub(1);
        let elapsed = (self.meter.ticks)().saturating_sub(self.start);
        self.meter.us(elapsed) >= self.us_max || self.steps_left == 0
    }
}
