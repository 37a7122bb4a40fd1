//! Handing the part of the primary over, and being asked to take it.
//!
//! From the beginning on nothing changes the data, so that the stream stands still; what writes
//! waits. Then this server becomes a replica of the chosen one, and with the question for the
//! stream asks it to be the primary. When it is, whoever waited is told that a replica takes no
//! writes.

use super::primary::link_of;
use crate::action::{Action, Level};
use crate::client::Part;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::ReplyError;
use vesta_cmd::host::{Failover as Wish, Follow};
use vesta_config::ReplicaOf;
use vesta_repl::{Address, Stage, Step};
use vesta_types::Now;

/// A replica's question that waits until this server is a primary.
#[derive(Clone, Debug)]
pub(super) struct Deferred {
    conn: ConnId,
    /// The number of the client, as its place may be somebody else's by then.
    client: u64,
    id: Vec<u8>,
    offset: i64,
}

impl Server {
    /// Whether the stream is to stand still, so that nothing may change: replicas are to get all of
    /// it before one of them takes over, or before the end.
    #[inline]
    pub(crate) fn holds_stream(&self) -> bool {
        let side = &self.replication.primary;
        !side.failover.is_idle() || side.parting.is_some()
    }

    /// Whether the part of the primary is being handed over.
    pub(crate) fn hands_over(&self) -> bool {
        !self.replication.primary.failover.is_idle()
    }

    /// Begins to hand the part of the primary over.
    ///
    /// Source of the texts and of their order: redis-server 7.0.15.
    pub(crate) fn fail_over(&mut self, now: Now, wish: Wish) -> Result<(), ReplyError> {
        let refuse = |text| Err(ReplyError::text(text));
        if self.hands_over() {
            return refuse("FAILOVER already in progress.");
        }
        if self.is_replica() {
            return refuse("FAILOVER is not valid when server is a replica.");
        }
        if self.replication.primary.replicas.is_empty() {
            return refuse("FAILOVER requires connected replicas.");
        }
        if wish.force && (wish.timeout_ms.is_none() || wish.target.is_none()) {
            return refuse(
                "FAILOVER with force option requires both a timeout and target HOST and IP.",
            );
        }
        let mut line = "FAILOVER requested to any replica.".to_string();
        if let Some((host, port)) = &wish.target {
            match self.stage_at(host, *port) {
                None => return refuse("FAILOVER target HOST and PORT is not a replica."),
                Some(stage) if !stage.is_online() => {
                    return refuse("FAILOVER target replica is not online.");
                }
                Some(_) => line = format!("FAILOVER requested to {host}:{port}."),
            }
        }
        self.log(Level::Notice, line);
        let give_up_at = wish.timeout_ms.map(|ms| now.mono.plus_ms(ms));
        // Nobody is asked how far it is: the question would be more of the stream.
        self.replication.primary.failover.begin(wish.target, give_up_at, wish.force);
        Ok(())
    }

    /// How far the replica is that is to be found there.
    fn stage_at(&self, host: &str, port: i64) -> Option<Stage> {
        let mut all = self.replication.primary.replicas.iter();
        let is_there = |link: vesta_repl::LinkId| self.replica_ip(ConnId(link.0)) == host;
        let found =
            all.find(|(link, replica)| replica.introduction.port == port && is_there(*link));
        found.map(|(_, replica)| replica.stage)
    }

    /// Calls it off.
    pub(crate) fn abort_failover(&mut self, now: Now) -> Result<(), ReplyError> {
        if !self.hands_over() {
            return Err(ReplyError::text("No failover in progress."));
        }
        self.log(Level::Notice, "Failover manually aborted.".to_string());
        if self.replication.primary.failover.is_asking() {
            // Who was asked may have taken over already: then there are two primaries now.
            self.config.replicaof = None;
            self.settings_changed = true;
        }
        self.end_failover(now);
        Ok(())
    }

    /// It is over, whatever has become of it.
    fn end_failover(&mut self, now: Now) {
        self.replication.primary.failover.end();
        self.retry_blocked = !self.blocked.is_empty();
        self.resume_held(now.mono);
    }

    /// Whoever was asked has taken over, if anybody was: we follow it.
    pub(super) fn failover_done(&mut self, now: Now) {
        if self.replication.primary.failover.is_asking() {
            self.end_failover(now);
        }
    }

    /// A replica asks us to take over, which is done before its question is answered.
    ///
    /// Source of the texts: redis-server 7.0.15.
    pub(super) fn take_over(
        &mut self,
        conn: ConnId,
        id: &[u8],
        offset: i64,
    ) -> Result<(), ReplyError> {
        let shown = vesta_types::ascii::lossy(id);
        self.log(Level::Warning, format!("Failover request received for replid {shown}."));
        if !self.is_replica() {
            return Err(ReplyError::text("PSYNC FAILOVER can't be sent to a master."));
        }
        if vesta_types::ReplId::parse(id) != Some(self.replication.history.id()) {
            return Err(ReplyError::text("PSYNC FAILOVER replid must match my replid."));
        }
        let Some(client) = self.clients.get(conn) else { return Ok(()) };
        let (client, addr) = (client.session.id, client.addr.clone());
        let asker = format!("failover request from '{addr}'");
        self.replication.replica.asker = Some(asker);
        self.config.replicaof = None;
        self.settings_changed = true;
        self.replication.primary.deferred =
            Some(Deferred { conn, client, id: id.to_vec(), offset });
        Ok(())
    }

    /// Those who could take over: where they are, and what they have acknowledged.
    fn candidates(&self) -> Vec<(Address, u64)> {
        let all = self.replication.primary.replicas.in_order();
        let online = all.into_iter().filter(|(_, replica)| replica.stage.is_online());
        let candidate = |(link, replica): (vesta_repl::LinkId, &vesta_repl::Replica)| {
            let ip = self.replica_ip(ConnId(link.0));
            ((ip, replica.introduction.port), replica.acked)
        };
        online.map(candidate).collect()
    }
}

impl Node {
    /// Goes on with handing over.
    pub(super) fn drive_failover(&mut self, now: Now) {
        if self.server.replication.primary.failover.is_idle() {
            return;
        }
        let (end, candidates) = (self.propagation.offset(), self.server.candidates());
        match self.server.replication.primary.failover.step(now.mono, end, candidates) {
            Step::Rest => {}
            Step::Ask { target: (host, port), is_synced } => {
                let line = if is_synced {
                    format!("Failover target {host}:{port} is synced, failing over.")
                } else {
                    format!("Failover to {host}:{port} time out exceeded, failing over.")
                };
                self.server.log(Level::Notice, line);
                let port = u16::try_from(port).unwrap_or(0);
                self.server.config.replicaof = Some(ReplicaOf { host, port });
                self.server.replication.replica.hands_over = true;
                self.follow_role(now);
            }
            Step::GiveUp => {
                let line = "Replica never caught up before timeout".to_string();
                self.server.log(Level::Notice, line);
                self.server.end_failover(now);
            }
        }
    }

    /// Whoever was asked to take over has refused: we go on.
    pub(super) fn failover_refused(&mut self, now: Now, why: &str) {
        let line = format!("Failover target rejected psync request: {why}");
        self.server.log(Level::Notice, line);
        if self.server.replication.primary.failover.is_asking() {
            self.server.config.replicaof = None;
            self.server.end_failover(now);
            self.follow_role(now);
        }
    }

    /// Answers a replica that has made us a primary.
    pub(super) fn answer_deferred(&mut self, now: Now) {
        let Some(deferred) = self.server.replication.primary.deferred.take() else { return };
        let Deferred { conn, client, id, offset } = deferred;
        let is_there = self.server.clients.get(conn).is_some_and(|there| {
            there.session.id == client && there.part == Part::Client && !there.closing
        });
        if !is_there {
            return;
        }
        let asked = Follow::Psync { id: &id, offset, takes_over: false };
        let Self { store, server, propagation, .. } = self;
        if let Err(error) = server.follow(now, conn, asked, store, propagation) {
            let bytes = String::into_bytes(format!("-{error}\r\n"));
            server.actions.push_back(Action::Send { conn, bytes, batch: 0 });
            server.replication.primary.replicas.leave(link_of(conn));
        }
    }
}
