//! `XINFO subcommand`: the inside of a stream.

mod consumers;
mod full;
mod groups;
mod help;
mod stream;

use super::STREAM;
use crate::{Command, Run};
use vesta_resp::Reply;
use vesta_spec::{Arity, Categories, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::stream::{Group, Log};

/// `XINFO subcommand`.
pub(super) const XINFO: Command = Command {
    spec: Spec {
        name: "xinfo",
        arity: Arity::AtLeast(2),
        categories: Categories::NONE,
        complexity: "Depends on the subcommand",
        summary: "Holds the subcommands that look into a stream.",
        ..STREAM
    },
    run: Run::Container(&[consumers::CONSUMERS, groups::GROUPS, help::HELP, stream::STREAM_INFO]),
};

/// What the subcommands about a key have in common.
const ABOUT_KEY: Spec = Spec {
    flags: Flags::READONLY,
    keys: &[KeySpec::one(2, KeyFlags::RO.and(KeyFlags::ACCESS))],
    ..STREAM
};

/// A number that may be too large for a reply's integers.
fn reply_number(reply: &mut Reply<'_>, number: u64) {
    reply.int(i64::try_from(number).unwrap_or(i64::MAX));
}

/// How many entries a group has read and how many it has yet to read, each under its name; null
/// where that is not known.
fn reply_progress(reply: &mut Reply<'_>, log: &Log, group: &Group) {
    reply.text("entries-read");
    match group.position().entries_read {
        Some(read) => reply_number(reply, read),
        None => reply.null(),
    }
    reply.text("lag");
    match group.lag(log) {
        Some(lag) => reply.int(lag),
        None => reply.null(),
    }
}
