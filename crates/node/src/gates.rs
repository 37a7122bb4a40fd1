//! What a request must pass before it runs, in order: the order is the precedence of errors.
//!
//! A gate that could refuse anything at all at the moment is *armed*, for the whole server or for
//! one client. While none is, a request walks past without looking: the summary word is zero.

use crate::client::{Client, Part};
use crate::server::Server;
use alloc::borrow::Cow;
use alloc::format;
use vesta_cmd::{Found, ReplyError};
use vesta_config::Guarded;
use vesta_resp::Proto;
use vesta_spec::Flags;

/// Which gates are armed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Armed(u32);

impl Armed {
    /// The client has not authenticated.
    pub(crate) const AUTHENTICATION: Self = Self(1);
    /// There is a limit on memory.
    pub(crate) const MEMORY: Self = Self(2);
    /// CLIENT PAUSE is in force.
    pub(crate) const PAUSE: Self = Self(4);
    /// The command is only for whom its directive admits.
    pub(crate) const PROTECTED: Self = Self(8);
    /// The client has subscribed and speaks RESP2, where messages look like replies.
    pub(crate) const SUBSCRIBED: Self = Self(16);

    /// The data set is being loaded.
    pub(crate) const LOADING: Self = Self(32);
    /// Nobody is served: the server is about to end, or to load its data again.
    pub(crate) const STANDSTILL: Self = Self(64);
    /// The last background save failed.
    pub(crate) const DISK: Self = Self(128);
    /// The log cannot be written.
    pub(crate) const LOG: Self = Self(256);
    /// Too much of the log is still to be written.
    pub(crate) const BACKLOG: Self = Self(512);
    /// There may be too few replicas, or some are too far behind.
    pub(crate) const REPLICAS: Self = Self(1024);
    /// The server is a replica that takes no writes.
    pub(crate) const READ_ONLY: Self = Self(2048);
    /// The data may be old, and is not to be shown then.
    pub(crate) const STALE: Self = Self(4096);
    /// The client is a replica of ours.
    pub(crate) const FOLLOWER: Self = Self(8192);
    /// The client is in a transaction.
    pub(crate) const QUEUE: Self = Self(16384);

    /// What is armed by a client and its command.
    #[inline]
    pub(crate) fn by(client: &Client, found: Found) -> Self {
        Self::AUTHENTICATION
            .when(!client.session.authenticated)
            .and(Self::SUBSCRIBED.when(client.session.subscriptions > 0))
            .and(Self::QUEUE.when(client.transaction.is_some()))
            .and(Self::FOLLOWER.when(client.part == Part::Replica))
            .and(Self::PROTECTED.when(found.command.spec.flags.has(Flags::PROTECTED)))
    }

    /// Both sets together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set when `wanted`, else none.
    pub(crate) const fn when(self, wanted: bool) -> Self {
        if wanted { self } else { Self(0) }
    }

    /// Whether a gate of `other` is in this set.
    pub(crate) const fn holds(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing is armed but that the client is in a transaction.
    pub(crate) const fn is_queue_alone(self) -> bool {
        self.0 == Self::QUEUE.0
    }

    /// Whether no gate is armed.
    #[inline]
    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What a gate says.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The request may go on.
    Pass,
    /// The error is the reply.
    Refuse(ReplyError),
    /// The request waits until the pause, the standstill or the backlog ends.
    Hold,
}

/// What a gate looks at.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) server: &'a Server,
    pub(crate) client: &'a Client,
    pub(crate) found: Found,
    /// Those of its command, and for EXEC those of what is queued.
    pub(crate) flags: Flags,
    /// Whether memory is above the limit although keys were evicted.
    pub(crate) out_of_memory: bool,
}

type Gate = fn(&Asked<'_>) -> Verdict;

/// All gates in order. The name and the number of arguments have been checked before.
const GATES: [Gate; 14] = [
    standstill,
    protected,
    authenticated,
    within_multi,
    memory,
    disk,
    replicas,
    read_only,
    subscribed,
    stale,
    loading,
    follower,
    paused,
    backlog,
];

/// Walks through the gates; the first that does not let the request pass decides.
pub(crate) fn walk(asked: &Asked<'_>) -> Verdict {
    for gate in GATES {
        match gate(asked) {
            Verdict::Pass => {}
            stopped @ (Verdict::Refuse(_) | Verdict::Hold) => return stopped,
        }
    }
    Verdict::Pass
}

/// While the last save or a reload is under way everybody waits, but for who calls it off.
fn standstill(asked: &Asked<'_>) -> Verdict {
    let stands_still = asked.server.alarms.holds(Armed::STANDSTILL);
    if stands_still && asked.found.command.spec.name != "shutdown" {
        return Verdict::Hold;
    }
    Verdict::Pass
}

/// Some commands have a directive that says who may use them.
fn protected(asked: &Asked<'_>) -> Verdict {
    let spec = &asked.found.command.spec;
    let config = &asked.server.config;
    let guard = match spec.name {
        _ if !spec.flags.has(Flags::PROTECTED) => return Verdict::Pass,
        "debug" => config.enable_debug_command,
        _ => config.enable_module_command,
    };
    if is_open(guard, asked.client.session.is_local) {
        return Verdict::Pass;
    }
    let (name, lower) = (spec.name.to_ascii_uppercase(), spec.name);
    let text = format!(
        "{name} command not allowed. If the enable-{lower}-command option is set to \"local\", you \
         can run it from a local connection, otherwise you need to set this option in the \
         configuration file, and then restart the server."
    );
    Verdict::Refuse(ReplyError::Generic(text.into()))
}

/// Only some commands may be used before AUTH or HELLO.
fn authenticated(asked: &Asked<'_>) -> Verdict {
    if asked.client.session.authenticated || asked.found.command.spec.flags.has(Flags::NO_AUTH) {
        return Verdict::Pass;
    }
    Verdict::Refuse(ReplyError::Coded("NOAUTH Authentication required.".into()))
}

/// Some commands make no sense in a transaction.
fn within_multi(asked: &Asked<'_>) -> Verdict {
    let is_queueing = asked.client.transaction.is_some();
    if !is_queueing || !asked.flags.has(Flags::NO_MULTI) {
        return Verdict::Pass;
    }
    Verdict::Refuse(ReplyError::text("Command not allowed inside a transaction"))
}

/// What may end a transaction though there is no memory. Source: redis-server 7.0.15.
const ENDS_MULTI: [&str; 4] = ["exec", "discard", "quit", "reset"];

/// Commands that may need more memory are refused when there is none, and those that would be
/// queued, as that takes memory.
fn memory(asked: &Asked<'_>) -> Verdict {
    let is_queueing = asked.client.transaction.is_some();
    let is_queued = is_queueing && !ENDS_MULTI.contains(&asked.found.command.spec.name);
    if asked.out_of_memory && (is_queued || asked.flags.has(Flags::DENYOOM)) {
        let text = "OOM command not allowed when used memory > 'maxmemory'.";
        return Verdict::Refuse(ReplyError::Coded(text.into()));
    }
    Verdict::Pass
}

/// A server that shall save, or log, and cannot takes no writes, so that somebody notices. PING
/// tells too.
///
/// Source of the texts and of what it applies to: redis-server 7.0.15.
fn disk(asked: &Asked<'_>) -> Verdict {
    let spec = &asked.found.command.spec;
    if !(asked.flags.has(Flags::WRITE) || spec.name == "ping") {
        return Verdict::Pass;
    }
    match asked.server.disk_trouble() {
        Some(text) => Verdict::Refuse(ReplyError::Coded(text)),
        None => Verdict::Pass,
    }
}

impl Server {
    /// Why nothing is to be written to the data, if the disk is the reason: the error that a
    /// client gets.
    pub(crate) fn disk_trouble(&self) -> Option<Cow<'static, str>> {
        let is_wanted = self.config.stop_writes_on_bgsave_error && !self.config.save.is_empty();
        if is_wanted && self.alarms.holds(Armed::DISK) {
            let text = "MISCONF Redis is configured to save RDB snapshots, but it's currently \
                        unable to persist to disk. Commands that may modify the data set are \
                        disabled, because this instance is configured to report errors during \
                        writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). \
                        Please check the Redis logs for details about the RDB error.";
            return Some(text.into());
        }
        let why = self.persistence.log.trouble()?;
        Some(format!("MISCONF Errors writing to the AOF file: {why}").into())
    }
}

/// A primary without enough good replicas takes no writes.
///
/// Source of the text and of the place: redis-server 7.0.15.
fn replicas(asked: &Asked<'_>) -> Verdict {
    let writes = asked.flags.has(Flags::WRITE);
    if !writes || asked.server.has_good_replicas() {
        return Verdict::Pass;
    }
    Verdict::Refuse(ReplyError::Coded("NOREPLICAS Not enough good replicas to write.".into()))
}

/// A replica takes writes from its primary only.
///
/// Source of the text and of the place: redis-server 7.0.15.
fn read_only(asked: &Asked<'_>) -> Verdict {
    let writes = asked.flags.has(Flags::WRITE);
    if !writes || !asked.server.armed_by_link().holds(Armed::READ_ONLY) {
        return Verdict::Pass;
    }
    let text = "READONLY You can't write against a read only replica.";
    Verdict::Refuse(ReplyError::Coded(text.into()))
}

/// A replica without a link answers from its data only if that may be old.
///
/// Source of the text and of the place: redis-server 7.0.15.
fn stale(asked: &Asked<'_>) -> Verdict {
    let is_free = asked.flags.has(Flags::STALE);
    if is_free || !asked.server.armed_by_link().holds(Armed::STALE) {
        return Verdict::Pass;
    }
    let text = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    Verdict::Refuse(ReplyError::Coded(text.into()))
}

/// What a client may send while it waits for messages in RESP2.
const WHILE_SUBSCRIBED: [&str; 9] = [
    "ping",
    "subscribe",
    "unsubscribe",
    "psubscribe",
    "punsubscribe",
    "ssubscribe",
    "sunsubscribe",
    "quit",
    "reset",
];

/// In RESP2 a client that has subscribed can only go on to subscribe: it could not tell replies
/// from messages.
fn subscribed(asked: &Asked<'_>) -> Verdict {
    let session = &asked.client.session;
    let is_free = session.subscriptions == 0 || session.proto == Proto::Three;
    if is_free || WHILE_SUBSCRIBED.contains(&asked.found.command.spec.name) {
        return Verdict::Pass;
    }
    let text = format!(
        "Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
         allowed in this context",
        asked.found.full_name()
    );
    Verdict::Refuse(ReplyError::Generic(text.into()))
}

/// Until all data is there, only what does not need it is answered.
fn loading(asked: &Asked<'_>) -> Verdict {
    let is_loading = asked.server.alarms.holds(Armed::LOADING);
    if !is_loading || asked.flags.has(Flags::LOADING) {
        return Verdict::Pass;
    }
    let text = "LOADING Redis is loading the dataset in memory";
    Verdict::Refuse(ReplyError::Coded(text.into()))
}

/// A replica gets data from us and has none for us; nothing holds it back, so that it must not be a
/// way to write while writing stands still.
///
/// Source of the text and of the place: redis-server 7.0.15, which closes the connection, too.
fn follower(asked: &Asked<'_>) -> Verdict {
    let on_data = Flags::WRITE.and(Flags::READONLY).and(Flags::MAY_REPLICATE);
    let is_on_data = asked.flags.has(on_data);
    if asked.client.part == Part::Replica && is_on_data {
        let text = "Replica can't interact with the keyspace";
        return Verdict::Refuse(ReplyError::Generic(text.into()));
    }
    Verdict::Pass
}

/// CLIENT PAUSE holds back all commands, or those that may write. The latter wait, too, while
/// replicas are to get all of the stream.
fn paused(asked: &Asked<'_>) -> Verdict {
    let flags = asked.flags;
    let is_held = asked.server.pause.is_some_and(|pause| pause.holds(flags));
    let may_write = flags.has(Flags::WRITE.and(Flags::MAY_REPLICATE));
    if is_held || may_write && asked.server.holds_stream() { Verdict::Hold } else { Verdict::Pass }
}

/// Commands that write wait while too much of what was written before is not on the disk, and now
/// and then while replicas lack too much of it.
fn backlog(asked: &Asked<'_>) -> Verdict {
    let writes = asked.flags.has(Flags::WRITE);
    let is_full = asked.server.alarms.holds(Armed::BACKLOG);
    if writes && (is_full || asked.server.replication.primary.holds_writes()) {
        return Verdict::Hold;
    }
    Verdict::Pass
}

/// Whether a guarded command (DEBUG, MODULE) is open to this client.
fn is_open(guard: Guarded, is_local: bool) -> bool {
    match guard {
        Guarded::Yes => true,
        Guarded::Local => is_local,
        Guarded::No => false,
    }
}
