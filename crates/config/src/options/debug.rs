//! Options for tests of the server itself. CONFIG GET shows them only by name.

use crate::Opt;

use super::INT_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    yes_no!("use-exit-on-panic", use_exit_on_panic).by_name(),
    number!("key-load-delay", key_load_delay_us, -INT_MAX - 1..=INT_MAX).by_name().works(),
    number!("rdb-key-save-delay", rdb_key_save_delay_us, -INT_MAX - 1..=INT_MAX).by_name().works(),
    number!(
        "loading-process-events-interval-bytes",
        loading_process_events_interval_bytes,
        1024..=INT_MAX
    )
    .by_name(),
    yes_no!("enable-debug-assert", enable_debug_assert).start().by_name(),
];
