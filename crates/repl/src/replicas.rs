//! What a primary knows of its replicas.
//!
//! ```text
//!   Waiting ------> Copying ------> Loading ------> Streaming
//!    for a          is sent the     has it all,     is sent what
//!    snapshot       snapshot        says nothing    it lacks
//!                                                       ^
//!   whoever may go on where it is ----------------------+
//! ```
//!
//! Whoever copies needs the stream behind the snapshot later: from that moment on its position
//! counts for what the backlog keeps.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_types::Mono;

/// For how many milliseconds behind the beginning of a link others of the same address, made
/// before, do not count. A process that has come back leaves links behind whose end nobody has told
/// us yet, and what it said on them may still be on its way. Two replicas behind one address both
/// go on saying how far they are, and count again after that.
const RETURN_MS: u64 = 2000;

/// The connection of a replica, by the number that its owner has given it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LinkId(pub u32);

/// What a replica tells of itself before it asks for anything (REPLCONF).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Introduction {
    /// The port it listens at; 0 when it did not say.
    pub port: i64,
    /// The address at which it is to be found; before it has joined, only if that is another than
    /// the one it comes from.
    pub ip: Option<String>,
    /// Whether it can tell the end of a snapshot by a mark, so that nobody needs to know the
    /// length before.
    pub knows_eof: bool,
    /// Whether it understands that a history goes on under another name.
    pub knows_psync2: bool,
    /// The version of its program.
    pub version: Option<String>,
    /// What it wants of a snapshot.
    pub wants: Wants,
    /// Whether it wants a snapshot and nothing behind it.
    pub snapshot_only: bool,
}

/// What of the data somebody wants in a snapshot (`rdb-filter-only`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wants {
    /// Keys.
    pub keys: bool,
    /// Libraries of functions.
    pub functions: bool,
}

impl Default for Wants {
    fn default() -> Self {
        Self { keys: true, functions: true }
    }
}

impl Wants {
    /// Whether that is everything.
    #[must_use]
    pub fn is_all(self) -> bool {
        self.keys && self.functions
    }
}

/// How far a replica is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// It waits for a snapshot to begin.
    Waiting {
        /// Since when.
        since: Mono,
    },
    /// A snapshot is made for it, or sent to it.
    Copying {
        /// Which snapshot.
        snapshot: u64,
        /// Where in the stream the snapshot was made.
        position: u64,
        /// When it last took anything; at first, when the snapshot began.
        moved_at: Mono,
    },
    /// All of the snapshot was sent, and it has not said yet that it has loaded it.
    Loading {
        /// Where in the stream the snapshot was made.
        position: u64,
        /// Since when.
        since: Mono,
    },
    /// It is sent the stream.
    Streaming {
        /// Up to where it was sent.
        position: u64,
    },
}

impl Stage {
    /// From where on it needs the stream.
    #[must_use]
    pub fn position(self) -> Option<u64> {
        match self {
            Self::Waiting { .. } => None,
            Self::Copying { position, .. }
            | Self::Loading { position, .. }
            | Self::Streaming { position } => Some(position),
        }
    }

    /// Whether it has the data, as far as we know.
    #[must_use]
    pub fn is_online(self) -> bool {
        match self {
            Self::Waiting { .. } | Self::Copying { .. } => false,
            Self::Loading { .. } | Self::Streaming { .. } => true,
        }
    }
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    /// What it has told of itself.
    pub introduction: Introduction,
    /// How far it is.
    pub stage: Stage,
    /// Up to where it has said that it has applied the stream.
    pub acked: u64,
    /// Up to where it has said that it has the stream on its disk; `None` when it says nothing of
    /// its disk.
    pub fsynced: Option<u64>,
    /// When it last said so; at first, when it was given the data.
    pub acked_at: Mono,
    /// When it asked for data.
    joined_at: Mono,
    /// Whether it does not know PSYNC: it never says how far it is.
    pub is_mute: bool,
    /// Since when more than the soft limit is lacking.
    pub behind_since: Option<Mono>,
    /// Counts up: who came first.
    order: u64,
}

impl Replica {
    /// How many bytes of a stream of `end` bytes it has not said that it has.
    #[must_use]
    pub fn lag_bytes(&self, end: u64) -> u64 {
        end.saturating_sub(self.acked)
    }

    /// For how many whole seconds it has said nothing; 0 before it has the data.
    #[must_use]
    pub fn lag_s(&self, now: Mono) -> u64 {
        if self.stage.is_online() { now.since_us(self.acked_at) / 1_000_000 } else { 0 }
    }

    /// From where on the stream must be kept for it.
    #[must_use]
    pub fn needs_from(&self) -> Option<u64> {
        if self.introduction.snapshot_only { None } else { self.stage.position() }
    }

    /// Since when nothing has been heard of it that should have been.
    fn silent_since(&self) -> Option<Mono> {
        match self.stage {
            Stage::Waiting { .. } => None,
            Stage::Copying { moved_at, .. } => Some(moved_at),
            Stage::Loading { since, .. } => Some(since.max(self.acked_at)),
            Stage::Streaming { .. } => (!self.is_mute).then_some(self.acked_at),
        }
    }
}

/// Why a replica is given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Silence {
    /// It takes nothing of the snapshot.
    Copying,
    /// It does not say how far it is.
    Streaming,
}

/// All replicas.
#[derive(Debug, Default)]
pub struct Replicas {
    replicas: BTreeMap<LinkId, Replica>,
    last_order: u64,
}

impl Replicas {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replicas.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, link: LinkId) -> Option<&Replica> {
        self.replicas.get(&link)
    }

    /// One of them, to be changed.
    pub fn get_mut(&mut self, link: LinkId) -> Option<&mut Replica> {
        self.replicas.get_mut(&link)
    }

    /// All, by connection.
    pub fn iter(&self) -> impl Iterator<Item = (LinkId, &Replica)> {
        self.replicas.iter().map(|(link, replica)| (*link, replica))
    }

    /// All, by connection, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (LinkId, &mut Replica)> {
        self.replicas.iter_mut().map(|(link, replica)| (*link, replica))
    }

    /// All, in the order in which they came.
    #[must_use]
    pub fn in_order(&self) -> Vec<(LinkId, &Replica)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by_key(|(_, replica)| replica.order);
        all
    }

    /// Whether one of them waits for a snapshot.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        self.replicas.values().any(|replica| matches!(replica.stage, Stage::Waiting { .. }))
    }

    /// Somebody has asked for data and is in this stage from now on.
    pub fn join(&mut self, link: LinkId, introduction: Introduction, stage: Stage, now: Mono) {
        self.last_order += 1;
        // Whoever goes on somewhere has told how far it is.
        let acked = match stage {
            Stage::Streaming { position } => position,
            Stage::Waiting { .. } | Stage::Copying { .. } | Stage::Loading { .. } => 0,
        };
        let replica = Replica {
            introduction,
            stage,
            acked,
            fsynced: None,
            acked_at: now,
            joined_at: now,
            is_mute: false,
            behind_since: None,
            order: self.last_order,
        };
        self.replicas.insert(link, replica);
    }

    /// It is gone.
    pub fn leave(&mut self, link: LinkId) -> Option<Replica> {
        self.replicas.remove(&link)
    }

    /// It says how far it is: applied and, if it tells, on its disk. Whether it has to be sent the
    /// stream from now on.
    pub fn acknowledge(
        &mut self,
        link: LinkId,
        applied: u64,
        fsynced: Option<u64>,
        now: Mono,
    ) -> bool {
        let Some(replica) = self.replicas.get_mut(&link) else { return false };
        replica.acked = replica.acked.max(applied);
        replica.fsynced = replica.fsynced.max(fsynced);
        replica.acked_at = now;
        let Stage::Loading { position, .. } = replica.stage else { return false };
        replica.stage = Stage::Streaming { position };
        true
    }

    /// From where on the stream must be kept for them.
    #[must_use]
    pub fn needed_from(&self) -> Option<u64> {
        self.replicas.values().filter_map(Replica::needs_from).min()
    }

    /// Up to where all of them that have the data have applied the stream.
    #[must_use]
    pub fn acked_by_all(&self) -> Option<u64> {
        let online = self.replicas.values().filter(|replica| replica.stage.is_online());
        online.map(|replica| replica.acked).min()
    }

    /// How many have applied the stream up to this position.
    #[must_use]
    pub fn acked(&self, position: u64) -> u64 {
        self.count(|replica| replica.acked >= position)
    }

    /// How many have it on their disks up to this position.
    #[must_use]
    pub fn fsynced(&self, position: u64) -> u64 {
        self.count(|replica| replica.fsynced.is_some_and(|fsynced| fsynced >= position))
    }

    /// How many have the data and have said so within the last `lag_s_max` seconds.
    #[must_use]
    pub fn good(&self, now: Mono, lag_s_max: u64) -> u64 {
        self.count(|replica| replica.lag_s(now) <= lag_s_max)
    }

    /// How many of those that have the data are so.
    fn count(&self, is_so: impl Fn(&Replica) -> bool) -> u64 {
        let online = self.replicas.values().filter(|replica| replica.stage.is_online());
        online.filter(|replica| is_so(replica) && !self.has_come_back(replica)).count() as u64
    }

    /// Whether this seems to be what a replica has left behind that has another link by now.
    fn has_come_back(&self, replica: &Replica) -> bool {
        let is_at_home = |other: &Replica| {
            let (told, others) = (&replica.introduction, &other.introduction);
            told.port != 0 && (told.port, &told.ip) == (others.port, &others.ip)
        };
        self.replicas.values().any(|other| {
            other.order > replica.order
                && replica.acked_at <= other.joined_at.plus_ms(RETURN_MS)
                && is_at_home(other)
        })
    }

    /// Those that have been silent for longer than `timeout_ms`, and in what.
    pub fn silent(&self, now: Mono, timeout_ms: u64) -> impl Iterator<Item = (LinkId, Silence)> {
        self.iter().filter_map(move |(link, replica)| {
            let since = replica.silent_since()?;
            let how = match replica.stage {
                Stage::Waiting { .. } | Stage::Copying { .. } => Silence::Copying,
                Stage::Loading { .. } | Stage::Streaming { .. } => Silence::Streaming,
            };
            (now > since.plus_ms(timeout_ms)).then_some((link, how))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const A: LinkId = LinkId(1);
    const B: LinkId = LinkId(2);
    const C: LinkId = LinkId(3);

    fn s(s: u64) -> Mono {
        Mono(s * 1_000_000)
    }

    fn three() -> Replicas {
        let mut replicas = Replicas::default();
        replicas.join(C, Introduction::default(), Stage::Waiting { since: s(1) }, s(1));
        let copying = Stage::Copying { snapshot: 1, position: 500, moved_at: s(1) };
        replicas.join(B, Introduction::default(), copying, s(1));
        replicas.join(A, Introduction::default(), Stage::Streaming { position: 700 }, s(1));
        replicas
    }

    #[test]
    fn the_stream_is_kept_for_the_slowest_that_will_need_it() {
        let mut replicas = three();
        assert_eq!(replicas.needed_from(), Some(500));
        replicas.get_mut(B).unwrap().introduction.snapshot_only = true;
        assert_eq!(replicas.needed_from(), Some(700));
        replicas.leave(A);
        assert_eq!(replicas.needed_from(), None);
    }

    #[test]
    fn replicas_are_told_in_the_order_in_which_they_came() {
        let order: Vec<_> = three().in_order().iter().map(|(link, _)| *link).collect();
        assert_eq!(order, vec![C, B, A]);
    }

    #[test]
    fn the_first_word_of_a_replica_that_loads_starts_its_stream() {
        let mut replicas = three();
        let loading = Stage::Loading { position: 500, since: s(2) };
        replicas.get_mut(B).unwrap().stage = loading;
        assert!(!replicas.acknowledge(A, 700, None, s(3)));
        assert!(replicas.acknowledge(B, 0, None, s(3)));
        assert_eq!(replicas.get(B).unwrap().stage, Stage::Streaming { position: 500 });
        assert!(!replicas.acknowledge(B, 510, None, s(4)), "it is sent the stream already");
        assert!(!replicas.acknowledge(LinkId(9), 1, None, s(4)));
    }

    #[test]
    fn acknowledgements_never_go_back() {
        let mut replicas = three();
        assert_eq!(replicas.fsynced(0), 0, "nothing is known of its disk");
        replicas.acknowledge(A, 900, Some(800), s(2));
        replicas.acknowledge(A, 800, Some(700), s(3));
        let replica = replicas.get(A).unwrap();
        assert_eq!((replica.acked, replica.fsynced, replica.acked_at), (900, Some(800), s(3)));
        assert_eq!(replica.lag_bytes(1000), 100);
        assert_eq!((replicas.acked(900), replicas.acked(901)), (1, 0));
        assert_eq!((replicas.fsynced(800), replicas.fsynced(801)), (1, 0));
        assert_eq!(replicas.acked_by_all(), Some(900));
    }

    #[test]
    fn only_replicas_that_have_the_data_and_speak_are_good() {
        let mut replicas = three();
        assert_eq!(replicas.good(s(11), 10), 1);
        assert_eq!(replicas.good(s(12), 10), 0);
        replicas.acknowledge(A, 0, None, s(12));
        assert_eq!(replicas.good(s(12), 10), 1);
    }

    #[test]
    fn a_replica_that_comes_back_counts_once() {
        let mut replicas = Replicas::default();
        let told = Introduction { port: 6379, ip: Some("10.0.0.5".into()), ..Default::default() };
        replicas.join(A, told.clone(), Stage::Streaming { position: 100 }, s(1));
        replicas.acknowledge(A, 500, Some(500), s(9));
        replicas.join(B, told, Stage::Streaming { position: 600 }, s(10));
        assert_eq!(
            (replicas.acked(500), replicas.fsynced(500), replicas.good(s(10), 60)),
            (1, 0, 1)
        );
        replicas.acknowledge(A, 550, None, s(11));
        assert_eq!(replicas.acked(500), 1, "that was under way");
        replicas.acknowledge(A, 600, None, s(13));
        assert_eq!(replicas.acked(500), 2, "there are two behind one address");
        let unknown = Introduction { ip: Some("10.0.0.5".into()), ..Default::default() };
        replicas.join(A, unknown.clone(), Stage::Streaming { position: 600 }, s(20));
        replicas.join(B, unknown, Stage::Streaming { position: 600 }, s(20));
        assert_eq!(replicas.acked(500), 2, "nobody can tell");
    }

    #[test]
    fn who_keeps_silent_is_found_but_not_who_is_made_to_wait() {
        let mut replicas = three();
        let silent = |replicas: &Replicas, at| replicas.silent(at, 60_000).collect::<Vec<_>>();
        assert_eq!(silent(&replicas, s(61)), vec![]);
        let both = vec![(A, Silence::Streaming), (B, Silence::Copying)];
        assert_eq!(silent(&replicas, s(62)), both);
        replicas.acknowledge(A, 0, None, s(62));
        replicas.get_mut(B).unwrap().stage = Stage::Loading { position: 500, since: s(62) };
        assert_eq!(silent(&replicas, s(63)), vec![]);
        replicas.get_mut(A).unwrap().is_mute = true;
        assert_eq!(silent(&replicas, s(623)), vec![(B, Silence::Streaming)]);
    }
}
