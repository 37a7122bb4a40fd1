//! Commands on several sorted sets, and on plain sets, whose members count with scores of 1.
//!
//! All of them read `numkeys key... [options]`. The types of all keys are looked at before any
//! option is, and even where the result is settled without them.

mod zdiff;
mod zinter;
mod zintercard;
mod zunion;

pub(super) use zdiff::{ZDIFF, ZDIFFSTORE};
pub(super) use zinter::{ZINTER, ZINTERSTORE};
pub(super) use zintercard::ZINTERCARD;
pub(super) use zunion::{ZUNION, ZUNIONSTORE};

use super::zrange::{head, member};
use super::{bounds, keep};
use crate::{Cursor, ReplyError};
use alloc::format;
use alloc::vec::Vec;
use vesta_resp::{Reply, Request};
use vesta_store::algebra::{Aggregate, Ranked, Source, Weighted};
use vesta_store::{Entry, Keyspace};

/// Where the source keys of a request are.
#[derive(Clone, Copy)]
struct Sources<'a> {
    request: Request<'a>,
    first: usize,
    count: usize,
}

impl<'a> Sources<'a> {
    /// Reads `numkeys` at argument `count_at` and looks all keys up as a reading command does.
    fn read(
        request: Request<'a>,
        count_at: usize,
        command: &str,
        keyspace: &mut Keyspace<'_>,
    ) -> Result<Self, ReplyError> {
        let count = Cursor::new(request, count_at).need_i64()?;
        if count < 1 {
            let text = format!("at least 1 input key is needed for '{command}' command");
            return Err(ReplyError::Generic(text.into()));
        }
        let first = count_at + 1;
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= request.len() - first)
            .ok_or(ReplyError::Syntax)?;
        let sources = Self { request, first, count };
        for key in sources.keys() {
            if let Some(entry) = keyspace.read(key) {
                source_of(entry).ok_or(ReplyError::WrongType)?;
            }
        }
        Ok(sources)
    }

    fn keys(self) -> impl Iterator<Item = &'a [u8]> {
        self.request.args_from(self.first).take(self.count)
    }

    /// What follows the keys.
    fn options(self) -> Cursor<'a> {
        Cursor::new(self.request, self.first + self.count)
    }

    /// The values, which were looked up before; `None` where there is no key.
    fn values<'s>(self, keyspace: &'s Keyspace<'_>) -> impl Iterator<Item = Option<Source<'s>>> {
        self.keys().map(|key| keyspace.beside(key).and_then(source_of))
    }
}

fn source_of(entry: &Entry) -> Option<Source<'_>> {
    entry.object().and_then(Source::of)
}

/// What follows the keys of a union or intersection.
struct Options {
    /// A weight for each key; none means 1 for all.
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl Options {
    /// Reads `[WEIGHTS weight...] [AGGREGATE <SUM | MIN | MAX>]` and, for a command that shows its
    /// result, `[WITHSCORES]`. The last of several of a kind counts.
    fn parse(sources: Sources<'_>, is_shown: bool) -> Result<Self, ReplyError> {
        let mut cursor = sources.options();
        let mut options =
            Self { weights: Vec::new(), aggregate: Aggregate::Sum, with_scores: false };
        while !cursor.is_done() {
            if cursor.left() > sources.count && cursor.take("weights") {
                let weight = |_| bounds::score(cursor.need()?).map_err(not_a_weight);
                options.weights = (0..sources.count).map(weight).collect::<Result<_, _>>()?;
            } else if cursor.take("aggregate") {
                options.aggregate = aggregate(&mut cursor)?;
            } else if is_shown && cursor.take("withscores") {
                options.with_scores = true;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(options)
    }

    /// The values with their weights; `None` where there is no key.
    fn weighted<'s>(
        &self,
        sources: Sources<'_>,
        keyspace: &'s Keyspace<'_>,
    ) -> impl Iterator<Item = Option<Weighted<'s>>> {
        let weights = self.weights.iter().copied().chain(core::iter::repeat(1.0));
        let values = sources.values(keyspace).zip(weights);
        values.map(|(source, weight)| Some(Weighted { source: source?, weight }))
    }
}

fn not_a_weight(_: ReplyError) -> ReplyError {
    ReplyError::text("weight value is not a float")
}

fn aggregate(cursor: &mut Cursor<'_>) -> Result<Aggregate, ReplyError> {
    if cursor.take("sum") {
        Ok(Aggregate::Sum)
    } else if cursor.take("min") {
        Ok(Aggregate::Min)
    } else if cursor.take("max") {
        Ok(Aggregate::Max)
    } else {
        Err(ReplyError::Syntax)
    }
}

fn reply_members(reply: &mut Reply<'_>, members: &[Ranked<'_>], with_scores: bool) {
    head(reply, members.len(), with_scores);
    for (name, score) in members {
        member(reply, *name, *score, with_scores);
    }
}
