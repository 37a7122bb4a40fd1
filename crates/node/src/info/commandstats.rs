//! `# Commandstats`: commands that were called or refused.

use super::{Facts, Fields, human};
use alloc::format;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let server = facts.server;
    let statistics = &server.statistics;
    for (name, command) in statistics.names.iter().zip(&statistics.commands) {
        if command.calls + command.rejected + command.failed == 0 {
            continue;
        }
        let us = server.meter.us(command.ticks);
        let value = format!(
            "calls={},usec={us},usec_per_call={:.2},rejected_calls={},failed_calls={}",
            command.calls,
            human::ratio(us, command.calls),
            command.rejected,
            command.failed
        );
        fields.add(format!("cmdstat_{name}"), value);
    }
}
