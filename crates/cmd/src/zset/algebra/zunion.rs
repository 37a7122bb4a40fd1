//! `ZUNION numkeys key... [WEIGHTS weight...] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]` and
//! `ZUNIONSTORE destination numkeys key... ...`

use super::{Options, Sources, keep, reply_members};
use crate::{Command, Flow, Outcome, ReadCtx, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;
use vesta_store::algebra::{Weighted, union};

/// `ZUNION numkeys key...`: the members that any of the sets has.
pub(in crate::zset) const ZUNION: Command = Command {
    spec: Spec {
        name: "zunion",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY.and(Flags::MOVABLEKEYS),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::counted(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(N*log(N)) in the number of members of all sets",
        summary: "Returns the members that any of several sorted sets has.",
        syntax: "numkeys:integer key... [WEIGHTS weight:integer...] \
                 [AGGREGATE aggregate=<SUM | MIN | MAX>] [WITHSCORES]",
        ..Spec::EMPTY
    },
    run: Run::Read(zunion),
};

/// `ZUNIONSTORE destination numkeys key...`: keeps the members that any of the sets has.
pub(in crate::zset) const ZUNIONSTORE: Command = Command {
    spec: Spec {
        name: "zunionstore",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLEKEYS),
        keys: &[
            KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::counted(2, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        since: "2.0.0",
        summary: "Keeps the members that any of several sorted sets has at a key.",
        syntax: "destination numkeys:integer key... [WEIGHTS weight:integer...] \
                 [AGGREGATE aggregate=<SUM | MIN | MAX>]",
        ..ZUNION.spec
    },
    run: Run::Write(zunionstore),
};

fn zunion(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let sources = Sources::read(*request, 1, "zunion", keys)?;
    let options = Options::parse(sources, true)?;
    let mut weighted: Vec<Weighted<'_>> = options.weighted(sources, keys).flatten().collect();
    let members = union(&mut weighted, options.aggregate, keys.rules());
    reply_members(reply, &members, options.with_scores);
    Ok(Flow::Done)
}

fn zunionstore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, .. } = ctx;
    let sources = Sources::read(*request, 2, "zunionstore", keys)?;
    let options = Options::parse(sources, false)?;
    let mut weighted: Vec<Weighted<'_>> = options.weighted(sources, keys).flatten().collect();
    let members = union(&mut weighted, options.aggregate, keys.rules());
    let result = Zset::from_sorted(&members, keys.rules());
    keep(ctx, ctx.arg(1), "zunionstore", result)
}
