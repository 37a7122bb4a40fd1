//! Values in the format of RDB, put together by hand: at least one for each way in which a value
//! has ever been written, and what happens to them on a bad day.
//!
//! This knows the format on its own, so that it can tell when the decoder under test does not. The
//! facts are those of payloads of redis-server 7.0.15 and of the public descriptions.
#![expect(clippy::indexing_slicing, reason = "the bytes indexed were made right above")]

/// A value as it stands in a payload: its type and body.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What it is, for messages.
    pub name: &'static str,
    /// The version of the payload.
    pub version: u16,
    /// Type and body.
    pub bytes: Vec<u8>,
}

impl Sample {
    /// The payload that RESTORE takes.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        sealed(&self.bytes, self.version)
    }
}

/// A type and body with the footer of a payload.
#[must_use]
pub fn sealed(bytes: &[u8], version: u16) -> Vec<u8> {
    let mut payload = [bytes, &version.to_le_bytes()].concat();
    let sum = crc64(&payload);
    payload.extend(sum.to_le_bytes());
    payload
}

/// A whole file of version 10: all samples that it can hold, one of them expired and one expiring
/// late, and another key in database 3.
#[must_use]
pub fn snapshot() -> Vec<u8> {
    let aux = |name: &str, value: &[u8]| [&[250][..], &text(name.as_bytes()), value].concat();
    let mut file = b"REDIS0010".to_vec();
    file.extend(aux("redis-ver", &text(b"7.0.15")));
    file.extend(aux("ctime", &[&[0xc2][..], &1_700_000_000_u32.to_le_bytes()].concat()));
    file.extend(aux("aof-base", &[0xc0, 1]));
    file.extend([254, 0, 251, 0x40, 100, 2]);
    let known: Vec<Sample> = samples().into_iter().filter(|known| known.version <= 10).collect();
    for (number, sample) in known.iter().enumerate() {
        let expiry = [1_u64, 9_000_000_000_000].get(number);
        file.extend(expiry.into_iter().flat_map(|at| [&[252][..], &at.to_le_bytes()].concat()));
        file.push(sample.bytes[0]);
        file.extend(text(sample.name.as_bytes()));
        file.extend(&sample.bytes[1..]);
    }
    file.extend([254, 3, 0]);
    file.extend([text(b"k"), text(b"v")].concat());
    file.push(255);
    let sum = crc64(&file);
    file.extend(sum.to_le_bytes());
    file
}

/// Changes bytes as a bad cable would, and as a bad mind would: single bits, bytes that mean
/// something, pieces left out, doubled or moved.
#[derive(Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// The same seed makes the same changes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }

    /// `bytes` with one to four changes.
    pub fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        const TELLING: [u8; 16] =
            [0, 1, 2, 3, 6, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf1, 0xf4, 0xfe, 0xff];
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let (at, len) = (self.below(bytes.len()), 1 + self.below(8));
            let end = (at + len).min(bytes.len());
            match self.below(8) {
                0 | 1 => bytes[at] ^= 1 << self.below(8),
                2 | 3 => bytes[at] = TELLING[self.below(TELLING.len())],
                4 => bytes[at] = bytes[at].wrapping_add([1, 255][self.below(2)]),
                5 => drop(bytes.drain(at..end)),
                6 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes.swap(at, end - 1),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        bytes
    }
}

/// One value of every type and encoding.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    let mut add = |name, version, code: u8, parts: &[&[u8]]| {
        all.push(Sample { name, version, bytes: [&[code], parts.concat().as_slice()].concat() });
    };
    let long = vec![b'x'; 300];
    let (abc, pairs) = ([t("a"), i(12), t("abc")], [t("a"), i(1), t("b"), t("two")]);
    add("string", 1, 0, &[&text(b"hello")]);
    add("integer", 1, 0, &[&[0xc1, 0x39, 0x30]]);
    add("compressed string", 1, 0, &[&lzf(&long)]);
    add("list of texts", 1, 1, &[&[3], &text(b"a"), &[0xc0, 7], &text(b"a")]);
    add("set of texts", 1, 2, &[&[3], &text(b"a"), &text(b"b"), &[0xc0, 7]]);
    add("set of integers as texts", 1, 2, &[&[2], &text(b"1"), &[0xc0, 7]]);
    add(
        "zset with decimal scores",
        1,
        3,
        &[&[3], &text(b"a"), b"\x032.5", &text(b"b"), b"\xfe", &text(b"c"), b"\xff"],
    );
    add("hash of texts", 1, 4, &[&[2], &text(b"a"), &text(b"1"), &text(b"b"), &lzf(&long)]);
    let scores = [2.5_f64, -1.0].map(f64::to_le_bytes);
    add("zset with binary scores", 8, 5, &[&[2], &text(b"a"), &scores[0], &text(b"b"), &scores[1]]);
    add("zipmap", 3, 9, &[&text(&zipmap(&[("f1", "v1"), ("f2", &"y".repeat(260))]))]);
    add("list as ziplist", 4, 10, &[&text(&ziplist(&abc))]);
    let ints: Vec<Item> = [0, 12, 13, -1, 127, 128, -32768, 32768, 8_388_607, 1 << 30, 1 << 40]
        .into_iter()
        .map(Item::Int)
        .collect();
    add("ziplist of all integers", 4, 10, &[&text(&ziplist(&ints))]);
    let texts = [
        Item::Text(vec![b'q'; 63]),
        Item::Text(vec![b'q'; 64]),
        Item::Text(vec![b'z'; 20_000]),
        t(""),
    ];
    add("ziplist of all texts", 4, 10, &[&text(&ziplist(&texts))]);
    add("intset of 2 bytes", 4, 11, &[&text(&intset(2, &[-3, 1, 700]))]);
    add("intset of 4 bytes", 4, 11, &[&text(&intset(4, &[-70_000, 1, 70_000]))]);
    add("intset of 8 bytes", 4, 11, &[&text(&intset(8, &[-3, 1 << 40]))]);
    let ranked = [t("a"), i(1), t("b"), t("2.5"), t("c"), i(3)];
    add("zset as ziplist", 4, 12, &[&text(&ziplist(&ranked))]);
    add("hash as ziplist", 4, 13, &[&text(&ziplist(&pairs))]);
    add("quicklist of ziplists", 7, 14, &[&[2], &text(&ziplist(&abc)), &lzf(&ziplist(&ints))]);
    add("hash as listpack", 10, 16, &[&text(&listpack(&pairs))]);
    add("compressed hash", 10, 16, &[&lzf(&listpack(&pairs))]);
    add("zset as listpack", 10, 17, &[&text(&listpack(&ranked))]);
    add("list as listpack", 10, 18, &[&[1, 2], &text(&listpack(&abc))]);
    add(
        "quicklist of listpacks",
        10,
        18,
        &[
            &[4, 2],
            &text(&listpack(&abc)),
            &[1],
            &text(&long),
            &[2],
            &lzf(&listpack(&ints)),
            &[2],
            &text(&listpack(&texts)),
        ],
    );
    add("set as listpack", 11, 20, &[&text(&listpack(&abc))]);
    let time = 9_000_000_000_000_u64.to_le_bytes();
    let never = (-1_i64).to_le_bytes();
    add(
        "hash with times, candidate",
        12,
        22,
        &[
            &[2],
            &number(9_000_000_000_000),
            &text(b"a"),
            &text(b"1"),
            &[0],
            &text(b"b"),
            &text(b"2"),
        ],
    );
    let triples = [t("a"), i(1), i(9_000_000_000_000), t("b"), i(2), i(0)];
    add("listpack with times, candidate", 12, 23, &[&text(&listpack(&triples))]);
    add(
        "hash with times",
        12,
        24,
        &[&time, &[2, 1], &text(b"a"), &text(b"1"), &[0], &text(b"b"), &text(b"2")],
    );
    add("listpack with times", 12, 25, &[&time, &text(&listpack(&triples))]);
    add(
        "hash with times of Valkey",
        80,
        22,
        &[&[2], &text(b"a"), &text(b"1"), &time, &text(b"b"), &text(b"2"), &never],
    );
    add("stream, first form", 9, 15, &[&stream(1)]);
    add("stream, second form", 10, 19, &[&stream(2)]);
    add("stream, third form", 11, 21, &[&stream(3)]);
    add("stream without entries", 10, 19, &[&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]);
    all
}

/// A stream with two nodes, a deleted entry, two groups and two consumers.
fn stream(form: u8) -> Vec<u8> {
    let entry = |flags, ms, seq, fields: &[Item]| {
        let mut entry = vec![i(flags), i(ms), i(seq)];
        let back = 3 + fields.len() as i64;
        entry.extend(fields.iter().cloned());
        entry.push(i(back));
        entry
    };
    let first = [
        vec![i(2), i(1), i(1), t("name"), i(0)],
        entry(2, 0, 0, &[t("one")]),
        entry(3, 0, 1, &[t("gone")]),
        entry(0, 5, 0, &[i(2), t("x"), i(1), t("y"), t("z")]),
    ];
    let second = [vec![i(1), i(0), i(1), i(7), i(0)], entry(2, 0, 0, &[i(8)])];
    let id = |ms: u64, seq: u64| [ms.to_be_bytes(), seq.to_be_bytes()].concat();
    let time = 1_700_000_000_000_u64.to_le_bytes();
    let mut out = vec![2];
    for (master, node) in [(id(1, 1), first.concat()), (id(9, 0), second.concat())] {
        out.extend(text(&master));
        out.extend(text(&listpack(&node)));
    }
    // Length, last id; first id, greatest deleted id, entries added.
    out.extend([3, 9, 0]);
    if form > 1 {
        out.extend([1, 1, 1, 2, 4]);
    }
    out.push(2);
    for (name, read) in [(&b"g1"[..], Some(2)), (b"g2", None)] {
        out.extend(text(name));
        out.extend([6, 0]);
        if form > 1 {
            out.extend(number(read.unwrap_or(u64::MAX)));
        }
        out.push(2);
        for waiting in [id(1, 1), id(6, 1)] {
            out.extend(waiting);
            out.extend(time);
            out.push(1);
        }
        out.push(2);
        for (consumer, held) in [(&b"c1"[..], vec![id(1, 1), id(6, 1)]), (b"c2", vec![])] {
            out.extend(text(consumer));
            out.extend(time);
            if form > 2 {
                out.extend((-1_i64).to_le_bytes());
            }
            out.push(held.len() as u8);
            out.extend(held.concat());
        }
    }
    out
}

/// An element of a small encoding.
#[derive(Clone, Debug)]
enum Item {
    Int(i64),
    Text(Vec<u8>),
}

fn i(number: i64) -> Item {
    Item::Int(number)
}

fn t(text: &str) -> Item {
    Item::Text(text.as_bytes().to_vec())
}

fn number(number: u64) -> Vec<u8> {
    match number {
        0..=0x3f => vec![number as u8],
        0x40..=0x3fff => vec![0x40 | (number >> 8) as u8, number as u8],
        0x4000..=0xffff_ffff => [&[0x80][..], &(number as u32).to_be_bytes()].concat(),
        _ => [&[0x81][..], &number.to_be_bytes()].concat(),
    }
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len() as u64), bytes].concat()
}

/// A compressed string; repetitions of one byte are all that is seen.
fn lzf(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        packed.extend([0, run[0]]);
        for copy in run[1..].chunks(9) {
            match copy.len() {
                1 | 2 => copy.iter().for_each(|byte| packed.extend([0, *byte])),
                9 => packed.extend([0xe0, 0, 0]),
                len => packed.extend([(len as u8 - 2) << 5, 0]),
            }
        }
    }
    [&[0xc3][..], &number(packed.len() as u64), &number(bytes.len() as u64), &packed].concat()
}

fn intset(width: usize, members: &[i64]) -> Vec<u8> {
    let mut out = [(width as u32).to_le_bytes(), (members.len() as u32).to_le_bytes()].concat();
    members.iter().for_each(|member| out.extend(&member.to_le_bytes()[..width]));
    out
}

fn zipmap(fields: &[(&str, &str)]) -> Vec<u8> {
    let len = |text: &str| match text.len() {
        0..=253 => vec![text.len() as u8],
        long => [&[254][..], &(long as u32).to_le_bytes()].concat(),
    };
    let mut out = vec![fields.len() as u8];
    for (unused, (name, value)) in fields.iter().enumerate() {
        out.extend([len(name), name.as_bytes().to_vec(), len(value), vec![unused as u8]].concat());
        out.extend([value.as_bytes(), &vec![0; unused]].concat());
    }
    out.push(0xff);
    out
}

fn ziplist(items: &[Item]) -> Vec<u8> {
    let (mut entries, mut before, mut last) = (Vec::new(), 0_usize, 10);
    for item in items {
        let mut entry = match before {
            0..=253 => vec![before as u8],
            _ => [&[254][..], &(before as u32).to_le_bytes()].concat(),
        };
        match item {
            Item::Int(number @ 0..=12) => entry.push(0xf1 + *number as u8),
            Item::Int(number) => {
                let bytes = number.to_le_bytes();
                let fits = |bits: u32| *number >= -(1 << (bits - 1)) && *number < 1 << (bits - 1);
                let (code, width) = match () {
                    () if fits(8) => (0xfe, 1),
                    () if fits(16) => (0xc0, 2),
                    () if fits(24) => (0xf0, 3),
                    () if fits(32) => (0xd0, 4),
                    () => (0xe0, 8),
                };
                entry.push(code);
                entry.extend(&bytes[..width]);
            }
            Item::Text(text) => {
                match text.len() {
                    len @ 0..=0x3f => entry.push(len as u8),
                    len @ 0x40..=0x3fff => entry.extend([0x40 | (len >> 8) as u8, len as u8]),
                    len => entry.extend([&[0x80][..], &(len as u32).to_be_bytes()].concat()),
                }
                entry.extend(text);
            }
        }
        last = 10 + entries.len();
        before = entry.len();
        entries.extend(entry);
    }
    let total = (entries.len() + 11) as u32;
    let count = (items.len() as u16).to_le_bytes();
    let head = [&total.to_le_bytes()[..], &(last as u32).to_le_bytes(), &count].concat();
    [&head[..], &entries, &[0xff]].concat()
}

fn listpack(items: &[Item]) -> Vec<u8> {
    let mut out = vec![0; 6];
    for item in items {
        let entry = match item {
            Item::Int(number @ 0..=127) => vec![*number as u8],
            Item::Int(number @ -4096..=4095) => {
                let bits = (*number as u16) & 0x1fff;
                vec![0xc0 | (bits >> 8) as u8, bits as u8]
            }
            Item::Int(number) => [&[0xf4][..], &number.to_le_bytes()].concat(),
            Item::Text(text) if text.len() < 64 => [&[0x80 | text.len() as u8][..], text].concat(),
            Item::Text(text) => [&[0xf0][..], &(text.len() as u32).to_le_bytes(), text].concat(),
        };
        out.extend(&entry);
        // Seven bits a byte, the highest first; all but the first are marked.
        let (mut back, mut rest) = (vec![(entry.len() & 0x7f) as u8], entry.len() >> 7);
        while rest > 0 {
            back[0] |= 0x80;
            back.insert(0, (rest & 0x7f) as u8);
            rest >>= 7;
        }
        out.extend(back);
    }
    out.push(0xff);
    let total = (out.len() as u32).to_le_bytes();
    out[..4].copy_from_slice(&total);
    out[4..6].copy_from_slice(&(items.len() as u16).to_le_bytes());
    out
}

/// CRC-64 with the Jones polynomial, reflected.
fn crc64(bytes: &[u8]) -> u64 {
    const TABLE: [u64; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let (mut sum, mut bit) = (byte as u64, 0);
            while bit < 8 {
                sum = if sum & 1 == 1 { (sum >> 1) ^ 0x95ac_9329_ac4b_c9b5 } else { sum >> 1 };
                bit += 1;
            }
            table[byte] = sum;
            byte += 1;
        }
        table
    };
    bytes.iter().fold(0, |sum, byte| TABLE[((sum ^ u64::from(*byte)) & 0xff) as usize] ^ (sum >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_redis() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }

    #[test]
    fn the_same_seed_makes_the_same_changes() {
        let (mut a, mut b) = (Mutator::new(7), Mutator::new(7));
        for sample in samples() {
            assert_eq!(a.mutated(&sample.bytes), b.mutated(&sample.bytes));
        }
    }
}
