//! One node: a listpack with a head and entries, in Redis's layout.
//!
//! All reading is total: in a node that [`Node::validate`] took or that was built here, nothing is
//! ever missing, and where something were, an iterator would end.

use super::StreamId;
use crate::listpack::Iter;
use crate::{CorruptError, Element, Full, Listpack, Pos};

/// Flag of an entry: deleted.
const DELETED: i64 = 1;
/// Flag of an entry: it has the names of the node's head.
const SAME_NAMES: i64 = 2;
/// Elements of every entry besides names and values and `back`: flags, ms, seq.
const ENTRY_EXTRA: usize = 3;

/// Entries close to each other under the id of the first.
#[derive(Clone)]
pub(super) struct Node {
    pack: Listpack,
}

/// What the head of a node says.
#[derive(Clone)]
pub(super) struct Head<'a> {
    master: StreamId,
    names: Iter<'a>,
    name_count: usize,
    /// Where the entries begin.
    pub(super) first: Pos,
}

/// One entry of a node.
#[derive(Clone, Debug)]
pub(super) struct Slot<'a> {
    pub(super) id: StreamId,
    pub(super) is_deleted: bool,
    pub(super) fields: Fields<'a>,
    /// Where it begins, with its flags.
    pub(super) at: Pos,
    /// Where the next one begins.
    pub(super) end: Pos,
}

/// The fields of an entry in order: name and value.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// The names in the node's head, if the entry has none of its own.
    names: Option<Iter<'a>>,
    rest: Iter<'a>,
    left: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Element<'a>, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = self.names.as_mut().unwrap_or(&mut self.rest).next()?;
        Some((name, self.rest.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

impl Node {
    /// A node without entries whose head has these names, for entries that come in hand with
    /// [`Node::push`]. Fails past 1 GiB.
    pub(super) fn new<'f>(names: impl Iterator<Item = &'f [u8]> + Clone) -> Result<Self, Full> {
        let mut pack = Listpack::new();
        for number in [0, 0, names.clone().count() as i64] {
            pack.push(number)?;
        }
        for name in names {
            pack.push(name)?;
        }
        pack.push(0)?;
        Ok(Self { pack })
    }

    /// Adds an entry at the end; its id is above all others'. Past 1 GiB nothing changes.
    pub(super) fn push<'f>(
        &mut self,
        master: StreamId,
        id: StreamId,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    ) -> Result<(), Full> {
        let head = self.head(master);
        let count = fields.clone().count();
        let is_same = head.name_count == count
            && head.names.zip(fields.clone()).all(|(ours, (name, _))| ours.is(name));
        let end = self.pack.end();
        let pushed = self.push_elements(master, id, is_same, count, fields);
        if pushed.is_err() {
            self.pack.remove_run(end, usize::MAX);
            return pushed;
        }
        self.recount(1, 0)
    }

    /// How many entries are valid, and how many deleted.
    pub(super) fn counts(&self) -> (u64, u64) {
        let mut iter = self.pack.iter();
        let mut next = || iter.next().and_then(Element::int).unwrap_or(0).unsigned_abs();
        (next(), next())
    }

    /// Marks an entry, found at `slot.at`, as deleted.
    pub(super) fn delete(&mut self, at: Pos) {
        self.mark(at);
        self.settle(1);
    }

    /// Marks an entry without counting it; [`Node::settle`] must follow. Places stay as they are,
    /// as flags take one byte.
    pub(super) fn mark(&mut self, at: Pos) {
        let flags = self.pack.get(at).and_then(Element::int).unwrap_or(0);
        self.pack.replace(at, flags | DELETED).expect("small integers take one byte each");
    }

    /// Counts entries that have been marked.
    pub(super) fn settle(&mut self, marked: u64) {
        let marked = marked as i64;
        self.recount(-marked, marked).expect("a listpack has room for the bytes of a counter");
    }

    /// The head, to read entries with.
    pub(super) fn head(&self, master: StreamId) -> Head<'_> {
        let mut iter = self.pack.iter();
        iter.skip_one();
        iter.skip_one();
        let name_count = iter.next().and_then(Element::int).unwrap_or(0).unsigned_abs() as usize;
        let names = iter.clone();
        for _ in 0..=name_count {
            iter.skip_one();
        }
        Head { master, names, name_count, first: iter.pos() }
    }

    /// The entry at `at`; `None` at the end.
    pub(super) fn slot<'a>(&'a self, head: &Head<'a>, at: Pos) -> Option<Slot<'a>> {
        let mut iter = self.pack.iter_from(at);
        let mut next = || iter.next().and_then(Element::int);
        let (flags, ms, seq) = (next()?, next()?, next()?);
        let is_same = flags & SAME_NAMES != 0;
        let left = if is_same { head.name_count } else { next()?.unsigned_abs() as usize };
        let names = is_same.then(|| head.names.clone());
        let fields = Fields { names, rest: iter.clone(), left };
        let elements = if is_same { left } else { left.saturating_mul(2) };
        for _ in 0..=elements {
            if !iter.skip_one() {
                break;
            }
        }
        let id = StreamId {
            ms: head.master.ms.wrapping_add(ms as u64),
            seq: head.master.seq.wrapping_add(seq as u64),
        };
        Some(Slot { id, is_deleted: flags & DELETED != 0, fields, at, end: iter.pos() })
    }

    /// Where the entry in front of `end` begins; `None` if there is none.
    pub(super) fn before(&self, head: &Head<'_>, end: Pos) -> Option<Pos> {
        if end <= head.first {
            return None;
        }
        let mut at = self.pack.prev(end)?;
        let elements = self.pack.get(at).and_then(Element::int)?;
        for _ in 0..elements {
            at = self.pack.prev(at)?;
        }
        Some(at)
    }

    /// The place behind the last entry.
    pub(super) fn end(&self) -> Pos {
        self.pack.end()
    }

    /// The id of the last entry, valid or deleted.
    pub(super) fn last_id(&self, master: StreamId) -> Option<StreamId> {
        let head = self.head(master);
        let at = self.before(&head, self.end())?;
        Some(self.slot(&head, at)?.id)
    }

    /// The listpack.
    pub(super) fn pack(&self) -> &Listpack {
        &self.pack
    }

    /// Gives back unused bytes: nothing will be added any more.
    pub(super) fn close(&mut self) {
        self.pack.shrink_to_fit();
    }

    /// Takes over a node from outside after a look at every entry.
    pub(super) fn validate(master: StreamId, bytes: &[u8]) -> Result<Self, CorruptError> {
        let node = Self { pack: Listpack::validate(bytes)? };
        node.check(master)?;
        Ok(node)
    }

    fn push_elements<'f>(
        &mut self,
        master: StreamId,
        id: StreamId,
        is_same: bool,
        count: usize,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
    ) -> Result<(), Full> {
        self.pack.push(if is_same { SAME_NAMES } else { 0 })?;
        self.pack.push(id.ms.wrapping_sub(master.ms) as i64)?;
        self.pack.push(id.seq.wrapping_sub(master.seq) as i64)?;
        if !is_same {
            self.pack.push(count as i64)?;
        }
        for (name, value) in fields {
            if !is_same {
                self.pack.push(name)?;
            }
            self.pack.push(value)?;
        }
        self.pack.push(back(is_same, count) as i64)?;
        Ok(())
    }

    /// Adds to both counters of the head.
    fn recount(&mut self, valid: i64, deleted: i64) -> Result<(), Full> {
        let mut at = self.pack.first();
        for change in [valid, deleted] {
            let Some(pos) = at else { return Ok(()) };
            let number = self.pack.get(pos).and_then(Element::int).unwrap_or(0);
            if change != 0 {
                self.pack.replace(pos, number.saturating_add(change))?;
            }
            at = self.pack.next(pos);
        }
        Ok(())
    }

    /// Whether the listpack is a node: every element in its place, counters true, ids rising.
    fn check(&self, master: StreamId) -> Result<(), CorruptError> {
        let mut walk = Walk(self.pack.iter());
        let valid = walk.count("the number of valid entries")?;
        let deleted = walk.count("the number of deleted entries")?;
        let names = walk.count("the number of names")?;
        walk.skip(names, "a name of the head")?;
        if walk.int("the end of the head")? != 0 {
            return Err(walk.wrong("the end of the head"));
        }
        let (mut seen_valid, mut seen_deleted) = (0, 0);
        let mut above: Option<StreamId> = None;
        while !walk.is_done() {
            let flags = walk.int("the flags of an entry")?;
            if flags & !(DELETED | SAME_NAMES) != 0 {
                return Err(walk.wrong("the flags of an entry"));
            }
            let ms = master.ms.wrapping_add(walk.int("an entry's milliseconds")? as u64);
            let seq = master.seq.wrapping_add(walk.int("an entry's sequence number")? as u64);
            let id = StreamId { ms, seq };
            if id < master || above.is_some_and(|above| id <= above) {
                return Err(walk.wrong("an id above the one before"));
            }
            above = Some(id);
            let is_same = flags & SAME_NAMES != 0;
            let count = if is_same { names } else { walk.count("the number of fields")? };
            walk.skip(count, "a field of an entry")?;
            if !is_same {
                walk.skip(count, "a field of an entry")?;
            }
            if walk.count("the length of an entry")? != back(is_same, count) {
                return Err(walk.wrong("the length of an entry"));
            }
            let seen = if flags & DELETED == 0 { &mut seen_valid } else { &mut seen_deleted };
            *seen += 1;
        }
        if (seen_valid, seen_deleted) != (valid, deleted) {
            return Err(walk.wrong("as many entries as the head says"));
        }
        Ok(())
    }
}

/// The number behind an entry: its elements in front of that number.
fn back(is_same: bool, fields: usize) -> usize {
    ENTRY_EXTRA + if is_same { fields } else { 2 * fields + 1 }
}

/// Elements of a node under scrutiny, in order.
struct Walk<'a>(Iter<'a>);

impl Walk<'_> {
    fn is_done(&self) -> bool {
        self.0.clone().next().is_none()
    }

    fn wrong(&self, expected: &'static str) -> CorruptError {
        CorruptError::new(self.0.pos().at(), expected)
    }

    fn int(&mut self, expected: &'static str) -> Result<i64, CorruptError> {
        match self.0.next() {
            Some(Element::Int(number)) => Ok(number),
            Some(Element::Bytes(_)) | None => Err(self.wrong(expected)),
        }
    }

    /// A number of things that take at least a byte each.
    fn count(&mut self, expected: &'static str) -> Result<usize, CorruptError> {
        let number = self.int(expected)?;
        match u32::try_from(number) {
            Ok(number) => Ok(number as usize),
            Err(_) => Err(self.wrong(expected)),
        }
    }

    fn skip(&mut self, elements: usize, expected: &'static str) -> Result<(), CorruptError> {
        for _ in 0..elements {
            if !self.0.skip_one() {
                return Err(self.wrong(expected));
            }
        }
        Ok(())
    }
}

/// Entry for fuzzers: takes `data` for a node and, if it is one, reads and changes it.
pub fn fuzz_stream_node(data: &[u8]) {
    let master = StreamId::new(1, 1);
    let Ok(mut node) = Node::validate(master, data) else { return };
    let (valid, deleted) = node.counts();
    let head = node.head(master);
    let (mut at, mut starts) = (head.first, alloc::vec::Vec::new());
    while let Some(slot) = node.slot(&head, at) {
        assert_eq!(slot.fields.clone().count(), slot.fields.len(), "every field is there");
        starts.push((at, slot.is_deleted));
        at = slot.end;
    }
    assert_eq!(starts.len() as u64, valid + deleted, "the counters are true");
    let mut end = node.end();
    for (start, _) in starts.iter().rev() {
        end = node.before(&head, end).expect("as many entries backwards as forwards");
        assert_eq!(end, *start, "both directions meet the same entries");
    }
    if let Some((start, _)) = starts.iter().rfind(|(_, is_deleted)| !is_deleted) {
        node.delete(*start);
        assert_eq!(node.counts(), (valid - 1, deleted + 1), "a deletion is counted");
    }
    let last = node.last_id(master).unwrap_or(master);
    if let Some(id) = last.next() {
        let name: &[u8] = b"name";
        let pushed = node.push(master, id, [(name, name)].into_iter());
        assert!(pushed.is_ok(), "a small entry fits");
    }
    assert!(Node::validate(master, node.pack.bytes()).is_ok(), "changes leave a sound node");
}
