//! The deterministic simulator: whole servers with clients, a network and faults, in one thread
//! and in virtual time.
//!
//! A seed decides everything. It drives the same [`vesta_node::Node`] that production runs,
//! through the same actions, and checks every reply against a model. The same seed takes the
//! same path: [`run`] twice gives the same digest of every event, action and byte.
//!
//! * `plan`: what a seed decides beforehand; `clock`: virtual time.
//! * `network`: links that delay, cut up, stall and break.
//! * `server`: a node and its rim; `follower`: a node that repeats the effects of another.
//! * `disk`: files that survive the server, or do not; `chronicle`: what they must give back;
//!   `picture`: what a snapshot must hold.
//! * `fleet`: servers that replicate, with what goes wrong between them.
//! * `client` and `workload`: who asks, and for what.
//! * `model`: what replies must be; `checker`: compares.
//!
//! First things go wrong, and nothing may be wrong; then nothing goes wrong any more, and
//! everybody must get an answer.

mod checker;
mod chronicle;
mod client;
mod clock;
mod disk;
mod fleet;
mod follower;
mod model;
mod network;
mod picture;
mod plan;
mod run;
mod server;
mod trace;
mod wire;
mod workload;

pub use run::{Failure, Flaw, Outcome, Scope, run, run_with};
pub use trace::Reached;
