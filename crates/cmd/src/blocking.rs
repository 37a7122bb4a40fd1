//! Commands that wait until a key can serve them.
//!
//! A handler tries. When there is nothing to give yet it says what it waits for
//! ([`Waiter::wait`]), and the node runs the same request again whenever one of the keys was
//! touched; the handler then replies or waits on. Waiting itself, its order and its end are the
//! node's.

use crate::{Flow, Outcome, ReplyError};
use alloc::boxed::Box;
use alloc::vec::Vec;
use vesta_resp::{OwnedRequest, Reply, Request};
use vesta_types::number;

/// The type of value that can serve a waiting client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Awaited {
    /// A list.
    List,
    /// A sorted set.
    SortedSet,
    /// A stream; any other change of the key does not matter.
    Stream,
    /// A stream of which the client needs a consumer group: it is also served, with an error,
    /// when the key is gone or holds something else.
    StreamGroup,
}

/// The reply of a client whose time is up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnTimeout {
    /// Null.
    Null,
    /// A null array.
    NullArray,
}

impl OnTimeout {
    /// Replies.
    pub fn reply(self, reply: &mut Reply<'_>) {
        match self {
            Self::Null => reply.null(),
            Self::NullArray => reply.null_array(),
        }
    }
}

/// What a client waits for.
#[derive(Clone, Debug)]
pub struct Block {
    /// Any of these keys, in the order in which they are looked at.
    pub keys: Vec<Box<[u8]>>,
    /// The type of value.
    pub awaited: Awaited,
    /// For how long in milliseconds; `None` for ever.
    pub timeout_ms: Option<u64>,
    /// The reply when the time is up.
    pub on_timeout: OnTimeout,
    /// The request to run again.
    pub request: OwnedRequest,
}

/// The way for a handler to let its client wait.
#[derive(Debug)]
pub struct Waiter<'a> {
    may_wait: bool,
    block: &'a mut Option<Block>,
}

impl<'a> Waiter<'a> {
    /// Whoever `may_wait` finds what it waits for in `block`.
    #[must_use]
    pub fn new(may_wait: bool, block: &'a mut Option<Block>) -> Self {
        Self { may_wait, block }
    }

    /// Lets the client wait; where it may not (in a transaction or a script), its time is up at
    /// once and the reply is that.
    ///
    /// # Errors
    /// None; the type is that of handlers.
    pub fn wait(&mut self, reply: &mut Reply<'_>, block: Block) -> Outcome {
        if !self.may_wait {
            block.on_timeout.reply(reply);
            return Ok(Flow::Done);
        }
        *self.block = Some(block);
        Ok(Flow::Block)
    }
}

/// Reads a timeout in seconds, which may have a fraction; 0 means for ever.
///
/// # Errors
/// When it is no number, negative, or too large for 64 bits of milliseconds.
pub fn timeout_seconds(text: &[u8]) -> Result<Option<u64>, ReplyError> {
    let seconds = number::parse_f64(text)
        .ok_or(ReplyError::text("timeout is not a float or out of range"))?;
    let ms = seconds * 1000.0;
    if ms >= 9.2e18 {
        return Err(ReplyError::text("timeout is out of range"));
    }
    if ms < 0.0 {
        return Err(ReplyError::text("timeout is negative"));
    }
    // A timeout below a millisecond is one, not for ever.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    let whole = ms as u64;
    let rounded = if (whole as f64) < ms { whole + 1 } else { whole };
    Ok((rounded > 0).then_some(rounded))
}

/// The request with nothing replaced, to be run again as it came.
#[must_use]
pub fn unchanged(request: &Request<'_>) -> OwnedRequest {
    OwnedRequest::of(request, |_, _| None)
}
