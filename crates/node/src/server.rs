//! Everything of a node but the data: settings, clients, counters, wishes.

use crate::action::{Action, Level};
use crate::blocking::Blocked;
use crate::clients::Clients;
use crate::cron::Cron;
use crate::gates::Armed;
use crate::persistence::Persistence;
use crate::pubsub::Subscriptions;
use crate::replication::Replication;
use crate::spare::Spare;
use crate::statistics::Statistics;
use crate::tracking::Trackers;
use crate::transaction::Watchers;
use crate::{ConnId, Meter};
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_cmd::host::{Pause, Process, Usage};
use vesta_config::Config;
use vesta_spec::Flags;
use vesta_types::{Mono, Now, ReplId, Rng};

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) process: Process,
    pub(crate) meter: Meter,
    pub(crate) rng: Rng,
    pub(crate) clients: Clients,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) statistics: Statistics,
    pub(crate) cron: Cron,
    pub(crate) pause: Option<PauseUntil>,
    /// Clients that wait for keys.
    pub(crate) blocked: Blocked,
    /// Who watches which keys.
    pub(crate) watchers: Watchers,
    /// Who keeps which keys.
    pub(crate) trackers: Trackers,
    /// Whose transaction waits for something outside, and since when: nobody else is served.
    pub(crate) suspended: Option<(ConnId, Now)>,
    /// A pause has ended: whoever waits is to be tried again.
    pub(crate) retry_blocked: bool,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) persistence: Persistence,
    /// The gates that `persistence` arms.
    pub(crate) alarms: Armed,
    pub(crate) usage: Usage,
    pub(crate) spare: Spare,
    /// Most bytes ever handed out by the allocator, as far as it was measured.
    pub(crate) peak_bytes: u64,
    /// Bytes handed out before the first client came.
    pub(crate) startup_bytes: u64,
    /// Bytes of the data set when `usage` was measured.
    pub(crate) store_bytes_measured: usize,
    pub(crate) started: Now,
    /// Name of this run of the server.
    pub(crate) run_id: ReplId,
    pub(crate) replication: Replication,
    pub(crate) active_expire: bool,
    /// Settings were changed by the command at hand; their owners are still to be told.
    pub(crate) settings_changed: bool,
    /// A shutdown has been decided: nothing more is executed.
    pub(crate) ending: bool,
}

/// A pause in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PauseUntil {
    pub(crate) pause: Pause,
    pub(crate) until: Mono,
}

impl PauseUntil {
    /// Whether a command with these flags waits.
    pub(crate) fn holds(self, flags: Flags) -> bool {
        match self.pause {
            Pause::All => true,
            Pause::Writes => flags.has(Flags::WRITE.and(Flags::MAY_REPLICATE)),
        }
    }
}

impl Server {
    pub(crate) fn new(
        config: Config,
        process: Process,
        meter: Meter,
        mut rng: Rng,
        now: Now,
        names: Vec<String>,
    ) -> Self {
        let (run_id, replication) = (ReplId::random(&mut rng), Replication::new(&mut rng));
        Self {
            cron: Cron::new(now.mono),
            statistics: Statistics::new(names),
            config,
            process,
            meter,
            rng,
            clients: Clients::default(),
            actions: VecDeque::new(),
            pause: None,
            blocked: Blocked::default(),
            watchers: Watchers::default(),
            trackers: Trackers::default(),
            suspended: None,
            retry_blocked: false,
            subscriptions: Subscriptions::default(),
            persistence: Persistence::new(now),
            alarms: Armed::default(),
            usage: Usage::default(),
            spare: Spare::new(),
            peak_bytes: 0,
            startup_bytes: 0,
            store_bytes_measured: 0,
            started: now,
            run_id,
            replication,
            active_expire: true,
            settings_changed: false,
            ending: false,
        }
    }

    /// The gates that are armed for every client.
    #[inline]
    pub(crate) fn armed(&self) -> Armed {
        Armed::MEMORY
            .when(self.config.maxmemory_bytes > 0)
            .and(Armed::PAUSE.when(self.pause.is_some() || self.holds_stream()))
            .and(self.armed_by_replicas())
            .and(self.armed_by_link())
            .and(self.alarms)
    }

    /// Whether a client must authenticate before anything else.
    pub(crate) fn needs_password(&self) -> bool {
        self.config.requirepass.is_some()
    }

    pub(crate) fn log(&mut self, level: Level, text: String) {
        self.actions.push_back(Action::Log { level, text });
    }

    /// Has a client disconnected at once. It waits for nothing from now on, so that no element is
    /// taken out of a list for somebody who will not get it.
    pub(crate) fn close(&mut self, conn: ConnId) {
        self.blocked.remove(conn);
        if let Some(client) = self.clients.get_mut(conn) {
            client.closing = true;
        }
        self.clients.weigh(conn);
        self.actions.push_back(Action::Close(conn));
    }

    /// Bytes the allocator has handed out: the last measurement, corrected by what the data set
    /// has grown or shrunk since.
    pub(crate) fn used_bytes(&self, store_bytes: usize) -> u64 {
        let measured = self.usage.allocated_bytes;
        let then = self.store_bytes_measured as u64;
        (measured + store_bytes as u64).saturating_sub(then.min(measured))
    }
}
