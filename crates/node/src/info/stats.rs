//! `# Stats`

use super::{Facts, Fields};
use alloc::format;
use alloc::string::String;
use vesta_cmd::host::Topic;
use vesta_repl::Reason;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let statistics = &facts.server.statistics;
    let store = facts.store.stats();
    let subscriptions = &facts.server.subscriptions;
    let rates = statistics.rates.per_second();
    let tally = &facts.server.replication.primary.tally;
    fields.add_all(&[
        ("total_connections_received", statistics.connections),
        ("total_commands_processed", statistics.processed),
        ("instantaneous_ops_per_sec", rates.commands),
        ("total_net_input_bytes", statistics.input_bytes),
        ("total_net_output_bytes", statistics.output_bytes),
        ("total_net_repl_input_bytes", 0),
        ("total_net_repl_output_bytes", tally.output_bytes),
    ]);
    fields.add("instantaneous_input_kbps", kilo(rates.input_bytes));
    fields.add("instantaneous_output_kbps", kilo(rates.output_bytes));
    fields.add_all(&[
        ("rejected_connections", statistics.refused_connections),
        ("sync_full", tally.full()),
        ("sync_partial_ok", tally.partial),
        ("sync_partial_err", tally.refused()),
    ]);
    for reason in Reason::ALL {
        let count = tally.full.get(&reason).copied().unwrap_or(0);
        fields.add(format_args!("sync_full_reason_{}", reason.word()), count);
    }
    fields.add_all(&[("expired_subkeys", store.expired_fields), ("expired_keys", store.expired)]);
    // No key that is due is left behind by a round of active expiry.
    fields.add("expired_stale_perc", "0.00");
    let trackers = &facts.server.trackers;
    fields.add_all(&[
        ("expired_time_cap_reached_count", store.expire_rounds_cut),
        ("evicted_keys", store.evicted),
        ("evicted_clients", statistics.evicted_clients),
        ("keyspace_hits", store.hits),
        ("keyspace_misses", store.misses),
        ("pubsub_channels", subscriptions.count(Topic::Channel) as u64),
        ("pubsub_patterns", subscriptions.count(Topic::Pattern) as u64),
        ("pubsubshard_channels", subscriptions.count(Topic::Shard) as u64),
        ("latest_fork_usec", 0),
        ("total_forks", 0),
        ("tracking_total_keys", trackers.keys() as u64),
        ("tracking_total_items", trackers.items() as u64),
        ("tracking_total_prefixes", trackers.prefixes() as u64),
        ("total_error_replies", statistics.error_replies),
        ("total_reads_processed", statistics.reads),
        ("total_writes_processed", statistics.writes),
        ("client_query_buffer_limit_disconnections", statistics.query_limit_disconnections),
        ("client_output_buffer_limit_disconnections", statistics.output_limit_disconnections),
        ("acl_access_denied_auth", statistics.auth_denied),
    ]);
}

/// Bytes as units of 1024.
fn kilo(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1024.0)
}
