//! `LMPOP numkeys key... LEFT | RIGHT [COUNT count]`

use super::place;
use super::pop::pop_array_into;
use super::popped;
use crate::mpop::{self, Wanted};
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_store::object::End;

/// `LMPOP numkeys key... LEFT | RIGHT [COUNT count]`: removes elements at an end of the first of
/// the lists that is there, and replies with its key and them.
pub(super) const LMPOP: Command = Command {
    spec: Spec {
        name: "lmpop",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::MOVABLEKEYS),
        categories: Categories::LIST,
        keys: &[mpop::keys(1)],
        group: Group::List,
        since: "7.0.0",
        complexity: "O(N+M): N keys, M elements returned",
        summary: "Removes elements from the first list that is there and returns them.",
        syntax: "numkeys:integer key... where=<LEFT | RIGHT> [COUNT count:integer]",
        ..Spec::EMPTY
    },
    run: Run::Write(lmpop),
};

fn lmpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    let wanted = Wanted::parse(ctx.cursor(1), place::end)?;
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
        let taken = keys.edit_as(key, |list, rules| {
            reply.array(2);
            reply.bulk(key);
            pop_array_into(reply, list, end, count as u64, rules)
        })?;
        if let Some(count) = taken {
            ctx.notify_taken(Class::List, popped(end), key);
            let name: &[u8] = match end {
                End::Front => b"LPOP",
                End::Back => b"RPOP",
            };
            ctx.changed_as(&[name, key, itoa::Buffer::new().format(count).as_bytes()]);
            return Ok(true);
        }
    }
    Ok(false)
}
