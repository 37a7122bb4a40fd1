//! What is known of all servers, and what must be true of it.
//!
//! * Whoever is at the same offset of the same history has the same data, at any time: so what
//!   changes anything moves the offset, and keys go on a replica only because its primary says so.
//! * Offsets of a history never go back while a server lives, but with a full copy.
//! * A client that was told that so many replicas have what it wrote was told the truth.
//! * A full copy of nothing takes no keys away, if that is so configured.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use vesta_node::Standing;
use vesta_types::{ReplId, Rng};

use super::connection::Connection;
use super::member::{Data, Entry, Member};
use super::wiretap;
use crate::Flaw;
use crate::checker::Check;
use crate::trace::{Reached, Trace};

/// Of so many offsets, data is compared at one.
const COMPARED_OF: u64 = 10;
/// Of so many turns in which nothing has happened, it is compared in one.
const IDLE_COMPARED_OF: u64 = 200;
/// Data that is kept for reports.
const KEPT_MAX: usize = 400;

/// A place in a history.
type Place = (ReplId, u64);

/// Everything that is known.
#[derive(Debug)]
pub(super) struct Records {
    rng: Rng,
    flaw: Option<Flaw>,
    /// What the data was, as a digest, and who had it first.
    digests: BTreeMap<Place, (u64, usize)>,
    kept: VecDeque<(Place, Data)>,
    /// Which history a history goes on with, and behind how many bytes.
    ancestors: BTreeMap<ReplId, Place>,
    members: Vec<Known>,
}

/// What is known of a server.
#[derive(Debug, Default)]
struct Known {
    /// How far it has ever been in each history.
    reached: BTreeMap<ReplId, u64>,
    /// Where it was last seen, and how many keys it had.
    last: Option<(Place, usize)>,
    /// The offset of the data that it was told since that it will be given.
    copied: Option<u64>,
}

impl Records {
    pub(super) fn new(count: usize, rng: Rng, flaw: Option<Flaw>) -> Self {
        Self {
            rng,
            flaw,
            digests: BTreeMap::new(),
            kept: VecDeque::new(),
            ancestors: BTreeMap::new(),
            members: (0..count).map(|_| Known::default()).collect(),
        }
    }

    /// Looks at a server after its turn.
    pub(super) fn look(&mut self, member: &mut Member, trace: &mut Trace) -> Check {
        let Some(standing) = member.standing() else { return Ok(()) };
        let Standing { id, offset, former, .. } = standing;
        let number = member.number;
        let Some(known) = self.members.get_mut(number) else { return Ok(()) };
        // A primary that nobody follows any more begins a history that nobody else knows, with what
        // it has.
        let before = known.last.map(|(place, _)| place).filter(|_| known.copied.is_none());
        if let Some(ancestor) = former.or(before.filter(|place| place.0 != id)) {
            self.ancestors.entry(id).or_insert(ancestor);
        }
        let reached = known.reached.entry(id).or_default();
        *reached = offset.max(*reached);
        let is_new = known.last.is_none_or(|(place, _)| place != (id, offset));
        if is_new {
            let keys = member.keys();
            let refuses = member.node.config().replica_refuse_empty_primary;
            known.moved(number, (id, offset), former, keys, refuses)?;
        }
        let is_to_be_compared = if is_new {
            offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 < (1 << 32) / COMPARED_OF
        } else {
            self.rng.below(IDLE_COMPARED_OF) == 0
        };
        if is_to_be_compared {
            self.compare(member, (id, offset), &mut trace.reached)
        } else {
            Ok(())
        }
    }

    /// Compares the data of a server with what others had at the same place.
    pub(super) fn compare(
        &mut self,
        member: &mut Member,
        place: Place,
        reached: &mut Reached,
    ) -> Check {
        let data = member.data();
        let digest = digest_of(&data);
        let Some((known, who)) = self.digests.get(&place).copied() else {
            self.digests.insert(place, (digest, member.number));
            if self.kept.len() == KEPT_MAX {
                self.kept.pop_front();
            }
            self.kept.push_back((place, data));
            return Ok(());
        };
        reached.same_points += u64::from(who != member.number);
        if digest == known {
            return Ok(());
        }
        let other = self.kept.iter().find(|(at, _)| *at == place);
        let differences = other.map_or_else(String::new, |(_, other)| difference(other, &data));
        let (id, offset) = place;
        let number = member.number;
        Err(format!(
            "server {number} has other data than server {who} had at {offset} of {id}: \
             {differences}"
        ))
    }

    /// A server has ended: it may come back with less.
    pub(super) fn ended(&mut self, number: usize) {
        if self.flaw == Some(Flaw::StartsGoUnnoticed) {
            return;
        }
        if let Some(known) = self.members.get_mut(number) {
            known.last = None;
            known.copied = None;
        }
    }

    /// A server was told that it will be given everything there was at this offset.
    pub(super) fn copied(&mut self, number: usize, offset: u64) {
        if let Some(known) = self.members.get_mut(number) {
            known.copied = Some(offset);
        }
    }

    /// A client of a server was told that so many replicas have got to where it has written.
    pub(super) fn check_wait(&self, primary: usize, wrote: Place, told: u64) -> Check {
        let others = self.members.iter().enumerate().filter(|(number, _)| *number != primary);
        let have =
            |known: &Known| known.reached.iter().any(|(id, at)| self.holds((*id, *at), wrote));
        let count = others.filter(|(_, known)| have(known)).count() as u64;
        if told <= count {
            return Ok(());
        }
        let (id, offset) = wrote;
        Err(format!(
            "server {primary} says that {told} replicas have got to {offset} of {id}, and {count} \
             have"
        ))
    }

    /// Whether what is at a place includes what was at another one.
    fn holds(&self, mut place: Place, wrote: Place) -> bool {
        let (id, offset) = wrote;
        for _ in 0..=self.ancestors.len() {
            if place.0 == id {
                return place.1 >= offset;
            }
            let Some((ancestor, end)) = self.ancestors.get(&place.0) else { return false };
            place = (*ancestor, place.1.min(*end));
        }
        false
    }

    /// A fault on purpose: other bytes than those that are sent.
    pub(super) fn alter(
        &self,
        flaw: Flaw,
        rng: &mut Rng,
        connection: &Connection,
        piece: &[u8],
    ) -> Option<Vec<u8>> {
        let farthest = self.members.iter().flat_map(|known| known.reached.values()).max();
        wiretap::altered(flaw, rng, connection.end, piece, farthest.copied().unwrap_or(0))
    }
}

impl Known {
    /// The server is at another place, with so many keys.
    fn moved(
        &mut self,
        number: usize,
        place: Place,
        former: Option<Place>,
        keys: usize,
        refuses: bool,
    ) -> Check {
        let Some((last, keys_before)) = self.last.replace((place, keys)) else { return Ok(()) };
        // Who goes on with its own history under another name has not taken what it was offered.
        if last.0 != place.0 && former.is_some_and(|former| former.0 == last.0) {
            self.copied = None;
        }
        let copied = self.copied;
        let is_back = last.0 == place.0 && place.1 < last.1;
        if is_back && copied.is_none() {
            let ((id, before), (_, after)) = (last, place);
            return Err(format!("server {number} goes back from {before} to {after} of {id}"));
        }
        if (is_back || last.0 != place.0) && copied.is_some() {
            self.copied = None;
            // Behind the offset of the copy the stream may have deleted what there was.
            if copied == Some(place.1) && refuses && keys == 0 && keys_before > 0 {
                return Err(format!(
                    "server {number} has taken nothing for its {keys_before} keys"
                ));
            }
        }
        Ok(())
    }
}

/// The same for the same data, in this run and in the next.
fn digest_of(data: &Data) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}

/// Some of the keys that are not the same, for a report: each in the first data, and in the second.
fn difference(first: &Data, second: &Data) -> String {
    const SHOWN_MAX: usize = 5;
    let mut lines = Vec::new();
    for (db, (left, right)) in first.iter().zip(second).enumerate() {
        let show = |all: &[Entry], key: &[u8]| {
            let found = all.iter().find(|(other, _, _)| **other == *key);
            found.map_or("nothing".to_owned(), |(_, value, expiry)| {
                let value: String = value.chars().take(60).collect();
                format!("{value} until {expiry:?}")
            })
        };
        for (key, _, _) in left.iter().chain(right) {
            let (was, is) = (show(left, key), show(right, key));
            let line = format!("db {db} {}: {was}, now {is}", key.escape_ascii());
            if was != is && !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.truncate(SHOWN_MAX);
    lines.join("; ")
}
