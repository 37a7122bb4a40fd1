//! `# Errorstats`: error replies by their code.

use super::{Facts, Fields};
use alloc::format;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    for (code, count) in &facts.server.statistics.errors {
        fields.add(format!("errorstat_{code}"), format!("count={count}"));
    }
}
