//! `BZMPOP timeout numkeys key... MIN | MAX [COUNT count]`

use super::wait_for;
use super::zmpop::{ZMPOP, end, pop_first};
use crate::blocking::timeout_seconds;
use crate::mpop::{self, Wanted};
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Flags, Spec};

/// `BZMPOP timeout numkeys key... MIN | MAX [COUNT count]`: `ZMPOP` that waits until there is a
/// sorted set.
pub(super) const BZMPOP: Command = Command {
    spec: Spec {
        name: "bzmpop",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLEKEYS),
        keys: &[mpop::keys(2)],
        summary: "Removes the members of one of several sorted sets with the lowest or highest \
                  scores and returns them; waits until there is one.",
        syntax: "timeout:double numkeys:integer key... where=<MIN | MAX> [COUNT count:integer]",
        ..ZMPOP.spec
    },
    run: Run::Write(bzmpop),
};

fn bzmpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    let wanted = Wanted::parse(ctx.cursor(2), end)?;
    let timeout_ms = timeout_seconds(ctx.arg(1))?;
    if pop_first(ctx, &wanted)? {
        return Ok(Flow::Done);
    }
    wait_for(ctx, wanted.keys, timeout_ms)
}
