//! `DUMP key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_persist::rdb::{Target, encode_payload};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `DUMP key`: a payload from which RESTORE makes the value again, here or on another server.
///
/// It is written so that Redis 7.0 can read it, unless fields of a hash expire. Source: payloads of
/// redis-server 7.0.15, which are the same byte for byte where the encoding and LZF are.
pub(super) const DUMP: Command = Command {
    spec: Spec {
        name: "dump",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "O(1) to find the key, and O(N*M) to write N elements of M bytes",
        summary: "Returns the value of a key as a payload that can be restored elsewhere.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Read(dump),
};

fn dump(ctx: &mut ReadCtx<'_>) -> Outcome {
    let compresses = ctx.config.rdbcompression;
    match ctx.keys.read(ctx.request.arg(1)) {
        Some(entry) => {
            ctx.reply.bulk(&encode_payload(&entry.value(), Target::Redis70, compresses));
        }
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}
