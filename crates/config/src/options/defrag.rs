//! Compacting memory at run time.

use crate::Opt;

use super::BYTES_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    yes_no!("activedefrag", activedefrag),
    memory!("active-defrag-ignore-bytes", active_defrag_ignore_bytes, 1..=BYTES_MAX),
    number!("active-defrag-threshold-lower", active_defrag_threshold_lower_percent, 0..=1000),
    number!("active-defrag-threshold-upper", active_defrag_threshold_upper_percent, 0..=1000),
    number!("active-defrag-cycle-min", active_defrag_cycle_min_percent, 1..=99),
    number!("active-defrag-cycle-max", active_defrag_cycle_max_percent, 1..=99),
    number!("active-defrag-max-scan-fields", active_defrag_max_scan_fields, 1..=i64::MAX),
];
