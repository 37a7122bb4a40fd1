//! `ZINTER numkeys key... [WEIGHTS weight...] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]` and
//! `ZINTERSTORE destination numkeys key... ...`

use super::{Options, Sources, ZUNION, ZUNIONSTORE, keep, reply_members};
use crate::{Command, Flow, Outcome, ReadCtx, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::Spec;
use vesta_store::Keyspace;
use vesta_store::Zset;
use vesta_store::algebra::{Ranked, Weighted, intersection};

/// `ZINTER numkeys key...`: the members that all sets have.
pub(in crate::zset) const ZINTER: Command = Command {
    spec: Spec {
        name: "zinter",
        complexity: "O(N*K+M*log(M)): N members in the smallest of K sets, M of them in all",
        summary: "Returns the members that all of several sorted sets have.",
        ..ZUNION.spec
    },
    run: Run::Read(zinter),
};

/// `ZINTERSTORE destination numkeys key...`: keeps the members that all sets have.
pub(in crate::zset) const ZINTERSTORE: Command = Command {
    spec: Spec {
        name: "zinterstore",
        complexity: ZINTER.spec.complexity,
        summary: "Keeps the members that all of several sorted sets have at a key.",
        ..ZUNIONSTORE.spec
    },
    run: Run::Write(zinterstore),
};

fn zinter(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let sources = Sources::read(*request, 1, "zinter", keys)?;
    let options = Options::parse(sources, true)?;
    reply_members(reply, &members(sources, &options, keys), options.with_scores);
    Ok(Flow::Done)
}

fn zinterstore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, .. } = ctx;
    let sources = Sources::read(*request, 2, "zinterstore", keys)?;
    let options = Options::parse(sources, false)?;
    let result = Zset::from_sorted(&members(sources, &options, keys), keys.rules());
    keep(ctx, ctx.arg(1), "zinterstore", result)
}

/// What all sources have; nothing if there is a key missing.
fn members<'s>(
    sources: Sources<'_>,
    options: &Options,
    keyspace: &'s Keyspace<'_>,
) -> Vec<Ranked<'s>> {
    let weighted: Option<Vec<Weighted<'_>>> = options.weighted(sources, keyspace).collect();
    weighted.map_or_else(Vec::new, |mut all| intersection(&mut all, options.aggregate))
}
