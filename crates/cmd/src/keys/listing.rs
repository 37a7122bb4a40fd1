//! `KEYS pattern`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_types::glob;

/// `KEYS pattern`: all keys of the database that match a glob.
///
/// Visits every key in one go, by its nature; SCAN is for databases that matter.
pub(super) const KEYS: Command = Command {
    spec: Spec {
        name: "keys",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        group: Group::Generic,
        complexity: "O(N) in the number of keys of the database",
        summary: "Returns all key names that match a pattern.",
        syntax: "pattern",
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        ..Spec::EMPTY
    },
    run: Run::Read(keys),
};

fn keys(ctx: &mut ReadCtx<'_>) -> Outcome {
    let pattern = ctx.arg(1);
    let all = pattern == b"*";
    let place = ctx.reply.deferred();
    let mut found = 0;
    for entry in ctx.keys.iter() {
        if all || glob::matches(pattern, entry.key(), false) {
            ctx.reply.bulk(entry.key());
            found += 1;
        }
    }
    ctx.reply.close_array(place, found);
    Ok(Flow::Done)
}
