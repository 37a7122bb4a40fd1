//! Commands on places, which are members of sorted sets with geohashes as scores.

mod cover;
mod earth;
mod geoadd;
mod geodist;
mod geohash;
mod geopos;
mod hash;
mod search;
mod unit;

use crate::{Command, ReplyError};
use alloc::format;
use hash::Position;
use vesta_resp::Reply;
use vesta_types::number;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &geoadd::GEOADD,
    &geodist::GEODIST,
    &geohash::GEOHASH,
    &geopos::GEOPOS,
    &search::GEORADIUS,
    &search::GEORADIUSBYMEMBER,
    &search::GEORADIUSBYMEMBER_RO,
    &search::GEORADIUS_RO,
    &search::GEOSEARCH,
    &search::GEOSEARCHSTORE,
];

/// Reads a place.
fn parse_position(longitude: &[u8], latitude: &[u8]) -> Result<Position, ReplyError> {
    let degrees = |text: &[u8]| number::parse_f64(text).ok_or(ReplyError::NotFloat);
    let (longitude, latitude) = (degrees(longitude)?, degrees(latitude)?);
    Position::new(longitude, latitude).ok_or_else(|| {
        let text = format!("invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        ReplyError::Generic(text.into())
    })
}

/// A pair of floats.
fn reply_position(reply: &mut Reply<'_>, position: Position) {
    reply.array(2);
    reply.double_text(&unit::coordinate(position.longitude));
    reply.double_text(&unit::coordinate(position.latitude));
}
