//! `ZINTERCARD numkeys key... [LIMIT limit]`

use super::{Sources, ZUNION};
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use alloc::vec::Vec;
use vesta_spec::Spec;
use vesta_store::algebra::{Source, count_common};
use vesta_types::number;

/// `ZINTERCARD numkeys key... [LIMIT limit]`: how many members all sets have.
pub(in crate::zset) const ZINTERCARD: Command = Command {
    spec: Spec {
        name: "zintercard",
        since: "7.0.0",
        complexity: "O(N*K) at worst: N members in the smallest of K sets",
        summary: "Counts the members that all of several sorted sets have.",
        syntax: "numkeys:integer key... [LIMIT limit:integer]",
        ..ZUNION.spec
    },
    run: Run::Read(zintercard),
};

fn zintercard(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let sources = Sources::read(*request, 1, "zintercard", keys)?;
    let limit = parse_limit(sources.options())?;
    let values: Option<Vec<Source<'_>>> = sources.values(keys).collect();
    reply.count(values.map_or(0, |mut values| count_common(&mut values, limit)));
    Ok(Flow::Done)
}

/// Where to stop counting. 0, the default, is nowhere.
fn parse_limit(mut cursor: Cursor<'_>) -> Result<usize, ReplyError> {
    let mut limit = 0;
    while !cursor.is_done() {
        if cursor.left() < 2 || !cursor.take("limit") {
            return Err(ReplyError::Syntax);
        }
        limit = number::parse_i64(cursor.need()?)
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or(ReplyError::text("LIMIT can't be negative"))?;
    }
    Ok(if limit == 0 { usize::MAX } else { limit })
}
