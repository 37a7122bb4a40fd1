//! `# Replication`: who follows us, whom we follow, and where the history stands.

use super::{Facts, Fields, following};
use alloc::format;
use alloc::string::{String, ToString};
use vesta_repl::{LinkId, Replica, Stage};
use vesta_types::ReplId;

use crate::ConnId;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let server = facts.server;
    let side = &server.replication.primary;
    fields.add("role", if server.is_replica() { "slave" } else { "master" });
    if server.is_replica() {
        following::write(facts, fields);
    }
    fields.add("connected_slaves", side.replicas.len());
    if server.config.min_replicas_to_write > 0 && server.config.min_replicas_max_lag_s > 0 {
        fields.add("min_slaves_good_slaves", server.good_replicas());
    }
    for (index, (link, replica)) in side.replicas.in_order().into_iter().enumerate() {
        fields.add(format!("slave{index}"), replica_line(facts, link, replica));
    }
    fields.add("master_failover_state", side.failover.word());
    let history = &server.replication.history;
    let former = history.former();
    fields.add("master_replid", history.id());
    fields.add("master_replid2", former.map_or(ReplId::NONE, |former| former.id));
    fields.add("master_repl_offset", facts.point.offset);
    let second = former.map_or("-1".to_string(), |former| former.end.to_string());
    fields.add("second_repl_offset", second);
    let (end, backlog) = (facts.point.offset, side.backlog.as_ref());
    let start = backlog.map(|backlog| backlog.start());
    fields.add("repl_backlog_active", u8::from(backlog.is_some()));
    fields.add("repl_backlog_size", server.config.repl_backlog_size_bytes);
    let first = start.map_or(0, |start| start.saturating_add(1));
    fields.add("repl_backlog_first_byte_offset", first);
    fields.add("repl_backlog_histlen", start.map_or(0, |start| end.saturating_sub(start)));
}

/// A replica: what Redis tells of it, and how far it is behind. `lag` is how long it has said
/// nothing, in seconds; `lag_ms` how long it has lacked what it lacks.
fn replica_line(facts: &Facts<'_>, link: LinkId, replica: &Replica) -> String {
    let side = &facts.server.replication.primary;
    let ip = facts.server.replica_ip(ConnId(link.0));
    let state = match replica.stage {
        Stage::Waiting { .. } => "wait_bgsave",
        Stage::Copying { snapshot, .. } if side.is_shipping(snapshot) => "send_bulk",
        Stage::Copying { .. } => "wait_bgsave",
        Stage::Loading { .. } | Stage::Streaming { .. } => "online",
    };
    let (port, offset) = (replica.introduction.port, replica.acked);
    let (lag, now) = (replica.lag_s(facts.now.mono), facts.now.mono);
    let lag_bytes = replica.lag_bytes(facts.point.offset);
    let lag_ms = if lag_bytes == 0 { 0 } else { side.marks.lag_ms(offset, now) };
    format!(
        "ip={ip},port={port},state={state},offset={offset},lag={lag},lag_ms={lag_ms},\
         lag_bytes={lag_bytes}"
    )
}
