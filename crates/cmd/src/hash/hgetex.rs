//! `HGETEX key [EX | PX | EXAT | PXAT time | PERSIST] FIELDS numfields field...`

use super::fields::first_after_options;
use super::{hpersist, lifetime};
use crate::element::reply_element_or_null;
use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Hash, Rules};

/// `HGETEX key [option] FIELDS numfields field...`: the values of fields, whose expiry is set or
/// removed.
///
/// Replicates as `HPEXPIREAT` or `HPERSIST` of the fields that it changed, or as `HDEL` when the
/// time is over.
pub(super) const HGETEX: Command = Command {
    spec: Spec {
        name: "hgetex",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))
            .noted("Changes the expiry of fields, not their values.")],
        group: Group::Hash,
        since: "8.0.0",
        complexity: "O(N) in the number of fields that are named",
        summary: "Returns the values of fields of a hash and sets or removes their expiry.",
        syntax: "key [expiration=<EX seconds:integer | PX milliseconds:integer | \
                 EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | \
                 PERSIST>] fields=(FIELDS numfields:integer field...)",
        ..Spec::EMPTY
    },
    run: Run::Write(hgetex),
};

/// What becomes of the fields' expiry.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    Persist,
    Expire(u64),
}

fn hgetex(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, request, now_ms) = (ctx.arg(1), ctx.request, ctx.keys.now_ms());
    let (then, first) = parse(ctx)?;
    ctx.keys.expire_fields(key, request.args_from(first));
    let WriteCtx { keys, reply, .. } = ctx;
    let hash = keys.read_as::<Hash>(key)?;
    reply.array(request.len() - first);
    for name in request.args_from(first) {
        reply_element_or_null(reply, hash.and_then(|hash| hash.get(name, now_ms)));
    }
    if hash.is_none() || matches!(then, Then::Nothing) {
        return Ok(Flow::Done);
    }
    let changed = keys.edit_as::<Hash, _>(key, |hash, rules| {
        let change = |name: &&[u8]| apply(hash, name, then, now_ms, rules);
        request.args_from(first).filter(change).collect::<Vec<_>>()
    })?;
    let changed = changed.unwrap_or_default();
    match then {
        Then::Nothing => {}
        Then::Persist => lifetime::changed_as_persist(ctx, &changed),
        Then::Expire(at_ms) => lifetime::changed_as_expiry(ctx, at_ms, &changed),
    }
    Ok(Flow::Done)
}

/// Changes the expiry of one field; whether it was changed.
fn apply(hash: &mut Hash, name: &[u8], then: Then, now_ms: u64, rules: &Rules) -> bool {
    match then {
        Then::Nothing => false,
        Then::Persist => hpersist::persist(hash, name, rules) > 0,
        Then::Expire(at_ms) if at_ms <= now_ms => hash.remove(name),
        Then::Expire(at_ms) => hash.set_expiry(name, Some(at_ms), rules),
    }
}

/// The options, and where the fields begin.
///
/// # Errors
/// In the order of the arguments. Source of the texts: tests of Redis 8.0.
fn parse(ctx: &WriteCtx<'_>) -> Result<(Then, usize), ReplyError> {
    let mut cursor = ctx.cursor(2);
    let mut then = Then::Nothing;
    while !cursor.take("fields") {
        let next = cursor.peek().ok_or(ReplyError::Syntax)?;
        let form = lifetime::take_form(&mut cursor);
        if form.is_none() && !cursor.take("persist") {
            return Err(lifetime::unknown(next));
        }
        if !matches!(then, Then::Nothing) {
            return Err(ReplyError::text(
                "Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
            ));
        }
        then = match form {
            Some(form) => {
                let text = cursor.pop().ok_or(lifetime::MISSING)?;
                Then::Expire(lifetime::at_ms(text, form, ctx.now, "hgetex")?)
            }
            None => Then::Persist,
        };
    }
    Ok((then, first_after_options(&ctx.request, cursor.position(), 1)?))
}
