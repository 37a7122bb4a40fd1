//! Which settings decide how values are encoded.

use vesta_config::Config;
use vesta_store::{Fill, Limits};

/// Up to where values keep their small encodings under these settings.
#[must_use]
pub fn limits_of(config: &Config) -> Limits {
    let size = |setting: u64| usize::try_from(setting).unwrap_or(usize::MAX);
    Limits {
        hash_listpack_entries_max: size(config.hash_max_listpack_entries),
        hash_listpack_value_bytes_max: size(config.hash_max_listpack_value_bytes),
        list_fill: Fill::new(config.list_max_listpack_size.into()),
        list_compress_depth: u16::try_from(config.list_compress_depth).unwrap_or(u16::MAX),
        set_intset_entries_max: size(config.set_max_intset_entries),
        set_listpack_entries_max: size(config.set_max_listpack_entries),
        set_listpack_value_bytes_max: size(config.set_max_listpack_value_bytes),
        stream_node_bytes_max: size(config.stream_node_max_bytes),
        stream_node_entries_max: config.stream_node_max_entries,
        zset_listpack_entries_max: size(config.zset_max_listpack_entries),
        zset_listpack_value_bytes_max: size(config.zset_max_listpack_value_bytes),
    }
}
