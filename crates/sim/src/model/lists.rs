//! Commands on lists, and SORT with STORE, which makes one.

use super::data::{Bytes, List, Set, Value, Zset};
use super::typed::{count, places};
use super::waiting::{Awaited, Wait};
use super::{Answer, Ask, Effect, Kind, Known, Reply, integer, syntax_error};
use crate::Flaw;

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "lpush", words: (3, 0), kind: Kind::Grow, run: push },
    Known { name: "rpush", words: (3, 0), kind: Kind::Grow, run: push },
    Known { name: "lpushx", words: (3, 0), kind: Kind::Grow, run: push },
    Known { name: "rpushx", words: (3, 0), kind: Kind::Grow, run: push },
    Known { name: "lpop", words: (2, 3), kind: Kind::Write, run: pop },
    Known { name: "rpop", words: (2, 3), kind: Kind::Write, run: pop },
    Known { name: "llen", words: (2, 2), kind: Kind::Plain, run: llen },
    Known { name: "lrange", words: (4, 4), kind: Kind::Plain, run: lrange },
    Known { name: "lindex", words: (3, 3), kind: Kind::Plain, run: lindex },
    Known { name: "lset", words: (4, 4), kind: Kind::Grow, run: lset },
    Known { name: "lrem", words: (4, 4), kind: Kind::Write, run: lrem },
    Known { name: "ltrim", words: (4, 4), kind: Kind::Write, run: ltrim },
    Known { name: "linsert", words: (5, 5), kind: Kind::Grow, run: linsert },
    Known { name: "lmove", words: (5, 5), kind: Kind::Grow, run: lmove },
    Known { name: "rpoplpush", words: (3, 3), kind: Kind::Grow, run: rpoplpush },
    Known { name: "lmpop", words: (4, 0), kind: Kind::Write, run: lmpop },
    Known { name: "blpop", words: (3, 0), kind: Kind::Write, run: bpop },
    Known { name: "brpop", words: (3, 0), kind: Kind::Write, run: bpop },
    Known { name: "blmove", words: (6, 6), kind: Kind::Grow, run: blmove },
    Known { name: "brpoplpush", words: (4, 4), kind: Kind::Grow, run: brpoplpush },
    Known { name: "blmpop", words: (5, 0), kind: Kind::Write, run: blmpop },
    Known { name: "sort", words: (2, 0), kind: Kind::Grow, run: sort },
];

/// An end of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Front,
    Back,
}

impl End {
    fn add(self, list: &mut List, element: Bytes) {
        match self {
            Self::Front => list.push_front(element),
            Self::Back => list.push_back(element),
        }
    }

    fn take(self, list: &mut List) -> Option<Bytes> {
        match self {
            Self::Front => list.pop_front(),
            Self::Back => list.pop_back(),
        }
    }

    fn effect(self) -> Bytes {
        match self {
            Self::Front => b"LPOP"[..].into(),
            Self::Back => b"RPOP"[..].into(),
        }
    }
}

impl Ask<'_> {
    /// LEFT or RIGHT in word `place`.
    fn end(&self, place: usize) -> Result<End, String> {
        match () {
            () if self.is(place, "left") => Ok(End::Front),
            () if self.is(place, "right") => Ok(End::Back),
            () => Err(syntax_error()),
        }
    }

    /// The end that the name of the command means: letter `at` of it.
    fn named_end(&self, at: usize) -> End {
        match self.word(0).get(at).map(u8::to_ascii_lowercase) {
            Some(b'l') => End::Front,
            _ => End::Back,
        }
    }

    /// Seconds to wait in word `place`, in milliseconds; `None` for ever.
    pub(super) fn timeout(&self, place: usize) -> Result<Option<u64>, String> {
        let seconds = std::str::from_utf8(self.word(place)).ok().and_then(|text| text.parse().ok());
        let seconds: f64 = seconds.ok_or("ERR timeout is not a float or out of range")?;
        if seconds < 0.0 {
            return Err("ERR timeout is negative".to_owned());
        }
        let ms = (seconds * 1000.0).ceil() as u64;
        Ok((ms > 0).then_some(ms))
    }

    /// Has the client wait.
    pub(super) fn wait(&mut self, keys: Vec<Bytes>, awaited: Awaited, ms: Option<u64>) -> Answer {
        self.wait = Some(Wait { keys, awaited, timeout_ms: ms, words: self.words.to_vec() });
        Ok(Reply::NullArray)
    }
}

fn bulks(elements: impl IntoIterator<Item = Bytes>) -> Reply {
    Reply::Array(elements.into_iter().map(Reply::Bulk).collect())
}

fn or_null(element: Option<Bytes>) -> Reply {
    element.map_or(Reply::Null, Reply::Bulk)
}

fn push(ask: &mut Ask<'_>) -> Answer {
    let (key, end, elements) = (ask.bytes(1), ask.named_end(0), ask.rest(2));
    let only_if_there = ask.word(0).len() > 5;
    let end = if ask.has_flaw(Flaw::ListsGrowAtTheBack) { End::Back } else { end };
    let change = |list: &mut List| {
        elements.into_iter().for_each(|element| end.add(list, element));
        list.len()
    };
    let len = if only_if_there { ask.edit(&key, change) } else { ask.make(&key, change) }?;
    ask.changed_if(len.is_some());
    Ok(count(len.unwrap_or(0)))
}

fn pop(ask: &mut Ask<'_>) -> Answer {
    let (key, end) = (ask.bytes(1), ask.named_end(0));
    if ask.words.len() == 2 {
        let popped = ask.edit::<List, _>(&key, |list| end.take(list))?.flatten();
        ask.changed_if(popped.is_some());
        return Ok(or_null(popped));
    }
    let most = integer(ask.word(2)).and_then(|most| usize::try_from(most).ok());
    let most = most.ok_or("ERR value is out of range, must be positive")?;
    if most == 0 {
        return Ok(match ask.look::<List>(&key)? {
            Some(_) => Reply::Array(Vec::new()),
            None => Reply::NullArray,
        });
    }
    let popped = ask.edit::<List, _>(&key, |list| take_up_to(list, end, most))?;
    ask.changed_if(popped.is_some());
    Ok(popped.map_or(Reply::NullArray, bulks))
}

fn take_up_to(list: &mut List, end: End, most: usize) -> Vec<Bytes> {
    let count = most.min(list.len());
    (0..count).filter_map(|_| end.take(list)).collect()
}

fn llen(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    Ok(count(ask.look::<List>(&key)?.map_or(0, List::len)))
}

fn lrange(ask: &mut Ask<'_>) -> Answer {
    let (start, end, key) = (ask.number(2)?, ask.number(3)?, ask.bytes(1));
    let Some(list) = ask.look::<List>(&key)? else { return Ok(Reply::Array(Vec::new())) };
    let places = places(start, end, list.len());
    Ok(bulks(list.iter().skip(places.start).take(places.len()).cloned()))
}

/// An index from either end.
fn at(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 { index.checked_add(len)? } else { index };
    usize::try_from(index).ok().filter(|_| index < len)
}

fn lindex(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    if ask.look::<List>(&key)?.is_none() {
        return Ok(Reply::Null);
    }
    let index = ask.number(2)?;
    let list = ask.look::<List>(&key)?;
    Ok(or_null(list.and_then(|list| list.get(at(index, list.len())?).cloned())))
}

fn lset(ask: &mut Ask<'_>) -> Answer {
    let (key, element) = (ask.bytes(1), ask.bytes(3));
    let Some(len) = ask.look::<List>(&key)?.map(List::len) else {
        return Err("ERR no such key".to_owned());
    };
    let place = at(ask.number(2)?, len).ok_or("ERR index out of range")?;
    ask.edit::<List, _>(&key, |list| {
        if let Some(slot) = list.get_mut(place) {
            *slot = element;
        }
    })?;
    ask.effect = Effect::AsIs;
    Ok(Reply::Simple("OK"))
}

fn lrem(ask: &mut Ask<'_>) -> Answer {
    let (most, key, element) = (ask.number(2)?, ask.bytes(1), ask.bytes(3));
    let Some(list) = ask.look::<List>(&key)? else { return Ok(Reply::Int(0)) };
    let mut equal: Vec<usize> =
        (0..list.len()).filter(|place| list.get(*place) == Some(&element)).collect();
    if most < 0 {
        equal.reverse();
    }
    if most != 0 {
        equal.truncate(usize::try_from(most.unsigned_abs()).unwrap_or(usize::MAX));
    }
    equal.sort_unstable();
    if !equal.is_empty() {
        ask.edit::<List, _>(&key, |list| {
            equal.iter().rev().for_each(|place| {
                list.remove(*place);
            });
        })?;
        ask.effect = Effect::AsIs;
    }
    Ok(count(equal.len()))
}

fn ltrim(ask: &mut Ask<'_>) -> Answer {
    let (start, end, key) = (ask.number(2)?, ask.number(3)?, ask.bytes(1));
    let Some(len) = ask.look::<List>(&key)?.map(List::len) else {
        return Ok(Reply::Simple("OK"));
    };
    let places = places(start, end, len);
    let stays = |place: usize| places.contains(&place);
    if (0..len).all(stays) {
        return Ok(Reply::Simple("OK"));
    }
    ask.edit::<List, _>(&key, |list| {
        let kept = std::mem::take(list).into_iter().enumerate();
        *list = kept.filter(|(place, _)| stays(*place)).map(|(_, element)| element).collect();
    })?;
    ask.effect = Effect::AsIs;
    Ok(Reply::Simple("OK"))
}

fn linsert(ask: &mut Ask<'_>) -> Answer {
    let behind = match () {
        () if ask.is(2, "after") => 1,
        () if ask.is(2, "before") => 0,
        () => return Err(syntax_error()),
    };
    let (key, pivot, element) = (ask.bytes(1), ask.bytes(3), ask.bytes(4));
    let Some(list) = ask.look::<List>(&key)? else { return Ok(Reply::Int(0)) };
    let Some(place) = list.iter().position(|other| *other == pivot) else {
        return Ok(Reply::Int(-1));
    };
    let len = ask.edit::<List, _>(&key, |list| {
        list.insert(place + behind, element);
        list.len()
    })?;
    ask.effect = Effect::AsIs;
    Ok(count(len.unwrap_or(0)))
}

/// Moves an element between the lists in words 1 and 2.
fn move_element(ask: &mut Ask<'_>, from: End, to: End) -> Result<Option<Bytes>, String> {
    let (source, destination) = (ask.bytes(1), ask.bytes(2));
    if ask.look::<List>(&source)?.is_none() {
        return Ok(None);
    }
    ask.look::<List>(&destination)?;
    if source == destination {
        return ask.edit::<List, _>(&source, |list| {
            let element = from.take(list).unwrap_or_default();
            to.add(list, element.clone());
            element
        });
    }
    let element = ask.edit::<List, _>(&source, |list| from.take(list))?.flatten();
    if let Some(element) = element.clone() {
        ask.make::<List, _>(&destination, |list| to.add(list, element))?;
    }
    Ok(element)
}

fn lmove(ask: &mut Ask<'_>) -> Answer {
    let (from, to) = (ask.end(3)?, ask.end(4)?);
    let moved = move_element(ask, from, to)?;
    ask.changed_if(moved.is_some());
    Ok(or_null(moved))
}

fn rpoplpush(ask: &mut Ask<'_>) -> Answer {
    let moved = move_element(ask, End::Back, End::Front)?;
    ask.changed_if(moved.is_some());
    Ok(or_null(moved))
}

fn blmove(ask: &mut Ask<'_>) -> Answer {
    let (from, to, timeout) = (ask.end(3)?, ask.end(4)?, ask.timeout(5)?);
    let Some(element) = move_element(ask, from, to)? else {
        let source = ask.bytes(1);
        return ask.wait(vec![source], Awaited::List, timeout);
    };
    let mut effect: Vec<Bytes> = ask.rest(1);
    effect.pop();
    effect.insert(0, b"LMOVE"[..].into());
    ask.effect = Effect::As(effect);
    Ok(Reply::Bulk(element))
}

fn brpoplpush(ask: &mut Ask<'_>) -> Answer {
    let timeout = ask.timeout(3)?;
    let Some(element) = move_element(ask, End::Back, End::Front)? else {
        let source = ask.bytes(1);
        return ask.wait(vec![source], Awaited::List, timeout);
    };
    ask.effect = Effect::As(vec![b"RPOPLPUSH"[..].into(), ask.bytes(1), ask.bytes(2)]);
    Ok(Reply::Bulk(element))
}

fn bpop(ask: &mut Ask<'_>) -> Answer {
    let end = ask.named_end(1);
    let timeout = ask.timeout(ask.words.len() - 1)?;
    let mut keys = ask.rest(1);
    keys.pop();
    for key in &keys {
        if let Some(element) = ask.edit::<List, _>(key, |list| end.take(list))?.flatten() {
            ask.effect = Effect::As(vec![end.effect(), key.clone()]);
            return Ok(bulks([key.clone(), element]));
        }
    }
    ask.wait(keys, Awaited::List, timeout)
}

/// What LMPOP and BLMPOP pop, with the number of keys in word `at`: keys and their first element.
fn pop_first(ask: &mut Ask<'_>, at: usize) -> Result<(Vec<Bytes>, Option<Reply>), String> {
    let (keys, rest) = ask.counted_keys(at)?;
    let end = ask.end(rest)?;
    let most = ask.count_option(rest + 1)?;
    for key in &keys {
        let popped = ask.edit::<List, _>(key, |list| take_up_to(list, end, most))?;
        if let Some(popped) = popped {
            let number = popped.len().to_string();
            let words = vec![end.effect(), key.clone(), number.as_bytes().into()];
            ask.effect = Effect::As(words);
            let reply = Reply::Array(vec![Reply::Bulk(key.clone()), bulks(popped)]);
            return Ok((keys, Some(reply)));
        }
    }
    Ok((keys, None))
}

impl Ask<'_> {
    /// Keys behind their number in word `at`, and which word follows them.
    pub(super) fn counted_keys(&self, at: usize) -> Result<(Vec<Bytes>, usize), String> {
        let count = integer(self.word(at)).and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count > 0);
        let count = count.ok_or("ERR numkeys should be greater than 0")?;
        let rest = at + 1 + count;
        if rest >= self.words.len() {
            return Err(syntax_error());
        }
        Ok((self.rest(at + 1).into_iter().take(count).collect(), rest))
    }

    /// `COUNT n` at word `at`, where nothing or that may stand.
    pub(super) fn count_option(&self, at: usize) -> Result<usize, String> {
        if self.words.len() == at {
            return Ok(1);
        }
        if self.words.len() != at + 2 || !self.is(at, "count") {
            return Err(syntax_error());
        }
        let count = integer(self.word(at + 1)).and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count > 0);
        count.ok_or_else(|| "ERR count should be greater than 0".to_owned())
    }
}

fn lmpop(ask: &mut Ask<'_>) -> Answer {
    Ok(pop_first(ask, 1)?.1.unwrap_or(Reply::NullArray))
}

fn blmpop(ask: &mut Ask<'_>) -> Answer {
    // The timeout is looked at behind the rest of the request.
    let (keys, rest) = ask.counted_keys(2)?;
    ask.end(rest)?;
    ask.count_option(rest + 1)?;
    let timeout = ask.timeout(1)?;
    match pop_first(ask, 2)?.1 {
        Some(reply) => Ok(reply),
        None => ask.wait(keys, Awaited::List, timeout),
    }
}

/// `SORT key ALPHA [STORE destination]`, the only form that is asked for.
fn sort(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms, key) = (ask.db()?, ask.now_ms(), ask.bytes(1));
    let slot = ask.model.data.live(db, &key, now_ms);
    let mut elements: Vec<Bytes> = match slot.map(|slot| &slot.value) {
        None => Vec::new(),
        Some(Value::List(list)) => list.iter().cloned().collect(),
        Some(Value::Set(set)) => Set::iter(set).cloned().collect(),
        Some(Value::Zset(zset)) => Zset::keys(zset).cloned().collect(),
        Some(Value::Text(_) | Value::Hash(_) | Value::Stream(_)) => {
            return Err(super::typed::wrong_type());
        }
    };
    elements.sort();
    if !ask.is(3, "store") {
        return Ok(bulks(elements));
    }
    let reply = count(elements.len());
    ask.store::<List>(ask.bytes(4), elements.into())?;
    Ok(reply)
}
