//! A field of a large hash, with its value and perhaps an expiry.

use super::Block;
use crate::table::Item;
use core::fmt;

/// The first byte of a field length that stands in the eight bytes after it.
const LONG: u8 = 255;

/// A field and its value in one allocation, behind an 8-byte pointer.
pub struct Field(Block);

impl Field {
    /// A field called `name`. `expiry` is in unix milliseconds.
    #[must_use]
    pub fn new(name: &[u8], value: &[u8], expiry: Option<u64>) -> Self {
        let mut head = [LONG; 9];
        let head = match u8::try_from(name.len()) {
            Ok(len) if len < LONG => {
                head = [len; 9];
                head.split_at(1).0
            }
            Ok(_) | Err(_) => {
                let (_, wide) = head.split_at_mut(1);
                wide.copy_from_slice(&(name.len() as u64).to_le_bytes());
                &head
            }
        };
        let at = expiry.unwrap_or(0).to_le_bytes();
        let at: &[u8] = if expiry.is_some() { &at } else { &[] };
        Self(Block::concat(&[head, name, at, value], expiry.is_some()))
    }

    /// The field's name.
    #[inline]
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.split().0
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn value(&self) -> &[u8] {
        let (_, rest) = self.split();
        rest.get(self.expiry_bytes()..).unwrap_or_default()
    }

    /// When the field expires, in unix milliseconds.
    #[must_use]
    pub fn expiry(&self) -> Option<u64> {
        let (_, rest) = self.split();
        rest.first_chunk().filter(|_| self.0.mark()).map(|at| u64::from_le_bytes(*at))
    }

    /// Replaces the value; the expiry stays.
    pub fn set_value(&mut self, value: &[u8]) {
        let from = self.0.bytes().len() - self.value().len();
        self.0.replace_tail(from, value);
    }

    /// Sets or removes the expiry (unix milliseconds). Tell the table with `note_due`.
    pub fn set_expiry(&mut self, expiry: Option<u64>) {
        match expiry {
            Some(at) if self.0.mark() => {
                let from = self.0.bytes().len() - self.split().1.len();
                let place = self.0.bytes_mut().get_mut(from..);
                if let Some(place) = place.and_then(<[u8]>::first_chunk_mut) {
                    *place = at.to_le_bytes();
                }
            }
            None if !self.0.mark() => {}
            Some(_) | None => *self = Self::new(self.name(), self.value(), expiry),
        }
    }

    /// Bytes of the allocation as requested, rounded up to 8.
    #[must_use]
    pub fn alloc_bytes(&self) -> usize {
        self.0.alloc_bytes()
    }

    fn expiry_bytes(&self) -> usize {
        if self.0.mark() { 8 } else { 0 }
    }

    /// The name, and all that stands behind it.
    #[inline]
    fn split(&self) -> (&[u8], &[u8]) {
        let (first, rest) = self.0.bytes().split_first().expect("a field begins with its length");
        if *first == LONG {
            let (len, rest) = rest.split_first_chunk().expect("a long length has eight bytes");
            rest.split_at(u64::from_le_bytes(*len) as usize)
        } else {
            rest.split_at(usize::from(*first))
        }
    }
}

impl Clone for Field {
    fn clone(&self) -> Self {
        Self(Block::concat(&[self.0.bytes()], self.0.mark()))
    }
}

impl Item for Field {
    #[inline]
    fn key(&self) -> &[u8] {
        self.name()
    }

    #[inline]
    fn due(&self) -> u64 {
        self.expiry().unwrap_or(u64::MAX)
    }

    #[inline(always)]
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Field")
            .field("name", &self.name())
            .field("value", &self.value())
            .field("expiry", &self.expiry())
            .finish()
    }
}
