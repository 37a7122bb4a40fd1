//! `SPOP key [count]`

use crate::element::reply_element;
use crate::{Class, Command, Flow, Outcome, Propagation, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Digits, Element, Set};
use vesta_types::number;

/// `SPOP key [count]`: takes members out of a set that are drawn fairly.
///
/// Replicates as `SREM` of those members, or as `DEL` when a count takes all of them.
pub(super) const SPOP: Command = Command {
    spec: Spec {
        name: "spop",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))],
        group: Group::Set,
        complexity: "O(1), or O(N) in the count",
        summary: "Removes random members from a set and returns them.",
        syntax: "key [count:integer]",
        tips: &["nondeterministic_output"],
        history: &[("3.2.0", "A count can be given.")],
        ..Spec::EMPTY
    },
    run: Run::Write(spop),
};

/// Members that one SREM of the stream removes at most.
const MEMBERS_PER_SREM: usize = 1024;

fn spop(ctx: &mut WriteCtx<'_>) -> Outcome {
    match ctx.request.len() {
        2 => pop_one(ctx),
        3 => {
            let count = number::parse_i64(ctx.arg(2)).and_then(|count| usize::try_from(count).ok());
            let refused = ReplyError::text("value is out of range, must be positive");
            pop_many(ctx, count.ok_or(refused)?)
        }
        _ => Err(ReplyError::Syntax),
    }
}

fn pop_one(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, reply, propagation, .. } = ctx;
    let (key, mut rng) = (request.arg(1), keys.store().fork_rng());
    let popped = keys.edit_as(key, |set: &mut Set, _| {
        set.pop(&mut rng, |member| {
            reply_element(reply, member);
            propagation.count(1);
            propagation.add(&[b"SREM", key, member.text(&mut Digits::new())]);
        })
    })?;
    match popped {
        Some(_) => ctx.notify_taken(Class::Set, "spop", key),
        None => reply.null(),
    }
    Ok(Flow::Done)
}

fn pop_many(ctx: &mut WriteCtx<'_>, count: usize) -> Outcome {
    let WriteCtx { request, keys, reply, propagation, .. } = ctx;
    let (key, mut rng) = (request.arg(1), keys.store().fork_rng());
    let len = keys.look_as::<Set>(key)?.map_or(0, Set::len);
    let count = count.min(len);
    reply.set(count);
    if count == 0 {
        return Ok(Flow::Done);
    }
    propagation.count(count as u64);
    if count == len {
        if let Some(set) = keys.beside_as::<Set>(key)? {
            set.iter().for_each(|member| reply_element(reply, member));
        }
        keys.delete(key);
        keys.notify_taken(Class::Set, "spop", key);
        propagation.add(&[b"DEL", key]);
        return Ok(Flow::Done);
    }
    let mut removal = Removal { key, propagation, members: Vec::new() };
    keys.edit_as(key, |set: &mut Set, rules| {
        set.pop_many(count, &mut rng, rules, |member| {
            reply_element(reply, member);
            removal.note(member);
        });
    })?;
    removal.flush();
    ctx.notify(Class::Set, "spop", key);
    Ok(Flow::Done)
}

/// Members that went, on their way into the stream.
struct Removal<'a> {
    key: &'a [u8],
    propagation: &'a mut Propagation,
    members: Vec<Vec<u8>>,
}

impl Removal<'_> {
    fn note(&mut self, member: Element<'_>) {
        if self.propagation.is_wanted() {
            self.members.push(member.text(&mut Digits::new()).to_vec());
            if self.members.len() == MEMBERS_PER_SREM {
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        if !self.members.is_empty() {
            let mut words: Vec<&[u8]> = Vec::with_capacity(self.members.len() + 2);
            words.extend([&b"SREM"[..], self.key]);
            words.extend(self.members.iter().map(Vec::as_slice));
            self.propagation.add(&words);
            self.members.clear();
        }
    }
}
