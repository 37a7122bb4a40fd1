//! Requests on sets. Random draws are such that nothing is left to chance, or change nothing.

use super::Slot::{self, Crowd, Db, Either, From, Glob, Key, Many, Maybe, Seconds, Word};

const MEMBER: Slot = From(&[
    b"",
    b"a",
    b"b",
    b"c",
    b"hello",
    b"m:1",
    b"m:120",
    b"\x01\x00\xff\r\n",
    b"sixty-four bytes: the longest member of a small set, by default..",
    b"sixty-five bytes: the shortest member that makes a large set of it.",
    b"0",
    b"1",
    b"2",
    b"3",
    b"120",
    b"-1",
    b"127",
    b"32767",
    b"32768",
    b"-32769",
    b"2147483647",
    b"2147483648",
    b"-2147483649",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"+1",
    b"01",
    b"-0",
    b"1.0",
    b"1 ",
]);
/// How many members SPOP takes: all or none, or it refuses.
const ALL_OR_NONE: Slot =
    From(&[b"0", b"100000", b"9223372036854775807", b"-1", b"abc", b"9223372036854775808", b""]);
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
    b"abc",
    b"1.5",
]);
const LIMIT: Slot = From(&[
    b"0",
    b"1",
    b"2",
    b"100",
    b"-1",
    b"9223372036854775807",
    b"9223372036854775808",
    b"abc",
]);
const NUMKEYS: Slot =
    From(&[b"1", b"1", b"2", b"2", b"3", b"0", b"-1", b"100", b"abc", b"9223372036854775807"]);

const OFFSET: Slot = From(&[b"0", b"1", b"3", b"-1", b"100", b"abc"]);
const GET: &[Slot] = &[Word("GET"), From(&[b"#", b"*", b"?*", b"*->a", b"nostar"])];
/// Sorted by themselves: what two servers do with elements of equal weight is up to them.
const SORTED: &[Slot] = &[
    Maybe(&[Word("LIMIT"), OFFSET, OFFSET]),
    Maybe(&[Either(&[&[Word("ASC")], &[Word("DESC")]])]),
    Maybe(&[Many(GET)]),
];

/// The command lines. `SADD` stands several times, so that there is something to combine.
pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("SADD"), Key, Many(&[MEMBER])],
    &[Word("SADD"), Key, Many(&[MEMBER])],
    &[Word("SADD"), Key, Crowd],
    &[Word("SADD"), Key, Crowd],
    &[Word("SREM"), Key, Many(&[MEMBER])],
    &[Word("SREM"), Key, Crowd],
    &[Word("SISMEMBER"), Key, MEMBER],
    &[Word("SMISMEMBER"), Key, Many(&[MEMBER])],
    &[Word("SCARD"), Key],
    &[Word("SMEMBERS"), Key],
    &[Word("SPOP"), Key, ALL_OR_NONE],
    &[Word("SRANDMEMBER"), Key, Maybe(&[DRAWS])],
    &[Word("SMOVE"), Key, Key, MEMBER],
    &[Word("SINTER"), Many(&[Key])],
    &[Word("SINTERSTORE"), Key, Many(&[Key])],
    &[Word("SINTERCARD"), NUMKEYS, Many(&[Key]), Maybe(&[Word("LIMIT"), LIMIT])],
    &[Word("SUNION"), Many(&[Key])],
    &[Word("SUNIONSTORE"), Key, Many(&[Key])],
    &[Word("SDIFF"), Many(&[Key])],
    &[Word("SDIFFSTORE"), Key, Many(&[Key])],
    &[Word("SSCAN"), Key, Word("0"), Word("COUNT"), Word("100000"), Maybe(&[Word("MATCH"), Glob])],
    &[Word("SORT"), Key, Maybe(&[Word("ALPHA")]), Either(&[SORTED])],
    &[Word("SORT"), Key, Word("ALPHA"), Either(&[SORTED]), Word("STORE"), Key],
    &[Word("SORT"), Key, Word("BY"), Word("nosort"), Word("STORE"), Key],
    &[Word("SORT_RO"), Key, Maybe(&[Word("ALPHA")]), Either(&[SORTED])],
    &[Word("EXPIRE"), Key, Seconds],
    &[Word("COPY"), Key, Key, Maybe(&[Word("DB"), Db]), Maybe(&[Word("REPLACE")])],
    &[Word("RENAME"), Key, Key],
    &[Word("TYPE"), Key],
    &[Word("OBJECT"), Word("ENCODING"), Key],
    &[Word("DEBUG"), Word("DIGEST-VALUE"), Key],
];
