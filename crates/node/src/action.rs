//! What goes into a node and what it wishes for.

use crate::disk::{DiskNews, DiskWish};
use crate::{ConnId, Peer};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_cmd::host::Usage;
use vesta_config::{Config, Opt};

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Event {
    /// The time of [`crate::Node::next_deadline`] has come.
    Tick,
    /// What the process uses, as an answer to [`Action::Measure`].
    Measured(Usage),
    /// How much of a client's replies could not be sent yet. Reported when that changes from or
    /// to zero, and after every attempt in between.
    Pending {
        /// Whose.
        conn: ConnId,
        /// Bytes left.
        bytes: usize,
    },
    /// The outcome of [`Action::Apply`]: `Err` says why, and nothing was applied.
    Applied {
        /// Who asked.
        conn: ConnId,
        /// The settings that were to be applied.
        config: Box<Config>,
        /// Those of them that were named: others may have been changed meanwhile.
        options: Vec<&'static Opt>,
        /// Whether they are in force.
        outcome: Result<(), String>,
    },
    /// The outcome of [`Action::RewriteConfig`].
    Rewritten {
        /// Who asked.
        conn: ConnId,
        /// Whether the file was written, else why not.
        outcome: Result<(), String>,
    },
    /// The outcome of [`Action::Sleep`].
    Slept {
        /// Who asked.
        conn: ConnId,
    },
    /// The process was asked to end by a signal.
    Terminate(Signal),
    /// Something about files.
    Disk(DiskNews),
    /// The outcome of [`Action::Connect`]: the place of the connection, which was free, and both
    /// its ends; or why there is none, in words for the log. The node takes it as the link to its
    /// primary. From then on it is served, resumed, closed and reported with
    /// [`crate::Node::disconnect`] as any client's, unless the node asks for its end at once.
    Linked {
        /// Which attempt.
        attempt: u64,
        /// What has become of it.
        outcome: Result<(ConnId, Peer), String>,
    },
}

/// What asks a process to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signal {
    /// `SIGTERM`.
    Term,
    /// `SIGINT`.
    Int,
}

/// Something the node wants done outside. Whoever drives a node carries all of them out, in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Write a line to the log.
    Log {
        /// How important it is.
        level: Level,
        /// The line.
        text: String,
    },
    /// Disconnect a client at once and report it with [`crate::Node::disconnect`].
    Close(ConnId),
    /// Append these encoded bytes to a client's outbox, and send.
    Send {
        /// To whom.
        conn: ConnId,
        /// What.
        bytes: Vec<u8>,
        /// The batch of the log that they wait for; 0 for none.
        batch: u64,
    },
    /// A client that waited may be served again, beginning with what its inbox holds.
    Resume(ConnId),
    /// Measure what the process uses and answer with [`Event::Measured`].
    Measure,
    /// Bring these options of `config` into force; answer with [`Event::Applied`].
    Apply {
        /// Who asked.
        conn: ConnId,
        /// The settings as they are to be.
        config: Box<Config>,
        /// Those that differ from the present ones.
        options: Vec<&'static Opt>,
    },
    /// Write these settings to the file they came from; answer with [`Event::Rewritten`].
    RewriteConfig {
        /// Who asked.
        conn: ConnId,
        /// The settings.
        config: Box<Config>,
    },
    /// Give free memory back to the system.
    PurgeMemory,
    /// Serve nobody for so many microseconds, then answer with [`Event::Slept`].
    Sleep {
        /// Who asked.
        conn: ConnId,
        /// How long.
        us: u64,
    },
    /// Do something with files.
    Disk(DiskWish),
    /// Let the replies leave that wait for no batch of the log behind this one.
    Release {
        /// The number of the batch.
        batch: u64,
    },
    /// The data set is there: tell whoever waits for that.
    Ready,
    /// Connect to a server, without waiting for it; answer with [`Event::Linked`], at any time. A
    /// newer attempt supersedes the one before, which is then not answered any more.
    Connect {
        /// Tells the attempt from others.
        attempt: u64,
        /// A name or an address of either family, the latter without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// Give up an attempt that was not answered, if it is still under way: it will not be.
    GiveUpConnect {
        /// Which.
        attempt: u64,
    },
    /// There may be something for this replica: call [`crate::Node::feed`] as long as it says that
    /// there is more and the outbox has room, now and after each time that some of it was sent.
    Feed(ConnId),
    /// The server is a replica, or a primary, from now on. Lines of the log name its role.
    Role {
        /// Whether it is a replica.
        is_replica: bool,
    },
    /// End the process once what is pending was sent as far as it goes without waiting.
    Exit(ExitCause),
}

/// Why a node ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExitCause {
    /// SHUTDOWN; status 0.
    Asked,
    /// A signal; status 0.
    Signal,
    /// The data set cannot be loaded, or not be kept safe; status 1.
    Failed,
}

/// Importance of a log line, the least important first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// For those who develop a server.
    Debug,
    /// Details that are rarely useful.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// What an operator must know.
    Warning,
}

/// A connection that is not served: what to tell it before it is closed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// An encoded error.
    pub reply: Vec<u8>,
}
