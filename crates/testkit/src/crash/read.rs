//! Reading back everything that a database of a server holds.

use std::collections::BTreeMap;
use std::io;

use super::model::{Bytes, Data, Entry, Held, State, Window};
use super::writer::{now_ms, unexpected};
use crate::client::{Client, encode};
use crate::value::Value;

/// The content of a database, and when it was read. Keys that expire meanwhile are left out.
pub(super) fn state(client: &mut Client, db: usize) -> io::Result<(State, Window)> {
    let first_ms = now_ms();
    client.command(&["SELECT", &db.to_string()])?;
    let keys = client.command(&["KEYS", "*"])?;
    let keys: Vec<Bytes> = texts(keys.items().ok_or_else(|| unexpected(&keys))?)?;
    let about = |key: &Bytes| [encode(&[b"TYPE", &key[..]]), encode(&[b"PEXPIRETIME", &key[..]])];
    let about = ask(client, keys.iter().flat_map(about))?;
    let mut kinds = Vec::new();
    for (key, about) in keys.iter().zip(about.chunks(2)) {
        if let [Value::Simple(kind), Value::Int(expires)] = about
            && let Some(request) = reading(kind, key)
        {
            kinds.push((key, kind, (*expires >= 0).then(|| Window::exactly(*expires)), request));
        }
    }
    let values = ask(client, kinds.iter().map(|(.., request)| request.clone()))?;
    let mut state = State::default();
    for ((key, kind, expires, _), value) in kinds.iter().zip(&values) {
        if let Some(data) = data(kind, value)? {
            state.0.insert((*key).clone(), Held { data, expires: *expires });
        }
    }
    Ok((state, Window { first_ms, last_ms: now_ms() }))
}

/// The replies to many requests.
pub(super) fn ask(
    client: &mut Client,
    requests: impl Iterator<Item = Vec<u8>>,
) -> io::Result<Vec<Value>> {
    let requests: Vec<Vec<u8>> = requests.collect();
    let mut replies = Vec::with_capacity(requests.len());
    // Few at a time: neither side may wait for the other to read.
    for requests in requests.chunks(64) {
        client.send_raw(&requests.concat())?;
        for _ in requests {
            replies.push(client.reply()?.ok_or(io::ErrorKind::UnexpectedEof)?);
        }
    }
    Ok(replies)
}

/// The request for a value; `None` for a key that has gone.
fn reading(kind: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    Some(match kind {
        b"string" => encode(&[b"GET", key]),
        b"list" => encode(&[b"LRANGE", key, b"0", b"-1"]),
        b"hash" => encode(&[b"HGETALL", key]),
        b"set" => encode(&[b"SMEMBERS", key]),
        b"zset" => encode(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]),
        b"stream" => encode(&[b"XRANGE", key, b"-", b"+"]),
        _ => return None,
    })
}

fn data(kind: &[u8], value: &Value) -> io::Result<Option<Data>> {
    if *value == Value::NilBulk {
        return Ok(None);
    }
    if kind == b"string" {
        return Ok(Some(Data::Text(text(value)?)));
    }
    let items = value.items().ok_or_else(|| unexpected(value))?;
    if items.is_empty() && kind != b"stream" {
        return Ok(None);
    }
    Ok(Some(match kind {
        b"list" => Data::List(texts(items)?.into()),
        b"set" => Data::Set(texts(items)?.into_iter().collect()),
        b"hash" => Data::Hash(pairs(items)?.collect()),
        b"zset" => {
            let score = |text: Bytes| str::from_utf8(&text).ok()?.parse().ok();
            let ranked = pairs(items)?.map(|(member, text)| Some((member, score(text)?)));
            let ranked: Option<BTreeMap<_, _>> = ranked.collect();
            Data::Ranked(ranked.ok_or_else(|| unexpected(value))?)
        }
        _ => Data::Stream(items.iter().map(entry).collect::<io::Result<_>>()?),
    }))
}

fn entry(value: &Value) -> io::Result<Entry> {
    let Some([id, fields]) = value.items() else { return Err(unexpected(value)) };
    let Some([_, content]) = fields.items() else { return Err(unexpected(value)) };
    Ok(Entry { id: Some(text(id)?), text: text(content)? })
}

fn pairs(items: &[Value]) -> io::Result<impl Iterator<Item = (Bytes, Bytes)> + use<>> {
    let mut words = texts(items)?.into_iter();
    Ok(core::iter::from_fn(move || Some((words.next()?, words.next()?))))
}

fn texts(items: &[Value]) -> io::Result<Vec<Bytes>> {
    items.iter().map(text).collect()
}

fn text(value: &Value) -> io::Result<Bytes> {
    value.text().map(<[u8]>::to_vec).ok_or_else(|| unexpected(value))
}
