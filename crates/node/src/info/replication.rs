//! `# Replication`: a primary without replicas.

use super::{Facts, Fields};
use vesta_types::ReplId;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    fields.add("role", "master");
    fields.add("connected_slaves", 0);
    fields.add("master_failover_state", "no-failover");
    fields.add("master_replid", facts.server.repl_id);
    fields.add("master_replid2", ReplId::NONE);
    fields.add("master_repl_offset", 0);
    fields.add("second_repl_offset", -1);
    fields.add("repl_backlog_active", 0);
    fields.add("repl_backlog_size", facts.server.config.repl_backlog_size_bytes);
    fields.add("repl_backlog_first_byte_offset", 0);
    fields.add("repl_backlog_histlen", 0);
}
