//! Commands on sorted sets.

mod algebra;
mod bounds;
mod bzmpop;
mod bzpop;
mod keep;
mod range;
mod zadd;
mod zcount;
mod zmpop;
mod zpop;
mod zrandmember;
mod zrange;
mod zrangestore;
mod zrank;
mod zrem;
mod zremrange;
mod zscan;
mod zscore;

pub(crate) use keep::keep;

use crate::blocking::{self, Awaited, OnTimeout};
use crate::{Command, Outcome, WriteCtx};
use core::ops::Range;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &bzmpop::BZMPOP,
    &bzpop::BZPOPMAX,
    &bzpop::BZPOPMIN,
    &zadd::ZADD,
    &zscore::ZCARD,
    &zcount::ZCOUNT,
    &algebra::ZDIFF,
    &algebra::ZDIFFSTORE,
    &zadd::ZINCRBY,
    &algebra::ZINTER,
    &algebra::ZINTERCARD,
    &algebra::ZINTERSTORE,
    &zcount::ZLEXCOUNT,
    &zmpop::ZMPOP,
    &zscore::ZMSCORE,
    &zpop::ZPOPMAX,
    &zpop::ZPOPMIN,
    &zrandmember::ZRANDMEMBER,
    &zrange::ZRANGE,
    &zrange::ZRANGEBYLEX,
    &zrange::ZRANGEBYSCORE,
    &zrangestore::ZRANGESTORE,
    &zrange::ZREVRANGE,
    &zrange::ZREVRANGEBYLEX,
    &zrange::ZREVRANGEBYSCORE,
    &zrank::ZRANK,
    &zrem::ZREM,
    &zremrange::ZREMRANGEBYLEX,
    &zremrange::ZREMRANGEBYRANK,
    &zremrange::ZREMRANGEBYSCORE,
    &zrank::ZREVRANK,
    &zscan::ZSCAN,
    &zscore::ZSCORE,
    &algebra::ZUNION,
    &algebra::ZUNIONSTORE,
];

/// Lets the client wait until one of the keys, which are these arguments, holds a sorted set.
fn wait_for(ctx: &mut WriteCtx<'_>, keys: Range<usize>, timeout_ms: Option<u64>) -> Outcome {
    blocking::wait_for(ctx, keys, Awaited::SortedSet, timeout_ms, OnTimeout::NullArray)
}
