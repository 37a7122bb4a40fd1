//! Random requests: commands with arguments from small pools, so that they meet.
//!
//! Times to live are long or refused at once, never short: a key that expires in the middle of a
//! sequence would make replies depend on the clock.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::runner::Command;

mod algebra;
mod bitmap;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod payload;
mod set;
mod stream;
mod zset;

/// A place in a command line.
enum Slot {
    Key,
    Text,
    Int,
    Float,
    Offset,
    Seconds,
    Millis,
    /// Absolute, in the future or refused.
    AtSeconds,
    AtMillis,
    /// Absolute and past: removes the key.
    Past,
    Db,
    Glob,
    Word(&'static str),
    /// One of these.
    From(&'static [&'static [u8]]),
    /// Two to some hundred numbered elements.
    Crowd,
    /// The same, each behind a score from 0 to one below this.
    Ranked(u32),
    /// Present every other time.
    Maybe(&'static [Slot]),
    /// One to four times.
    Many(&'static [Slot]),
    /// One of these.
    Either(&'static [&'static [Slot]]),
}

use Slot::{
    AtMillis, AtSeconds, Crowd, Db, Either, Float, From, Glob, Int, Key, Many, Maybe, Millis,
    Offset, Past, Ranked, Seconds, Text, Word,
};

const EXPIRY: &[&[Slot]] = &[
    &[Word("EX"), Seconds],
    &[Word("PX"), Millis],
    &[Word("EXAT"), AtSeconds],
    &[Word("PXAT"), AtMillis],
];
const EXISTENCE: &[&[Slot]] = &[&[Word("NX")], &[Word("XX")], &[Word("nx")]];
/// Of times from now: which of two such times is the later one depends on the clock.
const EXISTING: &[&[Slot]] = &[&[Word("NX")], &[Word("XX")], &[Word("GT"), Word("LT")]];
const CONDITION: &[&[Slot]] = &[&[Word("NX")], &[Word("XX")], &[Word("GT")], &[Word("LT")]];
const IDX: &[Slot] =
    &[Word("IDX"), Maybe(&[Word("MINMATCHLEN"), Offset]), Maybe(&[Word("WITHMATCHLEN")])];

/// Command lines of one family each; a sequence is made of those of one of them, or of all in
/// turn, and of [`COMMANDS`].
const FAMILIES: &[&[&[Slot]]] = &[
    COMMANDS,
    bitmap::COMMANDS,
    hyperloglog::COMMANDS,
    set::COMMANDS,
    hash::COMMANDS,
    list::COMMANDS,
    stream::COMMANDS,
    zset::COMMANDS,
    algebra::COMMANDS,
    geo::COMMANDS,
    payload::COMMANDS,
];

/// The command lines on strings and on keys of any type. `SET` stands several times: without values
/// nothing else is interesting.
const COMMANDS: &[&[Slot]] = &[
    &[Word("SET"), Key, Text],
    &[Word("SET"), Key, Int],
    &[Word("SET"), Key, Float],
    &[
        Word("SET"),
        Key,
        Text,
        Maybe(&[Either(EXISTENCE)]),
        Maybe(&[Word("GET")]),
        Maybe(&[Either(EXPIRY)]),
    ],
    &[Word("SET"), Key, Int, Maybe(&[Either(EXPIRY)]), Maybe(&[Word("KEEPTTL")])],
    &[Word("GET"), Key],
    &[Word("APPEND"), Key, Text],
    &[Word("DECR"), Key],
    &[Word("INCR"), Key],
    &[Word("DECRBY"), Key, Int],
    &[Word("INCRBY"), Key, Int],
    &[Word("INCRBYFLOAT"), Key, Float],
    &[Word("GETDEL"), Key],
    &[Word("GETEX"), Key, Maybe(&[Either(EXPIRY)])],
    &[Word("GETEX"), Key, Either(&[&[Word("PERSIST")], &[Word("PXAT"), Past]])],
    &[Word("GETRANGE"), Key, Offset, Offset],
    &[Word("SUBSTR"), Key, Offset, Offset],
    &[Word("GETSET"), Key, Text],
    &[Word("LCS"), Key, Key, Maybe(&[Word("LEN")])],
    &[Word("LCS"), Key, Key, Maybe(IDX)],
    &[Word("MGET"), Many(&[Key])],
    &[Word("MSET"), Many(&[Key, Text])],
    &[Word("MSETNX"), Many(&[Key, Text])],
    &[Word("PSETEX"), Key, Millis, Text],
    &[Word("SETEX"), Key, Seconds, Text],
    &[Word("SETNX"), Key, Text],
    &[Word("SETRANGE"), Key, Offset, Text],
    &[Word("STRLEN"), Key],
    &[Word("COPY"), Key, Key, Maybe(&[Word("DB"), Db]), Maybe(&[Word("REPLACE")])],
    &[Word("DEL"), Many(&[Key])],
    &[Word("UNLINK"), Many(&[Key])],
    &[Word("EXISTS"), Many(&[Key])],
    &[Word("TOUCH"), Many(&[Key])],
    &[Word("EXPIRE"), Key, Seconds, Maybe(&[Either(EXISTING)])],
    &[Word("PEXPIRE"), Key, Millis, Maybe(&[Either(EXISTING)])],
    &[Word("EXPIREAT"), Key, AtSeconds, Maybe(&[Either(CONDITION)])],
    &[Word("PEXPIREAT"), Key, AtMillis, Maybe(&[Either(CONDITION), Either(CONDITION)])],
    &[Word("PEXPIREAT"), Key, Past, Maybe(&[Either(CONDITION)])],
    &[Word("EXPIRETIME"), Key],
    &[Word("PEXPIRETIME"), Key],
    &[Word("TTL"), Key],
    &[Word("PTTL"), Key],
    &[Word("PERSIST"), Key],
    &[Word("KEYS"), Glob],
    &[Word("SCAN"), Word("0"), Word("COUNT"), Word("1000"), Maybe(&[Word("MATCH"), Glob])],
    &[Word("MOVE"), Key, Db],
    &[Word("OBJECT"), Word("ENCODING"), Key],
    &[Word("OBJECT"), Word("REFCOUNT"), Key],
    &[Word("RANDOMKEY")],
    &[Word("RENAME"), Key, Key],
    &[Word("RENAMENX"), Key, Key],
    &[Word("TYPE"), Key],
    &[Word("DBSIZE")],
    &[Word("SELECT"), Db],
    &[Word("SWAPDB"), Db, Db],
    &[Word("FLUSHDB"), Maybe(&[Word("ASYNC")])],
    &[Word("ECHO"), Text],
    &[Word("PING"), Maybe(&[Text])],
    &[Word("DEBUG"), Word("DIGEST")],
    &[Word("DEBUG"), Word("DIGEST-VALUE"), Many(&[Key])],
];

const KEYS: &[&[u8]] = &[b"a", b"b", b"c", b"key", b"k\x00\xff", b""];
const TEXTS: &[&[u8]] = &[
    b"",
    b"v",
    b"hello",
    b"ohmytext",
    b"mynewtext",
    b"\x00\x01\xff\r\n",
    b"exactly forty-four bytes, the embstr limit..",
    b"exactly forty-five bytes, behind the limit...",
    b"1",
    b"-5",
    b"3.25",
    b"nan",
    b"NX",
];
const INTS: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"7",
    b"10",
    b"12345",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775806",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"+1",
    b" 1",
    b"1 ",
    b"01",
    b"-0",
    b"0x10",
    b"1.0",
    b"1e3",
    b"",
    b"abc",
];
const FLOATS: &[&[u8]] = &[
    b"0",
    b"0.1",
    b"-0.5",
    b"1.5",
    b"3.0e3",
    b"1e-5",
    b"-7",
    b"100000000",
    b"0.3333",
    b"inf",
    b"-inf",
    b"nan",
    b"1e400",
    b"1e5000",
    b"abc",
    b"",
    b" 1",
    b"1.5 ",
];
const OFFSETS: &[&[u8]] = &[
    b"0",
    b"1",
    b"2",
    b"5",
    b"44",
    b"100",
    b"-1",
    b"-2",
    b"-100",
    b"536870911",
    b"536870912",
    b"4294967296",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1.5",
    b"abc",
];
/// Offsets at which `SETRANGE` may really write: a huge one would cost its size in memory.
const WRITE_OFFSETS: &[&[u8]] =
    &[b"0", b"1", b"5", b"44", b"1000", b"-1", b"536870912", b"9223372036854775807", b"x"];
const SECONDS: &[&[u8]] = &[
    b"100000",
    b"200000",
    b"300000",
    b"0",
    b"-1",
    b"abc",
    b"1.5",
    b"9223372036854775",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
];
const MILLIS: &[&[u8]] = &[
    b"100000000",
    b"200000000",
    b"300000000",
    b"0",
    b"-1",
    b"abc",
    b"",
    b"9223372036854775807",
    b"9223372036854775808",
];
const AT_SECONDS: &[&[u8]] = &[
    b"33177117420",
    b"33177117421",
    b"33177117422",
    b"9223372036854775",
    b"9223372036854776",
    b"9223372036854775807",
    b"abc",
];
const AT_MILLIS: &[&[u8]] = &[
    b"33177117420000",
    b"33177117420123",
    b"33177117421999",
    b"9223372036854775807",
    b"9223372036854775808",
    b"abc",
];
const PAST: &[&[u8]] = &[b"1", b"1000", b"1600000000000"];
const DBS: &[&[u8]] = &[b"0", b"0", b"0", b"1", b"1", b"2", b"15", b"16", b"-1", b"abc"];
const GLOBS: &[&[u8]] =
    &[b"*", b"a*", b"?", b"[ab]", b"[^a]*", b"k*", b"", b"key", b"[a-c", b"\\a", b"*\xff"];

/// The requests of a sequence; a few more look at the result.
const LEN_MIN: u64 = 20;
const LEN_MAX: u64 = 80;
/// Of how many sequences one is of all families.
const MIXED_ONE_IN: u64 = 4;

/// The requests of a seed, the same at every call.
#[must_use]
pub fn sequence(seed: u64) -> Vec<Command> {
    let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(seed));
    let len = LEN_MIN + dice.below(LEN_MAX - LEN_MIN);
    // In some sequences every key may hold anything: values of one type meet the commands on
    // others.
    let only = if dice.one_in(MIXED_ONE_IN) { None } else { dice.pick(FAMILIES).copied() };
    let mut commands = Vec::new();
    for _ in 0..len {
        let family = only.or_else(|| dice.pick(FAMILIES).copied());
        commands.push(dice.command(family.unwrap_or_default()));
    }
    let words = |line: &[&[u8]]| line.iter().map(|word| word.to_vec()).collect::<Command>();
    for db in [&b"0"[..], b"1", b"2"] {
        commands.push(words(&[b"SELECT", db]));
        commands.push(words(&[b"KEYS", b"*"]));
        for &key in KEYS {
            commands.push(words(&[b"GET", key]));
            commands.push(words(&[b"PTTL", key]));
            commands.push(words(&[b"OBJECT", b"ENCODING", key]));
        }
    }
    commands.push(words(&[b"DEBUG", b"DIGEST"]));
    commands
}

struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// A number below `bound`; the bias of the remainder does no harm here.
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T>(&mut self, pool: &'a [T]) -> Option<&'a T> {
        let at = self.below(pool.len() as u64);
        pool.get(usize::try_from(at).unwrap_or(0))
    }

    fn command(&mut self, family: &[&'static [Slot]]) -> Command {
        let mut command = Command::new();
        let lines = if self.one_in(3) { COMMANDS } else { family };
        let line = self.pick(lines).copied().unwrap_or_default();
        self.fill(line, &mut command);
        // Without its count, SPOP would leave two servers with different sets.
        let is_drawn = command.first().is_some_and(|name| name == b"SPOP");
        if self.one_in(40) && command.len() > 1 && !is_drawn {
            command.pop();
        } else if self.one_in(40) {
            command.push(b"x".to_vec());
        }
        if self.one_in(20)
            && let Some(name) = command.first_mut()
        {
            name.make_ascii_lowercase();
        }
        command
    }

    /// Numbered elements; with `scores`, each behind one of so many.
    fn crowd(&mut self, scores: Option<u32>, command: &mut Command) {
        let prefix = self.pick(&["", "m:"]).copied().unwrap_or_default();
        let first: u32 = self.pick(&[0, 1, 100, 250]).copied().unwrap_or_default();
        let count = self.pick(&[2, 5, 40, 130, 200, 600]).copied().unwrap_or_default();
        for n in first..first + count {
            // Neighbours get scores that lie apart.
            command.extend(scores.map(|scores| (n * 37 % scores).to_string().into_bytes()));
            command.push(format!("{prefix}{n}").into_bytes());
        }
    }

    fn fill(&mut self, slots: &[Slot], command: &mut Command) {
        for slot in slots {
            let pool: &[&[u8]] = match slot {
                Key => KEYS,
                Text => TEXTS,
                Int => INTS,
                Float => FLOATS,
                Offset if command.first().is_some_and(|name| name == b"SETRANGE") => WRITE_OFFSETS,
                Offset => OFFSETS,
                Seconds => SECONDS,
                Millis => MILLIS,
                AtSeconds => AT_SECONDS,
                AtMillis => AT_MILLIS,
                Past => PAST,
                Db => DBS,
                Glob => GLOBS,
                Word(word) => &[word.as_bytes()],
                From(pool) => pool,
                Crowd => {
                    self.crowd(None, command);
                    continue;
                }
                Ranked(scores) => {
                    self.crowd(Some(*scores), command);
                    continue;
                }
                Maybe(slots) => {
                    if self.one_in(2) {
                        self.fill(slots, command);
                    }
                    continue;
                }
                Many(slots) => {
                    for _ in 0..=self.below(4) {
                        self.fill(slots, command);
                    }
                    continue;
                }
                Either(choices) => {
                    if let Some(slots) = self.pick(choices) {
                        self.fill(slots, command);
                    }
                    continue;
                }
            };
            command.extend(self.pick(pool).map(|word| word.to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_same_seed_gives_the_same_requests() {
        assert_eq!(sequence(7), sequence(7));
        assert_ne!(sequence(7), sequence(8));
    }

    #[test]
    fn every_command_of_the_grammar_comes_up() {
        let named = |command: &Command| command[0].to_ascii_uppercase();
        let seen: BTreeSet<Vec<u8>> = (0..400).flat_map(sequence).map(|c| named(&c)).collect();
        for line in FAMILIES.iter().copied().flatten() {
            let mut command = Command::new();
            Dice(Xoshiro256PlusPlus::seed_from_u64(0)).fill(&line[..1], &mut command);
            assert!(seen.contains(&command[0]), "{command:?}");
        }
    }
}
