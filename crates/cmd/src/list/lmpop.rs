//! `LMPOP numkeys key... LEFT | RIGHT [COUNT count]`

use super::place;
use super::pop::pop_array_into;
use crate::{Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use core::ops::Range;
use vesta_spec::{Arity, BeginSearch, Categories, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::End;
use vesta_types::number;

/// Keys behind their number, which is argument `index`.
pub(super) const fn counted_keys(index: u8) -> KeySpec {
    KeySpec {
        begin: BeginSearch::Index(index),
        find: FindKeys::Count { count_at: 0, first: 1, step: 1 },
        flags: KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE),
        notes: "",
    }
}

/// `LMPOP numkeys key... LEFT | RIGHT [COUNT count]`: removes elements at an end of the first of
/// the lists that is there, and replies with its key and them.
pub(super) const LMPOP: Command = Command {
    spec: Spec {
        name: "lmpop",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::MOVABLEKEYS),
        categories: Categories::LIST,
        keys: &[counted_keys(1)],
        group: Group::List,
        since: "7.0.0",
        complexity: "O(N+M): N keys, M elements returned",
        summary: "Removes elements from the first list that is there and returns them.",
        syntax: "numkeys:integer key... where=<LEFT | RIGHT> [COUNT count:integer]",
        ..Spec::EMPTY
    },
    run: Run::Write(lmpop),
};

/// What LMPOP and BLMPOP are asked for.
pub(super) struct Wanted {
    /// Which arguments are the keys.
    pub(super) keys: Range<usize>,
    end: End,
    count: u64,
}

impl Wanted {
    /// Reads the arguments from the number of keys on.
    pub(super) fn parse(mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let keys = need_positive(&mut cursor, "numkeys should be greater than 0")?;
        let first = cursor.position();
        // What the keys leave must hold at least the end.
        let left = cursor.left() as u64;
        let keys = usize::try_from(keys).ok().filter(|keys| (*keys as u64) < left);
        let keys = first..first + keys.ok_or(ReplyError::Syntax)?;
        for _ in keys.clone() {
            cursor.need()?;
        }
        let end = place::end(cursor.need()?)?;
        let mut count = None;
        while !cursor.is_done() {
            if count.is_some() || !cursor.take("count") {
                return Err(ReplyError::Syntax);
            }
            count = Some(need_positive(&mut cursor, "count should be greater than 0")?);
        }
        Ok(Self { keys, end, count: count.unwrap_or(1) })
    }
}

/// The next argument as a number above 0, or this error.
fn need_positive(cursor: &mut Cursor<'_>, error: &'static str) -> Result<u64, ReplyError> {
    let number = number::parse_i64(cursor.need()?).filter(|number| *number > 0);
    number.and_then(|number| u64::try_from(number).ok()).ok_or(ReplyError::text(error))
}

fn lmpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    let wanted = Wanted::parse(ctx.cursor(1))?;
    if !pop_first(ctx, &wanted)? {
        ctx.reply.null_array();
    }
    Ok(Flow::Done)
}

/// Pops from the first key that holds a list and replies; whether there is one.
///
/// Replicates as `LPOP` or `RPOP` with the number of elements that there were.
pub(super) fn pop_first(ctx: &mut WriteCtx<'_>, wanted: &Wanted) -> Result<bool, ReplyError> {
    let Wanted { end, count, .. } = *wanted;
    for place in wanted.keys.clone() {
        let key = ctx.request.arg(place);
        let WriteCtx { keys, reply, .. } = ctx;
        let popped = keys.edit_as(key, |list, rules| {
            reply.array(2);
            reply.bulk(key);
            pop_array_into(reply, list, end, count, rules)
        })?;
        if let Some(popped) = popped {
            let name: &[u8] = match end {
                End::Front => b"LPOP",
                End::Back => b"RPOP",
            };
            ctx.changed_as(&[name, key, itoa::Buffer::new().format(popped).as_bytes()]);
            return Ok(true);
        }
    }
    Ok(false)
}
