//! Lists: elements in order.
//!
//! Small, a list is one listpack; large, a [`Quicklist`] of many. It becomes large when what is to
//! be added would take the listpack beyond [`Limits`], before anything is added, and small again
//! when a removal leaves one listpack of no more than half the limit: a list that swings about the
//! limit does not change its form with every element.
//!
//! Source: the rules of Redis 7.2; earlier versions know the large form only.
//!
//! [`Limits`]: super::Limits

use super::{Kind, Object, Rules};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use vesta_ds::{
    Digits, Direction, Element, Heap, Listpack, ListpackIter, Pos, Quicklist, Verdict, Walk,
};

/// An element always fits the listpack that room was made in.
const ROOM: &str = "a listpack within its limit is far from full";

/// One of the two ends of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Where the first element is (LEFT).
    Front,
    /// Where the last element is (RIGHT).
    Back,
}

/// On which side of an element another one is put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// In front of it.
    Before,
    /// Behind it.
    After,
}

/// Elements in order.
#[derive(Clone)]
pub struct List(Form);

#[derive(Clone)]
enum Form {
    Listpack(Listpack),
    Quicklist(Box<Quicklist>),
}

impl List {
    /// A list of a listpack's elements.
    #[must_use]
    pub fn from_listpack(listpack: Listpack) -> Self {
        Self(Form::Listpack(listpack))
    }

    /// A list in the large form.
    #[must_use]
    pub fn from_quicklist(quicklist: Quicklist) -> Self {
        Self(Form::Quicklist(Box::new(quicklist)))
    }

    /// A list of nodes that were loaded: in the small form if there is only one listpack, and it
    /// within the limit, as in Redis.
    #[must_use]
    pub fn of_nodes(nodes: Quicklist, rules: &Rules) -> Self {
        let count = nodes.len();
        let fits = |bytes| !rules.limits.list_fill.exceeded_by(bytes, count);
        if !nodes.listpack_bytes().is_some_and(fits) {
            return Self::from_quicklist(nodes);
        }
        match nodes.into_listpack() {
            Ok(listpack) => Self::from_listpack(listpack),
            Err(nodes) => Self::from_quicklist(nodes),
        }
    }

    /// The small form, for a snapshot.
    #[must_use]
    pub fn listpack(&self) -> Option<&Listpack> {
        match &self.0 {
            Form::Listpack(listpack) => Some(listpack),
            Form::Quicklist(_) => None,
        }
    }

    /// The large form, for a snapshot.
    #[must_use]
    pub fn quicklist(&self) -> Option<&Quicklist> {
        match &self.0 {
            Form::Quicklist(quicklist) => Some(quicklist),
            Form::Listpack(_) => None,
        }
    }

    /// Number of elements.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Listpack(listpack) => listpack.len(),
            Form::Quicklist(quicklist) => quicklist.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Listpack(listpack) => listpack.is_empty(),
            Form::Quicklist(quicklist) => quicklist.is_empty(),
        }
    }

    /// The encoding by its name in OBJECT ENCODING.
    #[must_use]
    pub fn encoding_name(&self) -> &'static str {
        match &self.0 {
            Form::Listpack(_) => "listpack",
            Form::Quicklist(_) => "quicklist",
        }
    }

    /// The element at an end. O(1).
    #[must_use]
    #[inline]
    pub fn peek(&self, end: End) -> Option<Element<'_>> {
        match (&self.0, end) {
            (Form::Listpack(listpack), End::Front) => listpack.get(listpack.first()?),
            (Form::Listpack(listpack), End::Back) => listpack.get(listpack.last()?),
            (Form::Quicklist(quicklist), End::Front) => quicklist.front(),
            (Form::Quicklist(quicklist), End::Back) => quicklist.back(),
        }
    }

    /// The elements from the one at `index` on (0 is the first) in this direction; none past the
    /// end.
    #[must_use]
    pub fn walk(&self, index: usize, direction: Direction) -> ListWalk<'_> {
        ListWalk(match &self.0 {
            Form::Quicklist(quicklist) => WalkForm::Quicklist(quicklist.walk(index, direction)),
            Form::Listpack(listpack) => {
                let place = seek(listpack, index).unwrap_or(listpack.end());
                match direction {
                    Direction::Forward => WalkForm::Forward(listpack.iter_from(place)),
                    // There is nothing behind the end, and nothing in front of it was asked for.
                    Direction::Backward if place == listpack.end() => {
                        WalkForm::Forward(listpack.iter_from(place))
                    }
                    Direction::Backward => {
                        WalkForm::Backward(listpack.iter_until(listpack.after(place)))
                    }
                }
            }
        })
    }

    /// Hands the elements of a range to `each`, in order. What of it lies past the end is left
    /// out.
    #[inline]
    pub fn for_each(&self, range: Range<usize>, mut each: impl FnMut(Element<'_>)) {
        match &self.0 {
            Form::Quicklist(quicklist) => quicklist.for_each(range, each),
            Form::Listpack(listpack) => {
                if let Some(place) = seek(listpack, range.start) {
                    listpack.iter_from(place).take(range.len()).for_each(&mut each);
                }
            }
        }
    }

    /// Adds elements at an end, one after another: in front, the last of them becomes the first of
    /// the list. `values` gives them, the same ones each time.
    pub fn push_all<'v, I: Iterator<Item = &'v [u8]>>(
        &mut self,
        end: End,
        values: impl Fn() -> I,
        rules: &Rules,
    ) {
        if let Form::Listpack(listpack) = &self.0 {
            let add = |(bytes, count): (usize, usize), value: &[u8]| {
                (bytes.saturating_add(value.len()), count + 1)
            };
            let (bytes, count) = values().fold((listpack.total_bytes(), listpack.len()), add);
            self.grow_for(bytes, count, rules);
        }
        match &mut self.0 {
            Form::Listpack(listpack) => {
                for value in values() {
                    match end {
                        End::Front => listpack.push_front(value).expect(ROOM),
                        End::Back => listpack.push(value).expect(ROOM),
                    };
                }
            }
            Form::Quicklist(quicklist) => {
                for value in values() {
                    match end {
                        End::Front => quicklist.push_front(value),
                        End::Back => quicklist.push_back(value),
                    }
                }
            }
        }
    }

    /// Adds one element at an end.
    pub fn push(&mut self, end: End, value: &[u8], rules: &Rules) {
        self.push_all(end, || core::iter::once(value), rules);
    }

    /// Removes the element at an end, and says whether there was one: read it with [`List::peek`]
    /// before.
    #[inline]
    pub fn pop(&mut self, end: End, rules: &Rules) -> bool {
        let popped = self.take_out(end);
        self.shrink(rules);
        popped
    }

    /// Moves the element at one end to the same or the other end.
    pub fn rotate(&mut self, from: End, to: End, rules: &Rules) {
        match (&mut self.0, from, to) {
            (_, End::Front, End::Front) | (_, End::Back, End::Back) => {}
            (Form::Quicklist(quicklist), End::Back, End::Front) => quicklist.rotate(),
            (_, _, _) => {
                let text = self.peek(from).map(|last| last.text(&mut Digits::new()).to_vec());
                if let Some(text) = text {
                    self.take_out(from);
                    self.push(to, &text, rules);
                }
            }
        }
        self.shrink(rules);
    }

    /// Puts an element beside the first one that is `pivot`; whether there is one.
    ///
    /// Room is made before it is known whether there is a pivot, as in Redis.
    pub fn insert_beside(&mut self, pivot: &[u8], side: Side, value: &[u8], rules: &Rules) -> bool {
        self.make_room_for_one(value, rules);
        let sought = Sought::new(pivot);
        match &mut self.0 {
            Form::Listpack(listpack) => {
                let found = listpack.first().and_then(|first| listpack.find(first, pivot, 0));
                let Some(place) = found else { return false };
                let place = match side {
                    Side::Before => place,
                    Side::After => listpack.after(place),
                };
                listpack.insert(place, value).expect(ROOM);
            }
            Form::Quicklist(quicklist) => {
                let mut walk = quicklist.walk(0, Direction::Forward);
                let mut index = 0;
                loop {
                    let Some(element) = walk.next() else { return false };
                    if sought.is(element) {
                        break;
                    }
                    index += 1;
                }
                drop(walk);
                quicklist.insert(index + usize::from(side == Side::After), value);
            }
        }
        true
    }

    /// Puts another element in the place of the one at `index`, and says whether there is one.
    pub fn replace(&mut self, index: usize, value: &[u8], rules: &Rules) -> bool {
        self.make_room_for_one(value, rules);
        match &mut self.0 {
            Form::Listpack(listpack) => {
                let Some(place) = seek(listpack, index) else { return false };
                listpack.replace(place, value).expect(ROOM);
                true
            }
            Form::Quicklist(quicklist) => {
                let replaced = quicklist.replace(index, value);
                if replaced {
                    self.shrink(rules);
                }
                replaced
            }
        }
    }

    /// Removes the elements of a range. What of it lies past the end is left out.
    pub fn remove_range(&mut self, range: Range<usize>, rules: &Rules) {
        match &mut self.0 {
            Form::Listpack(listpack) => {
                if let Some(place) = seek(listpack, range.start) {
                    listpack.remove_run(place, range.len());
                }
            }
            Form::Quicklist(quicklist) => {
                quicklist.remove_range(range.start, range.len());
                self.shrink(rules);
            }
        }
    }

    /// Removes the first `max` elements in this direction that are `value`; returns how many there
    /// were.
    pub fn remove_equal(
        &mut self,
        value: &[u8],
        direction: Direction,
        max: usize,
        rules: &Rules,
    ) -> usize {
        let sought = Sought::new(value);
        let mut left = max;
        let judge = |element: Element<'_>| {
            if !sought.is(element) {
                return Verdict::Keep;
            }
            left -= 1;
            if left == 0 { Verdict::RemoveAndStop } else { Verdict::Remove }
        };
        if max == 0 {
            return 0;
        }
        match &mut self.0 {
            Form::Listpack(listpack) => listpack.retain(direction, judge),
            Form::Quicklist(quicklist) => {
                let removed = quicklist.retain(direction, judge);
                if removed > 0 {
                    self.shrink(rules);
                }
                removed
            }
        }
    }

    pub(super) fn drop_cost(&self) -> usize {
        match &self.0 {
            Form::Listpack(_) => 1,
            Form::Quicklist(quicklist) => quicklist.nodes().len(),
        }
    }

    pub(super) fn drain_some(&mut self, max: usize) {
        match &mut self.0 {
            Form::Listpack(listpack) => listpack.clear(),
            Form::Quicklist(quicklist) => {
                quicklist.drop_nodes(max);
            }
        }
    }

    /// Removes the element at an end and leaves the form as it is.
    #[inline]
    fn take_out(&mut self, end: End) -> bool {
        match (&mut self.0, end) {
            (Form::Listpack(listpack), _) => {
                let place = match end {
                    End::Front => listpack.first(),
                    End::Back => listpack.last(),
                };
                place.is_some_and(|place| listpack.remove_run(place, 1) == 1)
            }
            (Form::Quicklist(quicklist), End::Front) => quicklist.pop_front(),
            (Form::Quicklist(quicklist), End::Back) => quicklist.pop_back(),
        }
    }

    /// Takes the large form if a listpack with one more element of this text is beyond the limit.
    fn make_room_for_one(&mut self, value: &[u8], rules: &Rules) {
        if let Form::Listpack(listpack) = &self.0 {
            let bytes = listpack.total_bytes().saturating_add(value.len());
            self.grow_for(bytes, listpack.len() + 1, rules);
        }
    }

    /// Takes the large form if a listpack of so many bytes and elements is beyond the limit.
    fn grow_for(&mut self, bytes: usize, count: usize, rules: &Rules) {
        let limits = &rules.limits;
        let (fill, depth) = (limits.list_fill, limits.list_compress_depth);
        if let Form::Listpack(listpack) = &mut self.0
            && fill.exceeded_by(bytes, count)
        {
            let pack = core::mem::take(listpack);
            self.0 = Form::Quicklist(Box::new(Quicklist::from_listpack(pack, fill, depth)));
        }
    }

    /// Takes the small form if one listpack of no more than half the limit is left.
    #[inline]
    fn shrink(&mut self, rules: &Rules) {
        let Form::Quicklist(quicklist) = &mut self.0 else { return };
        let Some(bytes) = quicklist.listpack_bytes() else { return };
        if rules.limits.list_fill.halved_by(bytes, quicklist.len()) {
            let empty = Quicklist::new(quicklist.fill(), quicklist.depth());
            match core::mem::replace(&mut **quicklist, empty).into_listpack() {
                Ok(pack) => self.0 = Form::Listpack(pack),
                Err(list) => **quicklist = list,
            }
        }
    }
}

/// The place of the element at `index`; none from the length on.
fn seek(listpack: &Listpack, index: usize) -> Option<Pos> {
    listpack.seek(i64::try_from(index).ok()?)
}

/// A text that elements are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    text: &'a [u8],
    int: Option<i64>,
}

impl<'a> Sought<'a> {
    /// Looks for `text`.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, int: Element::Bytes(text).int() }
    }

    /// Whether the element has the text.
    #[must_use]
    #[inline]
    pub fn is(&self, element: Element<'_>) -> bool {
        match element {
            Element::Int(number) => self.int == Some(number),
            Element::Bytes(bytes) => self.text == bytes,
        }
    }
}

/// Elements of a list; see [`List::walk`].
pub struct ListWalk<'a>(WalkForm<'a>);

enum WalkForm<'a> {
    Forward(ListpackIter<'a>),
    Backward(ListpackIter<'a>),
    Quicklist(Walk<'a>),
}

impl ListWalk<'_> {
    /// The next element. It is borrowed from the walk, which may have decompressed it.
    #[expect(clippy::should_implement_trait, reason = "what it gives is borrowed from the walk")]
    #[inline]
    pub fn next(&mut self) -> Option<Element<'_>> {
        match &mut self.0 {
            WalkForm::Forward(iter) => iter.next(),
            WalkForm::Backward(iter) => iter.next_back(),
            WalkForm::Quicklist(walk) => walk.next(),
        }
    }
}

impl Heap for List {
    #[inline]
    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Listpack(listpack) => listpack.heap_bytes(),
            Form::Quicklist(quicklist) => size_of::<Quicklist>() + quicklist.heap_bytes(),
        }
    }
}

impl Kind for List {
    fn empty() -> Self {
        Self(Form::Listpack(Listpack::new()))
    }

    fn of(object: &Object) -> Option<&Self> {
        let Object::List(list) = object else { return None };
        Some(list)
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        let Object::List(list) = object else { return None };
        Some(list)
    }

    fn into_object(self) -> Object {
        Object::List(self)
    }
}

/// Its elements, the same for both encodings.
impl fmt::Debug for List {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<Vec<u8>> = Vec::new();
        self.for_each(0..self.len(), |element| {
            texts.push(element.text(&mut Digits::new()).to_vec());
        });
        out.debug_list().entries(texts).finish()
    }
}
