//! Listening and connected stream sockets, TCP and unix, all non-blocking.
//!
//! A [`Listener`] accepts, a [`Stream`] connects, reads and writes. Both are thin: no buffers, no
//! state beside the descriptor, so that an idle connection costs what the kernel takes and nothing
//! here.
//! What can happen is an enum, not an `io::Error` whose kind must be inspected: a caller that must
//! tell "come back later" from "the peer is gone" cannot forget one of them.

mod listener;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use listener::{Accepted, Incoming, ListenError, Listener, backlog_max};
pub use stream::{Progress, ReadOutcome, Stream, WriteOutcome};

/// Where one end of a conversation is.
///
/// Printed as Redis prints it in `CLIENT LIST` and in logs: `127.0.0.1:5000`, `[::1]:5000`,
/// `/path/sock:0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// A TCP end.
    Ip(SocketAddr),
    /// A unix socket; both ends carry the path of the listener.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "{}:0", path.display()),
        }
    }
}
