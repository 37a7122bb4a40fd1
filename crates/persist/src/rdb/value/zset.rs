//! Sorted sets.
//!
//! ```text
//! Zset          count | member, score in decimal, ..
//! Zset2         count | member, score in eight bytes, ..      the highest score first
//! ZsetZiplist   ziplist of member, score, ..                  the lowest score first
//! ZsetListpack  listpack of the same
//! ```

use super::{Blob, Fault, Left, Reader, Writer};
use crate::rdb::zipped;
use core::mem;
use core::ops::Range;
use vesta_ds::Listpack;
use vesta_store::{Digits, Kind, Object, Placed, Rules, Zset};

/// Writes the members of a large set that have these places, counted from the highest score.
pub(super) fn write(zset: &Zset, places: Range<usize>, writer: &mut Writer<'_>) {
    let rank = |place: usize| zset.len().saturating_sub(place);
    // The order of Redis, which inserts each at the head of its list when it loads.
    for (member, score) in zset.walk(rank(places.end)..rank(places.start)).rev() {
        writer.element(member);
        writer.double(score);
    }
}

pub(super) fn of_listpack(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    of_pairs(blob.listpack()?, blob, rules)
}

pub(super) fn of_ziplist(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    of_pairs(zipped::ziplist(blob)?, blob, rules)
}

fn of_pairs(listpack: Listpack, blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    if listpack.is_empty() {
        return Err(blob.wrong(0, "a sorted set that is not empty"));
    }
    let zset = Zset::from_listpack(listpack);
    let mut zset = zset.ok_or_else(|| blob.wrong(0, "each member once, in order of scores"))?;
    zset.expect(zset.len(), 0, rules);
    Ok(zset.into_object())
}

pub(super) struct Decoder {
    is_binary: bool,
    left: Left,
    zset: Zset,
}

impl Decoder {
    pub(super) fn decimal() -> Self {
        Self { is_binary: false, left: Left::default(), zset: Zset::empty() }
    }

    pub(super) fn binary() -> Self {
        Self { is_binary: true, ..Self::decimal() }
    }

    pub(super) fn step(
        &mut self,
        reader: &mut Reader<'_>,
        rules: &Rules,
    ) -> Result<Option<Object>, Fault> {
        if let Some(count) = self.left.begin(reader)? {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            self.zset.expect(count, 0, rules);
            return Ok(None);
        }
        let place = reader.taken();
        let member = reader.text()?;
        let score = if self.is_binary { reader.double()? } else { reader.decimal()? };
        let placed = self.zset.insert(member.bytes(&mut Digits::new()), score, rules);
        if placed != Placed::Inserted {
            reader.rewind(place);
            return Err(reader.wrong("each member once"));
        }
        let is_last = self.left.end_one();
        Ok(is_last.then(|| mem::replace(&mut self.zset, Zset::empty()).into_object()))
    }
}
