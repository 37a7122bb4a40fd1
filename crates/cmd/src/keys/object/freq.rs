//! `OBJECT FREQ key`

use super::ABOUT_KEY;
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::Spec;
use vesta_store::{AccessPolicy, Entry};

/// `OBJECT FREQ key`: the logarithm of how often a key is used, while the server counts that.
pub(super) const FREQ: Command = Command {
    spec: Spec {
        name: "freq",
        since: "4.0.0",
        summary: "Tells the logarithmic counter of how often a key is used.",
        ..ABOUT_KEY
    },
    run: Run::Read(freq),
};

fn freq(ctx: &mut ReadCtx<'_>) -> Outcome {
    let clock = ctx.keys.inspect(ctx.request.arg(2)).map(Entry::clock);
    let access = ctx.keys.store().access();
    match (clock, access.policy) {
        (None, _) => ctx.reply.null(),
        (Some(clock), AccessPolicy::Lfu) => {
            ctx.reply.int(i64::from(access.counter(clock, ctx.now.unix)));
        }
        (Some(_), AccessPolicy::Lru) => {
            return Err(ReplyError::text(
                "An LFU maxmemory policy is not selected, access frequency not tracked. Please \
                 note that when switching between policies at runtime LRU and LFU data will take \
                 some time to adjust.",
            ));
        }
    }
    Ok(Flow::Done)
}
