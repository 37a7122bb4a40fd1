//! Commands on hashes.

use super::data::{Bytes, Hash};
use super::typed::count;
use super::{Answer, Ask, Effect, Kind, Known, Reply, integer};

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "hset", words: (4, 0), kind: Kind::Grow, run: hset },
    Known { name: "hsetnx", words: (4, 4), kind: Kind::Grow, run: hsetnx },
    Known { name: "hdel", words: (3, 0), kind: Kind::Write, run: hdel },
    Known { name: "hget", words: (3, 3), kind: Kind::Plain, run: hget },
    Known { name: "hmget", words: (3, 0), kind: Kind::Plain, run: hmget },
    Known { name: "hgetall", words: (2, 2), kind: Kind::Plain, run: hgetall },
    Known { name: "hlen", words: (2, 2), kind: Kind::Plain, run: hlen },
    Known { name: "hexists", words: (3, 3), kind: Kind::Plain, run: hexists },
    Known { name: "hincrby", words: (4, 4), kind: Kind::Grow, run: hincrby },
];

fn or_null(value: Option<&Bytes>) -> Reply {
    value.cloned().map_or(Reply::Null, Reply::Bulk)
}

fn hset(ask: &mut Ask<'_>) -> Answer {
    if !ask.words.len().is_multiple_of(2) {
        return Err("ERR wrong number of arguments for 'hset' command".to_owned());
    }
    let (key, words) = (ask.bytes(1), ask.rest(2));
    let put = |hash: &mut Hash| {
        let pairs = words.chunks(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?)));
        pairs
            .filter(|(name, value)| hash.insert((*name).clone(), (*value).clone()).is_none())
            .count()
    };
    let added = ask.make(&key, put)?.unwrap_or(0);
    ask.effect = Effect::AsIs;
    Ok(count(added))
}

fn hsetnx(ask: &mut Ask<'_>) -> Answer {
    let (key, name, value) = (ask.bytes(1), ask.bytes(2), ask.bytes(3));
    if ask.look::<Hash>(&key)?.is_some_and(|hash| hash.contains_key(&name)) {
        return Ok(Reply::Int(0));
    }
    ask.make::<Hash, _>(&key, |hash| hash.insert(name, value))?;
    ask.effect = Effect::AsIs;
    Ok(Reply::Int(1))
}

fn hdel(ask: &mut Ask<'_>) -> Answer {
    let (key, names) = (ask.bytes(1), ask.rest(2));
    let take = |hash: &mut Hash| names.iter().filter(|one| hash.remove(&***one).is_some()).count();
    let removed = ask.edit(&key, take)?.unwrap_or(0);
    ask.changed_if(removed > 0);
    Ok(count(removed))
}

fn hget(ask: &mut Ask<'_>) -> Answer {
    let (key, name) = (ask.bytes(1), ask.bytes(2));
    Ok(or_null(ask.look::<Hash>(&key)?.and_then(|hash| hash.get(&name))))
}

fn hmget(ask: &mut Ask<'_>) -> Answer {
    let (key, names) = (ask.bytes(1), ask.rest(2));
    let hash = ask.look::<Hash>(&key)?.cloned().unwrap_or_default();
    Ok(Reply::Array(names.iter().map(|name| or_null(hash.get(name))).collect()))
}

fn hgetall(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    Ok(Reply::Pairs(ask.look::<Hash>(&key)?.cloned().unwrap_or_default()))
}

fn hlen(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    Ok(count(ask.look::<Hash>(&key)?.map_or(0, Hash::len)))
}

fn hexists(ask: &mut Ask<'_>) -> Answer {
    let (key, name) = (ask.bytes(1), ask.bytes(2));
    let has_it = ask.look::<Hash>(&key)?.is_some_and(|hash| hash.contains_key(&name));
    Ok(Reply::Int(i64::from(has_it)))
}

fn hincrby(ask: &mut Ask<'_>) -> Answer {
    let (by, key, name) = (ask.number(3)?, ask.bytes(1), ask.bytes(2));
    let old = match ask.look::<Hash>(&key)?.and_then(|hash| hash.get(&name)) {
        Some(text) => integer(text).ok_or("ERR hash value is not an integer")?,
        None => 0,
    };
    let sum = old.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
    let text: Bytes = sum.to_string().as_bytes().into();
    ask.make::<Hash, _>(&key, |hash| hash.insert(name, text))?;
    ask.effect = Effect::AsIs;
    Ok(Reply::Int(sum))
}
