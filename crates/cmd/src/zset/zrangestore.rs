//! `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`

use super::range::{Asked, Form};
use crate::{Command, Outcome, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Element, Kind, Limits, Zset};

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
            let mut members: Vec<_> = zset.walk(asked.ranks(zset)).collect();
            drop_signs(&mut members, &asked, &keys.rules().limits);
            Zset::from_sorted(&members, keys.rules())
        }
        None => Zset::empty(),
    };
    super::keep(ctx, ctx.arg(1), "zrangestore", result)
}

/// Takes the signs of the minus zeros that a large result would have held while it was still small,
/// had its members come one by one: the small form has no sign for a zero. Only for ranks is it
/// known beforehand how many there are. Source: observed on redis-server 7.0.15.
fn drop_signs(members: &mut [(Element<'_>, f64)], asked: &Asked<'_>, limits: &Limits) {
    let entries_max = limits.zset_listpack_entries_max;
    if members.len() > entries_max && asked.is_by_rank() {
        return;
    }
    let fits = |(name, _): &&mut (Element<'_>, f64)| {
        name.text_len() <= limits.zset_listpack_value_bytes_max
    };
    let drop_sign = |(_, score): &mut (Element<'_>, f64)| *score += 0.0;
    let members = members.iter_mut();
    if asked.is_reverse {
        members.rev().take(entries_max).take_while(fits).for_each(drop_sign);
    } else {
        members.take(entries_max).take_while(fits).for_each(drop_sign);
    }
}
