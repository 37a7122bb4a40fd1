//! The end of a primary: replicas get what they lack first, so that none of it is lost when one of
//! them takes over. Nothing is written meanwhile, and it lasts for `shutdown-timeout` at most.

use crate::action::{ExitCause, Level};
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::format;
use alloc::string::ToString;
use vesta_config::ShutdownWish;
use vesta_types::{Mono, Now};

/// An end that waits for replicas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parting {
    wish: ShutdownWish,
    cause: ExitCause,
    /// The offset that replicas must have.
    offset: u64,
    pub(super) until: Mono,
}

impl Server {
    /// Has the end of the server wait for replicas; whether there is anything to wait for.
    pub(crate) fn wait_to_part(
        &mut self,
        now: Now,
        wish: ShutdownWish,
        cause: ExitCause,
        offset: u64,
    ) -> bool {
        let timeout_ms = u64::from(self.config.shutdown_timeout_s).saturating_mul(1000);
        if wish.now || timeout_ms == 0 || self.is_replica() || self.lagging(offset) == 0 {
            return false;
        }
        self.log(Level::Notice, "Waiting for replicas before shutting down.".to_string());
        let until = now.mono.plus_ms(timeout_ms);
        let side = &mut self.replication.primary;
        side.parting = Some(Parting { wish, cause, offset, until });
        side.ask();
        true
    }

    /// How many replicas have not said that they have the stream up to there, of those that will.
    fn lagging(&self, offset: u64) -> usize {
        let all = self.replication.primary.replicas.iter();
        let will_say =
            all.filter(|(_, replica)| !(replica.is_mute || replica.introduction.snapshot_only));
        will_say.filter(|(_, replica)| replica.acked < offset).count()
    }

    /// Goes on without ending; whether the end was waiting for replicas.
    pub(crate) fn stop_waiting_to_part(&mut self, now: Now) -> bool {
        let was_waiting = self.replication.primary.parting.take().is_some();
        if was_waiting {
            self.retry_blocked = !self.blocked.is_empty();
            self.resume_held(now.mono);
        }
        was_waiting
    }

    /// Tells of replicas that lack something when the server ends.
    fn tell_lagging(&mut self, offset: u64) {
        let all = self.replication.primary.replicas.in_order();
        let count = all.len();
        let lagging: alloc::vec::Vec<_> = all
            .into_iter()
            .filter(|(_, replica)| replica.acked < offset)
            .map(|(link, replica)| (ConnId(link.0), replica.lag_bytes(offset)))
            .collect();
        let synced = count.saturating_sub(lagging.len());
        for (conn, bytes) in lagging {
            let name = self.replica_name(conn);
            let line = format!("Lagging replica {name} reported offset {bytes} behind master");
            self.log(Level::Notice, line);
        }
        let line = format!("{synced} of {count} replicas are in sync when shutting down.");
        self.log(Level::Notice, line);
    }
}

impl Node {
    /// Ends the server when replicas have everything, or the time is up.
    pub(super) fn drive_parting(&mut self, now: Now) {
        let Some(parting) = self.server.replication.primary.parting else { return };
        let Parting { wish, cause, offset, until } = parting;
        if self.server.lagging(offset) > 0 && now.mono < until {
            return;
        }
        self.server.replication.primary.parting = None;
        self.server.tell_lagging(offset);
        let (wish, point) = (ShutdownWish { now: true, ..wish }, self.propagation.point());
        let Self { store, server, .. } = self;
        if !server.shut_down(now, store, point, wish, (cause, None)) {
            server.cannot_end(now);
        }
    }
}
