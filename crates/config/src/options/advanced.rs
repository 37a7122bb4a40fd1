//! Compact encodings, background work, the allocator.

use crate::{Opt, value};

use super::{BYTES_MAX, INT_MAX};

pub(super) const OPTIONS: &[Opt] = &[
    number!("hash-max-listpack-entries", hash_max_listpack_entries, 0..=i64::MAX)
        .alias("hash-max-ziplist-entries"),
    memory!("hash-max-listpack-value", hash_max_listpack_value_bytes, 0..=BYTES_MAX)
        .alias("hash-max-ziplist-value"),
    number!("list-max-listpack-size", list_max_listpack_size, -INT_MAX - 1..=INT_MAX)
        .alias("list-max-ziplist-size"),
    number!("list-compress-depth", list_compress_depth, 0..=INT_MAX),
    number!("set-max-intset-entries", set_max_intset_entries, 0..=i64::MAX),
    number!("set-max-listpack-entries", set_max_listpack_entries, 0..=i64::MAX),
    memory!("set-max-listpack-value", set_max_listpack_value_bytes, 0..=BYTES_MAX),
    number!("zset-max-listpack-entries", zset_max_listpack_entries, 0..=i64::MAX)
        .alias("zset-max-ziplist-entries"),
    memory!("zset-max-listpack-value", zset_max_listpack_value_bytes, 0..=BYTES_MAX)
        .alias("zset-max-ziplist-value"),
    memory!("hll-sparse-max-bytes", hll_sparse_max_bytes, 0..=BYTES_MAX),
    memory!("stream-node-max-bytes", stream_node_max_bytes, 0..=BYTES_MAX),
    number!("stream-node-max-entries", stream_node_max_entries, 0..=i64::MAX),
    yes_no!("activerehashing", activerehashing),
    HZ.works(),
    yes_no!("dynamic-hz", dynamic_hz).works(),
    yes_no!("jemalloc-bg-thread", jemalloc_bg_thread),
];

/// Any number that is not negative is accepted and brought between 1 and 500, as in Redis.
const HZ: Opt = Opt::new(
    "hz",
    |config, words| {
        config.hz = value::number::<u32>(words, 0..=INT_MAX)?.clamp(1, 500);
        Ok(())
    },
    |config| value::shown(config.hz),
);
