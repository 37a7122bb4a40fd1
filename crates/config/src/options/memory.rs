//! The memory limit, eviction, expiry.

use crate::Opt;

use super::INT_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    memory!("maxmemory", maxmemory_bytes, 0..=u64::MAX).works(),
    choice!("maxmemory-policy", maxmemory_policy).works(),
    number!("maxmemory-samples", maxmemory_samples, 1..=INT_MAX).works(),
    number!("maxmemory-eviction-tenacity", maxmemory_eviction_tenacity, 0..=100).works(),
    number!("lfu-log-factor", lfu_log_factor, 0..=INT_MAX).works(),
    number!("lfu-decay-time", lfu_decay_time, 0..=INT_MAX).works(),
    number!("active-expire-effort", active_expire_effort, 1..=10).works(),
];
