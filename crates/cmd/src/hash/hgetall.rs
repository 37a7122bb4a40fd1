//! `HGETALL key`, `HKEYS key` and `HVALS key`

use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;

/// `HGETALL key`: all fields with their values.
pub(super) const HGETALL: Command = Command {
    spec: Spec {
        name: "hgetall",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) in the number of fields",
        summary: "Returns all fields of a hash with their values.",
        syntax: "key",
        tips: &["nondeterministic_output_order"],
        ..Spec::EMPTY
    },
    run: Run::Read(|ctx| reply_with(ctx, Parts::Both)),
};

/// `HKEYS key`: the names of all fields.
pub(super) const HKEYS: Command = Command {
    spec: Spec {
        name: "hkeys",
        summary: "Returns the names of all fields of a hash.",
        ..HGETALL.spec
    },
    run: Run::Read(|ctx| reply_with(ctx, Parts::Names)),
};

/// `HVALS key`: the values of all fields.
pub(super) const HVALS: Command = Command {
    spec: Spec {
        name: "hvals",
        summary: "Returns the values of all fields of a hash.",
        ..HGETALL.spec
    },
    run: Run::Read(|ctx| reply_with(ctx, Parts::Values)),
};

/// What of each field is wanted.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Parts {
    Both,
    Names,
    Values,
}

fn reply_with(ctx: &mut ReadCtx<'_>, parts: Parts) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let now_ms = keys.now_ms();
    let hash = keys.read_as::<Hash>(request.arg(1))?;
    let count = hash.map_or(0, |hash| hash.live_len(now_ms));
    match parts {
        Parts::Both => reply.map(count),
        Parts::Names | Parts::Values => reply.array(count),
    }
    for (name, value) in hash.into_iter().flat_map(|hash| hash.iter(now_ms)) {
        if parts != Parts::Values {
            reply_element(reply, name);
        }
        if parts != Parts::Names {
            reply_element(reply, value);
        }
    }
    Ok(Flow::Done)
}
