//! HyperLogLog in the bytes of a plain string, identical to Redis's, bit for bit.
//!
//! # Why these bytes and no others
//!
//! A HyperLogLog is an ordinary string value: users copy it with GET and SET, it travels in RDB
//! files and to replicas, and PFADD on one server must go on where another stopped. So there is
//! nothing to invent in the layout; what is ours is how it is checked and how fast it is read.
//!
//! ```text
//! +---------+------+---------+------------------------------+-----------------------+
//! | "HYLL"  | form | 3 bytes | cached count, little endian  | registers             |
//! | 4 bytes | 0, 1 | unused  | 8 bytes, top bit: not valid  |                       |
//! +---------+------+---------+------------------------------+-----------------------+
//! dense  (form 0): 16384 registers of 6 bits, lowest bits first; 12304 bytes in all
//!   byte 0    byte 1    byte 2
//!   11000000  22221111  33333322      (digit: register the bit belongs to)
//! sparse (form 1): runs of equal registers
//!   00nnnnnn            n + 1 registers of 0                          (1..=64)
//!   01nnnnnn nnnnnnnn   n + 1 registers of 0, high byte first         (1..=16384)
//!   1vvvvvnn            n + 1 registers of v + 1                      (1..=4, values 1..=32)
//! ```
//!
//! An element's 64-bit hash (MurmurHash64A, fixed seed) names a register by its low 14 bits; the
//! register keeps the greatest position of the lowest set bit seen in the other 50. The count is
//! Ertl's estimate from the histogram of the registers, computed in the same order of operations
//! as Redis does, so that the same registers give the same number.
//!
//! A sparse string becomes dense when a value above 32 arrives or when an edit would make it
//! longer than the caller's limit (`hll-sparse-max-bytes`, header included). Which instructions
//! an edit leaves behind is part of the format, as two servers that were told the same must hold
//! the same bytes: see `sparse`.
//!
//! # Hostile strings
//!
//! Any client may SET any bytes. [`View::parse`] is the door: it checks magic, form and, when
//! dense, the length. After it every dense string is valid, as there is no invalid register. A
//! sparse one is checked where it is read as a whole (its runs must cover exactly 16384
//! registers) and otherwise as far as it is walked; what does not add up is [`Corrupt`].
//!
//! # Costs
//!
//! An add is a hash and, dense, one register; sparse, a walk of at most the limit's bytes. A
//! dense string is read as a whole by unpacking it, 6 bytes to 8 registers in one 64-bit word,
//! and a union is a bytewise maximum over 16 KB, which compilers turn into vector code.
//!
//! Source: layout and instruction meanings as documented for Redis's HyperLogLog; the estimator
//! is from O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017); all
//! bytes and counts were compared with those of a Redis 7.0.15 server.

mod dense;
mod estimate;
mod sparse;
#[cfg(test)]
mod tests;
mod union;

pub use dense::{DENSE_LEN, add_dense};
pub use sparse::{Instruction, Instructions};
pub use union::Union;

use alloc::vec::Vec;
use sparse::Edit;

/// Registers of a HyperLogLog.
pub const REGISTERS: usize = 1 << INDEX_BITS;

const INDEX_BITS: u32 = 14;
/// Bits of a hash that are searched for the lowest set one.
const RANK_BITS: u32 = u64::BITS - INDEX_BITS;
const HEADER_LEN: usize = 16;
const MAGIC: &[u8; 4] = b"HYLL";
const FORM_AT: usize = 4;
const CACHE: core::ops::Range<usize> = 8..16;
/// In the cached count: it is out of date.
const STALE: u64 = 1 << 63;
const HASH_SEED: u64 = 0xadc8_3b19;

/// The string is a HyperLogLog by its header, but its instructions do not describe one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Corrupt;

/// How the registers are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Runs of equal registers.
    Sparse,
    /// Six bits for each register.
    Dense,
}

/// A string that has passed for a HyperLogLog, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// The whole string of a sparse one.
    Sparse(&'a [u8]),
    /// The whole string of a dense one.
    Dense(&'a [u8; DENSE_LEN]),
}

impl<'a> View<'a> {
    /// Takes `bytes` as a HyperLogLog; `None` if header or length say that it is not one.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER_LEN>()?;
        if !header.starts_with(MAGIC) {
            return None;
        }
        match header.get(FORM_AT) {
            Some(0) => Some(Self::Dense(bytes.try_into().ok()?)),
            Some(1) => Some(Self::Sparse(bytes)),
            _ => None,
        }
    }

    /// How the registers are written.
    #[must_use]
    pub fn form(self) -> Form {
        match self {
            Self::Sparse(_) => Form::Sparse,
            Self::Dense(_) => Form::Dense,
        }
    }

    /// The whole string.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Sparse(bytes) => bytes,
            Self::Dense(bytes) => bytes,
        }
    }

    /// The count that was stored when the registers were last read, if no add came after.
    #[must_use]
    pub fn cached(self) -> Option<u64> {
        let stored = self.bytes().get(CACHE)?.try_into().ok().map(u64::from_le_bytes)?;
        (stored & STALE == 0).then_some(stored)
    }

    /// The estimated count, from the registers.
    pub fn count(self) -> Result<u64, Corrupt> {
        let histogram = match self {
            Self::Sparse(bytes) => sparse::histogram(bytes)?,
            Self::Dense(bytes) => estimate::histogram(&dense::unpack(bytes)),
        };
        Ok(estimate::count(&histogram))
    }

    /// Whether [`Hll::add`] of `element` would change a register.
    pub fn would_change(self, element: &[u8]) -> Result<bool, Corrupt> {
        let (index, rank) = place(element);
        let register = match self {
            Self::Sparse(bytes) => sparse::register(bytes, index)?,
            Self::Dense(bytes) => dense::register(bytes, index),
        };
        Ok(rank > register)
    }

    /// All registers.
    pub fn registers(self) -> Result<[u8; REGISTERS], Corrupt> {
        match self {
            Self::Sparse(bytes) => sparse::unpack(bytes),
            Self::Dense(bytes) => Ok(dense::unpack(bytes)),
        }
    }

    /// The instructions of a sparse string, up to its end or the first broken one; `None` if it
    /// is dense.
    #[must_use]
    pub fn instructions(self) -> Option<Instructions<'a>> {
        match self {
            Self::Sparse(bytes) => Some(Instructions::of(bytes)),
            Self::Dense(_) => None,
        }
    }
}

/// A HyperLogLog string that is being changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hll {
    form: Form,
    bytes: Vec<u8>,
}

impl Default for Hll {
    fn default() -> Self {
        Self::new()
    }
}

impl Hll {
    /// The string of the empty set: sparse, 18 bytes. Its count of 0 is marked stale, as PFADD
    /// and PFMERGE leave a key that they have made.
    #[must_use]
    pub fn new() -> Self {
        let mut bytes = header(Form::Sparse).to_vec();
        forget_count(&mut bytes);
        sparse::push_zeros(&mut bytes, REGISTERS);
        Self { form: Form::Sparse, bytes }
    }

    /// A copy of a string that has passed.
    #[must_use]
    pub fn copy_of(view: View<'_>) -> Self {
        Self { form: view.form(), bytes: view.bytes().to_vec() }
    }

    /// The same, to be read.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        match (self.form, self.bytes.as_slice().try_into()) {
            (Form::Dense, Ok(bytes)) => View::Dense(bytes),
            (Form::Sparse, _) | (Form::Dense, Err(_)) => View::Sparse(&self.bytes),
        }
    }

    /// The string.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Counts `element`; whether a register changed, after which the cached count is stale.
    ///
    /// A sparse string that would grow beyond `sparse_max` bytes becomes dense. On [`Corrupt`] it
    /// is unchanged.
    pub fn add(&mut self, element: &[u8], sparse_max: usize) -> Result<bool, Corrupt> {
        let (index, rank) = place(element);
        let is_changed = self.raise(index, rank, sparse_max)?;
        if is_changed {
            self.forget_count();
        }
        Ok(is_changed)
    }

    /// A copy of `view` with `element` counted, as [`Hll::add`] does it; `None` if no register
    /// changes, and then nothing is copied.
    pub fn with(
        view: View<'_>,
        element: &[u8],
        sparse_max: usize,
    ) -> Result<Option<Self>, Corrupt> {
        let View::Sparse(bytes) = view else {
            let mut copy = Self::copy_of(view);
            return Ok(copy.add(element, sparse_max)?.then_some(copy));
        };
        let (index, rank) = place(element);
        let raised = sparse::raise_copy(bytes, index, rank, sparse_max)?;
        let Some((bytes, edit)) = raised else { return Ok(None) };
        let mut copy = Self { form: Form::Sparse, bytes };
        if matches!(edit, Edit::DoesNotFit) {
            copy.raise(index, rank, sparse_max)?;
        }
        copy.forget_count();
        Ok(Some(copy))
    }

    /// Stores what [`View::count`] said, so that [`View::cached`] says it until the next add.
    pub fn cache(&mut self, count: u64) {
        cache(&mut self.bytes, count);
    }

    /// Makes the string dense; whether it was not. The cached count stays.
    pub fn make_dense(&mut self) -> Result<bool, Corrupt> {
        if self.form == Form::Dense {
            return Ok(false);
        }
        let registers = sparse::unpack(&self.bytes)?;
        self.become_dense(&registers);
        Ok(true)
    }

    /// Writes `registers` in the dense form; the rest of the header stays.
    fn become_dense(&mut self, registers: &[u8; REGISTERS]) {
        let mut bytes = Vec::with_capacity(DENSE_LEN);
        bytes.extend(self.bytes.iter().take(HEADER_LEN));
        if let Some(form) = bytes.get_mut(FORM_AT) {
            *form = 0;
        }
        bytes.resize(DENSE_LEN, 0);
        dense::pack(registers, &mut bytes);
        *self = Self { form: Form::Dense, bytes };
    }

    /// Sets one register if `rank` is greater than what it holds. Does not touch the cache.
    fn raise(&mut self, index: usize, rank: u8, sparse_max: usize) -> Result<bool, Corrupt> {
        if self.form == Form::Sparse {
            match sparse::raise(&mut self.bytes, index, rank, sparse_max)? {
                Edit::Nothing => return Ok(false),
                Edit::Done => return Ok(true),
                Edit::DoesNotFit => self.make_dense()?,
            };
        }
        let bytes = self.bytes.as_mut_slice().try_into().expect("a dense string has one length");
        Ok(dense::raise(bytes, index, rank))
    }

    fn forget_count(&mut self) {
        forget_count(&mut self.bytes);
    }
}

/// Stores a count in the header of `bytes`, which have passed [`View::parse`]; for a value that
/// is changed where it lies.
pub fn cache(bytes: &mut [u8], count: u64) {
    if let Some(field) = bytes.get_mut(CACHE) {
        field.copy_from_slice(&count.to_le_bytes());
    }
}

/// Entry for fuzzers: reads `data` in every way and, if it is sound, changes it.
pub fn fuzz_hll(data: &[u8]) {
    let Some(view) = View::parse(data) else { return };
    let mut hll = Hll::copy_of(view);
    let is_sound = view.registers().is_ok();
    assert_eq!(view.count().is_ok(), is_sound, "two readers disagree on the string");
    assert_eq!(Union::new().merge(view).is_ok(), is_sound, "two readers disagree on the string");
    for element in data.chunks(7).take(64) {
        let expected = hll.view().would_change(element);
        let copy = Hll::with(hll.view(), element, 3000);
        let added = hll.add(element, 3000);
        assert!(!is_sound || added == expected, "an add is not what was foreseen");
        let is_same = copy.map(|copy| copy.is_none_or(|copy| copy == hll)) == Ok(true);
        assert!(!is_sound || is_same, "an add to a copy is not that to the original");
    }
    assert!(!is_sound || hll.view().registers().is_ok(), "adds broke a sound string");
    let _ = hll.make_dense();
}

/// The header of a string with a cached count of 0.
fn header(form: Form) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    let form = match form {
        Form::Dense => 0,
        Form::Sparse => 1,
    };
    for (byte, value) in bytes.iter_mut().zip(MAGIC.iter().chain(&[form])) {
        *byte = *value;
    }
    bytes
}

/// Marks the cached count as out of date; its other bits stay, as they do in Redis.
fn forget_count(bytes: &mut [u8]) {
    if let Some(top) = bytes.get_mut(CACHE.end - 1) {
        *top |= 0x80;
    }
}

/// The register of an element and the rank, 1 to 51, that it asks for.
fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur64(element, HASH_SEED);
    let index = hash as usize & (REGISTERS - 1);
    let rest = hash >> INDEX_BITS | 1 << RANK_BITS;
    (index, rest.trailing_zeros() as u8 + 1)
}

/// MurmurHash64A by Austin Appleby (public domain), reading little endian on every machine.
fn murmur64(data: &[u8], seed: u64) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = seed ^ (data.len() as u64).wrapping_mul(MULTIPLIER);
    let (words, tail) = data.as_chunks::<8>();
    for word in words {
        let mixed = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        hash ^= (mixed ^ mixed >> 47).wrapping_mul(MULTIPLIER);
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = (hash ^ last).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ hash >> 47).wrapping_mul(MULTIPLIER);
    hash ^ hash >> 47
}
