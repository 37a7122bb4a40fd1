//! `FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]`

use crate::host::Failover;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Flags, Group, Spec};
use vesta_types::{ascii, number};

/// `FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT ms]`: hands the part of the primary over to a
/// replica, without loss: writes are held back until the replica has everything. The reply comes at
/// once, and INFO tells how it goes on (`master_failover_state`). `ABORT` calls it off; after the
/// `TIMEOUT` it is called off by itself or, with `FORCE`, carried on as it is.
pub(super) const FAILOVER: Command = Command {
    spec: Spec {
        name: "failover",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::STALE),
        group: Group::Server,
        since: "6.2.0",
        summary: "Hands the part of the primary over to a replica.",
        syntax: "[target=(TO host port:integer [FORCE])] [ABORT] [TIMEOUT milliseconds:integer]",
        ..Spec::EMPTY
    },
    run: Run::Control(failover),
};

fn failover(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut wish = Failover::default();
    let (mut abort, mut timeout, mut at) = (false, None, 1);
    let count = ctx.request.len();
    while at < count {
        let left = count - at - 1;
        let is = |word| ascii::is_word(ctx.arg(at), word);
        let integer = |index| number::parse_i64(ctx.arg(index)).ok_or(ReplyError::NotInteger);
        if timeout.is_none() && left > 0 && is("timeout") {
            let ms = integer(at + 1)?;
            let ms = u64::try_from(ms).ok().filter(|ms| *ms > 0);
            timeout = Some(ms.ok_or(ReplyError::text("FAILOVER timeout must be greater than 0"))?);
            at += 2;
        } else if count == 2 && is("abort") {
            abort = true;
            at += 1;
        } else if wish.target.is_none() && left > 1 && is("to") {
            wish.target = Some((ascii::lossy(ctx.arg(at + 1)), integer(at + 2)?));
            at += 3;
        } else if !wish.force && is("force") {
            wish.force = true;
            at += 1;
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    wish.timeout_ms = timeout;
    if abort {
        ctx.host.abort_failover()?;
    } else {
        ctx.host.fail_over(wish)?;
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}
