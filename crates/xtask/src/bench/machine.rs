//! What the figures were taken on.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::process;

/// Cores, processor, kernel, and the version of the reference.
pub(super) fn facts() -> Value {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    let redis = process::output(Path::new("."), "redis-server", &["--version"]).unwrap_or_default();
    let redis = redis.split(' ').find_map(|word| word.strip_prefix("v=")).unwrap_or("unknown");
    json!({
        "cores": cores,
        "processor": processor,
        "kernel": kernel.trim(),
        "redis": redis,
        "vesta": env!("CARGO_PKG_VERSION"),
    })
}
