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

use crate::blocking::{Awaited, Block, OnTimeout, unchanged};
use crate::{Command, Outcome, WriteCtx};
use alloc::boxed::Box;
use core::ops::Range;

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
fn wait_for(
    ctx: &mut WriteCtx<'_>,
    keys: Range<usize>,
    timeout_ms: Option<u64>,
    on_timeout: OnTimeout,
) -> Outcome {
    let WriteCtx { request, reply, waiter, .. } = ctx;
    let block = Block {
        keys: keys.map(|place| Box::from(request.arg(place))).collect(),
        awaited: Awaited::List,
        timeout_ms,
        on_timeout,
        request: unchanged(request),
    };
    waiter.wait(reply, block)
}
