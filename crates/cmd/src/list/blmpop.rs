//! `BLMPOP timeout numkeys key... LEFT | RIGHT [COUNT count]`

use super::lmpop::{LMPOP, pop_first};
use super::{place, wait_for};
use crate::blocking::{OnTimeout, timeout_seconds};
use crate::mpop::{self, Wanted};
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Flags, Spec};

/// `BLMPOP timeout numkeys key... LEFT | RIGHT [COUNT count]`: LMPOP that waits until there is a
/// list.
pub(super) const BLMPOP: Command = Command {
    spec: Spec {
        name: "blmpop",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLEKEYS),
        keys: &[mpop::keys(2)],
        summary: "Removes elements from the first list that is there and returns them; waits \
                  until there is one.",
        syntax: "timeout:double numkeys:integer key... where=<LEFT | RIGHT> [COUNT count:integer]",
        ..LMPOP.spec
    },
    run: Run::Write(blmpop),
};

fn blmpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    let wanted = Wanted::parse(ctx.cursor(2), place::end)?;
    let timeout_ms = timeout_seconds(ctx.arg(1))?;
    if pop_first(ctx, &wanted)? {
        return Ok(Flow::Done);
    }
    wait_for(ctx, wanted.keys, timeout_ms, OnTimeout::NullArray)
}
