//! The slow log, the latency monitor, latencies per command.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use vesta_types::number::parse_f64;

use crate::value::spaced;
use crate::{Config, Opt, Refusal};

pub(super) const OPTIONS: &[Opt] = &[
    number!("slowlog-log-slower-than", slowlog_log_slower_than_us, -1..=i64::MAX),
    number!("slowlog-max-len", slowlog_max_len, 0..=i64::MAX),
    number!("latency-monitor-threshold", latency_monitor_threshold_ms, 0..=i64::MAX),
    yes_no!("latency-tracking", latency_tracking).works(),
    PERCENTILES.many_words().works(),
];

const PERCENTILES: Opt = Opt::new("latency-tracking-info-percentiles", set_percentiles, |config| {
    spaced(config.latency_tracking_info_percentiles.iter().map(|value| percentile_text(*value)))
});

fn set_percentiles(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    config.latency_tracking_info_percentiles =
        words.iter().map(|word| percentile(word)).collect::<Result<Vec<f64>, _>>()?;
    Ok(())
}

fn percentile(word: &[u8]) -> Result<f64, Refusal> {
    const INVALID: Refusal = Refusal::Rule("Invalid latency-tracking-info-percentiles parameters");
    let value = parse_f64(word).ok_or(INVALID)?;
    if !(0.0..=100.0).contains(&value) {
        return Err(Refusal::Rule(
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        ));
    }
    // What is kept is what is shown, so that a rewritten file gives the same value.
    parse_f64(percentile_text(value).as_bytes()).ok_or(INVALID)
}

/// At most six digits behind the point.
fn percentile_text(value: f64) -> String {
    let text = format!("{:.6}", value.abs());
    String::from(text.trim_end_matches('0').trim_end_matches('.'))
}
