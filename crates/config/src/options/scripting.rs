//! Scripts and functions.

use crate::Opt;

pub(super) const OPTIONS: &[Opt] = &[
    number!("busy-reply-threshold", busy_reply_threshold_ms, 0..=i64::MAX).alias("lua-time-limit"),
    yes_no!("lua-enable-deprecated-api", lua_enable_deprecated_api).start().by_name(),
];
