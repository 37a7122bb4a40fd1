//! The options of XADD and XTRIM.

use super::id::{self, IdText, NewId};
use crate::{Cursor, ReplyError, WriteCtx};
use alloc::vec::Vec;
use vesta_resp::Request;
use vesta_store::stream::{Log, StreamId, Trim};

/// Entries that approximate trimming removes at once unless told otherwise: this many nodes full.
const APPROXIMATE_NODES_MAX: u64 = 100;
/// Entries that approximate trimming removes at most unless told otherwise.
const APPROXIMATE_ENTRIES_MAX: u64 = 1_000_000;
/// The same when nodes have no limit of entries.
const APPROXIMATE_ENTRIES_OF_ENDLESS_NODES: u64 = 10_000;

/// What is to be trimmed away, and where the request says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trimming {
    trim: Trim,
    is_approximate: bool,
    /// 0: no limit.
    limit: u64,
    /// The place of the operator, if there is one.
    operator_at: Option<usize>,
    threshold_at: usize,
    limit_at: Option<usize>,
}

/// The options in front of the fields of XADD, or all there are of XTRIM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) trimming: Option<Trimming>,
    pub(super) makes_stream: bool,
    /// For XADD the id of the new entry.
    pub(super) id: Option<NewId>,
    /// Where reading ended: behind the id, or at the end.
    pub(super) end: usize,
}

impl Options {
    /// Reads the options of XADD up to the id, or of XTRIM up to the end.
    ///
    /// # Errors
    /// In the order of the arguments, then what does not go together.
    pub(super) fn parse(ctx: &WriteCtx<'_>, is_xadd: bool) -> Result<Self, ReplyError> {
        let mut cursor = ctx.cursor(2);
        let mut strategy = None;
        let mut limit = None;
        let mut makes_stream = true;
        let mut new_id = None;
        while !cursor.is_done() && new_id.is_none() {
            let has_more = cursor.left() > 1;
            if is_xadd && cursor.peek() == Some(b"*") {
                cursor.pop();
                new_id = Some(NewId::Auto);
            } else if has_more && cursor.take("maxlen") {
                strategy = Some(parse_strategy(&mut cursor, strategy, parse_len)?);
            } else if has_more && cursor.take("minid") {
                strategy = Some(parse_strategy(&mut cursor, strategy, |text| {
                    Ok(Trim::MinId(id::parse(text, 0)?))
                })?);
            } else if has_more && cursor.take("limit") {
                let number = u64::try_from(cursor.need_i64()?);
                let number =
                    number.map_err(|_| ReplyError::text("The LIMIT argument must be >= 0."))?;
                limit = Some((number, cursor.position() - 1));
            } else if is_xadd && cursor.take("nomkstream") {
                makes_stream = false;
            } else if is_xadd {
                new_id = Some(NewId::parse(cursor.need()?)?);
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        let end = cursor.position();
        let default = default_limit(ctx.config.stream_node_max_entries);
        let trimming = settle(strategy, limit, is_xadd, default)?;
        Ok(Self { trimming, makes_stream, id: new_id, end })
    }
}

impl Trimming {
    /// Trims and returns how many entries it were.
    pub(super) fn apply(&self, log: &mut Log) -> u64 {
        log.trim(self.trim, self.is_approximate, self.limit)
    }

    /// Whether it can only be repeated with the outcome.
    pub(super) fn is_approximate(&self) -> bool {
        self.is_approximate
    }

    /// The threshold that repeats exactly what was done, on a log that is trimmed already.
    pub(super) fn exact_threshold(&self, log: &Log) -> Vec<u8> {
        match self.trim {
            Trim::MaxLen(_) => itoa::Buffer::new().format(log.len()).as_bytes().to_vec(),
            Trim::MinId(_) => {
                let first = if log.is_empty() { StreamId::MAX } else { log.first_id() };
                IdText::new(first).as_bytes().to_vec()
            }
        }
    }
}

/// The words of a request with an exact trim in place of an approximate one (`threshold`), and
/// with the id that the entry got in place of the argument at `id.0`.
pub(super) fn rewritten<'a>(
    request: Request<'a>,
    trimming: Option<Trimming>,
    threshold: Option<&'a [u8]>,
    id: Option<(usize, &'a [u8])>,
) -> Vec<&'a [u8]> {
    let exact = trimming.zip(threshold);
    let mut words = Vec::with_capacity(request.len());
    for (index, argument) in request.args_from(0).enumerate() {
        let word = match (exact, id) {
            (_, Some((at, id))) if at == index => id,
            (Some((trimming, _)), _) if trimming.operator_at == Some(index) => b"=",
            (Some((trimming, threshold)), _) if trimming.threshold_at == index => threshold,
            // An exact trim has no limit.
            (Some((trimming, _)), _)
                if trimming.limit_at == Some(index) || trimming.limit_at == Some(index + 1) =>
            {
                continue;
            }
            _ => argument,
        };
        words.push(word);
    }
    words
}

/// A strategy, and places in the request.
#[derive(Clone, Copy)]
struct Strategy {
    trim: Trim,
    is_approximate: bool,
    operator_at: Option<usize>,
    threshold_at: usize,
}

fn parse_strategy(
    cursor: &mut Cursor<'_>,
    before: Option<Strategy>,
    parse: impl FnOnce(&[u8]) -> Result<Trim, ReplyError>,
) -> Result<Strategy, ReplyError> {
    if before.is_some() {
        return Err(ReplyError::text(
            "syntax error, MAXLEN and MINID options at the same time are not compatible",
        ));
    }
    let operator = cursor.peek().filter(|_| cursor.left() > 1);
    let is_approximate = operator == Some(b"~");
    let operator_at = (is_approximate || operator == Some(b"=")).then(|| cursor.position());
    if operator_at.is_some() {
        cursor.pop();
    }
    let threshold_at = cursor.position();
    Ok(Strategy { trim: parse(cursor.need()?)?, is_approximate, operator_at, threshold_at })
}

fn parse_len(text: &[u8]) -> Result<Trim, ReplyError> {
    let len = vesta_types::number::parse_i64(text).ok_or(ReplyError::NotInteger)?;
    let len = u64::try_from(len);
    Ok(Trim::MaxLen(len.map_err(|_| ReplyError::text("The MAXLEN argument must be >= 0."))?))
}

/// The strategy and its limit together.
fn settle(
    strategy: Option<Strategy>,
    limit: Option<(u64, usize)>,
    is_xadd: bool,
    default_limit: u64,
) -> Result<Option<Trimming>, ReplyError> {
    let Some(strategy) = strategy else {
        return match (limit, is_xadd) {
            (Some(_), _) => Err(ReplyError::text(
                "syntax error, LIMIT cannot be used without specifying a trimming strategy",
            )),
            (None, false) => {
                Err(ReplyError::text("syntax error, XTRIM must be called with a trimming strategy"))
            }
            (None, true) => Ok(None),
        };
    };
    let Strategy { trim, is_approximate, operator_at, threshold_at } = strategy;
    if limit.is_some() && !is_approximate {
        return Err(ReplyError::text(
            "syntax error, LIMIT cannot be used without the special ~ option",
        ));
    }
    let (limit, limit_at) = match limit {
        Some((limit, at)) => (limit, Some(at)),
        None if is_approximate => (default_limit, None),
        None => (0, None),
    };
    Ok(Some(Trimming { trim, is_approximate, limit, operator_at, threshold_at, limit_at }))
}

fn default_limit(node_entries: u64) -> u64 {
    match node_entries.saturating_mul(APPROXIMATE_NODES_MAX) {
        0 => APPROXIMATE_ENTRIES_OF_ENDLESS_NODES,
        limit => limit.min(APPROXIMATE_ENTRIES_MAX),
    }
}
