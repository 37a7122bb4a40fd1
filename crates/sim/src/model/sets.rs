//! Commands on sets.

use super::data::{Bytes, Set};
use super::typed::count;
use super::{Answer, Ask, Effect, Kind, Known, Reply};

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "sadd", words: (3, 0), kind: Kind::Grow, run: sadd },
    Known { name: "srem", words: (3, 0), kind: Kind::Write, run: srem },
    Known { name: "smembers", words: (2, 2), kind: Kind::Plain, run: smembers },
    Known { name: "scard", words: (2, 2), kind: Kind::Plain, run: scard },
    Known { name: "sismember", words: (3, 3), kind: Kind::Plain, run: sismember },
    Known { name: "smismember", words: (3, 0), kind: Kind::Plain, run: smismember },
    Known { name: "smove", words: (4, 4), kind: Kind::Write, run: smove },
    Known { name: "spop", words: (2, 2), kind: Kind::Write, run: spop },
    Known { name: "sinter", words: (2, 0), kind: Kind::Plain, run: sinter },
    Known { name: "sunion", words: (2, 0), kind: Kind::Plain, run: sunion },
    Known { name: "sdiff", words: (2, 0), kind: Kind::Plain, run: sdiff },
    Known { name: "sinterstore", words: (3, 0), kind: Kind::Grow, run: sinter },
    Known { name: "sunionstore", words: (3, 0), kind: Kind::Grow, run: sunion },
    Known { name: "sdiffstore", words: (3, 0), kind: Kind::Grow, run: sdiff },
];

fn flag(set: bool) -> Reply {
    Reply::Int(i64::from(set))
}

fn sadd(ask: &mut Ask<'_>) -> Answer {
    let (key, members) = (ask.bytes(1), ask.rest(2));
    let add = |set: &mut Set| members.into_iter().filter(|one| set.insert(one.clone())).count();
    let added = ask.make(&key, add)?.unwrap_or(0);
    ask.changed_if(added > 0);
    Ok(count(added))
}

fn srem(ask: &mut Ask<'_>) -> Answer {
    let (key, members) = (ask.bytes(1), ask.rest(2));
    let take = |set: &mut Set| members.iter().filter(|one| set.remove(&***one)).count();
    let removed = ask.edit(&key, take)?.unwrap_or(0);
    ask.changed_if(removed > 0);
    Ok(count(removed))
}

fn smembers(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    Ok(Reply::Unordered(ask.look::<Set>(&key)?.cloned().unwrap_or_default()))
}

fn scard(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    Ok(count(ask.look::<Set>(&key)?.map_or(0, Set::len)))
}

fn sismember(ask: &mut Ask<'_>) -> Answer {
    let (key, member) = (ask.bytes(1), ask.bytes(2));
    Ok(flag(ask.look::<Set>(&key)?.is_some_and(|set| set.contains(&member))))
}

fn smismember(ask: &mut Ask<'_>) -> Answer {
    let (key, members) = (ask.bytes(1), ask.rest(2));
    let set = ask.look::<Set>(&key)?.cloned().unwrap_or_default();
    Ok(Reply::Array(members.iter().map(|member| flag(set.contains(member))).collect()))
}

fn smove(ask: &mut Ask<'_>) -> Answer {
    let (from, to, member) = (ask.bytes(1), ask.bytes(2), ask.bytes(3));
    if ask.look::<Set>(&from)?.is_none() {
        return Ok(flag(false));
    }
    ask.look::<Set>(&to)?;
    let has_it = ask.look::<Set>(&from)?.is_some_and(|set| set.contains(&member));
    if has_it && from != to {
        ask.edit::<Set, _>(&from, |set| set.remove(&member))?;
        ask.make::<Set, _>(&to, |set| set.insert(member))?;
        ask.effect = Effect::AsIs;
    }
    Ok(flag(has_it))
}

/// Which member goes is the node's choice.
fn spop(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    let members = ask.look::<Set>(&key)?.cloned().unwrap_or_default();
    if !members.is_empty() {
        ask.effect = Effect::Drawn { key };
    }
    Ok(Reply::AnyOf(members))
}

/// The sets of a command, with where its outcome goes.
fn operands(ask: &mut Ask<'_>) -> Result<(Option<Bytes>, Vec<Set>), String> {
    let stores = ask.word(0).len() > 6;
    let keys = ask.rest(1 + usize::from(stores));
    let sets: Result<Vec<Set>, String> =
        keys.iter().map(|key| Ok(ask.look::<Set>(key)?.cloned().unwrap_or_default())).collect();
    Ok((stores.then(|| ask.bytes(1)), sets?))
}

fn combined(ask: &mut Ask<'_>, combine: fn(Set, &Set) -> Set) -> Answer {
    let (to, sets) = operands(ask)?;
    let mut sets = sets.into_iter();
    let first = sets.next().unwrap_or_default();
    let outcome = sets.fold(first, |all, set| combine(all, &set));
    let Some(to) = to else { return Ok(Reply::Unordered(outcome)) };
    let len = outcome.len();
    ask.store(to, outcome)?;
    Ok(count(len))
}

fn sinter(ask: &mut Ask<'_>) -> Answer {
    combined(ask, |all, set| all.intersection(set).cloned().collect())
}

fn sunion(ask: &mut Ask<'_>) -> Answer {
    combined(ask, |all, set| all.union(set).cloned().collect())
}

fn sdiff(ask: &mut Ask<'_>) -> Answer {
    combined(ask, |all, set| all.difference(set).cloned().collect())
}
