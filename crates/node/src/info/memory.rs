//! `# Memory`

use super::{Facts, Fields, human};
use alloc::format;
use vesta_config::Choice as _;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let Facts { server, store, .. } = facts;
    let config = &server.config;
    let used = server.used_bytes(store.bytes());
    let peak = server.peak_bytes.max(used);
    let resident = server.usage.resident_bytes;
    let startup = server.startup_bytes;
    let clients: u64 = server.clients.iter().map(|(_, client)| client.total_bytes() as u64).sum();
    let overhead = startup + clients + store.overhead_bytes() as u64;
    let dataset = used.saturating_sub(overhead);
    let mut both = |name: &str, bytes: u64| {
        fields.add(name, bytes);
        fields.add(format!("{name}_human"), human::bytes(bytes));
    };
    both("used_memory", used);
    both("used_memory_rss", resident);
    both("used_memory_peak", peak);
    fields.add("used_memory_peak_perc", human::percent(used, peak));
    fields.add("used_memory_overhead", overhead);
    fields.add("used_memory_startup", startup);
    fields.add("used_memory_dataset", dataset);
    let net = used.saturating_sub(startup);
    fields.add("used_memory_dataset_perc", human::percent(dataset, net));
    fields.add("allocator_allocated", server.usage.allocated_bytes);
    let system = server.process.system_memory_bytes;
    fields.add("total_system_memory", system);
    fields.add("total_system_memory_human", human::bytes(system));
    without_scripts(fields);
    fields.add("maxmemory", config.maxmemory_bytes);
    fields.add("maxmemory_human", human::bytes(config.maxmemory_bytes));
    fields.add("maxmemory_policy", config.maxmemory_policy.word());
    fields.add("mem_fragmentation_ratio", format!("{:.2}", human::ratio(resident, used)));
    fields.add("mem_fragmentation_bytes", i128::from(resident) - i128::from(used));
    let replicas = &server.replication.primary;
    let backlog_bytes = replicas.heap_bytes() as u64;
    let excess_bytes = replicas.excess_bytes(config.repl_backlog_size_bytes);
    fields.add_all(&[
        ("mem_not_counted_for_evict", excess_bytes),
        ("mem_replication_backlog", backlog_bytes),
        ("mem_total_replication_buffers", backlog_bytes),
        ("mem_clients_slaves", 0),
        ("mem_clients_normal", clients),
        ("mem_cluster_links", 0),
        ("mem_aof_buffer", 0),
    ]);
    fields.add("mem_allocator", &server.process.allocator);
    fields.add("active_defrag_running", 0);
    fields.add("lazyfree_pending_objects", store.garbage_items());
    fields.add("lazyfreed_objects", store.stats().reaped);
}

/// Memory of scripts and functions: there are none.
fn without_scripts(fields: &mut Fields) {
    fields.add_all(&[("used_memory_lua", 0), ("used_memory_vm_eval", 0)]);
    fields.add("used_memory_lua_human", human::bytes(0));
    fields.add_all(&[
        ("used_memory_scripts_eval", 0),
        ("number_of_cached_scripts", 0),
        ("number_of_functions", 0),
        ("number_of_libraries", 0),
        ("used_memory_vm_functions", 0),
        ("used_memory_vm_total", 0),
    ]);
    fields.add("used_memory_vm_total_human", human::bytes(0));
    fields.add_all(&[("used_memory_functions", 0), ("used_memory_scripts", 0)]);
    fields.add("used_memory_scripts_human", human::bytes(0));
}
