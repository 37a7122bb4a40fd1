//! The longest common subsequence of two byte strings, 64 cells at a time.
//!
//! The textbook fills a table of lengths `L[i][j]`, the length for the first `i` bytes of `a` and
//! the first `j` bytes of `b`, at four bytes a cell. Neighbours in a row differ by 0 or 1, so one
//! bit a cell says all: here it is 0 where `L[i][j] = L[i][j-1] + 1`. A row of such bits follows
//! from the row above by a few operations on whole words (Hyyro, "Bit-parallel LCS-length
//! computation revisited", 2004): with `M` the positions in `b` that hold the byte `a[i-1]`,
//!
//! ```text
//! row' = (row + (row & M)) | (row & !M)      the sum carries from word to word
//! ```
//!
//! The length is the number of zeros in the last row. The way back goes from the last cell to the
//! first: through a match where the bytes are equal, else up if the cell above is greater than the
//! cell to the left, that is if the bit is 0, else left. Redis makes the same choices, so of
//! several longest subsequences it is the same one.
//!
//! A table takes a 32nd of the memory that Redis allows for its own, and a 64th of the steps.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;

/// The rows of a comparison of `a` and `b`.
pub(super) struct Table<'a> {
    a: &'a [u8],
    b: &'a [u8],
    /// `a.len()` rows of [`row_words`] words.
    rows: Vec<u64>,
}

/// A run of bytes that both strings share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Match<'a> {
    /// Where it begins in the first string.
    pub(super) a_start: usize,
    /// Where it begins in the second string.
    pub(super) b_start: usize,
    /// The bytes.
    bytes: &'a [u8],
}

impl<'a> Match<'a> {
    /// How many bytes it has: one at least.
    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes, the last first.
    pub(super) fn reversed(self) -> impl Iterator<Item = u8> + use<'a> {
        self.bytes.iter().rev().copied()
    }
}

impl<'a> Table<'a> {
    /// The length of the longest common subsequence.
    ///
    /// # Errors
    /// When memory for the masks is refused.
    pub(super) fn length(a: &[u8], b: &[u8]) -> Result<usize, TryReserveError> {
        let masks = Masks::new(a, b)?;
        let mut row = Vec::new();
        row.try_reserve_exact(row_words(b))?;
        row.resize(row_words(b), u64::MAX);
        for byte in a {
            step(&mut row, masks.of(*byte));
        }
        // Positions beyond the end of `b` match nothing and stay 1.
        Ok(row.iter().map(|word| word.count_zeros() as usize).sum())
    }

    /// Fills the table.
    ///
    /// # Errors
    /// When memory for it is refused.
    pub(super) fn fill(a: &'a [u8], b: &'a [u8]) -> Result<Self, TryReserveError> {
        let masks = Masks::new(a, b)?;
        let width = row_words(b);
        let mut rows = Vec::new();
        rows.try_reserve_exact(width.saturating_mul(a.len()))?;
        let mut row = Vec::new();
        row.try_reserve_exact(width)?;
        row.resize(width, u64::MAX);
        for byte in a {
            step(&mut row, masks.of(*byte));
            rows.extend_from_slice(&row);
        }
        Ok(Self { a, b, rows })
    }

    /// The runs of the subsequence, the last first.
    pub(super) fn matches(&self) -> impl Iterator<Item = Match<'a>> + use<'_, 'a> {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        core::iter::from_fn(move || {
            while i > 0 && j > 0 {
                if self.is_equal(i, j) {
                    let a_end = i;
                    while i > 0 && j > 0 && self.is_equal(i, j) {
                        i -= 1;
                        j -= 1;
                    }
                    let bytes = self.a.get(i..a_end).unwrap_or_default();
                    return Some(Match { a_start: i, b_start: j, bytes });
                }
                if self.is_above_greater(i, j) {
                    i -= 1;
                } else {
                    j -= 1;
                }
            }
            None
        })
    }

    /// Whether byte `i` of `a` is byte `j` of `b`, both counted from 1.
    fn is_equal(&self, i: usize, j: usize) -> bool {
        self.a.get(i - 1) == self.b.get(j - 1)
    }

    /// Whether `L[i-1][j] > L[i][j-1]`, where the bytes at `i` and `j` differ.
    fn is_above_greater(&self, i: usize, j: usize) -> bool {
        let word = (i - 1) * row_words(self.b) + (j - 1) / 64;
        self.rows.get(word).is_some_and(|word| word >> ((j - 1) % 64) & 1 == 0)
    }
}

/// Words that hold a bit for each byte of `b`.
fn row_words(b: &[u8]) -> usize {
    b.len().div_ceil(64)
}

/// Turns a row into the next one, whose byte stands in `b` where `mask` says.
fn step(row: &mut [u64], mask: &[u64]) {
    let mut carry = false;
    for (word, mask) in row.iter_mut().zip(mask) {
        let (sum, over) = word.overflowing_add(*word & mask);
        let (sum, over_again) = sum.overflowing_add(u64::from(carry));
        carry = over || over_again;
        *word = sum | (*word & !mask);
    }
}

/// For each byte of `a`, where it stands in `b`.
struct Masks {
    /// Which mask each byte has, counted from 1; 0 for bytes that `a` does not hold.
    numbers: [u16; 256],
    masks: Vec<u64>,
    width: usize,
}

impl Masks {
    fn new(a: &[u8], b: &[u8]) -> Result<Self, TryReserveError> {
        let (mut numbers, mut count, width) = ([0_u16; 256], 0_u16, row_words(b));
        for byte in a {
            if let Some(number @ 0) = numbers.get_mut(usize::from(*byte)) {
                count += 1;
                *number = count;
            }
        }
        let size = width.saturating_mul(usize::from(count));
        let mut masks = Vec::new();
        masks.try_reserve_exact(size)?;
        masks.resize(size, 0_u64);
        for (place, byte) in b.iter().enumerate() {
            let number = numbers.get(usize::from(*byte)).copied().unwrap_or(0);
            let word = usize::from(number).checked_sub(1).map(|mask| mask * width + place / 64);
            if let Some(word) = word.and_then(|word| masks.get_mut(word)) {
                *word |= 1 << (place % 64);
            }
        }
        Ok(Self { numbers, masks, width })
    }

    /// The mask of a byte of `a`.
    fn of(&self, byte: u8) -> &[u64] {
        let number = self.numbers.get(usize::from(byte)).copied().unwrap_or(0);
        let start = usize::from(number).saturating_sub(1) * self.width;
        self.masks.get(start..start + self.width).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use vesta_types::Rng;

    /// The textbook table and the way back through it, bytes from the last to the first.
    fn textbook(a: &[u8], b: &[u8]) -> Vec<(usize, usize)> {
        let mut lengths = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                lengths[i][j] = if a[i - 1] == b[j - 1] {
                    lengths[i - 1][j - 1] + 1
                } else {
                    lengths[i - 1][j].max(lengths[i][j - 1])
                };
            }
        }
        let (mut i, mut j, mut path) = (a.len(), b.len(), Vec::new());
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                (i, j) = (i - 1, j - 1);
                path.push((i, j));
            } else if lengths[i - 1][j] > lengths[i][j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        path
    }

    #[test]
    fn the_way_back_is_that_of_the_textbook() {
        let mut rng = Rng::new(7);
        for round in 0..2_000_u64 {
            let letters = 1 + round % 5;
            let mut text = |longest: u64| -> Vec<u8> {
                let length = rng.below(longest);
                (0..length).map(|_| b'a' + u8::try_from(rng.below(letters)).unwrap()).collect()
            };
            let (a, b) = (text(150), text(200));
            let expected = textbook(&a, &b);
            assert_eq!(Table::length(&a, &b).unwrap(), expected.len());
            let table = Table::fill(&a, &b).unwrap();
            let found: Vec<_> = table
                .matches()
                .flat_map(|run| {
                    let places = (0..run.length()).rev();
                    places.map(move |at| (run.a_start + at, run.b_start + at))
                })
                .collect();
            assert_eq!(found, expected, "{a:?} {b:?}");
        }
    }
}
