//! `TIME`

use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Group, Spec};

/// `TIME`: seconds since 1970, and microseconds of the present second.
pub(super) const TIME: Command = Command {
    spec: Spec {
        name: "time",
        arity: Arity::Exactly(1),
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        group: Group::Server,
        since: "2.6.0",
        summary: "Tells the server's clock.",
        tips: &["nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Control(time),
};

fn time(ctx: &mut ControlCtx<'_>) -> Outcome {
    let unix = ctx.now.unix;
    let mut digits = itoa::Buffer::new();
    ctx.reply.array(2);
    ctx.reply.text(digits.format(unix.secs()));
    ctx.reply.text(digits.format(unix.0 % 1_000_000));
    Ok(Flow::Done)
}
