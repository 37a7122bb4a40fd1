//! One database as one request sees it.

use crate::expiring::fields_due;
use crate::object::packed::{Unpacked, new_entry};
use crate::object::{Hash, Kind, Object, Rules};
use crate::snapshot::Change;
use crate::{Class, Db, Entry, NewValue, Store, Why};
use alloc::boxed::Box;
use alloc::vec::Vec;
use vesta_ds::{Lookup, Value};
use vesta_types::{DbIndex, Now, Unix};

/// A key that holds another type of value than the command works on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WrongType;

/// What becomes of a key's expiry when its value is set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deadline {
    /// It stays as it is.
    Keep,
    /// The key no longer expires.
    Never,
    /// The key expires at this time, in milliseconds since 1970.
    At(u64),
}

impl Deadline {
    /// The expiry of a key that was not there before.
    fn of_new(self) -> Option<u64> {
        match self {
            Self::Keep | Self::Never => None,
            Self::At(ms) => Some(ms),
        }
    }
}

/// Expired keys that one call of [`Keyspace::random_key`] draws before it searches in order.
const EXPIRED_DRAWS_MAX: usize = 100;

/// A view of one database for one request at one time.
#[derive(Debug)]
pub struct Keyspace<'a> {
    pub(crate) store: &'a mut Store,
    db: DbIndex,
    now: Unix,
    /// The time that decides what has expired.
    due: Unix,
    /// Whether reading leaves its mark on access clocks and hit counters.
    touch: bool,
    /// Whether looking at an expired key leaves it where it is.
    frozen: bool,
    /// A key whose hash was computed ahead.
    known: Option<(&'a [u8], u64)>,
}

impl<'a> Keyspace<'a> {
    /// A view of `db` at `now`.
    #[inline]
    pub fn new(store: &'a mut Store, db: DbIndex, now: Now) -> Self {
        let now = now.unix;
        Self { store, db, now, due: now, touch: true, frozen: false, known: None }
    }

    /// With the hash of `key` known; `key` must be the very slice that the command looks up.
    #[must_use]
    #[inline]
    pub fn knowing(self, key: &'a [u8], hash: u64) -> Self {
        Self { known: Some((key, hash)), ..self }
    }

    /// Without marks on access clocks (CLIENT NO-TOUCH).
    #[must_use]
    pub fn untouching(self, wanted: bool) -> Self {
        Self { touch: !wanted, ..self }
    }

    /// With expired keys, which nobody sees, left in place by commands that only look (CLIENT
    /// PAUSE). Commands that change a key still delete it first when it has expired.
    #[must_use]
    pub fn frozen(self, wanted: bool) -> Self {
        Self { frozen: wanted, ..self }
    }

    /// With nothing expired, whatever the clock says, and every time to live in the future: a log
    /// that is read again holds the deletions itself.
    #[must_use]
    pub fn replaying(self) -> Self {
        Self { due: Unix(0), ..self }
    }

    /// The same view of another database.
    #[must_use]
    pub fn of(&mut self, db: DbIndex) -> Keyspace<'_> {
        let Self { now, due, touch, frozen, .. } = *self;
        Keyspace { store: self.store, db, now, due, touch, frozen, known: None }
    }

    /// The database viewed.
    #[must_use]
    pub fn db_index(&self) -> DbIndex {
        self.db
    }

    /// What expires at this time, in milliseconds since 1970, or before has expired.
    #[must_use]
    #[inline]
    pub fn now_ms(&self) -> u64 {
        self.due.ms()
    }

    /// The store behind the view.
    #[must_use]
    pub fn store(&mut self) -> &mut Store {
        self.store
    }

    /// Keys in the database, those expired and not yet deleted included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.db(self.db).table.len()
    }

    /// Whether the database has no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks `key` up for a command that reads it: counts a hit or miss, marks the access.
    #[inline]
    pub fn read(&mut self, key: &[u8]) -> Option<&Entry> {
        self.find(key, self.touch, true).map(|(entry, _)| entry)
    }

    /// As [`Keyspace::read`], with what a packed value is unpacked into.
    #[inline]
    pub(crate) fn read_unpacked(&mut self, key: &[u8]) -> Option<(&Entry, &mut Unpacked)> {
        self.find(key, self.touch, true)
    }

    /// As [`Keyspace::read`], for a command that asks about the key and not for its value: the
    /// access is not marked.
    pub fn read_about(&mut self, key: &[u8]) -> Option<&Entry> {
        self.find(key, false, true).map(|(entry, _)| entry)
    }

    /// As [`Keyspace::read_about`], but a key that is not there makes no event (OBJECT).
    pub fn inspect(&mut self, key: &[u8]) -> Option<&Entry> {
        self.find(key, false, false).map(|(entry, _)| entry)
    }

    #[inline]
    fn find(&mut self, key: &[u8], touch: bool, tell: bool) -> Option<(&Entry, &mut Unpacked)> {
        let (now, due_ms) = (self.now, self.now_ms());
        let hash = self.hash(key);
        if self.frozen && self.hides(hash, key) {
            self.store.ledger.miss(self.db, key, tell);
            return None;
        }
        let Store { dbs, rng, access, ledger, trash, unpacked, .. } = &mut *self.store;
        let Db { table, expiring, progress } = dbs.get_mut(self.db.index())?;
        match table.find_live(hash, key, due_ms) {
            Lookup::Live(entry) => {
                ledger.stats.hits += 1;
                if touch {
                    let clock = access.touched(entry.clock(), now, rng);
                    entry.set_clock(clock);
                }
                Some((entry, unpacked))
            }
            Lookup::Expired(gone) => {
                ledger.discard(expiring, progress.as_ref(), gone, trash);
                ledger.note_deleted(self.db, key, Why::Expired);
                ledger.miss(self.db, key, tell);
                None
            }
            Lookup::Absent => {
                ledger.miss(self.db, key, tell);
                None
            }
        }
    }

    /// A command has modified `key`, which is the event `name`: for keyspace events, and for
    /// whoever watches the key. Costs one test while nobody wants to know.
    #[inline]
    pub fn notify(&mut self, class: Class, name: &'static str, key: &[u8]) {
        self.store.ledger.notices.changed(self.db, class, name, key);
    }

    /// As [`Keyspace::notify`], for a value that something was taken from: a key that went with
    /// its last element is the event `del` as well.
    #[inline]
    pub fn notify_taken(&mut self, class: Class, name: &'static str, key: &[u8]) {
        if self.store.ledger.notices.are_wanted() {
            self.notify(class, name, key);
            if self.beside(key).is_none() {
                self.notify(Class::Generic, "del", key);
            }
        }
    }

    /// As [`Keyspace::notify`], for an event that is no modification to those who watch the key.
    #[inline]
    pub fn tell(&mut self, class: Class, name: &'static str, key: &[u8]) {
        self.store.ledger.notices.tell(self.db, class, name, key);
    }

    /// As [`Keyspace::notify`], for a modification that is no event.
    #[inline]
    pub fn mark(&mut self, key: &[u8]) {
        self.store.ledger.notices.mark(self.db, key);
    }

    /// Looks `key` up without counting or marking anything.
    pub fn peek(&mut self, key: &[u8]) -> Option<&Entry> {
        self.peek_unpacked(key).map(|(entry, _)| entry)
    }

    /// As [`Keyspace::peek`], with what a packed value is unpacked into.
    pub(crate) fn peek_unpacked(&mut self, key: &[u8]) -> Option<(&Entry, &mut Unpacked)> {
        let hash = self.hash(key);
        if self.frozen && self.hides(hash, key) {
            return None;
        }
        self.expire_if_due(hash, key);
        let Store { dbs, unpacked, .. } = &mut *self.store;
        Some((dbs.get(self.db.index())?.table.find(hash, key)?, unpacked))
    }

    /// Looks `key` up for a command that changes it; marks the access and counts nothing.
    ///
    /// The entry must be changed through [`Keyspace::edit`]; this is for looking first.
    pub fn look(&mut self, key: &[u8]) -> Option<&Entry> {
        self.look_unpacked(key).map(|(entry, _)| entry)
    }

    /// As [`Keyspace::look`], with what a packed value is unpacked into.
    pub(crate) fn look_unpacked(&mut self, key: &[u8]) -> Option<(&Entry, &mut Unpacked)> {
        let (now, touch) = (self.now, self.touch);
        let hash = self.hash(key);
        // Split borrows: the entry lives in `dbs`, the clock's chance in `rng`.
        self.expire_if_due(hash, key);
        let Store { dbs, rng, access, unpacked, .. } = &mut *self.store;
        let entry = dbs.get_mut(self.db.index())?.table.find_mut(hash, key)?;
        if touch {
            entry.set_clock(access.touched(entry.clock(), now, rng));
        }
        Some((entry, unpacked))
    }

    /// Looks `key` up without counting, marking or deleting anything, so that several entries can
    /// be looked at side by side.
    #[must_use]
    pub fn beside(&self, key: &[u8]) -> Option<&Entry> {
        let entry = self.store.db(self.db).table.find(self.hash(key), key)?;
        (!entry.is_due(self.now_ms())).then_some(entry)
    }

    /// Whether `key` is there. Counts and marks nothing.
    pub fn contains(&mut self, key: &[u8]) -> bool {
        self.peek(key).is_some()
    }

    /// Changes the entry at `key` in place; `None` when there is none. The accounts follow.
    #[inline]
    pub fn edit<R>(&mut self, key: &[u8], change: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        self.edit_by_rules(key, |entry, _, _| change(entry))
    }

    /// As [`Keyspace::edit`], with what objects need to know when they are changed, and what packed
    /// ones are unpacked into.
    #[inline]
    pub(crate) fn edit_by_rules<R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut Entry, &Rules, &mut Unpacked) -> R,
    ) -> Option<R> {
        let (now, due_ms, hash) = (self.now, self.now_ms(), self.hash(key));
        let Store { dbs, rng, access, ledger, trash, rules, unpacked, .. } = &mut *self.store;
        let db = dbs.get_mut(self.db.index())?;
        match db.table.find_live(hash, key, due_ms) {
            Lookup::Live(entry) => {
                let (bytes, before) = (entry.alloc_bytes(), entry.expiry());
                let fields_before = fields_due(entry);
                ledger.snapshot.note(db.progress.as_ref(), entry, Change::Stays);
                ledger.touch(self.db, key);
                let outcome = change(entry, rules, unpacked);
                if self.touch {
                    entry.set_clock(access.touched(entry.clock(), now, rng));
                }
                let (after, fields_after) = (entry.expiry(), fields_due(entry));
                ledger.entry_bytes = ledger.entry_bytes - bytes + entry.alloc_bytes();
                note_expiry(db, hash, before, after);
                if fields_before != fields_after {
                    db.expiring.set_hash(hash, key, fields_after);
                }
                Some(outcome)
            }
            Lookup::Expired(gone) => {
                ledger.discard(&mut db.expiring, db.progress.as_ref(), gone, trash);
                ledger.note_deleted(self.db, key, Why::Expired);
                None
            }
            Lookup::Absent => None,
        }
    }

    /// Sets `key` to a string, whatever it held.
    #[inline]
    pub fn set(&mut self, key: &[u8], value: NewValue<'_>, deadline: Deadline) {
        let (now, due_ms, hash) = (self.now, self.now_ms(), self.hash(key));
        let Store { dbs, access, ledger, trash, .. } = &mut *self.store;
        let Some(db) = dbs.get_mut(self.db.index()) else { return };
        match db.table.find_live(hash, key, due_ms) {
            Lookup::Live(entry) => {
                let (bytes, before) = (entry.alloc_bytes(), entry.expiry());
                let after = match deadline {
                    Deadline::Keep => before,
                    Deadline::Never => None,
                    Deadline::At(ms) => Some(ms),
                };
                let expires_fields = fields_due(entry).is_some();
                ledger.note_replaced(db.progress.as_ref(), entry);
                let object = entry.take_object();
                ledger.touch(self.db, key);
                entry.set(value, after);
                entry.set_clock(access.fresh(now));
                ledger.entry_bytes = ledger.entry_bytes - bytes + entry.alloc_bytes();
                note_expiry(db, hash, before, after);
                if expires_fields {
                    db.expiring.set_hash(hash, key, None);
                }
                if let Some(object) = object {
                    trash.throw_object(object, ledger);
                }
            }
            Lookup::Expired(gone) => {
                ledger.discard(&mut db.expiring, db.progress.as_ref(), gone, trash);
                ledger.note_deleted(self.db, key, Why::Expired);
                self.insert(hash, key, value, deadline);
            }
            Lookup::Absent => self.insert(hash, key, value, deadline),
        }
    }

    /// Sets the expiry of `key` (`None`: it no longer expires); whether the key is there.
    pub fn set_expiry(&mut self, key: &[u8], expiry: Option<u64>) -> bool {
        self.edit(key, |entry| entry.set_expiry(expiry)).is_some()
    }

    /// Deletes those of the `names` in the hash at `key` whose time has come, so that a command
    /// that asks for them or changes them finds none. Costs next to nothing where no field expires.
    pub fn expire_fields<'n>(&mut self, key: &[u8], names: impl Iterator<Item = &'n [u8]>) {
        if self.frozen || self.store.db(self.db).expiring.hashes() == 0 {
            return;
        }
        let (now_ms, hash) = (self.now_ms(), self.hash(key));
        if !self.store.db(self.db).expiring.may_be_due(hash, key, now_ms) {
            return;
        }
        let (mut gone, mut is_spent) = (Vec::new(), false);
        self.edit_by_rules(key, |entry, _, _| {
            if let Some(fields) = entry.object_mut().and_then(Hash::of_mut) {
                gone.extend(names.filter_map(|name| fields.take_if_due(name, now_ms)));
                is_spent = fields.is_empty();
            }
        });
        self.store.ledger.note_fields_expired(self.db, key, gone);
        if is_spent {
            self.delete(key);
            self.notify(Class::Generic, "del", key);
        }
    }

    /// Takes the entry of `key` out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let hash = self.hash(key);
        self.expire_if_due(hash, key);
        let Store { dbs, ledger, .. } = &mut *self.store;
        let db = dbs.get_mut(self.db.index())?;
        let mut entry = db.table.remove(hash, key)?;
        ledger.forget(&mut db.expiring, db.progress.as_ref(), &mut entry);
        ledger.touch(self.db, key);
        Some(entry)
    }

    /// Deletes `key`; whether it was there. A large value is freed later, in slices.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let hash = self.hash(key);
        self.expire_if_due(hash, key);
        let Store { dbs, trash, ledger, .. } = &mut *self.store;
        let Some(db) = dbs.get_mut(self.db.index()) else { return false };
        let Some(entry) = db.table.remove(hash, key) else { return false };
        ledger.discard(&mut db.expiring, db.progress.as_ref(), entry, trash);
        ledger.touch(self.db, key);
        true
    }

    /// Puts `entry` in under its own key, in place of what was there.
    pub fn put(&mut self, entry: Entry) {
        let hash = self.store.hash(entry.key());
        let Store { dbs, ledger, trash, .. } = &mut *self.store;
        let Some(db) = dbs.get_mut(self.db.index()) else { return };
        if let Some(old) = db.table.remove(hash, entry.key()) {
            ledger.discard(&mut db.expiring, db.progress.as_ref(), old, trash);
        }
        ledger.notices.tell(self.db, Class::New, "new", entry.key());
        self.insert_entry(hash, entry);
    }

    /// A new entry called `name` with the value and expiry of the one at `key`, which counts as
    /// read. A long string is shared between the two until one of them is changed; an object is
    /// copied.
    pub fn duplicate(&mut self, key: &[u8], name: &[u8]) -> Option<Entry> {
        let clock = self.store.access.fresh(self.now);
        let entry = self.read(key)?;
        Some(match entry.value() {
            Value::String(string) => {
                let mut twin = Entry::new(name, string.to_new(), entry.expiry(), clock);
                twin.set_raw(entry.is_raw());
                twin
            }
            Value::Object(object) => {
                Entry::with_object(name, Box::new(object.clone()), entry.expiry(), clock)
            }
            Value::Packed(packed) => Entry::with_packed(name, packed, entry.expiry(), clock),
        })
    }

    /// Visits the bucket at `cursor` and gives the next cursor, 0 at the end. Entries found
    /// expired are not shown but deleted.
    ///
    /// What is there from the first call to the last is visited at least once.
    pub fn scan(&mut self, cursor: u64, mut each: impl FnMut(&Entry)) -> u64 {
        let (now, frozen) = (self.now_ms(), self.frozen);
        let mut due: Vec<Box<[u8]>> = Vec::new();
        let next = self.store.db(self.db).table.scan(cursor, |entry| {
            if !entry.is_due(now) {
                each(entry);
            } else if !frozen {
                due.push(entry.key().into());
            }
        });
        for key in due {
            self.expire_if_due(self.store.hash(&key), &key);
        }
        next
    }

    /// All entries that have not expired, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        let now = self.now_ms();
        self.store.db(self.db).table.iter().filter(move |entry| !entry.is_due(now))
    }

    /// Shows `found` a key drawn fairly among those that have not expired.
    ///
    /// Expired ones found on the way are deleted; after `EXPIRED_DRAWS_MAX` of them in a row the
    /// database is searched in order.
    pub fn random_key<R>(&mut self, found: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let now = self.now_ms();
        for _ in 0..EXPIRED_DRAWS_MAX {
            let Store { dbs, rng, .. } = &mut *self.store;
            let entry = dbs.get(self.db.index())?.table.random(&mut || rng.bits())?;
            if !entry.is_due(now) {
                return Some(found(entry.key()));
            }
            if !self.frozen {
                let key: Box<[u8]> = entry.key().into();
                self.expire_if_due(self.store.hash(&key), &key);
            }
        }
        self.iter().next().map(|entry| found(entry.key()))
    }

    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        match self.known {
            Some((known, hash)) if core::ptr::eq(known, key) => hash,
            _ => self.store.hash(key),
        }
    }

    /// Whether `key` is there but has expired.
    #[cold]
    fn hides(&mut self, hash: u64, key: &[u8]) -> bool {
        let now = self.now_ms();
        let table = self.store.dbs.get_mut(self.db.index()).map(|db| &mut db.table);
        let entry = table.and_then(|table| table.find_mut(hash, key));
        entry.is_some_and(|entry| entry.is_due(now))
    }

    /// Deletes `key` if its time has come.
    fn expire_if_due(&mut self, hash: u64, key: &[u8]) {
        let now = self.now_ms();
        let Store { dbs, ledger, trash, .. } = &mut *self.store;
        let Some(db) = dbs.get_mut(self.db.index()) else { return };
        if db.expiring.keys == 0 {
            return;
        }
        if let Lookup::Expired(gone) = db.table.find_live(hash, key, now) {
            ledger.discard(&mut db.expiring, db.progress.as_ref(), gone, trash);
            ledger.note_deleted(self.db, key, Why::Expired);
        }
    }

    fn insert(&mut self, hash: u64, key: &[u8], value: NewValue<'_>, deadline: Deadline) {
        let clock = self.store.access.fresh(self.now);
        self.tell(Class::New, "new", key);
        self.insert_entry(hash, Entry::new(key, value, deadline.of_new(), clock));
    }

    /// Makes `key`, which must not be there, with an object.
    pub(crate) fn add_object(&mut self, key: &[u8], object: Object, deadline: Deadline) {
        self.tell(Class::New, "new", key);
        self.put_object(key, object, deadline);
    }

    /// As [`Keyspace::add_object`], for a key that was there until a moment ago.
    pub(crate) fn put_object(&mut self, key: &[u8], object: Object, deadline: Deadline) {
        let (hash, clock) = (self.hash(key), self.store.access.fresh(self.now));
        let entry = new_entry(key, object, deadline.of_new(), clock);
        self.insert_entry(hash, entry);
    }

    fn insert_entry(&mut self, hash: u64, mut entry: Entry) {
        let Store { dbs, ledger, .. } = &mut *self.store;
        let Some(db) = dbs.get_mut(self.db.index()) else { return };
        ledger.touch(self.db, entry.key());
        ledger.learn(&mut db.expiring, db.progress.as_ref(), hash, &mut entry);
        db.table.insert_new(hash, entry);
    }
}

/// Follows a change of expiry in the counts and in the table's hints.
#[inline]
fn note_expiry(db: &mut Db, hash: u64, before: Option<u64>, after: Option<u64>) {
    if before == after {
        return;
    }
    let keys = &mut db.expiring.keys;
    *keys = *keys - usize::from(before.is_some()) + usize::from(after.is_some());
    if let Some(due) = after {
        db.table.note_due(hash, due);
    }
}
