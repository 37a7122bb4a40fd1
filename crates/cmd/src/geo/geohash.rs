//! `GEOHASH key [member...]`

use super::hash::Position;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::Spec;
use vesta_store::Zset;

/// `GEOHASH key [member...]`: the places of members as strings of geohash.org, null for those that
/// are not there.
pub(super) const GEOHASH: Command = Command {
    spec: Spec {
        name: "geohash",
        summary: "Returns the places of members of a geospatial index as geohash strings.",
        ..super::geopos::GEOPOS.spec
    },
    run: Run::Read(geohash),
};

fn geohash(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let zset = keys.read_as::<Zset>(request.arg(1))?;
    reply.array(request.len() - 2);
    for name in request.args_from(2) {
        match zset.and_then(|zset| zset.score(name)) {
            Some(score) => reply.bulk(&Position::of_score(score).letters()),
            None => reply.null(),
        }
    }
    Ok(Flow::Done)
}
