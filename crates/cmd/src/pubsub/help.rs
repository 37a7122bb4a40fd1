//! `PUBSUB HELP`

use crate::help::reply_help;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Group, Spec};

/// `PUBSUB HELP`: what the sub-commands are.
pub(super) const HELP: Command = Command {
    spec: Spec {
        name: "help",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        group: Group::Pubsub,
        since: "6.2.0",
        summary: "Lists the sub-commands.",
        ..Spec::EMPTY
    },
    run: Run::Control(print),
};

fn print(ctx: &mut ControlCtx<'_>) -> Outcome {
    reply_help(
        &mut ctx.reply,
        "PUBSUB",
        &[
            "CHANNELS [<pattern>]",
            "    List the channels that have subscribers, those that match <pattern> or all.",
            "NUMPAT",
            "    Tell how many different patterns clients have subscribed to.",
            "NUMSUB [<channel> ...]",
            "    Tell how many clients have subscribed to each <channel>, those with patterns",
            "    that match left out.",
            "SHARDCHANNELS [<pattern>]",
            "    List the shard channels that have subscribers, those that match <pattern> or all.",
            "SHARDNUMSUB [<shardchannel> ...]",
            "    Tell how many clients have subscribed to each <shardchannel>.",
        ],
    );
    Ok(Flow::Done)
}
