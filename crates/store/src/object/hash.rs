//! Hashes: fields with values, and perhaps an expiry of their own.
//!
//! Small, a hash is a listpack of field, value, field, value, .. in the order of insertion; large,
//! it is a table of [`Field`]s. It becomes large when it gets more fields, or a longer field or
//! value, than [`Limits`] has it, and when the first of its fields gets an expiry: the small form
//! has no place for one, and the table knows which of its fields are due next.
//!
//! Fields whose time has come are still there until [`Hash::take_due`] takes them, but nothing that
//! is given the time shows them.
//!
//! [`Limits`]: super::Limits

mod draw;

use super::{Kind, Object, Rules, all_differ};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;
use core::ops::Range;
use vesta_ds::{Digits, DueScan, Element, Field, Heap, Iter as TableIter, Listpack, Pairs, Table};

/// Bytes that two elements of a listpack take beyond their texts, at most.
const PAIR_OVERHEAD_MAX: usize = 20;

/// Fields with values.
#[derive(Clone)]
pub struct Hash(Form);

#[derive(Clone)]
enum Form {
    Listpack(Listpack),
    Table(Box<Fields>),
}

/// The large form.
struct Fields {
    table: Table<Field>,
    /// Bytes of the fields' allocations.
    field_bytes: usize,
    /// How many fields have an expiry.
    expiring: usize,
    /// None of them is due before this time.
    due: u64,
}

/// What a hash says about the expiry of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldExpiry {
    /// There is no such field.
    Absent,
    /// The field does not expire.
    Never,
    /// The field expires at this time, in milliseconds since 1970.
    At(u64),
}

impl Hash {
    /// A hash of a listpack of fields and values. `None` when a field has no value or is there
    /// twice, as in a payload from outside.
    #[must_use]
    pub fn from_listpack(listpack: Listpack) -> Option<Self> {
        let is_even = listpack.len() == listpack.pairs().count() * 2;
        let is_unique = all_differ(listpack.pairs().map(|(name, _)| name));
        (is_even && is_unique).then_some(Self(Form::Listpack(listpack)))
    }

    /// Tells that the hash has, or is going to have, about `count` fields, so that it takes the
    /// form it would end in.
    pub fn expect(&mut self, count: usize, rules: &Rules) {
        if count > rules.limits.hash_listpack_entries_max {
            self.grown(rules);
        }
    }

    /// Buckets that the fields of the large form lie in; 0 while the hash is small.
    #[must_use]
    pub fn buckets(&self) -> usize {
        match &self.0 {
            Form::Table(fields) => fields.table.buckets(),
            Form::Listpack(_) => 0,
        }
    }

    /// Hands the fields in these of the [`Hash::buckets`] to `each`, those whose time has come
    /// included: all of them bit by bit, as long as the hash is not changed.
    pub fn for_each_in(&self, buckets: Range<usize>, each: impl FnMut(&Field)) {
        if let Form::Table(fields) = &self.0 {
            fields.table.iter_buckets(buckets).for_each(each);
        }
    }

    /// A hash in the small form.
    pub(super) fn from_small(listpack: Listpack) -> Self {
        Self(Form::Listpack(listpack))
    }

    /// Takes on the small form with the fields of these bytes, those of a listpack.
    pub(super) fn become_small(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Form::Listpack(listpack) => listpack.assign(bytes),
            Form::Table(_) => {
                let mut listpack = Listpack::new();
                listpack.assign(bytes);
                self.0 = Form::Listpack(listpack);
            }
        }
    }

    /// The small form, for a snapshot.
    #[must_use]
    pub fn listpack(&self) -> Option<&Listpack> {
        match &self.0 {
            Form::Listpack(listpack) => Some(listpack),
            Form::Table(_) => None,
        }
    }

    /// Number of fields, those whose time has come included.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Listpack(listpack) => listpack.len() / 2,
            Form::Table(fields) => fields.table.len(),
        }
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Listpack(listpack) => listpack.is_empty(),
            Form::Table(fields) => fields.table.is_empty(),
        }
    }

    /// How many fields have an expiry.
    #[must_use]
    pub fn expiring(&self) -> usize {
        match &self.0 {
            Form::Listpack(_) => 0,
            Form::Table(fields) => fields.expiring,
        }
    }

    /// The encoding by its name in OBJECT ENCODING.
    #[must_use]
    pub fn encoding_name(&self) -> &'static str {
        match &self.0 {
            Form::Listpack(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }

    /// The value of a field at `now_ms`.
    #[must_use]
    pub fn get(&self, name: &[u8], now_ms: u64) -> Option<Element<'_>> {
        match &self.0 {
            Form::Listpack(listpack) => {
                let place = listpack.find_pair(name)?;
                listpack.get(listpack.after(place))
            }
            Form::Table(fields) => {
                let field = fields.find(name).filter(|field| !is_due(field, now_ms))?;
                Some(Element::Bytes(field.value()))
            }
        }
    }

    /// Whether a field is there at `now_ms`.
    #[must_use]
    pub fn contains(&self, name: &[u8], now_ms: u64) -> bool {
        match &self.0 {
            Form::Listpack(listpack) => listpack.find_pair(name).is_some(),
            Form::Table(fields) => fields.find(name).is_some_and(|field| !is_due(field, now_ms)),
        }
    }

    /// Sets a field; whether it is new. It no longer expires.
    pub fn set(&mut self, name: &[u8], value: &[u8], rules: &Rules) -> bool {
        self.put(name, value, false, rules)
    }

    /// Sets a field and lets it expire when it did before; whether it is new.
    pub fn set_keeping_expiry(&mut self, name: &[u8], value: &[u8], rules: &Rules) -> bool {
        self.put(name, value, true, rules)
    }

    /// Removes a field; whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        match &mut self.0 {
            Form::Listpack(listpack) => {
                let place = listpack.find_pair(name);
                place.is_some_and(|place| listpack.remove_run(place, 2) > 0)
            }
            Form::Table(fields) => fields.take(name).is_some(),
        }
    }

    /// When a field expires, whether or not its time has come.
    #[must_use]
    pub fn expiry(&self, name: &[u8]) -> FieldExpiry {
        match &self.0 {
            Form::Listpack(listpack) if listpack.find_pair(name).is_some() => FieldExpiry::Never,
            Form::Listpack(_) => FieldExpiry::Absent,
            Form::Table(fields) => match fields.find(name).map(Field::expiry) {
                None => FieldExpiry::Absent,
                Some(None) => FieldExpiry::Never,
                Some(Some(at)) => FieldExpiry::At(at),
            },
        }
    }

    /// Sets or removes (`None`) the expiry of a field, in milliseconds since 1970; whether the
    /// field is there.
    pub fn set_expiry(&mut self, name: &[u8], expiry: Option<u64>, rules: &Rules) -> bool {
        if let Form::Listpack(listpack) = &self.0 {
            let is_there = listpack.find_pair(name).is_some();
            if !is_there || expiry.is_none() {
                return is_there;
            }
        }
        self.grown(rules).set_expiry(name, expiry)
    }

    /// Takes out fields whose time has come at `now_ms`, looking at about `budget` fields, and
    /// hands them to `each`.
    pub fn take_due(&mut self, now_ms: u64, budget: usize, mut each: impl FnMut(Field)) -> DueScan {
        let Form::Table(fields) = &mut self.0 else {
            return DueScan { visited: 0, taken: 0, done: true };
        };
        let Fields { table, field_bytes, expiring, due } = &mut **fields;
        let scan = table.take_due(now_ms, budget, |field| {
            *field_bytes -= field.alloc_bytes();
            *expiring -= 1;
            each(field);
        });
        if scan.done {
            *due = table.due_bound().unwrap_or(u64::MAX);
        }
        scan
    }

    /// Takes a field out if its time has come at `now_ms`.
    pub fn take_if_due(&mut self, name: &[u8], now_ms: u64) -> Option<Field> {
        let Form::Table(fields) = &mut self.0 else { return None };
        fields.find(name).filter(|field| is_due(field, now_ms))?;
        fields.take(name)
    }

    /// A time before which no field is due; `None` when none expires.
    #[must_use]
    #[inline]
    pub fn due_bound(&self) -> Option<u64> {
        match &self.0 {
            Form::Table(fields) if fields.expiring > 0 => Some(fields.due),
            Form::Table(_) | Form::Listpack(_) => None,
        }
    }

    /// Number of fields at `now_ms`. O(1) unless fields expire.
    #[must_use]
    pub fn live_len(&self, now_ms: u64) -> usize {
        if self.expiring() == 0 { self.len() } else { self.iter(now_ms).count() }
    }

    /// All fields and values at `now_ms`: in order of insertion while small, in no particular one
    /// then.
    #[must_use]
    pub fn iter(&self, now_ms: u64) -> HashIter<'_> {
        HashIter(match &self.0 {
            Form::Listpack(listpack) => IterForm::Listpack(listpack.pairs()),
            Form::Table(fields) => IterForm::Table(fields.table.iter(), now_ms),
        })
    }

    /// Visits some fields and gives the next cursor; 0 starts and ends. A small hash is visited
    /// whole. What is there from the first call to the last is visited at least once.
    pub fn scan(
        &self,
        cursor: u64,
        now_ms: u64,
        mut each: impl FnMut(Element<'_>, Element<'_>),
    ) -> u64 {
        match &self.0 {
            Form::Listpack(listpack) => {
                listpack.pairs().for_each(|(name, value)| each(name, value));
                0
            }
            Form::Table(fields) => fields.table.scan(cursor, |field| {
                if !is_due(field, now_ms) {
                    each(Element::Bytes(field.name()), Element::Bytes(field.value()));
                }
            }),
        }
    }

    pub(super) fn drop_cost(&self) -> usize {
        match &self.0 {
            Form::Listpack(_) => 1,
            Form::Table(fields) => fields.table.len(),
        }
    }

    pub(super) fn drain_some(&mut self, max: usize) {
        match &mut self.0 {
            Form::Listpack(listpack) => listpack.clear(),
            Form::Table(fields) => {
                let Fields { table, field_bytes, .. } = &mut **fields;
                table.drain_some(max, |field| *field_bytes -= field.alloc_bytes());
            }
        }
    }

    fn put(&mut self, name: &[u8], value: &[u8], keep_expiry: bool, rules: &Rules) -> bool {
        let limits = &rules.limits;
        if let Form::Listpack(listpack) = &mut self.0 {
            let longest = name.len().max(value.len());
            let more = name.len().saturating_add(value.len()).saturating_add(PAIR_OVERHEAD_MAX);
            if longest <= limits.hash_listpack_value_bytes_max && listpack.has_room(more) {
                let is_new = put_pair(listpack, name, value);
                if listpack.len() / 2 > limits.hash_listpack_entries_max {
                    self.grown(rules);
                }
                return is_new;
            }
        }
        self.grown(rules).put(name, value, keep_expiry)
    }

    /// The large form, which the hash takes now if it had the small one.
    fn grown(&mut self, rules: &Rules) -> &mut Fields {
        if let Form::Listpack(listpack) = &self.0 {
            let mut fields = Fields::new(Table::new(rules.hasher.clone()));
            let (mut names, mut values) = (Digits::new(), Digits::new());
            for (name, value) in listpack.pairs() {
                let field = Field::new(name.text(&mut names), value.text(&mut values), None);
                fields.insert_new(field);
            }
            self.0 = Form::Table(Box::new(fields));
        }
        match &mut self.0 {
            Form::Table(fields) => fields,
            Form::Listpack(_) => unreachable!("the hash was given its large form"),
        }
    }
}

/// Sets a field in the small form, which has room for it; whether it is new.
fn put_pair(listpack: &mut Listpack, name: &[u8], value: &[u8]) -> bool {
    const ROOM: &str = "there is room for the pair, as was checked";
    match listpack.find_pair(name) {
        Some(place) => {
            listpack.replace(listpack.after(place), value).expect(ROOM);
            false
        }
        None => {
            listpack.push(name).expect(ROOM);
            listpack.push(value).expect(ROOM);
            true
        }
    }
}

fn is_due(field: &Field, now_ms: u64) -> bool {
    field.expiry().is_some_and(|at| at <= now_ms)
}

impl Fields {
    fn new(table: Table<Field>) -> Self {
        Self { table, field_bytes: 0, expiring: 0, due: u64::MAX }
    }

    fn find(&self, name: &[u8]) -> Option<&Field> {
        self.table.find(self.table.hasher().hash(name), name)
    }

    /// Adds a field whose name is not there.
    fn insert_new(&mut self, field: Field) {
        self.field_bytes += field.alloc_bytes();
        if let Some(at) = field.expiry() {
            self.note_expiring(at);
        }
        self.table.insert_new(self.table.hasher().hash(field.name()), field);
    }

    /// Sets a field; whether it is new.
    fn put(&mut self, name: &[u8], value: &[u8], keep_expiry: bool) -> bool {
        let hash = self.table.hasher().hash(name);
        let Some(field) = self.table.find_mut(hash, name) else {
            self.insert_new(Field::new(name, value, None));
            return true;
        };
        self.field_bytes -= field.alloc_bytes();
        if !keep_expiry && field.expiry().is_some() {
            self.expiring -= 1;
            field.set_expiry(None);
        }
        field.set_value(value);
        self.field_bytes += field.alloc_bytes();
        false
    }

    fn take(&mut self, name: &[u8]) -> Option<Field> {
        let hash = self.table.hasher().hash(name);
        let gone = self.table.remove(hash, name)?;
        self.field_bytes -= gone.alloc_bytes();
        self.expiring -= usize::from(gone.expiry().is_some());
        Some(gone)
    }

    fn set_expiry(&mut self, name: &[u8], expiry: Option<u64>) -> bool {
        let hash = self.table.hasher().hash(name);
        let Some(field) = self.table.find_mut(hash, name) else { return false };
        self.field_bytes -= field.alloc_bytes();
        self.expiring -= usize::from(field.expiry().is_some());
        field.set_expiry(expiry);
        self.field_bytes += field.alloc_bytes();
        if let Some(at) = expiry {
            self.table.note_due(hash, at);
            self.note_expiring(at);
        }
        true
    }

    /// One more field expires, at this time.
    fn note_expiring(&mut self, at: u64) {
        self.due = if self.expiring == 0 { at } else { self.due.min(at) };
        self.expiring += 1;
    }
}

impl Clone for Fields {
    fn clone(&self) -> Self {
        let mut copy = Self::new(Table::new(self.table.hasher().clone()));
        self.table.iter().cloned().for_each(|field| copy.insert_new(field));
        copy
    }
}

impl Heap for Hash {
    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Listpack(listpack) => listpack.heap_bytes(),
            Form::Table(fields) => {
                size_of::<Fields>() + fields.table.heap_bytes() + fields.field_bytes
            }
        }
    }
}

impl Kind for Hash {
    fn empty() -> Self {
        Self(Form::Listpack(Listpack::new()))
    }

    fn of(object: &Object) -> Option<&Self> {
        let Object::Hash(hash) = object else { return None };
        Some(hash)
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        let Object::Hash(hash) = object else { return None };
        Some(hash)
    }

    fn into_object(self) -> Object {
        Object::Hash(self)
    }
}

/// Fields in the order of their bytes, the same for both encodings.
impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |element: Element<'_>| element.text(&mut Digits::new()).to_vec();
        let sorted: BTreeMap<_, _> =
            self.iter(0).map(|(name, value)| (text(name), text(value))).collect();
        out.debug_map().entries(sorted).finish()
    }
}

/// Fields and values; see [`Hash::iter`].
pub struct HashIter<'a>(IterForm<'a>);

enum IterForm<'a> {
    Listpack(Pairs<'a>),
    /// With the time at which a field must not be due yet.
    Table(TableIter<'a, Field>, u64),
}

impl<'a> Iterator for HashIter<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            IterForm::Listpack(pairs) => pairs.next(),
            IterForm::Table(fields, now_ms) => {
                let field = fields.find(|field| !is_due(field, *now_ms))?;
                Some((Element::Bytes(field.name()), Element::Bytes(field.value())))
            }
        }
    }
}
