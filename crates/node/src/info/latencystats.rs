//! `# Latencystats`: how long commands take, in microseconds.

use super::{Facts, Fields};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_types::number;

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let server = facts.server;
    let percents = &server.config.latency_tracking_info_percentiles;
    let statistics = &server.statistics;
    for (name, command) in statistics.names.iter().zip(&statistics.commands) {
        let Some(latency) = &command.latency else { continue };
        let values: Vec<String> = percents
            .iter()
            .map(|percent| {
                let us = server.meter.fractional_us(latency.percentile(*percent));
                format!("p{}={us:.3}", number::format_f64(*percent))
            })
            .collect();
        fields.add(format!("latency_percentiles_usec_{name}"), values.join(","));
    }
}
