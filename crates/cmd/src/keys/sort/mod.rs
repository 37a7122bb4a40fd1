//! `SORT key [options]` and `SORT_RO key [options]`

mod options;
mod pattern;
mod sorted;
mod weight;

use crate::{Class, Command, Flow, Outcome, ReadCtx, Run, WriteCtx};
use alloc::vec::Vec;
use options::Options;
use pattern::Pattern;
use sorted::{Span, Texts, sorted};
use vesta_resp::Reply;
use vesta_spec::{Arity, BeginSearch, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::End;
use vesta_store::{Deadline, Keyspace, Kind, List};

const SOURCE: KeySpec = KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS));
const NAMED_BY_DATA: KeySpec = KeySpec {
    begin: BeginSearch::Unknown,
    notes: "For BY and GET: the names of these keys are made from the elements, so that the \
            request does not tell them",
    ..SOURCE
};
const DESTINATION: KeySpec = KeySpec {
    begin: BeginSearch::Option {
        keyword: "STORE",
        from: 2,
        others: &[("LIMIT", 2), ("GET", 1), ("BY", 1)],
    },
    notes: "For STORE: the option can stand anywhere among the others",
    ..KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE))
};

/// `SORT key [options]`: the elements of a list, set or sorted set in order, or values that belong
/// to them, returned or kept in a list.
pub(super) const SORT: Command = Command {
    spec: Spec {
        name: "sort",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLEKEYS),
        categories: Categories::SET
            .and(Categories::SORTEDSET)
            .and(Categories::LIST)
            .and(Categories::DANGEROUS),
        keys: &[SOURCE, NAMED_BY_DATA, DESTINATION],
        group: Group::Generic,
        complexity: "O(N*log(N)) in the number of elements; O(N) when they are not sorted",
        summary: "Sorts the elements of a list, set or sorted set, and may keep the result.",
        syntax: "key [BY by-pattern:pattern] [LIMIT limit=(offset:integer count:integer)] \
                 [GET get-pattern:pattern ...] [order=<ASC | DESC>] [ALPHA] \
                 [STORE destination]",
        ..Spec::EMPTY
    },
    run: Run::Write(sort),
};

/// `SORT_RO key [options]`: as SORT without STORE.
pub(super) const SORT_RO: Command = Command {
    spec: Spec {
        name: "sort_ro",
        flags: Flags::READONLY.and(Flags::MOVABLEKEYS),
        keys: &[SOURCE, NAMED_BY_DATA],
        since: "7.0.0",
        summary: "Sorts the elements of a list, set or sorted set.",
        syntax: "key [BY by-pattern:pattern] [LIMIT limit=(offset:integer count:integer)] \
                 [GET get-pattern:pattern ...] [order=<ASC | DESC>] [ALPHA]",
        ..SORT.spec
    },
    run: Run::Read(sort_ro),
};

fn sort(ctx: &mut WriteCtx<'_>) -> Outcome {
    let options = Options::parse(ctx.cursor(2), true)?;
    let (texts, elements) = sorted(&mut ctx.keys, ctx.request.arg(1), &options)?;
    match options.store {
        Some(key) => keep(ctx, key, texts, &elements, &options.gets),
        None => reply_all(&mut ctx.keys, &mut ctx.reply, &texts, &elements, &options.gets),
    }
}

fn sort_ro(ctx: &mut ReadCtx<'_>) -> Outcome {
    let options = Options::parse(ctx.cursor(2), false)?;
    let (texts, elements) = sorted(&mut ctx.keys, ctx.request.arg(1), &options)?;
    reply_all(&mut ctx.keys, &mut ctx.reply, &texts, &elements, &options.gets)
}

fn reply_all(
    keys: &mut Keyspace<'_>,
    reply: &mut Reply<'_>,
    texts: &Texts,
    elements: &[Span],
    gets: &[Pattern<'_>],
) -> Outcome {
    reply.array(elements.len().saturating_mul(gets.len().max(1)));
    let mut name = Vec::new();
    for span in elements {
        let element = texts.get(*span);
        if gets.is_empty() {
            reply.bulk(element);
        }
        for pattern in gets {
            match pattern {
                Pattern::Element => reply.bulk(element),
                Pattern::Nowhere | Pattern::Key { .. } => {
                    match pattern.find(keys, element, &mut name) {
                        Some(found) => found.reply(reply),
                        None => reply.null(),
                    }
                }
            }
        }
    }
    Ok(Flow::Done)
}

/// Keeps what was asked for in a list at `key`, or deletes the key when there is nothing. What is
/// not found is kept as an empty text.
fn keep(
    ctx: &mut WriteCtx<'_>,
    key: &[u8],
    mut texts: Texts,
    elements: &[Span],
    gets: &[Pattern<'_>],
) -> Outcome {
    let mut values = Vec::with_capacity(elements.len());
    let mut name = Vec::new();
    for span in elements {
        if gets.is_empty() {
            values.push(*span);
        }
        for pattern in gets {
            values.push(match pattern {
                Pattern::Element => *span,
                Pattern::Nowhere | Pattern::Key { .. } => {
                    let found = pattern.find(&mut ctx.keys, texts.get(*span), &mut name);
                    found.map_or(Span::EMPTY, |found| texts.add_found(&found))
                }
            });
        }
    }
    if !values.is_empty() {
        let mut list = List::empty();
        let all = || values.iter().map(|span| texts.get(*span));
        list.push_all(End::Back, all, ctx.keys.rules());
        ctx.keys.set_object(key, list.into_object(), Deadline::Never);
        ctx.notify(Class::List, "sortstore", key);
        ctx.changed_times(values.len() as u64);
    } else if ctx.keys.delete(key) {
        ctx.notify(Class::Generic, "del", key);
        ctx.changed();
    }
    ctx.reply.count(values.len());
    Ok(Flow::Done)
}
