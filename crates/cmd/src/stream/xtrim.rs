//! `XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count]`

use super::STREAM;
use super::trim::{Options, rewritten};
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;

/// `XTRIM`: removes old entries and returns how many.
///
/// Replicates as an exact trim.
pub(super) const XTRIM: Command = Command {
    spec: Spec {
        name: "xtrim",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        complexity: "O(N) for N entries removed, of which whole nodes go at once",
        summary: "Removes entries from the old end of a stream.",
        syntax: "key trim=(strategy=<MAXLEN | MINID> [operator=<=@equal | ~@approximately>] \
                 threshold [LIMIT count:integer])",
        tips: &["nondeterministic_output"],
        history: &[("6.2.0", "Added the `MINID` and `LIMIT` options.")],
        ..STREAM
    },
    run: Run::Write(xtrim),
};

fn xtrim(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let options = Options::parse(ctx, false)?;
    let is_wanted = ctx.propagation.is_wanted();
    let mut removed = 0;
    let mut threshold = None;
    if let Some(trimming) = options.trimming {
        ctx.keys.edit_as::<Stream, _>(key, |stream, _| {
            removed = trimming.apply(stream.log_mut());
            if is_wanted && trimming.is_approximate() {
                threshold = Some(trimming.exact_threshold(stream.log()));
            }
        })?;
    }
    if removed > 0 {
        ctx.notify(Class::Stream, "xtrim", key);
        match &threshold {
            Some(text) => {
                let words = rewritten(ctx.request, options.trimming, Some(text), None);
                ctx.changed_as(&words);
            }
            None => ctx.changed_times(removed),
        }
    }
    ctx.reply.int(i64::try_from(removed).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
