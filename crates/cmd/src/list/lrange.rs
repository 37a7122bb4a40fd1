//! `LRANGE key start stop`

use super::place;
use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::List;

/// `LRANGE key start stop`: the elements from one index to another, both included.
pub(super) const LRANGE: Command = Command {
    spec: Spec {
        name: "lrange",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY,
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::List,
        complexity: "O(S+N): S from the nearer end to the first element, N elements returned",
        summary: "Returns a range of the elements of a list.",
        syntax: "key start:integer stop:integer",
        ..Spec::EMPTY
    },
    run: Run::Read(lrange),
};

fn lrange(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let (start, stop) = (place::index(request.arg(2))?, place::index(request.arg(3))?);
    match keys.read_as::<List>(request.arg(1))? {
        None => reply.array(0),
        Some(list) => {
            let range = place::range(start, stop, list.len());
            reply.array(range.len());
            list.for_each(range, |element| reply_element(reply, element));
        }
    }
    Ok(Flow::Done)
}
