//! The incoming half of a conversation: what was read and does not yet make a whole request.
//!
//! Ordinarily nothing is kept: requests are framed in the buffer that all connections share, and
//! an idle conversation owns no memory. A request that ends beyond what was read is kept in
//! `held`, with the reading's position, so that each byte is looked at once however it arrives.
//! An argument of [`BIG_ARGUMENT_BYTES`] or more is collected in an allocation of its own, which
//! the reader fills in place ([`Inbox::direct`]) and which a value may keep as it is.

use crate::batch::{Batch, Framed, Request, Span};
use crate::multibulk::{self, Progress};
use crate::{Limits, ProtocolError};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use vesta_types::{Blob, words};

/// From this many bytes on, an argument gets an allocation of its own.
pub const BIG_ARGUMENT_BYTES: usize = 32 * 1024;

/// The step in which the allocation of a big argument is extended: no more than this is reserved
/// for bytes that a client has only announced.
const DIRECT_STEP_BYTES: usize = 256 * 1024;

/// Most requests framed before they are executed.
const BATCH_REQUESTS_MAX: usize = 32;

/// What reading for a batch found at its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// The input ends within a request or exactly behind one.
    NeedMore,
    /// The batch is full and there may be more.
    Full,
}

/// The incoming half of a conversation.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Bytes not yet executed, from the start of the oldest unfinished request. The payloads of
    /// its big arguments are not among them.
    held: Vec<u8>,
    partial: Option<Box<Partial>>,
}

/// A multi-bulk request whose end has not arrived.
#[derive(Debug)]
struct Partial {
    spans: Vec<Span>,
    bigs: Vec<Blob>,
    /// Where reading goes on in `held`, and how many arguments are missing.
    at: usize,
    missing: u32,
    big: Option<Big>,
}

/// A big argument that is arriving.
#[derive(Debug)]
struct Big {
    bytes: Vec<u8>,
    len: usize,
}

impl Inbox {
    /// Bytes kept for requests that are not complete.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let partial = self.partial.as_deref();
        let bigs = partial.map_or(0, |partial| {
            let arriving = partial.big.as_ref().map_or(0, |big| big.bytes.len());
            arriving + partial.bigs.iter().map(|blob| blob.len()).sum::<usize>()
        });
        self.held.len() + bigs
    }

    /// Memory kept, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let partial = self.partial.as_deref().map_or(0, |partial| {
            partial.spans.capacity() * size_of::<Span>() + size_of::<Partial>()
        });
        self.held.capacity() + partial
    }

    /// Whether a big argument is arriving, so that [`Inbox::direct`] should read it.
    #[must_use]
    pub fn wants_direct(&self) -> bool {
        self.partial.as_ref().is_some_and(|partial| partial.big.is_some())
    }

    /// Lets `read` fill the place of the big argument that is arriving; `read` gets the room for
    /// its next bytes and says how many it wrote. Does nothing when none is arriving.
    pub fn direct<E>(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let Some(partial) = self.partial.as_deref_mut() else { return Ok(0) };
        let Some(big) = partial.big.as_mut() else { return Ok(0) };
        let have = big.bytes.len();
        let upto = big.len.min(have + DIRECT_STEP_BYTES);
        big.bytes.resize(upto, 0);
        let outcome = read(big.bytes.get_mut(have..).unwrap_or_default());
        let got = outcome.as_ref().map_or(0, |got| *got).min(upto - have);
        big.bytes.truncate(have + got);
        partial.settle_big();
        outcome
    }

    /// Takes the bytes held from earlier calls, with `fresh` behind them, for [`Inbox::frame`].
    /// `None` when nothing is held: then `fresh` itself is the input, without a copy.
    pub fn join(&mut self, fresh: &[u8]) -> Option<Vec<u8>> {
        if self.held.is_empty() {
            return None;
        }
        // A partial request always has its count line in `held`.
        let fresh = match self.partial.as_deref_mut() {
            Some(partial) => partial.feed_big(fresh),
            None => fresh,
        };
        self.held.extend_from_slice(fresh);
        Some(core::mem::take(&mut self.held))
    }

    /// Frames requests from `input`, beginning at `from`, into `batch` (emptied first).
    ///
    /// # Errors
    /// The first breach of the protocol. The requests before it are in the batch, to be executed
    /// before the client is told.
    pub fn frame(
        &mut self,
        input: &[u8],
        from: usize,
        limits: &Limits,
        batch: &mut Batch,
    ) -> (Framing, Result<(), ProtocolError>) {
        batch.clear();
        batch.start = from;
        let most = if limits.unauthenticated { 1 } else { BATCH_REQUESTS_MAX };
        batch.end = from;
        let mut at = from;
        while batch.requests.len() < most {
            match self.frame_one(input, at, limits, batch) {
                Ok(Some(end)) => {
                    at = end;
                    batch.end = end;
                }
                Ok(None) => return (Framing::NeedMore, Ok(())),
                Err(error) => return (Framing::NeedMore, Err(error)),
            }
        }
        (Framing::Full, Ok(()))
    }

    /// Frames the request at `at`; where the next begins, or `None` when its end is missing.
    #[inline]
    fn frame_one(
        &mut self,
        input: &[u8],
        at: usize,
        limits: &Limits,
        batch: &mut Batch,
    ) -> Result<Option<usize>, ProtocolError> {
        let first = batch.spans.len();
        let (missing, from) = match self.partial.take() {
            Some(partial) if partial.big.is_some() || at + partial.at > input.len() => {
                self.partial = Some(partial);
                return Ok(None);
            }
            Some(mut partial) => {
                batch.spans.append(&mut partial.spans);
                batch.bigs.append(&mut partial.bigs);
                (partial.missing, at + partial.at)
            }
            None => match input.get(at) {
                None => return Ok(None),
                Some(b'*') => match multibulk::count_line(input, at, limits)? {
                    None => return Ok(None),
                    Some((0, end)) => return Ok(Some(end)),
                    Some((count, end)) => (count, end),
                },
                Some(_) => return frame_inline(input, at, batch),
            },
        };
        let progress = multibulk::arguments(
            input,
            from,
            missing,
            BIG_ARGUMENT_BYTES,
            limits,
            &mut batch.spans,
        )?;
        match progress {
            Progress::Complete { end } => {
                let count = batch.spans.len() - first;
                batch.requests.push(framed(first, count, end, false)?);
                Ok(Some(end))
            }
            Progress::NeedMore { at: stopped, missing } => {
                self.suspend(batch, first, at, stopped, missing);
                Ok(None)
            }
            Progress::Big { at: data, missing, bytes } => {
                self.suspend(batch, first, at, data, missing);
                if let Some(partial) = self.partial.as_deref_mut() {
                    partial.big = Some(Big { bytes: Vec::new(), len: bytes });
                }
                Ok(None)
            }
        }
    }

    /// Keeps what is known of the request at `start`, whose reading stopped at `stopped`.
    fn suspend(
        &mut self,
        batch: &mut Batch,
        first: usize,
        start: usize,
        stopped: usize,
        missing: u32,
    ) {
        let shift = u32::try_from(start).unwrap_or(u32::MAX);
        let spans = batch.spans.drain(first..).map(|span| span.moved_back(shift)).collect();
        // Only the first request of a batch can have big arguments: later ones lie in the input.
        let bigs =
            if batch.requests.is_empty() { core::mem::take(&mut batch.bigs) } else { Vec::new() };
        self.partial =
            Some(Box::new(Partial { spans, bigs, at: stopped - start, missing, big: None }));
    }

    /// Keeps what is left of `input` when the first `executed` requests of `batch` were executed.
    ///
    /// `input` and `batch` are those of the last [`Inbox::frame`].
    pub fn hold(&mut self, input: &[u8], batch: &mut Batch, executed: usize) {
        let mut start = batch.end;
        if executed < batch.len() {
            start = batch.consumed(executed);
            self.partial = None;
            if executed == 0 && !batch.bigs.is_empty() {
                self.restore_first(batch);
            }
        }
        let rest = input.get(start..).unwrap_or_default();
        self.held.clear();
        match self.partial.as_deref_mut() {
            // The bytes behind the length line of a big argument belong to that argument.
            Some(partial) if partial.big.is_some() => {
                let (kept, payload) = rest.split_at_checked(partial.at).unwrap_or((rest, &[]));
                self.held.extend_from_slice(kept);
                let behind = partial.feed_big(payload);
                self.held.extend_from_slice(behind);
            }
            _ => self.held.extend_from_slice(rest),
        }
        if self.held.is_empty() {
            self.held = Vec::new();
        }
    }

    /// Makes the first request of `batch`, whose big arguments are no longer in the input, a
    /// partial one again that lacks nothing.
    fn restore_first(&mut self, batch: &mut Batch) {
        let Some(first) = batch.requests.first().copied() else { return };
        let count = first.count as usize;
        let shift = u32::try_from(batch.start).unwrap_or(u32::MAX);
        let spans = batch.spans.iter().take(count).map(|span| span.moved_back(shift)).collect();
        let bigs = core::mem::take(&mut batch.bigs);
        let at = first.end - batch.start;
        self.partial = Some(Box::new(Partial { spans, bigs, at, missing: 0, big: None }));
    }
}

impl Partial {
    /// Gives the arriving big argument its bytes from `input`; what is behind them.
    fn feed_big<'a>(&mut self, input: &'a [u8]) -> &'a [u8] {
        let Some(big) = self.big.as_mut() else { return input };
        let room = big.len - big.bytes.len();
        let (payload, behind) = input.split_at_checked(room).unwrap_or((input, &[]));
        big.bytes.extend_from_slice(payload);
        self.settle_big();
        behind
    }

    /// Files the big argument away when all of it is there; its CR LF is still to be read.
    fn settle_big(&mut self) {
        if let Some(big) = self.big.take_if(|big| big.bytes.len() == big.len) {
            self.spans.push(Span::big(u32::try_from(self.bigs.len()).unwrap_or(u32::MAX)));
            self.bigs.push(Blob::new(big.bytes));
            self.missing -= 1;
            self.at += 2;
        }
    }
}

fn framed(first: usize, count: usize, end: usize, inline: bool) -> Result<Framed, ProtocolError> {
    let (Ok(first), Ok(count)) = (u32::try_from(first), u32::try_from(count)) else {
        return Err(ProtocolError::BadCount);
    };
    Ok(Framed { first, count, end, inline })
}

/// Frames the line at `at` as an inline request.
#[cold]
fn frame_inline(
    input: &[u8],
    at: usize,
    batch: &mut Batch,
) -> Result<Option<usize>, ProtocolError> {
    let rest = input.get(at..).unwrap_or_default();
    let Some(len) = memchr::memchr(b'\n', rest) else {
        let too_long = rest.len() > Limits::LINE_BYTES_MAX;
        return if too_long { Err(ProtocolError::InlineTooLong) } else { Ok(None) };
    };
    let line = rest.get(..len).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let first = batch.spans.len();
    let Batch { spans, arena, .. } = batch;
    words::for_each(line, |word| {
        let start = u32::try_from(arena.len()).unwrap_or(u32::MAX);
        arena.extend_from_slice(word);
        spans.push(Span { start, len: u32::try_from(word.len()).unwrap_or(0) });
    })
    .map_err(|words::Unbalanced| ProtocolError::UnbalancedQuotes)?;
    let (count, end) = (batch.spans.len() - first, at + len + 1);
    if count > 0 {
        batch.requests.push(framed(first, count, end, true)?);
    }
    Ok(Some(end))
}

/// Feeds `data` to an inbox in chunks whose lengths its own bytes choose, and checks that what is
/// framed does not depend on the chunks. An entry for fuzzers.
///
/// # Panics
/// When the same bytes give other requests in other chunks, or a request is not what it says it is
/// on the wire.
pub fn fuzz_requests(data: &[u8]) {
    let whole = requests_in_chunks(data, usize::MAX);
    let step = 1 + data.first().map_or(0, |byte| usize::from(*byte % 61));
    let chunked = requests_in_chunks(data, step);
    assert!(whole == chunked, "framing depends on how the bytes arrive");
}

/// What a request says is its form on the wire is what its arguments give.
fn assert_wire(request: &Request<'_>) {
    let Some(wire) = request.wire() else { return };
    let mut encoded = format!("*{}\r\n", request.len()).into_bytes();
    for argument in request.args_from(0) {
        encoded.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        encoded.extend_from_slice(argument);
        encoded.extend_from_slice(b"\r\n");
    }
    assert!(wire == encoded, "a request is taken for another");
}

/// Every request framed from `data`, and the error that ended it.
fn requests_in_chunks(data: &[u8], step: usize) -> (Vec<Vec<Vec<u8>>>, Option<ProtocolError>) {
    let (mut inbox, mut batch, limits) = (Inbox::default(), Batch::default(), Limits::default());
    let mut requests = Vec::new();
    for chunk in data.chunks(step.clamp(1, data.len().max(1))) {
        let joined = inbox.join(chunk);
        let input = joined.as_deref().unwrap_or(chunk);
        let mut from = 0;
        loop {
            let (framing, outcome) = inbox.frame(input, from, &limits, &mut batch);
            for index in 0..batch.len() {
                if let Some(request) = batch.request(index, input) {
                    assert_wire(&request);
                    requests.push(request.args_from(0).map(<[u8]>::to_vec).collect());
                }
            }
            if let Err(error) = outcome {
                return (requests, Some(error));
            }
            from = batch.end;
            if framing == Framing::NeedMore {
                break;
            }
        }
        let executed = batch.len();
        inbox.hold(input, &mut batch, executed);
    }
    (requests, None)
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
