//! What a replica tells of its primary in `# Replication`.

use super::{Facts, Fields};
use alloc::format;
use vesta_repl::link::Phase;
use vesta_types::Mono;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let (server, offset) = (facts.server, facts.point.offset);
    let side = &server.replication.replica;
    let seconds = |since: Option<Mono>| {
        let us = since.map(|since| facts.now.mono.since_us(since) / 1_000_000);
        us.map_or(-1, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX))
    };
    let is_linked = side.is_linked();
    let is_copying = matches!(side.phase(), Phase::Receiving | Phase::Loading);
    if let Some(primary) = &server.config.replicaof {
        fields.add("master_host", &primary.host);
        fields.add("master_port", primary.port);
    }
    fields.add("master_link_status", if is_linked { "up" } else { "down" });
    fields.add("master_last_io_seconds_ago", seconds(side.heard_at().filter(|_| is_linked)));
    fields.add("master_sync_in_progress", u8::from(is_copying));
    let client = side.conn().and_then(|conn| server.clients.get(conn)).filter(|_| is_linked);
    let unapplied = client.map_or(0, |client| client.query_bytes) + side.gathered_bytes();
    fields.add("slave_read_repl_offset", offset.saturating_add(unapplied as u64));
    fields.add("slave_repl_offset", offset);
    if is_copying {
        write_copy(fields, side.transfer_bytes());
        fields.add("master_sync_last_io_seconds_ago", seconds(side.heard_at()));
    }
    if !is_linked {
        fields.add("master_link_down_since_seconds", seconds(side.down_since()));
    }
    fields.add("slave_priority", server.config.replica_priority);
    fields.add("slave_read_only", u8::from(server.config.replica_read_only));
    fields.add("replica_announced", u8::from(server.config.replica_announced));
    let lag_ms = side.lag_ms(facts.now.mono, unapplied);
    fields.add("lag_ms", lag_ms.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX)));
    fields.add("lag_bytes", unapplied);
    fields.add("slave_apply_errors", side.failures());
}

/// How far a snapshot is. Source of the figures where its length is not known: redis-server 7.0.15.
fn write_copy(fields: &mut Fields, (total, received): (Option<u64>, u64)) {
    let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let total = total.map_or(-1, signed);
    let left = if total < 0 { -1 } else { total - signed(received) };
    let percent = if total > 0 { received as f64 * 100.0 / total as f64 } else { 0.0 };
    fields.add("master_sync_total_bytes", total);
    fields.add("master_sync_read_bytes", received);
    fields.add("master_sync_left_bytes", left);
    fields.add("master_sync_perc", format!("{percent:.2}"));
}
