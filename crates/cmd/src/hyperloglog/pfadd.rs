//! `PFADD key [element...]`

use super::{NO_HYPERLOGLOG, corrupt, sparse_max, view};
use crate::string::{replace_raw, set_raw};
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Entry;
use vesta_store::hll::{self, Hll, View};

/// `PFADD key [element...]`: shows elements to a HyperLogLog, which may be missing.
pub(super) const PFADD: Command = Command {
    spec: Spec {
        name: "pfadd",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(1) for each element",
        summary: "Counts elements in a HyperLogLog, which is made if it is missing.",
        syntax: "key [element...]",
        ..Spec::EMPTY
    },
    run: Run::Write(pfadd),
};

fn pfadd(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, elements) = (ctx.arg(1), ctx.request.args_from(2));
    let sparse_max = sparse_max(ctx.config);
    let added = ctx.keys.edit_string(key, |entry| add(entry, elements.clone(), sparse_max))?;
    let is_changed = match added {
        Some(is_changed) => is_changed?,
        None => {
            let mut hll = Hll::new();
            for element in elements {
                hll.add(element, sparse_max).map_err(corrupt)?;
            }
            set_raw(&mut ctx.keys, key, hll.into_bytes());
            true
        }
    };
    if is_changed {
        ctx.notify(Class::String, "pfadd", key);
        ctx.changed();
    }
    ctx.reply.flag(is_changed);
    Ok(Flow::Done)
}

/// Adds to what is there: where it lies when dense, else to a copy.
fn add<'a>(
    entry: &mut Entry,
    mut elements: impl Iterator<Item = &'a [u8]>,
    sparse_max: usize,
) -> Result<bool, ReplyError> {
    let string = entry.string().ok_or(ReplyError::WrongType)?;
    if let View::Dense(_) = view(&string)? {
        let text = entry.text_mut(0);
        return elements.try_fold(false, |is_changed, element| {
            let raised = hll::add_dense(text, element).ok_or(NO_HYPERLOGLOG)?;
            Ok(is_changed | raised)
        });
    }
    let view = view(&string)?;
    // Most requests show what is known already: nothing is copied for them.
    let mut changed: Option<Hll> = None;
    for element in elements {
        match &mut changed {
            Some(hll) => drop(hll.add(element, sparse_max).map_err(corrupt)?),
            None => changed = Hll::with(view, element, sparse_max).map_err(corrupt)?,
        }
    }
    let is_changed = changed.is_some();
    match changed {
        Some(hll) => replace_raw(entry, hll.into_bytes()),
        None => entry.set_raw(true),
    }
    Ok(is_changed)
}
