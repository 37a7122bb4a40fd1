//! `ZDIFF numkeys key... [WITHSCORES]` and `ZDIFFSTORE destination numkeys key...`

use super::{Sources, ZUNION, ZUNIONSTORE, keep, reply_members};
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::Spec;
use vesta_store::algebra::{Ranked, Source, difference};
use vesta_store::{Keyspace, Zset};

/// `ZDIFF numkeys key...`: the members that the first set has and no other.
pub(in crate::zset) const ZDIFF: Command = Command {
    spec: Spec {
        name: "zdiff",
        summary: "Returns the members of a sorted set that no other of several has.",
        syntax: "numkeys:integer key... [WITHSCORES]",
        ..ZUNION.spec
    },
    run: Run::Read(zdiff),
};

/// `ZDIFFSTORE destination numkeys key...`: keeps the members that the first set has and no other.
pub(in crate::zset) const ZDIFFSTORE: Command = Command {
    spec: Spec {
        name: "zdiffstore",
        since: "6.2.0",
        summary: "Keeps the members of a sorted set that no other of several has at a key.",
        syntax: "destination numkeys:integer key...",
        ..ZUNIONSTORE.spec
    },
    run: Run::Write(zdiffstore),
};

fn zdiff(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let sources = Sources::read(*request, 1, "zdiff", keys)?;
    let mut cursor = sources.options();
    let mut with_scores = false;
    while !cursor.is_done() {
        with_scores = cursor.take("withscores");
        if !with_scores {
            return Err(ReplyError::Syntax);
        }
    }
    reply_members(reply, &members(sources, keys), with_scores);
    Ok(Flow::Done)
}

fn zdiffstore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, .. } = ctx;
    let sources = Sources::read(*request, 2, "zdiffstore", keys)?;
    if !sources.options().is_done() {
        return Err(ReplyError::Syntax);
    }
    let result = Zset::from_sorted(&members(sources, keys), keys.rules());
    keep(ctx, ctx.arg(1), "zdiffstore", result)
}

/// What is left of the first source.
fn members<'s>(sources: Sources<'_>, keyspace: &'s Keyspace<'_>) -> Vec<Ranked<'s>> {
    let mut values = sources.values(keyspace);
    let Some(first) = values.next().flatten() else { return Vec::new() };
    let others: Vec<Source<'_>> = values.flatten().collect();
    difference(first, &others, keyspace.rules())
}
