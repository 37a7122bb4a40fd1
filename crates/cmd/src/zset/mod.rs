//! Commands on sorted sets.

mod bounds;
mod zadd;
mod zrange;
mod zrank;
mod zrem;
mod zremrange;
mod zscore;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &zadd::ZADD,
    &zscore::ZCARD,
    &zrange::ZCOUNT,
    &zadd::ZINCRBY,
    &zrange::ZLEXCOUNT,
    &zscore::ZMSCORE,
    &zrange::ZRANGE,
    &zrange::ZRANGEBYLEX,
    &zrange::ZRANGEBYSCORE,
    &zrange::ZREVRANGE,
    &zrange::ZREVRANGEBYLEX,
    &zrange::ZREVRANGEBYSCORE,
    &zrank::ZRANK,
    &zrem::ZREM,
    &zremrange::ZREMRANGEBYLEX,
    &zremrange::ZREMRANGEBYRANK,
    &zremrange::ZREMRANGEBYSCORE,
    &zrank::ZREVRANK,
    &zscore::ZSCORE,
];
