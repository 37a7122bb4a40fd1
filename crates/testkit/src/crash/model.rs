//! What one client's keys hold, and what a write does to them.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::write::{End, Write};
use crate::quote::Quoted;

/// Bytes of a key, a member, a value.
pub(super) type Bytes = Vec<u8>;

/// When a key expires, or when something was done: a moment from the first to the last of these
/// milliseconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Window {
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
}

impl Window {
    /// When nothing is known.
    pub(super) const ALWAYS: Self = Self { first_ms: 0, last_ms: i64::MAX };

    pub(super) fn exactly(ms: i64) -> Self {
        Self { first_ms: ms, last_ms: ms }
    }

    fn plus(self, ms: i64) -> Self {
        let add = |time: i64| time.saturating_add(ms);
        Self { first_ms: add(self.first_ms), last_ms: add(self.last_ms) }
    }

    fn holds(self, ms: i64) -> bool {
        (self.first_ms..=self.last_ms).contains(&ms)
    }
}

/// The value of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Data {
    Text(Bytes),
    List(VecDeque<Bytes>),
    Hash(BTreeMap<Bytes, Bytes>),
    Set(BTreeSet<Bytes>),
    /// Members and their scores, which are whole numbers.
    Ranked(BTreeMap<Bytes, i64>),
    Stream(Vec<Entry>),
}

/// An entry of a stream; the server has chosen its id.
#[derive(Clone, Debug, Eq)]
pub(super) struct Entry {
    /// `None` while the server has not told.
    pub(super) id: Option<Bytes>,
    pub(super) text: Bytes,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        let same_id = match (&self.id, &other.id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, _) | (_, None) => true,
        };
        same_id && self.text == other.text
    }
}

impl Data {
    /// Whether its key goes with it.
    fn is_gone(&self) -> bool {
        match self {
            Self::Text(_) | Self::Stream(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Hash(fields) => fields.is_empty(),
            Self::Set(members) => members.is_empty(),
            Self::Ranked(members) => members.is_empty(),
        }
    }

    /// Elements.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(items) => items.len(),
            Self::Hash(fields) => fields.len(),
            Self::Set(members) => members.len(),
            Self::Ranked(members) => members.len(),
            Self::Stream(entries) => entries.len(),
        }
    }
}

/// A key's value and when it expires.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Held {
    pub(super) data: Data,
    pub(super) expires: Option<Window>,
}

/// What a server must answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Ok,
    Int(i64),
    /// A bulk string, or none.
    Text(Option<Bytes>),
    /// A bulk string that the server has chosen.
    Chosen,
    /// The answers of a transaction.
    All(Vec<Answer>),
}

/// All keys of one client.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct State(pub(super) BTreeMap<Bytes, Held>);

/// The server's clock may lag behind ours by as much: it reads it once for many requests.
const CLOCK_LAG_MS: i64 = 1_000;

impl State {
    pub(super) fn get(&self, key: &[u8]) -> Option<&Data> {
        self.0.get(key).map(|held| &held.data)
    }

    /// Does what the server does within `when`; `chosen` is the id it told for a stream's entry.
    pub(super) fn apply(&mut self, write: &Write, when: Window, chosen: Option<&[u8]>) -> Answer {
        match write {
            Write::Set { key, value } => {
                self.put(key, Data::Text(value.clone()), None);
                Answer::Ok
            }
            Write::SetFor { key, value, ms } => {
                self.put(key, Data::Text(value.clone()), Some(when.plus(*ms)));
                Answer::Ok
            }
            Write::SetMany { pairs } => {
                pairs.iter().for_each(|(key, value)| {
                    self.put(key, Data::Text(value.clone()), None);
                });
                Answer::Ok
            }
            Write::Increment { key, by } => Answer::Int(self.increment(key, *by)),
            Write::Append { key, text } => self.at(key, Data::Text(Vec::new()), |data| {
                let Data::Text(value) = data else { return Answer::Int(0) };
                value.extend_from_slice(text);
                Answer::Int(len(value.len()))
            }),
            Write::Push { key, text, at } => Answer::Int(self.push(key, text.clone(), *at)),
            Write::Pop { key, at } => Answer::Text(self.pop(key, *at)),
            Write::Move { from, to } => Answer::Text(self.move_first(from, to)),
            Write::Trim { key, keep } => self.at(key, Data::List(VecDeque::new()), |data| {
                if let Data::List(items) = data {
                    items.truncate(*keep);
                }
                Answer::Ok
            }),
            Write::PutField { key, field, value } => {
                self.at(key, Data::Hash(BTreeMap::new()), |data| {
                    let Data::Hash(fields) = data else { return Answer::Int(0) };
                    Answer::Int(one_if(fields.insert(field.clone(), value.clone()).is_none()))
                })
            }
            Write::DropField { key, field } => self.at(key, Data::Hash(BTreeMap::new()), |data| {
                let Data::Hash(fields) = data else { return Answer::Int(0) };
                Answer::Int(one_if(fields.remove(field).is_some()))
            }),
            Write::Add { key, member } => self.at(key, Data::Set(BTreeSet::new()), |data| {
                let Data::Set(members) = data else { return Answer::Int(0) };
                Answer::Int(one_if(members.insert(member.clone())))
            }),
            Write::Remove { key, member } => self.at(key, Data::Set(BTreeSet::new()), |data| {
                let Data::Set(members) = data else { return Answer::Int(0) };
                Answer::Int(one_if(members.remove(member)))
            }),
            Write::Rank { key, member, score } => {
                self.at(key, Data::Ranked(BTreeMap::new()), |data| {
                    let Data::Ranked(members) = data else { return Answer::Int(0) };
                    Answer::Int(one_if(members.insert(member.clone(), *score).is_none()))
                })
            }
            Write::Unrank { key, member } => self.at(key, Data::Ranked(BTreeMap::new()), |data| {
                let Data::Ranked(members) = data else { return Answer::Int(0) };
                Answer::Int(one_if(members.remove(member).is_some()))
            }),
            Write::Log { key, text } => self.at(key, Data::Stream(Vec::new()), |data| {
                if let Data::Stream(entries) = data {
                    let id = chosen.map(<[u8]>::to_vec);
                    entries.push(Entry { id, text: text.clone() });
                }
                Answer::Chosen
            }),
            Write::Forget { key, keep } => self.forget(key, *keep),
            Write::Delete { keys } => {
                Answer::Int(keys.iter().map(|key| one_if(self.0.remove(key).is_some())).sum())
            }
            Write::Expire { key, seconds } => Answer::Int(match self.0.get_mut(key) {
                Some(held) => {
                    held.expires = Some(when.plus(seconds.saturating_mul(1_000)));
                    1
                }
                None => 0,
            }),
            Write::Persist { key } => {
                let had = self.0.get_mut(key).and_then(|held| held.expires.take());
                Answer::Int(one_if(had.is_some()))
            }
            Write::Rename { from, to } => {
                if let Some(held) = self.0.remove(from) {
                    self.0.insert(to.clone(), held);
                }
                Answer::Ok
            }
            Write::Together(writes) => {
                Answer::All(writes.iter().map(|write| self.apply(write, when, None)).collect())
            }
        }
    }

    fn put(&mut self, key: &[u8], data: Data, expires: Option<Window>) {
        self.0.insert(key.to_vec(), Held { data, expires });
    }

    /// Changes a value, which begins as `empty` and goes with its last element.
    fn at(&mut self, key: &[u8], empty: Data, change: impl FnOnce(&mut Data) -> Answer) -> Answer {
        let held = self.0.entry(key.to_vec()).or_insert(Held { data: empty, expires: None });
        let answer = change(&mut held.data);
        if held.data.is_gone() {
            self.0.remove(key);
        }
        answer
    }

    fn increment(&mut self, key: &[u8], by: i64) -> i64 {
        let held = self.0.entry(key.to_vec());
        let zero = Held { data: Data::Text(b"0".to_vec()), expires: None };
        let Data::Text(text) = &mut held.or_insert(zero).data else { return 0 };
        let old: i64 = str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        let new = old.saturating_add(by);
        *text = new.to_string().into_bytes();
        new
    }

    fn push(&mut self, key: &[u8], text: Bytes, at: End) -> i64 {
        let held = self.0.entry(key.to_vec());
        let empty = Held { data: Data::List(VecDeque::new()), expires: None };
        let Data::List(items) = &mut held.or_insert(empty).data else { return 0 };
        match at {
            End::First => items.push_front(text),
            End::Last => items.push_back(text),
        }
        len(items.len())
    }

    fn pop(&mut self, key: &[u8], at: End) -> Option<Bytes> {
        let Data::List(items) = &mut self.0.get_mut(key)?.data else { return None };
        let popped = match at {
            End::First => items.pop_front(),
            End::Last => items.pop_back(),
        };
        if items.is_empty() {
            self.0.remove(key);
        }
        popped
    }

    fn move_first(&mut self, from: &[u8], to: &[u8]) -> Option<Bytes> {
        if from == to {
            // The key and its time stay, even if this is its only element.
            let Data::List(items) = &mut self.0.get_mut(from)?.data else { return None };
            items.rotate_left(1);
            return items.back().cloned();
        }
        let moved = self.pop(from, End::First)?;
        self.push(to, moved.clone(), End::Last);
        Some(moved)
    }

    /// Unlike other values a stream stays when it is empty.
    fn forget(&mut self, key: &[u8], keep: usize) -> Answer {
        let Some(Held { data: Data::Stream(entries), .. }) = self.0.get_mut(key) else {
            return Answer::Int(0);
        };
        let gone = entries.len().saturating_sub(keep);
        entries.drain(..gone);
        Answer::Int(len(gone))
    }

    /// Whether a key differs from what a server held when it was read within `when`.
    ///
    /// A key whose time was up must be gone; one whose time may have been up may be.
    pub(super) fn difference<'a>(
        &'a self,
        found: &'a Self,
        when: Window,
        key: &'a [u8],
    ) -> Option<Difference<'a>> {
        let (ours, found) = (self.0.get(key), found.0.get(key));
        let agrees = match (ours, found) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(ours), None) => ours.expires.is_some_and(|at| at.first_ms <= when.last_ms),
            (Some(ours), Some(found)) => ours.agrees(found, when),
        };
        (!agrees).then_some(Difference { key, ours, found })
    }

    /// All keys that differ.
    pub(super) fn differences<'a>(
        &'a self,
        found: &'a Self,
        when: Window,
    ) -> impl Iterator<Item = Difference<'a>> {
        let extra = found.0.keys().filter(|key| !self.0.contains_key(*key));
        let keys = self.0.keys().chain(extra);
        keys.filter_map(move |key| self.difference(found, when, key))
    }
}

impl Held {
    fn agrees(&self, found: &Self, when: Window) -> bool {
        let time_agrees = match (self.expires, found.expires) {
            (None, None) => true,
            (Some(at), Some(found)) => {
                let is_over = at.last_ms.saturating_add(CLOCK_LAG_MS) < when.first_ms;
                // The clock may have lagged when the time was set, too.
                let possible = Window { first_ms: at.first_ms - CLOCK_LAG_MS, ..at };
                !is_over && possible.holds(found.first_ms)
            }
            (Some(_), None) | (None, Some(_)) => false,
        };
        time_agrees && self.data == found.data
    }
}

/// A key that is not what it must be.
#[derive(Clone, Debug)]
pub(super) struct Difference<'a> {
    pub(super) key: &'a [u8],
    ours: Option<&'a Held>,
    found: Option<&'a Held>,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", Quoted(self.key), Shown(self.ours))?;
        write!(f, ", found {}", Shown(self.found))
    }
}

/// A value as a person wants to see it: not all of it.
struct Shown<'a>(Option<&'a Held>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Characters.
        const SHOWN_MAX: usize = 400;
        let Some(Held { data, expires }) = self.0 else { return f.write_str("nothing") };
        let pair = |a: &[u8], b: &dyn fmt::Display| format!("{}={b}", Quoted(a));
        let quoted = |text: &Bytes| Quoted(text).to_string();
        let items: Vec<String> = match data {
            Data::Text(text) => vec![quoted(text)],
            Data::List(items) => items.iter().map(quoted).collect(),
            Data::Hash(fields) => fields.iter().map(|(k, v)| pair(k, &Quoted(v))).collect(),
            Data::Set(members) => members.iter().map(quoted).collect(),
            Data::Ranked(members) => members.iter().map(|(k, v)| pair(k, v)).collect(),
            Data::Stream(entries) => {
                let id = |entry: &Entry| entry.id.clone().unwrap_or_else(|| b"?".to_vec());
                entries.iter().map(|entry| pair(&id(entry), &Quoted(&entry.text))).collect()
            }
        };
        let text = items.join(" ");
        let shown: String = text.chars().take(SHOWN_MAX).collect();
        let more = if shown.len() < text.len() { "..." } else { "" };
        write!(f, "[{}: {shown}{more}]", data.len())?;
        match expires {
            Some(at) => write!(f, " until {}..{}", at.first_ms, at.last_ms),
            None => Ok(()),
        }
    }
}

fn one_if(happened: bool) -> i64 {
    i64::from(happened)
}

fn len(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Window = Window { first_ms: 10_000, last_ms: 10_010 };

    fn set_for(ms: i64) -> State {
        let mut state = State::default();
        let write = Write::SetFor { key: b"k".to_vec(), value: b"v".to_vec(), ms };
        assert_eq!(state.apply(&write, NOW, None), Answer::Ok);
        state
    }

    fn difference(ours: &State, found: &State, when: Window) -> Option<String> {
        ours.differences(found, when).next().map(|difference| difference.to_string())
    }

    #[test]
    fn a_time_that_was_read_back_must_be_one_that_was_set() {
        let ours = set_for(100_000);
        let found = |ms| {
            let data = Data::Text(b"v".to_vec());
            let held = Held { data, expires: Some(Window::exactly(ms)) };
            State(BTreeMap::from([(b"k".to_vec(), held)]))
        };
        assert_eq!(difference(&ours, &found(110_010), NOW), None);
        assert_eq!(difference(&ours, &found(109_500), NOW), None, "the clock lags");
        for late in [110_011, 200_000] {
            assert!(difference(&ours, &found(late), NOW).unwrap().contains("until"));
        }
        assert!(difference(&ours, &State::default(), NOW).unwrap().contains("found nothing"));
    }

    #[test]
    fn what_has_expired_must_be_gone_and_what_may_have_may_be() {
        let ours = set_for(5);
        let later = Window { first_ms: 10_012, last_ms: 10_020 };
        assert_eq!(difference(&ours, &State::default(), later), None);
        assert_eq!(difference(&ours, &set_for(5), later), None);
        let much_later = Window::exactly(20_000);
        assert!(difference(&ours, &set_for(5), much_later).unwrap().contains("until"));
    }

    #[test]
    fn an_id_that_nobody_was_told_may_be_any() {
        let log = Write::Log { key: b"s".to_vec(), text: b"t".to_vec() };
        let with = |id: Option<&[u8]>| {
            let mut state = State::default();
            assert_eq!(state.apply(&log, NOW, id), Answer::Chosen);
            state
        };
        assert_eq!(difference(&with(None), &with(Some(b"1-1")), NOW), None);
        assert_eq!(difference(&with(Some(b"1-1")), &with(Some(b"1-1")), NOW), None);
        assert!(difference(&with(Some(b"1-1")), &with(Some(b"1-2")), NOW).is_some());
    }

    #[test]
    fn an_empty_list_goes_with_its_key_and_an_empty_stream_stays() {
        let mut state = State::default();
        let key = || b"k".to_vec();
        let push = Write::Push { key: key(), text: b"a".to_vec(), at: End::First };
        assert_eq!(state.apply(&push, NOW, None), Answer::Int(1));
        let moved = Write::Move { from: key(), to: key() };
        assert_eq!(state.apply(&moved, NOW, None), Answer::Text(Some(b"a".to_vec())));
        let pop = Write::Pop { key: key(), at: End::Last };
        assert_eq!(state.apply(&pop, NOW, None), Answer::Text(Some(b"a".to_vec())));
        assert_eq!(state, State::default());
        state.apply(&Write::Log { key: key(), text: key() }, NOW, None);
        assert_eq!(state.apply(&Write::Forget { key: key(), keep: 0 }, NOW, None), Answer::Int(1));
        assert_eq!(state.get(b"k").map(Data::len), Some(0));
    }
}
