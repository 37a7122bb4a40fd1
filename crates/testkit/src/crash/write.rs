//! The writes of one client: what they look like on the wire, and which one comes next.

use core::fmt::{self, Write as _};

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::model::{Bytes, Data, State};
use crate::client::encode;
use crate::value::Value;

/// An end of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    First,
    Last,
}

/// A write whose outcome follows from what the client wrote before.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Set {
        key: Bytes,
        value: Bytes,
    },
    /// With a time to live.
    SetFor {
        key: Bytes,
        value: Bytes,
        ms: i64,
    },
    SetMany {
        pairs: Vec<(Bytes, Bytes)>,
    },
    Increment {
        key: Bytes,
        by: i64,
    },
    Append {
        key: Bytes,
        text: Bytes,
    },
    Push {
        key: Bytes,
        text: Bytes,
        at: End,
    },
    Pop {
        key: Bytes,
        at: End,
    },
    /// From the first place to the last.
    Move {
        from: Bytes,
        to: Bytes,
    },
    Trim {
        key: Bytes,
        keep: usize,
    },
    PutField {
        key: Bytes,
        field: Bytes,
        value: Bytes,
    },
    DropField {
        key: Bytes,
        field: Bytes,
    },
    Add {
        key: Bytes,
        member: Bytes,
    },
    Remove {
        key: Bytes,
        member: Bytes,
    },
    Rank {
        key: Bytes,
        member: Bytes,
        score: i64,
    },
    Unrank {
        key: Bytes,
        member: Bytes,
    },
    /// A stream's entry, under an id that the server chooses.
    Log {
        key: Bytes,
        text: Bytes,
    },
    Forget {
        key: Bytes,
        keep: usize,
    },
    Delete {
        keys: Vec<Bytes>,
    },
    Expire {
        key: Bytes,
        seconds: i64,
    },
    Persist {
        key: Bytes,
    },
    /// Only of a key that is there.
    Rename {
        from: Bytes,
        to: Bytes,
    },
    /// A transaction.
    Together(Vec<Write>),
}

impl fmt::Display for Write {
    /// Its requests, not all of a long one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Characters.
        const SHOWN_MAX: usize = 300;
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        let (mut rest, mut text) = (bytes.as_slice(), String::new());
        while let Ok(Some((request, used))) = Value::decode(rest) {
            text.push_str(&request.to_string());
            rest = rest.get(used..).unwrap_or_default();
        }
        text.chars().take(SHOWN_MAX).try_for_each(|letter| f.write_char(letter))
    }
}

impl Write {
    /// Appends the requests to `out`.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut put = |args: &[&[u8]]| out.extend(encode(args));
        let number = |number: i64| number.to_string().into_bytes();
        let count = |count: usize| count.to_string().into_bytes();
        match self {
            Self::Set { key, value } => put(&[b"SET", key, value]),
            Self::SetFor { key, value, ms } => put(&[b"SET", key, value, b"PX", &number(*ms)]),
            Self::SetMany { pairs } => {
                let words = pairs.iter().flat_map(|(key, value)| [key.as_slice(), value]);
                put(&[b"MSET".as_slice()].into_iter().chain(words).collect::<Vec<_>>());
            }
            Self::Increment { key, by: 1 } => put(&[b"INCR", key]),
            Self::Increment { key, by } => put(&[b"INCRBY", key, &number(*by)]),
            Self::Append { key, text } => put(&[b"APPEND", key, text]),
            Self::Push { key, text, at: End::First } => put(&[b"LPUSH", key, text]),
            Self::Push { key, text, at: End::Last } => put(&[b"RPUSH", key, text]),
            Self::Pop { key, at: End::First } => put(&[b"LPOP", key]),
            Self::Pop { key, at: End::Last } => put(&[b"RPOP", key]),
            Self::Move { from, to } => put(&[b"LMOVE", from, to, b"LEFT", b"RIGHT"]),
            Self::Trim { key, keep: 0 } => put(&[b"LTRIM", key, b"1", b"0"]),
            Self::Trim { key, keep } => put(&[b"LTRIM", key, b"0", &count(*keep - 1)]),
            Self::PutField { key, field, value } => put(&[b"HSET", key, field, value]),
            Self::DropField { key, field } => put(&[b"HDEL", key, field]),
            Self::Add { key, member } => put(&[b"SADD", key, member]),
            Self::Remove { key, member } => put(&[b"SREM", key, member]),
            Self::Rank { key, member, score } => put(&[b"ZADD", key, &number(*score), member]),
            Self::Unrank { key, member } => put(&[b"ZREM", key, member]),
            Self::Log { key, text } => put(&[b"XADD", key, b"*", b"text", text]),
            Self::Forget { key, keep } => put(&[b"XTRIM", key, b"MAXLEN", &count(*keep)]),
            Self::Delete { keys } => {
                let keys = keys.iter().map(Vec::as_slice);
                put(&[b"DEL".as_slice()].into_iter().chain(keys).collect::<Vec<_>>());
            }
            Self::Expire { key, seconds } => put(&[b"EXPIRE", key, &number(*seconds)]),
            Self::Persist { key } => put(&[b"PERSIST", key]),
            Self::Rename { from, to } => put(&[b"RENAME", from, to]),
            Self::Together(writes) => {
                put(&[b"MULTI"]);
                writes.iter().for_each(|write| write.encode(out));
                out.extend(encode(&["EXEC"]));
            }
        }
    }

    /// The keys it may change.
    pub(super) fn keys(&self) -> Vec<&Bytes> {
        match self {
            Self::Set { key, .. }
            | Self::SetFor { key, .. }
            | Self::Increment { key, .. }
            | Self::Append { key, .. }
            | Self::Push { key, .. }
            | Self::Pop { key, .. }
            | Self::Trim { key, .. }
            | Self::PutField { key, .. }
            | Self::DropField { key, .. }
            | Self::Add { key, .. }
            | Self::Remove { key, .. }
            | Self::Rank { key, .. }
            | Self::Unrank { key, .. }
            | Self::Log { key, .. }
            | Self::Forget { key, .. }
            | Self::Expire { key, .. }
            | Self::Persist { key } => vec![key],
            Self::Move { from, to } | Self::Rename { from, to } => vec![from, to],
            Self::SetMany { pairs } => pairs.iter().map(|(key, _)| key).collect(),
            Self::Delete { keys } => keys.iter().collect(),
            Self::Together(writes) => writes.iter().flat_map(Self::keys).collect(),
        }
    }

    /// How many replies come before the one that counts.
    pub(super) fn replies_before(&self) -> usize {
        if let Self::Together(writes) = self { writes.len() + 1 } else { 0 }
    }
}

/// Keys of each type.
const KEYS: u64 = 6;
/// Above this many elements a value is cut.
const ELEMENTS_MAX: usize = 120;
/// Names of fields and members.
const NAMES: u64 = 40;
/// So long that no test sees the end of it.
const LONG_S: u64 = 1_000_000;
/// One value in so many is large enough to be kept apart from the rest.
const LARGE_ONE_IN: u64 = 400;
const LARGE_BYTES: usize = 40_000;
const SHORT_MS_MAX: u64 = 300;

/// Chooses writes.
#[derive(Debug)]
pub(super) struct Chooser {
    rng: Xoshiro256PlusPlus,
    /// Of all writes of this client: so that no two values are the same.
    count: u64,
    /// Whether the server knows transactions.
    transactions: bool,
}

impl Chooser {
    pub(super) fn new(seed: u64, transactions: bool) -> Self {
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed), count: 0, transactions }
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound.max(1)
    }

    /// The write that comes after those that have led to `state`.
    pub(super) fn next(&mut self, state: &State) -> Write {
        if self.transactions && self.below(20) == 0 {
            let writes = (0..2 + self.below(4)).map(|_| self.within(state));
            return Write::Together(writes.collect());
        }
        self.single(state)
    }

    /// One of the writes of a transaction; those before it may have taken its key away.
    fn within(&mut self, state: &State) -> Write {
        let write = self.single(state);
        if let Write::Rename { from, .. } = write { Write::Persist { key: from } } else { write }
    }

    fn single(&mut self, state: &State) -> Write {
        self.count += 1;
        match self.below(24) {
            0..=3 => Write::Set { key: self.key("text"), value: self.value() },
            4 => {
                let key = format!("brief:{}", self.count).into_bytes();
                let ms = i64::try_from(1 + self.below(SHORT_MS_MAX)).unwrap_or(1);
                Write::SetFor { key, value: self.text(), ms }
            }
            5 => {
                let pairs = (0..2 + self.below(3)).map(|_| (self.key("text"), self.text()));
                Write::SetMany { pairs: pairs.collect() }
            }
            6..=8 => {
                let by = if self.below(2) == 0 { 1 } else { i64::from(self.below(9) as u8) - 4 };
                Write::Increment { key: self.key("count"), by }
            }
            9 => self.append(state),
            10..=12 => self.on_list(state),
            13..=14 => self.on_hash(),
            15..=16 => self.on_set(),
            17..=18 => self.on_ranked(),
            19..=20 => self.on_stream(state),
            _ => self.on_any(state),
        }
    }

    fn append(&mut self, state: &State) -> Write {
        let (key, text) = (self.key("text"), self.text());
        match state.get(&key) {
            Some(long) if long.len() > 2 * LARGE_BYTES => Write::Set { key, value: text },
            Some(_) | None => Write::Append { key, text },
        }
    }

    fn on_list(&mut self, state: &State) -> Write {
        let key = self.key("list");
        let at = if self.below(2) == 0 { End::First } else { End::Last };
        if state.get(&key).map_or(0, Data::len) > ELEMENTS_MAX {
            return Write::Trim { key, keep: usize::from(self.below(4) as u8) };
        }
        match self.below(8) {
            0 => Write::Pop { key, at },
            1 => Write::Move { from: key, to: self.key("list") },
            _ => Write::Push { key, text: self.value(), at },
        }
    }

    fn on_hash(&mut self) -> Write {
        let (key, field) = (self.key("hash"), self.name());
        match self.below(5) {
            0 => Write::DropField { key, field },
            _ => Write::PutField { key, field, value: self.value() },
        }
    }

    fn on_set(&mut self) -> Write {
        // Some sets hold numbers only.
        let number = self.below(KEYS);
        let key = format!("set:{number}").into_bytes();
        let member =
            if number.is_multiple_of(2) { self.name() } else { self.below(500).to_string().into() };
        match self.below(4) {
            0 => Write::Remove { key, member },
            _ => Write::Add { key, member },
        }
    }

    fn on_ranked(&mut self) -> Write {
        let (key, member) = (self.key("rank"), self.name());
        match self.below(5) {
            0 => Write::Unrank { key, member },
            _ => Write::Rank { key, member, score: i64::from(self.below(2_000) as u16) - 1_000 },
        }
    }

    fn on_stream(&mut self, state: &State) -> Write {
        let key = self.key("log");
        if state.get(&key).map_or(0, Data::len) > ELEMENTS_MAX {
            return Write::Forget { key, keep: usize::from(self.below(8) as u8) };
        }
        Write::Log { key, text: self.value() }
    }

    /// What works on keys of every type.
    fn on_any(&mut self, state: &State) -> Write {
        const TYPES: [&str; 7] = ["text", "count", "list", "hash", "set", "rank", "log"];
        let kind = usize::try_from(self.below(TYPES.len() as u64)).unwrap_or(0);
        let kind = TYPES.get(kind).copied().unwrap_or("text");
        let key = self.key(kind);
        match self.below(6) {
            0 => Write::Delete { keys: (0..1 + self.below(3)).map(|_| self.key(kind)).collect() },
            1 => Write::Persist { key },
            2 if state.get(&key).is_some() => Write::Rename { from: key, to: self.key(kind) },
            _ => {
                let seconds = i64::try_from(LONG_S + self.below(LONG_S)).unwrap_or(i64::MAX);
                Write::Expire { key, seconds }
            }
        }
    }

    fn key(&mut self, kind: &str) -> Bytes {
        format!("{kind}:{}", self.below(KEYS)).into_bytes()
    }

    fn name(&mut self) -> Bytes {
        format!("name:{}", self.below(NAMES)).into_bytes()
    }

    /// A text that no other write has.
    fn text(&mut self) -> Bytes {
        let chance = self.below(1 << 20);
        format!("{}-{chance:x};", self.count).into_bytes()
    }

    /// The same, and now and then a large one.
    fn value(&mut self) -> Bytes {
        let mut value = self.text();
        if self.below(LARGE_ONE_IN) == 0 {
            value.resize(LARGE_BYTES, b'.');
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Window;
    use super::*;

    #[test]
    fn the_same_seed_chooses_the_same_writes_and_values_stay_small() {
        let run = |seed| {
            let (mut chooser, mut state) = (Chooser::new(seed, true), State::default());
            let mut bytes = Vec::new();
            for _ in 0..20_000 {
                let write = chooser.next(&state);
                state.apply(&write, Window::ALWAYS, None);
                write.encode(&mut bytes);
            }
            (bytes, state)
        };
        let (bytes, state) = run(7);
        assert!(run(7).0 == bytes && run(8).0 != bytes);
        let collections = state.0.values().filter(|held| !matches!(held.data, Data::Text(_)));
        let longest = collections.map(|held| held.data.len()).max();
        assert!((20..=2 * ELEMENTS_MAX + 20).contains(&longest.unwrap()), "{longest:?}");
    }

    #[test]
    fn a_transaction_is_as_many_requests_as_it_has_replies() {
        let write = Write::Persist { key: b"k".to_vec() };
        let both = Write::Together(vec![write.clone(), write]);
        let (mut bytes, mut count) = (Vec::new(), 0);
        both.encode(&mut bytes);
        let mut rest = bytes.as_slice();
        while let Some((_, used)) = Value::decode(rest).unwrap() {
            rest = &rest[used..];
            count += 1;
        }
        assert_eq!(count, both.replies_before() + 1);
    }
}
