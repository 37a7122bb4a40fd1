//! The area of a search as arguments: its middle and its shape.

use crate::geo::earth::Shape;
use crate::geo::hash::Position;
use crate::geo::parse_position;
use crate::geo::unit::Unit;
use crate::{Cursor, ReplyError};
use vesta_store::Zset;
use vesta_types::number;

/// Reads `longitude latitude`.
pub(super) fn position(cursor: &mut Cursor<'_>) -> Result<Position, ReplyError> {
    parse_position(cursor.need()?, cursor.need()?)
}

/// Reads a member, whose place is the middle; nothing is asked of it when there is no index.
pub(super) fn member(
    cursor: &mut Cursor<'_>,
    zset: Option<&Zset>,
) -> Result<Option<Position>, ReplyError> {
    let name = cursor.need()?;
    let Some(zset) = zset else { return Ok(None) };
    let score = zset.score(name);
    let score = score.ok_or(ReplyError::text("could not decode requested zset member"))?;
    Ok(Some(Position::of_score(score)))
}

/// Reads `radius unit`.
pub(super) fn circle(cursor: &mut Cursor<'_>) -> Result<(Shape, Unit), ReplyError> {
    let radius = length(cursor, "need numeric radius")?;
    if radius < 0.0 {
        return Err(ReplyError::text("radius cannot be negative"));
    }
    let unit = Unit::parse(cursor.need()?)?;
    Ok((Shape::Circle { radius_m: radius * unit.metres }, unit))
}

/// Reads `width height unit`.
pub(super) fn rectangle(cursor: &mut Cursor<'_>) -> Result<(Shape, Unit), ReplyError> {
    let width = length(cursor, "need numeric width")?;
    let height = length(cursor, "need numeric height")?;
    if width < 0.0 || height < 0.0 {
        return Err(ReplyError::text("height or width cannot be negative"));
    }
    let unit = Unit::parse(cursor.need()?)?;
    let shape = Shape::Rectangle { width_m: width * unit.metres, height_m: height * unit.metres };
    Ok((shape, unit))
}

fn length(cursor: &mut Cursor<'_>, refused: &'static str) -> Result<f64, ReplyError> {
    number::parse_f64(cursor.need()?).ok_or(ReplyError::text(refused))
}
