//! Client-side caching: which clients may keep which keys, and that they are told when one of
//! them changes.
//!
//! A client is remembered for each key that it reads, once: when the key is modified it is told,
//! and forgotten for this key. A client that broadcasts is remembered for prefixes instead, and
//! told at the end of the turn of all keys below them that were modified, whether it has read
//! them or not. The store marks modifications of all keys only while anybody tracks.
//!
//! Source of the behaviour: redis-server 7.0.15. Beyond it, an exchange of databases (SWAPDB) is
//! told as a flush: a cache that knows no databases is stale by it. NOLOOP spares a client its own
//! changes alone, not keys that expire or are evicted while its command runs, nor what another
//! client did to the same key in the same turn.

use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::Bound;
use vesta_cmd::Found;
use vesta_cmd::host::{Tracking, TrackingMode};
use vesta_resp::{Outbox, Proto, Reply, Request};
use vesta_spec::{Flags, positions};
use vesta_store::{Modified, Store};

type Name = Box<[u8]>;

/// A client that tracks.
#[derive(Debug)]
pub(crate) struct Tracker {
    pub(crate) tracking: Tracking,
    /// The connection of the client that is told in its place.
    redirect: Option<ConnId>,
}

impl Tracker {
    /// Whether it is told of prefixes.
    pub(crate) fn broadcasts(&self) -> bool {
        self.tracking.mode == TrackingMode::Broadcast
    }

    /// Memory it takes, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.tracking.heap_bytes()
    }
}

/// The channel that a redirected RESP2 client gets invalidations on.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// Who tracks what.
#[derive(Debug, Default)]
pub(crate) struct Trackers {
    /// How many clients track.
    clients: usize,
    /// Who is to be told when a key changes.
    table: BTreeMap<Name, BTreeSet<Holder>>,
    /// Holders in the table, in all.
    items: usize,
    /// Who is to be told of all keys below a prefix.
    prefixes: BTreeMap<Name, Audience>,
    /// Keys below some prefix were modified in this turn.
    has_modified: bool,
    /// The key that was forgotten last because the table was full.
    hand: Name,
}

/// A client in the table. Its number tells it from a later one on the same connection.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Holder {
    conn: ConnId,
    id: u64,
}

#[derive(Debug, Default)]
struct Audience {
    clients: BTreeSet<ConnId>,
    /// Keys modified in this turn, each with the number of the client that did it; 0 when it was
    /// more than one, or none.
    modified: BTreeMap<Name, u64>,
}

impl Trackers {
    /// How many clients track.
    pub(crate) fn clients(&self) -> usize {
        self.clients
    }

    /// How many keys are in the table.
    pub(crate) fn keys(&self) -> usize {
        self.table.len()
    }

    /// How many times a client is in the table.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// How many prefixes somebody is told of.
    pub(crate) fn prefixes(&self) -> usize {
        self.prefixes.len()
    }

    /// Takes the key that has its turn out of the table.
    fn take_next(&mut self) -> Option<(Name, BTreeSet<Holder>)> {
        let behind = (Bound::Excluded(&*self.hand), Bound::Unbounded);
        let next = self.table.range::<[u8], _>(behind).next().or_else(|| self.table.iter().next());
        let key = next.map(|(key, _)| key.clone())?;
        let holders = self.table.remove(&key)?;
        self.items -= holders.len();
        self.hand.clone_from(&key);
        Some((key, holders))
    }
}

impl Server {
    /// What a client tracks, if anything.
    pub(crate) fn tracking_of(&self, conn: ConnId) -> Option<&Tracking> {
        Some(&self.clients.get(conn)?.tracking.as_ref()?.tracking)
    }

    /// As [`vesta_cmd::Host::except_next_from_tracking`].
    pub(crate) fn except_next(&mut self, conn: ConnId) {
        let tracker = self.clients.get_mut(conn).and_then(|client| client.tracking.as_mut());
        if let Some(tracker) = tracker {
            tracker.tracking.caching = true;
        }
    }

    /// Has a client track, track otherwise, or no longer.
    pub(crate) fn set_tracking(
        &mut self,
        conn: ConnId,
        tracking: Option<Tracking>,
        store: &mut Store,
    ) {
        let to = tracking.as_ref().and_then(|tracking| tracking.redirect);
        let redirect = to.and_then(|id| self.clients.iter().find(|it| it.1.session.id == id));
        let redirect = redirect.map(|(conn, _)| conn);
        let Some(client) = self.clients.get_mut(conn) else { return };
        if client.tracking.is_none() && tracking.is_none() {
            return;
        }
        let new = tracking.map(|tracking| Box::new(Tracker { tracking, redirect }));
        let old = core::mem::replace(&mut client.tracking, new);
        let new = client.tracking.as_deref();
        let trackers = &mut self.trackers;
        for prefix in new.iter().flat_map(|new| &new.tracking.prefixes) {
            trackers.prefixes.entry(prefix.clone()).or_default().clients.insert(conn);
        }
        // What it goes on to be told of stays, with the keys that are still to be told.
        let stays = |prefix: &Name| new.is_some_and(|new| new.tracking.prefixes.contains(prefix));
        let left = old.iter().flat_map(|old| &old.tracking.prefixes).filter(|it| !stays(it));
        for prefix in left {
            if let Some(audience) = trackers.prefixes.get_mut(prefix) {
                audience.clients.remove(&conn);
                if audience.clients.is_empty() {
                    trackers.prefixes.remove(prefix);
                }
            }
        }
        trackers.clients += usize::from(new.is_some());
        trackers.clients -= usize::from(old.is_some());
        if trackers.clients == 0 {
            *trackers = Trackers::default();
        }
        store.follow_all(self.trackers.clients > 0);
    }

    /// A client has run a command: if it tracks, it keeps what it has read.
    pub(crate) fn note_read(&mut self, conn: ConnId, found: Found, request: Request<'_>) {
        let Some(client) = self.clients.get(conn) else { return };
        let flags = found.command.spec.flags;
        let wants = client.tracking.as_ref().is_some_and(|tracker| tracker.tracking.keeps_next());
        if !wants || !flags.has(Flags::READONLY) || flags.has(Flags::PUBSUB) {
            return;
        }
        let arg = |index| request.arg(index);
        let Ok(read) = positions(&found.command.spec, request.len(), arg) else { return };
        let holder = Holder { conn, id: client.session.id };
        for position in read {
            let key = request.arg(position.index);
            let holders = match self.trackers.table.get_mut(key) {
                Some(holders) => holders,
                None => self.trackers.table.entry(key.into()).or_default(),
            };
            self.trackers.items += usize::from(holders.insert(holder));
        }
        let limit = self.config.tracking_table_max_keys;
        while limit > 0 && self.trackers.keys() as u64 > limit {
            let Some((key, holders)) = self.trackers.take_next() else { return };
            self.tell_holders(&key, &holders, None);
        }
    }

    /// What CLIENT CACHING said is about one command, or one transaction.
    pub(crate) fn end_caching(&mut self, conn: ConnId, found: Option<Found>) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        let is_about_clients =
            found.is_some_and(|found| found.container.is_some_and(|it| it.spec.name == "client"));
        if let Some(tracker) = &mut client.tracking
            && client.transaction.is_none()
            && !is_about_clients
        {
            tracker.tracking.caching = false;
        }
    }

    /// Tells whoever keeps a key that `by` has modified it.
    fn invalidate(&mut self, modified: Modified, by: Option<ConnId>) {
        let by = by.filter(|_| !modified.by_store);
        let trackers = &mut self.trackers;
        if !trackers.prefixes.is_empty() {
            let id = by.and_then(|conn| self.clients.get(conn)).map_or(0, |it| it.session.id);
            for (prefix, audience) in &mut trackers.prefixes {
                if modified.key.starts_with(prefix) {
                    let who = audience.modified.entry(modified.key.clone()).or_insert(id);
                    *who = if *who == id { id } else { 0 };
                    trackers.has_modified = true;
                }
            }
        }
        if let Some(holders) = trackers.table.remove(&modified.key) {
            trackers.items -= holders.len();
            self.tell_holders(&modified.key, &holders, by);
        }
    }

    fn tell_holders(&mut self, key: &[u8], holders: &BTreeSet<Holder>, by: Option<ConnId>) {
        for holder in holders {
            let Some(client) = self.clients.get(holder.conn) else { continue };
            let Some(Tracker { tracking, .. }) = client.tracking.as_deref() else { continue };
            let is_own = by == Some(holder.conn) && tracking.no_loop;
            let is_told = !is_own && tracking.mode != TrackingMode::Broadcast;
            if client.session.id == holder.id && is_told {
                self.send_invalid(holder.conn, Some(&[key]));
            }
        }
    }

    /// Tells everybody who tracks that nothing they keep is valid.
    fn invalidate_all(&mut self) {
        self.trackers.table.clear();
        self.trackers.items = 0;
        let all = self.clients.iter().filter(|(_, client)| client.tracking.is_some());
        let all: Vec<ConnId> = all.map(|(conn, _)| conn).collect();
        for conn in all {
            self.send_invalid(conn, None);
        }
    }

    /// Tells those who broadcast what was modified below their prefixes.
    pub(crate) fn broadcast(&mut self) {
        self.trackers.has_modified = false;
        let mut told = Vec::new();
        for audience in self.trackers.prefixes.values_mut() {
            if !audience.modified.is_empty() {
                let modified = core::mem::take(&mut audience.modified);
                told.push((audience.clients.clone(), modified));
            }
        }
        for (clients, modified) in told {
            for conn in clients {
                let Some(client) = self.clients.get(conn) else { continue };
                let Some(Tracker { tracking, .. }) = client.tracking.as_deref() else { continue };
                let (id, no_loop) = (client.session.id, tracking.no_loop);
                let others = modified.iter().filter(|(_, by)| !(no_loop && **by == id));
                let keys: Vec<&[u8]> = others.map(|(key, _)| &**key).collect();
                if !keys.is_empty() {
                    self.send_invalid(conn, Some(&keys));
                }
            }
        }
    }

    /// Whether [`Server::broadcast`] has something to tell.
    #[inline]
    pub(crate) fn has_broadcasts(&self) -> bool {
        self.trackers.has_modified
    }

    /// Tells a client, or the one that it has this told to, that keys are no longer valid; `None`
    /// stands for all.
    fn send_invalid(&mut self, conn: ConnId, keys: Option<&[&[u8]]>) {
        let Some(client) = self.clients.get(conn) else { return };
        let Some(tracker) = &client.tracking else { return };
        let proto = client.session.proto;
        let Some(id) = tracker.tracking.redirect else {
            if proto == Proto::Three {
                self.mail(conn, &invalid(proto, keys));
            }
            return;
        };
        let place = tracker.redirect;
        let other = place.and_then(|place| Some((place, self.clients.get(place)?)));
        let other = other.filter(|(_, client)| client.session.id == id && !client.closing);
        let Some((place, other)) = other else { return self.note_broken(conn, id) };
        let proto = other.session.proto;
        if proto == Proto::Three || other.session.subscriptions > 0 {
            self.mail(place, &invalid(proto, keys));
        }
    }

    /// The client that another one has invalidations sent to is gone.
    fn note_broken(&mut self, conn: ConnId, id: u64) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        if let Some(tracker) = &mut client.tracking {
            tracker.tracking.is_broken = true;
        }
        if client.session.proto == Proto::Three {
            let mut outbox = Outbox::default();
            let mut reply = Reply::new(&mut outbox, Proto::Three);
            reply.push(2);
            reply.text("tracking-redir-broken");
            reply.int(i64::try_from(id).unwrap_or(i64::MAX));
            self.mail(conn, &outbox.into_bytes());
        }
    }
}

/// The message that keys are no longer valid, or none at all.
fn invalid(proto: Proto, keys: Option<&[&[u8]]>) -> Vec<u8> {
    let mut outbox = Outbox::default();
    let mut reply = Reply::new(&mut outbox, proto);
    match proto {
        Proto::Three => {
            reply.push(2);
            reply.text("invalidate");
        }
        Proto::Two => {
            reply.push(3);
            reply.text("message");
            reply.bulk(CHANNEL);
        }
    }
    match keys {
        Some(keys) => {
            reply.array(keys.len());
            keys.iter().for_each(|key| reply.bulk(key));
        }
        None => reply.null(),
    }
    outbox.into_bytes()
}

impl Node {
    /// Tells those who watch or keep keys which of them `by` has modified.
    pub(crate) fn hand_on_modified(&mut self, by: Option<ConnId>) {
        for modified in self.store.take_modified() {
            self.server.note_modified(&self.store, &modified);
            if self.server.trackers.clients() > 0 {
                self.server.invalidate(modified, by);
            }
        }
        if self.store.take_flood() {
            self.server.invalidate_all();
        }
    }
}
