//! Giving replicas everything: a snapshot of the data, and its way to them.
//!
//! ```text
//!   streamed   walk --> pieces ---------------> each at its own pace      $EOF:<mark> ... <mark>
//!   by a file  walk --> disk --> opened by each, read as fast as it takes it     $<length> ...
//! ```
//!
//! Replicas that wait for the same thing are served together. A streamed snapshot is not written
//! anywhere: the walk waits while the slowest member has too much to take, so that no more than
//! that is ever in memory. Who does not understand the mark, and everybody if `repl-diskless-sync`
//! is off, gets the file of a save.
//!
//! The snapshot is that of one position of the stream, and it goes out when the log is so far.

use super::Replication;
use super::primary::{Side, conn_of};
use crate::Node;
use crate::action::Level;
use crate::disk::DiskWish;
use crate::persistence::Purpose;
use crate::server::Server;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use vesta_cmd::StreamPoint;
use vesta_repl::{LinkId, Stage, Wants};
use vesta_resp::Outbox;
use vesta_store::{Keeper, Store};
use vesta_types::{Blob, Mono, Now, ReplId};

/// From how many bytes on a piece is sent from where it lies.
const SHARED_BYTES: usize = 16 * 1024;
/// How much of a file is read at a time, in bytes.
const READ_BYTES: usize = 256 * 1024;
/// How much of a file may have been read and not taken, in bytes.
const READ_AHEAD_BYTES: usize = 2 * READ_BYTES;
/// How long after its end a snapshot counts as taken when nothing of it is pending, in
/// milliseconds.
const FINISH_MS: u64 = 1000;

/// All snapshots on their way.
#[derive(Debug, Default)]
pub(super) struct Copies {
    snapshots: BTreeMap<u64, Snapshot>,
    /// Numbers given to snapshots and to the readings of files.
    last_id: u64,
    /// When somebody has waited long enough for others.
    start_at: Option<Mono>,
    /// Readings that are over.
    to_close: Vec<u64>,
}

/// A snapshot for some replicas.
#[derive(Debug)]
struct Snapshot {
    /// Where in the stream it was made.
    position: u64,
    wants: Wants,
    way: Way,
}

/// How a snapshot gets to its members.
#[derive(Debug)]
enum Way {
    Streamed(Streamed),
    /// The file is being written, for these.
    Written(Vec<LinkId>),
    /// The file is there, and each member reads it.
    Shipped(BTreeMap<LinkId, Ship>),
}

#[derive(Debug, Default)]
struct Streamed {
    /// What the slowest member has not taken, and what came behind it.
    pieces: VecDeque<Blob>,
    /// The number of the first of them.
    first: u64,
    bytes: usize,
    is_whole: bool,
    mark: Vec<u8>,
    /// The number of the piece that each member gets next.
    members: BTreeMap<LinkId, u64>,
}

/// The reading of a file for one replica.
#[derive(Debug)]
struct Ship {
    id: u64,
    /// Bytes that were not read yet; `None` while the file is being opened.
    left: Option<u64>,
    /// Whether the next piece was asked for.
    is_asked: bool,
    ready: VecDeque<Blob>,
    ready_bytes: usize,
}

impl Streamed {
    fn push(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.pieces.push_back(Arc::new(bytes));
    }

    fn get(&self, number: u64) -> Option<&Blob> {
        self.pieces.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Forgets what all members have taken.
    fn trim(&mut self) {
        let end = self.first.saturating_add(self.pieces.len() as u64);
        let slowest = self.members.values().min().copied().unwrap_or(end);
        while self.first < slowest
            && let Some(piece) = self.pieces.pop_front()
        {
            self.first += 1;
            self.bytes -= piece.len();
        }
    }
}

impl Copies {
    /// Whether a snapshot is in a file that everybody it is for has opened.
    fn is_opened_by_all(&self, snapshot: u64) -> bool {
        self.snapshots.get(&snapshot).is_some_and(|snapshot| match &snapshot.way {
            Way::Shipped(ships) => ships.values().all(|ship| ship.left.is_some()),
            Way::Streamed(_) | Way::Written(_) => false,
        })
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// When somebody has waited long enough.
    pub(super) fn next_deadline(&self) -> Mono {
        self.start_at.unwrap_or(Mono::NEVER)
    }

    /// Whether a snapshot is not there yet to be sent, as it goes to a file first.
    pub(super) fn is_being_written(&self, snapshot: u64) -> bool {
        let snapshot = self.snapshots.get(&snapshot);
        snapshot.is_some_and(|snapshot| matches!(snapshot.way, Way::Written(_)))
    }

    /// Whether a snapshot is a file that is being read to be sent.
    pub(super) fn is_shipping(&self, snapshot: u64) -> bool {
        let snapshot = self.snapshots.get(&snapshot);
        snapshot.is_some_and(|snapshot| matches!(snapshot.way, Way::Shipped(_)))
    }

    /// Whether there is something to be sent of a snapshot.
    pub(super) fn has_for(&self, snapshot: u64, link: LinkId) -> bool {
        let Some(snapshot) = self.snapshots.get(&snapshot) else { return false };
        match &snapshot.way {
            Way::Streamed(streamed) => {
                streamed.members.get(&link).is_some_and(|next| streamed.get(*next).is_some())
            }
            Way::Shipped(ships) => ships.get(&link).is_some_and(|ship| !ship.ready.is_empty()),
            Way::Written(_) => false,
        }
    }

    /// Bytes that wait here to be taken.
    pub(super) fn held_bytes(&self) -> usize {
        let held = |snapshot: &Snapshot| match &snapshot.way {
            Way::Streamed(streamed) => streamed.bytes,
            Way::Shipped(ships) => ships.values().map(|ship| ship.ready_bytes).sum(),
            Way::Written(_) => 0,
        };
        self.snapshots.values().map(held).sum()
    }

    /// A replica is gone.
    pub(super) fn leave(&mut self, link: LinkId) {
        for snapshot in self.snapshots.values_mut() {
            match &mut snapshot.way {
                Way::Streamed(streamed) => {
                    streamed.members.remove(&link);
                    streamed.trim();
                }
                Way::Written(members) => members.retain(|member| *member != link),
                Way::Shipped(ships) => {
                    self.to_close.extend(ships.remove(&link).map(|ship| ship.id));
                }
            }
        }
    }

    /// Forgets snapshots that nobody takes any more. Whether one of them was still being made.
    fn forget_done(&mut self) -> bool {
        let mut was_walking = false;
        self.snapshots.retain(|_, snapshot| match &snapshot.way {
            Way::Streamed(streamed) => {
                was_walking |= streamed.members.is_empty() && !streamed.is_whole;
                !streamed.members.is_empty()
            }
            // The file is finished all the same.
            Way::Written(_) => true,
            Way::Shipped(ships) => !ships.is_empty(),
        });
        was_walking
    }

    /// The streamed snapshot that is being made.
    fn walking(&mut self) -> Option<&mut Streamed> {
        self.snapshots.values_mut().find_map(|snapshot| match &mut snapshot.way {
            Way::Streamed(streamed) if !streamed.is_whole => Some(streamed),
            Way::Streamed(_) | Way::Written(_) | Way::Shipped(_) => None,
        })
    }

    /// Takes so many bytes of what a keeper has written down, and one piece more; how many it
    /// were.
    fn take_in(&mut self, keeper: &mut (dyn Keeper + Send), bytes_max: usize) -> usize {
        let mut taken = 0;
        while taken < bytes_max {
            let bytes = keeper.drain();
            if bytes.is_empty() {
                break;
            }
            taken += bytes.len();
            if let Some(streamed) = self.walking() {
                streamed.push(bytes);
            }
        }
        taken
    }

    /// All was written down.
    fn end_walk(&mut self) {
        if let Some(streamed) = self.walking() {
            let mark = streamed.mark.clone();
            streamed.push(mark);
            streamed.is_whole = true;
        }
    }
}

impl Replication {
    /// Takes so many bytes of what a keeper has written down for replicas, and one piece more; how
    /// many it were.
    pub(crate) fn take_in(&mut self, keeper: &mut (dyn Keeper + Send), bytes_max: usize) -> usize {
        self.primary.copies.take_in(keeper, bytes_max)
    }

    /// How many bytes of the snapshot that is being made its slowest reader has not taken.
    pub(crate) fn held_bytes(&mut self) -> usize {
        self.primary.copies.walking().map_or(0, |streamed| streamed.bytes)
    }
}

/// Somebody who waits for a snapshot.
#[derive(Clone, Copy, Debug)]
struct Waiter {
    link: LinkId,
    since: Mono,
    kind: Kind,
}

/// What he waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Kind {
    is_streamed: bool,
    wants: Wants,
}

impl Server {
    /// Who waits, in the order in which they came.
    fn waiters(&self) -> Vec<Waiter> {
        let without_files = self.config.repl_diskless_sync;
        let all = self.replication.primary.replicas.in_order();
        let waiter = |(link, replica): (LinkId, &vesta_repl::Replica)| {
            let Stage::Waiting { since } = replica.stage else { return None };
            let told = &replica.introduction;
            let is_streamed = told.knows_eof && (without_files || !told.wants.is_all());
            Some(Waiter { link, since, kind: Kind { is_streamed, wants: told.wants } })
        };
        all.into_iter().filter_map(waiter).collect()
    }

    /// When those who wait for this have waited long enough for others.
    fn due_at(&self, kind: Kind, waiters: &[Waiter]) -> Mono {
        let meant = || waiters.iter().filter(|waiter| waiter.kind == kind);
        let Some(first) = meant().map(|waiter| waiter.since).min() else { return Mono::NEVER };
        let enough = self.config.repl_diskless_sync_max_replicas as usize;
        if !kind.is_streamed || enough > 0 && meant().count() >= enough {
            return first;
        }
        first.plus_ms(u64::from(self.config.repl_diskless_sync_delay_s).saturating_mul(1000))
    }

    /// Tells a replica that it gets everything.
    fn begin_copy(&mut self, now: Now, link: LinkId, snapshot: u64, position: u64) {
        let id = self.replication.history.id();
        let side = &mut self.replication.primary;
        let Some(replica) = side.replicas.get_mut(link) else { return };
        replica.stage = Stage::Copying { snapshot, position, moved_at: now.mono };
        if !replica.is_mute {
            side.lead(link, format!("+FULLRESYNC {id} {position}\r\n").as_bytes());
        }
    }

    /// Gives a replica the next piece of its snapshot.
    pub(super) fn feed_copy(&mut self, now: Now, link: LinkId, outbox: &mut Outbox) {
        let side = &mut self.replication.primary;
        let Some(replica) = side.replicas.get_mut(link) else { return };
        let Stage::Copying { snapshot, position, .. } = replica.stage else { return };
        let Some(found) = side.copies.snapshots.get_mut(&snapshot) else { return };
        let (piece, is_over) = match &mut found.way {
            Way::Streamed(streamed) => {
                let Some(next) = streamed.members.get_mut(&link) else { return };
                let number = *next;
                let Some(piece) = streamed.get(number).cloned() else { return };
                let has_more = streamed.get(number + 1).is_some();
                streamed.members.insert(link, number + 1);
                streamed.trim();
                (piece, streamed.is_whole && !has_more)
            }
            Way::Shipped(ships) => {
                let Some(ship) = ships.get_mut(&link) else { return };
                let Some(piece) = ship.ready.pop_front() else { return };
                ship.ready_bytes -= piece.len();
                (piece, ship.ready.is_empty() && ship.left == Some(0))
            }
            Way::Written(_) => return,
        };
        if piece.len() < SHARED_BYTES {
            outbox.push_encoded(&piece);
        } else {
            outbox.push_blob(piece);
        }
        replica.stage = Stage::Copying { snapshot, position, moved_at: now.mono };
        if is_over {
            self.end_copy(now, link);
        } else {
            self.read_on(link, snapshot);
        }
        self.ease_walk(now);
    }

    /// The walk may go on if it waited for the slowest.
    fn ease_walk(&mut self, now: Now) {
        if let Some(streamed) = self.replication.primary.copies.walking() {
            self.persistence.saving.eased(now, streamed.bytes);
        }
    }

    /// A replica has been given all of its snapshot.
    fn end_copy(&mut self, now: Now, link: LinkId) {
        let conn = conn_of(link);
        let name = self.replica_name(conn);
        let side = &mut self.replication.primary;
        let Some(replica) = side.replicas.get_mut(link) else { return };
        let Stage::Copying { snapshot, position, .. } = replica.stage else { return };
        let found = side.copies.snapshots.get(&snapshot);
        let is_marked = found.is_some_and(|found| matches!(found.way, Way::Streamed(_)));
        side.copies.leave(link);
        replica.acked_at = now.mono;
        if replica.introduction.snapshot_only {
            // It is disconnected when it has taken all.
            replica.stage = Stage::Loading { position, since: now.mono };
            return;
        }
        // Who looks for the mark might take the stream for what comes in front of it; redis-cli,
        // which asks with SYNC, acknowledges the end as replicas do.
        replica.stage = if is_marked {
            Stage::Loading { position, since: now.mono }
        } else {
            Stage::Streaming { position }
        };
        self.log(Level::Notice, format!("Synchronization with replica {name} succeeded"));
    }

    /// The snapshot that was being streamed does not become whole: its members have to begin
    /// again.
    pub(crate) fn copy_given_up(&mut self) {
        let copies = &mut self.replication.primary.copies;
        let Some(streamed) = copies.walking() else { return };
        let members: Vec<LinkId> = streamed.members.keys().copied().collect();
        members.into_iter().for_each(|link| self.drop_replica(conn_of(link)));
        self.replication.primary.copies.forget_done();
    }

    /// The file for replicas is there, or has failed.
    pub(crate) fn copy_written(&mut self, is_saved: bool) {
        let name = self.config.dbfilename.clone();
        let copies = &mut self.replication.primary.copies;
        let is_written = |snapshot: &Snapshot| matches!(snapshot.way, Way::Written(_));
        let Some((id, _)) = copies.snapshots.iter().find(|(_, snapshot)| is_written(snapshot))
        else {
            return;
        };
        let id = *id;
        let Some(Snapshot { position, wants, way: Way::Written(members) }) =
            copies.snapshots.remove(&id)
        else {
            return;
        };
        if !is_saved {
            let line = "SYNC failed. BGSAVE child returned an error".to_string();
            self.log(Level::Warning, line);
            members.into_iter().for_each(|link| self.drop_replica(conn_of(link)));
            return;
        }
        let mut ships = BTreeMap::new();
        for link in members {
            let id = self.replication.primary.copies.fresh_id();
            let ready = VecDeque::new();
            ships.insert(link, Ship { id, left: None, is_asked: true, ready, ready_bytes: 0 });
            self.wish(DiskWish::ShipOpen { ship: id, name: name.clone() });
        }
        let snapshot = Snapshot { position, wants, way: Way::Shipped(ships) };
        self.replication.primary.copies.snapshots.insert(id, snapshot);
    }

    /// The file for one replica was opened, and is so long.
    pub(crate) fn ship_opened(&mut self, id: u64, outcome: Result<u64, String>) {
        let Some((snapshot, link)) = self.ship_place(id) else {
            if outcome.is_ok() {
                self.wish(DiskWish::ShipClose { ship: id });
            }
            return;
        };
        match outcome {
            Ok(0) => self.ship_failed(link, "it is empty"),
            Ok(len) => {
                let Some(ship) = self.ship_mut(snapshot, link) else { return };
                ship.left = Some(len);
                ship.is_asked = false;
                self.replication.primary.lead(link, format!("${len}\r\n").as_bytes());
                self.read_on(link, snapshot);
            }
            Err(why) => self.ship_failed(link, &why),
        }
        // Whoever has it open does not need its name.
        if self.replication.primary.copies.is_opened_by_all(snapshot) {
            self.remove_sync_file();
        }
    }

    /// A piece of the file for one replica was read.
    pub(crate) fn ship_read(&mut self, id: u64, outcome: Result<Vec<u8>, String>) {
        let Some((snapshot, link)) = self.ship_place(id) else { return };
        match outcome {
            Ok(bytes) => {
                let Some(ship) = self.ship_mut(snapshot, link) else { return };
                ship.is_asked = false;
                let left = ship.left.and_then(|left| left.checked_sub(bytes.len() as u64));
                let is_sound = left.is_some() && !bytes.is_empty();
                ship.left = left;
                ship.ready_bytes += bytes.len();
                ship.ready.push_back(Arc::new(bytes));
                if is_sound {
                    self.read_on(link, snapshot);
                } else {
                    self.ship_failed(link, "its length has changed");
                }
            }
            Err(why) => self.ship_failed(link, &why),
        }
    }

    fn ship_failed(&mut self, link: LinkId, why: &str) {
        let name = self.replica_name(conn_of(link));
        self.log(Level::Warning, format!("Read error sending DB to replica {name}: {why}"));
        self.drop_replica(conn_of(link));
    }

    /// Has more of the file of a replica read, if it is time.
    fn read_on(&mut self, link: LinkId, snapshot: u64) {
        let Some(ship) = self.ship_mut(snapshot, link) else { return };
        let id = ship.id;
        let has_more = ship.left.is_some_and(|left| left > 0);
        if !ship.is_asked && has_more && ship.ready_bytes < READ_AHEAD_BYTES {
            ship.is_asked = true;
            self.wish(DiskWish::ShipRead { ship: id, bytes_max: READ_BYTES });
        }
    }

    fn ship_mut(&mut self, snapshot: u64, link: LinkId) -> Option<&mut Ship> {
        match &mut self.replication.primary.copies.snapshots.get_mut(&snapshot)?.way {
            Way::Shipped(ships) => ships.get_mut(&link),
            Way::Streamed(_) | Way::Written(_) => None,
        }
    }

    /// Whose reading this is.
    fn ship_place(&self, id: u64) -> Option<(u64, LinkId)> {
        let snapshots = self.replication.primary.copies.snapshots.iter();
        snapshots.into_iter().find_map(|(number, snapshot)| match &snapshot.way {
            Way::Shipped(ships) => {
                let ship = ships.iter().find(|(_, ship)| ship.id == id);
                ship.map(|(link, _)| (*number, *link))
            }
            Way::Streamed(_) | Way::Written(_) => None,
        })
    }

    /// Disconnects those who wanted a snapshot and nothing more, and have taken it.
    pub(super) fn drop_finished(&mut self, now: Now) {
        let side = &self.replication.primary;
        let is_over = |(link, replica): &(LinkId, &vesta_repl::Replica)| {
            let Stage::Loading { since, .. } = replica.stage else { return false };
            let client = self.clients.get(conn_of(*link));
            let has_taken = client.is_some_and(|client| client.pending_bytes == 0);
            replica.introduction.snapshot_only && has_taken && now.mono > since.plus_ms(FINISH_MS)
        };
        let over: Vec<LinkId> =
            side.replicas.iter().filter(is_over).map(|(link, _)| link).collect();
        for link in over {
            let name = self.replica_name(conn_of(link));
            let line =
                format!("Close the connection with replica {name} as RDB transfer is complete");
            self.log(Level::Notice, line);
            self.drop_replica(conn_of(link));
        }
    }

    /// Whoever copies and has nothing to take at the moment is not silent.
    pub(super) fn excuse_idle_copies(&mut self, now: Now) {
        let Side { replicas, copies, .. } = &mut self.replication.primary;
        for (link, replica) in replicas.iter_mut() {
            if let Stage::Copying { snapshot, moved_at, .. } = &mut replica.stage
                && !copies.has_for(*snapshot, link)
            {
                *moved_at = now.mono;
            }
        }
    }

    /// A snapshot of no keys needs no walk.
    fn copy_without_keys(&mut self, now: Now, store: &Store, point: StreamPoint, functions: bool) {
        let purpose = Purpose::Streamed { functions };
        let mut keeper = self.replica_keeper(now, store, point, purpose);
        keeper.finish();
        let copies = &mut self.replication.primary.copies;
        copies.take_in(&mut *keeper, usize::MAX);
        copies.end_walk();
    }

    /// All of a snapshot for replicas was written down.
    pub(crate) fn copy_walked(&mut self) {
        self.replication.primary.copies.end_walk();
    }
}

impl Node {
    /// Begins to make snapshots for those who wait, if that is possible now.
    pub(super) fn start_copies(&mut self) {
        for ship in core::mem::take(&mut self.server.replication.primary.copies.to_close) {
            self.server.wish(DiskWish::ShipClose { ship });
        }
        if self.server.replication.primary.copies.forget_done() {
            let now = self.server.replication.primary.seen;
            self.server.give_up_save(now, &mut self.store);
        }
        self.server.replication.primary.copies.start_at = None;
        if !self.server.replication.primary.replicas.has_waiting() {
            return;
        }
        let waiters = self.server.waiters();
        if self.server.ending || self.server.is_loading() {
            return;
        }
        let now = self.server.replication.primary.seen;
        let mut soonest = Mono::NEVER;
        for first in &waiters {
            let due_at = self.server.due_at(first.kind, &waiters);
            if due_at > now.mono {
                soonest = soonest.min(due_at);
                continue;
            }
            let meant = waiters.iter().filter(|waiter| waiter.kind == first.kind);
            let members: Vec<LinkId> = meant.map(|waiter| waiter.link).collect();
            if self.start_copy(now, first.kind, members) {
                // The others get their turn when this is over.
                return;
            }
        }
        if soonest < Mono::NEVER {
            self.server.replication.primary.copies.start_at = Some(soonest);
        }
    }

    /// Begins a snapshot for these, or has them join one; whether that was possible.
    fn start_copy(&mut self, now: Now, kind: Kind, members: Vec<LinkId>) -> bool {
        if self.server.join_written(now, kind, &members) {
            return true;
        }
        if kind.wants.keys && !self.server.persistence.saving.is_idle() {
            return false;
        }
        if self.store.has_news() {
            self.hand_on_news(None);
        }
        if !self.server.is_replica() {
            // Who reads the stream from here on knows of no database.
            self.propagation.forget_selected();
        }
        let point = self.propagation.point();
        let side = &mut self.server.replication.primary;
        let id = side.copies.fresh_id();
        let way = if kind.is_streamed {
            let mark = ReplId::random(&mut self.server.rng).digits().to_vec();
            let mut streamed = Streamed { mark: mark.clone(), ..Streamed::default() };
            streamed.push([&b"$EOF:"[..], &mark, b"\r\n"].concat());
            streamed.members = members.iter().map(|link| (*link, 0)).collect();
            Way::Streamed(streamed)
        } else {
            Way::Written(members.clone())
        };
        let snapshot = Snapshot { position: point.offset, wants: kind.wants, way };
        side.copies.snapshots.insert(id, snapshot);
        for link in members {
            self.server.begin_copy(now, link, id, point.offset);
        }
        let target = if kind.is_streamed { "replicas sockets" } else { "disk" };
        let line = format!("Starting BGSAVE for SYNC with target: {target}");
        self.server.log(Level::Notice, line);
        if kind.wants.keys {
            let purpose = if kind.is_streamed {
                Purpose::Streamed { functions: kind.wants.functions }
            } else {
                Purpose::Shipped
            };
            self.server.begin_save(now, &mut self.store, point, purpose);
            self.drive_log(now);
        } else {
            self.server.copy_without_keys(now, &self.store, point, kind.wants.functions);
        }
        true
    }
}

impl Server {
    /// Has replicas join those for whom a file is being written already.
    fn join_written(&mut self, now: Now, kind: Kind, fresh: &[LinkId]) -> bool {
        let side = &mut self.replication.primary;
        let holds = |position| side.backlog.as_ref().is_some_and(|held| held.holds(position));
        let mut snapshots = side.copies.snapshots.iter_mut();
        let found = snapshots.find_map(|(id, snapshot)| match &mut snapshot.way {
            Way::Written(members)
                if !kind.is_streamed
                    && snapshot.wants == kind.wants
                    && holds(snapshot.position) =>
            {
                members.extend_from_slice(fresh);
                Some((*id, snapshot.position))
            }
            Way::Streamed(_) | Way::Written(_) | Way::Shipped(_) => None,
        });
        let Some((id, position)) = found else { return false };
        fresh.iter().for_each(|link| self.begin_copy(now, *link, id, position));
        true
    }
}
