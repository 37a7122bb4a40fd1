//! `OBJECT IDLETIME key`

use super::ABOUT_KEY;
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::Spec;
use vesta_store::{AccessPolicy, Entry};

/// `OBJECT IDLETIME key`: seconds since a key was last used, while the server tracks that.
pub(super) const IDLETIME: Command = Command {
    spec: Spec {
        name: "idletime",
        summary: "Tells how many seconds ago a key was last used.",
        ..ABOUT_KEY
    },
    run: Run::Read(idletime),
};

fn idletime(ctx: &mut ReadCtx<'_>) -> Outcome {
    let clock = ctx.keys.inspect(ctx.request.arg(2)).map(Entry::clock);
    let access = ctx.keys.store().access();
    match (clock, access.policy) {
        (None, _) => ctx.reply.null(),
        (Some(clock), AccessPolicy::Lru) => {
            let idle_s = access.idle_seconds(clock, ctx.now.unix);
            ctx.reply.int(i64::try_from(idle_s).unwrap_or(i64::MAX));
        }
        (Some(_), AccessPolicy::Lfu) => {
            return Err(ReplyError::text(
                "An LFU maxmemory policy is selected, idle time not tracked. Please note that \
                 when switching between policies at runtime LRU and LFU data will take some time \
                 to adjust.",
            ));
        }
    }
    Ok(Flow::Done)
}
