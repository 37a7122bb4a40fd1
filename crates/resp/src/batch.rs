//! Requests that are complete and wait to be executed.

use crate::inbox::BIG_ARGUMENT_BYTES;
use alloc::vec::Vec;
use core::ops::Range;
use vesta_types::Blob;

/// A range of the bytes the batch was read from, or the number of a big argument.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    /// `start` of a span whose `len` is an index into the big arguments.
    const BIG: u32 = u32::MAX;

    pub(crate) const fn big(index: u32) -> Self {
        Self { start: Self::BIG, len: index }
    }

    /// Where the bytes behind it begin, if it is a range.
    fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    /// The span seen from `shift` bytes further on.
    pub(crate) const fn moved_back(self, shift: u32) -> Self {
        if self.start == Self::BIG { self } else { Self { start: self.start - shift, ..self } }
    }
}

/// How many decimal digits a number has.
#[inline]
fn digits_of(number: u32) -> usize {
    match number {
        0..10 => 1,
        10..100 => 2,
        100..1000 => 3,
        _ => number.ilog10() as usize + 1,
    }
}

/// One request of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framed {
    /// Its first span.
    pub(crate) first: u32,
    /// How many arguments it has, the command's name included.
    pub(crate) count: u32,
    /// Where the bytes of the next request begin.
    pub(crate) end: usize,
    /// Whether its spans lie in the arena of unquoted words.
    pub(crate) inline: bool,
}

/// Complete requests, in order of arrival. One is reused for all conversations of a node.
#[derive(Debug, Default)]
pub struct Batch {
    pub(crate) spans: Vec<Span>,
    pub(crate) requests: Vec<Framed>,
    pub(crate) arena: Vec<u8>,
    pub(crate) bigs: Vec<Blob>,
    /// Where in the input the first request begins and where the last one ends.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Batch {
    /// How many requests are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The request number `index`, its arguments in `input`, the bytes the batch was read from.
    #[must_use]
    #[inline]
    pub fn request<'a>(&'a self, index: usize, input: &'a [u8]) -> Option<Request<'a>> {
        let framed = self.requests.get(index)?;
        let first = framed.first as usize;
        let spans = self.spans.get(first..first + framed.count as usize)?;
        let bytes = if framed.inline { &self.arena } else { input };
        Some(Request { bytes, spans, bigs: &self.bigs })
    }

    /// Holds one request and nothing else: its arguments lie in these ranges of `input`, which is
    /// to be shown again when it is asked for. A big argument gets an allocation of its own.
    pub fn hold_one(&mut self, arguments: &[Range<usize>], input: &[u8]) {
        self.clear();
        for range in arguments {
            let bytes = input.get(range.clone()).unwrap_or_default();
            let place = (u32::try_from(range.start), u32::try_from(bytes.len()));
            let span = match place {
                (Ok(start), Ok(len))
                    if bytes.len() < BIG_ARGUMENT_BYTES && start.checked_add(len).is_some() =>
                {
                    Span { start, len }
                }
                (_, _) => {
                    self.bigs.push(Blob::new(bytes.to_vec()));
                    Span::big(u32::try_from(self.bigs.len() - 1).unwrap_or(0))
                }
            };
            self.spans.push(span);
        }
        let count = u32::try_from(arguments.len()).unwrap_or(0);
        self.requests.push(Framed { first: 0, count, end: 0, inline: false });
    }

    /// The bytes of request `index` as they came, with what was passed over in front of it (empty
    /// lines). `None` when they are not all in the input, as an argument has an allocation of its
    /// own.
    #[must_use]
    #[inline]
    pub fn raw<'a>(&self, index: usize, input: &'a [u8]) -> Option<&'a [u8]> {
        let framed = self.requests.get(index)?;
        if index == 0 && !self.bigs.is_empty() {
            return None;
        }
        input.get(self.consumed(index)..framed.end)
    }

    /// What was passed over behind the last request.
    #[must_use]
    pub fn behind<'a>(&self, input: &'a [u8]) -> &'a [u8] {
        input.get(self.consumed(self.len())..self.end).unwrap_or_default()
    }

    /// Where in the input the bytes behind this batch begin.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end
    }

    /// Where in the input the bytes behind the first `count` requests begin.
    pub(crate) fn consumed(&self, count: usize) -> usize {
        let last = count.checked_sub(1).and_then(|last| self.requests.get(last));
        last.map_or(self.start, |last| last.end)
    }

    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.requests.clear();
        self.arena.clear();
        self.bigs.clear();
    }
}

/// The arguments of one request; number 0 is the command's name.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
    bigs: &'a [Blob],
}

impl<'a> Request<'a> {
    /// How many arguments there are, the command's name included.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no argument at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`; empty when there are not so many.
    #[must_use]
    #[inline]
    pub fn arg(&self, index: usize) -> &'a [u8] {
        let Some(span) = self.spans.get(index) else { return &[] };
        if span.start == Span::BIG {
            return self.bigs.get(span.len as usize).map_or(&[], |blob| blob.as_slice());
        }
        let start = span.start as usize;
        self.bytes.get(start..start + span.len as usize).unwrap_or_default()
    }

    /// Argument `index` when it arrived in an allocation of its own, which a value may keep.
    #[must_use]
    #[inline]
    pub fn blob(&self, index: usize) -> Option<&'a Blob> {
        let span = self.spans.get(index)?;
        if span.start == Span::BIG { self.bigs.get(span.len as usize) } else { None }
    }

    /// All arguments from `from` on.
    pub fn args_from(
        &self,
        from: usize,
    ) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator + Clone + use<'a> {
        let request = *self;
        (from..self.len()).map(move |index| request.arg(index))
    }

    /// All of it as it came, if that is what a program would have written: only then does it read
    /// the same wherever it is copied to. `None` for a request in words (`GET k`), one with an
    /// argument in an allocation of its own, and one that was put together here.
    ///
    /// What lies in front of an argument was read as its length, strictly, so that only the line
    /// ends are left to be looked at.
    #[must_use]
    #[inline]
    pub fn wire(&self) -> Option<&'a [u8]> {
        let (first, rest) = self.spans.split_first()?;
        let start = self.wire_start(first)?;
        let mut end = first.end();
        for span in rest {
            let between = self.bytes.get(end..span.start as usize)?;
            let [b'\r', b'\n', b'$', digits @ .., b'\r', b'\n'] = between else { return None };
            if digits.len() != digits_of(span.len) {
                return None;
            }
            end = span.end();
        }
        let wire = self.bytes.get(start..end + 2)?;
        wire.ends_with(b"\r\n").then_some(wire)
    }

    /// Where a request of so many arguments begins whose first one is this.
    #[inline]
    fn wire_start(&self, first: &Span) -> Option<usize> {
        let (count, data) = (self.spans.len(), first.start as usize);
        let head = 1 + digits_of(u32::try_from(count).ok()?) + 2;
        let start = data.checked_sub(head + 1 + digits_of(first.len) + 2)?;
        let (count_line, len_line) = self.bytes.get(start..data)?.split_at_checked(head)?;
        let [b'*', digits @ .., b'\r', b'\n'] = count_line else { return None };
        let [b'$', .., b'\r', b'\n'] = len_line else { return None };
        let told = digits.iter().try_fold(0_usize, |told, digit| {
            told.checked_mul(10)?.checked_add(usize::from(digit.checked_sub(b'0')?))
        });
        (told == Some(count)).then_some(start)
    }

    /// The request without its first `count` arguments.
    #[must_use]
    pub fn skip(&self, count: usize) -> Self {
        Self { spans: self.spans.get(count..).unwrap_or_default(), ..*self }
    }
}

/// A request with bytes of its own, which outlives the buffer it arrived in.
#[derive(Clone, Debug, Default)]
pub struct OwnedRequest {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// Big arguments, in the allocations they arrived in.
    bigs: Vec<Blob>,
}

impl OwnedRequest {
    /// A copy of `request` with argument `index` replaced wherever `replace` gives another.
    pub fn of<'a>(
        request: &Request<'a>,
        mut replace: impl FnMut(usize, &'a [u8]) -> Option<Vec<u8>>,
    ) -> Self {
        let small = |index: &usize| request.blob(*index).is_none();
        let bytes = (0..request.len()).filter(small).map(|index| request.arg(index).len()).sum();
        let mut owned = Self {
            bytes: Vec::with_capacity(bytes),
            spans: Vec::with_capacity(request.len()),
            bigs: Vec::new(),
        };
        for (index, argument) in request.args_from(0).enumerate() {
            let replacement = replace(index, argument);
            if let (None, Some(blob)) = (&replacement, request.blob(index)) {
                owned.spans.push(Span::big(u32::try_from(owned.bigs.len()).unwrap_or(0)));
                owned.bigs.push(blob.clone());
                continue;
            }
            let start = u32::try_from(owned.bytes.len()).unwrap_or(u32::MAX - 1);
            match replacement {
                Some(other) => owned.bytes.extend_from_slice(&other),
                None => owned.bytes.extend_from_slice(argument),
            }
            let len = owned.bytes.len() - start as usize;
            owned.spans.push(Span { start, len: u32::try_from(len).unwrap_or(0) });
        }
        owned
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request { bytes: &self.bytes, spans: &self.spans, bigs: &self.bigs }
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let bigs: usize =
            self.bigs.iter().map(|big| big.as_slice().len() + size_of::<Blob>()).sum();
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>() + bigs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_request_can_be_put_together_from_ranges() {
        let mut input = b"..SET.key..".to_vec();
        input.extend(vec![b'v'; BIG_ARGUMENT_BYTES]);
        let mut batch = Batch::default();
        for _ in 0..2 {
            batch.hold_one(&[2..5, 6..9, 9..9, 11..input.len()], &input);
            assert_eq!(batch.len(), 1);
            let request = batch.request(0, &input).unwrap();
            let words: Vec<&[u8]> = request.args_from(0).collect();
            assert_eq!(words, [b"SET", b"key", b"".as_slice(), &input[11..]]);
            assert!(request.blob(3).is_some() && request.blob(1).is_none());
            assert_eq!(request.wire(), None);
        }
    }
}
