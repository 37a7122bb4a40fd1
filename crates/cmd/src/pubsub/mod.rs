//! Messages to whoever listens: channels and patterns. Who has subscribed to what, and the way a
//! message takes, are the node's.

mod channels;
mod help;
mod numpat;
mod numsub;
mod publish;
mod subscribe;
mod unsubscribe;

use crate::{Command, Run};
use vesta_spec::{Arity, Flags, Group, Spec};

/// All commands of the family.
pub const COMMANDS: &[&Command] = &[
    &publish::PUBLISH,
    &PUBSUB,
    &subscribe::SUBSCRIBE,
    &subscribe::PSUBSCRIBE,
    &unsubscribe::UNSUBSCRIBE,
    &unsubscribe::PUNSUBSCRIBE,
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
    run: Run::Container(&[channels::CHANNELS, help::HELP, numpat::NUMPAT, numsub::NUMSUB]),
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
