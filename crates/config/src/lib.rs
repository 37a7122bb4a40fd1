//! What can be configured, and the text it is configured with: the typed [`Config`], one table
//! entry per directive, the grammar of `redis.conf`, and the text of CONFIG GET, SET and REWRITE.
//!
//! Setting a value never *does* anything. [`set`] answers a changed copy and the names of what
//! changed; whoever owns a setting reads the new value and acts ([`Takes`] says who that is). Files
//! come in through [`Sources`], so that this crate opens none.
//!
//! A directive is one entry in a file of [`options`] and one field of [`Config`]; everything else,
//! the generated table of the documentation included, is a loop over the entries.
//!
//! Source of names, defaults, ranges and error texts: redis-server 7.0.15 as observed, and the
//! stock `redis.conf` of 7.0 and 7.2.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod argv;
mod choice;
mod config;
mod docs;
mod fuzz;
mod grammar;
mod live;
mod load;
mod load_error;
mod option;
pub mod options;
mod refusal;
mod rewrite;
mod shape;
mod value;

pub use argv::Argv;
pub use choice::{
    AclPubsubDefault, AppendFsync, Choice, EndpointType, Guarded, LogLevel, MaxmemoryPolicy,
    OomScoreAdj, PropagationError, ReplDisklessLoad, SanitizeDump, Supervised, SyslogFacility,
    TlsAuthClients,
};
pub use config::Config;
pub use docs::{DocsRow, docs_table};
pub use fuzz::fuzz_parse;
pub use live::{Changed, Peer, SetError, carry_over, matching, set};
pub use load::{Given, Loaded, LoadedFrom, Sources, load};
pub use load_error::{BadLine, LoadError, Origin, Problem};
pub use option::{Effect, Opt, Shown, Takes};
pub use refusal::Refusal;
pub use rewrite::rewrite;
pub use shape::{
    KeyspaceEvents, MemoryOrPercent, OutputLimit, ReplicaOf, SavePoint, Secret, ShutdownWish,
};
