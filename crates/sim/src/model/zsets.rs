//! Commands on sorted sets. Scores are quarters of moderate size: they are exact in every
//! arithmetic and print the same everywhere.

use super::data::{Bytes, Zset, by_score};
use super::typed::{count, places};
use super::waiting::Awaited;
use super::{Answer, Ask, Effect, Kind, Known, Reply, syntax_error};

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "zadd", words: (4, 0), kind: Kind::Grow, run: zadd },
    Known { name: "zrem", words: (3, 0), kind: Kind::Write, run: zrem },
    Known { name: "zcard", words: (2, 2), kind: Kind::Plain, run: zcard },
    Known { name: "zscore", words: (3, 3), kind: Kind::Plain, run: zscore },
    Known { name: "zrank", words: (3, 4), kind: Kind::Plain, run: zrank },
    Known { name: "zrange", words: (4, 5), kind: Kind::Plain, run: zrange },
    Known { name: "zpopmin", words: (2, 2), kind: Kind::Write, run: zpop },
    Known { name: "zpopmax", words: (2, 2), kind: Kind::Write, run: zpop },
    Known { name: "bzpopmin", words: (3, 0), kind: Kind::Write, run: bzpop },
    Known { name: "bzpopmax", words: (3, 0), kind: Kind::Write, run: bzpop },
    Known { name: "bzmpop", words: (5, 0), kind: Kind::Write, run: bzmpop },
    Known { name: "zremrangebyrank", words: (4, 4), kind: Kind::Write, run: zremrangebyrank },
];

/// A score, if it is a plain number.
fn score(text: &[u8]) -> Result<f64, String> {
    let plain = text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let value: Option<f64> = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    value.filter(|_| plain).ok_or_else(|| "ERR value is not a valid float".to_owned())
}

/// Flags NX, XX, GT, LT and CH, then scores and members.
fn zadd(ask: &mut Ask<'_>) -> Answer {
    let (mut nx, mut xx, mut gt, mut lt, mut ch) = (false, false, false, false, false);
    let mut place = 2;
    loop {
        match () {
            () if ask.is(place, "nx") => nx = true,
            () if ask.is(place, "xx") => xx = true,
            () if ask.is(place, "gt") => gt = true,
            () if ask.is(place, "lt") => lt = true,
            () if ask.is(place, "ch") => ch = true,
            () => break,
        }
        place += 1;
    }
    let rest = ask.rest(place);
    if rest.is_empty() || !rest.len().is_multiple_of(2) {
        return Err(syntax_error());
    }
    if nx && xx {
        return Err("ERR XX and NX options at the same time are not compatible".to_owned());
    }
    if (nx && (gt || lt)) || (gt && lt) {
        return Err("ERR GT, LT, and/or NX options at the same time are not compatible".to_owned());
    }
    let mut wanted = Vec::new();
    for pair in rest.chunks(2) {
        if let [value, member] = pair {
            wanted.push((member.clone(), score(value)?));
        }
    }
    let key = ask.bytes(1);
    if ask.look::<Zset>(&key)?.is_none() && xx {
        return Ok(Reply::Int(0));
    }
    let (added, changed) = ask
        .make::<Zset, _>(&key, |zset| {
            let (mut added, mut changed) = (0, 0);
            for (member, score) in wanted {
                match zset.get(&member).copied() {
                    None if xx => {}
                    None => {
                        zset.insert(member, score);
                        added += 1;
                    }
                    Some(old) => {
                        let refused = nx || (gt && score <= old) || (lt && score >= old);
                        if !refused && score != old {
                            zset.insert(member, score);
                            changed += 1;
                        }
                    }
                }
            }
            (added, changed)
        })?
        .unwrap_or((0, 0));
    ask.changed_if(added + changed > 0);
    Ok(count(if ch { added + changed } else { added }))
}

fn zrem(ask: &mut Ask<'_>) -> Answer {
    let (key, members) = (ask.bytes(1), ask.rest(2));
    let take =
        |zset: &mut Zset| members.iter().filter(|one| zset.remove(&***one).is_some()).count();
    let removed = ask.edit(&key, take)?.unwrap_or(0);
    ask.changed_if(removed > 0);
    Ok(count(removed))
}

fn zcard(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    Ok(count(ask.look::<Zset>(&key)?.map_or(0, Zset::len)))
}

fn zscore(ask: &mut Ask<'_>) -> Answer {
    let (key, member) = (ask.bytes(1), ask.bytes(2));
    let score = ask.look::<Zset>(&key)?.and_then(|zset| zset.get(&member)).copied();
    Ok(score.map_or(Reply::Null, Reply::Double))
}

fn zrank(ask: &mut Ask<'_>) -> Answer {
    if ask.words.len() == 4 {
        return Err(syntax_error());
    }
    let (key, member) = (ask.bytes(1), ask.bytes(2));
    let Some(zset) = ask.look::<Zset>(&key)? else { return Ok(Reply::Null) };
    let rank = by_score(zset).iter().position(|(name, _)| *name == member);
    Ok(rank.map_or(Reply::Null, count))
}

/// By rank, and only so.
fn zrange(ask: &mut Ask<'_>) -> Answer {
    let with_scores = ask.words.len() == 5;
    if with_scores && !ask.is(4, "withscores") {
        return Err(syntax_error());
    }
    let (start, end, key) = (ask.number(2)?, ask.number(3)?, ask.bytes(1));
    let all = ask.look::<Zset>(&key)?.map(by_score).unwrap_or_default();
    let places = places(start, end, all.len());
    let part = all.into_iter().skip(places.start).take(places.len());
    Ok(if with_scores {
        Reply::Scored(part.collect())
    } else {
        Reply::Array(part.map(|(name, _)| Reply::Bulk(name)).collect())
    })
}

fn zremrangebyrank(ask: &mut Ask<'_>) -> Answer {
    let (start, end, key) = (ask.number(2)?, ask.number(3)?, ask.bytes(1));
    let Some(all) = ask.look::<Zset>(&key)?.map(by_score) else { return Ok(Reply::Int(0)) };
    let places = places(start, end, all.len());
    let gone: Vec<Bytes> =
        all.into_iter().skip(places.start).take(places.len()).map(|(name, _)| name).collect();
    if !gone.is_empty() {
        ask.edit::<Zset, _>(&key, |zset| zset.retain(|name, _| !gone.contains(name)))?;
        ask.effect = Effect::AsIs;
    }
    Ok(count(gone.len()))
}

/// Takes up to `most` members with the lowest or the highest scores out.
fn take(zset: &mut Zset, is_max: bool, most: usize) -> Vec<(Bytes, f64)> {
    let mut all = by_score(zset);
    if is_max {
        all.reverse();
    }
    all.truncate(most);
    for (name, _) in &all {
        zset.remove(name);
    }
    all
}

/// Whether the name of a command ends with MAX.
fn is_named_max(ask: &Ask<'_>) -> bool {
    ask.word(0).to_ascii_lowercase().ends_with(b"max")
}

fn effect(is_max: bool) -> Bytes {
    if is_max { b"ZPOPMAX"[..].into() } else { b"ZPOPMIN"[..].into() }
}

fn zpop(ask: &mut Ask<'_>) -> Answer {
    let (key, is_max) = (ask.bytes(1), is_named_max(ask));
    let popped = ask.edit::<Zset, _>(&key, |zset| take(zset, is_max, 1))?.unwrap_or_default();
    ask.changed_if(!popped.is_empty());
    let words =
        popped.into_iter().flat_map(|(name, score)| [Reply::Bulk(name), Reply::Double(score)]);
    Ok(Reply::Array(words.collect()))
}

fn bzpop(ask: &mut Ask<'_>) -> Answer {
    let (is_max, timeout) = (is_named_max(ask), ask.timeout(ask.words.len() - 1)?);
    let mut keys = ask.rest(1);
    keys.pop();
    for key in &keys {
        let popped = ask.edit::<Zset, _>(key, |zset| take(zset, is_max, 1))?;
        if let Some((name, score)) = popped.and_then(|popped| popped.into_iter().next()) {
            ask.effect = Effect::As(vec![effect(is_max), key.clone()]);
            let words = vec![Reply::Bulk(key.clone()), Reply::Bulk(name), Reply::Double(score)];
            return Ok(Reply::Array(words));
        }
    }
    ask.wait(keys, Awaited::Zset, timeout)
}

fn bzmpop(ask: &mut Ask<'_>) -> Answer {
    let (keys, rest) = ask.counted_keys(2)?;
    let is_max = ask.is(rest, "max");
    if !is_max && !ask.is(rest, "min") {
        return Err(syntax_error());
    }
    let (most, timeout) = (ask.count_option(rest + 1)?, ask.timeout(1)?);
    for key in &keys {
        let popped = ask.edit::<Zset, _>(key, |zset| take(zset, is_max, most))?;
        if let Some(popped) = popped {
            let number = popped.len().to_string();
            let words = vec![effect(is_max), key.clone(), number.as_bytes().into()];
            ask.effect = Effect::As(words);
            let pair = |(name, score)| Reply::Array(vec![Reply::Bulk(name), Reply::Double(score)]);
            let pairs = Reply::Array(popped.into_iter().map(pair).collect());
            return Ok(Reply::Array(vec![Reply::Bulk(key.clone()), pairs]));
        }
    }
    ask.wait(keys, Awaited::Zset, timeout)
}
