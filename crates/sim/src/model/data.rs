//! Keys and values of the model.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

pub(crate) use super::stream_data::Stream;

/// Shared bytes, so that copies of the data are cheap.
pub(crate) type Bytes = Rc<[u8]>;

pub(super) type List = VecDeque<Bytes>;
pub(super) type Set = BTreeSet<Bytes>;
pub(super) type Hash = BTreeMap<Bytes, Bytes>;
pub(super) type Zset = BTreeMap<Bytes, f64>;

/// All databases. Copies share what they have in common.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    dbs: Vec<Rc<BTreeMap<Bytes, Rc<Slot>>>>,
    /// What may have changed since [`Data::take_touched`].
    touched: Vec<Touched>,
}

/// Something that may have changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Touched {
    Key(usize, Bytes),
    /// Every key of a database.
    All(usize),
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    /// When it is over, in milliseconds since 1970.
    pub(crate) expiry: Option<u64>,
}

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Bytes),
    List(List),
    Set(Set),
    Hash(Hash),
    Zset(Zset),
    Stream(Stream),
}

/// A type of values.
pub(super) trait Typed: Default {
    fn of(value: &Value) -> Option<&Self>;
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    fn wrap(self) -> Value;
}

/// The five types are told apart in the same way.
macro_rules! typed {
    ($($kind:ident),*) => {$(
        impl Typed for $kind {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$kind(it) = value { Some(it) } else { None }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$kind(it) = value { Some(it) } else { None }
            }

            fn wrap(self) -> Value {
                Value::$kind(self)
            }
        }
    )*};
}

typed!(List, Set, Hash, Zset, Stream);

impl Value {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
            Self::Zset(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }

    /// Whether it goes by itself, being empty.
    pub(super) fn is_spent(&self) -> bool {
        match self {
            Self::Text(_) | Self::Stream(_) => false,
            Self::List(list) => list.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::Hash(hash) => hash.is_empty(),
            Self::Zset(zset) => zset.is_empty(),
        }
    }

    /// As a node's dump shows it.
    pub(crate) fn dumped(&self) -> String {
        let shown = |text: &Bytes| text.escape_ascii().to_string();
        let words: Vec<String> = match self {
            Self::Text(text) => return format!("\"{}\"", text.escape_ascii()),
            Self::Stream(stream) => return stream.dumped(),
            Self::List(list) => list.iter().map(shown).collect(),
            Self::Set(set) => sorted(set.iter().map(shown)),
            Self::Hash(hash) => {
                sorted(hash.iter().map(|(k, v)| format!("{}={}", shown(k), shown(v))))
            }
            Self::Zset(zset) => {
                let words = by_score(zset).into_iter();
                words.map(|(name, score)| format!("{}={score}", shown(&name))).collect()
            }
        };
        let name = std::iter::once(self.type_name().to_owned());
        name.chain(words).collect::<Vec<_>>().join(" ")
    }

    /// About the memory that a server needs for it, in bytes.
    fn weight_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(list) => list.iter().map(|element| element.len() + 8).sum(),
            Self::Set(set) => set.iter().map(|member| member.len() + 16).sum(),
            Self::Hash(hash) => hash.iter().map(|(k, v)| k.len() + v.len() + 16).sum(),
            Self::Zset(zset) => zset.keys().map(|member| member.len() + 24).sum(),
            Self::Stream(stream) => stream.weight_bytes(),
        }
    }
}

/// Members in their order, with their scores.
pub(super) fn by_score(zset: &Zset) -> Vec<(Bytes, f64)> {
    let mut all: Vec<(Bytes, f64)> = zset.iter().map(|(k, score)| (k.clone(), *score)).collect();
    all.sort_by(|(k1, s1), (k2, s2)| s1.total_cmp(s2).then_with(|| k1.cmp(k2)));
    all
}

pub(super) fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}

impl Slot {
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.expiry.is_some_and(|at| at <= now_ms)
    }

    /// The string, if it is one.
    pub(super) fn text(&self) -> Option<&Bytes> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }
}

impl Data {
    pub(crate) fn new(databases: usize) -> Self {
        Self { dbs: vec![Rc::default(); databases], touched: Vec::new() }
    }

    /// What a key holds, also when its time has come and it was not yet deleted.
    pub(crate) fn slot(&self, db: usize, key: &[u8]) -> Option<&Slot> {
        self.dbs.get(db)?.get(key).map(|slot| &**slot)
    }

    /// A database, to be changed.
    fn db_mut(&mut self, db: usize) -> Option<&mut BTreeMap<Bytes, Rc<Slot>>> {
        self.dbs.get_mut(db).map(Rc::make_mut)
    }

    /// What a key holds.
    pub(crate) fn live(&self, db: usize, key: &[u8], now_ms: u64) -> Option<&Slot> {
        self.slot(db, key).filter(|slot| !slot.is_due(now_ms))
    }

    pub(crate) fn live_mut(&mut self, db: usize, key: &[u8], now_ms: u64) -> Option<&mut Slot> {
        self.touched.push(Touched::Key(db, key.into()));
        // Whoever only looks shares it still.
        self.live(db, key, now_ms)?;
        self.db_mut(db)?.get_mut(key).map(Rc::make_mut)
    }

    pub(crate) fn live_keys(&self, db: usize, now_ms: u64) -> BTreeSet<Bytes> {
        self.live_slots(db, now_ms).map(|(key, _)| key.clone()).collect()
    }

    pub(crate) fn live_slots(
        &self,
        db: usize,
        now_ms: u64,
    ) -> impl Iterator<Item = (&Bytes, &Slot)> {
        let slots = self.dbs.get(db).into_iter().flat_map(|slots| slots.iter());
        slots.map(|(key, slot)| (key, &**slot)).filter(move |(_, slot)| !slot.is_due(now_ms))
    }

    pub(crate) fn put(&mut self, db: usize, key: Bytes, slot: Slot) {
        self.touched.push(Touched::Key(db, key.clone()));
        if let Some(slots) = self.db_mut(db) {
            slots.insert(key, Rc::new(slot));
        }
    }

    pub(crate) fn set(&mut self, db: usize, key: Bytes, value: Value, expiry: Option<u64>) {
        self.put(db, key, Slot { value, expiry });
    }

    pub(crate) fn remove(&mut self, db: usize, key: &[u8]) -> Option<Slot> {
        self.touched.push(Touched::Key(db, key.into()));
        self.slot(db, key)?;
        self.db_mut(db)?.remove(key).map(Rc::unwrap_or_clone)
    }

    pub(crate) fn flush(&mut self, db: usize) {
        self.touched.push(Touched::All(db));
        if let Some(slots) = self.dbs.get_mut(db) {
            *slots = Rc::default();
        }
    }

    pub(crate) fn swap(&mut self, left: usize, right: usize) {
        self.touched.extend([Touched::All(left), Touched::All(right)]);
        self.dbs.swap(left, right);
    }

    /// Everything may have changed.
    pub(crate) fn touch_all(&mut self) {
        self.touched.extend((0..self.dbs.len()).map(Touched::All));
    }

    /// What may have changed since the last call, in order.
    pub(crate) fn take_touched(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.touched)
    }

    /// The same data, of which nothing is touched.
    pub(crate) fn untouched(&self) -> Self {
        Self { dbs: self.dbs.clone(), touched: Vec::new() }
    }

    /// Forgets the keys of a database whose time has come, but for the last `kept` of them.
    pub(crate) fn forget_due(&mut self, db: usize, now_ms: u64, kept: usize) {
        let Some(slots) = self.db_mut(db) else { return };
        let due = slots.iter().filter(|(_, slot)| slot.is_due(now_ms));
        let mut due: Vec<(Option<u64>, Bytes)> =
            due.map(|(key, slot)| (slot.expiry, key.clone())).collect();
        due.sort();
        due.truncate(due.len().saturating_sub(kept));
        for (_, key) in due {
            slots.remove(&key);
        }
    }

    /// Forgets what was touched since there were so many things on record, as nobody waits for it.
    pub(crate) fn forget_touched(&mut self, behind: usize) {
        self.touched.truncate(behind);
    }

    pub(crate) fn touched_count(&self) -> usize {
        self.touched.len()
    }

    pub(crate) fn databases(&self) -> usize {
        self.dbs.len()
    }

    /// Keys that were not deleted, and how many of them have an expiry.
    pub(crate) fn size(&self, db: usize) -> (usize, usize) {
        let Some(slots) = self.dbs.get(db) else { return (0, 0) };
        (slots.len(), slots.values().filter(|slot| slot.expiry.is_some()).count())
    }

    /// About the memory that a server needs for it, in bytes.
    pub(crate) fn weight_bytes(&self) -> u64 {
        let slots = self.dbs.iter().flat_map(|slots| slots.iter());
        slots.map(|(key, slot)| (key.len() + slot.value.weight_bytes() + 32) as u64).sum()
    }
}
