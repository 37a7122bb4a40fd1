//! `LINDEX key index`

use super::place;
use crate::element::reply_element_or_null;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Direction, List};

/// `LINDEX key index`: the element with an index; -1 is the last one.
pub(super) const LINDEX: Command = Command {
    spec: Spec {
        name: "lindex",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY,
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::List,
        complexity: "O(N) in the number of elements to the nearer end",
        summary: "Returns the element of a list with an index.",
        syntax: "key index:integer",
        ..Spec::EMPTY
    },
    run: Run::Read(lindex),
};

fn lindex(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let Some(list) = keys.read_as::<List>(request.arg(1))? else {
        reply.null();
        return Ok(Flow::Done);
    };
    match place::place(place::index(request.arg(2))?, list.len()) {
        Some(at) => reply_element_or_null(reply, list.walk(at, Direction::Forward).next()),
        None => reply.null(),
    }
    Ok(Flow::Done)
}
