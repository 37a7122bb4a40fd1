//! `LOLWUT [VERSION version] [columns rows]`: a fire in a hearth, no two alike.

use crate::{Command, ControlCtx, Flow, Outcome, REDIS_VERSION, ReplyError, Run};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use vesta_spec::{Arity, Flags, Group, Spec};
use vesta_types::{Rng, number};

/// `LOLWUT [VERSION version]`: art, and the version of the server.
pub(super) const LOLWUT: Command = Command {
    spec: Spec {
        name: "lolwut",
        arity: Arity::AtLeast(1),
        flags: Flags::READONLY.and(Flags::FAST),
        group: Group::Server,
        since: "5.0.0",
        complexity: "",
        summary: "Draws something and tells the version.",
        syntax: "[VERSION version:integer]",
        ..Spec::EMPTY
    },
    run: Run::Control(lolwut),
};

/// Widest picture, in characters.
const COLUMNS_MAX: usize = 200;
/// Highest picture, in lines.
const ROWS_MAX: usize = 100;
/// From cold to hot.
const GLOW: &[u8] = b"    ..,:;-=+*oxX%#@";

fn lolwut(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(1);
    if cursor.left() > 1 && cursor.take("version") {
        // There is one picture for all versions.
        number::parse_i64(cursor.need()?).ok_or(ReplyError::NotInteger)?;
    }
    let columns = size(cursor.pop(), 66, COLUMNS_MAX)?;
    let rows = size(cursor.pop(), 16, ROWS_MAX)?;
    let mut rng = Rng::new(ctx.host.random());
    let picture = fire(columns, rows, &mut rng);
    let text = format!("{picture}\nVesta keeps the fire.\nRedis ver. {REDIS_VERSION}\n");
    ctx.reply.verbatim("txt", &text);
    Ok(Flow::Done)
}

/// A side of the picture: as wished, within bounds.
fn size(given: Option<&[u8]>, default: usize, max: usize) -> Result<usize, ReplyError> {
    let Some(given) = given else { return Ok(default) };
    let given = number::parse_i64(given).ok_or(ReplyError::NotInteger)?;
    Ok(usize::try_from(given.max(1)).unwrap_or(max).min(max))
}

/// Flames: heat rises from glowing embers, drifts sideways, and is lost on the way up.
fn fire(columns: usize, rows: usize, rng: &mut Rng) -> String {
    let hottest = GLOW.len().saturating_sub(1) as u64;
    let mut below: Vec<u64> = (0..columns)
        .map(|column| {
            // The bed of embers is hottest in its middle.
            let edge = column.min(columns - 1 - column) as u64;
            let most = (edge * 3 * hottest / columns.max(1) as u64).min(hottest);
            most.saturating_sub(rng.below(4))
        })
        .collect();
    let mut lines = vec![line(&below)];
    let loss = (3 * hottest / (rows as u64).max(1)).max(1);
    for _ in 1..rows {
        below = (0..columns)
            .map(|column| {
                let from = (column + 1).saturating_sub(usize::from(rng.below(3) != 0));
                let from = from.saturating_sub(usize::from(rng.below(3) == 0));
                let heat = below.get(from).copied().unwrap_or(0);
                heat.saturating_sub(rng.below(loss + 1))
            })
            .collect();
        lines.push(line(&below));
    }
    lines.reverse();
    lines.push(format!("{:=^columns$}", ""));
    lines.join("\n")
}

fn line(heat: &[u64]) -> String {
    let glow = |heat: &u64| {
        let at = usize::try_from(*heat).unwrap_or(0);
        char::from(GLOW.get(at).copied().unwrap_or(b' '))
    };
    String::from(heat.iter().map(glow).collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fire_fits_its_frame_and_burns_differently_every_time() {
        for (columns, rows) in [(1, 1), (66, 16), (COLUMNS_MAX, ROWS_MAX)] {
            let picture = fire(columns, rows, &mut Rng::new(7));
            assert_eq!(picture.lines().count(), rows + 1);
            assert!(picture.lines().all(|line| line.len() <= columns));
        }
        assert_ne!(fire(66, 16, &mut Rng::new(1)), fire(66, 16, &mut Rng::new(2)));
    }
}
