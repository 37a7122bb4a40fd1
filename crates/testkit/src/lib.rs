//! Tools that test a server from outside: real processes on free ports, a RESP client, transcripts
//! (`.vt` files) that any driver can run, the compatibility-case runner, and a differential fuzzer.
//!
//! This crate knows the wire and nothing of the server's inside. The in-process drivers (a handler
//! harness, a whole node) implement [`runner::Driver`] where they live and share the transcripts.
#![expect(
    clippy::disallowed_methods,
    reason = "it starts real processes and waits for them with real deadlines"
)]

pub mod client;
pub mod crash;
pub mod cts;
pub mod diff;
pub mod impostor;
pub mod local;
pub mod pattern;
pub mod process;
pub mod proxy;
pub mod quote;
pub mod rdb;
pub mod record;
pub mod replication;
pub mod report;
pub mod runner;
pub mod tcp;
pub mod transcript;
pub mod value;
pub mod wait;
