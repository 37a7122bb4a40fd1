//! `ZSCAN key cursor [MATCH pattern] [COUNT count]`

use crate::element::reply_element;
use crate::page::{self, Page};
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;
use vesta_types::number;

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`: the members of a sorted set in steps, each
/// with its score, which is a text in RESP3 too.
///
/// A member that is there from the first call to the last is returned at least once. A small set
/// is returned whole by any call.
///
/// Scores of a large set have 17 digits, those of a small one as many as needed. Source: ZSCAN of
/// Redis, which prints the former as it did in all versions and shows the latter as they are kept.
pub(super) const ZSCAN: Command = Command {
    spec: Spec {
        name: "zscan",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::SortedSet,
        since: "2.8.0",
        complexity: "O(1) for a call; O(N) in the number of members for all until the cursor is 0",
        summary: "Returns the members of a sorted set with their scores step by step.",
        syntax: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
        tips: &["nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Read(zscan),
};

fn zscan(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let cursor = page::parse_cursor(request.arg(2))?;
    let place = reply.deferred();
    let Some(zset) = keys.read_as::<Zset>(request.arg(1))? else {
        // The options of a set that is not there are not looked at.
        reply.close_page(place, 0, 0);
        return Ok(Flow::Done);
    };
    let page = Page::parse(Cursor::new(*request, 3))?;
    let shown = if zset.listpack().is_some() { number::format_f64 } else { number::format_f64_17 };
    let mut returned = 0;
    let next = page.walk(cursor, |cursor| {
        let mut seen = 0;
        let next = zset.scan(cursor, |name, score| {
            seen += 1;
            if page.accepts_element(name) {
                returned += 1;
                reply_element(reply, name);
                reply.text(&shown(score));
            }
        });
        (next, seen)
    });
    reply.close_page(place, next, returned * 2);
    Ok(Flow::Done)
}
