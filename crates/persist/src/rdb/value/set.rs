//! Sets.
//!
//! ```text
//! Set          count | text, ..
//! SetIntset    intset
//! SetListpack  listpack
//! ```

use super::{Blob, Fault, Left, Reader, Writer};
use core::mem;
use core::ops::Range;
use vesta_store::{Element, Kind, Object, Rules, Set};

/// Begins with a set that is written as texts.
pub(super) fn begin(set: &Set, writer: &mut Writer<'_>) {
    writer.count(set.len());
    if set.buckets() == 0 {
        set.iter().for_each(|member| writer.element(member));
    }
}

/// Writes the members of some buckets.
pub(super) fn write(set: &Set, buckets: Range<usize>, writer: &mut Writer<'_>) {
    set.for_each_in(buckets, |member| writer.text(member));
}

pub(super) fn of_intset(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    Ok(fitted(Set::from_intset(blob.intset()?), rules))
}

pub(super) fn of_listpack(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    let listpack = blob.listpack()?;
    if listpack.is_empty() {
        return Err(blob.wrong(0, "a set that is not empty"));
    }
    let set = Set::from_listpack(listpack);
    Ok(fitted(set.ok_or_else(|| blob.wrong(0, "each member once"))?, rules))
}

fn fitted(mut set: Set, rules: &Rules) -> Object {
    set.expect(Element::Int(0), set.len(), rules);
    set.into_object()
}

pub(super) struct Decoder {
    left: Left,
    set: Set,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { left: Left::default(), set: Set::empty() }
    }

    pub(super) fn step(
        &mut self,
        reader: &mut Reader<'_>,
        rules: &Rules,
    ) -> Result<Option<Object>, Fault> {
        if let Some(count) = self.left.begin(reader)? {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            self.set.expect(Element::Int(0), count, rules);
            return Ok(None);
        }
        let place = reader.taken();
        if !self.set.insert(reader.text()?.element(), rules) {
            reader.rewind(place);
            return Err(reader.wrong("each member once"));
        }
        let is_last = self.left.end_one();
        Ok(is_last.then(|| mem::replace(&mut self.set, Set::empty()).into_object()))
    }
}
