//! How handlers get at values of the types that are not strings.

use super::data::{Bytes, Typed};
use super::{Ask, Effect, Reply};

pub(super) fn wrong_type() -> String {
    "WRONGTYPE Operation against a key holding the wrong kind of value".to_owned()
}

pub(super) fn count(number: usize) -> Reply {
    Reply::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

impl Ask<'_> {
    /// What the key holds, which must be of this type if it is there.
    pub(super) fn look<T: Typed>(&mut self, key: &[u8]) -> Result<Option<&T>, String> {
        let (db, now_ms) = (self.db()?, self.now_ms());
        match self.model.data.live(db, key, now_ms) {
            None => Ok(None),
            Some(slot) => T::of(&slot.value).map(Some).ok_or_else(wrong_type),
        }
    }

    /// Changes what the key holds; `None` when it is not there. Whoever is empty then goes.
    pub(super) fn edit<T: Typed, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<Option<R>, String> {
        let (db, now_ms) = (self.db()?, self.now_ms());
        if self.look::<T>(key)?.is_none() {
            return Ok(None);
        }
        let Some(slot) = self.model.data.live_mut(db, key, now_ms) else { return Ok(None) };
        let outcome = T::of_mut(&mut slot.value).map(change);
        if slot.value.is_spent() {
            self.model.data.remove(db, key);
        }
        Ok(outcome)
    }

    /// As [`Ask::edit`], for what gives nobody anything who waits for the key.
    pub(super) fn edit_unnoticed<T: Typed, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<Option<R>, String> {
        let touched = self.model.data.touched_count();
        let outcome = self.edit(key, change);
        self.model.data.forget_touched(touched);
        outcome
    }

    /// As [`Ask::edit`]; makes an empty value when there is none.
    pub(super) fn make<T: Typed, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<Option<R>, String> {
        let db = self.db()?;
        if self.look::<T>(key)?.is_none() {
            self.model.data.set(db, key.into(), T::default().wrap(), None);
        }
        self.edit(key, change)
    }

    /// Puts the outcome of a command there, or removes the key when it is empty.
    pub(super) fn store<T: Typed>(&mut self, key: Bytes, value: T) -> Result<(), String> {
        let (db, now_ms) = (self.db()?, self.now_ms());
        let value = value.wrap();
        if value.is_spent() {
            if self.model.data.live(db, &key, now_ms).is_some() {
                self.model.data.remove(db, &key);
                self.effect = Effect::AsIs;
            }
        } else {
            self.model.data.set(db, key, value, None);
            self.effect = Effect::AsIs;
        }
        Ok(())
    }

    /// Words from number `from` on.
    pub(super) fn rest(&self, from: usize) -> Vec<Bytes> {
        self.words.iter().skip(from).map(|word| word.as_slice().into()).collect()
    }

    /// The effect is the request itself, if something has changed.
    pub(super) fn changed_if(&mut self, has_changed: bool) {
        if has_changed {
            self.effect = Effect::AsIs;
        }
    }
}

/// The places `start..=end` of `len` elements, counted from either end.
pub(super) fn places(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let place = |at: i64| if at < 0 { at.saturating_add(len).max(0) } else { at.min(len) };
    let end = if end < 0 { end.saturating_add(len) } else { end.min(len - 1) };
    let (start, behind) = (place(start), (end + 1).max(0));
    let (start, behind) = (usize::try_from(start), usize::try_from(behind));
    let (start, behind) = (start.unwrap_or(0), behind.unwrap_or(0));
    start..behind.max(start)
}
