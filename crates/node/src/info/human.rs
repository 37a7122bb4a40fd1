//! Figures as people read them.

use alloc::format;
use alloc::string::String;

/// Bytes with a unit: `512B`, `1.50K`, `23.54G`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 'K';
    for larger in UNITS.into_iter().skip(1) {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.2}{unit}")
}

/// `part` of `whole` in percent; of nothing, 0.
pub(super) fn percent(part: u64, whole: u64) -> String {
    format!("{:.2}%", 100.0 * ratio(part, whole))
}

/// `part / whole`; of nothing, 0.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Microseconds as seconds with six decimals.
pub(super) fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_largest_unit_below_them() {
        for (given, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (965_928, "943.29K"),
            (7_032_832, "6.71M"),
            (25_276_510_208, "23.54G"),
            (u64::MAX, "16384.00P"),
        ] {
            assert_eq!(bytes(given), text);
        }
        assert_eq!(percent(1, 3), "33.33%");
        assert_eq!(percent(1, 0), "0.00%");
        assert_eq!(seconds(10_844), "0.010844");
    }
}
