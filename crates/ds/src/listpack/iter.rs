//! Walking and searching.

use super::{Element, HEADER, Listpack, Pos, code};

/// Elements in order, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    /// Behind the last element that is still to come.
    back: usize,
}

impl<'a> Iter<'a> {
    /// The elements of `pack` that [`Iter::rest`] left.
    #[inline]
    pub(crate) fn of_rest(pack: &'a Listpack, (front, back): (usize, usize)) -> Self {
        Self { bytes: pack.bytes(), front, back }
    }

    /// What is still to come, to go on with [`Iter::of_rest`].
    #[inline]
    pub(crate) fn rest(&self) -> (usize, usize) {
        (self.front, self.back)
    }

    /// The place of the element that `next` gives, or of the end.
    #[must_use]
    pub fn pos(&self) -> Pos {
        Pos::new(self.front)
    }

    /// Skips one element, and says whether there was one. Cheaper than `next`.
    #[inline]
    pub fn skip_one(&mut self) -> bool {
        if self.front >= self.back {
            return false;
        }
        match self.bytes.get(self.front..).and_then(code::whole) {
            Some(whole) => self.front += whole,
            None => self.front = self.back,
        }
        true
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (element, extent) = code::decode(self.bytes.get(self.front..)?)?;
        self.front += extent + code::back_bytes(extent);
        Some(element)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let before = self.bytes.get(self.front..self.back)?;
        self.back = self.back.checked_sub(code::whole_before(before)?)?;
        Some(code::decode(self.bytes.get(self.back..)?)?.0)
    }
}

/// Elements two by two: field and value, member and score.
#[derive(Clone, Debug)]
pub struct Pairs<'a>(Iter<'a>);

impl<'a> Pairs<'a> {
    /// The place of the pair that `next` gives, or of the end.
    #[must_use]
    pub fn pos(&self) -> Pos {
        self.0.pos()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

impl DoubleEndedIterator for Pairs<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let second = self.0.next_back()?;
        Some((self.0.next_back()?, second))
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Element<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Listpack {
    /// All elements in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(Pos::new(HEADER))
    }

    /// The elements from `pos` on. (The one at `pos` is also the last that going back gives.)
    #[must_use]
    pub fn iter_from(&self, pos: Pos) -> Iter<'_> {
        Iter { bytes: self.bytes(), front: pos.at(), back: self.end().at() }
    }

    /// The elements in front of `pos`; reversed, they start beside it.
    #[must_use]
    pub fn iter_until(&self, pos: Pos) -> Iter<'_> {
        Iter { bytes: self.bytes(), front: HEADER, back: pos.at() }
    }

    /// All elements two by two; a last one without a companion is left out.
    #[must_use]
    pub fn pairs(&self) -> Pairs<'_> {
        Pairs(self.iter())
    }

    /// Elements two by two from `pos` on.
    #[must_use]
    pub fn pairs_from(&self, pos: Pos) -> Pairs<'_> {
        Pairs(self.iter_from(pos))
    }

    /// The first element equal to `value` from `pos` on, comparing every `1 + skip`th only: with
    /// `skip` 1 and the first position, the fields of a hash without its values.
    #[must_use]
    pub fn find<'v>(&self, from: Pos, value: impl Into<Element<'v>>, skip: usize) -> Option<Pos> {
        let mut digits = super::Digits::new();
        let value = value.into();
        let int = value.int();
        find(self.iter_from(from), value.text(&mut digits), int, skip)
    }

    /// [`Listpack::find`] in a listpack of pairs, among the first of each.
    #[must_use]
    pub fn find_pair<'v>(&self, first: impl Into<Element<'v>>) -> Option<Pos> {
        self.find(Pos::new(HEADER), first, 1)
    }
}

/// Where the text, whose integer is `int`, stands among every `1 + skip`th of the elements.
fn find(mut iter: Iter<'_>, text: &[u8], int: Option<i64>, skip: usize) -> Option<Pos> {
    loop {
        let pos = iter.pos();
        let same = match iter.next()? {
            Element::Int(number) => int == Some(number),
            Element::Bytes(bytes) => bytes == text,
        };
        if same {
            return Some(pos);
        }
        for _ in 0..skip {
            iter.skip_one();
        }
    }
}

/// Number of elements from byte `at` on.
pub(super) fn count(bytes: &[u8], at: usize) -> usize {
    let mut iter = Iter { bytes, front: at, back: bytes.len().saturating_sub(1) };
    let mut count = 0;
    while iter.skip_one() {
        count += 1;
    }
    count
}
