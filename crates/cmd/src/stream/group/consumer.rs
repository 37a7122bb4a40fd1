//! `XGROUP CREATECONSUMER key group consumer` and `XGROUP DELCONSUMER key group consumer`

use super::super::STREAM;
use super::need_group;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;

/// `XGROUP CREATECONSUMER`: adds a consumer; whether there was none of this name.
pub(super) const CREATECONSUMER: Command = Command {
    spec: Spec {
        name: "createconsumer",
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: &[KeySpec::one(2, KeyFlags::RW.and(KeyFlags::INSERT))],
        since: "6.2.0",
        summary: "Creates a consumer in a consumer group.",
        ..CONSUMER
    },
    run: Run::Write(create),
};

/// `XGROUP DELCONSUMER`: removes a consumer; how many deliveries were pending with it.
pub(super) const DELCONSUMER: Command = Command {
    spec: Spec {
        name: "delconsumer",
        flags: Flags::WRITE,
        keys: &[KeySpec::one(2, KeyFlags::RW.and(KeyFlags::DELETE))],
        summary: "Removes a consumer from a consumer group.",
        ..CONSUMER
    },
    run: Run::Write(delete),
};

/// What both have in common.
const CONSUMER: Spec = Spec { arity: Arity::Exactly(5), syntax: "key group consumer", ..STREAM };

fn create(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, consumer) = (ctx.arg(2), ctx.arg(3), ctx.arg(4));
    let now_ms = ctx.now.unix.ms();
    need_group(ctx)?;
    let outcome = ctx.keys.edit_unnoticed_as::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |_, group| group.add_consumer(consumer, now_ms).is_some())
    })?;
    let is_new = outcome.flatten().unwrap_or(false);
    if is_new {
        ctx.keys.tell(Class::Stream, "xgroup-createconsumer", key);
        ctx.changed();
    }
    ctx.reply.flag(is_new);
    Ok(Flow::Done)
}

fn delete(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, consumer) = (ctx.arg(2), ctx.arg(3), ctx.arg(4));
    let stream = need_group(ctx)?;
    let known = stream.group(name).and_then(|group| group.consumer_id(consumer));
    let mut pending = 0;
    if let Some(consumer) = known {
        let outcome = ctx.keys.edit_unnoticed_as::<Stream, _>(key, |stream, _| {
            stream.edit_group(name, |_, group| group.remove_consumer(consumer))
        })?;
        pending = outcome.flatten().unwrap_or(0);
        ctx.keys.tell(Class::Stream, "xgroup-delconsumer", key);
        ctx.changed();
    }
    ctx.reply.count(pending);
    Ok(Flow::Done)
}
