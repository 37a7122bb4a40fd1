//! Commands on strings.

use std::collections::BTreeSet;

use super::data::Slot;
use super::keys::{absolute_ms, invalid_expire};
use super::typed::wrong_type;
use super::{Answer, Ask, Bytes, Effect, Kind, Known, Reply, Value, integer, syntax_error};
use crate::Flaw;

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "set", words: (3, 0), kind: Kind::Grow, run: set },
    Known { name: "get", words: (2, 2), kind: Kind::Plain, run: get },
    Known { name: "getdel", words: (2, 2), kind: Kind::Write, run: getdel },
    Known { name: "getex", words: (2, 0), kind: Kind::Write, run: getex },
    Known { name: "getset", words: (3, 3), kind: Kind::Grow, run: getset },
    Known { name: "setnx", words: (3, 3), kind: Kind::Grow, run: setnx },
    Known { name: "setex", words: (4, 4), kind: Kind::Grow, run: setex },
    Known { name: "psetex", words: (4, 4), kind: Kind::Grow, run: psetex },
    Known { name: "append", words: (3, 3), kind: Kind::Grow, run: append },
    Known { name: "strlen", words: (2, 2), kind: Kind::Plain, run: strlen },
    Known { name: "getrange", words: (4, 4), kind: Kind::Plain, run: getrange },
    Known { name: "substr", words: (4, 4), kind: Kind::Plain, run: getrange },
    Known { name: "setrange", words: (4, 4), kind: Kind::Grow, run: setrange },
    Known { name: "incr", words: (2, 2), kind: Kind::Grow, run: incr },
    Known { name: "decr", words: (2, 2), kind: Kind::Grow, run: decr },
    Known { name: "incrby", words: (3, 3), kind: Kind::Grow, run: incrby },
    Known { name: "decrby", words: (3, 3), kind: Kind::Grow, run: decrby },
    Known { name: "incrbyfloat", words: (3, 3), kind: Kind::Grow, run: incrbyfloat },
    Known { name: "mget", words: (2, 0), kind: Kind::Plain, run: mget },
    Known { name: "mset", words: (3, 0), kind: Kind::Grow, run: mset },
    Known { name: "msetnx", words: (3, 0), kind: Kind::Grow, run: msetnx },
];

impl Ask<'_> {
    /// The string at word `place`.
    fn text(&mut self, place: usize) -> Result<Option<Bytes>, String> {
        let (db, now_ms) = (self.db()?, self.now_ms());
        match self.model.data.live(db, self.word(place), now_ms) {
            None => Ok(None),
            Some(slot) => slot.text().cloned().map(Some).ok_or_else(wrong_type),
        }
    }

    /// Sets the key at word `place`.
    fn put(&mut self, place: usize, value: Bytes, expiry: Option<u64>) -> Result<(), String> {
        let (db, key) = (self.db()?, self.bytes(place));
        self.model.data.set(db, key, Value::Text(value), expiry);
        Ok(())
    }

    /// Sets the value of the key in word 1; a key that was there keeps its expiry.
    fn change(&mut self, value: Bytes) -> Result<(), String> {
        let (db, now_ms) = (self.db()?, self.now_ms());
        match self.model.data.live_mut(db, self.words.get(1).map_or(&[], Vec::as_slice), now_ms) {
            Some(slot) => slot.value = Value::Text(value),
            None => self.put(1, value, None)?,
        }
        self.effect = Effect::AsIs;
        Ok(())
    }
}

fn or_null(value: Option<Bytes>) -> Reply {
    value.map_or(Reply::Null, Reply::Bulk)
}

fn length(bytes: &[u8]) -> Reply {
    Reply::Int(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
}

fn set(ask: &mut Ask<'_>) -> Answer {
    let (mut nx, mut xx, mut get, mut keep) = (false, false, false, false);
    let mut time: Option<(usize, usize)> = None;
    let mut place = 3;
    while place < ask.words.len() {
        let unit = ["ex", "px", "exat", "pxat"].iter().position(|word| ask.is(place, word));
        if ask.is(place, "nx") && !xx {
            nx = true;
        } else if ask.is(place, "xx") && !nx {
            xx = true;
        } else if ask.is(place, "get") {
            get = true;
        } else if ask.is(place, "keepttl") && time.is_none() {
            keep = true;
        } else if let Some(unit) = unit.filter(|unit| {
            !keep && time.is_none_or(|(old, _)| old == *unit) && place + 1 < ask.words.len()
        }) {
            place += 1;
            time = Some((unit, place));
        } else {
            return Err(syntax_error());
        }
        place += 1;
    }
    let at = time.map(|(unit, place)| expiry(ask, unit, place, "set")).transpose()?;
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let old: Option<Slot> = ask.model.data.live(db, ask.word(1), now_ms).cloned();
    let old_value = if get { or_null(ask.text(1)?) } else { Reply::Null };
    if (nx && old.is_some()) || (xx && old.is_none()) {
        return Ok(if get { old_value } else { Reply::Null });
    }
    let kept = old.and_then(|slot| slot.expiry).filter(|_| keep);
    let value = ask.bytes(2);
    ask.put(1, value, at.or(kept))?;
    ask.effect = match at {
        Some(at) => set_until(ask.bytes(1), ask.bytes(2), at),
        None if get => {
            let options = (3..ask.words.len()).filter(|place| !ask.is(*place, "get"));
            Effect::As((0..3).chain(options).map(|place| ask.bytes(place)).collect())
        }
        None => Effect::AsIs,
    };
    Ok(if get { old_value } else { Reply::Simple("OK") })
}

fn set_until(key: Bytes, value: Bytes, at: u64) -> Effect {
    let digits = at.to_string();
    Effect::As(vec![b"SET"[..].into(), key, value, b"PXAT"[..].into(), digits.as_bytes().into()])
}

/// The time in word `place`: seconds, milliseconds, or either since 1970.
fn expiry(ask: &Ask<'_>, unit: usize, place: usize, command: &str) -> Result<u64, String> {
    let given = ask.number(place)?;
    let at = absolute_ms(given, unit.is_multiple_of(2), unit < 2, ask.now_ms());
    at.filter(|_| given > 0)
        .and_then(|at| u64::try_from(at).ok())
        .ok_or_else(|| invalid_expire(command))
}

fn get(ask: &mut Ask<'_>) -> Answer {
    ask.text(1).map(or_null)
}

fn getdel(ask: &mut Ask<'_>) -> Answer {
    let value = ask.text(1)?;
    if value.is_some() {
        let db = ask.db()?;
        ask.model.data.remove(db, ask.words.get(1).map_or(&[], Vec::as_slice));
        ask.effect = Effect::As(vec![b"DEL"[..].into(), ask.bytes(1)]);
    }
    Ok(or_null(value))
}

fn getex(ask: &mut Ask<'_>) -> Answer {
    let mut persist = false;
    let mut time: Option<(usize, usize)> = None;
    let mut place = 2;
    while place < ask.words.len() {
        let unit = ["ex", "px", "exat", "pxat"].iter().position(|word| ask.is(place, word));
        if ask.is(place, "persist") && time.is_none() {
            persist = true;
        } else if let Some(unit) = unit.filter(|unit| {
            !persist && time.is_none_or(|(old, _)| old == *unit) && place + 1 < ask.words.len()
        }) {
            place += 1;
            time = Some((unit, place));
        } else {
            return Err(syntax_error());
        }
        place += 1;
    }
    let Some(value) = ask.text(1)? else { return Ok(Reply::Null) };
    let at = time.map(|(unit, place)| expiry(ask, unit, place, "getex")).transpose()?;
    let (db, now_ms, key) = (ask.db()?, ask.now_ms(), ask.bytes(1));
    let had_expiry =
        ask.model.data.live(db, &key, now_ms).is_some_and(|slot| slot.expiry.is_some());
    if let Some(at) = at {
        ask.expire_at(db, &key, at, Vec::new());
    } else if persist && had_expiry {
        ask.model.data.set(db, key.clone(), Value::Text(value.clone()), None);
        ask.effect = Effect::As(vec![b"PERSIST"[..].into(), key]);
    }
    Ok(Reply::Bulk(value))
}

fn getset(ask: &mut Ask<'_>) -> Answer {
    let (old, value) = (ask.text(1)?, ask.bytes(2));
    ask.put(1, value.clone(), None)?;
    ask.effect = Effect::As(vec![b"SET"[..].into(), ask.bytes(1), value]);
    Ok(or_null(old))
}

fn setnx(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    if ask.model.data.live(db, ask.word(1), now_ms).is_some() {
        return Ok(Reply::Int(0));
    }
    let value = ask.bytes(2);
    ask.put(1, value, None)?;
    ask.effect = Effect::AsIs;
    Ok(Reply::Int(1))
}

fn setex(ask: &mut Ask<'_>) -> Answer {
    set_for(ask, 0, "setex")
}

fn psetex(ask: &mut Ask<'_>) -> Answer {
    set_for(ask, 1, "psetex")
}

fn set_for(ask: &mut Ask<'_>, unit: usize, name: &str) -> Answer {
    let at = expiry(ask, unit, 2, name)?;
    let value = ask.bytes(3);
    ask.put(1, value.clone(), Some(at))?;
    ask.effect = set_until(ask.bytes(1), value, at);
    Ok(Reply::Simple("OK"))
}

fn append(ask: &mut Ask<'_>) -> Answer {
    let old = ask.text(1)?.unwrap_or_default();
    let new: Bytes = old.iter().chain(ask.word(2)).copied().collect();
    if ask.has_flaw(Flaw::AppendPersists) {
        ask.put(1, new.clone(), None)?;
    }
    ask.change(new.clone())?;
    Ok(length(&new))
}

fn strlen(ask: &mut Ask<'_>) -> Answer {
    let value = ask.text(1)?.unwrap_or_default();
    Ok(length(&value))
}

fn getrange(ask: &mut Ask<'_>) -> Answer {
    let (start, end) = (i128::from(ask.number(2)?), i128::from(ask.number(3)?));
    let value = ask.text(1)?.unwrap_or_default();
    let len = value.len() as i128;
    if start < 0 && end < 0 && start > end {
        return Ok(Reply::bulk(""));
    }
    let place = |at: i128| if at < 0 { (at + len).max(0) } else { at };
    let (start, end) = (place(start), place(end).min(len - 1));
    let part: Bytes =
        (start..=end).map_while(|at| value.get(usize::try_from(at).ok()?).copied()).collect();
    Ok(Reply::Bulk(part))
}

fn setrange(ask: &mut Ask<'_>) -> Answer {
    let offset = ask.number(2)?;
    let Ok(offset) = usize::try_from(offset) else {
        return Err("ERR offset is out of range".to_owned());
    };
    let old = ask.text(1)?.unwrap_or_default();
    let patch = ask.word(3);
    if patch.is_empty() {
        return Ok(length(&old));
    }
    if offset as u64 + patch.len() as u64 > ask.model.settings.bulk_bytes_max {
        return Err("ERR string exceeds maximum allowed size (proto-max-bulk-len)".to_owned());
    }
    let mut new = old.to_vec();
    new.resize(new.len().max(offset + patch.len()), 0);
    for (to, from) in new.iter_mut().skip(offset).zip(patch) {
        *to = *from;
    }
    let new: Bytes = new.into();
    ask.change(new.clone())?;
    Ok(length(&new))
}

fn incr(ask: &mut Ask<'_>) -> Answer {
    add(ask, 1)
}

fn decr(ask: &mut Ask<'_>) -> Answer {
    add(ask, -1)
}

fn incrby(ask: &mut Ask<'_>) -> Answer {
    let by = ask.number(2)?;
    add(ask, by.into())
}

fn decrby(ask: &mut Ask<'_>) -> Answer {
    let by = ask.number(2)?;
    if by == i64::MIN {
        return Err("ERR decrement would overflow".to_owned());
    }
    add(ask, -i128::from(by))
}

fn add(ask: &mut Ask<'_>, by: i128) -> Answer {
    let old = match ask.text(1)? {
        Some(text) => integer(&text).ok_or_else(super::not_an_integer)?,
        None => 0,
    };
    let sum = i64::try_from(i128::from(old) + by)
        .map_err(|_| "ERR increment or decrement would overflow".to_owned())?;
    ask.change(sum.to_string().as_bytes().into())?;
    Ok(Reply::Int(sum))
}

/// Sums are computed where they are exact in every arithmetic: quarters of moderate size.
fn incrbyfloat(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    let old = ask.text(1)?.unwrap_or_else(|| b"0"[..].into());
    match (quarters(&old), quarters(ask.word(2))) {
        (Some(old), Some(by)) => {
            let sum = (old + by) as f64 / 4.0;
            let text: Bytes = sum.to_string().as_bytes().into();
            ask.change(text.clone())?;
            ask.effect = set_keeping(key, text.clone());
            Ok(Reply::Bulk(text))
        }
        _ => {
            ask.effect = Effect::Float { key };
            Ok(Reply::Float)
        }
    }
}

/// The effect of a change whose outcome must not depend on the arithmetic of who repeats it.
fn set_keeping(key: Bytes, value: Bytes) -> Effect {
    Effect::As(vec![b"SET"[..].into(), key, value, b"KEEPTTL"[..].into()])
}

/// A number in quarters, if it is a whole number of them and not too large.
fn quarters(text: &[u8]) -> Option<i64> {
    let plain = text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let value: f64 = std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()?;
    let four = value * 4.0;
    (text.len() <= 12 && four.fract() == 0.0 && four.abs() < 1e12).then_some(four as i64)
}

fn mget(ask: &mut Ask<'_>) -> Answer {
    // What is no string counts as not there.
    let values = (1..ask.words.len()).map(|place| or_null(ask.text(place).unwrap_or(None)));
    Ok(Reply::Array(values.collect()))
}

fn mset(ask: &mut Ask<'_>) -> Answer {
    if ask.words.len().is_multiple_of(2) {
        return Err("ERR wrong number of arguments for 'mset' command".to_owned());
    }
    set_pairs(ask)?;
    Ok(Reply::Simple("OK"))
}

fn msetnx(ask: &mut Ask<'_>) -> Answer {
    if ask.words.len().is_multiple_of(2) {
        return Err("ERR wrong number of arguments for 'msetnx' command".to_owned());
    }
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let wanted: BTreeSet<&[u8]> = ask.words.iter().skip(1).step_by(2).map(Vec::as_slice).collect();
    if wanted.iter().any(|key| ask.model.data.live(db, key, now_ms).is_some()) {
        return Ok(Reply::Int(0));
    }
    set_pairs(ask)?;
    Ok(Reply::Int(1))
}

fn set_pairs(ask: &mut Ask<'_>) -> Result<(), String> {
    for place in (1..ask.words.len()).step_by(2) {
        let value = ask.bytes(place + 1);
        ask.put(place, value, None)?;
    }
    ask.effect = Effect::AsIs;
    Ok(())
}
