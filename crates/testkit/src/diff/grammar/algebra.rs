//! Requests on several sorted sets and plain sets. Scores and weights are such that products and
//! sums are exact, and print alike on both servers.

use super::Slot::{self, Crowd, Either, From, Key, Many, Maybe, Ranked, Word};

const MEMBER: Slot =
    From(&[b"", b"a", b"b", b"c", b"m:1", b"m:120", b"0", b"1", b"130", b"-1", b"01"]);
const SCORE: Slot =
    From(&[b"0", b"1", b"2", b"-1", b"7", b"0.5", b"-2.25", b"1024", b"inf", b"-inf", b"-0"]);
const WEIGHT: Slot = From(&[
    b"1", b"1", b"2", b"0", b"-1", b"0.5", b"-0", b"inf", b"-inf", b"0x1", b"nan", b"abc", b"",
    b"1e400", b" 1",
]);
const NUMKEYS: Slot = From(&[
    b"1",
    b"1",
    b"2",
    b"2",
    b"2",
    b"3",
    b"4",
    b"0",
    b"-1",
    b"100",
    b"abc",
    b"",
    b"9223372036854775807",
    b"9223372036854775808",
]);
const LIMIT: Slot = From(&[
    b"0",
    b"1",
    b"2",
    b"100",
    b"-1",
    b"9223372036854775807",
    b"abc",
    b"9223372036854775808",
]);
const AGGREGATE: Slot = From(&[b"SUM", b"MIN", b"MAX", b"min", b"Max", b"AVG"]);
const WITHSCORES: &[Slot] = &[Word("WITHSCORES")];

/// Keys with as many weights.
const SOURCES: &[&[Slot]] = &[
    &[Word("1"), Key],
    &[Word("2"), Key, Key],
    &[Word("3"), Key, Key, Key],
    &[Word("4"), Key, Key, Key, Key],
    &[Word("1"), Key, Word("WEIGHTS"), WEIGHT],
    &[Word("2"), Key, Key, Word("WEIGHTS"), WEIGHT, WEIGHT],
    &[Word("2"), Key, Key, Word("weights"), WEIGHT, WEIGHT],
    &[Word("3"), Key, Key, Key, Word("WEIGHTS"), WEIGHT, WEIGHT, WEIGHT],
    &[NUMKEYS, Many(&[Key]), Maybe(&[Word("WEIGHTS"), Many(&[WEIGHT])])],
];
const OPTIONS: &[Slot] = &[Maybe(&[Word("AGGREGATE"), AGGREGATE]), Maybe(WITHSCORES)];
/// Keys alone.
const KEYS: &[&[Slot]] = &[
    &[Word("1"), Key],
    &[Word("2"), Key, Key],
    &[Word("3"), Key, Key, Key],
    &[NUMKEYS, Many(&[Key])],
    &[Word("8"), Key, Key, Key, Key, Key, Key, Key, Key],
];

/// The command lines. Those that add stand several times, so that there is something to combine.
pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("ZADD"), Key, Many(&[SCORE, MEMBER])],
    &[Word("ZADD"), Key, Many(&[SCORE, MEMBER])],
    &[Word("ZADD"), Key, Ranked(7)],
    &[Word("ZADD"), Key, Ranked(1000)],
    &[Word("SADD"), Key, Many(&[MEMBER])],
    &[Word("SADD"), Key, Crowd],
    &[Word("ZREM"), Key, Many(&[MEMBER])],
    &[Word("ZUNION"), Either(SOURCES), Either(&[OPTIONS])],
    &[Word("ZUNION"), Either(SOURCES), Either(&[WITHSCORES])],
    &[Word("ZINTER"), Either(SOURCES), Either(&[OPTIONS])],
    &[Word("ZINTER"), Either(SOURCES), Either(&[WITHSCORES])],
    &[Word("ZDIFF"), Either(KEYS), Maybe(WITHSCORES)],
    &[Word("ZDIFF"), Either(SOURCES), Maybe(WITHSCORES)],
    &[Word("ZUNIONSTORE"), Key, Either(SOURCES), Maybe(&[Word("AGGREGATE"), AGGREGATE])],
    &[Word("ZUNIONSTORE"), Key, Either(SOURCES), Either(&[OPTIONS])],
    &[Word("ZINTERSTORE"), Key, Either(SOURCES), Maybe(&[Word("AGGREGATE"), AGGREGATE])],
    &[Word("ZINTERSTORE"), Key, Either(SOURCES), Either(&[OPTIONS])],
    &[Word("ZDIFFSTORE"), Key, Either(KEYS)],
    &[Word("ZDIFFSTORE"), Key, Either(SOURCES), Maybe(WITHSCORES)],
    &[Word("ZINTERCARD"), Either(KEYS), Maybe(&[Word("LIMIT"), LIMIT])],
    &[Word("ZINTERCARD"), Either(SOURCES), Maybe(&[Word("LIMIT"), LIMIT])],
    &[Word("ZRANGE"), Key, Word("0"), Word("-1"), Word("WITHSCORES")],
    &[Word("OBJECT"), Word("ENCODING"), Key],
];
