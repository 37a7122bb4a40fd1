//! Elements, and the order they are brought into.
//!
//! The values that elements are sorted by are looked up key by key, which takes the keyspace for
//! itself; so the texts of the elements are copied, one after another into one allocation, and a
//! [`Row`] says where. Rows are ordered completely (the last resort is where the element stood), so
//! that a quick sort gives what a stable one would, and a LIMIT needs only its part sorted.
//!
//! Texts are compared byte by byte, whatever the locale. Redis leaves that to `strcoll` unless it
//! stores the result: in the locale `C` that is the same but for what stands behind a zero byte.

use super::options::{By, Options};
use super::pattern::{Found, Pattern};
use super::weight;
use crate::ReplyError;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;
use vesta_store::{Digits, Direction, Element, Keyspace, List, Object, StrRef, Value, Zset};

const NO_NUMBER: ReplyError = ReplyError::text("One or more scores can't be converted into double");

/// Where a text lies in [`Texts`].
#[derive(Clone, Copy)]
pub(super) struct Span {
    at: usize,
    len: usize,
}

impl Span {
    /// A text without a byte.
    pub(super) const EMPTY: Self = Self { at: 0, len: 0 };
}

/// Texts one after another.
#[derive(Default)]
pub(super) struct Texts(Vec<u8>);

/// An element with what it is sorted by.
struct Row {
    element: Span,
    /// The number, when numbers are compared.
    score: f64,
    /// The text, when texts are compared that are not the elements.
    weight: Option<Span>,
}

impl Texts {
    fn add(&mut self, text: &[u8]) -> Span {
        let span = Span { at: self.0.len(), len: text.len() };
        self.0.extend_from_slice(text);
        span
    }

    /// Adds the text of a value that was found.
    pub(super) fn add_found(&mut self, found: &Found<'_>) -> Span {
        match found {
            Found::Field(element) => self.add(element.text(&mut Digits::new())),
            Found::String(StrRef::Int(number)) => {
                self.add(Element::Int(*number).text(&mut Digits::new()))
            }
            Found::String(StrRef::Bytes(bytes)) => self.add(bytes),
            Found::String(StrRef::Blob(blob)) => self.add(blob.bytes()),
        }
    }

    /// The text at `span`, which was given for it.
    pub(super) fn get(&self, span: Span) -> &[u8] {
        self.0.get(span.at..span.at + span.len).unwrap_or_default()
    }
}

/// Gives a small sorted set its large form, as the real server does before it sorts one, for
/// OBJECT ENCODING and DUMP tell. Source: observed on redis-server 7.0.15.
fn grow(keys: &mut Keyspace<'_>, key: &[u8]) -> Result<(), ReplyError> {
    if let Ok(Some(zset)) = keys.beside_as::<Zset>(key)
        && zset.listpack().is_some()
    {
        keys.edit_unnoticed_as(key, |zset: &mut Zset, rules| zset.expect(usize::MAX, 0, rules))?;
    }
    Ok(())
}

/// The elements at `key` that are wanted, in the order they are wanted in.
///
/// # Errors
/// When the value is of a type that is not sorted, or is sorted by what is no number.
pub(super) fn sorted(
    keys: &mut Keyspace<'_>,
    key: &[u8],
    options: &Options<'_>,
) -> Result<(Texts, Vec<Span>), ReplyError> {
    let mut texts = Texts::default();
    let mut elements = Vec::new();
    let mut add = |element: Element<'_>| elements.push(texts.add(element.text(&mut Digits::new())));
    let (mut by, mut alpha) = (options.by, options.alpha);
    grow(keys, key)?;
    match keys.read(key).map(|entry| entry.value()) {
        None => {}
        Some(Value::Object(Object::List(list))) if by == By::Nothing => {
            for_each_in_order(list, options, add);
            return Ok((texts, elements));
        }
        Some(Value::Object(Object::Zset(zset))) if by == By::Nothing => {
            let range = options.range(zset.len());
            let last = zset.len() - range.start;
            if options.descending {
                let ranks = last - range.len()..last;
                zset.walk(ranks).rev().for_each(|(member, _)| add(member));
            } else {
                zset.walk(range).for_each(|(member, _)| add(member));
            }
            return Ok((texts, elements));
        }
        Some(Value::Object(Object::Zset(zset))) => {
            zset.iter().for_each(|(member, _)| add(member));
        }
        Some(Value::Object(Object::List(list))) => list.for_each(0..list.len(), add),
        Some(Value::Object(Object::Set(set))) => {
            set.iter().for_each(&mut add);
            // A set has no order, and replicas must keep the same list.
            if by == By::Nothing && options.store.is_some() {
                (by, alpha) = (By::Element, true);
            }
        }
        Some(
            Value::String(_)
            | Value::Packed(_)
            | Value::Object(Object::Hash(_) | Object::Stream(_)),
        ) => return Err(ReplyError::WrongType),
    }
    let range = options.range(elements.len());
    let rows = match by {
        By::Nothing => return Ok((texts, elements.drain(range).collect())),
        By::Element => rows_by_element(&texts, elements, alpha)?,
        By::Weight(pattern) => rows_by_weight(keys, &mut texts, elements, pattern, alpha)?,
    };
    let elements = match (alpha, by) {
        (false, _) => arrange(rows, range, options.descending, |a, b| {
            // There is no number that cannot be compared. Equal ones are told apart by their texts.
            let numbers = a.score.partial_cmp(&b.score).unwrap_or(Ordering::Equal);
            numbers.then_with(|| texts.get(a.element).cmp(texts.get(b.element)))
        }),
        (true, By::Weight(_)) => arrange(rows, range, options.descending, |a, b| {
            let text = |row: &Row| row.weight.map(|weight| texts.get(weight));
            text(a).cmp(&text(b))
        }),
        (true, By::Element | By::Nothing) => arrange(rows, range, options.descending, |a, b| {
            texts.get(a.element).cmp(texts.get(b.element))
        }),
    };
    Ok((texts, elements))
}

/// Hands on the wanted elements of a list that is not sorted: from its end when the greatest is to
/// come first, as in Redis.
fn for_each_in_order(list: &List, options: &Options<'_>, mut each: impl FnMut(Element<'_>)) {
    let range = options.range(list.len());
    if range.is_empty() {
        return;
    }
    let mut walk = if options.descending {
        list.walk(list.len() - 1 - range.start, Direction::Backward)
    } else {
        list.walk(range.start, Direction::Forward)
    };
    for _ in range {
        let Some(element) = walk.next() else { return };
        each(element);
    }
}

fn rows_by_element(
    texts: &Texts,
    elements: Vec<Span>,
    alpha: bool,
) -> Result<Vec<Row>, ReplyError> {
    let row = |element| {
        let score = if alpha { Some(0.0) } else { weight::parse(texts.get(element)) };
        Ok(Row { element, score: score.ok_or(NO_NUMBER)?, weight: None })
    };
    elements.into_iter().map(row).collect()
}

fn rows_by_weight(
    keys: &mut Keyspace<'_>,
    texts: &mut Texts,
    elements: Vec<Span>,
    pattern: Pattern<'_>,
    alpha: bool,
) -> Result<Vec<Row>, ReplyError> {
    let mut name = Vec::new();
    let row = |element| {
        let found = pattern.find(keys, texts.get(element), &mut name);
        let mut row = Row { element, score: 0.0, weight: None };
        if let Some(found) = found {
            let weight = texts.add_found(&found);
            if alpha {
                row.weight = Some(weight);
            } else {
                row.score = weight::parse(texts.get(weight)).ok_or(NO_NUMBER)?;
                texts.0.truncate(weight.at);
            }
        }
        Ok(row)
    };
    elements.into_iter().map(row).collect()
}

/// Brings rows into order and gives the elements of those in `range`.
fn arrange(
    mut rows: Vec<Row>,
    range: Range<usize>,
    descending: bool,
    compare: impl Fn(&Row, &Row) -> Ordering,
) -> Vec<Span> {
    let order = |a: &Row, b: &Row| {
        let by_value = compare(a, b);
        let by_value = if descending { by_value.reverse() } else { by_value };
        by_value.then(a.element.at.cmp(&b.element.at))
    };
    if range.is_empty() {
        return Vec::new();
    }
    if range.end < rows.len() {
        rows.select_nth_unstable_by(range.end, order);
        rows.truncate(range.end);
    }
    rows.sort_unstable_by(order);
    rows.drain(range).map(|row| row.element).collect()
}
