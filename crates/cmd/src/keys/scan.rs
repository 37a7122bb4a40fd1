//! `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`

use crate::page::{self, Page};
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_store::{Entry, object};
use vesta_types::ascii;

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`: the keys of the database in steps.
///
/// A key that is there from the first call to the last is returned at least once.
pub(super) const SCAN: Command = Command {
    spec: Spec {
        name: "scan",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        group: Group::Generic,
        since: "2.8.0",
        complexity: "O(1) for a call; O(N) in the number of keys for all until the cursor is 0",
        summary: "Returns the key names of the database step by step.",
        syntax: "cursor:integer [MATCH pattern] [COUNT count:integer] [TYPE type]",
        tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
        history: &[("6.0.0", "Added the `TYPE` option.")],
        ..Spec::EMPTY
    },
    run: Run::Read(scan),
};

fn scan(ctx: &mut ReadCtx<'_>) -> Outcome {
    let cursor = page::parse_cursor(ctx.arg(1))?;
    let (mut page, mut wanted_kind) = (Page::new(), None);
    let mut options = ctx.cursor(2);
    while !options.is_done() {
        if options.take("type") {
            wanted_kind = Some(options.need()?);
        } else if !page.take(&mut options)? {
            return Err(ReplyError::Syntax);
        }
    }
    let is_wanted = |entry: &Entry| {
        page.accepts(entry.key())
            && wanted_kind.is_none_or(|kind| ascii::is_word(kind, object::type_name(entry)))
    };
    let ReadCtx { keys, reply, .. } = ctx;
    let place = reply.deferred();
    let mut returned = 0;
    let next = page.walk(cursor, |cursor| {
        let mut seen = 0;
        let next = keys.scan(cursor, |entry| {
            seen += 1;
            if is_wanted(entry) {
                returned += 1;
                reply.bulk(entry.key());
            }
        });
        (next, seen)
    });
    reply.close_page(place, next, returned);
    Ok(Flow::Done)
}
