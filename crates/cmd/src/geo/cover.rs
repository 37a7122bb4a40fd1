//! Which cells to look into for the places in an area.
//!
//! Cells of one size are taken: the one that the middle is in, and the eight around it. They are as
//! small as they can be while these nine still cover the area; how small is estimated from the
//! area's reach, and then one size more is taken where the estimate was too bold. Neighbours that
//! cannot have a part in the area, because the cell in the middle goes beyond it on their side, are
//! left out.
//!
//! The sizes and the order of cells are not free: members that are returned unsorted come cell by
//! cell, and so do the first that COUNT ANY finds. Source: the order of replies of redis-server
//! 7.0.15, compared over random places and areas.

use super::earth::{Area, Bounds};
use super::hash::{Cell, STEP_MAX};
use alloc::vec::Vec;

/// Half of the map's equator, in metres.
const MAP_HALF_M: f64 = 20_037_726.37;
/// Nearer to the poles, in degrees, cells are narrower than their step says, and narrower still.
const NARROW: [f64; 2] = [66.0, 80.0];

/// The nine cells in the order in which they are looked into: how far east, how far north.
const AROUND: [(i8, i8); 9] =
    [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// Cells that hold all places of the area, none of them twice.
pub(super) fn cells(area: &Area) -> Vec<Cell> {
    let (middle, bounds) = (area.middle, area.bounds());
    let mut step = step_for(area.shape.reach_m(), middle.latitude);
    if step > 1 && !reaches(Cell::around(middle, step), &bounds) {
        step -= 1;
    }
    let cell = Cell::around(middle, step);
    let mut cells = Vec::with_capacity(AROUND.len());
    for (east, north) in AROUND {
        if step > 1 && is_useless(cell, &bounds, east, north) {
            continue;
        }
        // Where the map has two cells each way, the one in the east is the one in the west.
        let next = cell.neighbor(east, north);
        if !cells.contains(&next) {
            cells.push(next);
        }
    }
    cells
}

/// The finest step at which nine cells might cover what reaches so far.
fn step_for(reach_m: f64, latitude: f64) -> u8 {
    if reach_m == 0.0 {
        return STEP_MAX;
    }
    let mut reach_m = reach_m;
    let mut step = -1_i8;
    while reach_m < MAP_HALF_M && step < 100 {
        reach_m *= 2.0;
        step += 1;
    }
    let narrow = NARROW.iter().filter(|from| latitude.abs() > **from).count() as i8;
    (step - narrow).clamp(1, STEP_MAX as i8).unsigned_abs()
}

/// Whether the cells around this one go as far as the bounds do.
fn reaches(cell: Cell, bounds: &Bounds) -> bool {
    cell.neighbor(0, 1).latitudes().max >= bounds.north
        && cell.neighbor(0, -1).latitudes().min <= bounds.south
        && cell.neighbor(1, 0).longitudes().max >= bounds.east
        && cell.neighbor(-1, 0).longitudes().min <= bounds.west
}

/// Whether a neighbour lies on a side on which the cell itself goes beyond the bounds.
fn is_useless(cell: Cell, bounds: &Bounds, east: i8, north: i8) -> bool {
    let (longitudes, latitudes) = (cell.longitudes(), cell.latitudes());
    (north < 0 && latitudes.min < bounds.south)
        || (north > 0 && latitudes.max > bounds.north)
        || (east < 0 && longitudes.min < bounds.west)
        || (east > 0 && longitudes.max > bounds.east)
}
