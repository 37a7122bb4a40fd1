//! Requests on hashes that the reference has. Random draws change nothing.

use super::Slot::{
    self, Crowd, Db, Either, Float, From, Glob, Int, Key, Many, Maybe, Seconds, Text, Word,
};

const FIELD: Slot = From(&[
    b"",
    b"a",
    b"b",
    b"c",
    b"f",
    b"m:0",
    b"m:1",
    b"m:120",
    b"\x00\x01\xff\r\n",
    b"sixty-four bytes: the longest field or value of a small hash, yes",
    b"sixty-five bytes: the shortest one that makes a large hash of it, yes",
    b"0",
    b"1",
    b"01",
    b"120",
    b"-1",
    b"32768",
    b"9223372036854775807",
    b"9223372036854775808",
]);
const VALUE: &[&[Slot]] = &[&[Text], &[Int], &[Float], &[FIELD]];
const DRAWS: Slot = From(&[
    b"0",
    b"1",
    b"-1",
    b"2",
    b"-3",
    b"50",
    b"-50",
    b"100000",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"4611686018427387904",
    b"abc",
    b"1.5",
]);

/// The command lines. `HSET` stands several times, so that there is something to look at. No draw
/// asks for very many fields again and again: either server would try to give them.
pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("HSET"), Key, Many(&[FIELD, Either(VALUE)])],
    &[Word("HSET"), Key, Many(&[FIELD, Either(VALUE)])],
    &[Word("HSET"), Key, Many(&[FIELD, Int])],
    &[Word("HSET"), Key, Crowd],
    &[Word("HMSET"), Key, Many(&[FIELD, Either(VALUE)])],
    &[Word("HMSET"), Key, Crowd],
    &[Word("HSETNX"), Key, FIELD, Either(VALUE)],
    &[Word("HGET"), Key, FIELD],
    &[Word("HMGET"), Key, Many(&[FIELD])],
    &[Word("HGETALL"), Key],
    &[Word("HKEYS"), Key],
    &[Word("HVALS"), Key],
    &[Word("HLEN"), Key],
    &[Word("HDEL"), Key, Many(&[FIELD])],
    &[Word("HDEL"), Key, Crowd],
    &[Word("HEXISTS"), Key, FIELD],
    &[Word("HSTRLEN"), Key, FIELD],
    &[Word("HINCRBY"), Key, FIELD, Int],
    &[Word("HINCRBY"), Key, FIELD, Int],
    &[Word("HINCRBYFLOAT"), Key, FIELD, Float],
    &[Word("HINCRBYFLOAT"), Key, FIELD, Float],
    &[Word("HRANDFIELD"), Key, Maybe(&[From(&[b"0", b"1", b"100000", b"-7"])])],
    &[Word("HRANDFIELD"), Key, DRAWS, Word("WITHVALUES")],
    &[Word("HSCAN"), Key, Word("0"), Word("COUNT"), Word("100000"), Maybe(&[Word("MATCH"), Glob])],
    &[Word("EXPIRE"), Key, Seconds],
    &[Word("COPY"), Key, Key, Maybe(&[Word("DB"), Db]), Maybe(&[Word("REPLACE")])],
    &[Word("RENAME"), Key, Key],
    &[Word("TYPE"), Key],
    &[Word("OBJECT"), Word("ENCODING"), Key],
    &[Word("DEBUG"), Word("DIGEST-VALUE"), Key],
];
