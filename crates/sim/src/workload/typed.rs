//! Requests about lists, sets, hashes, sorted sets and streams, and those that wait for them.

use super::{Awaited, Words, Workload, number, words};

/// Letters that names of keys of each type begin with, and how many there are.
const LISTS: (&str, u64) = ("l", 5);
const SETS: (&str, u64) = ("s", 4);
const HASHES: (&str, u64) = ("h", 3);
const ZSETS: (&str, u64) = ("z", 3);
const STREAMS: (&str, u64) = ("x", 4);
const ALL: [(&str, u64); 5] = [LISTS, SETS, HASHES, ZSETS, STREAMS];

/// Commands that take exactly what they are given here.
const EXACT: [&str; 12] = [
    "LLEN", "LRANGE", "LINDEX", "LSET", "LREM", "LTRIM", "LMOVE", "SCARD", "SMOVE", "HGET",
    "ZCARD", "XLEN",
];

impl Workload {
    /// A request about a value that is no string. `ids` is how many clients there have been.
    pub(super) fn typed(&mut self, ids: u64) -> (Words, Awaited) {
        if self.rng.below(1000) < self.waiting_per_1000 {
            return self.waiting(ids);
        }
        let mut request = match self.rng.below(20) {
            0..6 => self.list(),
            6..9 => self.set_of_members(),
            9..11 => self.hash(),
            11..14 => self.zset(),
            14..18 => self.stream(),
            _ => self.any_type(),
        };
        let takes_no_more = request.first().is_some_and(|name| {
            EXACT.iter().any(|exact| name.eq_ignore_ascii_case(exact.as_bytes()))
        });
        if takes_no_more && self.rng.below(50) == 0 {
            request.push(b"surplus".to_vec());
        }
        (request, Awaited::Any)
    }

    /// A key that mostly holds a value of this type.
    fn key_of(&mut self, kind: (&'static str, u64)) -> Vec<u8> {
        let (letter, count) = if self.rng.below(25) == 0 { self.one_of(&ALL) } else { kind };
        format!("{letter}{}", self.rng.below(count.max(1))).into()
    }

    /// An element, mostly one of a few.
    fn element(&mut self) -> Vec<u8> {
        match self.rng.below(24) {
            0 => self.text(70),
            1 => number(self.rng.below(100_000)),
            2 => Vec::new(),
            _ => number(self.rng.below(12)),
        }
    }

    /// A few elements, or so many that the value takes another form.
    fn elements(&mut self) -> Words {
        let count = if self.rng.below(60) == 0 { 150 } else { 1 + self.rng.below(3) };
        (0..count).map(|_| self.element()).collect()
    }

    fn place(&mut self) -> Vec<u8> {
        self.one_of(&["0", "1", "-1", "2", "-3", "100", "-100", "x"]).into()
    }

    fn end(&mut self) -> Vec<u8> {
        self.one_of(&["LEFT", "RIGHT", "left", "RIGHT"]).into()
    }

    fn list(&mut self) -> Words {
        let key = self.key_of(LISTS);
        match self.rng.below(20) {
            0..6 => {
                let name = self.one_of(&["LPUSH", "RPUSH", "RPUSH", "LPUSHX", "RPUSHX"]);
                let mut request = vec![name.into(), key];
                request.extend(self.elements());
                request
            }
            6..8 => vec![self.one_of(&["LPOP", "RPOP"]).into(), key],
            8 => {
                let count = self.one_of(&["0", "1", "3", "200", "-1"]);
                vec![self.one_of(&["LPOP", "RPOP"]).into(), key, count.into()]
            }
            9 => vec![b"LLEN".to_vec(), key],
            10..12 => words(&["LRANGE", &String::from_utf8_lossy(&key), "0", "-1"]),
            12 => vec![b"LRANGE".to_vec(), key, self.place(), self.place()],
            13 => vec![b"LINDEX".to_vec(), key, self.place()],
            14 => vec![b"LSET".to_vec(), key, self.place(), self.element()],
            15 => {
                let count = self.one_of(&["0", "1", "-2", "x"]);
                vec![b"LREM".to_vec(), key, count.into(), self.element()]
            }
            16 => vec![b"LTRIM".to_vec(), key, self.place(), self.place()],
            17 => {
                let side = self.one_of(&["BEFORE", "AFTER", "BESIDE"]);
                vec![b"LINSERT".to_vec(), key, side.into(), self.element(), self.element()]
            }
            18 => {
                let to = self.key_of(LISTS);
                vec![b"LMOVE".to_vec(), key, to, self.end(), self.end()]
            }
            _ if self.rng.below(2) == 0 => vec![b"RPOPLPUSH".to_vec(), key, self.key_of(LISTS)],
            _ => {
                let other = self.key_of(LISTS);
                let mut request = vec![b"LMPOP".to_vec(), b"2".to_vec(), key, other, self.end()];
                self.count(&mut request);
                request
            }
        }
    }

    fn count(&mut self, request: &mut Words) {
        if self.rng.below(3) == 0 {
            request.extend([b"COUNT".to_vec(), self.one_of(&["1", "2", "5", "0"]).into()]);
        }
    }

    fn set_of_members(&mut self) -> Words {
        let key = self.key_of(SETS);
        match self.rng.below(14) {
            0..4 => {
                let mut request = vec![b"SADD".to_vec(), key];
                request.extend(self.elements());
                request
            }
            4..6 => {
                let mut request = vec![b"SREM".to_vec(), key];
                request.extend(self.elements());
                request
            }
            6 => vec![b"SMEMBERS".to_vec(), key],
            7 => vec![b"SCARD".to_vec(), key],
            8 => vec![self.one_of(&["SISMEMBER", "SMISMEMBER"]).into(), key, self.element()],
            9 => vec![b"SMOVE".to_vec(), key, self.key_of(SETS), self.element()],
            10 => vec![b"SPOP".to_vec(), key],
            11 => {
                let name = self.one_of(&["SINTER", "SUNION", "SDIFF"]);
                vec![name.into(), key, self.key_of(SETS)]
            }
            _ => {
                let name = self.one_of(&["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]);
                vec![name.into(), key, self.key_of(SETS), self.key_of(SETS)]
            }
        }
    }

    fn hash(&mut self) -> Words {
        let key = self.key_of(HASHES);
        match self.rng.below(12) {
            0..3 => {
                let mut request = vec![b"HSET".to_vec(), key];
                for name in self.elements() {
                    request.extend([name, self.element()]);
                }
                request
            }
            3 => vec![b"HSETNX".to_vec(), key, self.element(), self.element()],
            4..6 => {
                let mut request = vec![b"HDEL".to_vec(), key];
                request.extend(self.elements());
                request
            }
            6 => vec![b"HGET".to_vec(), key, self.element()],
            7 => vec![b"HMGET".to_vec(), key, self.element(), self.element()],
            8 => vec![b"HGETALL".to_vec(), key],
            9 => vec![b"HLEN".to_vec(), key],
            10 => vec![b"HEXISTS".to_vec(), key, self.element()],
            _ => {
                let by = self.one_of(&["1", "-7", "9223372036854775807", "x"]);
                vec![b"HINCRBY".to_vec(), key, self.element(), by.into()]
            }
        }
    }

    fn zset(&mut self) -> Words {
        let key = self.key_of(ZSETS);
        match self.rng.below(12) {
            0..5 => {
                let mut request = vec![b"ZADD".to_vec(), key];
                let flags = [&[][..], &[], &["NX"], &["XX"], &["GT", "CH"], &["LT"], &["NX", "GT"]];
                request.extend(words(self.one_of(&flags)));
                for name in self.elements() {
                    let score = self.one_of(&["0", "1", "2.5", "-3", "0.25", "100", "x"]);
                    request.extend([score.into(), name]);
                }
                request
            }
            5..7 => {
                let mut request = vec![b"ZREM".to_vec(), key];
                request.extend(self.elements());
                request
            }
            7 => vec![b"ZCARD".to_vec(), key],
            8 => vec![self.one_of(&["ZSCORE", "ZRANK"]).into(), key, self.element()],
            9 if self.rng.below(2) == 0 => {
                vec![self.one_of(&["ZPOPMIN", "ZPOPMAX"]).into(), key]
            }
            9 => vec![b"ZREMRANGEBYRANK".to_vec(), key, self.place(), self.place()],
            _ => {
                let mut request = vec![b"ZRANGE".to_vec(), key, self.place(), self.place()];
                if self.rng.below(2) == 0 {
                    request.push(b"WITHSCORES".to_vec());
                }
                request
            }
        }
    }

    fn id(&mut self) -> Vec<u8> {
        match self.rng.below(5) {
            0 => format!("{}-{}", 1 + self.rng.below(6), self.rng.below(3)).into(),
            1 => b"0-0".to_vec(),
            _ => {
                let ms = 1_700_000_000_000 + self.rng.below(100_000);
                format!("{ms}-{}", self.rng.below(3)).into()
            }
        }
    }

    fn group(&mut self) -> Vec<u8> {
        self.one_of(&["g", "g", "other"]).into()
    }

    fn consumer(&mut self) -> Vec<u8> {
        self.one_of(&["alice", "bob", "carol"]).into()
    }

    fn stream(&mut self) -> Words {
        let key = self.key_of(STREAMS);
        match self.rng.below(24) {
            0..7 => {
                let mut request = vec![b"XADD".to_vec(), key];
                if self.rng.below(4) == 0 {
                    request.extend([b"MAXLEN".to_vec(), number(self.rng.below(6))]);
                }
                let id = if self.rng.below(5) == 0 { self.id() } else { b"*".to_vec() };
                request.extend([id, self.element(), self.element()]);
                request
            }
            7 => vec![b"XLEN".to_vec(), key],
            8 => vec![b"XRANGE".to_vec(), key, b"-".to_vec(), b"+".to_vec()],
            9 => vec![b"XDEL".to_vec(), key, self.id()],
            10 => vec![b"XTRIM".to_vec(), key, b"MAXLEN".to_vec(), number(self.rng.below(4))],
            11..16 => {
                let from = self.one_of(&["$", "0"]);
                let mut request = words(&["XGROUP", "CREATE"]);
                request.extend([key, self.group(), from.into()]);
                if self.rng.below(3) > 0 {
                    request.push(b"MKSTREAM".to_vec());
                }
                request
            }
            16 => {
                let mut request = words(&["XGROUP", "DESTROY"]);
                request.extend([key, self.group()]);
                request
            }
            17 => {
                let mut request = words(&["XGROUP", "CREATECONSUMER"]);
                request.extend([key, self.group(), self.consumer()]);
                request
            }
            18 => {
                let mut request = words(&["XGROUP", "DELCONSUMER"]);
                request.extend([key, self.group(), self.consumer()]);
                request
            }
            19 => vec![b"XACK".to_vec(), key, self.group(), self.id()],
            20 => {
                let mut request = vec![b"XREAD".to_vec()];
                self.count_of_entries(&mut request);
                request.extend([b"STREAMS".to_vec(), key, self.id()]);
                request
            }
            _ => {
                let mut request = words(&["XREADGROUP", "GROUP"]);
                request.extend([self.group(), self.consumer()]);
                self.count_of_entries(&mut request);
                if self.rng.below(5) == 0 {
                    request.push(b"NOACK".to_vec());
                }
                request.extend([b"STREAMS".to_vec(), key, b">".to_vec()]);
                request
            }
        }
    }

    fn count_of_entries(&mut self, request: &mut Words) {
        if self.rng.below(3) == 0 {
            request.extend([b"COUNT".to_vec(), number(1 + self.rng.below(3))]);
        }
    }

    /// What is done with keys of any type: it takes values away from those who wait, and makes
    /// others ready for them.
    fn any_type(&mut self) -> Words {
        let kind = self.one_of(&ALL);
        let (key, other) = (self.key_of(kind), self.key_of(kind));
        match self.rng.below(16) {
            0..3 => vec![b"RENAME".to_vec(), key, other],
            3 => vec![b"RENAMENX".to_vec(), key, other],
            4..6 => vec![b"COPY".to_vec(), key, other, b"REPLACE".to_vec()],
            6 => vec![b"MOVE".to_vec(), key, self.database()],
            7..9 => {
                let from = if self.rng.below(2) == 0 { self.key_of(SETS) } else { key };
                let to = self.key_of(LISTS);
                vec![b"SORT".to_vec(), from, b"ALPHA".to_vec(), b"STORE".to_vec(), to]
            }
            9 => vec![b"PEXPIRE".to_vec(), key, number(1 + self.rng.below(300))],
            10 => vec![b"TYPE".to_vec(), key],
            11..13 => vec![self.one_of(&["DEL", "UNLINK"]).into(), key],
            13 => vec![b"SET".to_vec(), key, self.element()],
            14 => vec![b"PERSIST".to_vec(), key],
            _ => vec![b"SWAPDB".to_vec(), b"0".to_vec(), self.database()],
        }
    }

    /// Requests that wait, or end the wait of others.
    fn waiting(&mut self, ids: u64) -> (Words, Awaited) {
        if self.rng.below(12) == 0 {
            let id = ids.saturating_sub(self.rng.below(12)).max(1);
            let mut request = words(&["CLIENT", "UNBLOCK"]);
            request.push(number(id));
            let how = self.one_of(&["", "", "TIMEOUT", "ERROR", "SOON"]);
            request.extend(Some(how.into()).filter(|word: &Vec<u8>| !word.is_empty()));
            return (request, Awaited::Any);
        }
        let (mut seconds, mut ms) = self.one_of(&[
            ("0", "0"),
            ("0", "0"),
            ("0.05", "50"),
            ("0.3", "300"),
            ("1", "1000"),
            ("-1", "-1"),
            ("x", "x"),
        ]);
        if self.calm && ms == "0" {
            (seconds, ms) = ("0.1", "100");
        }
        let request = match self.rng.below(10) {
            0..5 => self.waiting_for_list(seconds),
            5..7 => self.waiting_for_zset(seconds),
            _ => self.waiting_for_stream(ms),
        };
        (request, if ms == "0" { Awaited::Forever } else { Awaited::Any })
    }

    fn waiting_for_list(&mut self, seconds: &str) -> Words {
        let (key, other) = (self.key_of(LISTS), self.key_of(LISTS));
        match self.rng.below(10) {
            0..4 => {
                let mut request = vec![self.one_of(&["BLPOP", "BRPOP"]).into(), key];
                for _ in 0..self.rng.below(3) {
                    request.push(self.key_of(LISTS));
                }
                request.push(seconds.into());
                request
            }
            4..8 => {
                let ends = [self.end(), self.end()];
                let mut request = vec![b"BLMOVE".to_vec(), key, other];
                request.extend(ends);
                request.push(seconds.into());
                request
            }
            8 => vec![b"BRPOPLPUSH".to_vec(), key, other, seconds.into()],
            _ => {
                let mut request = vec![b"BLMPOP".to_vec(), seconds.into(), b"2".to_vec()];
                request.extend([key, other, self.end()]);
                self.count(&mut request);
                request
            }
        }
    }

    fn waiting_for_zset(&mut self, seconds: &str) -> Words {
        let (key, other) = (self.key_of(ZSETS), self.key_of(ZSETS));
        if self.rng.below(3) > 0 {
            let name = self.one_of(&["BZPOPMIN", "BZPOPMAX"]);
            return vec![name.into(), key, other, seconds.into()];
        }
        let mut request = vec![b"BZMPOP".to_vec(), seconds.into(), b"2".to_vec(), key, other];
        request.push(self.one_of(&["MIN", "MAX", "min"]).into());
        self.count(&mut request);
        request
    }

    fn waiting_for_stream(&mut self, ms: &str) -> Words {
        let key = self.key_of(STREAMS);
        let mut request;
        let mark: &str;
        if self.rng.below(2) == 0 {
            request = vec![b"XREAD".to_vec()];
            mark = self.one_of(&["$", "$", "0"]);
        } else {
            request = words(&["XREADGROUP", "GROUP"]);
            request.extend([self.group(), self.consumer()]);
            mark = ">";
        }
        self.count_of_entries(&mut request);
        request.extend([b"BLOCK".to_vec(), ms.into(), b"STREAMS".to_vec(), key]);
        let several = self.rng.below(4) == 0;
        if several {
            request.push(self.key_of(STREAMS));
        }
        request.extend((0..=u64::from(several)).map(|_| mark.into()));
        request
    }
}
