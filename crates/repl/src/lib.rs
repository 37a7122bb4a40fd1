//! Replication as machines that know bytes and offsets: which history a stream belongs to, what is
//! kept of it, who follows it and how far they are, and the talk of the two ends of a link.
//!
//! No command, socket, file or clock is known here. Source of the protocol's facts: what
//! redis-server 7.0.15 sends and accepts.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod backlog;
mod decision;
mod failover;
mod history;
mod line;
pub mod link;
mod marks;
pub mod payload;
mod replicas;

pub use backlog::Backlog;
pub use decision::{Asked, Psync, Reason, decide};
pub use failover::{Address, Failover, Step};
pub use history::{Former, History};
pub use marks::Marks;
pub use replicas::{Introduction, LinkId, Replica, Replicas, Silence, Stage, Wants};
