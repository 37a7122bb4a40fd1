//! The protocol: framing of requests, encoding of replies, both without a socket.
//!
//! [`Inbox`] turns the bytes of one conversation into a [`Batch`] of requests whose arguments are
//! ranges of the bytes read; [`Reply`] encodes for the version the client speaks into an
//! [`Outbox`], which keeps what is still to be sent. Neither knows a command or a socket.
//!
//! ```text
//!  shared read buffer --+                       +--> spans (ranges)  --> handler
//!                       +--> Inbox -- Batch ----+
//!  held (a rest) -------+      |                +--> bigs (own allocation, >= 32 KiB)
//!                              +-- partial request, resumed where it stopped
//! ```
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod batch;
mod error;
mod fences;
mod inbox;
mod multibulk;
mod outbox;
mod reply;

pub use batch::{Batch, OwnedRequest, Request};
pub use error::ProtocolError;
pub use inbox::{BIG_ARGUMENT_BYTES, Framing, Inbox, fuzz_requests};
pub use outbox::{Mark, Outbox};
pub use reply::{Deferred, Proto, Reply};

/// The two halves of one conversation.
#[derive(Debug, Default)]
pub struct Conversation {
    /// What the client sent and has not been served.
    pub inbox: Inbox,
    /// What the client is still to be sent.
    pub outbox: Outbox,
}

/// What a request may ask of the framing, in bytes and counts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest bulk string (`proto-max-bulk-len`).
    pub bulk_bytes_max: u64,
    /// Most arguments of one request.
    pub arguments_max: u64,
    /// Whether the client is still to authenticate: its requests are kept tiny.
    pub unauthenticated: bool,
}

impl Limits {
    /// Most arguments before authentication. Source: redis-server 7.0.15 and CVE-2021-32675.
    pub const UNAUTHENTICATED_ARGUMENTS_MAX: u64 = 10;
    /// Longest bulk string before authentication, in bytes. Source: as above.
    pub const UNAUTHENTICATED_BULK_BYTES_MAX: u64 = 16 * 1024;
    /// Longest inline request or length line, in bytes.
    pub const LINE_BYTES_MAX: usize = 64 * 1024;
    /// Most arguments a request may declare after authentication.
    pub const ARGUMENTS_MAX: u64 = 0x7fff_ffff;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bulk_bytes_max: 512 * 1024 * 1024,
            arguments_max: Self::ARGUMENTS_MAX,
            unauthenticated: false,
        }
    }
}
