//! `PFSELFTEST`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::borrow::Cow;
use alloc::format;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_store::hll::{self, Hll};

/// `PFSELFTEST`: counts a known number of elements and compares.
pub(super) const PFSELFTEST: Command = Command {
    spec: Spec {
        name: "pfselftest",
        arity: Arity::Exactly(1),
        flags: Flags::ADMIN,
        categories: Categories::HYPERLOGLOG,
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(1), with a large constant",
        summary: "Tests the HyperLogLogs of the server.",
        internal: true,
        ..Spec::EMPTY
    },
    run: Run::Control(pfselftest),
};

/// Elements that are counted.
const ELEMENTS: u64 = 200_000;
/// Standard error of an estimate: 1.04 / sqrt(16384).
const ERROR: f64 = 0.008_125;

/// The same elements go into one that is sparse as long as it can be, and into a dense one: their
/// registers must be the same at every power of ten, and the estimate must be near.
fn pfselftest(ctx: &mut ControlCtx<'_>) -> Outcome {
    let failed = || ReplyError::Coded(Cow::Borrowed("TESTFAILED A register was not counted"));
    let sparse_max = super::sparse_max(ctx.host.config());
    let mut by_itself = Hll::new();
    let mut dense = Hll::new();
    dense.make_dense().map_err(super::corrupt)?;
    let mut dense = dense.into_bytes();
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS {
        let element = number.to_le_bytes();
        by_itself.add(&element, sparse_max).map_err(super::corrupt)?;
        hll::add_dense(&mut dense, &element).ok_or_else(failed)?;
        if number != checkpoint && number != ELEMENTS {
            continue;
        }
        checkpoint = checkpoint.saturating_mul(10);
        let view = by_itself.view();
        let twin = hll::View::parse(&dense).ok_or_else(failed)?;
        if view.registers() != twin.registers() {
            return Err(failed());
        }
        let count = view.count().map_err(super::corrupt)?;
        // Few elements are counted exactly, but for two that fall together.
        let error_max = (number as f64 * ERROR * 6.0).max(1.0);
        if count.abs_diff(number) as f64 > error_max {
            let text = format!("TESTFAILED Too big error. card:{number} got:{count}");
            return Err(ReplyError::Coded(text.into()));
        }
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}
