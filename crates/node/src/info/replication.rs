//! `# Replication`: a primary without replicas.

use super::{Facts, Fields};
use alloc::string::ToString;
use vesta_types::ReplId;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    fields.add("role", "master");
    fields.add("connected_slaves", 0);
    fields.add("master_failover_state", "no-failover");
    let history = &facts.server.history;
    let former = history.former();
    fields.add("master_replid", history.id());
    fields.add("master_replid2", former.map_or(ReplId::NONE, |former| former.id));
    fields.add("master_repl_offset", facts.point.offset);
    let second = former.map_or("-1".to_string(), |former| former.end.to_string());
    fields.add("second_repl_offset", second);
    fields.add("repl_backlog_active", 0);
    fields.add("repl_backlog_size", facts.server.config.repl_backlog_size_bytes);
    fields.add("repl_backlog_first_byte_offset", 0);
    fields.add("repl_backlog_histlen", 0);
}
