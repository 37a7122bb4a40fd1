//! `# Clients`

use super::{Facts, Fields};

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let clients = &facts.server.clients;
    let largest = |of: fn(&crate::client::Client) -> usize| {
        clients.iter().map(|(_, client)| of(client)).max().unwrap_or(0)
    };
    let replicas = facts.server.replication.primary.replicas.len();
    fields.add("connected_clients", clients.len().saturating_sub(replicas));
    fields.add("cluster_connections", 0);
    fields.add("maxclients", facts.server.config.maxclients);
    fields.add("client_recent_max_input_buffer", largest(|client| client.inbox_bytes));
    fields.add("client_recent_max_output_buffer", largest(|client| client.pending_bytes));
    fields.add_all(&[
        ("blocked_clients", facts.server.blocked.len()),
        ("tracking_clients", facts.server.trackers.clients()),
        ("clients_in_timeout_table", 0),
        ("total_blocking_keys", facts.server.blocked.keys()),
        ("total_blocking_keys_on_nokey", 0),
    ]);
}
