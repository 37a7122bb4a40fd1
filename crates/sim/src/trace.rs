//! What happened: a digest over everything, and the last events for whoever looks for a fault.

use std::collections::VecDeque;
use std::fmt;

use vesta_node::Served;
use vesta_types::Now;

use crate::run::Scope;

/// Events kept for a report.
const RECENT_EVENTS: usize = 4000;
/// Bytes shown of a text in a report.
const SHOWN_BYTES: usize = 48;

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A client connected over a link.
    Connected { link: usize, conn: u32 },
    /// A client was refused.
    Refused { link: usize },
    /// The node was given bytes of a client.
    Fed { link: usize, bytes: usize },
    /// The node executed a request.
    Executed { link: usize, request: Vec<Vec<u8>>, reply: Vec<u8> },
    /// The wait of a client has ended with this reply.
    Woken { link: usize, reply: Vec<u8> },
    /// The node deleted a key by itself.
    Deleted { db: u32, key: Vec<u8> },
    /// A call of the node ended.
    Served { link: usize, outcome: Served },
    /// The node wished for something.
    Wished { action: String },
    /// The server closed a link.
    Closed { link: usize },
    /// The client of a link left.
    Left { link: usize, how: Leaving },
    /// The node was told what has become of files.
    Heard { news: String },
    /// The server ended.
    Ended { how: String },
    /// A server was started, and these files are there.
    Started { files: String },
    /// The data is there, up to this offset.
    Recovered { offset: u64 },
    /// One of several servers has done something, or something was done to it.
    Of { member: usize, what: String },
}

/// How a client lets go of its link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Leaving {
    /// Closes its side behind what it has sent.
    Orderly,
    /// The link breaks.
    Cut,
    /// The server has closed its side.
    AsTheServerDid,
    /// It has waited long enough.
    Impatient,
    /// It has all replies and wants nothing more.
    Content,
}

/// Counters with what they count, by the scope of the runs that must come there.
macro_rules! reached {
    ($($scope:ident { $($(#[doc = $doc:literal])+ $name:ident,)* })*) => {
        /// How often a run came to places that are easily missed.
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        pub struct Reached {
            $($($(#[doc = $doc])+ pub $name: u64,)*)*
        }

        impl Reached {
            /// All places by their names: the scope of the runs that must come there, and how often
            /// it was.
            #[must_use]
            pub fn places(&self) -> Vec<(Scope, &'static str, u64)> {
                vec![$($((Scope::$scope, stringify!($name), self.$name)),*),*]
            }

            /// Adds what another run has reached.
            pub fn add(&mut self, other: &Self) {
                $($(self.$name += other.$name;)*)*
            }
        }
    };
}

reached! {
    Memory {
        /// Keys deleted because their time had come.
        expired,
        /// Keys deleted because memory was short.
        evicted,
        /// Requests refused because memory was short.
        out_of_memory,
        /// Clients disconnected for not reading.
        too_slow,
        /// Clients disconnected by others.
        killed,
        /// Clients refused.
        refused,
        /// Breaches of the protocol.
        breaches,
        /// Calls that ended with requests held back.
        held_back,
        /// Calls that ended because others should have their turn.
        used_up,
        /// Parts of big arguments read straight into their place.
        read_directly,
        /// Walks that came to their end.
        walks,
        /// Clients that left in mid-request.
        left,
        /// Requests that waited for a key and got it.
        woken,
        /// Of those, how many were woken by another one.
        chained,
        /// Requests that waited in vain.
        timed_out,
        /// Clients that others have told to wait no longer.
        unblocked,
        /// Clients that were told that what they wait for cannot come.
        disappointed,
        /// Snapshots that held what was there when they began.
        snapshots,
    }
    Disk {
        /// Processes that crashed.
        process_crashes,
        /// Machines that crashed.
        machine_crashes,
        /// Servers that ended because they were asked to.
        orderly_ends,
        /// Servers that ended by themselves, as they could not keep what they promise.
        own_ends,
        /// Servers that came back with data.
        recoveries,
        /// Of those, how many came back with less than there had been.
        losses,
        /// Requests refused because the log could not be written.
        disk_refusals,
        /// Requests refused because the data was not there yet.
        too_early,
        /// Replies that waited for the log.
        held_by_the_log,
        /// Logs that were written anew.
        rewrites,
    }
    Fleet {
        /// Replicas that were given everything.
        full_copies,
        /// Replicas that went on where they had been.
        continuations,
        /// Of those, how many went on under another name of the history.
        renamed,
        /// Replicas of replicas that were given everything or went on.
        chained_links,
        /// Points of a history at which two servers were found to have the same data.
        same_points,
        /// Servers that ended without notice.
        crashes,
        /// Of those, how many came back without their files.
        empty_starts,
        /// Servers that were asked to end.
        stops,
        /// Servers that vanished without the other ends of their links being told.
        silent_ends,
        /// Times when a server stood still.
        pauses,
        /// Times when one server could not reach another.
        partitions,
        /// Clocks that were set.
        clock_jumps,
        /// Replicas that became primaries.
        promotions,
        /// Servers that were given another primary.
        moves,
        /// Writes that a replica refused.
        read_only,
        /// Writes that enough replicas had in time.
        waited_for,
        /// Transactions that were executed.
        transactions,
        /// Transactions that were not, because a watched key had changed.
        changed_meanwhile,
        /// Pairs of keys that are written in one go, found with one value.
        pairs,
    }
}

/// The record of one run.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) reached: Reached,
    digest: u64,
    events: u64,
    recent: VecDeque<(Now, Event)>,
}

impl Trace {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            reached: Reached::default(),
            digest: seed ^ 0xcbf2_9ce4_8422_2325,
            events: 0,
            recent: VecDeque::new(),
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Puts an event on record. Bytes that it only counts are hashed by [`Trace::bytes`].
    pub(crate) fn note(&mut self, now: Now, event: Event) {
        self.events += 1;
        match &event {
            Event::Refused { .. } => self.reached.refused += 1,
            Event::Served { outcome: Served::Waiting, .. } => self.reached.held_back += 1,
            Event::Served { outcome: Served::More, .. } => self.reached.used_up += 1,
            Event::Left { how: Leaving::Orderly | Leaving::Cut, .. } => self.reached.left += 1,
            Event::Connected { .. }
            | Event::Fed { .. }
            | Event::Executed { .. }
            | Event::Woken { .. }
            | Event::Deleted { .. }
            | Event::Served { .. }
            | Event::Wished { .. }
            | Event::Closed { .. }
            | Event::Left { .. }
            | Event::Heard { .. }
            | Event::Ended { .. }
            | Event::Started { .. }
            | Event::Recovered { .. }
            | Event::Of { .. } => {}
        }
        self.word(now.mono.0);
        self.word(now.unix.0);
        self.hash(&event);
        if self.recent.len() == RECENT_EVENTS {
            self.recent.pop_front();
        }
        self.recent.push_back((now, event));
    }

    fn hash(&mut self, event: &Event) {
        match event {
            Event::Connected { link, conn } => self.words([1, *link as u64, u64::from(*conn)]),
            Event::Refused { link } => self.words([2, *link as u64, 0]),
            Event::Fed { link, bytes } => self.words([3, *link as u64, *bytes as u64]),
            Event::Executed { link, request, reply } => {
                self.words([4, *link as u64, request.len() as u64]);
                request.iter().for_each(|word| self.bytes(word));
                self.bytes(reply);
            }
            Event::Deleted { db, key } => {
                self.words([5, u64::from(*db), 0]);
                self.bytes(key);
            }
            Event::Served { link, outcome } => {
                let outcome = match outcome {
                    Served::Idle => 0,
                    Served::More => 1,
                    Served::Waiting => 2,
                    Served::Close => 3,
                };
                self.words([6, *link as u64, outcome]);
            }
            Event::Wished { action } => {
                self.words([7, 0, 0]);
                self.bytes(action.as_bytes());
            }
            Event::Closed { link } => self.words([8, *link as u64, 0]),
            Event::Left { link, how } => self.words([9, *link as u64, *how as u64]),
            Event::Heard { news: text } | Event::Ended { how: text } => {
                self.words([11, 0, 0]);
                self.bytes(text.as_bytes());
            }
            Event::Started { files } => {
                self.words([12, 0, 0]);
                self.bytes(files.as_bytes());
            }
            Event::Recovered { offset } => self.words([13, *offset, 0]),
            Event::Of { member, what } => {
                self.words([14, *member as u64, 0]);
                self.bytes(what.as_bytes());
            }
            Event::Woken { link, reply } => {
                self.words([10, *link as u64, 0]);
                self.bytes(reply);
            }
        }
    }

    /// Hashes bytes that moved.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.word(u64::from_le_bytes(word));
        }
    }

    fn words(&mut self, words: [u64; 3]) {
        words.into_iter().for_each(|word| self.word(word));
    }

    /// FNV-1a over words, with a rotation so that high bits come down again.
    fn word(&mut self, word: u64) {
        self.digest = (self.digest ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
    }

    /// The last events as lines, the oldest first.
    pub(crate) fn recent(&self) -> Vec<String> {
        let line = |(now, event): &(Now, Event)| format!("{:>12} us  {event}", now.mono.0);
        self.recent.iter().map(line).collect()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { link, conn } => write!(f, "link {link}: connected as place {conn}"),
            Self::Refused { link } => write!(f, "link {link}: refused"),
            Self::Fed { link, bytes } => write!(f, "link {link}: {bytes} bytes arrived"),
            Self::Executed { link, request, reply } => {
                let words: Vec<String> = request.iter().map(|word| shown(word)).collect();
                write!(f, "link {link}: {} -> {}", words.join(" "), shown(reply))
            }
            Self::Woken { link, reply } => write!(f, "link {link}: waited -> {}", shown(reply)),
            Self::Deleted { db, key } => write!(f, "node: deleted {} of db {db}", shown(key)),
            Self::Served { link, outcome } => write!(f, "link {link}: served, {outcome:?}"),
            Self::Wished { action } => write!(f, "node: wishes {action}"),
            Self::Closed { link } => write!(f, "link {link}: closed by the server"),
            Self::Left { link, how } => write!(f, "link {link}: client left, {how:?}"),
            Self::Heard { news } => write!(f, "node: hears {news}"),
            Self::Ended { how } => write!(f, "server: ended, {how}"),
            Self::Started { files } => write!(f, "server: started with {files}"),
            Self::Recovered { offset } => write!(f, "server: has its data up to {offset}"),
            Self::Of { member, what } => write!(f, "server {member}: {what}"),
        }
    }
}

/// Bytes as text, cut short.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let head = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
    let dots = if head.len() < bytes.len() { "..." } else { "" };
    format!("{}{dots}", head.escape_ascii())
}
