//! What a command about clients or the server may ask of the node that runs it.

mod tracking;

pub use tracking::{Tracking, TrackingMode};

use crate::{Flow, Propagation, ReplyError, StreamPoint};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use vesta_config::{Config, ReplicaOf, ShutdownWish};
use vesta_resp::{Proto, Reply};
use vesta_store::{Keyspace, Store};
use vesta_types::{DbIndex, Mono, ReplId};

/// The part of a client's state that its own commands read and change.
#[derive(Debug)]
pub struct Session {
    /// Ever-growing number of the client (CLIENT ID).
    pub id: u64,
    /// The database it has selected.
    pub db: DbIndex,
    /// The version of the protocol it speaks.
    pub proto: Proto,
    /// Whether it may do more than authenticate.
    pub authenticated: bool,
    /// Name given with CLIENT SETNAME; empty when none was.
    pub name: Box<[u8]>,
    /// Name of its library (CLIENT SETINFO lib-name).
    pub lib_name: Box<[u8]>,
    /// Version of its library (CLIENT SETINFO lib-ver).
    pub lib_version: Box<[u8]>,
    /// Which replies it wants (CLIENT REPLY).
    pub replies: Replies,
    /// Exempt from client eviction (CLIENT NO-EVICT).
    pub no_evict: bool,
    /// Its reads leave access clocks alone (CLIENT NO-TOUCH).
    pub no_touch: bool,
    /// Whether it is on this machine (loopback or unix socket).
    pub is_local: bool,
    /// Channels, patterns and shard channels it has subscribed to.
    pub subscriptions: usize,
}

impl Session {
    /// That of a client that has said nothing yet, by its number; `authenticated`: whether it may
    /// do more than authenticate, `is_local`: whether it is on this machine.
    #[must_use]
    pub fn new(id: u64, authenticated: bool, is_local: bool) -> Self {
        Self {
            id,
            db: DbIndex::ZERO,
            proto: Proto::Two,
            authenticated,
            name: [].into(),
            lib_name: [].into(),
            lib_version: [].into(),
            replies: Replies::On,
            no_evict: false,
            no_touch: false,
            is_local,
            subscriptions: 0,
        }
    }
}

/// Which replies a client wants.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Replies {
    /// All.
    #[default]
    On,
    /// None until CLIENT REPLY ON.
    Off,
    /// All but the next.
    SkipNext,
    /// All but that of the request at hand.
    SkipThis,
}

/// Kinds of clients, as CLIENT LIST TYPE and the output limits tell them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientKind {
    /// An ordinary client.
    Normal,
    /// The link to our primary.
    Master,
    /// A replica of ours.
    Replica,
    /// A client subscribed to channels.
    Pubsub,
}

impl ClientKind {
    /// The kind called `name`, in any case.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [
            ("normal", Self::Normal),
            ("master", Self::Master),
            ("replica", Self::Replica),
            ("slave", Self::Replica),
            ("pubsub", Self::Pubsub),
        ]
        .into_iter()
        .find(|(known, _)| vesta_types::ascii::is_word(name, known))
        .map(|(_, kind)| kind)
    }
}

/// A client as CLIENT LIST shows it. `Display` is its line, without the line end.
///
/// Redis tells a fixed reply buffer (`rbs`, `rbp`, `obl`) from a list of further ones (`oll`,
/// `omem`). Here a client has at most one buffer, and only while replies wait to be sent: it is
/// shown as a list of one.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// Number of the client.
    pub id: u64,
    /// Its address.
    pub addr: String,
    /// Our address it is connected to.
    pub laddr: String,
    /// File descriptor, or -1.
    pub fd: i32,
    /// Its name.
    pub name: String,
    /// Seconds since it connected.
    pub age_s: u64,
    /// Seconds since its last command.
    pub idle_s: u64,
    /// One letter per property; `N` when it has none.
    pub flags: String,
    /// The database it has selected.
    pub db: DbIndex,
    /// Channels it has subscribed to.
    pub channels: usize,
    /// Patterns it has subscribed to.
    pub patterns: usize,
    /// Shard channels it has subscribed to.
    pub shard_channels: usize,
    /// Requests of a transaction that are queued; `None` when it is in none.
    pub queued: Option<usize>,
    /// Memory held for them, in bytes.
    pub queued_bytes: usize,
    /// Bytes of requests not yet executed.
    pub query_bytes: usize,
    /// Memory held for them beyond that.
    pub query_free_bytes: usize,
    /// Bytes of the arguments of the request at hand.
    pub argument_bytes: usize,
    /// Bytes of replies not yet sent.
    pub pending_bytes: usize,
    /// All memory of the client.
    pub total_bytes: usize,
    /// Whether it waits for its replies to be taken.
    pub is_writing: bool,
    /// Full name of its last command, or `NULL`.
    pub last_command: String,
    /// User it acts as.
    pub user: &'static str,
    /// Number of the client that is told of modified keys in its place; 0 when none is, -1 when
    /// it does not track.
    pub redirect: i64,
    /// Version of the protocol.
    pub proto: Proto,
    /// Name of its library.
    pub lib_name: String,
    /// Version of its library.
    pub lib_version: String,
    /// What it is.
    pub kind: ClientKind,
}

impl fmt::Display for ClientFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} \
             ssub={} multi={} qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs=0 rbp=0 obl=0 \
             oll={} omem={} tot-mem={} events={} cmd={} user={} redir={} resp={} lib-name={} \
             lib-ver={}",
            self.id,
            self.addr,
            self.laddr,
            self.fd,
            self.name,
            self.age_s,
            self.idle_s,
            self.flags,
            self.db.get(),
            self.channels,
            self.patterns,
            self.shard_channels,
            Queued(self.queued),
            self.query_bytes,
            self.query_free_bytes,
            self.argument_bytes,
            self.queued_bytes,
            u8::from(self.pending_bytes > 0),
            self.pending_bytes,
            self.total_bytes,
            if self.is_writing { "rw" } else { "r" },
            self.last_command,
            self.user,
            self.redirect,
            self.proto.number(),
            self.lib_name,
            self.lib_version,
        )
    }
}

/// A number of queued requests as CLIENT LIST shows it: -1 for a client in no transaction.
struct Queued(Option<usize>);

impl fmt::Display for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(count) => write!(f, "{count}"),
            None => f.write_str("-1"),
        }
    }
}

/// Which clients CLIENT LIST and CLIENT KILL mean; all conditions that are set must hold.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    /// One of these numbers.
    pub ids: Option<Vec<u64>>,
    /// Of this kind.
    pub kind: Option<ClientKind>,
    /// From this address.
    pub addr: Option<String>,
    /// Connected to this address of ours.
    pub laddr: Option<String>,
    /// Acting as this user.
    pub user: Option<String>,
    /// Connected for at least so many seconds (CLIENT KILL MAXAGE).
    pub min_age_s: Option<u64>,
}

impl ClientFilter {
    /// Whether `client` is meant.
    #[must_use]
    pub fn accepts(&self, client: &ClientFacts) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && self.kind.is_none_or(|kind| kind == client.kind)
            && self.addr.as_ref().is_none_or(|addr| *addr == client.addr)
            && self.laddr.as_ref().is_none_or(|laddr| *laddr == client.laddr)
            && self.user.as_ref().is_none_or(|user| user == client.user)
            && self.min_age_s.is_none_or(|age| client.age_s >= age)
    }
}

/// What a client subscribes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Topic {
    /// A channel.
    Channel,
    /// All channels whose names match a pattern.
    Pattern,
    /// A shard channel: one that belongs to a slot of a cluster, as a key does. Its messages stay
    /// in its shard, and patterns do not match it.
    Shard,
}

impl Topic {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::Shard];
}

/// How DEBUG RELOAD goes about it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reload {
    /// The file that is there is loaded as it is.
    pub nosave: bool,
    /// What is there stays.
    pub noflush: bool,
    /// A key in the file may be there already, and is replaced.
    pub merge: bool,
}

/// When something begins that goes on in the background.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begun {
    /// It has begun.
    Now,
    /// It begins once something else is over.
    Later,
}

/// How CLIENT UNBLOCK ends a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unblock {
    /// As if its time had run out.
    Timeout,
    /// With an error.
    Error,
}

/// How safe the last write of a client is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Safety {
    /// Whether it is on the disk here.
    pub here: bool,
    /// On the disks of how many replicas it is.
    pub replicas: u64,
    /// How many replicas have applied it.
    pub applied: u64,
}

impl Safety {
    /// Whether that is enough for whoever wants it `wanted` safe.
    #[must_use]
    pub fn suffices(self, wanted: Self) -> bool {
        self.here >= wanted.here
            && self.replicas >= wanted.replicas
            && self.applied >= wanted.applied
    }

    /// Replies with how many servers have it: here 0 or 1, and replicas.
    pub fn reply(self, reply: &mut Reply<'_>) {
        reply.array(2);
        reply.int(i64::from(self.here));
        reply.int(i64::try_from(self.replicas).unwrap_or(i64::MAX));
    }
}

/// What a replica asks for.
#[derive(Clone, Copy, Debug)]
pub enum Follow<'a> {
    /// A snapshot and the stream behind it (SYNC).
    Sync,
    /// The stream from where it is on, or else a snapshot (PSYNC).
    Psync {
        /// The history that it knows, as it said.
        id: &'a [u8],
        /// The number of the first byte that it lacks.
        offset: i64,
        /// Whether the server that is asked is to be a primary first.
        takes_over: bool,
    },
}

/// What a replica tells of itself (REPLCONF).
#[derive(Clone, Copy, Debug)]
pub enum Introduce<'a> {
    /// The port it listens at.
    Port(i64),
    /// The address at which it is to be found.
    Ip(&'a [u8]),
    /// Something that it understands.
    Capability(&'a [u8]),
    /// The version of its program.
    Version(&'a [u8]),
    /// Whether it wants a snapshot and nothing behind it.
    SnapshotOnly(bool),
    /// It wants no keys, and functions only if this says so.
    Only {
        /// Whether it wants functions.
        functions: bool,
    },
}

/// What a server is in replication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Role {
    /// It has no primary.
    Primary {
        /// Of each replica that has the data: its address, its port, and the offset in bytes that
        /// it has acknowledged.
        replicas: Vec<(String, i64, u64)>,
    },
    /// It follows a primary.
    Replica {
        /// The primary's address or name.
        host: String,
        /// The primary's port.
        port: u16,
        /// The state of the link, in the word of Redis.
        state: &'static str,
        /// Whether the stream comes.
        is_linked: bool,
    },
}

/// How the part of the primary is to be handed over (FAILOVER).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Failover {
    /// To whom: address and port. `None`: to the first that has everything.
    pub target: Option<(String, i64)>,
    /// After so many milliseconds it is called off, or goes on by force.
    pub timeout_ms: Option<u64>,
    /// Whether it goes on by force.
    pub force: bool,
}

/// Which commands CLIENT PAUSE holds back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pause {
    /// Those that may change the data set.
    Writes,
    /// All.
    All,
}

/// What the process that holds a node tells about itself; it does not change.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Kernel and machine, `Linux 6.1.0 x86_64`.
    pub os: String,
    /// Width of a pointer in bits.
    pub arch_bits: u32,
    /// How events are awaited (`epoll`).
    pub multiplexing: String,
    /// Path of the program.
    pub executable: String,
    /// Absolute path of the configuration file; empty when there is none.
    pub config_file: String,
    /// Allocator with its version (`mimalloc-2.2.4`).
    pub allocator: String,
    /// Memory of the machine in bytes.
    pub system_memory_bytes: u64,
    /// Version of the compiler, in the place of `gcc_version`.
    pub compiler: String,
}

/// What the process uses, as last measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Bytes the allocator has handed out.
    pub allocated_bytes: u64,
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Processor time of the process in the kernel, in microseconds.
    pub cpu_system_us: u64,
    /// Processor time of the process outside the kernel, in microseconds.
    pub cpu_user_us: u64,
    /// The same two of ended children, in microseconds.
    pub cpu_system_children_us: u64,
    /// See `cpu_system_children_us`.
    pub cpu_user_children_us: u64,
    /// The same two of the thread that executes commands, in microseconds.
    pub cpu_system_main_us: u64,
    /// See `cpu_system_main_us`.
    pub cpu_user_main_us: u64,
}

/// Memory figures for MEMORY STATS and MEMORY DOCTOR, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryFacts {
    /// Handed out by the allocator now.
    pub used: u64,
    /// The most that was ever handed out.
    pub peak: u64,
    /// Handed out before the first client came.
    pub startup: u64,
    /// Resident.
    pub resident: u64,
    /// Buffers of all clients.
    pub clients: u64,
}

/// The node, as commands about clients and the server see it.
pub trait Host {
    /// The client that asks.
    fn session(&mut self) -> &mut Session;

    /// The settings.
    fn config(&self) -> &Config;

    /// Sets several options, all or none. The rim may have to act first: then the client waits.
    ///
    /// # Errors
    /// The text of the first refusal; nothing has changed.
    fn config_set(&mut self, pairs: &[(&[u8], &[u8])]) -> Outcome;

    /// Writes the settings to the file the server was started with; the client waits.
    ///
    /// # Errors
    /// When there is no such file.
    fn config_rewrite(&mut self) -> Outcome;

    /// Counts from zero again (CONFIG RESETSTAT), but for what `store` counts.
    fn reset_stats(&mut self);

    /// The text of INFO for the sections named, in any case; none named: the default ones.
    /// `point` is where the stream of effects stands.
    fn info(&self, sections: &[&[u8]], store: &Store, point: StreamPoint) -> String;

    /// The client that asks, as CLIENT LIST shows it.
    fn client(&self) -> ClientFacts;

    /// All clients, in order of their numbers, but for those that are being disconnected.
    fn clients(&self) -> Vec<ClientFacts>;

    /// Disconnects the clients that `filter` accepts, the asking one only if `self_too`; how many.
    fn kill_clients(&mut self, filter: &ClientFilter, self_too: bool) -> usize;

    /// Holds commands back until `until`. A longer or stricter pause stays in force.
    fn pause(&mut self, pause: Pause, until: Mono);

    /// Ends a pause.
    fn unpause(&mut self);

    /// How safe the last write of the asking client is.
    fn safety(&self) -> Safety;

    /// The asking client is a replica from now on, and gets what it asks for, in its time.
    ///
    /// # Errors
    /// When it cannot be served.
    fn follow(
        &mut self,
        asked: Follow<'_>,
        store: &mut Store,
        propagation: &mut Propagation,
    ) -> Outcome;

    /// The asking client tells what it would be as a replica.
    ///
    /// # Errors
    /// When that makes no sense.
    fn introduce(&mut self, what: Introduce<'_>) -> Result<(), ReplyError>;

    /// The asking client, if it is a replica, has applied the stream up to this offset, and has it
    /// on its disk up to that one, if it tells.
    fn acknowledged(&mut self, applied: u64, fsynced: Option<u64>);

    /// The asking client, if it is our primary, wants to be told how far we are.
    fn report_acknowledged(&mut self);

    /// Has the replicas asked how far they are, once the turn is over.
    fn ask_replicas(&mut self);

    /// What the server is in replication.
    fn role(&self) -> Role;

    /// Has the server follow this primary from now on, or none; whether that is something new.
    ///
    /// # Errors
    /// When something speaks against it.
    fn set_primary(&mut self, primary: Option<ReplicaOf>) -> Result<bool, ReplyError>;

    /// Begins to hand the part of the primary over.
    ///
    /// # Errors
    /// When something speaks against it.
    fn fail_over(&mut self, wish: Failover) -> Result<(), ReplyError>;

    /// Calls [`Host::fail_over`] off.
    ///
    /// # Errors
    /// When there is nothing to be called off.
    fn abort_failover(&mut self) -> Result<(), ReplyError>;

    /// Ends the wait of client `id` in a blocking command; whether it was in one.
    fn unblock(&mut self, id: u64, how: Unblock) -> bool;

    /// What the asking client sends is queued from here on (MULTI).
    ///
    /// # Errors
    /// When it is already.
    fn begin_transaction(&mut self) -> Result<(), ReplyError>;

    /// Whether what the asking client has queued is to be executed: no key that it watched was
    /// modified, or has expired. From here on it watches none; what is not to be executed is
    /// forgotten.
    ///
    /// # Errors
    /// When nothing is queued, or something was refused.
    fn may_execute(&mut self, keys: &mut Keyspace<'_>) -> Result<bool, ReplyError>;

    /// Forgets what the asking client has queued; whether it was queueing.
    fn forget_transaction(&mut self) -> bool;

    /// Has the asking client's next transaction depend on a key of this database.
    ///
    /// # Errors
    /// In a transaction.
    fn watch(&mut self, keys: &mut Keyspace<'_>, key: &[u8]) -> Result<(), ReplyError>;

    /// The asking client watches no key any more.
    fn unwatch(&mut self, store: &mut Store);

    /// What the client tracks, if it does.
    fn tracking(&self) -> Option<&Tracking>;

    /// Has the client track, track otherwise, or no longer.
    fn set_tracking(&mut self, tracking: Option<Tracking>, store: &mut Store);

    /// CLIENT CACHING makes an exception for the next command.
    fn except_next_from_tracking(&mut self);

    /// Whether there is a client of this number.
    fn is_connected(&self, id: u64) -> bool;

    /// Has the asking client get what is published on a topic.
    fn subscribe(&mut self, topic: Topic, name: &[u8]);

    /// Takes a subscription of the asking client back.
    fn unsubscribe(&mut self, topic: Topic, name: &[u8]);

    /// Takes all subscriptions of the asking client back.
    fn unsubscribe_all(&mut self);

    /// What the asking client has subscribed to, in the order of names.
    fn subscribed(&self, topic: Topic) -> Vec<Box<[u8]>>;

    /// How many subscriptions the asking client has, as confirmations count them: channels and
    /// patterns together, shard channels by themselves.
    fn subscription_count(&self, topic: Topic) -> usize;

    /// Sends a message to whoever has subscribed to its channel, by name or, unless it is a shard
    /// channel, by a pattern; how many times it is sent.
    fn publish(&mut self, topic: Topic, channel: &[u8], message: &[u8]) -> usize;

    /// What of this kind somebody has subscribed to by name, in the order of names; only what
    /// matches `pattern`, if one is given.
    fn topics(&self, topic: Topic, pattern: Option<&[u8]>) -> Vec<Box<[u8]>>;

    /// How many clients have subscribed to a channel by its name.
    fn subscribers(&self, topic: Topic, channel: &[u8]) -> usize;

    /// How many patterns somebody has subscribed to.
    fn patterns(&self) -> usize;

    /// Whether there is a user called `name`.
    fn has_user(&self, name: &[u8]) -> bool;

    /// Whether `password` lets `user` in; a failure is counted.
    fn authenticate(&mut self, user: &[u8], password: &[u8]) -> bool;

    /// Whether new clients must authenticate.
    fn needs_password(&self) -> bool;

    /// Saves all of `store` to the disk; the client waits. `point` is where the stream of
    /// effects stands, here and below.
    ///
    /// # Errors
    /// When a save is under way already.
    fn save(&mut self, store: &mut Store, point: StreamPoint) -> Outcome;

    /// Begins to save all of `store` to the disk; behind a rewrite of the log if `schedule` says
    /// that it may wait.
    ///
    /// # Errors
    /// When a save is under way already, or a rewrite.
    fn save_in_background(
        &mut self,
        store: &mut Store,
        point: StreamPoint,
        schedule: bool,
    ) -> Result<Begun, ReplyError>;

    /// Begins to rewrite the log, and has the client wait for that ([`Flow::Wait`]), or has it
    /// begin later ([`Flow::Done`]).
    ///
    /// # Errors
    /// When a rewrite is under way already.
    fn rewrite_log(&mut self) -> Outcome;

    /// When the data was last saved, in seconds since 1970.
    fn last_save_s(&self) -> u64;

    /// Saves the data and loads it again (DEBUG RELOAD); the client waits, and so do all others.
    ///
    /// # Errors
    /// While the data is being loaded already.
    fn reload(&mut self, how: Reload, store: &mut Store, point: StreamPoint) -> Outcome;

    /// Forgets all data and loads the log (DEBUG LOADAOF); the client waits, and so do all others.
    ///
    /// # Errors
    /// While the data is being loaded already.
    fn reload_log(&mut self) -> Outcome;

    /// Ends the server, once the data is saved if that is wished for. The asking client waits and
    /// gets a reply only if it cannot be done.
    ///
    /// # Errors
    /// When something speaks against it.
    fn shutdown(&mut self, wish: ShutdownWish, store: &mut Store, point: StreamPoint) -> Outcome;

    /// Takes [`Host::shutdown`] back while the data is being saved; whether it was.
    fn abort_shutdown(&mut self, store: &mut Store) -> bool;

    /// Memory figures.
    fn memory(&self) -> MemoryFacts;

    /// Gives free memory back to the system.
    fn purge_memory(&mut self);

    /// Switches active expiry off or on (DEBUG SET-ACTIVE-EXPIRE).
    fn set_active_expire(&mut self, active: bool);

    /// Serves nobody for `us` microseconds (DEBUG SLEEP); the asking client waits, so that what it
    /// sent behind the request is executed after the sleep.
    fn sleep(&mut self, us: u64) -> Outcome;

    /// A new replication id (DEBUG CHANGE-REPL-ID).
    fn change_repl_id(&mut self) -> ReplId;

    /// A number that nobody can foresee from those before it, for names that must be unique.
    fn random(&mut self) -> u64;
}

type Outcome = Result<Flow, ReplyError>;
