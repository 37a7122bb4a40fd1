//! Commands on keys and databases.

use super::{
    Answer, Ask, Bytes, Effect, Kind, Known, Reply, integer, not_an_integer, syntax_error,
};

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "del", words: (2, 0), kind: Kind::Write, run: del },
    Known { name: "unlink", words: (2, 0), kind: Kind::Write, run: del },
    Known { name: "exists", words: (2, 0), kind: Kind::Plain, run: exists },
    Known { name: "touch", words: (2, 0), kind: Kind::Plain, run: exists },
    Known { name: "type", words: (2, 2), kind: Kind::Plain, run: type_of },
    Known { name: "expire", words: (3, 0), kind: Kind::Write, run: expire },
    Known { name: "pexpire", words: (3, 0), kind: Kind::Write, run: pexpire },
    Known { name: "expireat", words: (3, 0), kind: Kind::Write, run: expireat },
    Known { name: "pexpireat", words: (3, 0), kind: Kind::Write, run: pexpireat },
    Known { name: "ttl", words: (2, 2), kind: Kind::Plain, run: ttl },
    Known { name: "pttl", words: (2, 2), kind: Kind::Plain, run: pttl },
    Known { name: "expiretime", words: (2, 2), kind: Kind::Plain, run: expiretime },
    Known { name: "pexpiretime", words: (2, 2), kind: Kind::Plain, run: pexpiretime },
    Known { name: "persist", words: (2, 2), kind: Kind::Write, run: persist },
    Known { name: "rename", words: (3, 3), kind: Kind::Write, run: rename },
    Known { name: "renamenx", words: (3, 3), kind: Kind::Write, run: renamenx },
    Known { name: "copy", words: (3, 0), kind: Kind::Grow, run: copy },
    Known { name: "move", words: (3, 3), kind: Kind::Write, run: move_key },
    Known { name: "keys", words: (2, 2), kind: Kind::Plain, run: keys },
    Known { name: "scan", words: (2, 0), kind: Kind::Plain, run: scan },
    Known { name: "randomkey", words: (1, 1), kind: Kind::Plain, run: randomkey },
    Known { name: "dbsize", words: (1, 1), kind: Kind::Plain, run: dbsize },
    Known { name: "flushdb", words: (1, 0), kind: Kind::Write, run: flushdb },
    Known { name: "flushall", words: (1, 0), kind: Kind::Write, run: flushall },
    Known { name: "swapdb", words: (3, 3), kind: Kind::Write, run: swapdb },
];

/// A time in milliseconds since 1970; `None` when it does not fit.
pub(super) fn absolute_ms(given: i64, seconds: bool, relative: bool, now_ms: u64) -> Option<i64> {
    let span = i128::from(given) * if seconds { 1000 } else { 1 };
    // The product and the sum must both fit.
    let span = i64::try_from(span).ok()?;
    i64::try_from(i128::from(span) + if relative { i128::from(now_ms) } else { 0 }).ok()
}

pub(super) fn invalid_expire(command: &str) -> String {
    format!("ERR invalid expire time in '{command}' command")
}

fn flag(set: bool) -> Reply {
    Reply::Int(i64::from(set))
}

fn del(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let mut removed = 0;
    for key in ask.words.iter().skip(1) {
        if ask.model.data.live(db, key, now_ms).is_some() {
            ask.model.data.remove(db, key);
            removed += 1;
        }
    }
    if removed > 0 {
        ask.effect = Effect::AsIs;
    }
    Ok(Reply::Int(removed))
}

fn exists(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let data = &ask.model.data;
    let found = ask.words.iter().skip(1).filter(|key| data.live(db, key, now_ms).is_some());
    Ok(Reply::Int(i64::try_from(found.count()).unwrap_or(i64::MAX)))
}

fn type_of(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let slot = ask.model.data.live(db, ask.word(1), now_ms);
    Ok(Reply::Simple(slot.map_or("none", |slot| slot.value.type_name())))
}

fn expire(ask: &mut Ask<'_>) -> Answer {
    set_expiry(ask, "expire", true, true)
}

fn pexpire(ask: &mut Ask<'_>) -> Answer {
    set_expiry(ask, "pexpire", false, true)
}

fn expireat(ask: &mut Ask<'_>) -> Answer {
    set_expiry(ask, "expireat", true, false)
}

fn pexpireat(ask: &mut Ask<'_>) -> Answer {
    set_expiry(ask, "pexpireat", false, false)
}

fn set_expiry(ask: &mut Ask<'_>, name: &str, seconds: bool, relative: bool) -> Answer {
    let options: Vec<String> = ask
        .words
        .iter()
        .skip(3)
        .map(|word| String::from_utf8_lossy(word).to_ascii_lowercase())
        .collect();
    let has = |word: &str| options.iter().any(|option| option == word);
    let (nx, xx, gt, lt) = (has("nx"), has("xx"), has("gt"), has("lt"));
    let is_known = |word: &&String| !["nx", "xx", "gt", "lt"].contains(&word.as_str());
    if let Some(odd) = options.iter().position(|option| is_known(&option)) {
        let word = String::from_utf8_lossy(ask.word(3 + odd)).into_owned();
        return Err(format!("ERR Unsupported option {word}"));
    }
    if nx && (xx || gt || lt) {
        return Err("ERR NX and XX, GT or LT options at the same time are not compatible".into());
    }
    if gt && lt {
        return Err("ERR GT and LT options at the same time are not compatible".into());
    }
    let given = ask.number(2)?;
    let (db, now_ms, key) = (ask.db()?, ask.now_ms(), ask.bytes(1));
    let at = absolute_ms(given, seconds, relative, now_ms).ok_or_else(|| invalid_expire(name))?;
    let Some(slot) = ask.model.data.live(db, &key, now_ms) else { return Ok(flag(false)) };
    let before = slot.expiry.map(i128::from);
    let at_wide = i128::from(at);
    let refused = (nx && before.is_some())
        || (xx && before.is_none())
        || (gt && before.is_none_or(|before| at_wide <= before))
        || (lt && before.is_some_and(|before| at_wide >= before));
    if refused {
        return Ok(flag(false));
    }
    let rest = ask.words.iter().skip(3).map(|word| Bytes::from(word.as_slice())).collect();
    ask.expire_at(db, &key, u64::try_from(at).unwrap_or(0), rest);
    if !relative && !seconds && ask.model.data.slot(db, &key).is_some() {
        ask.effect = Effect::AsIs;
    }
    Ok(flag(true))
}

impl Ask<'_> {
    /// Lets a key expire, which may be at once; `rest` is what follows in its effect.
    pub(super) fn expire_at(&mut self, db: usize, key: &Bytes, at: u64, rest: Vec<Bytes>) {
        let now_ms = self.now_ms();
        if at <= now_ms {
            self.model.data.remove(db, key);
            let lazily = self.model.settings.lazy_expire;
            let name: &[u8] = if lazily { b"UNLINK" } else { b"DEL" };
            self.effect = Effect::As(vec![name.into(), key.clone()]);
            return;
        }
        if let Some(slot) = self.model.data.live_mut(db, key, now_ms) {
            slot.expiry = Some(at);
        }
        let mut effect =
            vec![b"PEXPIREAT"[..].into(), key.clone(), at.to_string().as_bytes().into()];
        effect.extend(rest);
        self.effect = Effect::As(effect);
    }

    /// What becomes of the expiry of the key in word 1: -2 no key, -1 no expiry.
    fn time(&mut self, shown: impl Fn(u64, u64) -> u64) -> Answer {
        let (db, now_ms) = (self.db()?, self.now_ms());
        let slot = self.model.data.live(db, self.word(1), now_ms);
        Ok(Reply::Int(match slot.map(|slot| slot.expiry) {
            None => -2,
            Some(None) => -1,
            Some(Some(at)) => i64::try_from(shown(at, now_ms)).unwrap_or(i64::MAX),
        }))
    }
}

fn ttl(ask: &mut Ask<'_>) -> Answer {
    ask.time(|at, now_ms| (at - now_ms + 500) / 1000)
}

fn pttl(ask: &mut Ask<'_>) -> Answer {
    ask.time(|at, now_ms| at - now_ms)
}

fn expiretime(ask: &mut Ask<'_>) -> Answer {
    ask.time(|at, _| (at + 500) / 1000)
}

fn pexpiretime(ask: &mut Ask<'_>) -> Answer {
    ask.time(|at, _| at)
}

fn persist(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let key = ask.words.get(1).map_or(&[][..], Vec::as_slice);
    let slot = ask.model.data.live_mut(db, key, now_ms);
    let had_one = slot.is_some_and(|slot| slot.expiry.take().is_some());
    if had_one {
        ask.effect = Effect::AsIs;
    }
    Ok(flag(had_one))
}

fn rename(ask: &mut Ask<'_>) -> Answer {
    give_name(ask, true).map(|_| Reply::Simple("OK"))
}

fn renamenx(ask: &mut Ask<'_>) -> Answer {
    give_name(ask, false).map(flag)
}

fn give_name(ask: &mut Ask<'_>, replace: bool) -> Result<bool, String> {
    let (db, now_ms, from, to) = (ask.db()?, ask.now_ms(), ask.bytes(1), ask.bytes(2));
    if ask.model.data.live(db, &from, now_ms).is_none() {
        return Err("ERR no such key".to_owned());
    }
    if from == to || (!replace && ask.model.data.live(db, &to, now_ms).is_some()) {
        return Ok(false);
    }
    if let Some(slot) = ask.model.data.remove(db, &from) {
        ask.model.data.put(db, to, slot);
    }
    ask.effect = Effect::AsIs;
    Ok(true)
}

/// The database in word `place`.
fn database(ask: &Ask<'_>, place: usize) -> Result<usize, String> {
    let raw = ask.number(place)?;
    if i32::try_from(raw).is_err() {
        return Err(
            "ERR value is out of range, value must between -2147483648 and 2147483647".to_owned()
        );
    }
    in_range(ask, raw)
}

fn in_range(ask: &Ask<'_>, raw: i64) -> Result<usize, String> {
    let count = ask.model.settings.databases;
    usize::try_from(raw)
        .ok()
        .filter(|db| *db < count)
        .ok_or_else(|| "ERR DB index is out of range".to_owned())
}

fn same_object() -> String {
    "ERR source and destination objects are the same".to_owned()
}

fn copy(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms, from, to) = (ask.db()?, ask.now_ms(), ask.bytes(1), ask.bytes(2));
    let (mut target, mut replace) = (db, false);
    let mut place = 3;
    while place < ask.words.len() {
        if ask.is(place, "replace") {
            replace = true;
        } else if ask.is(place, "db") && place + 1 < ask.words.len() {
            place += 1;
            target = database(ask, place)?;
        } else {
            return Err(syntax_error());
        }
        place += 1;
    }
    if target == db && from == to {
        return Err(same_object());
    }
    let data = &mut ask.model.data;
    let Some(slot) = data.live(db, &from, now_ms).cloned() else { return Ok(flag(false)) };
    if data.live(target, &to, now_ms).is_some() && !replace {
        return Ok(flag(false));
    }
    data.put(target, to, slot);
    ask.effect = Effect::AsIs;
    Ok(flag(true))
}

fn move_key(ask: &mut Ask<'_>) -> Answer {
    let target = database(ask, 2)?;
    let (db, now_ms, key) = (ask.db()?, ask.now_ms(), ask.bytes(1));
    if target == db {
        return Err(same_object());
    }
    let data = &mut ask.model.data;
    if data.live(db, &key, now_ms).is_none() || data.live(target, &key, now_ms).is_some() {
        return Ok(flag(false));
    }
    if let Some(slot) = data.remove(db, &key) {
        data.put(target, key, slot);
    }
    ask.effect = Effect::AsIs;
    Ok(flag(true))
}

/// Patterns that clients send: a text, perhaps with one star at its end.
fn fits(pattern: &[u8], key: &[u8]) -> bool {
    match pattern.split_last() {
        Some((b'*', head)) => key.starts_with(head),
        _ => pattern == key,
    }
}

fn keys(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let mut all = ask.model.data.live_keys(db, now_ms);
    all.retain(|key| fits(ask.word(1), key));
    Ok(Reply::Unordered(all))
}

fn scan(ask: &mut Ask<'_>) -> Answer {
    let cursor: u64 = std::str::from_utf8(ask.word(1))
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "ERR invalid cursor".to_owned())?;
    let mut pattern: Option<Bytes> = None;
    let mut place = 2;
    while place < ask.words.len() {
        if ask.is(place, "count") && place + 1 < ask.words.len() {
            if ask.number(place + 1)? < 1 {
                return Err(syntax_error());
            }
        } else if ask.is(place, "match") && place + 1 < ask.words.len() {
            pattern = Some(ask.bytes(place + 1));
        } else {
            return Err(syntax_error());
        }
        place += 2;
    }
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    let mut allowed = ask.model.data.live_keys(db, now_ms);
    if let Some(pattern) = pattern {
        allowed.retain(|key| fits(&pattern, key));
        // What does not fit is not returned, so such a walk proves nothing.
        ask.model.walks.remove(&ask.link);
    }
    Ok(Reply::Page { cursor, allowed })
}

fn randomkey(ask: &mut Ask<'_>) -> Answer {
    let (db, now_ms) = (ask.db()?, ask.now_ms());
    Ok(Reply::AnyOf(ask.model.data.live_keys(db, now_ms)))
}

fn dbsize(ask: &mut Ask<'_>) -> Answer {
    let db = ask.db()?;
    let (keys, _) = ask.model.data.size(db);
    Ok(Reply::Int(i64::try_from(keys).unwrap_or(i64::MAX)))
}

fn flush_options(ask: &Ask<'_>) -> Result<(), String> {
    let fine = match ask.words.len() {
        1 => true,
        2 => ask.is(1, "async") || ask.is(1, "sync"),
        _ => false,
    };
    if fine { Ok(()) } else { Err(syntax_error()) }
}

fn flushdb(ask: &mut Ask<'_>) -> Answer {
    flush_options(ask)?;
    let db = ask.db()?;
    ask.model.data.flush(db);
    ask.effect = Effect::AsIs;
    Ok(Reply::Simple("OK"))
}

fn flushall(ask: &mut Ask<'_>) -> Answer {
    flush_options(ask)?;
    for db in 0..ask.model.data.databases() {
        ask.model.data.flush(db);
    }
    ask.effect = Effect::AsIs;
    Ok(Reply::Simple("OK"))
}

fn swapdb(ask: &mut Ask<'_>) -> Answer {
    let index = |place: usize, which: &str| {
        integer(ask.word(place))
            .filter(|raw| i32::try_from(*raw).is_ok())
            .ok_or_else(|| format!("ERR invalid {which} DB index"))
    };
    let (left, right) = (index(1, "first")?, index(2, "second")?);
    let (left, right) = (in_range(ask, left)?, in_range(ask, right)?);
    ask.model.data.swap(left, right);
    ask.model.walks.retain(|_, walk| walk.db != left && walk.db != right);
    ask.effect = Effect::AsIs;
    Ok(Reply::Simple("OK"))
}

/// SELECT's way of reading a database.
pub(super) fn select(ask: &mut Ask<'_>) -> Answer {
    let raw = integer(ask.word(1)).ok_or_else(not_an_integer)?;
    if i32::try_from(raw).is_err() {
        return Err("ERR invalid DB index".to_owned());
    }
    let db = in_range(ask, raw)?;
    ask.session()?.db = db;
    Ok(Reply::Simple("OK"))
}
