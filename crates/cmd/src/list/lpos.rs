//! `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`

use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_resp::Reply;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::Sought;
use vesta_store::{Direction, List};

/// `LPOS key element [options]`: where in a list an element is.
pub(super) const LPOS: Command = Command {
    spec: Spec {
        name: "lpos",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::List,
        since: "6.0.6",
        complexity: "O(N) in the number of elements that are compared",
        summary: "Returns the index of elements of a list that are equal to another.",
        syntax: "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
        ..Spec::EMPTY
    },
    run: Run::Read(lpos),
};

/// Which matches to return.
struct Wanted {
    direction: Direction,
    /// Matches that are passed over first.
    skipped: u64,
    /// How many to return in an array, 0 for all of them; `None` for one without an array.
    count: Option<u64>,
    /// Elements that are compared at most.
    compared_max: u64,
}

impl Wanted {
    fn parse(mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let (mut rank, mut count, mut compared_max) = (1, None, 0);
        while !cursor.is_done() {
            if cursor.take("rank") {
                rank = cursor.need_i64()?;
                check_rank(rank)?;
            } else if cursor.take("count") {
                count = Some(need_count(&mut cursor, "COUNT can't be negative")?);
            } else if cursor.take("maxlen") {
                compared_max = need_count(&mut cursor, "MAXLEN can't be negative")?;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(Self {
            direction: if rank < 0 { Direction::Backward } else { Direction::Forward },
            skipped: rank.unsigned_abs() - 1,
            count,
            compared_max: if compared_max == 0 { u64::MAX } else { compared_max },
        })
    }
}

fn check_rank(rank: i64) -> Result<(), ReplyError> {
    match rank {
        0 => Err(ReplyError::text(
            "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or \
             use negative to start from the end of the list",
        )),
        i64::MIN => Err(ReplyError::text(
            "value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        )),
        _ => Ok(()),
    }
}

/// The next argument as a number that is not negative, or this error.
fn need_count(cursor: &mut Cursor<'_>, error: &'static str) -> Result<u64, ReplyError> {
    let text = cursor.need()?;
    let number = vesta_types::number::parse_i64(text);
    number.and_then(|number| u64::try_from(number).ok()).ok_or(ReplyError::text(error))
}

fn lpos(ctx: &mut ReadCtx<'_>) -> Outcome {
    let wanted = Wanted::parse(ctx.cursor(3))?;
    let ReadCtx { request, keys, reply, .. } = ctx;
    let sought = Sought::new(request.arg(2));
    match (keys.read_as::<List>(request.arg(1))?, wanted.count) {
        (None, None) => reply.null(),
        (None, Some(_)) => reply.array(0),
        (Some(list), None) => {
            let mut found = None;
            find(list, sought, &wanted, 1, |at| found = Some(at));
            match found {
                Some(at) => reply.count(at),
                None => reply.null(),
            }
        }
        (Some(list), Some(count)) => reply_all(reply, list, sought, &wanted, count),
    }
    Ok(Flow::Done)
}

fn reply_all(reply: &mut Reply<'_>, list: &List, sought: Sought<'_>, wanted: &Wanted, count: u64) {
    let max = if count == 0 { u64::MAX } else { count };
    let (header, mut len) = (reply.deferred(), 0);
    find(list, sought, wanted, max, |at| {
        reply.count(at);
        len += 1;
    });
    reply.close_array(header, len);
}

/// Hands the places of up to `max` matches to `each`.
fn find(list: &List, sought: Sought<'_>, wanted: &Wanted, max: u64, mut each: impl FnMut(usize)) {
    let len = list.len();
    let first = match wanted.direction {
        Direction::Forward => 0,
        Direction::Backward => len - 1,
    };
    let mut walk = list.walk(first, wanted.direction);
    let (mut compared, mut matches, mut given) = (0, 0, 0);
    while compared < wanted.compared_max
        && given < max
        && let Some(element) = walk.next()
    {
        if sought.is(element) {
            matches += 1;
            if matches > wanted.skipped {
                given += 1;
                let distance = usize::try_from(compared).unwrap_or(usize::MAX);
                each(match wanted.direction {
                    Direction::Forward => distance,
                    Direction::Backward => first.saturating_sub(distance),
                });
            }
        }
        compared += 1;
    }
}
