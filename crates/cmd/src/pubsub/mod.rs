//! Messages to whoever listens: channels, patterns and shard channels. Who has subscribed to what,
//! and the way a message takes, are the node's.

mod channels;
mod help;
mod numpat;
mod numsub;
mod publish;
mod subscribe;
mod unsubscribe;

use crate::host::Topic;
use crate::{Command, ControlCtx, Run};
use vesta_spec::{Arity, Flags, Group, Spec};

/// All commands of the family.
pub const COMMANDS: &[&Command] = &[
    &publish::PUBLISH,
    &publish::SPUBLISH,
    &PUBSUB,
    &subscribe::SUBSCRIBE,
    &subscribe::PSUBSCRIBE,
    &subscribe::SSUBSCRIBE,
    &unsubscribe::UNSUBSCRIBE,
    &unsubscribe::PUNSUBSCRIBE,
    &unsubscribe::SUNSUBSCRIBE,
];

/// `PUBSUB subcommand ...`: about channels and patterns.
const PUBSUB: Command = Command {
    spec: Spec {
        name: "pubsub",
        arity: Arity::AtLeast(2),
        group: Group::Pubsub,
        since: "2.8.0",
        complexity: "Depends on the sub-command.",
        summary: "Holds the commands about channels and patterns.",
        ..Spec::EMPTY
    },
    run: Run::Container(&[
        channels::CHANNELS,
        help::HELP,
        numpat::NUMPAT,
        numsub::NUMSUB,
        channels::SHARDCHANNELS,
        numsub::SHARDNUMSUB,
    ]),
};

/// What commands that ask about subscriptions have in common.
const ASKS: Spec = Spec {
    arity: Arity::AtLeast(2),
    flags: Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE),
    group: Group::Pubsub,
    since: "2.8.0",
    ..Spec::EMPTY
};

/// What commands that change the client's subscriptions have in common.
const SUBSCRIPTION: Spec = Spec {
    flags: ASKS.flags.and(Flags::NOSCRIPT),
    group: Group::Pubsub,
    since: "2.0.0",
    ..Spec::EMPTY
};

/// Confirms a subscription or the end of one by a message, with how many there are then; `name` is
/// null when there was none to end.
fn confirm(ctx: &mut ControlCtx<'_>, topic: Topic, word: &str, name: Option<&[u8]>) {
    let count = ctx.host.subscription_count(topic);
    ctx.reply.push(3);
    ctx.reply.text(word);
    match name {
        Some(name) => ctx.reply.bulk(name),
        None => ctx.reply.null(),
    }
    ctx.reply.count(count);
}
