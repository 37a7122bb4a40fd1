//! The entry against a model of plain fields.

use super::{Blob, INLINE_MAX, NewValue, StrRef};
use crate::heap::Heap;
use crate::table::Item;
use proptest::prelude::*;
use std::boxed::Box;
use std::string::ToString;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

type Entry = super::Entry<Thing>;

/// An object that tells, through the count of its arc, whether it was dropped.
#[derive(Clone, Debug, PartialEq)]
struct Thing(Arc<Vec<u8>>);

impl Heap for Thing {
    fn heap_bytes(&self) -> usize {
        self.0.len().next_multiple_of(8)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Int(i64),
    Bytes(Vec<u8>),
    /// Stored as a blob by wish, however short.
    Blob(Vec<u8>),
    Object(Thing),
    Packed(Vec<u8>),
}

impl Value {
    /// A new entry with this value.
    fn to_entry(&self, key: &[u8], expiry: Option<u64>, clock: u32) -> Entry {
        match self {
            Self::Object(thing) => Entry::with_object(key, Box::new(thing.clone()), expiry, clock),
            Self::Packed(bytes) => Entry::with_packed(key, bytes, expiry, clock),
            Self::Int(_) | Self::Bytes(_) | Self::Blob(_) => {
                Entry::new(key, self.to_store(), expiry, clock)
            }
        }
    }

    fn to_store(&self) -> NewValue<'_> {
        match self {
            Self::Object(_) | Self::Packed(_) => unreachable!("an object is no string"),
            Self::Int(number) => NewValue::Int(*number),
            Self::Bytes(bytes) => NewValue::Bytes(bytes),
            Self::Blob(bytes) => NewValue::Blob(Arc::new(bytes.clone())),
        }
    }

    fn text(&self) -> Vec<u8> {
        match self {
            Self::Int(number) => number.to_string().into_bytes(),
            Self::Bytes(bytes) | Self::Blob(bytes) | Self::Packed(bytes) => bytes.clone(),
            Self::Object(thing) => thing.0.to_vec(),
        }
    }

    fn is_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Packed(_))
    }
}

struct Model {
    key: Vec<u8>,
    value: Value,
    expiry: Option<u64>,
    clock: u32,
    is_raw: bool,
    is_marked: bool,
}

#[derive(Clone, Debug)]
enum Op {
    SetValue(Value),
    Set(Value, Option<u64>),
    SetInt(i64),
    SetExpiry(Option<u64>),
    SetClock(u32),
    SetRaw(bool),
    SetMarked(bool),
    Append(Vec<u8>),
    SetRange(usize, Vec<u8>),
    Rename(Vec<u8>),
    ChangeObject(Vec<u8>),
    SetObject(Vec<u8>),
    SetPacked(Vec<u8>),
    TakeObject,
    /// Keep a share of the blob and check at the end that nobody wrote to it.
    Share,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let some = |len| prop::collection::vec(any::<u8>(), len);
    prop_oneof![4 => some(0..24), 2 => some(0..300), 1 => some(INLINE_MAX - 10..INLINE_MAX + 10),
        1 => some(1500..4000)]
}

fn string() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => any::<i64>().prop_map(Value::Int),
        4 => bytes().prop_map(Value::Bytes),
        1 => bytes().prop_map(Value::Blob),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let object = bytes().prop_map(|bytes| Value::Object(Thing(Arc::new(bytes))));
    prop_oneof![2 => string(), 1 => object, 1 => packed().prop_map(Value::Packed)]
}

fn packed() -> impl Strategy<Value = Vec<u8>> {
    bytes().prop_filter("it fits the entry", |bytes| bytes.len() <= INLINE_MAX)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        string().prop_map(Op::SetValue),
        (string(), any::<Option<u64>>()).prop_map(|(value, expiry)| Op::Set(value, expiry)),
        any::<i64>().prop_map(Op::SetInt),
        any::<Option<u64>>().prop_map(Op::SetExpiry),
        any::<u32>().prop_map(Op::SetClock),
        any::<bool>().prop_map(Op::SetRaw),
        any::<bool>().prop_map(Op::SetMarked),
        bytes().prop_map(Op::Append),
        (0..1200usize, bytes()).prop_map(|(at, bytes)| Op::SetRange(at, bytes)),
        bytes().prop_map(Op::Rename),
        bytes().prop_map(Op::ChangeObject),
        bytes().prop_map(Op::SetObject),
        packed().prop_map(Op::SetPacked),
        Just(Op::TakeObject),
        Just(Op::Share),
    ]
}

fn text(entry: &Entry) -> Vec<u8> {
    match entry.value() {
        super::Value::String(StrRef::Int(number)) => number.to_string().into_bytes(),
        super::Value::String(StrRef::Bytes(bytes)) => bytes.to_vec(),
        super::Value::String(StrRef::Blob(blob)) => blob.bytes().to_vec(),
        super::Value::Object(thing) => thing.0.to_vec(),
        super::Value::Packed(bytes) => bytes.to_vec(),
    }
}

fn apply(entry: &mut Entry, model: &mut Model, op: Op, shares: &mut Vec<(Blob, Vec<u8>)>) {
    match op {
        Op::SetValue(value) => {
            entry.set_value(value.to_store());
            (model.value, model.is_raw) = (value, false);
        }
        Op::Set(value, expiry) => {
            entry.set(value.to_store(), expiry);
            (model.value, model.expiry, model.is_raw) = (value, expiry, false);
        }
        Op::SetInt(number) => {
            entry.set_int(number);
            (model.value, model.is_raw) = (Value::Int(number), false);
        }
        Op::SetExpiry(expiry) => {
            entry.set_expiry(expiry);
            model.expiry = expiry;
        }
        Op::SetClock(clock) => {
            entry.set_clock(clock);
            model.clock = clock & 0xff_ffff;
        }
        Op::SetRaw(is_raw) => {
            entry.set_raw(is_raw);
            model.is_raw = is_raw;
        }
        Op::SetMarked(is_marked) => {
            entry.set_marked(is_marked);
            model.is_marked = is_marked;
        }
        Op::Append(_) | Op::SetRange(..) if model.value.is_object() => {}
        Op::Append(tail) => {
            let value = [model.value.text(), tail.clone()].concat();
            assert_eq!(entry.append(&tail), value.len());
            (model.value, model.is_raw) = (Value::Bytes(value), true);
        }
        Op::SetRange(at, bytes) => {
            let mut value = model.value.text();
            value.resize(value.len().max(at + bytes.len()), 0);
            value[at..at + bytes.len()].copy_from_slice(&bytes);
            assert_eq!(entry.set_range(at, &bytes), value.len());
            (model.value, model.is_raw) = (Value::Bytes(value), true);
        }
        Op::Rename(key) => {
            entry.rename(&key);
            (model.key, model.is_marked) = (key, false);
        }
        Op::ChangeObject(bytes) => {
            let thing = Thing(Arc::new(bytes));
            if let Some(object) = entry.object_mut() {
                *object = thing.clone();
                model.value = Value::Object(thing);
            }
        }
        Op::SetObject(bytes) => {
            let thing = Thing(Arc::new(bytes));
            entry.set_object(Box::new(thing.clone()));
            (model.value, model.is_raw) = (Value::Object(thing), false);
        }
        Op::SetPacked(bytes) => {
            entry.set_packed(&bytes);
            (model.value, model.is_raw) = (Value::Packed(bytes), false);
        }
        Op::TakeObject => match (entry.take_object(), &model.value) {
            (Some(taken), Value::Object(thing)) => {
                assert!(Arc::ptr_eq(&taken.0, &thing.0));
                model.value = Value::Int(0);
            }
            (taken, value) => assert!(taken.is_none() && !matches!(value, Value::Object(_))),
        },
        Op::Share => {
            if let Some(blob) = entry.blob() {
                shares.push((blob, model.value.text()));
            }
        }
    }
}

fn check(entry: &Entry, model: &Model) {
    assert_eq!(entry.key(), model.key);
    assert_eq!(text(entry), model.value.text());
    match &model.value {
        Value::Object(thing) => {
            assert!(Arc::ptr_eq(&entry.object().expect("it is an object").0, &thing.0));
            assert!(entry.string().is_none());
            assert_eq!(Arc::strong_count(&thing.0), 2, "the entry's and ours");
        }
        Value::Packed(bytes) => {
            assert_eq!(entry.packed(), Some(bytes.as_slice()));
            assert!(entry.string().is_none() && entry.object().is_none());
        }
        string @ (Value::Int(_) | Value::Bytes(_) | Value::Blob(_)) => {
            assert_eq!(entry.value_len(), string.text().len())
        }
    }
    assert_eq!(entry.expiry(), model.expiry);
    assert_eq!(entry.due(), model.expiry.unwrap_or(u64::MAX));
    assert_eq!(entry.clock(), model.clock);
    assert_eq!(entry.is_raw(), model.is_raw);
    assert_eq!(entry.is_marked(), model.is_marked);
    let is_int = matches!(entry.string(), Some(StrRef::Int(_)));
    assert_eq!(is_int, matches!(model.value, Value::Int(_)));
    if model.value.text().len() > INLINE_MAX && !model.value.is_object() {
        assert!(entry.blob().is_some(), "a long value is a blob");
    }
}

proptest! {
    #[test]
    fn an_entry_keeps_its_fields(
        key in bytes(),
        value in value(),
        expiry: Option<u64>,
        ops in prop::collection::vec(op(), 0..40),
    ) {
        let mut entry = value.to_entry(&key, expiry, 7);
        let mut model = Model { key, value, expiry, clock: 7, is_raw: false, is_marked: false };
        let mut shares = Vec::new();
        check(&entry, &model);
        for op in ops {
            apply(&mut entry, &mut model, op, &mut shares);
            check(&entry, &model);
        }
        if let Some(string) = entry.string() {
            let copy = Entry::new(entry.key(), string.to_new(), entry.expiry(), entry.clock());
            assert_eq!(text(&copy), model.value.text());
        }
        drop(entry);
        if let Value::Object(thing) = &model.value {
            assert_eq!(Arc::strong_count(&thing.0), 1, "an object goes with its entry");
        }
        for (blob, text) in &shares {
            assert_eq!(**blob, *text, "a shared blob is never written to");
        }
        let traces: Vec<_> = shares.into_iter().map(|(blob, _)| Arc::downgrade(&blob)).collect();
        assert!(traces.iter().all(|blob| blob.upgrade().is_none()), "every share is given back");
    }
}

#[test]
fn sixteen_bytes_of_key_and_value_take_forty_bytes() {
    let mut entry = Entry::new(&[b'k'; 16], NewValue::Bytes(&[b'v'; 16]), None, 0);
    assert_eq!(entry.alloc_bytes(), 40);
    entry.set_expiry(Some(1));
    assert_eq!(entry.alloc_bytes(), 48);
    assert_eq!(Entry::new(&[b'k'; 16], NewValue::Int(-1), None, 0).alloc_bytes(), 32);
    assert_eq!((size_of::<Entry>(), size_of::<Option<Entry>>()), (8, 8));
}

#[test]
fn an_object_counts_with_what_it_owns() {
    let thing = Box::new(Thing(Arc::new(vec![1; 50])));
    let mut entry = Entry::with_object(&[b'k'; 16], thing, None, 0);
    assert_eq!(entry.alloc_bytes(), 32 + 8 + 56);
    entry.set(NewValue::Int(1), None);
    assert_eq!(entry.alloc_bytes(), 32);
}

#[test]
fn a_value_of_the_same_rounded_size_is_set_in_place() {
    // 8 bytes before the value, which takes 2 + 6 bytes as text and 8 as an integer.
    let mut entry = Entry::new(b"key", NewValue::Bytes(b"123456"), None, 0);
    assert_eq!(entry.alloc_bytes(), 16);
    let address = entry.address();
    entry.set_value(NewValue::Bytes(b"1"));
    entry.set_value(NewValue::Int(5));
    entry.set_int(6);
    entry.set_value(NewValue::Bytes(b"654321"));
    assert_eq!(entry.alloc_bytes(), 16);
    assert_eq!(entry.address(), address);
}

#[test]
fn appending_to_a_blob_of_our_own_does_not_copy_it() {
    let mut entry = Entry::new(b"key", NewValue::Bytes(&[1; 100_000]), None, 0);
    let mut moves = 0;
    let mut address = core::ptr::null();
    for _ in 0..10_000 {
        entry.append(b"0123456789");
        let now = entry.blob().expect("a long value is a blob").as_ptr();
        moves += usize::from(now != address);
        address = now;
    }
    assert_eq!(entry.value_len(), 200_000);
    assert!(moves <= 3, "{moves} moves");
}

#[test]
fn a_short_blob_stays_a_blob() {
    let blob: Blob = Arc::new(b"short".to_vec());
    let entry = Entry::new(b"key", NewValue::Blob(Blob::clone(&blob)), None, 0);
    assert!(Arc::ptr_eq(&blob, &entry.blob().expect("it was stored as one")));
    drop(entry);
    assert_eq!(Arc::strong_count(&blob), 1);
}
