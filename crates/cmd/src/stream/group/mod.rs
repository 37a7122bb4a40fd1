//! `XGROUP subcommand`: the consumer groups of a stream.

mod consumer;
mod create;
mod destroy;
mod help;
mod setid;

use super::{STREAM, no_group_in};
use crate::help::misused;
use crate::{Command, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Spec};
use vesta_store::Stream;

/// `XGROUP subcommand`.
pub(super) const XGROUP: Command = Command {
    spec: Spec {
        name: "xgroup",
        arity: Arity::AtLeast(2),
        categories: Categories::NONE,
        complexity: "Depends on the subcommand",
        summary: "Holds the subcommands about consumer groups.",
        ..STREAM
    },
    run: Run::Container(&[
        create::CREATE,
        consumer::CREATECONSUMER,
        consumer::DELCONSUMER,
        destroy::DESTROY,
        help::HELP,
        setid::SETID,
    ]),
};

const NO_KEY: ReplyError = ReplyError::text(
    "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
     the MKSTREAM option to create an empty stream automatically.",
);

/// The options behind the id.
struct Options {
    makes_stream: bool,
    /// `Some(None)`: given as unknown.
    entries_read: Option<Option<u64>>,
}

impl Options {
    /// Reads the options; only CREATE makes a stream.
    fn parse(ctx: &WriteCtx<'_>, may_make_stream: bool) -> Result<Self, ReplyError> {
        let mut options = Self { makes_stream: false, entries_read: None };
        let mut cursor = ctx.cursor(5);
        while !cursor.is_done() {
            if may_make_stream && cursor.take("mkstream") {
                options.makes_stream = true;
            } else if cursor.left() > 1 && cursor.take("entriesread") {
                options.entries_read = Some(match cursor.need_i64()? {
                    -1 => None,
                    number => Some(u64::try_from(number).map_err(|_| {
                        ReplyError::text("value for ENTRIESREAD must be positive or -1")
                    })?),
                });
            } else {
                return Err(misused(ctx.request));
            }
        }
        Ok(options)
    }
}

/// The stream at the key, which must be there and have the group.
fn need_group<'k>(ctx: &'k mut WriteCtx<'_>) -> Result<&'k Stream, ReplyError> {
    let (key, name) = (ctx.arg(2), ctx.arg(3));
    let stream = ctx.keys.look_as::<Stream>(key)?.ok_or(NO_KEY)?;
    if stream.group(name).is_none() {
        return Err(no_group_in(key, name));
    }
    Ok(stream)
}
