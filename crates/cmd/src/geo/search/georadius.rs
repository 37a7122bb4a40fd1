//! `GEORADIUS key longitude latitude radius unit ...` and `GEORADIUSBYMEMBER key member radius unit
//! ...`, and their forms that only read

use super::find::find;
use super::options::{Asked, Form};
use super::{area, kept, reply_found};
use crate::geo::earth::Shape;
use crate::geo::unit::Unit;
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run, WriteCtx};
use vesta_spec::{
    Arity, BeginSearch, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec,
};
use vesta_store::Zset;

/// The key behind a word.
const fn kept_at(keyword: &'static str, from: i8) -> KeySpec {
    KeySpec {
        begin: BeginSearch::Keyword { keyword, from },
        ..KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE))
    }
}

/// `GEORADIUS key longitude latitude radius unit ...`: the older form of GEOSEARCH, and with STORE
/// of GEOSEARCHSTORE.
pub(in crate::geo) const GEORADIUS: Command = Command {
    spec: Spec {
        name: "georadius",
        arity: Arity::AtLeast(6),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLEKEYS),
        categories: Categories::GEO,
        keys: &[
            KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS)),
            kept_at("STORE", 6),
            kept_at("STOREDIST", 6),
        ],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(log(N)+M): M members of N in the cells around the circle",
        summary: "Returns the members of a geospatial index around a place, or keeps them.",
        syntax: "key longitude:double latitude:double radius:double unit=<M | KM | FT | MI> \
                 [WITHCOORD] [WITHDIST] [WITHHASH] [count=(COUNT count:integer [ANY])] \
                 [order=<ASC | DESC>] [STORE key] [STOREDIST key]",
        history: &[
            ("6.2.0", "Added the `ANY` option of `COUNT`."),
            ("7.0.0", "Names of units may be in upper case."),
        ],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
        }),
        ..Spec::EMPTY
    },
    run: Run::Write(georadius),
};

/// `GEORADIUS_RO`: as GEORADIUS without STORE.
pub(in crate::geo) const GEORADIUS_RO: Command = Command {
    spec: Spec {
        name: "georadius_ro",
        flags: Flags::READONLY,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        since: "3.2.10",
        summary: "Returns the members of a geospatial index around a place.",
        syntax: "key longitude:double latitude:double radius:double unit=<M | KM | FT | MI> \
                 [WITHCOORD] [WITHDIST] [WITHHASH] [count=(COUNT count:integer [ANY])] \
                 [order=<ASC | DESC>]",
        history: &[("6.2.0", "Added the `ANY` option of `COUNT`.")],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` with the `BYRADIUS` argument",
        }),
        ..GEORADIUS.spec
    },
    run: Run::Read(georadius_ro),
};

/// `GEORADIUSBYMEMBER key member radius unit ...`: the older form of GEOSEARCH from a member, and
/// with STORE of GEOSEARCHSTORE.
pub(in crate::geo) const GEORADIUSBYMEMBER: Command = Command {
    spec: Spec {
        name: "georadiusbymember",
        arity: Arity::AtLeast(5),
        keys: &[
            KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS)),
            kept_at("STORE", 5),
            kept_at("STOREDIST", 5),
        ],
        summary: "Returns the members of a geospatial index around one of them, or keeps them.",
        syntax: "key member radius:double unit=<M | KM | FT | MI> \
                 [WITHCOORD] [WITHDIST] [WITHHASH] [count=(COUNT count:integer [ANY])] \
                 [order=<ASC | DESC>] [STORE key] [STOREDIST key]",
        history: &[("7.0.0", "Names of units may be in upper case.")],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` \
                          arguments",
        }),
        ..GEORADIUS.spec
    },
    run: Run::Write(georadiusbymember),
};

/// `GEORADIUSBYMEMBER_RO`: as GEORADIUSBYMEMBER without STORE.
pub(in crate::geo) const GEORADIUSBYMEMBER_RO: Command = Command {
    spec: Spec {
        name: "georadiusbymember_ro",
        arity: Arity::AtLeast(5),
        summary: "Returns the members of a geospatial index around one of them.",
        syntax: "key member radius:double unit=<M | KM | FT | MI> \
                 [WITHCOORD] [WITHDIST] [WITHHASH] [count=(COUNT count:integer [ANY])] \
                 [order=<ASC | DESC>]",
        history: &[],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
        }),
        ..GEORADIUS_RO.spec
    },
    run: Run::Read(georadiusbymember_ro),
};

/// Reads what follows the key: the area, then the options.
type Parse = for<'a> fn(Cursor<'a>, Form, Option<&Zset>) -> Result<Asked<'a>, ReplyError>;

fn around_position<'a>(
    mut cursor: Cursor<'a>,
    form: Form,
    _: Option<&Zset>,
) -> Result<Asked<'a>, ReplyError> {
    let middle = area::position(&mut cursor)?;
    let (shape, unit) = area::circle(&mut cursor)?;
    Asked::new(Some(middle), shape, unit).with_options(cursor, form)
}

/// Where there is no index, nobody looks at the radius either. Source: redis-server 7.0.15.
fn around_member<'a>(
    mut cursor: Cursor<'a>,
    form: Form,
    zset: Option<&Zset>,
) -> Result<Asked<'a>, ReplyError> {
    let middle = area::member(&mut cursor, zset)?;
    let (shape, unit) = match middle {
        Some(_) => area::circle(&mut cursor)?,
        None => {
            cursor.need()?;
            cursor.need()?;
            (Shape::Circle { radius_m: 0.0 }, Unit::METRE)
        }
    };
    Asked::new(middle, shape, unit).with_options(cursor, form)
}

fn georadius(ctx: &mut WriteCtx<'_>) -> Outcome {
    reply_or_keep(ctx, around_position)
}

fn georadiusbymember(ctx: &mut WriteCtx<'_>) -> Outcome {
    reply_or_keep(ctx, around_member)
}

fn georadius_ro(ctx: &mut ReadCtx<'_>) -> Outcome {
    reply(ctx, around_position)
}

fn georadiusbymember_ro(ctx: &mut ReadCtx<'_>) -> Outcome {
    reply(ctx, around_member)
}

fn reply(ctx: &mut ReadCtx<'_>, parse: Parse) -> Outcome {
    let cursor = ctx.cursor(2);
    let ReadCtx { request, keys, reply, .. } = ctx;
    let zset = keys.read_as::<Zset>(request.arg(1))?;
    let asked = parse(cursor, Form::RadiusReadOnly, zset)?;
    reply_found(reply, &find(zset, &asked), &asked);
    Ok(Flow::Done)
}

fn reply_or_keep(ctx: &mut WriteCtx<'_>, parse: Parse) -> Outcome {
    let cursor = ctx.cursor(2);
    let WriteCtx { request, keys, reply, .. } = ctx;
    keys.read_as::<Zset>(request.arg(1))?;
    let zset = keys.beside_as::<Zset>(request.arg(1))?;
    let asked = parse(cursor, Form::Radius, zset)?;
    let found = find(zset, &asked);
    let Some(store) = asked.store else {
        reply_found(reply, &found, &asked);
        return Ok(Flow::Done);
    };
    let result = kept(&found, &asked, store.by_distance, keys.rules());
    crate::zset::keep(ctx, store.key, "georadiusstore", result)
}
