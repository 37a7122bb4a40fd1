//! One node of a list: a listpack, the same compressed, or one large element.

use crate::listpack::{Element, Encoded, Listpack};
use crate::lzf;
use alloc::boxed::Box;

/// Smaller listpacks are not worth compressing.
const COMPRESS_BYTES_MIN: usize = 48;
/// What compressing must save at least.
const COMPRESS_GAIN_MIN: usize = 8;

/// What a node holds, for whoever writes a list down.
#[derive(Clone, Copy, Debug)]
pub enum NodeRef<'a> {
    /// Several elements.
    Pack(&'a Listpack),
    /// The same, compressed with LZF.
    Compressed {
        /// The compressed bytes.
        lzf: &'a [u8],
        /// Bytes of the listpack that they become.
        bytes: usize,
    },
    /// The text of one large element.
    Plain(&'a [u8]),
}

#[derive(Clone)]
enum Body {
    Pack(Listpack),
    Compressed { lzf: Box<[u8]>, bytes: u32 },
    Plain(Box<[u8]>),
}

/// A node; it is never empty.
#[derive(Clone)]
pub(super) struct Node {
    count: u32,
    body: Body,
}

impl Node {
    /// A node of one element.
    pub(super) fn of_entry(entry: &Encoded<'_>) -> Self {
        let mut pack = Listpack::new();
        put(&mut pack, 0, entry);
        Self::of_pack(pack)
    }

    pub(super) fn of_pack(pack: Listpack) -> Self {
        Self { count: pack.len() as u32, body: Body::Pack(pack) }
    }

    pub(super) fn of_plain(text: Box<[u8]>) -> Self {
        Self { count: 1, body: Body::Plain(text) }
    }

    /// Number of elements.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// Bytes of the node's allocation, rounded up to 8.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        match &self.body {
            Body::Pack(pack) => pack.heap_bytes(),
            Body::Compressed { lzf: bytes, .. } | Body::Plain(bytes) => {
                bytes.len().next_multiple_of(8)
            }
        }
    }

    /// Bytes of the listpack, compressed or not; `None` for a large element.
    #[inline]
    pub(super) fn pack_bytes(&self) -> Option<usize> {
        match &self.body {
            Body::Pack(pack) => Some(pack.total_bytes()),
            Body::Compressed { bytes, .. } => Some(*bytes as usize),
            Body::Plain(_) => None,
        }
    }

    pub(super) fn view(&self) -> NodeRef<'_> {
        match &self.body {
            Body::Pack(pack) => NodeRef::Pack(pack),
            Body::Compressed { lzf, bytes } => NodeRef::Compressed { lzf, bytes: *bytes as usize },
            Body::Plain(text) => NodeRef::Plain(text),
        }
    }

    /// The first element, unless the node is compressed.
    #[inline]
    pub(super) fn first(&self) -> Option<Element<'_>> {
        match &self.body {
            Body::Pack(pack) => pack.get(pack.first()?),
            Body::Plain(text) => Some(Element::Bytes(text)),
            Body::Compressed { .. } => None,
        }
    }

    /// The last element, unless the node is compressed.
    #[inline]
    pub(super) fn last(&self) -> Option<Element<'_>> {
        match &self.body {
            Body::Pack(pack) => pack.get(pack.last()?),
            Body::Plain(text) => Some(Element::Bytes(text)),
            Body::Compressed { .. } => None,
        }
    }

    /// Puts `entry` in front of the element at `offset`. Not for a large element's node.
    #[inline]
    pub(super) fn insert(&mut self, offset: usize, entry: &Encoded<'_>) {
        let count = self.count();
        self.edit(|pack| {
            if offset == count {
                put_back(pack, entry);
            } else {
                put(pack, offset, entry);
            }
        });
    }

    /// Puts another element in the place of the one at `offset`; both fit a listpack.
    pub(super) fn replace(&mut self, offset: usize, entry: &Encoded<'_>) {
        self.edit(|pack| {
            pack.remove_range(offset as i64, 1);
            put(pack, offset, entry);
        });
    }

    /// Bytes that the entry at `offset` takes in the listpack.
    pub(super) fn entry_bytes(&mut self, offset: usize) -> usize {
        self.edit(|pack| {
            let pos = pack.seek(offset as i64);
            pos.and_then(|pos| pack.get(pos)).map_or(0, Listpack::entry_bytes)
        })
    }

    /// Removes `count` elements from `offset` on. Not all of them: the node would be empty.
    #[inline]
    pub(super) fn remove_range(&mut self, offset: usize, count: usize) {
        self.edit(|pack| pack.remove_range(offset as i64, count));
        debug_assert!(self.count > 0, "a node is never empty");
    }

    /// Takes the elements from `offset` on out into a node of their own.
    pub(super) fn split_off(&mut self, offset: usize) -> Self {
        Self::of_pack(self.edit(|pack| {
            let tail = pack.split_off(pack.seek(offset as i64).unwrap_or(pack.end()));
            pack.shrink_to_fit();
            tail
        }))
    }

    /// Adds the elements of `tail` at the end. Neither is a large element's node.
    pub(super) fn append(&mut self, mut tail: Self) {
        self.edit(|pack| {
            let joined = tail.edit(|tail| pack.append(tail));
            joined.expect("nodes are joined only within the limit");
        });
    }

    /// Hands the listpack to `change`, decompressed if it has to be, and counts anew. A large
    /// element's node has an empty listpack to offer, and nothing comes of it.
    pub(super) fn edit<R>(&mut self, change: impl FnOnce(&mut Listpack) -> R) -> R {
        self.decompress();
        match &mut self.body {
            Body::Pack(pack) => {
                let result = change(pack);
                self.count = pack.len() as u32;
                result
            }
            Body::Compressed { .. } | Body::Plain(_) => {
                debug_assert!(false, "a large element has no listpack");
                change(&mut Listpack::new())
            }
        }
    }

    /// The listpack, to be read where it lies or decompressed to be read; `None` for a large
    /// element.
    pub(super) fn unpacked(&self) -> Option<Listpack> {
        match &self.body {
            Body::Compressed { lzf, bytes } => Some(unpack(lzf, *bytes as usize)),
            Body::Pack(_) | Body::Plain(_) => None,
        }
    }

    /// The listpack itself, if the node has one.
    pub(super) fn into_pack(mut self) -> Result<Listpack, Self> {
        self.decompress();
        match self.body {
            Body::Pack(pack) => Ok(pack),
            Body::Compressed { .. } | Body::Plain(_) => Err(self),
        }
    }

    /// Compresses a listpack if that saves enough.
    pub(super) fn compress(&mut self) {
        let Body::Pack(pack) = &self.body else { return };
        let bytes = pack.total_bytes();
        if bytes < COMPRESS_BYTES_MIN {
            return;
        }
        if let Some(lzf) = lzf::compress(pack.bytes(), bytes - COMPRESS_GAIN_MIN) {
            self.body = Body::Compressed { lzf: lzf.into_boxed_slice(), bytes: bytes as u32 };
        }
    }

    /// Undoes [`Node::compress`].
    #[inline]
    pub(super) fn decompress(&mut self) {
        if let Some(pack) = self.unpacked() {
            self.body = Body::Pack(pack);
        }
    }
}

fn unpack(lzf: &[u8], bytes: usize) -> Listpack {
    let unpacked = lzf::decompress(lzf, bytes).expect("a node unpacks to what was packed");
    Listpack::of_valid(&unpacked)
}

fn put(pack: &mut Listpack, offset: usize, entry: &Encoded<'_>) {
    let pos = pack.seek(offset as i64).unwrap_or(pack.end());
    pack.insert_entry(pos, entry).expect("a node below its limit has room");
}

fn put_back(pack: &mut Listpack, entry: &Encoded<'_>) {
    pack.insert_entry(pack.end(), entry).expect("a node below its limit has room");
}

const _: () = assert!(size_of::<Node>() == 32);
