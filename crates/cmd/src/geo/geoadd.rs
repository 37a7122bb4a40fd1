//! `GEOADD key [NX | XX] [CH] longitude latitude member...`

use super::parse_position;
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Placed, Rules, Zset};

/// `GEOADD key [NX | XX] [CH] longitude latitude member...`: puts members at places. Replicates as
/// the ZADD that gives them their scores.
pub(super) const GEOADD: Command = Command {
    spec: Spec {
        name: "geoadd",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::GEO,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(log(N)) for each member, in an index of N",
        summary: "Adds members with their places to a geospatial index, or moves them.",
        syntax: "key [condition=<NX | XX>] [CH@change] \
                 longitude_latitude_member=(longitude:double latitude:double member)...",
        history: &[("6.2.0", "Added the `CH`, `NX` and `XX` options.")],
        ..Spec::EMPTY
    },
    run: Run::Write(geoadd),
};

/// Which changes are made, and which are counted.
#[derive(Default)]
struct Options {
    nx: bool,
    xx: bool,
    ch: bool,
}

impl Options {
    /// Reads the options, of which each may come often.
    fn take(cursor: &mut Cursor<'_>) -> Self {
        let mut options = Self::default();
        loop {
            if cursor.take("nx") {
                options.nx = true;
            } else if cursor.take("xx") {
                options.xx = true;
            } else if cursor.take("ch") {
                options.ch = true;
            } else {
                return options;
            }
        }
    }
}

fn geoadd(ctx: &mut WriteCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(2);
    let options = Options::take(&mut cursor);
    if !cursor.left().is_multiple_of(3) || (options.nx && options.xx) {
        return Err(ReplyError::Syntax);
    }
    let first = cursor.position();
    let mut places: Vec<(&[u8], u64)> = Vec::with_capacity(cursor.left() / 3);
    while !cursor.is_done() {
        let position = parse_position(cursor.need()?, cursor.need()?)?;
        places.push((cursor.need()?, position.score()));
    }
    if places.is_empty() {
        return Err(ReplyError::Syntax);
    }
    let key = ctx.arg(1);
    let change = |zset: &mut Zset, rules: &Rules| {
        let (mut added, mut updated) = (0_u64, 0_u64);
        for (name, score) in &places {
            let is_wanted = !(options.nx || options.xx) || zset.score(name).is_some() == options.xx;
            match is_wanted.then(|| zset.insert(name, *score as f64, rules)) {
                Some(Placed::Inserted) => added += 1,
                Some(Placed::Updated { .. }) => updated += 1,
                Some(Placed::Unchanged) | None => {}
            }
        }
        (added, updated)
    };
    let (added, updated) = ctx.keys.upsert_as(key, change)?;
    if added + updated > 0 {
        ctx.notify(Class::Zset, "zadd", key);
        propagate(ctx, first, &places, added + updated);
    }
    let count = if options.ch { added + updated } else { added };
    ctx.reply.int(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

/// Replicates as ZADD with the same options.
fn propagate(ctx: &mut WriteCtx<'_>, first: usize, places: &[(&[u8], u64)], count: u64) {
    if !ctx.propagation.is_wanted() {
        return ctx.changed_times(count);
    }
    let mut digits: Vec<itoa::Buffer> = places.iter().map(|_| itoa::Buffer::new()).collect();
    let mut arguments: Vec<&[u8]> = Vec::with_capacity(first + places.len() * 2);
    arguments.push(b"ZADD");
    arguments.extend((1..first).map(|index| ctx.request.arg(index)));
    for ((name, score), digits) in places.iter().zip(&mut digits) {
        arguments.extend([digits.format(*score).as_bytes(), name]);
    }
    ctx.changed_as_times(&arguments, count);
}
