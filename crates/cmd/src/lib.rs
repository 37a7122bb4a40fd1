//! Every command: a file each, in a folder per family, with its spec, its handler and its tests.
//!
//! A handler sees its arguments, the keyspace of one database, the reply, and nothing of who is
//! asking: the gates have settled that. Commands that are about the client or the server itself
//! ask for it through [`Host`], which the node implements. [`Commands`] finds a command by name.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod bitmap;
pub mod blocking;
pub mod connection;
mod context;
mod cursor;
mod draw;
mod element;
mod encodings;
mod error;
pub mod geo;
pub mod hash;
mod help;
pub mod host;
pub mod hyperloglog;
mod keep;
pub mod keys;
pub mod list;
mod long_double;
mod mpop;
mod page;
mod propagation;
pub mod pubsub;
mod remove;
pub mod replication;
pub mod server;
pub mod set;
pub mod stream;
pub mod string;
mod table;
pub mod transactions;
pub mod zset;

pub use context::{ControlCtx, ReadCtx, WriteCtx};
pub use cursor::Cursor;
pub use encodings::limits_of;
pub use error::ReplyError;
pub use host::Host;
pub use propagation::{Propagation, Relayed, StreamPoint};
pub use table::{Commands, Found, RenameError};
pub use vesta_store::Class;

use vesta_spec::Spec;

/// Version of Redis whose behaviour clients see.
pub const REDIS_VERSION: &str = "7.2.4";

/// A command: what it is and what it does.
#[derive(Debug)]
pub struct Command {
    /// What it is.
    pub spec: Spec,
    /// What it does.
    pub run: Run,
}

/// A handler, by what it may touch.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// Reads keys.
    Read(fn(&mut ReadCtx<'_>) -> Outcome),
    /// Changes keys.
    Write(fn(&mut WriteCtx<'_>) -> Outcome),
    /// Is about the client or the server.
    Control(fn(&mut ControlCtx<'_>) -> Outcome),
    /// Only its sub-commands run, named by the first argument.
    Container(&'static [Command]),
    /// As a container, but without an argument it runs itself.
    Branching {
        /// What runs without an argument.
        alone: fn(&mut ControlCtx<'_>) -> Outcome,
        /// The sub-commands.
        within: &'static [Command],
    },
}

impl Command {
    /// Its sub-commands; none when it is an ordinary command.
    #[must_use]
    pub const fn within(&self) -> &'static [Command] {
        match self.run {
            Run::Container(within) | Run::Branching { within, .. } => within,
            Run::Read(_) | Run::Write(_) | Run::Control(_) => &[],
        }
    }

    /// Whether it runs itself, without a sub-command.
    #[must_use]
    pub const fn runs_alone(&self) -> bool {
        !matches!(self.run, Run::Container(_))
    }
}

/// How a handler ends: it has replied, or the error is the reply.
pub type Outcome = Result<Flow, ReplyError>;

/// What becomes of the client after a command that has done its work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    /// It goes on.
    Done,
    /// It is disconnected once the replies so far have been sent.
    Close,
    /// It waits: the reply comes when an action of the node is finished.
    Wait,
    /// It waits for a key, as its [`blocking::Block`] says.
    Block,
    /// What it has queued is executed, and the replies to that are the reply.
    Execute,
}

/// Every command of every family.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    [
        string::COMMANDS,
        bitmap::COMMANDS,
        hyperloglog::COMMANDS,
        set::COMMANDS,
        hash::COMMANDS,
        list::COMMANDS,
        zset::COMMANDS,
        geo::COMMANDS,
        stream::COMMANDS,
        keys::COMMANDS,
        pubsub::COMMANDS,
        connection::COMMANDS,
        server::COMMANDS,
        replication::COMMANDS,
        transactions::COMMANDS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
