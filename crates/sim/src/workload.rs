//! What clients ask for: seeded requests over a small pool of keys.

mod typed;

use vesta_types::Rng;

use crate::plan::Plan;
use crate::wire;

/// What a client must remember of a request to understand its reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Awaited {
    Any,
    /// A step of SCAN.
    Page,
    /// What may never come.
    Forever,
}

/// Requests as bytes, and what is awaited for them.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    pub(crate) bytes: Vec<u8>,
    pub(crate) awaited: Vec<Awaited>,
}

/// The source of one client's requests.
#[derive(Debug)]
pub(crate) struct Workload {
    rng: Rng,
    databases: u64,
    keys: u64,
    big_per_1000: u64,
    admin_per_1000: u64,
    typed_per_1000: u64,
    waiting_per_1000: u64,
    limits_memory: bool,
    /// Whether requests may be refused for reasons that only the node knows.
    is_refused: bool,
    /// Whether it is asked for saves, and for other ways to keep data.
    about_disk: bool,
    /// Where the walk under way goes on.
    pub(crate) cursor: Option<Vec<u8>>,
    /// Whether nothing is asked for any more that hurts others.
    pub(crate) calm: bool,
}

type Words = Vec<Vec<u8>>;

impl Workload {
    pub(crate) fn new(plan: &Plan, rng: Rng) -> Self {
        Self {
            rng,
            databases: plan.databases,
            keys: plan.keys,
            big_per_1000: plan.big_per_1000,
            admin_per_1000: plan.admin_per_1000,
            typed_per_1000: plan.typed_per_1000,
            waiting_per_1000: plan.waiting_per_1000,
            limits_memory: plan.memory_room_bytes.is_some(),
            about_disk: plan.durability.is_some(),
            is_refused: plan.memory_room_bytes.is_some() || plan.durability.is_some(),
            cursor: None,
            calm: false,
        }
    }

    /// About `count` requests. `peers` are addresses of clients, `ids` how many there have been.
    pub(crate) fn pipeline(&mut self, count: u64, peers: &[String], ids: u64) -> Pipeline {
        let mut pipeline = Pipeline::default();
        for _ in 0..count {
            match self.rng.below(400) {
                0 if !self.calm => self.breach(&mut pipeline),
                1 => pipeline.bytes.extend_from_slice(b"*0\r\n\r\n"),
                2..6 if !self.is_refused => self.unheard(&mut pipeline, ids),
                6..26 => self.step(&mut pipeline),
                _ => {
                    let (words, awaited) = if self.rng.below(1000) < self.admin_per_1000 {
                        (self.admin(peers, ids), Awaited::Any)
                    } else if self.rng.below(1000) < self.typed_per_1000 {
                        self.typed(ids)
                    } else {
                        (self.ordinary(), Awaited::Any)
                    };
                    self.push(&mut pipeline, words, awaited);
                }
            }
        }
        pipeline
    }

    fn push(&mut self, pipeline: &mut Pipeline, words: Words, awaited: Awaited) {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-');
        let is_inline = self.rng.below(30) == 0
            && words.iter().all(|word| !word.is_empty() && word.iter().all(is_plain));
        if is_inline {
            pipeline.bytes.extend(words.join(&b' '));
            pipeline.bytes.extend_from_slice(b"\r\n");
        } else {
            pipeline.bytes.extend(wire::encode(&words));
        }
        pipeline.awaited.push(awaited);
    }

    /// Bytes that break the protocol; the connection ends with them.
    fn breach(&mut self, pipeline: &mut Pipeline) {
        const BREACHES: [&[u8]; 5] = [
            b"*x\r\n",
            b"*1\r\n$-5\r\n",
            b"*2\r\n$3\r\nGET\r\nk1\r\n",
            b"GET \"k1\r\n",
            b"*2\r\n$3\r\nGET\r\n$9999999999999\r\n",
        ];
        pipeline.bytes.extend_from_slice(self.one_of(&BREACHES));
        pipeline.awaited.push(Awaited::Any);
    }

    /// Requests whose replies are not wanted.
    fn unheard(&mut self, pipeline: &mut Pipeline, ids: u64) {
        let (how, count) = match self.rng.below(2) {
            0 => ("SKIP", 1),
            _ => ("OFF", self.rng.below(4)),
        };
        let mut silent = Pipeline::default();
        self.push(&mut silent, words(&["CLIENT", "REPLY", how]), Awaited::Any);
        for _ in 0..count {
            let mut request = if self.rng.below(1000) < self.typed_per_1000 {
                // Whoever waits for ever must be seen to wait.
                let (words, awaited) = self.typed(ids);
                Some(words).filter(|_| awaited != Awaited::Forever).unwrap_or_default()
            } else {
                self.ordinary()
            };
            // RESET turns replies on again, and what a sum of floats is only its reply tells.
            let heard = [&b"reset"[..], b"incrbyfloat"];
            let name = request.first().map(Vec::as_slice).unwrap_or_default();
            if name.is_empty() || heard.iter().any(|heard| name.eq_ignore_ascii_case(heard)) {
                request = words(&["PING"]);
            }
            self.push(&mut silent, request, Awaited::Any);
        }
        pipeline.bytes.extend(silent.bytes);
        if how == "OFF" {
            self.push(pipeline, words(&["CLIENT", "REPLY", "ON"]), Awaited::Any);
        }
    }

    /// Begins a walk or goes on with it.
    fn step(&mut self, pipeline: &mut Pipeline) {
        // One step at a time: the next cursor comes with the reply.
        if pipeline.awaited.contains(&Awaited::Page) {
            return;
        }
        let cursor = self.cursor.take().unwrap_or_else(|| b"0".to_vec());
        let mut request = vec![b"SCAN".to_vec(), cursor];
        if self.rng.below(2) == 0 {
            request.extend([b"COUNT".to_vec(), number(1 + self.rng.below(30))]);
        }
        self.push(pipeline, request, Awaited::Page);
    }

    fn one_of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        let place = usize::try_from(self.rng.below(all.len() as u64)).unwrap_or(0);
        all.get(place).copied().unwrap_or_default()
    }

    /// A key; some are asked for more often than others.
    fn key(&mut self) -> Vec<u8> {
        let number = self.rng.below(self.keys).min(self.rng.below(self.keys));
        match number % 16 {
            7 => format!("a-rather-long-name-of-a-key-that-fills-a-cache-line-or-two-{number}")
                .into(),
            11 => format!("key\0with\r\nodd:{number}").into(),
            _ => format!("k{number}").into(),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        if self.rng.below(1000) < self.big_per_1000 {
            // Around the sizes where values are shared or arrive in a place of their own.
            let len = self.one_of(&[16_383, 16_384, 20_000, 32_767, 32_768, 40_000]);
            return self.text(len);
        }
        match self.rng.below(10) {
            0 => Vec::new(),
            1..4 => number(self.rng.below(1000)),
            4 => self
                .one_of(&["-1", "9223372036854775807", "007", "1.5", "-9223372036854775808"])
                .into(),
            5 => {
                let len = 40 + self.rng.below(1000);
                self.text(len)
            }
            _ => {
                let len = 1 + self.rng.below(30);
                self.text(len)
            }
        }
    }

    fn text(&mut self, len: u64) -> Vec<u8> {
        let first = self.rng.bits().to_le_bytes();
        first.into_iter().cycle().take(usize::try_from(len).unwrap_or(0)).collect()
    }

    /// A time span from the past to some seconds ahead, in milliseconds.
    fn span_ms(&mut self) -> i64 {
        match self.rng.below(12) {
            0 => -1000,
            1 => 0,
            2 => 100_000,
            _ => 1 + i64::try_from(self.rng.below(2500)).unwrap_or(0),
        }
    }

    /// A time since 1970 in milliseconds, near the time of the simulation.
    fn time_ms(&mut self) -> i64 {
        1_700_000_000_000 + i64::try_from(self.rng.below(6000)).unwrap_or(0)
    }

    fn seconds_or_ms(&mut self, name: &str) -> (Vec<u8>, Vec<u8>) {
        let time = match name {
            "EX" => (self.span_ms() / 1000).to_string(),
            "PX" => self.span_ms().to_string(),
            "EXAT" => (self.time_ms() / 1000).to_string(),
            _ => self.time_ms().to_string(),
        };
        (name.into(), time.into_bytes())
    }

    fn expiry(&mut self, request: &mut Words) {
        let name = self.one_of(&["EX", "PX", "PX", "PX", "EXAT", "PXAT"]);
        let (name, time) = self.seconds_or_ms(name);
        request.extend([name, time]);
    }

    fn database(&mut self) -> Vec<u8> {
        let count = self.databases + u64::from(self.rng.below(20) == 0);
        number(self.rng.below(count.min(4)))
    }

    fn ordinary(&mut self) -> Words {
        let mut request = match self.rng.below(100) {
            0..12 => self.set(),
            12..24 => vec![b"GET".to_vec(), self.key()],
            24..40 => self.string_change(),
            40..50 => self.string_read(),
            50..62 => self.several(),
            62..72 => self.expire(),
            72..80 => self.about(),
            80..88 => self.names(),
            88..99 => self.connection(),
            _ => self.flush(),
        };
        if self.rng.below(8) == 0
            && let Some(name) = request.first_mut()
        {
            name.make_ascii_lowercase();
        }
        if self.rng.below(100) == 0 {
            request.push(b"surplus".to_vec());
        }
        request
    }

    fn set(&mut self) -> Words {
        let mut request = vec![b"SET".to_vec(), self.key(), self.value()];
        match self.rng.below(10) {
            0 => request.push(b"NX".to_vec()),
            1 => request.push(b"XX".to_vec()),
            2 => request.push(b"GET".to_vec()),
            3 => request.extend([b"xx".to_vec(), b"get".to_vec()]),
            _ => {}
        }
        match self.rng.below(8) {
            0..3 => self.expiry(&mut request),
            3 => request.push(b"KEEPTTL".to_vec()),
            4 if self.rng.below(10) == 0 => request.push(b"BOGUS".to_vec()),
            _ => {}
        }
        request
    }

    fn string_change(&mut self) -> Words {
        let key = self.key();
        let small = self.rng.below(50);
        match self.rng.below(16) {
            0 => vec![b"GETDEL".to_vec(), key],
            1 => {
                let mut request = vec![b"GETEX".to_vec(), key];
                match self.rng.below(4) {
                    0 => {}
                    1 => request.push(b"PERSIST".to_vec()),
                    _ => self.expiry(&mut request),
                }
                request
            }
            2 => vec![b"GETSET".to_vec(), key, self.value()],
            3 => vec![b"SETNX".to_vec(), key, self.value()],
            4 => vec![b"PSETEX".to_vec(), key, self.span_ms().to_string().into(), self.value()],
            5 => vec![b"SETEX".to_vec(), key, number(small / 10), self.value()],
            6..9 => {
                let len = self.rng.below(60);
                vec![b"APPEND".to_vec(), key, self.text(len)]
            }
            9 | 10 => {
                let offset = self.one_of(&["0", "1", "5", "100", "600000000", "-1", "x"]);
                let len = self.rng.below(20);
                vec![b"SETRANGE".to_vec(), key, offset.into(), self.text(len)]
            }
            11 => vec![b"INCR".to_vec(), key],
            12 => vec![b"DECR".to_vec(), key],
            13 => vec![b"INCRBY".to_vec(), key, number(small)],
            14 => vec![b"DECRBY".to_vec(), key, self.value().into_iter().take(25).collect()],
            _ => {
                let by = self.one_of(&["0.25", "1", "-3.5", "12.75", "1e3", "x"]);
                vec![b"INCRBYFLOAT".to_vec(), key, by.into()]
            }
        }
    }

    fn string_read(&mut self) -> Words {
        let key = self.key();
        if self.rng.below(3) == 0 {
            return vec![b"STRLEN".to_vec(), key];
        }
        let places = ["0", "1", "-1", "-5", "3", "20000", "-20000"];
        let (start, end) = (self.one_of(&places), self.one_of(&places));
        let name = self.one_of(&["GETRANGE", "GETRANGE", "SUBSTR"]);
        vec![name.into(), key, start.into(), end.into()]
    }

    fn several(&mut self) -> Words {
        let count = 1 + self.rng.below(4);
        let name = self.one_of(&["MGET", "MSET", "MSETNX", "DEL", "UNLINK", "EXISTS", "TOUCH"]);
        let mut request = vec![name.into()];
        for _ in 0..count {
            request.push(self.key());
            if name.starts_with("MSET") {
                request.push(self.value());
            }
        }
        request
    }

    fn expire(&mut self) -> Words {
        let name =
            self.one_of(&["EXPIRE", "PEXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "PERSIST"]);
        let time = match name {
            "EXPIRE" => self.span_ms() / 1000,
            "PEXPIRE" => self.span_ms(),
            "EXPIREAT" => self.time_ms() / 1000,
            "PEXPIREAT" => self.time_ms(),
            _ => return vec![name.into(), self.key()],
        };
        let mut request = vec![name.into(), self.key(), time.to_string().into()];
        if self.rng.below(3) == 0 {
            request.push(self.one_of(&["NX", "XX", "GT", "LT", "XX", "gt", "ZZ"]).into());
        }
        if self.rng.below(12) == 0 {
            request.push(self.one_of(&["NX", "XX", "GT", "LT"]).into());
        }
        request
    }

    fn about(&mut self) -> Words {
        let name = self.one_of(&["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "TYPE"]);
        vec![name.into(), self.key()]
    }

    fn names(&mut self) -> Words {
        match self.rng.below(9) {
            0 => vec![b"RENAME".to_vec(), self.key(), self.key()],
            1 => vec![b"RENAMENX".to_vec(), self.key(), self.key()],
            2 => vec![b"MOVE".to_vec(), self.key(), self.database()],
            3 | 4 => {
                let mut request = vec![b"COPY".to_vec(), self.key(), self.key()];
                if self.rng.below(3) == 0 {
                    request.extend([b"DB".to_vec(), self.database()]);
                }
                if self.rng.below(2) == 0 {
                    request.push(b"REPLACE".to_vec());
                }
                request
            }
            5 => vec![b"KEYS".to_vec(), self.one_of(&["*", "k1*", "k2", "none*"]).into()],
            6 => words(&["RANDOMKEY"]),
            7 => words(&["DBSIZE"]),
            _ => words(&["INFO", "keyspace"]),
        }
    }

    fn connection(&mut self) -> Words {
        match self.rng.below(16) {
            0 => words(&["PING"]),
            1 => vec![b"ECHO".to_vec(), self.value()],
            2..6 => vec![b"SELECT".to_vec(), self.database()],
            6..9 => words(&["SELECT", "0"]),
            9 => words(&["CLIENT", "ID"]),
            10 => words(&["CLIENT", "GETNAME"]),
            11 => vec![b"CLIENT".to_vec(), b"SETNAME".to_vec(), number(self.rng.below(9))],
            12 => vec![b"HELLO".to_vec(), self.one_of(&["2", "3", "3", "4", "x"]).into()],
            13 => vec![b"CLIENT".to_vec(), b"NO-TOUCH".to_vec(), b"ON".to_vec()],
            14 => words(&["NOSUCHCOMMAND", "a", "b"]),
            _ => words(&["RESET"]),
        }
    }

    fn flush(&mut self) -> Words {
        match self.rng.below(6) {
            0 => words(&["FLUSHALL"]),
            1 => words(&["FLUSHDB", "ASYNC"]),
            2 => words(&["FLUSHALL", "async"]),
            3 => words(&["FLUSHDB", "SYNC"]),
            _ => vec![b"SWAPDB".to_vec(), self.database(), self.database()],
        }
    }

    /// What operators do.
    fn admin(&mut self, peers: &[String], ids: u64) -> Words {
        if self.calm {
            return words(&["CLIENT", "UNPAUSE"]);
        }
        if self.about_disk && self.rng.below(3) == 0 {
            return self.keeping();
        }
        match self.rng.below(12) {
            0 | 1 => {
                let mut request = words(&["CLIENT", "PAUSE"]);
                request.push(number(self.rng.below(300)));
                if self.rng.below(2) == 0 {
                    request.push(self.one_of(&["WRITE", "ALL"]).into());
                }
                request
            }
            2 => words(&["CLIENT", "UNPAUSE"]),
            3 => self.kill(peers, ids),
            4..9 => self.setting(),
            9 => vec![
                b"DEBUG".to_vec(),
                b"SET-ACTIVE-EXPIRE".to_vec(),
                number(u64::from(self.rng.below(3) > 0)),
            ],
            10 => words(&["DEBUG", "SLEEP", "0.01"]),
            _ => words(&["QUIT"]),
        }
    }

    fn kill(&mut self, peers: &[String], ids: u64) -> Words {
        let place = usize::try_from(self.rng.below(peers.len() as u64)).unwrap_or(0);
        let peer = peers.get(place).map_or("1.2.3.4:5", String::as_str);
        let id = (1 + self.rng.below(ids + 1)).to_string();
        match self.rng.below(6) {
            0 => words(&["CLIENT", "KILL", peer]),
            1 => words(&["CLIENT", "KILL", "ADDR", peer]),
            2 => words(&["CLIENT", "KILL", "ADDR", peer, "SKIPME", "no"]),
            3 => words(&["CLIENT", "KILL", "TYPE", "normal"]),
            _ => words(&["CLIENT", "KILL", "ID", &id, "SKIPME", self.one_of(&["yes", "no"])]),
        }
    }

    /// About files, and how data is kept in them.
    fn keeping(&mut self) -> Words {
        match self.rng.below(10) {
            0..3 => words(&["BGREWRITEAOF"]),
            3 => words(&["BGSAVE"]),
            4 => words(&["BGSAVE", "SCHEDULE"]),
            5..7 => words(&["CONFIG", "SET", "appendonly", "yes"]),
            7 => words(&["CONFIG", "SET", "appendonly", "no"]),
            _ => {
                let policy = self.one_of(&["always", "everysec", "no"]);
                words(&["CONFIG", "SET", "appendfsync", policy])
            }
        }
    }

    fn setting(&mut self) -> Words {
        let (name, value) = match self.rng.below(9) {
            0 => ("hz", self.one_of(&["1", "10", "100", "500"])),
            1 => ("lazyfree-lazy-expire", self.one_of(&["yes", "no"])),
            2 => ("lazyfree-lazy-user-flush", self.one_of(&["yes", "no"])),
            3 => ("lazyfree-lazy-eviction", self.one_of(&["yes", "no"])),
            4 => ("active-expire-effort", self.one_of(&["1", "10"])),
            5 => ("maxclients", self.one_of(&["3", "6", "100", "100"])),
            6 => ("maxmemory-samples", self.one_of(&["1", "5", "20"])),
            7 if self.limits_memory => ("maxmemory-policy", self.one_of(&crate::plan::POLICIES)),
            _ => ("no-such-option", "1"),
        };
        words(&["CONFIG", "SET", name, value])
    }
}

fn words(words: &[&str]) -> Words {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn number(value: u64) -> Vec<u8> {
    value.to_string().into_bytes()
}
