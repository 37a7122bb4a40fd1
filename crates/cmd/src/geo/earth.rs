//! Distances on a sphere, and what lies within an area around a place.
//!
//! The earth is a sphere here, and the distance that of the haversine formula, which is good for
//! near places as well as for far ones:
//!
//! ```text
//! distance = 2 r asin(sqrt(sin^2(dlat / 2) + cos(lat1) cos(lat2) sin^2(dlon / 2)))
//! ```
//!
//! Clients see it to a tenth of a millimetre, so the operations and their order are those of the
//! real server. The sphere is off by up to half a percent, as the earth is flattened.
//!
//! # The last bit
//!
//! Sine, cosine and arc sine are not rounded alike everywhere. Ours are those of musl, with which
//! Redis is built for small images; those of glibc differ in the last bit in 3 to 6 of 100 places.
//! That shows in the 16th digit of some distances that are kept as scores, and in one of some
//! 500,000 of those that are shown. Scores of places know no such functions and are exact.
//!
//! # Looking at many places
//!
//! Most places in the cells around an area are not in it, and most of those need no arc sine to
//! tell: what the formula has under its root is compared with what it is at the area's edge, and
//! only what is not clearly beyond that is measured.

use super::hash::Position;
use libm::{asin, cos, fabs, sin, sqrt};

/// Radius in metres. Source: documentation of GEODIST, and the distances themselves.
const RADIUS_M: f64 = 6_372_797.560_856;
const RADIANS_PER_DEGREE: f64 = core::f64::consts::PI / 180.0;
/// What is further than a limit by this factor is so however sums were rounded, even across the
/// earth, where small differences under the root are large ones in the distance.
const CLEARLY: f64 = 1.000_01;

/// The form of an area around a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// All within a distance.
    Circle {
        /// In metres.
        radius_m: f64,
    },
    /// All within half the width to the east and west, measured along the other place's own circle
    /// of latitude, and half the height to the north and south.
    Rectangle {
        /// From the western to the eastern side, in metres.
        width_m: f64,
        /// From the southern to the northern side, in metres.
        height_m: f64,
    },
}

impl Shape {
    /// How far it reaches from the middle, in metres; in a rectangle into the corners.
    pub(super) fn reach_m(&self) -> f64 {
        match *self {
            Self::Circle { radius_m } => radius_m,
            Self::Rectangle { .. } => {
                let (x, y) = self.sides_m();
                sqrt(x * x + y * y)
            }
        }
    }

    /// How far it reaches to the east and to the north, in metres.
    fn sides_m(&self) -> (f64, f64) {
        match *self {
            Self::Circle { radius_m } => (radius_m, radius_m),
            Self::Rectangle { width_m, height_m } => (width_m / 2.0, height_m / 2.0),
        }
    }
}

/// Degrees, which may lie beyond the limits of the map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

/// A shape around a place.
pub(super) struct Area {
    pub(super) middle: Position,
    pub(super) shape: Shape,
    /// Of the middle's latitude.
    cosine: f64,
    /// Places with more than this under the root are clearly beyond the eastern side.
    square_max: f64,
}

impl Area {
    pub(super) fn new(middle: Position, shape: Shape) -> Self {
        let (east_m, _) = shape.sides_m();
        // Nothing is beyond half around the earth.
        let angle = east_m / (2.0 * RADIUS_M);
        let is_bounded = angle < core::f64::consts::FRAC_PI_2;
        let square_max = if is_bounded { square(sin(angle)) * CLEARLY } else { f64::INFINITY };
        Self { middle, shape, cosine: cos(radians(middle.latitude)), square_max }
    }

    /// The distance of a place from the middle in metres, if it is in the area.
    pub(super) fn distance_to(&self, place: Position) -> Option<f64> {
        let up_m = along_meridian(self.middle.latitude, place.latitude);
        let (east_m, north_m) = self.shape.sides_m();
        let is_circle = matches!(self.shape, Shape::Circle { .. });
        if up_m > if is_circle { north_m * CLEARLY } else { north_m } {
            return None;
        }
        let x = half_turn(self.middle.longitude, place.longitude);
        let cosine = cos(radians(place.latitude));
        if !is_circle {
            // As far as to the place of the same latitude that is north or south of the middle.
            let across = cosine * cosine * x * x;
            if across > self.square_max || (x != 0.0 && arc_m(across) > east_m) {
                return None;
            }
        }
        if x == 0.0 {
            return (!is_circle || up_m <= east_m).then_some(up_m);
        }
        let y = half_turn(self.middle.latitude, place.latitude);
        let root_of = y * y + self.cosine * cosine * x * x;
        if !is_circle {
            return Some(arc_m(root_of));
        }
        if root_of > self.square_max {
            return None;
        }
        let distance_m = arc_m(root_of);
        (distance_m <= east_m).then_some(distance_m)
    }

    /// A box around it, about. Meridians come together at the poles, so that one distance is more
    /// degrees there; the side that is nearer to a pole decides.
    pub(super) fn bounds(&self) -> Bounds {
        let (east_m, north_m) = self.shape.sides_m();
        let Position { longitude, latitude } = self.middle;
        let up = degrees(north_m / RADIUS_M);
        let side = if latitude < 0.0 { latitude - up } else { latitude + up };
        let across = degrees(east_m / RADIUS_M / cos(radians(side)));
        Bounds {
            west: longitude - across,
            south: latitude - up,
            east: longitude + across,
            north: latitude + up,
        }
    }
}

/// The distance of two places in metres.
pub(super) fn distance(from: Position, to: Position) -> f64 {
    let x = half_turn(from.longitude, to.longitude);
    if x == 0.0 {
        return along_meridian(from.latitude, to.latitude);
    }
    let y = half_turn(from.latitude, to.latitude);
    arc_m(y * y + cos(radians(from.latitude)) * cos(radians(to.latitude)) * x * x)
}

/// The distance of two places in metres that differ in latitude only.
fn along_meridian(from: f64, to: f64) -> f64 {
    RADIUS_M * fabs(radians(to) - radians(from))
}

/// The sine of half the angle between two directions in degrees.
fn half_turn(from: f64, to: f64) -> f64 {
    sin((radians(to) - radians(from)) / 2.0)
}

/// The distance in metres that has this under its root.
fn arc_m(root_of: f64) -> f64 {
    2.0 * RADIUS_M * asin(sqrt(root_of))
}

fn square(x: f64) -> f64 {
    x * x
}

fn radians(degrees: f64) -> f64 {
    degrees * RADIANS_PER_DEGREE
}

fn degrees(radians: f64) -> f64 {
    radians / RADIANS_PER_DEGREE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(longitude: f64, latitude: f64) -> Position {
        Position { longitude, latitude }
    }

    /// Whether a place is in an area, by measuring.
    fn measured(middle: Position, shape: Shape, to: Position) -> Option<f64> {
        let is_within = match shape {
            Shape::Circle { radius_m } => distance(middle, to) <= radius_m,
            Shape::Rectangle { width_m, height_m } => {
                let beside = Position { longitude: middle.longitude, ..to };
                along_meridian(middle.latitude, to.latitude) <= height_m / 2.0
                    && distance(to, beside) <= width_m / 2.0
            }
        };
        is_within.then(|| distance(middle, to))
    }

    proptest! {
        #[test]
        fn what_is_told_without_measuring_is_as_measured(
            (x1, y1) in (-180.0..180.0, -85.0..85.0),
            (x2, y2) in (-180.0..180.0, -85.0..85.0),
            is_near: bool,
            along in prop::sample::select([0.2, 0.999_999, 1.0, 1.000_001, 3.0].as_slice()),
            is_circle: bool,
        ) {
            let middle = place(x1, y1);
            let to = if is_near {
                place(x1 + (x2 - x1) / 1e4, y1 + (y2 - y1) / 1e4)
            } else {
                place(x2, y2)
            };
            // At the edge, in front of it, and behind it.
            let reach_m = distance(middle, to) * along;
            let shape = if is_circle {
                Shape::Circle { radius_m: reach_m }
            } else {
                Shape::Rectangle { width_m: reach_m * 2.0, height_m: reach_m * 3.0 }
            };
            let found = Area::new(middle, shape).distance_to(to);
            prop_assert_eq!(found, measured(middle, shape, to));
        }
    }

    #[test]
    fn areas_without_end_hold_everything() {
        for reach_m in [20_021_000.0, 1e300, f64::INFINITY] {
            for shape in [
                Shape::Circle { radius_m: reach_m },
                Shape::Rectangle { width_m: 2.0 * reach_m, height_m: 2.0 * reach_m },
            ] {
                let area = Area::new(place(0.0, 0.0), shape);
                assert!(area.distance_to(place(180.0, 0.0)).is_some());
                assert!(area.distance_to(place(90.0, -85.0)).is_some());
            }
        }
        let point = Area::new(place(1.0, 2.0), Shape::Circle { radius_m: 0.0 });
        assert_eq!(point.distance_to(place(1.0, 2.0)), Some(0.0));
        assert_eq!(point.distance_to(place(1.0, 2.000_001)), None);
    }
}
