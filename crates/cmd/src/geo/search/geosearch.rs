//! `GEOSEARCH key ...` and `GEOSEARCHSTORE destination source ...`

use super::find::find;
use super::options::{Asked, Form};
use super::{kept, reply_found};
use crate::{Command, Flow, Outcome, ReadCtx, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;

/// `GEOSEARCH key <FROMMEMBER member | FROMLONLAT ..> <BYRADIUS .. | BYBOX ..> ...`: the members in
/// an area.
pub(in crate::geo) const GEOSEARCH: Command = Command {
    spec: Spec {
        name: "geosearch",
        arity: Arity::AtLeast(7),
        flags: Flags::READONLY,
        categories: Categories::GEO,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Geo,
        since: "6.2.0",
        complexity: "O(log(N)+M): M members of N in the cells around the area",
        summary: "Returns the members of a geospatial index in a circle or box.",
        syntax: "key from=<FROMMEMBER member:string | \
                 FROMLONLAT longitude_latitude=(longitude:double latitude:double)> \
                 by=<circle=(BYRADIUS radius:double unit=<M | KM | FT | MI>) | \
                 box=(BYBOX width:double height:double unit=<M | KM | FT | MI>)> \
                 [order=<ASC | DESC>] [count=(COUNT count:integer [ANY])] \
                 [WITHCOORD] [WITHDIST] [WITHHASH]",
        history: &[("7.0.0", "Names of units may be in upper case.")],
        ..Spec::EMPTY
    },
    run: Run::Read(geosearch),
};

/// `GEOSEARCHSTORE destination source ...`: keeps the members in an area.
pub(in crate::geo) const GEOSEARCHSTORE: Command = Command {
    spec: Spec {
        name: "geosearchstore",
        arity: Arity::AtLeast(8),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: &[
            KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::one(2, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        summary: "Keeps the members of a geospatial index in a circle or box at a key.",
        syntax: "destination source:key from=<FROMMEMBER member:string | \
                 FROMLONLAT longitude_latitude=(longitude:double latitude:double)> \
                 by=<circle=(BYRADIUS radius:double unit=<M | KM | FT | MI>) | \
                 box=(BYBOX width:double height:double unit=<M | KM | FT | MI>)> \
                 [order=<ASC | DESC>] [count=(COUNT count:integer [ANY])] [STOREDIST]",
        ..GEOSEARCH.spec
    },
    run: Run::Write(geosearchstore),
};

fn geosearch(ctx: &mut ReadCtx<'_>) -> Outcome {
    let cursor = ctx.cursor(2);
    let ReadCtx { request, keys, reply, .. } = ctx;
    let zset = keys.read_as::<Zset>(request.arg(1))?;
    let asked = Asked::parse(cursor, Form::Search, request.arg(0), zset)?;
    reply_found(reply, &find(zset, &asked), &asked);
    Ok(Flow::Done)
}

fn geosearchstore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let cursor = ctx.cursor(3);
    let WriteCtx { request, keys, .. } = ctx;
    keys.read_as::<Zset>(request.arg(2))?;
    let zset = keys.beside_as::<Zset>(request.arg(2))?;
    let asked = Asked::parse(cursor, Form::SearchStore, request.arg(0), zset)?;
    let result = kept(&find(zset, &asked), &asked, asked.by_distance, keys.rules());
    crate::zset::keep(ctx, ctx.arg(1), "geosearchstore", result)
}
