//! `OBJECT subcommand`: how the server keeps the value of a key. None of it counts as a use.

mod encoding;
mod freq;
mod help;
mod idletime;
mod refcount;

use crate::{Command, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `OBJECT subcommand`.
pub(super) const OBJECT: Command = Command {
    spec: Spec {
        name: "object",
        arity: Arity::AtLeast(2),
        group: Group::Generic,
        since: "2.2.3",
        complexity: "Depends on the subcommand",
        summary: "Holds the subcommands that tell how values are kept.",
        ..Spec::EMPTY
    },
    run: Run::Container(&[
        encoding::ENCODING,
        freq::FREQ,
        help::HELP,
        idletime::IDLETIME,
        refcount::REFCOUNT,
    ]),
};

/// What the subcommands about a key have in common.
const ABOUT_KEY: Spec = Spec {
    arity: Arity::Exactly(3),
    flags: Flags::READONLY,
    categories: Categories::KEYSPACE,
    keys: &[KeySpec::one(2, KeyFlags::RO)],
    group: Group::Generic,
    since: "2.2.3",
    syntax: "key",
    tips: &["nondeterministic_output"],
    ..Spec::EMPTY
};
