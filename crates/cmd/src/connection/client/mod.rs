//! `CLIENT`: the container, and what its sub-commands share.

mod caching;
mod exempt;
mod help;
mod id;
mod info;
mod kill;
mod list;
mod name;
mod pause;
mod reply;
mod setinfo;
mod tracking;
mod trackinginfo;
mod unblock;

use crate::host::ClientKind;
use crate::{Command, ReplyError, Run};
use alloc::format;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_types::ascii;

/// `CLIENT subcommand ...`: about connections.
pub(super) const CLIENT: Command = Command {
    spec: Spec {
        name: "client",
        arity: Arity::AtLeast(2),
        group: Group::Connection,
        since: "2.4.0",
        complexity: "Depends on the sub-command.",
        summary: "Holds the commands about connections.",
        ..Spec::EMPTY
    },
    run: Run::Container(&[
        caching::CACHING,
        name::GETNAME,
        trackinginfo::GETREDIR,
        help::HELP,
        id::ID,
        info::INFO,
        kill::KILL,
        list::LIST,
        exempt::NO_EVICT,
        exempt::NO_TOUCH,
        pause::PAUSE,
        reply::REPLY,
        setinfo::SETINFO,
        name::SETNAME,
        tracking::TRACKING,
        trackinginfo::TRACKINGINFO,
        unblock::UNBLOCK,
        pause::UNPAUSE,
    ]),
};

/// What most sub-commands have in common.
const OWN: Spec = Spec {
    flags: Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE),
    categories: Categories::CONNECTION,
    group: Group::Connection,
    ..Spec::EMPTY
};

/// What those have in common that touch other clients.
const OTHERS: Spec = Spec { flags: OWN.flags.and(Flags::ADMIN), ..OWN };

/// `name` when it can be the name of a client: printable, without blanks. Empty removes a name.
///
/// # Errors
/// Any other byte.
pub(super) fn checked_name(name: &[u8]) -> Result<&[u8], ReplyError> {
    const REFUSED: ReplyError =
        ReplyError::text("Client names cannot contain spaces, newlines or special characters.");
    if is_printable(name) { Ok(name) } else { Err(REFUSED) }
}

/// Whether `text` can stand in a line of CLIENT LIST without breaking it.
fn is_printable(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

/// Reads the value of a TYPE filter.
fn kind(name: &[u8]) -> Result<ClientKind, ReplyError> {
    ClientKind::from_name(name).ok_or_else(|| {
        ReplyError::Generic(format!("Unknown client type '{}'", ascii::lossy(name)).into())
    })
}
