//! `APPEND key value`

use crate::string::limit;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;

/// `APPEND key value`: adds bytes to the end of a string, which may be missing.
pub(super) const APPEND: Command = Command {
    spec: Spec {
        name: "append",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        group: Group::String,
        since: "2.0.0",
        complexity: "O(1) amortized: room for further appends is kept behind a long string",
        summary: "Adds bytes to the end of a string and creates it if needed.",
        syntax: "key value",
        ..Spec::EMPTY
    },
    run: Run::Write(append),
};

fn append(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, tail, config) = (ctx.arg(1), ctx.arg(2), ctx.config);
    let appended = ctx.keys.edit_string(key, |entry| {
        limit::grown(config, entry.value_len(), tail.len()).map(|_| entry.append(tail))
    })?;
    let length = match appended {
        Some(length) => length?,
        None => {
            let value = ctx.value(2);
            ctx.keys.set(key, value, Deadline::Never);
            tail.len()
        }
    };
    ctx.notify(Class::String, "append", key);
    ctx.changed();
    ctx.reply.count(length);
    Ok(Flow::Done)
}
