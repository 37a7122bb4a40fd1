//! `SINTERCARD numkeys key... [LIMIT limit]`

use super::combine;
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use alloc::vec::Vec;
use core::ops::ControlFlow;
use vesta_spec::{Arity, BeginSearch, Categories, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;
use vesta_types::number;

/// `SINTERCARD numkeys key... [LIMIT limit]`: how many members all sets have.
pub(super) const SINTERCARD: Command = Command {
    spec: Spec {
        name: "sintercard",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY.and(Flags::MOVABLEKEYS),
        categories: Categories::SET,
        keys: &[KeySpec {
            begin: BeginSearch::Index(1),
            find: FindKeys::Count { count_at: 0, first: 1, step: 1 },
            flags: KeyFlags::RO.and(KeyFlags::ACCESS),
            notes: "",
        }],
        group: Group::Set,
        since: "7.0.0",
        complexity: "O(N*M) at worst, with N members in the smallest of M sets",
        summary: "Counts the members that all of several sets have.",
        syntax: "numkeys:integer key... [LIMIT limit:integer]",
        ..Spec::EMPTY
    },
    run: Run::Read(sintercard),
};

fn sintercard(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let numkeys = number::parse_i64(request.arg(1)).and_then(|count| usize::try_from(count).ok());
    let numkeys = numkeys
        .filter(|count| *count > 0)
        .ok_or(ReplyError::text("numkeys should be greater than 0"))?;
    if numkeys > request.len() - 2 {
        return Err(ReplyError::text("Number of keys can't be greater than number of args"));
    }
    let limit = parse_limit(Cursor::new(*request, 2 + numkeys))?;
    let sources = request.args_from(2).take(numkeys);
    combine::read_all(keys, sources.clone())?;
    let sets: Option<Vec<&Set>> = combine::sets(keys, sources).into_iter().collect();
    let mut count = 0;
    let _ = Set::intersect(&mut sets.unwrap_or_default(), |_| {
        count += 1;
        if count == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    reply.count(count);
    Ok(Flow::Done)
}

/// Where to stop counting; 0 for nowhere.
fn parse_limit(mut cursor: Cursor<'_>) -> Result<usize, ReplyError> {
    let mut limit = 0;
    while !cursor.is_done() {
        if !cursor.take("limit") {
            return Err(ReplyError::Syntax);
        }
        limit = number::parse_i64(cursor.need()?)
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or(ReplyError::text("LIMIT can't be negative"))?;
    }
    Ok(limit)
}
