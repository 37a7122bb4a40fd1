//! `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`

use super::range::{Asked, Form};
use crate::{Command, Outcome, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Kind, Zset};

/// `ZRANGESTORE dst src min max ...`: keeps members within a range at a key.
pub(super) const ZRANGESTORE: Command = Command {
    spec: Spec {
        name: "zrangestore",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::SORTEDSET,
        keys: &[
            KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::one(2, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(log(N)+M): M members kept of N",
        summary: "Keeps the members of a sorted set within a range at another key.",
        syntax: "dst:key src:key min:string max:string [sortby=<BYSCORE | BYLEX>] [REV] \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        ..Spec::EMPTY
    },
    run: Run::Write(zrangestore),
};

fn zrangestore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, .. } = ctx;
    let asked = Asked::parse(Form::Kept, *request, 3)?;
    let source = request.arg(2);
    keys.read_as::<Zset>(source)?;
    let result = match keys.beside_as::<Zset>(source)? {
        Some(zset) => {
            let members: Vec<_> = zset.walk(asked.ranks(zset)).collect();
            Zset::from_sorted(&members, keys.rules())
        }
        None => Zset::empty(),
    };
    super::keep(ctx, ctx.arg(1), "zrangestore", result)
}
