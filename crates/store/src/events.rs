//! What the store tells about single keys while a command runs: keyspace events, and marks of
//! modification on watched keys, or on all while somebody follows them.
//!
//! Both come from the same place, [`crate::Keyspace::notify`], because Redis has them together:
//! a command that changes a key announces what it did, and whoever watches the key learns that it
//! is no longer what it was. What the store does by itself (expiry, eviction, a key that is new,
//! a key that was missed) joins the same record, so that its order is that of the happenings.
//!
//! While nobody wants either, telling costs one test of a mask.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use vesta_types::DbIndex;

/// What a keyspace event is about. Source of names and letters: the documentation of
/// `notify-keyspace-events`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Class {
    /// Commands of no type: DEL, EXPIRE, RENAME.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Hashes.
    Hash,
    /// Sorted sets.
    Zset,
    /// A key has expired.
    Expired,
    /// A key had to go because memory was needed.
    Evicted,
    /// Streams.
    Stream,
    /// A command that reads found no key.
    Missed,
    /// A key that was not there before.
    New,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 11] = [
        Self::Generic,
        Self::String,
        Self::List,
        Self::Set,
        Self::Hash,
        Self::Zset,
        Self::Expired,
        Self::Evicted,
        Self::Stream,
        Self::Missed,
        Self::New,
    ];

    /// Its letter in `notify-keyspace-events`.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Self::Generic => b'g',
            Self::String => b'$',
            Self::List => b'l',
            Self::Set => b's',
            Self::Hash => b'h',
            Self::Zset => b'z',
            Self::Expired => b'x',
            Self::Evicted => b'e',
            Self::Stream => b't',
            Self::Missed => b'm',
            Self::New => b'n',
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Classes(u16);

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        Self(classes.into_iter().fold(0, |set, class| set | class.bit()))
    }
}

/// Something that happened to a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyEvent {
    /// Where.
    pub db: DbIndex,
    /// What, in the word of Redis (`lpush`, `expired`).
    pub name: &'static str,
    /// The key.
    pub key: Box<[u8]>,
}

/// A modification of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Modified {
    /// Where.
    pub db: DbIndex,
    /// The key.
    pub key: Box<[u8]>,
    /// Whether the store did it by itself: the key expired or was evicted.
    pub by_store: bool,
}

/// A key in a database.
pub(crate) type Place = (DbIndex, Box<[u8]>);

/// Stands in the mask for marks of modification on watched keys.
const MARKS: u16 = 1 << 15;

/// Stands in the mask for marks of modification on all keys.
const ALL_MARKS: u16 = 1 << 14;

/// The record of what happened to keys.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    /// Bits of the classes whose events are wanted, [`MARKS`] while any key is watched, and
    /// [`ALL_MARKS`] while all are followed.
    wanted: u16,
    pub(crate) events: Vec<KeyEvent>,
    /// Watched keys, each with how often it is.
    watched: BTreeMap<Place, usize>,
    /// Keys that were modified: the watched ones, or all.
    pub(crate) modified: Vec<Modified>,
    /// All keys of a database may have been modified at once while all were followed.
    pub(crate) flooded: bool,
}

impl Notices {
    pub(crate) fn want(&mut self, classes: Classes) {
        self.wanted = classes.0 | self.wanted & (MARKS | ALL_MARKS);
    }

    /// Has modifications of all keys marked, or of the watched ones alone.
    pub(crate) fn follow_all(&mut self, all: bool) {
        self.wanted = self.wanted & !ALL_MARKS | if all { ALL_MARKS } else { 0 };
    }

    /// All keys of a database may have been modified.
    pub(crate) fn flood(&mut self) {
        self.flooded |= self.wanted & ALL_MARKS != 0;
    }

    pub(crate) fn watch(&mut self, place: Place) {
        *self.watched.entry(place).or_insert(0) += 1;
        self.wanted |= MARKS;
    }

    pub(crate) fn unwatch(&mut self, place: &Place) {
        if let Some(times) = self.watched.get_mut(place) {
            *times -= 1;
            if *times == 0 {
                self.watched.remove(place);
            }
        }
        if self.watched.is_empty() {
            self.wanted &= !MARKS;
        }
    }

    /// Whether anybody wants to know anything.
    #[inline]
    pub(crate) fn are_wanted(&self) -> bool {
        self.wanted != 0
    }

    /// A key was modified, which is an event.
    #[inline]
    pub(crate) fn changed(&mut self, db: DbIndex, class: Class, name: &'static str, key: &[u8]) {
        if self.wanted & (class.bit() | MARKS | ALL_MARKS) != 0 {
            self.note_changed(db, class, name, key);
        }
    }

    #[cold]
    fn note_changed(&mut self, db: DbIndex, class: Class, name: &'static str, key: &[u8]) {
        if self.wanted & (MARKS | ALL_MARKS) != 0 {
            let by_store = matches!(class, Class::Expired | Class::Evicted);
            self.note_modified((db, key.into()), by_store);
        }
        self.tell(db, class, name, key);
    }

    /// Something happened about a key that is no modification.
    #[inline]
    pub(crate) fn tell(&mut self, db: DbIndex, class: Class, name: &'static str, key: &[u8]) {
        if self.wanted & class.bit() != 0 {
            self.note_event(db, name, key);
        }
    }

    #[cold]
    fn note_event(&mut self, db: DbIndex, name: &'static str, key: &[u8]) {
        self.events.push(KeyEvent { db, name, key: key.into() });
    }

    /// A key was modified, which is no event.
    #[inline]
    pub(crate) fn mark(&mut self, db: DbIndex, key: &[u8]) {
        if self.wanted & (MARKS | ALL_MARKS) != 0 {
            self.note_modified((db, key.into()), false);
        }
    }

    #[cold]
    fn note_modified(&mut self, place: Place, by_store: bool) {
        if self.wanted & ALL_MARKS != 0 || self.watched.contains_key(&place) {
            let (db, key) = place;
            self.modified.push(Modified { db, key, by_store });
        }
    }

    /// The watched keys of a database.
    pub(crate) fn watched_of(&self, db: DbIndex) -> Vec<Box<[u8]>> {
        let all = self.watched.keys().filter(|(of, _)| *of == db);
        all.map(|(_, key)| key.clone()).collect()
    }
}
