//! The items of a collection, so many in each request.

use super::super::request::{begin_request, put_argument};
use alloc::vec::Vec;
use vesta_ds::Listpack;
use vesta_store::{Digits, Element, Hash, List, Object, Set, Zset};
use vesta_types::number;

/// Items of a collection that one request adds at most.
const ITEMS_PER_REQUEST: usize = 64;
/// Buckets, or members of a sorted set, or nodes of a list, that make a piece.
const BUCKETS: usize = 8;
const MEMBERS: usize = 32;
const NODES: usize = 1;

/// Which items are next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// A bucket, a rank or a node.
    from: usize,
    /// Items that are still to come.
    left: usize,
    /// How many of them the request at hand takes.
    room: usize,
}

impl Count {
    /// The first items of a collection; streams have none.
    pub(super) fn of(object: &Object) -> Self {
        let left = match object {
            Object::Hash(hash) => hash.len(),
            Object::List(list) => list.len(),
            Object::Set(set) => set.len(),
            Object::Zset(zset) => zset.len(),
            Object::Stream(_) => 0,
        };
        Self { from: 0, left, room: 0 }
    }
}

/// Writes items, in as many requests as it takes.
pub(super) struct Items<'o> {
    out: &'o mut Vec<u8>,
    command: &'static [u8],
    key: &'o [u8],
    count: Count,
}

impl<'o> Items<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>, object: &Object, key: &'o [u8], count: Count) -> Self {
        let command: &[u8] = match object {
            Object::Hash(_) => b"HSET",
            Object::List(_) => b"RPUSH",
            Object::Set(_) => b"SADD",
            Object::Zset(_) => b"ZADD",
            Object::Stream(_) => b"XADD",
        };
        Self { out, command, key, count }
    }

    /// Which items are next.
    pub(super) fn count(&self) -> Count {
        self.count
    }

    /// Writes a piece of a collection; whether more is left.
    pub(super) fn put_some(&mut self, object: &Object) -> bool {
        let end = match object {
            Object::Hash(hash) => self.put_hash(hash),
            Object::List(list) => self.put_list(list),
            Object::Set(set) => self.put_set(set),
            Object::Zset(zset) => self.put_zset(zset),
            Object::Stream(_) => 0,
        };
        let is_over = self.count.from >= end;
        assert!(is_over == (self.count.left == 0), "a collection has as many items as it says");
        !is_over
    }

    fn put_hash(&mut self, hash: &Hash) -> usize {
        hash.for_each_in(self.places(BUCKETS), |field| {
            self.next(2);
            self.put(Element::Bytes(field.name()));
            self.put(Element::Bytes(field.value()));
        });
        for (name, value) in hash.listpack().into_iter().flat_map(Listpack::pairs) {
            self.next(2);
            self.put(name);
            self.put(value);
        }
        hash.buckets()
    }

    fn put_list(&mut self, list: &List) -> usize {
        let places = self.places(NODES);
        let mut put = |element: Element<'_>| {
            self.next(1);
            self.put(element);
        };
        let Some(nodes) = list.quicklist() else {
            list.for_each(0..list.len(), put);
            return 0;
        };
        places.for_each(|node| nodes.for_each_of_node(node, &mut put));
        nodes.nodes().len()
    }

    fn put_set(&mut self, set: &Set) -> usize {
        set.for_each_in(self.places(BUCKETS), |member| {
            self.next(1);
            self.put(Element::Bytes(member));
        });
        if set.buckets() == 0 {
            for member in set.iter() {
                self.next(1);
                self.put(member);
            }
        }
        set.buckets()
    }

    fn put_zset(&mut self, zset: &Zset) -> usize {
        for (member, score) in zset.walk(self.places(MEMBERS)) {
            self.next(2);
            self.put(Element::Bytes(number::format_f64(score).as_bytes()));
            self.put(member);
        }
        zset.len()
    }

    /// The places of the next piece, which are then behind.
    fn places(&mut self, count: usize) -> core::ops::Range<usize> {
        let from = self.count.from;
        self.count.from += count;
        from..self.count.from
    }

    /// The next item, which has so many arguments, as all of them have.
    fn next(&mut self, arguments: usize) {
        let Count { left, room, .. } = &mut self.count;
        if *room == 0 {
            *room = (*left).min(ITEMS_PER_REQUEST);
            begin_request(self.out, 2 + *room * arguments);
            put_argument(self.out, self.command);
            put_argument(self.out, self.key);
        }
        assert!(*room > 0, "a collection has no more items than it says");
        *room -= 1;
        *left -= 1;
    }

    /// An argument of an item.
    fn put(&mut self, element: Element<'_>) {
        put_argument(self.out, element.text(&mut Digits::new()));
    }
}
