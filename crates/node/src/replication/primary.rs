//! What a server is to its replicas: who they are, what is kept of the stream for them, and what is
//! done about them as time passes.
//!
//! The backlog is all there is between the stream and the replicas. It is kept as long as somebody
//! may come back for it: on a replica always, on a primary for `repl-backlog-ttl` after the last
//! replica has gone. It grows beyond `repl-backlog-size` by what replicas still need, up to what
//! the output limit of replicas allows; when it comes near to that, commands that write are held
//! back for some milliseconds at a time, and only what goes beyond costs a replica its connection.

use super::failover::Deferred;
use super::full_sync::Copies;
use super::parting::Parting;
use crate::action::Level;
use crate::client::Part;
use crate::gates::Armed;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::Propagation;
use vesta_repl::{Backlog, Failover, History, LinkId, Marks, Reason, Replicas, Silence, Stage};
use vesta_store::Store;
use vesta_types::{Mono, Now};

/// How often replicas are looked after, in milliseconds.
const ROUND_MS: u64 = 1000;
/// For how long writes are held back at a time when replicas are far behind, in milliseconds: from
/// the first figure, at three quarters of the limit, to the second.
const HOLD_MS: (u64, u64) = (1, 20);
/// The lower quarters of the limit in which writes are not held back.
const FREE_QUARTERS: u64 = 3;

/// Everything about who follows us.
#[derive(Debug, Default)]
pub(crate) struct Side {
    /// What is kept of the stream; `None` when nobody could go on from it.
    pub(crate) backlog: Option<Backlog>,
    pub(crate) replicas: Replicas,
    pub(super) copies: Copies,
    /// When the stream had which length.
    pub(crate) marks: Marks,
    /// What goes to a replica in front of everything else.
    pub(super) leads: BTreeMap<LinkId, Vec<u8>>,
    /// Replicas that are being fed.
    pub(super) awake: BTreeSet<LinkId>,
    /// Batches of the log that replicas must not get ahead of, and the offset behind each.
    pub(super) batches: VecDeque<(u64, u64)>,
    /// The offset behind the last batch that is safe enough.
    pub(super) safe: u64,
    /// Whether replicas are to be asked how far they are.
    pub(super) asks: bool,
    pub(crate) tally: Tally,
    /// Since when there has been no replica.
    alone_since: Mono,
    /// When replicas are next looked after, while there is anything to look after.
    round_at: Option<Mono>,
    ping_at: Mono,
    /// Until when writes are held back.
    held_until: Option<Mono>,
    pub(crate) failover: Failover,
    /// The end of the server, while it waits for replicas.
    pub(crate) parting: Option<Parting>,
    pub(super) deferred: Option<Deferred>,
    /// A copy of the stream for whoever watches.
    pub(super) tap: Option<Vec<u8>>,
    /// The time of the turn.
    pub(super) seen: Now,
}

/// What INFO counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Replicas that were given everything, and why.
    pub(crate) full: BTreeMap<Reason, u64>,
    /// Replicas that went on where they were.
    pub(crate) partial: u64,
    /// Bytes handed out to replicas.
    pub(crate) output_bytes: u64,
}

impl Tally {
    /// Replicas that were given everything.
    pub(crate) fn full(&self) -> u64 {
        self.full.values().sum()
    }

    /// Replicas that had hoped to go on where they were.
    pub(crate) fn refused(&self) -> u64 {
        self.full.iter().filter(|(reason, _)| reason.is_refusal()).map(|(_, count)| count).sum()
    }
}

impl Side {
    /// Whether somebody follows, or may come to.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.backlog.is_some()
    }

    /// Whether commands that write have to wait for replicas.
    pub(crate) fn holds_writes(&self) -> bool {
        self.held_until.is_some()
    }

    /// Memory that is held for replicas that are behind, beyond what is kept for those that come
    /// back, in bytes. It is no reason to evict keys: every key that goes makes more of it.
    pub(crate) fn excess_bytes(&self, kept_bytes: u64) -> u64 {
        let backlog = (self.heap_bytes() as u64).saturating_sub(kept_bytes);
        backlog.saturating_add(self.copies.held_bytes() as u64)
    }

    /// Memory that the backlog holds, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.backlog.as_ref().map_or(0, Backlog::heap_bytes)
    }

    /// Whether a snapshot is a file that is being read to be sent.
    pub(crate) fn is_shipping(&self, snapshot: u64) -> bool {
        self.copies.is_shipping(snapshot)
    }

    /// When there is something to do.
    pub(crate) fn next_deadline(&self) -> Mono {
        let round = self.round_at.unwrap_or(Mono::NEVER);
        let held = self.held_until.unwrap_or(Mono::NEVER);
        let parting = self.parting.map_or(Mono::NEVER, |parting| parting.until);
        let failover = self.failover.next_deadline();
        round.min(held).min(self.copies.next_deadline()).min(failover).min(parting)
    }

    /// Has replicas asked how far they are, once the turn is over.
    pub(crate) fn ask(&mut self) {
        self.asks = true;
    }

    /// Notes the time of the turn.
    #[inline]
    pub(crate) fn note_time(&mut self, now: Now) {
        self.seen = now;
    }

    /// Something goes to a replica in front of everything else.
    pub(super) fn lead(&mut self, link: LinkId, bytes: &[u8]) {
        self.leads.entry(link).or_default().extend_from_slice(bytes);
    }

    /// A replica is gone. Whether it was one.
    fn leave(&mut self, link: LinkId) -> bool {
        self.leads.remove(&link);
        self.awake.remove(&link);
        self.copies.leave(link);
        let was_there = self.replicas.leave(link).is_some();
        if was_there && self.replicas.is_empty() {
            self.alone_since = self.seen.mono;
        }
        was_there
    }
}

pub(super) fn link_of(conn: ConnId) -> LinkId {
    LinkId(conn.0)
}

pub(super) fn conn_of(link: LinkId) -> ConnId {
    ConnId(link.0)
}

impl Server {
    /// Has the stream kept from here on, if it is not.
    ///
    /// When nobody has counted its bytes so far, what lies before has no place in any history: a
    /// new one begins.
    pub(super) fn begin_backlog(&mut self, store: &mut Store, propagation: &mut Propagation) {
        let is_new = self.replication.primary.backlog.is_none();
        if is_new && !propagation.is_wanted() {
            self.replication.history = History::new(&mut self.rng);
            propagation.set_history(self.replication.history.id());
        }
        if is_new {
            let id = self.replication.history.id();
            let line = format!("Replication backlog created, my replication ID is {id}");
            self.log(Level::Notice, line);
        }
        self.keep_backlog(store, propagation);
    }

    /// As [`Server::begin_backlog`], when the history is known.
    pub(super) fn keep_backlog(&mut self, store: &mut Store, propagation: &mut Propagation) {
        let side = &mut self.replication.primary;
        if side.backlog.is_some() {
            return;
        }
        match &mut side.tap {
            Some(tap) => tap.append(propagation.stream_mut()),
            None => propagation.stream_mut().clear(),
        }
        side.backlog = Some(Backlog::new(propagation.offset()));
        let offset = propagation.offset();
        side.marks = Marks::default();
        side.alone_since = side.seen.mono;
        side.round_at = Some(side.seen.mono.plus_ms(ROUND_MS));
        propagation.set_wanted(true);
        store.record_deleted(true);
        self.begin_batches(offset);
    }

    /// A replica as log lines name it.
    pub(super) fn replica_name(&self, conn: ConnId) -> String {
        let Some(client) = self.clients.get(conn) else { return "?".to_string() };
        let introduction = client.introduction.as_deref();
        let ip = self.replica_ip(conn);
        match introduction.map_or(0, |introduction| introduction.port) {
            0 => format!("{ip}:<unknown-replica-port>"),
            port => format!("{ip}:{port}"),
        }
    }

    /// The address at which a replica is to be found.
    pub(crate) fn replica_ip(&self, conn: ConnId) -> String {
        let Some(client) = self.clients.get(conn) else { return String::new() };
        let told = client.introduction.as_deref().and_then(|told| told.ip.clone());
        let (ip, _) = client.addr.rsplit_once(':').unwrap_or((&client.addr, ""));
        told.unwrap_or_else(|| ip.trim_matches(['[', ']']).to_string())
    }

    /// Gives a replica up: it counts no more, and is disconnected.
    pub(super) fn drop_replica(&mut self, conn: ConnId) {
        self.replication.primary.leave(link_of(conn));
        self.close(conn);
    }

    /// The connection of a client is gone, which may have been a replica's.
    fn replica_gone(&mut self, conn: ConnId) {
        if self.replication.primary.leave(link_of(conn)) {
            let name = self.replica_name(conn);
            self.log(Level::Warning, format!("Connection with replica {name} lost."));
        }
    }

    /// How many bytes of the stream a replica is still to be sent.
    pub(crate) fn lacked_bytes(&self, conn: ConnId) -> u64 {
        let side = &self.replication.primary;
        let position = side.replicas.get(link_of(conn)).and_then(vesta_repl::Replica::needs_from);
        let end = side.backlog.as_ref().map(Backlog::end);
        position.zip(end).map_or(0, |(position, end)| end.saturating_sub(position))
    }

    /// How many bytes a replica may lack before it is given up; 0 for any.
    fn backlog_limit(&self) -> u64 {
        let [_, replica, _] = self.config.client_output_buffer_limit;
        match replica.hard_bytes {
            0 => 0,
            // Less than what is kept anyway would make no sense.
            hard => hard.max(self.config.repl_backlog_size_bytes),
        }
    }

    /// Keeps of the stream what is wanted, and sees to those who lack too much of it.
    pub(super) fn mind_backlog(&mut self) {
        let limit = self.backlog_limit();
        let Side { backlog, replicas, marks, .. } = &mut self.replication.primary;
        let Some(backlog) = backlog else { return };
        let (end, needed) = (backlog.end(), replicas.needed_from());
        backlog.trim(self.config.repl_backlog_size_bytes, needed);
        marks.forget_before(replicas.acked_by_all().unwrap_or(end));
        let lacking = end.saturating_sub(needed.unwrap_or(end));
        if limit == 0 || lacking < limit / 4 * FREE_QUARTERS {
            return;
        }
        if lacking > limit {
            let needs = replicas.iter().map(|(link, replica)| (link, replica.needs_from()));
            let is_over = |needs: Option<u64>| needs.is_some_and(|at| end - at.min(end) > limit);
            let over: Vec<LinkId> =
                needs.filter(|(_, needs)| is_over(*needs)).map(|(link, _)| link).collect();
            over.into_iter().for_each(|link| self.drop_for_limit(link));
            return;
        }
        self.hold_writes(lacking, limit);
    }

    /// Has commands that write wait for a while: the longer, the nearer the limit is.
    fn hold_writes(&mut self, lacking: u64, limit: u64) {
        let side = &mut self.replication.primary;
        if side.held_until.is_some() {
            return;
        }
        let quarter = (limit / 4).max(1);
        let beyond = lacking.saturating_sub(quarter * FREE_QUARTERS).min(quarter);
        let (least, most) = HOLD_MS;
        let ms =
            least + (u128::from(most - least) * u128::from(beyond) / u128::from(quarter)) as u64;
        side.held_until = Some(side.seen.mono.plus_ms(ms));
    }

    fn drop_for_limit(&mut self, link: LinkId) {
        let conn = conn_of(link);
        let name = self.replica_name(conn);
        let line = format!(
            "Client of replica {name} scheduled to be closed ASAP for overcoming of output buffer \
             limits."
        );
        self.statistics.output_limit_disconnections += 1;
        self.log(Level::Warning, line);
        self.drop_replica(conn);
    }

    /// Gives replicas up that lack more than the soft limit for too long. Who is copying everything
    /// is spared: it would only begin again.
    fn mind_soft_limit(&mut self) {
        let [_, limit, _] = self.config.client_output_buffer_limit;
        let Side { backlog: Some(backlog), replicas, seen, .. } = &mut self.replication.primary
        else {
            return;
        };
        let (end, now) = (backlog.end(), seen.mono);
        let mut over = Vec::new();
        for (link, replica) in replicas.iter_mut() {
            let Stage::Streaming { position } = replica.stage else { continue };
            if limit.soft_bytes == 0 || end.saturating_sub(position) < limit.soft_bytes {
                replica.behind_since = None;
                continue;
            }
            let since = *replica.behind_since.get_or_insert(now);
            if now.since_us(since) > limit.soft_seconds.saturating_mul(1_000_000) {
                over.push(link);
            }
        }
        over.into_iter().for_each(|link| self.drop_for_limit(link));
    }

    /// Gives replicas up that have been silent for too long.
    fn drop_silent_replicas(&mut self) {
        let timeout_ms = u64::from(self.config.repl_timeout_s).saturating_mul(1000);
        let Side { replicas, seen, .. } = &self.replication.primary;
        let silent: Vec<_> = replicas.silent(seen.mono, timeout_ms).collect();
        for (link, how) in silent {
            let conn = conn_of(link);
            let what = match how {
                Silence::Copying => "full sync",
                Silence::Streaming => "streaming sync",
            };
            let name = self.replica_name(conn);
            let line = format!("Disconnecting timedout replica ({what}): {name}");
            self.log(Level::Warning, line);
            self.drop_replica(conn);
        }
    }

    /// Lets whoever waits for a snapshot know that there is somebody.
    fn keep_alive(&mut self) {
        let side = &mut self.replication.primary;
        let waits = |stage: Stage| match stage {
            Stage::Waiting { .. } => true,
            Stage::Copying { snapshot, .. } => side.copies.is_being_written(snapshot),
            Stage::Loading { .. } | Stage::Streaming { .. } => false,
        };
        let all = side.replicas.iter();
        let waiting: Vec<LinkId> =
            all.filter(|(_, replica)| waits(replica.stage)).map(|(link, _)| link).collect();
        waiting.into_iter().for_each(|link| side.lead(link, b"\n"));
    }

    /// Whether there are as many good replicas as it takes to write.
    pub(crate) fn has_good_replicas(&self) -> bool {
        let (least, lag_s) =
            (self.config.min_replicas_to_write, self.config.min_replicas_max_lag_s);
        least == 0 || lag_s == 0 || self.is_replica() || self.good_replicas() >= u64::from(least)
    }

    /// How many replicas are good ones (`min-replicas-max-lag`).
    pub(crate) fn good_replicas(&self) -> u64 {
        let Side { replicas, seen, .. } = &self.replication.primary;
        replicas.good(seen.mono, u64::from(self.config.min_replicas_max_lag_s))
    }

    /// The gates that replication arms for every client.
    #[inline]
    pub(crate) fn armed_by_replicas(&self) -> Armed {
        Armed::REPLICAS
            .when(self.config.min_replicas_to_write > 0 || self.replication.primary.holds_writes())
    }
}

impl Node {
    /// To be called when a connection is gone, before its client is.
    pub(crate) fn note_replica_gone(&mut self, conn: ConnId) {
        self.server.replica_gone(conn);
    }

    /// Does what is due.
    pub(crate) fn drive_primary(&mut self, now: Now) {
        let side = &mut self.server.replication.primary;
        if side.held_until.is_some_and(|until| now.mono >= until) {
            side.held_until = None;
            self.server.retry_blocked = !self.server.blocked.is_empty();
            self.server.resume_held(now.mono);
        }
        let side = &mut self.server.replication.primary;
        if side.round_at.is_some_and(|at| now.mono >= at) {
            side.round_at = Some(now.mono.plus_ms(ROUND_MS));
            self.look_after_replicas(now);
        }
        self.drive_failover(now);
        self.drive_parting(now);
    }

    /// What is done every second.
    fn look_after_replicas(&mut self, now: Now) {
        self.server.drop_finished(now);
        self.server.excuse_idle_copies(now);
        self.server.drop_silent_replicas();
        self.server.keep_alive();
        self.ping_replicas(now);
        self.server.mind_backlog();
        self.server.mind_soft_limit();
        self.free_backlog(now);
    }

    /// Lets replicas know that there is somebody, and that they have everything. The sign is part
    /// of the stream, so only who makes the stream gives it, and not while the stream is to stand
    /// still.
    fn ping_replicas(&mut self, now: Now) {
        let period_ms = u64::from(self.server.config.repl_ping_replica_period_s) * 1000;
        let stands_still = self.server.is_replica() || self.server.holds_stream();
        let side = &mut self.server.replication.primary;
        if stands_still || side.replicas.is_empty() || now.mono < side.ping_at {
            return;
        }
        side.ping_at = now.mono.plus_ms(period_ms);
        self.propagation.append_sign([&b"PING"[..]].into_iter());
    }

    /// Stops keeping the stream when nobody has come back for it for long enough. If nobody counts
    /// its bytes from then on, its history has ended, too.
    fn free_backlog(&mut self, now: Now) {
        let ttl_s = self.server.config.repl_backlog_ttl_s;
        let side = &mut self.server.replication.primary;
        let is_over = now.mono >= side.alone_since.plus_ms(ttl_s.saturating_mul(1000));
        if ttl_s == 0
            || !is_over
            || !side.replicas.is_empty()
            || self.server.config.replicaof.is_some()
        {
            return;
        }
        self.move_stream();
        let side = &mut self.server.replication.primary;
        side.backlog = None;
        side.round_at = None;
        side.marks = Marks::default();
        let is_watched = side.tap.is_some();
        self.propagation.set_wanted(is_watched);
        self.store.record_deleted(self.propagation.is_wanted());
        if !self.propagation.is_logged() {
            self.begin_history();
        }
        let line =
            format!("Replication backlog freed after {ttl_s} seconds without connected replicas.");
        self.server.log(Level::Notice, line);
    }

    /// Disconnects a replica that has sent something that is answered: it expects the stream, and
    /// takes whatever comes for a part of it.
    pub(crate) fn drop_talkative(&mut self, conn: ConnId) {
        let Some(client) = self.server.clients.get(conn) else { return };
        let command = self.server.statistics.names.get(client.last_leaf).cloned();
        let command = command.unwrap_or_else(|| "NULL".to_string());
        let name = self.server.replica_name(conn);
        let line =
            format!("Replica generated a reply to command '{command}', disconnecting it: {name}");
        self.server.log(Level::Warning, line);
        self.server.drop_replica(conn);
    }

    /// Whether a client gets the stream, so that replies have no place.
    #[inline]
    pub(crate) fn is_fed(&self, conn: ConnId) -> bool {
        self.server.clients.get(conn).is_some_and(|client| client.part == Part::Replica)
    }
}
