//! `SSCAN key cursor [MATCH pattern] [COUNT count]`

use crate::element::reply_element;
use crate::page::{self, Page};
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`: the members of a set in steps.
///
/// A member that is there from the first call to the last is returned at least once. A small set
/// is returned whole by any call.
pub(super) const SSCAN: Command = Command {
    spec: Spec {
        name: "sscan",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Set,
        since: "2.8.0",
        complexity: "O(1) for a call; O(N) in the number of members for all until the cursor is 0",
        summary: "Returns the members of a set step by step.",
        syntax: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
        tips: &["nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Read(sscan),
};

fn sscan(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let cursor = page::parse_cursor(request.arg(2))?;
    let Some(set) = keys.read_as::<Set>(request.arg(1))? else {
        let place = reply.deferred();
        reply.close_page(place, 0, 0);
        return Ok(Flow::Done);
    };
    let page = Page::parse(Cursor::new(*request, 3))?;
    let place = reply.deferred();
    let mut returned = 0;
    let next = page.walk(cursor, |cursor| {
        let mut seen = 0;
        let next = set.scan(cursor, |member| {
            seen += 1;
            if page.accepts_element(member) {
                returned += 1;
                reply_element(reply, member);
            }
        });
        (next, seen)
    });
    reply.close_page(place, next, returned);
    Ok(Flow::Done)
}
