//! How much a node holds: the directive `list-max-listpack-size`.

/// The most bytes of a node whose limit is a number of elements.
const COUNTED_BYTES_MAX: usize = 8192;

/// The limit of a listpack that is a list, or a node of one: bytes or elements.
///
/// Source: the directive `list-max-listpack-size`; that a limit in elements also means 8192 bytes,
/// and 0 means 1, was read off the nodes in payloads of `DUMP` of redis-server 7.0.15.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fill(i16);

impl Fill {
    /// The default: 8 KiB.
    pub const DEFAULT: Self = Self(-2);

    /// The limit that the directive's value stands for: that many elements above 0, and 4, 8, 16,
    /// 32 or 64 KiB from -1 to -5. What is beyond means the last of its side.
    #[must_use]
    pub fn new(directive: i64) -> Self {
        Self(i16::try_from(directive.max(-5)).unwrap_or(i16::MAX))
    }

    /// The directive's value.
    #[must_use]
    pub fn directive(self) -> i64 {
        i64::from(self.0)
    }

    /// Whether a listpack of `bytes` bytes with `count` elements is over the limit. A list in one
    /// listpack becomes a quicklist when this holds with the texts to be added counted in.
    #[must_use]
    #[inline]
    pub fn exceeded_by(self, bytes: usize, count: usize) -> bool {
        bytes > self.bytes_max() || count > self.count_max()
    }

    /// Whether a quicklist of one node shrank enough to become a listpack again: to half of the
    /// limit.
    #[must_use]
    pub fn halved_by(self, bytes: usize, count: usize) -> bool {
        match self.0 {
            ..0 => bytes <= self.bytes_max() / 2,
            _ => count <= self.count_max() / 2,
        }
    }

    /// The most bytes of a node.
    #[inline]
    pub(super) fn bytes_max(self) -> usize {
        match self.0 {
            ..0 => 2048 << self.0.unsigned_abs(),
            _ => COUNTED_BYTES_MAX,
        }
    }

    /// The most elements of a node.
    #[inline]
    pub(super) fn count_max(self) -> usize {
        match self.0 {
            ..0 => usize::MAX,
            limit => usize::from(limit.unsigned_abs()).max(1),
        }
    }
}

impl Default for Fill {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::Fill;

    #[test]
    fn limits_are_bytes_below_zero_and_elements_above() {
        for (directive, bytes) in [(-1, 4096), (-2, 8192), (-3, 16384), (-4, 32768), (-5, 65536)] {
            let fill = Fill::new(directive);
            assert!(!fill.exceeded_by(bytes, usize::MAX) && fill.exceeded_by(bytes + 1, 1));
            assert!(fill.halved_by(bytes / 2, usize::MAX) && !fill.halved_by(bytes / 2 + 1, 1));
        }
        assert_eq!((Fill::new(-6), Fill::new(i64::MIN)), (Fill::new(-5), Fill::new(-5)));
        assert_eq!(Fill::new(i64::MAX).directive(), 32767);
        let fill = Fill::new(128);
        assert!(!fill.exceeded_by(8192, 128));
        assert!(fill.exceeded_by(8192, 129) && fill.exceeded_by(8193, 1));
        assert!(fill.halved_by(usize::MAX, 64) && !fill.halved_by(1, 65));
        assert!(!Fill::new(0).exceeded_by(10, 1) && Fill::new(0).exceeded_by(10, 2));
    }
}
