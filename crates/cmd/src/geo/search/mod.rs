//! Members in an area: `GEOSEARCH`, `GEORADIUS` and their relatives.

mod area;
mod find;
mod georadius;
mod geosearch;
mod options;

pub(super) use georadius::{GEORADIUS, GEORADIUS_RO, GEORADIUSBYMEMBER, GEORADIUSBYMEMBER_RO};
pub(super) use geosearch::{GEOSEARCH, GEOSEARCHSTORE};

use super::reply_position;
use super::unit::four_decimals;
use crate::element::reply_element;
use find::Found;
use options::Asked;
use vesta_resp::Reply;
use vesta_store::algebra::ranked;
use vesta_store::{Rules, Zset};

/// An array of names, or of names with what else was asked for.
fn reply_found(reply: &mut Reply<'_>, found: &[Found<'_>], asked: &Asked<'_>) {
    let more = [asked.with_distance, asked.with_score, asked.with_position];
    let extras = more.into_iter().filter(|is_wanted| *is_wanted).count();
    reply.array(found.len());
    for found in found {
        if extras > 0 {
            reply.array(extras + 1);
        }
        reply_element(reply, found.name);
        if asked.with_distance {
            reply.text(&four_decimals(found.distance_m / asked.unit.metres));
        }
        if asked.with_score {
            reply.int(found.score as i64);
        }
        if asked.with_position {
            reply_position(reply, found.position);
        }
    }
}

/// A sorted set of what was found, with the scores it had or with distances.
fn kept(found: &[Found<'_>], asked: &Asked<'_>, by_distance: bool, rules: &Rules) -> Zset {
    let score = |found: &Found<'_>| match by_distance {
        true => found.distance_m / asked.unit.metres,
        false => found.score,
    };
    let members = found.iter().map(|found| (found.name, score(found)));
    Zset::from_sorted(&ranked(members.collect()), rules)
}
