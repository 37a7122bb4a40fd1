//! Positions as scores: the geohash.
//!
//! # What it is
//!
//! The map is cut in halves, again and again, in turn by longitude and by latitude; each cut gives
//! a bit, 1 for the eastern or northern half. Bits of cuts that come early stand in front, so
//! places that are near each other mostly share their leading bits, and *all places of a cell*,
//! which is what is left after some cuts, *are one range of numbers*. That is what makes a sorted
//! set an index of places: with 26 cuts each way a position is 52 bits, which a score holds
//! exactly, and a cell is a range of scores.
//!
//! ```text
//! latitude   85.05 +-----+-----+    longitude bits x, latitude bits y, step 1:
//!                  | 0 1 | 1 1 |       cell = y0 + 2 x0, here (x, y) as 0 1 = west, north
//!                0 +-----+-----+    step 2:
//!                  | 0 0 | 1 0 |       cell = y0 + 2 x0 + 4 y1 + 8 x1, and so on
//!           -85.05 +-----+-----+
//!               -180     0    180 longitude
//! ```
//!
//! The idea is G. M. Morton's (1966, a space-filling curve of interleaved coordinates), the name
//! that of geohash.org (2008), whose strings spell the same bits in 32 letters. Redis uses the
//! limits of web maps (EPSG:3857), 85.05112878 degrees north and south, where a square map of
//! Mercator's ends; the strings of GEOHASH are made with the usual 90.
//!
//! # Exactly the same bits
//!
//! Scores are data: they are stored, replicated and compared. So each step of the arithmetic is
//! the one of the real server: the position as a fraction of the range, times 2^step, cut off; and
//! backwards the middle of the cell's two limits. All of it is exactly rounded by IEEE 754.
//!
//! A position at the eastern or northern limit itself is a fraction of 1, and its bit 26 is set:
//! its score is beyond 52 bits. Such a place is found only from a middle at that limit. Scores of
//! other origin (ZADD) are places too: they are cut off to an integer, of which the even bits are
//! the latitude's, and what lies beyond the limits is at them.
//!
//! Source: redis-server 7.0.15, compared over random positions, the limits and odd scores.

use core::ops::Range;

/// Bits of each coordinate in a score.
pub(super) const STEP_MAX: u8 = 26;
const LONGITUDES: Limits = Limits { min: -180.0, max: 180.0 };
const LATITUDES: Limits = Limits { min: -85.051_128_78, max: 85.051_128_78 };
/// What latitudes are in the strings of geohash.org.
const ALL_LATITUDES: Limits = Limits { min: -90.0, max: 90.0 };
/// The letters of those strings: no `a`, `i`, `l`, `o`.
const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// Letters of a string of GEOHASH. The last one would take three bits more than there are.
pub(super) const LETTERS_MAX: usize = 11;

/// A range of degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Limits {
    fn has(self, degrees: f64) -> bool {
        self.min <= degrees && degrees <= self.max
    }

    /// In which of `2^step` equal parts this is.
    fn part(self, degrees: f64, step: u8) -> u32 {
        let fraction = (degrees - self.min) / (self.max - self.min);
        (fraction * parts(step)) as u32
    }

    /// Part number `index` of `2^step`.
    fn limits_of(self, index: u32, step: u8) -> Self {
        let limit = |index: f64| self.min + (index / parts(step)) * (self.max - self.min);
        Self { min: limit(f64::from(index)), max: limit(f64::from(index) + 1.0) }
    }

    fn middle_of(self, index: u32, step: u8) -> f64 {
        let part = self.limits_of(index, step);
        ((part.min + part.max) / 2.0).clamp(self.min, self.max)
    }
}

/// `2^step`.
fn parts(step: u8) -> f64 {
    (1_u64 << step) as f64
}

/// A place on earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    /// East of Greenwich.
    pub(super) longitude: f64,
    /// North of the equator.
    pub(super) latitude: f64,
}

impl Position {
    /// A place within the limits of the map.
    pub(super) fn new(longitude: f64, latitude: f64) -> Option<Self> {
        let is_there = LONGITUDES.has(longitude) && LATITUDES.has(latitude);
        is_there.then_some(Self { longitude, latitude })
    }

    /// The place that a score stands for.
    pub(super) fn of_score(score: f64) -> Self {
        let (x, y) = separate(integer_of(score));
        Self {
            longitude: LONGITUDES.middle_of(x, STEP_MAX),
            latitude: LATITUDES.middle_of(y, STEP_MAX),
        }
    }

    /// The score as an integer.
    pub(super) fn score(self) -> u64 {
        Cell::around(self, STEP_MAX).bits
    }

    /// The string of geohash.org: ten letters of five bits each and a `0`.
    pub(super) fn letters(self) -> [u8; LETTERS_MAX] {
        let (x, y) = (
            LONGITUDES.part(self.longitude, STEP_MAX),
            ALL_LATITUDES.part(self.latitude, STEP_MAX),
        );
        let bits = interleave(x, y);
        let mut letters = [b'0'; LETTERS_MAX];
        for (place, letter) in letters.iter_mut().take(LETTERS_MAX - 1).enumerate() {
            let index = (bits >> (2 * usize::from(STEP_MAX) - 5 * (place + 1))) as usize % 32;
            *letter = LETTERS.get(index).copied().unwrap_or(b'0');
        }
        letters
    }
}

/// One of the `4^step` parts of the map.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cell {
    bits: u64,
    /// Cuts each way, 1 to 26.
    step: u8,
}

impl Cell {
    /// The cell that a place is in.
    pub(super) fn around(position: Position, step: u8) -> Self {
        let x = LONGITUDES.part(position.longitude, step);
        let y = LATITUDES.part(position.latitude, step);
        Self { bits: interleave(x, y), step }
    }

    /// The scores of places in the cell, from the first up to the one that is not in it.
    pub(super) fn scores(self) -> Range<f64> {
        let below = 2 * (STEP_MAX - self.step);
        ((self.bits << below) as f64)..((self.bits + 1) << below) as f64
    }

    /// The cell so many cells east and north (west and south where negative). Behind the last one
    /// comes the first one again, at the poles too.
    pub(super) fn neighbor(self, east: i8, north: i8) -> Self {
        let (x, y) = separate(self.bits);
        let moved = |part: u32, by: i8| match by {
            // Not even one beyond the limit.
            0 => part,
            _ => part.wrapping_add_signed(by.into()) & ((1 << self.step) - 1),
        };
        Self { bits: interleave(moved(x, east), moved(y, north)), step: self.step }
    }

    /// The longitudes of the cell.
    pub(super) fn longitudes(self) -> Limits {
        LONGITUDES.limits_of(separate(self.bits).0, self.step)
    }

    /// The latitudes of the cell.
    pub(super) fn latitudes(self) -> Limits {
        LATITUDES.limits_of(separate(self.bits).1, self.step)
    }
}

/// The integer that a score is cut off to, as a conversion on x86-64 gives it: negative ones wrap,
/// and what 64 bits do not hold is 0, or `2^63` when it is negative.
pub(super) fn integer_of(score: f64) -> u64 {
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    if score >= LIMIT {
        0
    } else if score >= LIMIT / 2.0 {
        score as u64
    } else {
        score as i64 as u64
    }
}

/// The bits of `y` and `x` in turn, the lowest of `y` first.
fn interleave(x: u32, y: u32) -> u64 {
    spread(y) | (spread(x) << 1)
}

/// What was interleaved: `x` and `y`.
fn separate(bits: u64) -> (u32, u32) {
    (gather(bits >> 1), gather(bits))
}

/// How far bits go in each round, and which are where they belong then.
const ROUNDS: [(u32, u64); 6] = [
    (0, 0x0000_0000_ffff_ffff),
    (16, 0x0000_ffff_0000_ffff),
    (8, 0x00ff_00ff_00ff_00ff),
    (4, 0x0f0f_0f0f_0f0f_0f0f),
    (2, 0x3333_3333_3333_3333),
    (1, 0x5555_5555_5555_5555),
];

/// Moves bit `i` to `2 i`: halves go apart, then quarters, and so on.
fn spread(part: u32) -> u64 {
    let apart = |bits: u64, (by, mask): (u32, u64)| (bits | (bits << by)) & mask;
    ROUNDS.into_iter().fold(u64::from(part), apart)
}

/// Moves bit `2 i` to `i`; the others are lost.
fn gather(bits: u64) -> u32 {
    let [.., (_, even)] = ROUNDS;
    let rounds = ROUNDS.windows(2).rev();
    let together = rounds.fold(bits & even, |bits, round| match round {
        [(_, mask), (by, _)] => (bits | (bits >> by)) & mask,
        _ => bits,
    });
    together as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(longitude: f64, latitude: f64) -> Position {
        Position::new(longitude, latitude).unwrap()
    }

    /// Source: GEOADD and ZSCORE of redis-server 7.0.15.
    #[test]
    fn scores_are_those_of_the_real_server() {
        for (longitude, latitude, score) in [
            (13.361_389, 38.115_556, 3_479_099_956_230_698),
            (15.087_269, 37.502_669, 3_479_447_370_796_909),
            (0.0, 0.0, 3_377_699_720_527_872),
            (-180.0, -85.051_128_78, 0),
            (180.0, 0.0, 10_133_099_161_583_616),
            (180.0, 85.051_128_78, 13_510_798_882_111_488),
            (0.0, 85.051_128_78, 6_755_399_441_055_744),
            (179.999_999_9, 0.0, 4_128_299_658_422_954),
        ] {
            assert_eq!(place(longitude, latitude).score(), score);
        }
        assert_eq!(Position::new(180.000_001, 0.0), None);
        assert_eq!(Position::new(0.0, -85.051_128_79), None);
        assert_eq!(Position::new(f64::NAN, 0.0), None);
    }

    /// Source: GEOPOS of redis-server 7.0.15.
    #[test]
    fn odd_scores_are_places_too() {
        let (west, south) = (-179.999_997_317_790_99, -85.051_127_512_639_43);
        for (score, longitude, latitude) in [
            (-5.0, 180.0, 85.051_128_78),
            (1.5, west, -85.051_124_977_918_25),
            (1e300, west, south),
            (9_007_199_254_740_992.0, 180.0, south),
            (f64::INFINITY, west, south),
            (f64::NEG_INFINITY, 180.0, south),
            (4_503_599_627_370_496.0, west, 85.051_128_78),
        ] {
            assert_eq!(Position::of_score(score), Position { longitude, latitude }, "{score}");
        }
    }

    /// Source: GEOHASH of redis-server 7.0.15.
    #[test]
    fn letters_are_those_of_the_site() {
        assert_eq!(&place(13.361_389, 38.115_556).letters(), b"sqc8b49rny0");
        assert_eq!(&place(180.0, 0.0).letters(), b"80000000000");
        assert_eq!(&place(180.0, 85.051_128_78).letters(), b"bp05b5048p0");
    }

    #[test]
    fn neighbors_go_around_the_map() {
        let cell = Cell::around(place(179.0, 10.0), 5);
        let next = cell.neighbor(1, 0);
        assert_eq!(next, Cell::around(place(-179.0, 10.0), 5));
        assert_eq!(next.neighbor(-1, 0), cell);
        assert_eq!(cell.neighbor(0, 1).latitudes().min, cell.latitudes().max);
        let corner = Cell::around(place(180.0, 0.0), 5);
        assert_eq!(corner.neighbor(0, 1).longitudes().min, 180.0);
    }

    proptest! {
        #[test]
        fn bits_come_back(x: u32, y: u32) {
            prop_assert_eq!(separate(interleave(x, y)), (x, y));
        }

        #[test]
        fn a_place_is_in_its_cells(
            longitude in -180.0..180.0, latitude in -85.0..85.0, step in 1..=STEP_MAX,
        ) {
            let position = place(longitude, latitude);
            let (cell, score) = (Cell::around(position, step), position.score() as f64);
            prop_assert!(cell.scores().contains(&score));
            let found = Position::of_score(score);
            prop_assert!((found.longitude - longitude).abs() < 3e-6);
            prop_assert!((found.latitude - latitude).abs() < 2e-6);
            prop_assert_eq!(found.score() as f64, score);
        }
    }
}
