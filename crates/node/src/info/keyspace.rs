//! `# Keyspace`: databases that hold keys.

use super::{Facts, Fields};
use alloc::format;

/// Entries looked at for the mean time to live of a database.
const VISITS: usize = 512;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    for db in facts.store.indexes() {
        let size = facts.store.size(db);
        if size.keys == 0 {
            continue;
        }
        let ttl_ms = facts.store.mean_ttl_ms(db, facts.now.unix, VISITS);
        let value = format!("keys={},expires={},avg_ttl={ttl_ms}", size.keys, size.expiring);
        fields.add(format!("db{}", db.get()), value);
    }
}
