//! `GEOPOS key [member...]`

use super::hash::Position;
use super::reply_position;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;

/// `GEOPOS key [member...]`: the places of members, null for those that are not there.
pub(super) const GEOPOS: Command = Command {
    spec: Spec {
        name: "geopos",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(1) for each member asked for",
        summary: "Returns longitude and latitude of members of a geospatial index.",
        syntax: "key [member...]",
        ..Spec::EMPTY
    },
    run: Run::Read(geopos),
};

fn geopos(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let zset = keys.read_as::<Zset>(request.arg(1))?;
    reply.array(request.len() - 2);
    for name in request.args_from(2) {
        match zset.and_then(|zset| zset.score(name)) {
            Some(score) => reply_position(reply, Position::of_score(score)),
            None => reply.null_array(),
        }
    }
    Ok(Flow::Done)
}
