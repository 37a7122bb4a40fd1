//! Requests on lists. What could wait has something to take or is refused, or both servers would.

use super::Slot::{self, Crowd, Db, Either, From, Key, Many, Maybe, Seconds, Word};

const ELEMENT: Slot = From(&[
    b"",
    b"a",
    b"b",
    b"c",
    b"hello",
    b"m:1",
    b"m:120",
    b"\x00\x01\xff\r\n",
    b"an element that is long enough that a few hundreds of them do not fit one node any more",
    b"0",
    b"1",
    b"2",
    b"-1",
    b"127",
    b"128",
    b"4096",
    b"-32769",
    b"2147483648",
    b"9223372036854775807",
    b"9223372036854775808",
    b"+1",
    b"01",
    b"-0",
    b"1 ",
]);
const INDEX: Slot = From(&[
    b"0",
    b"0",
    b"1",
    b"2",
    b"5",
    b"40",
    b"300",
    b"700",
    b"-1",
    b"-1",
    b"-2",
    b"-50",
    b"-400",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"abc",
    b"1.5",
    b"",
]);
/// How many elements are taken, looked for or looked at.
const COUNT: Slot = From(&[
    b"0",
    b"1",
    b"2",
    b"3",
    b"50",
    b"1000",
    b"-1",
    b"9223372036854775807",
    b"9223372036854775808",
    b"abc",
    b"",
]);
const TIMES: Slot = From(&[b"0", b"1", b"2", b"-1", b"-2", b"100", b"-100", b"abc"]);
const RANK: Slot = From(&[b"1", b"2", b"5", b"-1", b"-2", b"100", b"-100", b"0", b"abc"]);
const END: Slot = From(&[b"LEFT", b"RIGHT", b"left", b"Right", b"UP"]);
const SIDE: Slot = From(&[b"BEFORE", b"AFTER", b"after", b"BESIDE"]);
const NUMKEYS: Slot = From(&[b"1", b"1", b"2", b"2", b"3", b"0", b"-1", b"100", b"abc"]);
/// Options of LPOS.
const SEARCH: &[&[Slot]] = &[
    &[Word("RANK"), RANK],
    &[Word("COUNT"), COUNT],
    &[Word("MAXLEN"), COUNT],
    &[Word("count"), COUNT, Word("rank"), RANK],
];
/// Timeouts that let nobody wait: they are too short to be noticed, or refused.
const TIMEOUT: Slot = From(&[b"0.001", b"0.0001", b"1e-3", b"-1", b"abc", b"", b"nan", b"-inf"]);

/// The command lines. Those that push stand several times, so that there is something to take.
pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("LPUSH"), Key, Many(&[ELEMENT])],
    &[Word("RPUSH"), Key, Many(&[ELEMENT])],
    &[Word("LPUSH"), Key, Crowd],
    &[Word("RPUSH"), Key, Crowd],
    &[Word("RPUSH"), Key, Crowd],
    &[Word("LPUSHX"), Key, Many(&[ELEMENT])],
    &[Word("RPUSHX"), Key, Many(&[ELEMENT])],
    &[Word("LPOP"), Key, Maybe(&[COUNT])],
    &[Word("RPOP"), Key, Maybe(&[COUNT])],
    &[Word("LLEN"), Key],
    &[Word("LRANGE"), Key, INDEX, INDEX],
    &[Word("LRANGE"), Key, Word("0"), Word("-1")],
    &[Word("LINDEX"), Key, INDEX],
    &[Word("LSET"), Key, INDEX, ELEMENT],
    &[Word("LINSERT"), Key, SIDE, ELEMENT, ELEMENT],
    &[Word("LREM"), Key, TIMES, ELEMENT],
    &[Word("LTRIM"), Key, INDEX, INDEX],
    &[Word("LPOS"), Key, ELEMENT],
    &[Word("LPOS"), Key, ELEMENT, Either(SEARCH)],
    &[Word("LPOS"), Key, ELEMENT, Many(&[Either(SEARCH)])],
    &[Word("LMOVE"), Key, Key, END, END],
    &[Word("RPOPLPUSH"), Key, Key],
    &[Word("LMPOP"), NUMKEYS, Many(&[Key]), END, Maybe(&[Word("COUNT"), COUNT])],
    &[Word("BLPOP"), Many(&[Key]), TIMEOUT],
    &[Word("BRPOP"), Many(&[Key]), TIMEOUT],
    &[Word("BLMOVE"), Key, Key, END, END, TIMEOUT],
    &[Word("BRPOPLPUSH"), Key, Key, TIMEOUT],
    &[Word("BLMPOP"), TIMEOUT, NUMKEYS, Many(&[Key]), END, Maybe(&[Word("COUNT"), COUNT])],
    &[Word("EXPIRE"), Key, Seconds],
    &[Word("COPY"), Key, Key, Maybe(&[Word("DB"), Db]), Maybe(&[Word("REPLACE")])],
    &[Word("RENAME"), Key, Key],
    &[Word("TYPE"), Key],
    &[Word("OBJECT"), Word("ENCODING"), Key],
    &[Word("DEBUG"), Word("DIGEST-VALUE"), Key],
];
