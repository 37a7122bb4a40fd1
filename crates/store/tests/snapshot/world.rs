//! A store to which anything may happen while a snapshot of it is taken, and what the snapshot
//! should give.

use proptest::prelude::*;
use vesta_store::object::{End, FieldExpiry, List};
use vesta_store::stream::StreamId;
use vesta_store::{
    Access, Candidates, Deadline, Element, Entry, Evict, Hash, Keeper, Keyspace, Kind, NewValue,
    Object, Rules, Set, SnapshotPhase, Store, Stream, Value, Victims, Zset,
};
use vesta_types::{DbIndex, Mono, Now, Unix};

const DBS: u32 = 3;
/// Names of keys; few, so that operations meet.
pub(crate) const KEYS: u16 = 400;

/// A keeper that writes one line for each entry.
#[derive(Debug)]
pub(crate) struct Lines {
    lines: Vec<u8>,
    /// Entries of so many bytes are given in pieces.
    large_bytes: usize,
    open: Option<Open>,
}

/// An entry of which a part was given.
#[derive(Debug)]
struct Open {
    line: String,
    /// What is left of it, in strings.
    left: usize,
}

impl Lines {
    pub(crate) fn new(large_bytes: usize) -> Self {
        Self { lines: Vec::new(), large_bytes, open: None }
    }

    fn write(&mut self, line: &str) {
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
    }
}

impl Keeper for Lines {
    fn keep(&mut self, db: DbIndex, entry: &Entry) {
        let line = line(db, entry);
        assert!(self.open.as_ref().is_none_or(|open| open.line != line), "it is open");
        self.write(&line);
    }

    fn is_large(&self, entry: &Entry) -> bool {
        entry.alloc_bytes() >= self.large_bytes
    }

    fn keep_some(&mut self, db: DbIndex, entry: &Entry, budget: usize) -> bool {
        let line = line(db, entry);
        let first = || Open { left: 1 + line.len() / 40, line: line.clone() };
        let mut open = self.open.take().unwrap_or_else(first);
        assert_eq!(line, open.line, "one at a time, and unchanged");
        open.left = open.left.saturating_sub(budget);
        if open.left == 0 {
            self.write(&line);
            return true;
        }
        self.open = Some(open);
        false
    }

    fn drain(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }
}

/// All of an entry but its access clock.
fn line(db: DbIndex, entry: &Entry) -> String {
    let value = match entry.value() {
        Value::String(string) => format!("{:?} {string:?}", entry.blob()),
        Value::Packed(packed) => format!("packed {packed:?}"),
        Value::Object(Object::Hash(hash)) => {
            let fields = hash.iter(0).map(|(name, value)| match name {
                Element::Bytes(text) => (name, value, hash.expiry(text)),
                Element::Int(_) => (name, value, FieldExpiry::Never),
            });
            format!("{:?}", fields.collect::<Vec<_>>())
        }
        Value::Object(Object::List(list)) => {
            let mut elements = Vec::new();
            list.for_each(0..list.len(), |element| elements.push(format!("{element:?}")));
            format!("{elements:?}")
        }
        Value::Object(Object::Set(set)) => format!("{:?}", set.iter().collect::<Vec<_>>()),
        Value::Object(Object::Zset(zset)) => format!("{:?}", zset.iter().collect::<Vec<_>>()),
        Value::Object(Object::Stream(stream)) => {
            let log = stream.log();
            format!("{:?} {:?}", log.counters(), log.nodes().collect::<Vec<_>>())
        }
    };
    let (key, expiry) = (entry.key().escape_ascii(), entry.expiry());
    format!("{} {key} {expiry:?} {} {value}", db.get(), entry.is_raw())
}

pub(crate) fn db(number: u8) -> DbIndex {
    DbIndex::new(u64::from(number) % u64::from(DBS), DBS).expect("below the count")
}

pub(crate) fn key(number: u16) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

/// Shows all entries of the store, with what has expired.
fn for_each(store: &mut Store, mut each: impl FnMut(DbIndex, &Entry)) {
    for index in store.indexes() {
        let keys = Keyspace::new(store, index, Now { mono: Mono(0), unix: Unix(0) });
        keys.iter().for_each(|entry| each(index, entry));
    }
}

fn image(store: &mut Store) -> Vec<String> {
    let mut lines = Vec::new();
    for_each(store, |db, entry| lines.push(line(db, entry)));
    lines.sort_unstable();
    lines
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Type {
    Hash,
    List,
    Set,
    Stream,
    Zset,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Set(u16, Vec<u8>, Option<u16>),
    SetKeeping(u16, i64),
    SetMany(u16, u16),
    Append(u16, usize),
    SetRaw(u16),
    SetObject(u16, Type, u8),
    Add(Type, u16, u8),
    /// As many elements as take the value out of its small encoding.
    AddMany(Type, u16),
    Take(Type, u16, u8),
    TakeUnnoticed(u16, u8),
    Remove(u16),
    RemoveMany(u16, u16),
    Rename(u16, u16),
    Copy(u16, u8, u16),
    Move(u16, u8),
    SetExpiry(u16, Option<u16>),
    SetFieldExpiry(u16, u8, u16),
    ExpireFields(u16, u8),
    Wait(u16),
    Look(u16),
    ExpireSome(usize),
    Evict(bool, Evict),
    Flush(bool),
    Swap(u8, u8),
    Scan(u64),
    RandomKey,
    Reap(usize),
    /// The operations after this one are on another database.
    Select(u8),
    Begin,
    Step(usize),
    Abort,
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS;
    let member = || 0..20u8;
    let kind = || {
        prop_oneof![
            2 => Just(Type::Hash), 1 => Just(Type::List), 1 => Just(Type::Set),
            1 => Just(Type::Stream), 1 => Just(Type::Zset)
        ]
    };
    let text = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(any::<u8>(), 1000..1010),
    ];
    let evict = prop_oneof![
        Just(Evict::LeastRecent),
        Just(Evict::LeastFrequent),
        Just(Evict::Soonest),
        Just(Evict::Random)
    ];
    let values = prop_oneof![
        3 => (key(), text, any::<Option<u16>>()).prop_map(|(k, t, ms)| Op::Set(k, t, ms)),
        1 => (key(), any::<i64>()).prop_map(|(k, n)| Op::SetKeeping(k, n)),
        2 => (key(), 0..KEYS).prop_map(|(k, n)| Op::SetMany(k, n)),
        2 => (key(), 0..600usize).prop_map(|(k, n)| Op::Append(k, n)),
        1 => key().prop_map(Op::SetRaw),
        1 => (key(), kind(), member()).prop_map(|(k, t, m)| Op::SetObject(k, t, m)),
        4 => (kind(), key(), member()).prop_map(|(t, k, m)| Op::Add(t, k, m)),
        2 => (kind(), key()).prop_map(|(t, k)| Op::AddMany(t, k)),
        2 => (kind(), key(), member()).prop_map(|(t, k, m)| Op::Take(t, k, m)),
        1 => (key(), member()).prop_map(|(k, m)| Op::TakeUnnoticed(k, m)),
    ];
    let keys = prop_oneof![
        3 => key().prop_map(Op::Remove),
        2 => (key(), 0..KEYS).prop_map(|(k, n)| Op::RemoveMany(k, n)),
        2 => (key(), key()).prop_map(|(from, to)| Op::Rename(from, to)),
        2 => (key(), 0..3u8, key()).prop_map(|(from, db, to)| Op::Copy(from, db, to)),
        2 => (key(), 0..3u8).prop_map(|(k, db)| Op::Move(k, db)),
        2 => (key(), any::<Option<u16>>()).prop_map(|(k, ms)| Op::SetExpiry(k, ms)),
        2 => (key(), member(), any::<u16>()).prop_map(|(k, m, ms)| Op::SetFieldExpiry(k, m, ms)),
        1 => (key(), member()).prop_map(|(k, m)| Op::ExpireFields(k, m)),
        2 => (0..8000u16).prop_map(Op::Wait),
        2 => key().prop_map(Op::Look),
        2 => (1..100usize).prop_map(Op::ExpireSome),
        2 => (any::<bool>(), evict).prop_map(|(all, how)| Op::Evict(all, how)),
        1 => any::<bool>().prop_map(Op::Flush),
        1 => (0..3u8, 0..3u8).prop_map(|(a, b)| Op::Swap(a, b)),
        1 => (0..200u64).prop_map(Op::Scan),
        1 => Just(Op::RandomKey),
        1 => (1..100usize).prop_map(Op::Reap),
        3 => (0..3u8).prop_map(Op::Select),
    ];
    let snapshot = prop_oneof![
        3 => Just(Op::Begin),
        40 => (1..12usize).prop_map(Op::Step),
        1 => Just(Op::Abort),
    ];
    prop_oneof![3 => values, 3 => keys, 2 => snapshot]
}

/// A store under test, and what the snapshot under way should give.
pub(crate) struct World {
    pub(crate) store: Store,
    db: DbIndex,
    now_ms: u64,
    /// The image of the store when the snapshot began.
    expected: Vec<String>,
    /// The keeper's lines so far.
    given: Vec<u8>,
    /// Snapshots that came to their end and were right.
    pub(crate) finished: usize,
    /// Entries of so many bytes are given in pieces.
    large_bytes: usize,
    candidates: Candidates,
}

impl World {
    pub(crate) fn new(large_bytes: usize) -> Self {
        Self {
            store: Store::new(DBS, Access::default(), 1),
            db: DbIndex::ZERO,
            now_ms: 1_000_000,
            expected: Vec::new(),
            given: Vec::new(),
            finished: 0,
            large_bytes,
            candidates: Candidates::default(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: Mono(0), unix: Unix(self.now_ms * 1000) }
    }

    pub(crate) fn keys(&mut self) -> Keyspace<'_> {
        let (db, now) = (self.db, self.now());
        Keyspace::new(&mut self.store, db, now)
    }

    pub(crate) fn begin(&mut self) {
        self.check_idle();
        self.expected = image(&mut self.store);
        self.given.clear();
        self.store.begin_snapshot(Box::new(Lines::new(self.large_bytes)));
    }

    pub(crate) fn step(&mut self, buckets: usize) {
        let phase = self.store.snapshot_phase();
        let is_walked = self.store.snapshot_step(buckets);
        if let Some(keeper) = self.store.keeper() {
            self.given.extend(keeper.drain());
        }
        match (phase, is_walked) {
            (SnapshotPhase::Running, true) => self.end(),
            (SnapshotPhase::Idle, is_walked) => assert!(is_walked, "nothing is under way"),
            (SnapshotPhase::Clearing, true) => self.check_idle(),
            (SnapshotPhase::Running | SnapshotPhase::Clearing, false) => {}
        }
    }

    fn end(&mut self) {
        self.store.end_snapshot();
        let given = std::str::from_utf8(&self.given).expect("lines are ASCII");
        let mut given: Vec<&str> = given.lines().collect();
        given.sort_unstable();
        let expected: Vec<&str> = self.expected.iter().map(String::as_str).collect();
        for pair in given.iter().zip(&expected) {
            assert_eq!(pair.0, pair.1, "the first that differs");
        }
        assert_eq!(given.len(), expected.len());
        self.finished += 1;
        self.check_idle();
    }

    /// Nothing is left of a snapshot.
    fn check_idle(&mut self) {
        assert_eq!(self.store.snapshot_phase(), SnapshotPhase::Idle);
        for_each(&mut self.store, |_, entry| assert!(!entry.is_marked(), "a mark is left"));
    }

    /// Steps until no snapshot is under way.
    pub(crate) fn finish(&mut self) {
        while self.store.snapshot_phase() != SnapshotPhase::Idle {
            self.step(3);
        }
    }

    pub(crate) fn set(&mut self, number: u16, value: &[u8], expiry_ms: Option<u16>) {
        let now_ms = self.now_ms;
        let at = expiry_ms.map(|ms| Deadline::At(now_ms + 1 + u64::from(ms)));
        let deadline = at.unwrap_or(Deadline::Never);
        self.keys().set(&key(number), NewValue::Bytes(value), deadline);
    }

    pub(crate) fn apply(&mut self, op: Op) {
        let now_ms = self.now_ms;
        match op {
            Op::Set(k, value, ms) => self.set(k, &value, ms),
            Op::SetKeeping(k, number) => {
                self.keys().set(&key(k), NewValue::Int(number), Deadline::Keep);
            }
            Op::SetMany(from, count) => {
                (from..from + count).for_each(|k| self.set(k % KEYS, b"one of many", None));
            }
            Op::Append(k, len) => {
                let append = |entry: &mut Entry| entry.append(&vec![b'+'; len]);
                let _ = self.keys().edit_string(&key(k), append);
            }
            Op::SetRaw(k) => drop(self.keys().edit(&key(k), |entry| entry.set_raw(true))),
            Op::SetObject(k, kind, member) => {
                let rules = self.store.rules().clone();
                let object = match kind {
                    Type::Hash => made(|hash| put_field(hash, member, &rules)),
                    Type::List => made(|list| push(list, member, &rules)),
                    Type::Set => made(|set| insert(set, member, &rules)),
                    Type::Stream => made(|stream| log(stream, &rules)),
                    Type::Zset => made(|zset| score(zset, member, &rules)),
                };
                self.keys().set_object(&key(k), object, Deadline::Keep);
            }
            Op::Add(kind, k, member) => self.add(kind, k, member..member + 1),
            Op::AddMany(kind, k) => self.add(kind, k, 0..140),
            Op::Take(kind, k, member) => self.take(kind, k, member),
            Op::TakeUnnoticed(k, member) => {
                let take = |hash: &mut Hash, _: &Rules| hash.remove(&name(member));
                let _ = self.keys().edit_unnoticed_as(&key(k), take);
            }
            Op::Remove(k) => drop(self.keys().delete(&key(k))),
            Op::RemoveMany(from, count) => (from..from + count).for_each(|k| {
                self.keys().delete(&key(k % KEYS));
            }),
            Op::Rename(from, to) => {
                if let Some(mut entry) = self.keys().remove(&key(from)) {
                    assert!(!entry.is_marked(), "no entry outside a table is marked");
                    entry.rename(&key(to));
                    self.keys().put(entry);
                }
            }
            Op::Copy(from, to_db, to) => {
                let mut keys = self.keys();
                if let Some(twin) = keys.duplicate(&key(from), &key(to)) {
                    keys.of(db(to_db)).put(twin);
                }
            }
            Op::Move(k, to_db) => {
                let mut keys = self.keys();
                if let Some(entry) = keys.remove(&key(k)) {
                    assert!(!entry.is_marked(), "no entry outside a table is marked");
                    keys.of(db(to_db)).put(entry);
                }
            }
            Op::SetExpiry(k, ms) => {
                let expiry = ms.map(|ms| now_ms + 1 + u64::from(ms));
                self.keys().set_expiry(&key(k), expiry);
            }
            Op::SetFieldExpiry(k, member, ms) => {
                let at = Some(now_ms + 1 + u64::from(ms));
                let expire =
                    |hash: &mut Hash, rules: &Rules| hash.set_expiry(&name(member), at, rules);
                let _ = self.keys().edit_as(&key(k), expire);
            }
            Op::ExpireFields(k, member) => {
                self.keys().expire_fields(&key(k), [name(member).as_slice()].into_iter());
            }
            Op::Wait(ms) => self.now_ms += u64::from(ms),
            Op::Look(k) => drop(self.keys().read(&key(k))),
            Op::ExpireSome(visits) => drop(self.store.expire_some(self.now().unix, visits)),
            Op::Evict(all, how) => {
                let victims = if all { Victims::All } else { Victims::Expiring };
                let now = self.now().unix;
                self.store.evict_one(how, victims, 5, now, &mut self.candidates);
            }
            Op::Flush(lazily) => drop(self.store.flush(self.db, lazily)),
            Op::Swap(left, right) => {
                let now = self.now().unix;
                self.store.swap(db(left), db(right), now);
            }
            Op::Scan(cursor) => drop(self.keys().scan(cursor, |_| ())),
            Op::RandomKey => drop(self.keys().random_key(|_| ())),
            Op::Reap(items) => drop(self.store.reap(items)),
            Op::Select(number) => self.db = db(number),
            Op::Begin if self.store.snapshot_phase() == SnapshotPhase::Idle => self.begin(),
            Op::Begin => {}
            Op::Step(buckets) => self.step(buckets),
            Op::Abort => {
                self.store.abort_snapshot();
                assert_ne!(self.store.snapshot_phase(), SnapshotPhase::Running);
            }
        }
    }

    fn add(&mut self, kind: Type, k: u16, members: std::ops::Range<u8>) {
        let (k, mut keys) = (key(k), self.keys());
        let _ = match kind {
            Type::Hash => keys.upsert_as(&k, |hash, rules| {
                members.for_each(|member| put_field(hash, member, rules));
            }),
            Type::List => keys.upsert_as(&k, |list, rules| {
                members.for_each(|member| push(list, member, rules));
            }),
            Type::Set => keys.upsert_as(&k, |set, rules| {
                members.for_each(|member| insert(set, member, rules));
            }),
            Type::Stream => keys.upsert_as(&k, |stream, rules| {
                members.for_each(|_| log(stream, rules));
            }),
            Type::Zset => keys.upsert_as(&k, |zset, rules| {
                members.for_each(|member| score(zset, member, rules));
            }),
        };
    }

    fn take(&mut self, kind: Type, k: u16, member: u8) {
        let (k, name, mut keys) = (key(k), name(member), self.keys());
        let _ = match kind {
            Type::Hash => keys.edit_as(&k, |hash: &mut Hash, _| hash.remove(&name)),
            Type::List => keys.edit_as(&k, |list: &mut List, rules| list.pop(End::Front, rules)),
            Type::Set => keys.edit_as(&k, |set: &mut Set, _| set.remove(name.as_slice())),
            Type::Stream => keys.edit_as(&k, |stream: &mut Stream, _| {
                let first = stream.log().first_id();
                stream.log_mut().delete(first)
            }),
            Type::Zset => keys.edit_as(&k, |zset: &mut Zset, _| zset.remove(&name)),
        };
    }

    /// The accounts are even when nothing waits to be freed.
    pub(crate) fn check_accounts(&mut self) {
        while self.store.reap(1000) {}
        let mut bytes = 0;
        for_each(&mut self.store, |_, entry| bytes += entry.alloc_bytes());
        assert_eq!(self.store.bytes() - self.store.overhead_bytes(), bytes);
    }
}

fn name(member: u8) -> Vec<u8> {
    format!("member:{member}").into_bytes()
}

fn made<T: Kind>(fill: impl FnOnce(&mut T)) -> Object {
    let mut value = T::empty();
    fill(&mut value);
    value.into_object()
}

fn put_field(hash: &mut Hash, member: u8, rules: &Rules) {
    hash.set(&name(member), b"value of a field", rules);
}

fn push(list: &mut List, member: u8, rules: &Rules) {
    list.push(End::Back, &name(member), rules);
}

fn insert(set: &mut Set, member: u8, rules: &Rules) {
    set.insert(name(member).as_slice(), rules);
}

fn log(stream: &mut Stream, rules: &Rules) {
    let id: StreamId = stream.log().next_id(7).expect("ids are not at their end");
    let fields = [(b"field".as_slice(), b"value".as_slice())];
    stream.log_mut().append(id, fields.into_iter(), rules.stream_node()).expect("it fits");
}

fn score(zset: &mut Zset, member: u8, rules: &Rules) {
    zset.insert(&name(member), f64::from(member), rules);
}
