//! `# Persistence`: nothing is kept on disk yet, which the fields that tools read say.

use super::{Facts, Fields};

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    fields.add_all(&[("loading", 0), ("async_loading", 0)]);
    fields.add("rdb_changes_since_last_save", facts.changes);
    fields.add("rdb_bgsave_in_progress", 0);
    // As in Redis, a server that has not saved counts from its start.
    fields.add("rdb_last_save_time", facts.server.started.unix.secs());
    fields.add("rdb_last_bgsave_status", "ok");
    fields.add_all(&[
        ("rdb_last_bgsave_time_sec", -1),
        ("rdb_current_bgsave_time_sec", -1),
        ("rdb_saves", 0),
        ("rdb_last_cow_size", 0),
        ("aof_enabled", 0),
        ("aof_rewrite_in_progress", 0),
        ("aof_rewrite_scheduled", 0),
        ("aof_last_rewrite_time_sec", -1),
        ("aof_current_rewrite_time_sec", -1),
    ]);
    fields.add("aof_last_bgrewrite_status", "ok");
    fields.add("aof_last_write_status", "ok");
    fields.add("aof_last_cow_size", 0);
}
