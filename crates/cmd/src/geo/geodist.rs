//! `GEODIST key member1 member2 [unit]`

use super::earth::distance;
use super::hash::Position;
use super::unit::{Unit, four_decimals};
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;

/// `GEODIST key member1 member2 [M | KM | FT | MI]`: how far two members are from each other.
pub(super) const GEODIST: Command = Command {
    spec: Spec {
        name: "geodist",
        arity: Arity::AtLeast(4),
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(1)",
        summary: "Returns the distance between two members of a geospatial index.",
        syntax: "key member1 member2 [unit=<M | KM | FT | MI>]",
        ..Spec::EMPTY
    },
    run: Run::Read(geodist),
};

fn geodist(ctx: &mut ReadCtx<'_>) -> Outcome {
    let unit = match ctx.request.len() {
        4 => Unit::METRE,
        5 => Unit::parse(ctx.arg(4))?,
        _ => return Err(ReplyError::Syntax),
    };
    let (one, other) = (ctx.arg(2), ctx.arg(3));
    let zset = ctx.keys.read_as::<Zset>(ctx.request.arg(1))?;
    let scores = zset.and_then(|zset| Some((zset.score(one)?, zset.score(other)?)));
    match scores {
        Some((one, other)) => {
            let metres = distance(Position::of_score(one), Position::of_score(other));
            ctx.reply.text(&four_decimals(metres / unit.metres));
        }
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}
