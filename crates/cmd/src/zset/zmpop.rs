//! `ZMPOP numkeys key... MIN | MAX [COUNT count]`

use super::zpop::{Layout, notify, pop_into};
use crate::mpop::{self, Wanted};
use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_store::Zset;
use vesta_store::object::End;
use vesta_types::ascii;

/// `ZMPOP numkeys key... MIN | MAX [COUNT count]`: takes members with the lowest or highest scores
/// out of the first of the sorted sets that is there, and replies with its key and them.
///
/// Replicates as `ZPOPMIN` or `ZPOPMAX` with the number of members that there were.
pub(super) const ZMPOP: Command = Command {
    spec: Spec {
        name: "zmpop",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::MOVABLEKEYS),
        categories: Categories::SORTEDSET,
        keys: &[mpop::keys(1)],
        group: Group::SortedSet,
        since: "7.0.0",
        complexity: "O(K+M*log(N)): K keys, M members removed from N",
        summary: "Removes the members of one of several sorted sets with the lowest or highest \
                  scores and returns them.",
        syntax: "numkeys:integer key... where=<MIN | MAX> [COUNT count:integer]",
        ..Spec::EMPTY
    },
    run: Run::Write(zmpop),
};

/// Reads `MIN` or `MAX`.
pub(super) fn end(text: &[u8]) -> Result<End, ReplyError> {
    if ascii::is_word(text, "min") {
        Ok(End::Front)
    } else if ascii::is_word(text, "max") {
        Ok(End::Back)
    } else {
        Err(ReplyError::Syntax)
    }
}

fn zmpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    let wanted = Wanted::parse(ctx.cursor(1), end)?;
    if !pop_first(ctx, &wanted)? {
        ctx.reply.null_array();
    }
    Ok(Flow::Done)
}

/// Takes members out of the first key that holds a sorted set and replies; whether there is one.
pub(super) fn pop_first(ctx: &mut WriteCtx<'_>, wanted: &Wanted) -> Result<bool, ReplyError> {
    let Wanted { end, count, .. } = *wanted;
    for place in wanted.keys.clone() {
        let key = ctx.request.arg(place);
        let WriteCtx { keys, reply, .. } = ctx;
        let popped = keys.edit_as(key, |zset: &mut Zset, _| {
            reply.array(2);
            reply.bulk(key);
            pop_into(reply, zset, end, count, Layout::Pairs)
        })?;
        if let Some(popped) = popped {
            let name: &[u8] = match end {
                End::Front => b"ZPOPMIN",
                End::Back => b"ZPOPMAX",
            };
            let mut digits = itoa::Buffer::new();
            let effect = [name, key, digits.format(popped).as_bytes()];
            ctx.changed_as_times(&effect, popped as u64);
            notify(ctx, end, key);
            return Ok(true);
        }
    }
    Ok(false)
}
