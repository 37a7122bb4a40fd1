//! Commands on streams.

use super::data::{Bytes, Stream};
use super::stream_data::{Fields, Group, Id, id_text};
use super::typed::count;
use super::waiting::Awaited;
use super::{Answer, Ask, Effect, Kind, Known, Reply, integer, syntax_error};

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "xadd", words: (5, 0), kind: Kind::Grow, run: xadd },
    Known { name: "xlen", words: (2, 2), kind: Kind::Plain, run: xlen },
    Known { name: "xrange", words: (4, 4), kind: Kind::Plain, run: xrange },
    Known { name: "xdel", words: (3, 0), kind: Kind::Write, run: xdel },
    Known { name: "xtrim", words: (4, 4), kind: Kind::Write, run: xtrim },
    Known { name: "xread", words: (4, 0), kind: Kind::Plain, run: xread },
    Known { name: "xreadgroup", words: (7, 0), kind: Kind::Write, run: xreadgroup },
    Known { name: "xack", words: (4, 0), kind: Kind::Write, run: xack },
    Known { name: "xgroup|create", words: (5, 6), kind: Kind::Grow, run: create },
    Known { name: "xgroup|destroy", words: (4, 4), kind: Kind::Write, run: destroy },
    Known { name: "xgroup|createconsumer", words: (5, 5), kind: Kind::Grow, run: add_consumer },
    Known { name: "xgroup|delconsumer", words: (5, 5), kind: Kind::Write, run: drop_consumer },
];

/// Ids that are asked for are whole: milliseconds, a dash, a number.
fn id(text: &[u8]) -> Result<Id, String> {
    let parts = std::str::from_utf8(text).ok().and_then(|text| match text.split_once('-') {
        Some((ms, seq)) => Some((ms.parse().ok()?, seq.parse().ok()?)),
        None => Some((text.parse().ok()?, 0)),
    });
    parts.ok_or_else(|| "ERR Invalid stream ID specified as stream command argument".to_owned())
}

fn entry((id, fields): (Id, Fields)) -> Reply {
    let id = Reply::bulk(&id_text(id));
    Reply::Array(vec![id, Reply::Array(fields.into_iter().map(Reply::Bulk).collect())])
}

/// `XADD key [MAXLEN n] id field value...`
fn xadd(ask: &mut Ask<'_>) -> Answer {
    let mut place = 2;
    let mut len_max = None;
    if ask.is(place, "maxlen") {
        len_max = usize::try_from(ask.number(place + 1)?).ok();
        place += 2;
    }
    let fields = ask.rest(place + 1);
    if fields.is_empty() || !fields.len().is_multiple_of(2) {
        return Err("ERR wrong number of arguments for 'xadd' command".to_owned());
    }
    let (key, now_ms) = (ask.bytes(1), ask.now_ms());
    let is_auto = ask.word(place) == b"*";
    let given = if is_auto { (now_ms, 0) } else { id(ask.word(place))? };
    if given == (0, 0) {
        return Err("ERR The ID specified in XADD must be greater than 0-0".to_owned());
    }
    let last = ask.look::<Stream>(&key)?.map_or((0, 0), |stream| stream.last);
    let new = if is_auto && given <= last { (last.0, last.1 + 1) } else { given };
    if new <= last {
        return Err("ERR The ID specified in XADD is equal or smaller than the target stream top \
                    item"
            .to_owned());
    }
    ask.make::<Stream, _>(&key, |stream| {
        stream.append(new, fields);
        len_max.map(|len| stream.trim(len));
    })?;
    let text = id_text(new);
    let mut effect = ask.rest(0);
    if let Some(word) = effect.get_mut(place) {
        *word = text.as_bytes().into();
    }
    ask.effect = Effect::As(effect);
    Ok(Reply::bulk(&text))
}

fn xlen(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    Ok(count(ask.look::<Stream>(&key)?.map_or(0, |stream| stream.entries.len())))
}

/// The whole stream.
fn xrange(ask: &mut Ask<'_>) -> Answer {
    let key = ask.bytes(1);
    let entries = ask.look::<Stream>(&key)?.map(|stream| stream.above((0, 0)));
    Ok(Reply::Array(entries.unwrap_or_default().into_iter().map(entry).collect()))
}

fn xdel(ask: &mut Ask<'_>) -> Answer {
    let ids: Result<Vec<Id>, String> = ask.words.iter().skip(2).map(|word| id(word)).collect();
    let key = ask.bytes(1);
    if ask.look::<Stream>(&key)?.is_none() {
        return Ok(Reply::Int(0));
    }
    let ids = ids?;
    let delete = |stream: &mut Stream| ids.iter().filter(|id| stream.delete(**id)).count();
    let deleted = ask.edit(&key, delete)?.unwrap_or(0);
    ask.changed_if(deleted > 0);
    Ok(count(deleted))
}

/// `XTRIM key MAXLEN n`
fn xtrim(ask: &mut Ask<'_>) -> Answer {
    let len = usize::try_from(ask.number(3)?).unwrap_or(0);
    let key = ask.bytes(1);
    let trimmed = ask.edit::<Stream, _>(&key, |stream| stream.trim(len))?.unwrap_or(0);
    ask.changed_if(trimmed > 0);
    Ok(count(trimmed))
}

/// What XREAD and XREADGROUP are asked for, from word `at` on.
struct Reading {
    /// `Some(None)`: waits for ever.
    block: Option<Option<u64>>,
    most: usize,
    is_unacked: bool,
    keys: Vec<Bytes>,
    /// The word of the first id.
    ids_at: usize,
}

fn reading(ask: &Ask<'_>, at: usize) -> Result<Reading, String> {
    let mut reading =
        Reading { block: None, most: usize::MAX, is_unacked: false, keys: Vec::new(), ids_at: 0 };
    let mut place = at;
    while !ask.is(place, "streams") {
        if ask.is(place, "block") {
            let ms = integer(ask.word(place + 1))
                .ok_or("ERR timeout is not an integer or out of range")?;
            let ms = u64::try_from(ms).map_err(|_| "ERR timeout is negative".to_owned())?;
            reading.block = Some((ms > 0).then_some(ms));
            place += 2;
        } else if ask.is(place, "count") {
            let most = usize::try_from(ask.number(place + 1)?).unwrap_or(0);
            reading.most = if most == 0 { usize::MAX } else { most };
            place += 2;
        } else if ask.is(place, "noack") {
            reading.is_unacked = true;
            place += 1;
        } else {
            return Err(syntax_error());
        }
    }
    let streams = (ask.words.len() - place - 1) / 2;
    if !(ask.words.len() - place - 1).is_multiple_of(2) {
        let (name, mark) = if at == 1 { ("xread", "$") } else { ("xreadgroup", ">") };
        return Err(format!(
            "ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{mark}' must \
             be specified."
        ));
    }
    reading.keys = ask.rest(place + 1).into_iter().take(streams).collect();
    reading.ids_at = place + 1 + streams;
    Ok(reading)
}

fn xread(ask: &mut Ask<'_>) -> Answer {
    let reading = reading(ask, 1)?;
    let mut settled = ask.words.to_vec();
    let mut above = Vec::new();
    for (number, key) in reading.keys.iter().enumerate() {
        let place = reading.ids_at + number;
        let last = ask.look::<Stream>(key)?.map_or((0, 0), |stream| stream.last);
        let from = if ask.word(place) == b"$" { last } else { id(ask.word(place))? };
        if let Some(word) = settled.get_mut(place) {
            *word = id_text(from).into_bytes();
        }
        above.push(from);
    }
    let mut found = Vec::new();
    for (key, from) in reading.keys.iter().zip(above) {
        let entries = ask.look::<Stream>(key)?.map(|stream| stream.above(from));
        let entries = entries.unwrap_or_default().into_iter().take(reading.most).map(entry);
        let entries: Vec<Reply> = entries.collect();
        if !entries.is_empty() {
            found.push((Reply::Bulk(key.clone()), Reply::Array(entries)));
        }
    }
    match reading.block {
        _ if !found.is_empty() => Ok(Reply::ByKey(found)),
        None => Ok(Reply::NullArray),
        Some(timeout) => {
            let answer = ask.wait(reading.keys, Awaited::Stream, timeout);
            if let Some(wait) = &mut ask.wait {
                wait.words = settled;
            }
            answer
        }
    }
}

/// `XREADGROUP GROUP group consumer ... STREAMS key... >...`
fn xreadgroup(ask: &mut Ask<'_>) -> Answer {
    let reading = reading(ask, 4)?;
    let (group, consumer) = (ask.bytes(2), ask.bytes(3));
    for key in &reading.keys {
        let stream = ask.look::<Stream>(key)?;
        if !stream.is_some_and(|stream| stream.groups.contains_key(&group)) {
            let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            return Err(format!(
                "NOGROUP No such key '{}' or consumer group '{}' in XREADGROUP with GROUP option",
                shown(key),
                shown(&group)
            ));
        }
    }
    let now_ms = ask.now_ms();
    let (mut found, mut effects) = (Vec::new(), Vec::new());
    for key in &reading.keys {
        let delivered = ask.edit_unnoticed::<Stream, _>(key, |stream| {
            deliver(stream, &group, &consumer, &reading)
        })?;
        let Some(Some(delivered)) = delivered else { continue };
        let words = [key.clone(), group.clone(), consumer.clone()];
        effects.extend(delivered.effects(words, reading.is_unacked, now_ms));
        if !delivered.entries.is_empty() {
            let entries = delivered.entries.into_iter().map(entry).collect();
            found.push((Reply::Bulk(key.clone()), Reply::Array(entries)));
        }
    }
    if !effects.is_empty() {
        ask.effect = Effect::All(effects);
    }
    match reading.block {
        _ if !found.is_empty() => Ok(Reply::ByKey(found)),
        None => Ok(Reply::NullArray),
        Some(timeout) => ask.wait(reading.keys, Awaited::StreamGroup, timeout),
    }
}

/// What a consumer got of one stream.
struct Delivered {
    entries: Vec<(Id, Fields)>,
    is_new_consumer: bool,
    read: Option<u64>,
}

fn deliver(
    stream: &mut Stream,
    group: &Bytes,
    consumer: &Bytes,
    reading: &Reading,
) -> Option<Delivered> {
    let last = stream.groups.get(group)?.last;
    let mut entries = stream.above(last);
    entries.truncate(reading.most);
    let mut read = stream.groups.get(group)?.read;
    for (id, _) in &entries {
        read = stream.read_after(read, *id);
    }
    let group = stream.groups.get_mut(group)?;
    let is_new_consumer = group.consumers.insert(consumer.clone());
    for (id, _) in &entries {
        group.last = *id;
        if !reading.is_unacked {
            group.pending.insert(*id, consumer.clone());
        }
    }
    group.read = read;
    Some(Delivered { entries, is_new_consumer, read })
}

impl Delivered {
    fn effects(
        &self,
        [key, group, consumer]: [Bytes; 3],
        is_unacked: bool,
        now_ms: u64,
    ) -> Vec<Vec<Bytes>> {
        let word = |text: &str| Bytes::from(text.as_bytes());
        let mut effects = Vec::new();
        for (id, _) in self.entries.iter().filter(|_| !is_unacked) {
            let (id, now) = (word(&id_text(*id)), word(&now_ms.to_string()));
            effects.push(vec![
                word("XCLAIM"),
                key.clone(),
                group.clone(),
                consumer.clone(),
                word("0"),
                id.clone(),
                word("TIME"),
                now,
                word("RETRYCOUNT"),
                word("1"),
                word("FORCE"),
                word("JUSTID"),
                word("LASTID"),
                id,
            ]);
        }
        if self.is_new_consumer && effects.is_empty() {
            let words = vec![word("XGROUP"), word("CREATECONSUMER"), key.clone(), group.clone()];
            effects.push(words.into_iter().chain([consumer]).collect());
        }
        if let Some((last, _)) = self.entries.last() {
            let read = self.read.map_or("-1".to_owned(), |read| read.to_string());
            let words = vec![word("XGROUP"), word("SETID"), key, group, word(&id_text(*last))];
            effects.push(words.into_iter().chain([word("ENTRIESREAD"), word(&read)]).collect());
        }
        effects
    }
}

fn xack(ask: &mut Ask<'_>) -> Answer {
    let ids: Result<Vec<Id>, String> = ask.words.iter().skip(3).map(|word| id(word)).collect();
    let (key, name) = (ask.bytes(1), ask.bytes(2));
    let stream = ask.look::<Stream>(&key)?;
    if !stream.is_some_and(|stream| stream.groups.contains_key(&name)) {
        return Ok(Reply::Int(0));
    }
    let ids = ids?;
    let acked = ask.edit_unnoticed::<Stream, _>(&key, |stream| {
        let group = stream.groups.get_mut(&name)?;
        Some(ids.iter().filter(|id| group.pending.remove(id).is_some()).count())
    })?;
    let acked = acked.flatten().unwrap_or(0);
    ask.changed_if(acked > 0);
    Ok(count(acked))
}

fn no_key() -> String {
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
     the MKSTREAM option to create an empty stream automatically."
        .to_owned()
}

/// `XGROUP CREATE key group id|$ [MKSTREAM]`
fn create(ask: &mut Ask<'_>) -> Answer {
    let (key, name) = (ask.bytes(2), ask.bytes(3));
    let stream = ask.look::<Stream>(&key)?;
    if stream.is_none() && !ask.is(5, "mkstream") {
        return Err(no_key());
    }
    let stream = ask.look::<Stream>(&key)?;
    let is_there = stream.is_some_and(|stream| stream.groups.contains_key(&name));
    let last = stream.map_or((0, 0), |stream| stream.last);
    let last = if ask.word(4) == b"$" { last } else { id(ask.word(4))? };
    if is_there {
        return Err("BUSYGROUP Consumer Group name already exists".to_owned());
    }
    let group = Group { last, ..Group::default() };
    ask.make::<Stream, _>(&key, |stream| stream.groups.insert(name, group))?;
    ask.effect = Effect::AsIs;
    Ok(Reply::Simple("OK"))
}

fn destroy(ask: &mut Ask<'_>) -> Answer {
    let (key, name) = (ask.bytes(2), ask.bytes(3));
    let Some(stream) = ask.look::<Stream>(&key)? else { return Err(no_key()) };
    let is_there = stream.groups.contains_key(&name);
    if is_there {
        ask.edit::<Stream, _>(&key, |stream| stream.groups.remove(&name))?;
        ask.effect = Effect::AsIs;
    }
    Ok(Reply::Int(i64::from(is_there)))
}

impl Ask<'_> {
    /// Changes the group in word 3 of the stream in word 2.
    fn edit_group<R>(&mut self, change: impl FnOnce(&mut Group) -> R) -> Result<R, String> {
        let (key, name) = (self.bytes(2), self.bytes(3));
        if self.look::<Stream>(&key)?.is_none() {
            return Err(no_key());
        }
        let outcome = self
            .edit_unnoticed::<Stream, _>(&key, |stream| stream.groups.get_mut(&name).map(change))?;
        let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        outcome.flatten().ok_or_else(|| {
            format!(
                "NOGROUP No such consumer group '{}' for key name '{}'",
                shown(&name),
                shown(&key)
            )
        })
    }
}

fn add_consumer(ask: &mut Ask<'_>) -> Answer {
    let consumer = ask.bytes(4);
    let is_new = ask.edit_group(|group| group.consumers.insert(consumer))?;
    ask.changed_if(is_new);
    Ok(Reply::Int(i64::from(is_new)))
}

fn drop_consumer(ask: &mut Ask<'_>) -> Answer {
    let consumer = ask.bytes(4);
    let (was_there, held) = ask.edit_group(|group| {
        let held = group.pending.len();
        group.pending.retain(|_, holder| *holder != consumer);
        (group.consumers.remove(&consumer), held - group.pending.len())
    })?;
    ask.changed_if(was_there);
    Ok(count(held))
}
