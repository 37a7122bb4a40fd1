//! `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`

use crate::element::reply_element;
use crate::page::{self, Page};
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`: the fields of a hash in steps.
///
/// A field that is there from the first call to the last is returned at least once. A small hash
/// is returned whole.
pub(super) const HSCAN: Command = Command {
    spec: Spec {
        name: "hscan",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Hash,
        since: "2.8.0",
        complexity: "O(1) for a call; O(N) in the number of fields for all until the cursor is 0",
        summary: "Returns the fields of a hash with their values step by step.",
        syntax: "key cursor:integer [MATCH pattern] [COUNT count:integer] [NOVALUES]",
        tips: &["nondeterministic_output"],
        history: &[("7.4.0", "Added the `NOVALUES` option.")],
        ..Spec::EMPTY
    },
    run: Run::Read(hscan),
};

fn hscan(ctx: &mut ReadCtx<'_>) -> Outcome {
    let cursor = page::parse_cursor(ctx.arg(2))?;
    let options = ctx.cursor(3);
    let ReadCtx { request, keys, reply, .. } = ctx;
    let now_ms = keys.now_ms();
    let place = reply.deferred();
    let Some(hash) = keys.read_as::<Hash>(request.arg(1))? else {
        // The options of a hash that is not there are not looked at.
        reply.close_page(place, 0, 0);
        return Ok(Flow::Done);
    };
    let (page, with_values) = parse(options)?;
    let mut returned = 0;
    let cursor = page.walk(cursor, |cursor| {
        let mut seen = 0;
        let next = hash.scan(cursor, now_ms, |name, value| {
            seen += 1;
            if page.accepts_element(name) {
                returned += 1;
                reply_element(reply, name);
                if with_values {
                    reply_element(reply, value);
                }
            }
        });
        (next, seen)
    });
    reply.close_page(place, cursor, if with_values { returned * 2 } else { returned });
    Ok(Flow::Done)
}

/// The page, and whether values are wanted.
fn parse(mut cursor: Cursor<'_>) -> Result<(Page<'_>, bool), ReplyError> {
    let (mut page, mut with_values) = (Page::new(), true);
    while !cursor.is_done() {
        if cursor.take("novalues") {
            with_values = false;
        } else if !page.take(&mut cursor)? {
            return Err(ReplyError::Syntax);
        }
    }
    Ok((page, with_values))
}
