//! Commands that wait, until a key can serve them or something is safe.
//!
//! A handler tries. When there is nothing to give yet it says what it waits for
//! ([`Waiter::wait`]), and the node runs the same request again whenever one of the keys was
//! touched; the handler then replies or waits on. Waiting itself, its order and its end are the
//! node's.

use crate::host::Safety;
use crate::long_double::LongDouble;
use crate::{Flow, Outcome, ReplyError, WriteCtx};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use vesta_resp::{OwnedRequest, Reply, Request};
use vesta_types::number;

/// What can serve a waiting client: the type of value of a key, mostly.
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
    /// No key, but that the client's last write is as safe as this. The node replies by itself.
    Safety(Safety),
}

/// The reply of a client whose time is up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnTimeout {
    /// Null.
    Null,
    /// A null array.
    NullArray,
    /// How safe the client's last write is by then.
    Safety,
    /// How many replicas have applied the client's last write by then.
    Applied,
}

impl OnTimeout {
    /// Replies; `safety` is how safe the client's last write is.
    pub fn reply(self, reply: &mut Reply<'_>, safety: Safety) {
        match self {
            Self::Null => reply.null(),
            Self::NullArray => reply.null_array(),
            Self::Safety => safety.reply(reply),
            Self::Applied => reply.int(i64::try_from(safety.applied).unwrap_or(i64::MAX)),
        }
    }
}

/// What a client waits for.
#[derive(Clone, Debug)]
pub struct Block {
    /// Any of these keys, in the order in which they are looked at.
    pub keys: Vec<Box<[u8]>>,
    /// What of them, or else what.
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

    /// Whether it may wait: not in a transaction or a script.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.may_wait
    }

    /// Lets the client wait; where it may not, its time is up at once and the reply is that.
    ///
    /// # Errors
    /// None; the type is that of handlers.
    pub fn wait(&mut self, reply: &mut Reply<'_>, block: Block) -> Outcome {
        if !self.may_wait {
            // Whoever waits for safety looks first whether it may wait.
            block.on_timeout.reply(reply, Safety::default());
            return Ok(Flow::Done);
        }
        *self.block = Some(block);
        Ok(Flow::Block)
    }
}

/// Lets the client wait until one of the keys, which are these arguments, holds a value of the type
/// that is awaited.
///
/// # Errors
/// None; the type is that of handlers.
pub(crate) fn wait_for(
    ctx: &mut WriteCtx<'_>,
    keys: Range<usize>,
    awaited: Awaited,
    timeout_ms: Option<u64>,
    on_timeout: OnTimeout,
) -> Outcome {
    let WriteCtx { request, reply, waiter, .. } = ctx;
    let block = Block {
        keys: keys.map(|place| Box::from(request.arg(place))).collect(),
        awaited,
        timeout_ms,
        on_timeout,
        request: unchanged(request),
    };
    waiter.wait(reply, block)
}

/// Timeouts beyond this many milliseconds are refused: no clock goes so far.
const TIMEOUT_MS_MAX: i64 = i64::MAX - (1 << 42);

const NEGATIVE: ReplyError = ReplyError::text("timeout is negative");
const TOO_LARGE: ReplyError = ReplyError::text("timeout is out of range");

/// Reads a timeout in seconds, which may have a fraction; 0 means for ever. The result is in
/// milliseconds, those begun counted whole.
///
/// # Errors
/// When it is no number, negative, or too large.
pub fn timeout_seconds(text: &[u8]) -> Result<Option<u64>, ReplyError> {
    let seconds = LongDouble::parse(text)
        .ok_or(ReplyError::text("timeout is not a float or out of range"))?;
    match seconds.thousandfold() {
        None if text.starts_with(b"-") => Err(NEGATIVE),
        None => Err(TOO_LARGE),
        Some(ms) if ms > TIMEOUT_MS_MAX => Err(TOO_LARGE),
        Some(ms) => match u64::try_from(ms) {
            Ok(ms) => Ok((ms > 0).then_some(ms)),
            Err(_) => Err(NEGATIVE),
        },
    }
}

/// Reads a timeout in whole milliseconds; 0 means for ever.
///
/// # Errors
/// As [`timeout_seconds`].
pub fn timeout_milliseconds(text: &[u8]) -> Result<Option<u64>, ReplyError> {
    const NOT_INTEGER: ReplyError = ReplyError::text("timeout is not an integer or out of range");
    match number::parse_i64(text).ok_or(NOT_INTEGER)? {
        ..0 => Err(NEGATIVE),
        ms if ms > TIMEOUT_MS_MAX => Err(TOO_LARGE),
        ms => Ok(u64::try_from(ms).ok().filter(|ms| *ms > 0)),
    }
}

/// The request with nothing replaced, to be run again as it came.
#[must_use]
pub fn unchanged(request: &Request<'_>) -> OwnedRequest {
    OwnedRequest::of(request, |_, _| None)
}
