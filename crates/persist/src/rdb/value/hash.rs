//! Hashes.
//!
//! ```text
//! Hash                           count | name, value, ..
//! HashZipmap                     zipmap
//! HashZiplist                    ziplist of name, value, ..
//! HashListpack                   listpack of the same
//! HashExpiring                   time | count | number, name, value, ..
//! HashExpiringCandidate          count | number, name, value, ..
//! HashExpiringListpack           time | listpack of name, value, time, ..
//! HashExpiringListpackCandidate  listpack of the same
//! HashExpiringValkey             count | name, value, time, ..
//! ```
//!
//! The time in front is that of the first field to expire, or an earlier one. In [`HashExpiring`]
//! the number is 0 for a field that does not expire, else one more than what its time is behind the
//! time in front; the candidate has the time itself. In listpacks 0 means that a field does not
//! expire, in Valkey's form -1.
//!
//! [`HashExpiring`]: crate::rdb::ValueType::HashExpiring

use super::{Blob, Fault, Left, Reader, Writer};
use crate::rdb::zipped;
use core::mem;
use core::ops::Range;
use vesta_ds::Listpack;
use vesta_store::{Digits, Hash, Kind, Object, Rules};

/// The last time at which a field may expire, in milliseconds since 1970. Source: Redis 7.4 refuses
/// later ones.
const EXPIRY_MAX: u64 = (1 << 48) - 1;

/// What stands in front of the fields of a large hash.
pub(super) fn begin(hash: &Hash, writer: &mut Writer<'_>) {
    if let Some(first) = hash.due_bound() {
        writer.time(Some(first));
    }
    writer.count(hash.len());
}

/// Writes the fields of some buckets.
pub(super) fn write(hash: &Hash, buckets: Range<usize>, writer: &mut Writer<'_>) {
    let Some(first) = hash.due_bound() else {
        return hash.for_each_in(buckets, |field| {
            writer.text(field.name());
            writer.text(field.value());
        });
    };
    hash.for_each_in(buckets, |field| {
        let behind = |at: u64| at.checked_sub(first).expect("no field is due before the bound");
        writer.number(field.expiry().map_or(0, |at| behind(at).saturating_add(1)));
        writer.text(field.name());
        writer.text(field.value());
    });
}

pub(super) fn of_listpack(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    of_pairs(blob.listpack()?, blob, rules)
}

pub(super) fn of_ziplist(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    of_pairs(zipped::ziplist(blob)?, blob, rules)
}

pub(super) fn of_zipmap(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    of_pairs(zipped::zipmap(blob)?, blob, rules)
}

fn of_pairs(listpack: Listpack, blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    if listpack.is_empty() {
        return Err(blob.wrong(0, "a hash that is not empty"));
    }
    let hash = Hash::from_listpack(listpack);
    let mut hash = hash.ok_or_else(|| blob.wrong(0, "each field once, with a value"))?;
    hash.expect(hash.len(), rules);
    Ok(hash.into_object())
}

/// A hash of name, value, time, ..
pub(super) fn of_triples(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    let listpack = blob.listpack()?;
    let mut hash = Hash::empty();
    let (mut names, mut values) = (Digits::new(), Digits::new());
    let mut elements = listpack.iter();
    while let Some(name) = elements.next() {
        let (Some(value), Some(time)) = (elements.next(), elements.next()) else {
            return Err(blob.wrong(0, "a value and a time for each field"));
        };
        let time = time.int().and_then(|time| u64::try_from(time).ok());
        let Some(time) = time.filter(|time| *time <= EXPIRY_MAX) else {
            return Err(blob.wrong(0, "the time at which a field expires"));
        };
        let expiry = (time > 0).then_some(time);
        if !add(&mut hash, name.text(&mut names), value.text(&mut values), expiry, rules) {
            return Err(blob.wrong(0, "each field once"));
        }
    }
    if hash.is_empty() {
        return Err(blob.wrong(0, "a hash that is not empty"));
    }
    Ok(hash.into_object())
}

/// Adds a field; whether it is new.
fn add(hash: &mut Hash, name: &[u8], value: &[u8], expiry: Option<u64>, rules: &Rules) -> bool {
    let is_new = hash.set(name, value, rules);
    if is_new && expiry.is_some() {
        hash.set_expiry(name, expiry, rules);
    }
    is_new
}

pub(super) struct Decoder {
    times: Times,
    left: Left,
    hash: Hash,
}

/// How the times of the fields come.
#[derive(Clone, Copy)]
enum Times {
    /// There are none.
    Never,
    /// One in front of all that is still to come; the others count from it.
    RelativeToNext,
    /// The others count from this one.
    RelativeTo(u64),
    /// As they are, in front of each field.
    Absolute,
    /// As they are, in eight bytes behind each field.
    Behind,
    /// One in front of a listpack that has the others.
    InListpack,
}

impl Decoder {
    fn new(times: Times) -> Self {
        Self { times, left: Left::default(), hash: Hash::empty() }
    }

    pub(super) fn plain() -> Self {
        Self::new(Times::Never)
    }

    pub(super) fn relative() -> Self {
        Self::new(Times::RelativeToNext)
    }

    pub(super) fn absolute() -> Self {
        Self::new(Times::Absolute)
    }

    pub(super) fn valkey() -> Self {
        Self::new(Times::Behind)
    }

    pub(super) fn triples() -> Self {
        Self::new(Times::InListpack)
    }

    pub(super) fn step(
        &mut self,
        reader: &mut Reader<'_>,
        rules: &Rules,
    ) -> Result<Option<Object>, Fault> {
        match self.times {
            Times::RelativeToNext => {
                self.times = Times::RelativeTo(reader.time()?);
                return Ok(None);
            }
            Times::InListpack => {
                reader.time()?;
                return of_triples(&reader.blob()?, rules).map(Some);
            }
            Times::Never | Times::RelativeTo(_) | Times::Absolute | Times::Behind => {}
        }
        if let Some(count) = self.left.begin(reader)? {
            self.hash.expect(usize::try_from(count).unwrap_or(usize::MAX), rules);
            return Ok(None);
        }
        let place = reader.taken();
        let front = match self.times {
            Times::RelativeTo(_) | Times::Absolute => reader.number()?,
            Times::Never | Times::Behind | Times::RelativeToNext | Times::InListpack => 0,
        };
        let (name, value) = (reader.text()?, reader.text()?);
        let expiry = match self.times {
            Times::RelativeTo(first) if front > 0 => Some(first.saturating_add(front - 1)),
            Times::Behind => match i64::from_le_bytes(reader.array()?) {
                -1 => None,
                // What is no time is refused as one too late.
                time => Some(u64::try_from(time).unwrap_or(u64::MAX)),
            },
            Times::Absolute => (front > 0).then_some(front),
            Times::Never | Times::RelativeTo(_) | Times::RelativeToNext | Times::InListpack => None,
        };
        if expiry.is_some_and(|at| at > EXPIRY_MAX) {
            reader.rewind(place);
            return Err(reader.wrong("the time at which a field expires"));
        }
        let (mut names, mut values) = (Digits::new(), Digits::new());
        let (name, value) = (name.bytes(&mut names), value.bytes(&mut values));
        if !add(&mut self.hash, name, value, expiry, rules) {
            reader.rewind(place);
            return Err(reader.wrong("each field once"));
        }
        let is_last = self.left.end_one();
        Ok(is_last.then(|| mem::replace(&mut self.hash, Hash::empty()).into_object()))
    }
}
