//! `# Persistence`

use super::{Facts, Fields};
use crate::persistence::LogFacts;
use alloc::format;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let (saving, loading) = (&facts.server.persistence.saving, &facts.server.persistence.loading);
    let seconds = |seconds: Option<u64>| seconds.map_or(-1, |s| i64::try_from(s).unwrap_or(-1));
    let progress = loading.progress(facts.now);
    let (kept, keys) = saving.progress();
    let percent = if keys == 0 { 0.0 } else { kept as f64 * 100.0 / keys as f64 };
    let reads_copy = facts.server.replication.replica.reads_file();
    fields.add("loading", u8::from(progress.is_some() || reads_copy));
    // No memory is copied for a save, in Redis's sense, as no process is forked.
    fields.add_all(&[
        ("async_loading", u8::from(facts.server.replication.replica.loads_beside())),
        ("current_cow_peak", 0),
        ("current_cow_size", 0),
        ("current_cow_size_age", 0),
    ]);
    fields.add("current_fork_perc", format!("{percent:.2}"));
    fields.add_all(&[
        ("current_save_keys_processed", kept),
        ("current_save_keys_total", keys),
        ("rdb_changes_since_last_save", saving.unsaved(facts.point.changes)),
        ("rdb_bgsave_in_progress", u64::from(saving.is_beside_work())),
        ("rdb_last_save_time", saving.saved_at_s()),
    ]);
    fields.add("rdb_last_bgsave_status", if saving.has_failed() { "err" } else { "ok" });
    fields.add_all(&[
        ("rdb_last_bgsave_time_sec", seconds(saving.background_s())),
        ("rdb_current_bgsave_time_sec", seconds(saving.elapsed_s(facts.now))),
    ]);
    fields.add_all(&[
        ("rdb_saves", saving.saves()),
        ("rdb_last_cow_size", 0),
        ("rdb_last_load_keys_expired", loading.tally.expired),
        ("rdb_last_load_keys_loaded", loading.tally.loaded),
    ]);
    let log = facts.server.persistence.log.facts(facts.now, facts.server.config.appendonly);
    let status = |has_failed: bool| if has_failed { "err" } else { "ok" };
    fields.add_all(&[
        ("aof_enabled", u8::from(log.is_on)),
        ("aof_rewrite_in_progress", u8::from(log.rewrites)),
        ("aof_rewrite_scheduled", u8::from(log.is_scheduled)),
    ]);
    fields.add_all(&[
        ("aof_last_rewrite_time_sec", seconds(log.last_rewrite_s)),
        ("aof_current_rewrite_time_sec", seconds(log.rewrite_s)),
    ]);
    fields.add("aof_last_bgrewrite_status", status(log.has_rewrite_failed));
    fields.add("aof_rewrites", log.rewrites_begun);
    fields.add("aof_rewrites_consecutive_failures", log.rewrite_failures);
    fields.add("aof_last_write_status", status(log.has_failed));
    fields.add_all(&[
        ("aof_last_cow_size", 0),
        ("module_fork_in_progress", 0),
        ("module_fork_last_cow_size", 0),
    ]);
    if log.is_on {
        write_log(&log, fields);
    }
    if let Some(progress) = progress {
        let loaded = progress.loaded_bytes as f64 * 100.0 / progress.total_bytes.max(1) as f64;
        fields.add_all(&[
            ("loading_start_time", progress.began_s),
            ("loading_total_bytes", progress.total_bytes),
            ("loading_rdb_used_mem", progress.used_bytes),
            ("loading_loaded_bytes", progress.loaded_bytes),
        ]);
        fields.add("loading_loaded_perc", format!("{loaded:.2}"));
        fields.add("loading_eta_seconds", progress.left_s);
    }
}

/// What there is to tell about a log that is on.
fn write_log(log: &LogFacts, fields: &mut Fields) {
    fields.add_all(&[
        ("aof_current_size", log.size_bytes),
        ("aof_base_size", log.rewritten_bytes),
        ("aof_pending_rewrite", u64::from(log.is_scheduled)),
        ("aof_buffer_length", log.unwritten_bytes as u64),
        ("aof_pending_bio_fsync", u64::from(log.is_syncing)),
        ("aof_delayed_fsync", log.delayed_syncs),
    ]);
}
