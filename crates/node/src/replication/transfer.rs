//! Getting everything from our primary: a snapshot takes the place of our data.
//!
//! ```text
//!                      +--> beside: decoded as it comes -------------------+
//!   the first bytes ---+                                                   +--> in place of ours
//!                      +--> into a file, looked through ---> read again ---+
//! ```
//!
//! Our data, and the history it belongs to, stay in force until the new data is known to be whole:
//! a link that ends half way has changed nothing. While it is decoded *beside*, clients are served
//! from the old data. Where both do not fit into memory, or `repl-diskless-load` does not want
//! that, the snapshot goes into a file first, and only when all of it is there and can be read do
//! the old data go ([`super::filing`]).
//!
//! A snapshot without a key does not take the place of keys, unless it is of the same history as
//! they are, and no older (`replica-refuse-empty-primary`): that is what a primary sends that has
//! lost its data.

use super::filing::Filing;
use super::replica::Side;
use crate::Node;
use crate::action::{Action, Level};
use crate::client::Waiting;
use crate::persistence::{Beside, CopyOutcome};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use vesta_config::ReplDisklessLoad;
use vesta_repl::History;
use vesta_repl::link::{Event, Phase};
use vesta_repl::payload::Progress;
use vesta_types::{Mono, Now, ReplId};

/// Bytes that wait to be decoded above which no more are read from the link, until a quarter is
/// left.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// Bytes of a snapshot in which its writer has said how much memory it used, if it says so.
const FRONT_BYTES: usize = 4096;

/// Milliseconds between the first two attempts while the primary is refused because it has no data;
/// they double with each.
const REFUSED_MS: u64 = 1000;
/// How long that may become.
const REFUSED_MS_MAX: u64 = 30_000;

/// A primary that was refused because it has no data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    /// Its history, if it has said that.
    id: Option<ReplId>,
    /// How often in a row.
    times: u32,
}

/// A snapshot on its way.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// The history that it is of, and how many bytes of it it has; `None`: a primary that does not
    /// say.
    history: Option<(ReplId, u64)>,
    /// Where it is decoded.
    pub(super) beside: Box<Beside>,
    /// Its first bytes, while it is not known yet whether it can be decoded beside our data.
    front: Option<Vec<u8>>,
    /// The file that it goes through.
    pub(super) filing: Option<Filing>,
    /// Whether all of it has come.
    is_received: bool,
    pub(super) received: u64,
    total: Option<u64>,
    /// When there is something to do; never while bytes are awaited.
    pub(super) next_at: Mono,
}

impl Transfer {
    /// Its bytes: all, if that is known, and those that have come.
    pub(super) fn bytes(&self) -> (Option<u64>, u64) {
        (self.total, self.received)
    }

    /// Whether it is decoded beside the data in force.
    pub(super) fn is_beside(&self) -> bool {
        self.filing.is_none()
    }

    pub(super) fn next_at(&self) -> Mono {
        self.next_at
    }

    /// Whether as much has come as can be dealt with.
    fn is_full(&self) -> bool {
        let is_file_full = self.filing.as_ref().is_some_and(Filing::is_full);
        // What waits for the rest of a large value can only be dealt with once more has come.
        let waits = self.beside.is_ready() && self.beside.waiting_bytes() > WAITING_BYTES_MAX;
        waits || is_file_full
    }

    /// Takes bytes of the snapshot.
    fn take(&mut self, bytes: &[u8]) {
        self.beside.take_in(bytes);
        if let Some(filing) = &mut self.filing {
            filing.take(bytes);
        } else if let Some(front) = &mut self.front {
            front.extend_from_slice(bytes);
        }
    }
}

impl Side {
    /// Whether no more of a snapshot is to be read from the link for now.
    pub(super) fn is_copy_full(&self) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| transfer.is_full())
    }
}

impl Node {
    /// A snapshot is about to come.
    pub(super) fn begin_transfer(&mut self, now: Now, history: Option<(ReplId, u64)>) {
        self.give_up_transfer();
        let store = self.store.beside();
        let has_keys = self.has_keys();
        let wants_file = match self.server.config.repl_diskless_load {
            ReplDisklessLoad::Disabled | ReplDisklessLoad::OnEmptyDb => has_keys,
            ReplDisklessLoad::Swapdb => false,
        };
        let beside = Beside::new(now, store, &self.server);
        let beside = if wants_file { beside.checking() } else { beside };
        self.server.replication.replica.transfer = Some(Box::new(Transfer {
            history,
            beside: Box::new(beside),
            front: (has_keys && !wants_file).then(Vec::new),
            filing: wants_file.then(Filing::default),
            is_received: false,
            received: 0,
            total: None,
            next_at: Mono::NEVER,
        }));
    }

    fn has_keys(&self) -> bool {
        self.store.indexes().any(|db| self.store.size(db).keys > 0)
    }

    /// Takes in what comes of a snapshot. How many bytes of `input` that was, once it has come to
    /// its end or been given up; `None` before that.
    pub(super) fn receive_copy(&mut self, now: Now, input: &[u8]) -> Option<usize> {
        let side = &mut self.server.replication.replica;
        let Some(transfer) = &mut side.transfer else {
            side.link.handle(now, Event::GivenUp);
            return Some(0);
        };
        let progress = side.link.receive(now, input, |bytes| {
            transfer.received = transfer.received.saturating_add(bytes.len() as u64);
            transfer.take(bytes);
        });
        if let Some(payload) = side.link.payload() {
            transfer.total = payload.total();
            transfer.beside.set_total(payload.total().unwrap_or(0));
        }
        let outcome = match progress {
            Some(Progress::All) => None,
            Some(Progress::End(taken)) => {
                transfer.is_received = true;
                transfer.beside.take_in(&[]);
                Some(taken)
            }
            None => return Some(0),
        };
        // What the link has to say of the beginning comes before what is said of the end.
        self.drive_link(now);
        self.go_on_filing();
        self.read_copy(now);
        outcome
    }

    /// Does what is due.
    pub(super) fn drive_transfer(&mut self, now: Now) {
        let side = &self.server.replication.replica;
        if side.transfer.as_ref().is_some_and(|transfer| now.mono >= transfer.next_at) {
            self.go_on_filing();
            self.read_copy(now);
            self.drive_link(now);
        }
    }

    /// Decodes for a slice of time.
    fn read_copy(&mut self, now: Now) {
        let Some(mut transfer) = self.server.replication.replica.transfer.take() else { return };
        let outcome = transfer.beside.decode(now, &mut self.server, &mut self.propagation);
        self.choose_way(now, &mut transfer);
        let is_complete = transfer.beside.is_complete();
        let look_at = transfer.filing.as_ref().map_or(Mono::NEVER, |file| file.look_at(now.mono));
        transfer.next_at = if transfer.beside.is_ready() { now.mono } else { look_at };
        let (is_received, is_starving) = (transfer.is_received, !transfer.beside.is_ready());
        let is_filing = transfer.filing.as_ref().is_some_and(|filing| !filing.has_emptied());
        self.server.replication.replica.transfer = Some(transfer);
        if let Err(why) = outcome {
            return self.fail_copy(now, &why);
        }
        if !(is_complete && is_received) {
            if is_starving {
                self.read_more();
            }
            return self.server.ease_copy();
        }
        if !is_filing {
            self.end_transfer(now);
        } else if !self.refuses_empty(now) {
            self.server.close_copy();
        }
    }

    /// Has the snapshot go through a file when it does not fit beside our data.
    fn choose_way(&mut self, now: Now, transfer: &mut Transfer) {
        let Some(front) = &transfer.front else { return };
        let needed = transfer.beside.used_bytes();
        if needed == 0 && front.len() < FRONT_BYTES {
            return;
        }
        let front = transfer.front.take().unwrap_or_default();
        if self.fits(needed) {
            return;
        }
        let line =
            "There is no memory for the data of the master beside ours: it goes to disk first";
        self.server.log(Level::Notice, line.to_string());
        let store = self.store.beside();
        let mut checker = Beside::new(now, store, &self.server).checking();
        checker.take_in(&front);
        if transfer.is_received {
            checker.take_in(&[]);
        }
        let begun = transfer.file(now, checker, front);
        self.store.throw_away(*begun.into_store());
    }

    /// Whether so many bytes have room besides what is there.
    fn fits(&self, needed: u64) -> bool {
        let then = self.server.used_bytes(self.store.bytes()).saturating_add(needed);
        let limit = self.server.config.maxmemory_bytes;
        let machine = self.server.process.system_memory_bytes / 10 * 9;
        [limit, machine].iter().all(|most| *most == 0 || then <= *most)
    }

    /// All of a snapshot is decoded: puts it in the place of our data.
    fn end_transfer(&mut self, now: Now) {
        if self.refuses_empty(now) {
            return;
        }
        let Some(transfer) = self.server.replication.replica.transfer.take() else { return };
        let Transfer { history, beside, filing, .. } = *transfer;
        if filing.is_some() {
            self.server.remove_sync_file();
        }
        let CopyOutcome { store, tally, functions, stream_db } = beside.finish();
        let (loaded, expired) = (tally.loaded, tally.expired);
        let line = format!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}.");
        self.server.log(Level::Notice, line);
        // What lies in the log is the old data, and has the name of the old history.
        self.log_anew(now);
        self.store.take_over(*store);
        self.server.replace_functions(functions);
        let (history, offset) = match history {
            Some((id, offset)) => (History::named(id), offset),
            None => (History::new(&mut self.server.rng), 0),
        };
        self.take_history(history, offset);
        // What was kept is of another history, even if it should end at the same offset.
        self.server.replication.primary.backlog = None;
        self.rebase_backlog();
        self.propagation.add_changes(loaded.max(1));
        self.begin_stream(stream_db);
        self.server.disconnect_replicas();
        self.server.arm_persistence(now);
        self.server.actions.push_back(Action::Measure);
        self.server.cron.wake_by(now.mono);
        let line = "MASTER <-> REPLICA sync: Finished with success";
        self.server.log(Level::Notice, line.to_string());
        self.server.replication.replica.link.handle(now, Event::Loaded);
        if self.server.replication.replica.is_linked() {
            self.link_is_good();
        }
        self.server.resume_link();
        if self.store.has_touched() || self.server.retry_blocked {
            self.serve_touched(now);
        }
    }

    /// Whether the snapshot at hand, of which all is known, is not taken because it has no key and
    /// we do. Then the link has been given up.
    fn refuses_empty(&mut self, now: Now) -> bool {
        let Some(transfer) = &self.server.replication.replica.transfer else { return false };
        let (ours, offset) = (self.server.replication.history.id(), self.propagation.offset());
        // Who is behind us has lost something, and may yet catch up.
        let is_ours = transfer.history.is_some_and(|(id, at)| id == ours && at >= offset);
        let is_refused = self.server.config.replica_refuse_empty_primary
            && transfer.beside.keys() == 0
            && !is_ours
            && self.has_keys();
        if is_refused {
            let id = transfer.history.map(|(id, _)| id);
            let side = &mut self.server.replication.replica;
            let before = side.refused.filter(|refused| refused.id == id);
            let times = before.map_or(0, |refused| refused.times);
            side.refused = Some(Refused { id, times: times.saturating_add(1) });
            let ms = REFUSED_MS.saturating_mul(2_u64.saturating_pow(times)).min(REFUSED_MS_MAX);
            side.link.handle(now, Event::PutOff { ms });
            if before.is_none() {
                let line = "The master has no data, and this replica does: its data stays as it \
                            is. Set replica-refuse-empty-primary to no to follow the master all \
                            the same.";
                self.server.log(Level::Warning, line.to_string());
            }
        }
        is_refused
    }

    /// The snapshot at hand is of no use.
    pub(super) fn fail_copy(&mut self, now: Now, why: &str) {
        let line = format!("Failed trying to load the MASTER synchronization DB: {why}");
        self.server.log(Level::Warning, line);
        self.give_up_transfer();
        self.server.replication.replica.link.handle(now, Event::GivenUp);
    }

    /// Forgets a snapshot that has not come to its end.
    pub(super) fn give_up_transfer(&mut self) {
        let side = &mut self.server.replication.replica;
        let is_written = side.transfer.as_ref().and_then(|transfer| transfer.filing.as_ref());
        if is_written.is_some_and(|filing| !filing.has_emptied()) {
            self.server.abort_file();
        }
        if let Some(transfer) = self.server.replication.replica.transfer.take() {
            self.store.throw_away(*transfer.beside.into_store());
            let now = self.server.persistence.log.seen();
            self.server.arm_persistence(now);
        }
    }
}

impl Server {
    /// Has the link read from again if there is room for what comes.
    pub(super) fn ease_copy(&mut self) {
        let side = &self.replication.replica;
        let has_room = side.transfer.as_ref().is_some_and(|transfer| {
            let beside = &transfer.beside;
            let has_little = beside.waiting_bytes() <= WAITING_BYTES_MAX / 4;
            !transfer.is_full() && (has_little || !beside.is_ready())
        });
        if has_room && side.phase() == Phase::Receiving {
            self.resume_link();
        }
    }

    /// Has the link go on that waits for a snapshot.
    fn resume_link(&mut self) {
        let Some(conn) = self.replication.replica.conn() else { return };
        let Some(client) = self.clients.get_mut(conn) else { return };
        if client.waiting != Waiting::No {
            client.waiting = Waiting::No;
            self.actions.push_back(Action::Resume(conn));
        }
    }
}
