//! Finding the members in an area, and bringing them into the order asked for.

use super::options::{Asked, Order};
use crate::geo::cover;
use crate::geo::earth::Area;
use crate::geo::hash::Position;
use alloc::vec::Vec;
use core::cmp::Ordering;
use vesta_store::{Element, ScoreBound, Zset};

/// A member in the area.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'s> {
    pub(super) name: Element<'s>,
    pub(super) score: f64,
    pub(super) position: Position,
    /// From the middle of the area.
    pub(super) distance_m: f64,
}

/// The members asked for. Those that are not sorted come cell by cell, each in order of scores.
pub(super) fn find<'s>(zset: Option<&'s Zset>, asked: &Asked<'_>) -> Vec<Found<'s>> {
    let (Some(zset), Some(middle)) = (zset, asked.middle) else { return Vec::new() };
    let enough = if asked.any { asked.count } else { usize::MAX };
    let mut found = Vec::new();
    let area = Area::new(middle, asked.shape);
    for cell in cover::cells(&area) {
        let scores = cell.scores();
        let (min, max) = (ScoreBound::Inclusive(scores.start), ScoreBound::Exclusive(scores.end));
        for (name, score) in zset.walk(zset.ranks_by_score(min, max)) {
            if found.len() >= enough {
                break;
            }
            let position = Position::of_score(score);
            let distance_m = area.distance_to(position);
            found.extend(distance_m.map(|distance_m| Found { name, score, position, distance_m }));
        }
    }
    // The nearest are what a limit means, unless any will do.
    let implied = (asked.count > 0 && !asked.any).then_some(Order::Nearest);
    match asked.order.or(implied) {
        Some(order) => first_in_order(&found, order, asked.count),
        None => found,
    }
}

/// The first `count` of `found` (all if 0) in order of their distances; members at the same
/// distance stay as they are.
fn first_in_order<'s>(found: &[Found<'s>], order: Order, count: usize) -> Vec<Found<'s>> {
    let mut places: Vec<(f64, usize)> =
        found.iter().enumerate().map(|(place, found)| (found.distance_m, place)).collect();
    let compare = |(one, first): &(f64, usize), (other, second): &(f64, usize)| {
        let by_distance = match order {
            Order::Nearest => one.partial_cmp(other),
            Order::Farthest => other.partial_cmp(one),
        };
        by_distance.unwrap_or(Ordering::Equal).then(first.cmp(second))
    };
    if count > 0 && count < places.len() {
        places.select_nth_unstable_by(count, compare);
        places.truncate(count);
    }
    places.sort_unstable_by(compare);
    places.iter().filter_map(|(_, place)| found.get(*place).copied()).collect()
}
