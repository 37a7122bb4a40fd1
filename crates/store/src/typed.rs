//! Keys by the type of their value: the one place where a value of another type is refused, the
//! accounts follow what changes inside an object, and an object that has become empty goes.

use crate::keyspace::{Deadline, Keyspace, WrongType};
use crate::object::packed::Unpacked;
use crate::object::{Kind, Object, Rules};
use crate::{Entry, StrRef};
use vesta_ds::Value;

impl Keyspace<'_> {
    /// The string at `key` for a command that reads it.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none.
    #[inline]
    pub fn read_string(&mut self, key: &[u8]) -> Result<Option<StrRef<'_>>, WrongType> {
        self.read(key).map(string_of).transpose()
    }

    /// The string at `key` for a command that goes on to change it.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none.
    pub fn look_string(&mut self, key: &[u8]) -> Result<Option<StrRef<'_>>, WrongType> {
        self.look(key).map(string_of).transpose()
    }

    /// Changes the string at `key` in place; `None` when there is none. The accounts follow.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none; it stays as it is.
    #[inline]
    pub fn edit_string<R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Result<Option<R>, WrongType> {
        let touched = self.store.ledger.touched.len();
        let outcome = self.edit(key, |entry| match entry.value() {
            Value::String(_) => Ok(change(entry)),
            Value::Object(_) | Value::Packed(_) => Err(WrongType),
        });
        self.unless_refused(touched, outcome)
    }

    /// The outcome of an edit. What was of the wrong type and has not changed wakes nobody who
    /// waits for it; `touched` is how many keys were touched before.
    #[inline]
    fn unless_refused<R>(
        &mut self,
        touched: usize,
        outcome: Option<Result<R, WrongType>>,
    ) -> Result<Option<R>, WrongType> {
        if matches!(outcome, Some(Err(WrongType))) {
            self.store.ledger.touched.truncate(touched);
        }
        outcome.transpose()
    }

    /// The `T` at `key` for a command that reads it: counts a hit or miss, marks the access.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none.
    #[inline]
    pub fn read_as<T: Kind>(&mut self, key: &[u8]) -> Result<Option<&T>, WrongType> {
        self.read_unpacked(key).map(object_of).transpose()
    }

    /// The `T` at `key` for a command that goes on to change it.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none.
    pub fn look_as<T: Kind>(&mut self, key: &[u8]) -> Result<Option<&T>, WrongType> {
        self.look_unpacked(key).map(object_of).transpose()
    }

    /// The `T` at `key`, while others are looked at too; not for hashes. It is there when a command
    /// has read or looked at the key before, which see to expiry, access marks and counts.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none.
    pub fn beside_as<T: Kind>(&self, key: &[u8]) -> Result<Option<&T>, WrongType> {
        let object = self.beside(key).map(|entry| entry.object().and_then(T::of).ok_or(WrongType));
        object.transpose()
    }

    /// What values need to know when they are changed.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.store.rules
    }

    /// The `T` at `key`, without counting or marking anything.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none.
    pub fn peek_as<T: Kind>(&mut self, key: &[u8]) -> Result<Option<&T>, WrongType> {
        self.peek_unpacked(key).map(object_of).transpose()
    }

    /// Changes the `T` at `key` in place; `None` when there is none. The accounts follow. A value
    /// that `change` leaves empty goes with its key: where that is of interest, `change` looks.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none; it stays as it is.
    pub fn edit_as<T: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T, &Rules) -> R,
    ) -> Result<Option<R>, WrongType> {
        let touched = self.store.ledger.touched.len();
        let mut is_spent = false;
        let outcome = self.edit_by_rules(key, |entry, rules, unpacked| {
            let edited = unpacked.edit(entry, rules, |object, rules| {
                let outcome = change(T::of_mut(object).ok_or(WrongType)?, rules);
                is_spent = object.is_spent();
                Ok(outcome)
            });
            edited.ok_or(WrongType)?
        });
        if is_spent {
            self.delete(key);
        }
        self.unless_refused(touched, outcome)
    }

    /// As [`Keyspace::edit_as`], for a change that nobody who waits for the key can be served by:
    /// the key does not count as touched.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none; it stays as it is.
    pub fn edit_unnoticed_as<T: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T, &Rules) -> R,
    ) -> Result<Option<R>, WrongType> {
        // A key that expires now is noticed all the same.
        if !self.contains(key) {
            return Ok(None);
        }
        let is_recording = core::mem::take(&mut self.store.ledger.record_touched);
        let outcome = self.edit_as(key, change);
        self.store.ledger.record_touched = is_recording;
        outcome
    }

    /// As [`Keyspace::edit_as`], with an empty `T` when there is no key. It is kept, and the key
    /// made, unless `change` leaves it empty.
    ///
    /// # Errors
    /// [`WrongType`] when the value is none; it stays as it is.
    pub fn upsert_as<T: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T, &Rules) -> R,
    ) -> Result<R, WrongType> {
        // The change is made once: to what is there, or to what is new.
        let mut change = Some(change);
        let mut once =
            |value: &mut T, rules: &Rules| change.take().map(|change| change(value, rules));
        if let Some(outcome) = self.edit_as(key, |value, rules| once(value, rules))? {
            return Ok(outcome.expect("nothing was changed before"));
        }
        let mut value = T::empty();
        let outcome = once(&mut value, &self.store.rules).expect("nothing was there to change");
        let object = value.into_object();
        if !object.is_spent() {
            self.add_object(key, object, Deadline::Never);
        }
        Ok(outcome)
    }

    /// Sets `key` to an object, whatever it held.
    pub fn set_object(&mut self, key: &[u8], object: Object, deadline: Deadline) {
        let expiry = match deadline {
            Deadline::Keep => self.peek(key).and_then(Entry::expiry),
            Deadline::Never => None,
            Deadline::At(ms) => Some(ms),
        };
        let deadline = expiry.map_or(Deadline::Never, Deadline::At);
        if self.delete(key) {
            self.put_object(key, object, deadline);
        } else {
            self.add_object(key, object, deadline);
        }
    }
}

fn string_of(entry: &Entry) -> Result<StrRef<'_>, WrongType> {
    entry.string().ok_or(WrongType)
}

fn object_of<'a, T: Kind>(found: (&'a Entry, &'a mut Unpacked)) -> Result<&'a T, WrongType> {
    let (entry, unpacked) = found;
    unpacked.object(entry).and_then(T::of).ok_or(WrongType)
}
