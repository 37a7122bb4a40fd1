//! Commands on lists.

mod blmove;
mod blmpop;
mod blpop;
mod lindex;
mod linsert;
mod llen;
mod lmove;
mod lmpop;
mod lpos;
mod lrange;
mod lrem;
mod lset;
mod ltrim;
mod place;
mod pop;
mod push;

use crate::blocking::{self, Awaited, OnTimeout};
use crate::{Command, Outcome, WriteCtx};
use core::ops::Range;
use vesta_store::object::End;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &blmove::BLMOVE,
    &blmpop::BLMPOP,
    &blpop::BLPOP,
    &blpop::BRPOP,
    &blmove::BRPOPLPUSH,
    &lindex::LINDEX,
    &linsert::LINSERT,
    &llen::LLEN,
    &lmove::LMOVE,
    &lmpop::LMPOP,
    &pop::LPOP,
    &lpos::LPOS,
    &push::LPUSH,
    &push::LPUSHX,
    &lrange::LRANGE,
    &lrem::LREM,
    &lset::LSET,
    &ltrim::LTRIM,
    &pop::RPOP,
    &lmove::RPOPLPUSH,
    &push::RPUSH,
    &push::RPUSHX,
];

/// Lets the client wait until one of the keys, which are these arguments, holds a list.
/// The event of an element taken from this end.
const fn popped(end: End) -> &'static str {
    match end {
        End::Front => "lpop",
        End::Back => "rpop",
    }
}

/// The event of an element put at this end.
const fn pushed(end: End) -> &'static str {
    match end {
        End::Front => "lpush",
        End::Back => "rpush",
    }
}

fn wait_for(
    ctx: &mut WriteCtx<'_>,
    keys: Range<usize>,
    timeout_ms: Option<u64>,
    on_timeout: OnTimeout,
) -> Outcome {
    blocking::wait_for(ctx, keys, Awaited::List, timeout_ms, on_timeout)
}
