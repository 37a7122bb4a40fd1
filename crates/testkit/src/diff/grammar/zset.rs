//! Requests on sorted sets. What could wait has something to take or is refused, or both servers
//! would. Names are ranged over only in a set whose scores are all equal: elsewhere that gives what
//! happens to come.

use super::Slot::{self, Db, Either, From, Glob, Key, Many, Maybe, Ranked, Seconds, Word};

const MEMBER: Slot = From(&[
    b"",
    b"a",
    b"b",
    b"c",
    b"m:1",
    b"m:120",
    b"\x00\x01\xff\r\n",
    b"a member that is exactly sixty-four bytes long, which is the limi",
    b"a member that is longer than what a small sorted set may have at all",
    b"0",
    b"1",
    b"130",
    b"-1",
    b"9223372036854775807",
    b"01",
]);
/// Scores that both print alike, the frequent ones twice.
const SCORE: Slot = From(&[
    b"0",
    b"0",
    b"1",
    b"1",
    b"2",
    b"-1",
    b"7",
    b"128",
    b"-32769",
    b"-0",
    b"4294967296",
    b"0.5",
    b"-2.25",
    b"1e3",
    b"+3",
    b"inf",
    b"-inf",
    b"+Infinity",
    b"0x10",
    b"-0x1.8p2",
    b"007",
    b".5",
]);
/// What is a score seldom.
const ODD_SCORE: Slot = From(&[
    b"",
    b" 1",
    b"1 ",
    b"nan",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"0x",
    b"0x1p2000",
    b"1e",
    b"(1",
    b"abc",
    b"1\x00",
    b".",
]);
const BOUND: Slot = From(&[
    b"-inf", b"-inf", b"+inf", b"inf", b"0", b"(0", b"1", b"(1", b"2", b"7", b"(128", b"-2.25",
    b"(-2.25", b"0x10", b"(0x10", b"", b"(", b" 1", b"( 1", b"1\x00x", b"1e400", b"(-1e400",
    b"1e-400", b"(inf", b"nan", b"1 ", b"[1", b"abc",
]);
const NAME_BOUND: Slot = From(&[
    b"-", b"-", b"+", b"+", b"[", b"(", b"[a", b"(a", b"[m:120", b"(m:40", b"[\xff", b"[0", b"(1",
    b"(99", b"[x", b"a", b"", b"-a", b"+1",
]);
const INDEX: Slot = From(&[
    b"0",
    b"0",
    b"1",
    b"2",
    b"5",
    b"100",
    b"-1",
    b"-1",
    b"-2",
    b"-100",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"(1",
    b"1.5",
    b"",
]);
/// How many are taken, drawn or shown.
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
/// Never so many that the reference would not come to an end.
const DRAWS: Slot = From(&[
    b"0",
    b"1",
    b"2",
    b"100",
    b"-1",
    b"-3",
    b"-100",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"abc",
]);
/// The set of equal scores.
const NAMES: Slot = From(&[b"names"]);
const NUMKEYS: Slot = From(&[b"1", b"1", b"2", b"2", b"3", b"0", b"-1", b"100", b"abc"]);
const END: Slot = From(&[b"MIN", b"MAX", b"min", b"Max", b"UP"]);
/// Timeouts that let nobody wait: they are too short to be noticed, or refused.
const TIMEOUT: Slot = From(&[b"0.001", b"0.0001", b"1e-3", b"-1", b"abc", b"", b"nan", b"-inf"]);
const LIMIT: &[Slot] = &[Word("LIMIT"), INDEX, INDEX];
const WITHSCORES: &[Slot] = &[Word("WITHSCORES")];
const ADDING: &[&[Slot]] = &[
    &[Word("NX")],
    &[Word("XX")],
    &[Word("GT")],
    &[Word("LT")],
    &[Word("CH")],
    &[Word("ch"), Word("xx")],
    &[Word("INCR")],
];
const RANGING: &[&[Slot]] =
    &[&[Word("REV")], LIMIT, WITHSCORES, &[Word("BYSCORE")], &[Word("rev"), Word("limit")]];
const SCANNING: &[&[Slot]] = &[&[Word("MATCH"), Glob], &[Word("COUNT"), COUNT]];

/// Ends of a range by score or by rank, and options of either.
const RANGE: &[&[Slot]] = &[
    &[INDEX, INDEX],
    &[INDEX, INDEX, Word("WITHSCORES"), Maybe(&[Word("REV")])],
    &[BOUND, BOUND, Word("BYSCORE")],
    &[BOUND, BOUND, Word("BYSCORE"), Maybe(&[Word("REV")]), Maybe(LIMIT), Maybe(WITHSCORES)],
    &[INDEX, BOUND, Many(&[Either(RANGING)])],
];
/// The same, kept.
const KEPT: &[&[Slot]] = &[
    &[INDEX, INDEX, Maybe(&[Word("REV")])],
    &[BOUND, BOUND, Word("BYSCORE"), Maybe(&[Word("REV")]), Maybe(LIMIT)],
    &[INDEX, BOUND, Many(&[Either(RANGING)])],
];

/// The command lines. Those that add stand several times, so that there is something to find.
pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("ZADD"), Key, SCORE, MEMBER],
    &[Word("ZADD"), Key, Many(&[SCORE, MEMBER])],
    &[Word("ZADD"), Key, Many(&[SCORE, MEMBER])],
    &[Word("ZADD"), Key, Ranked(7)],
    &[Word("ZADD"), Key, Ranked(1000)],
    &[Word("ZADD"), NAMES, Ranked(1)],
    &[Word("ZADD"), Key, Many(&[Either(ADDING)]), Many(&[SCORE, MEMBER])],
    &[Word("ZADD"), Key, Many(&[Either(ADDING)]), SCORE, MEMBER],
    &[Word("ZADD"), Key, Maybe(&[Either(ADDING)]), SCORE, MEMBER, ODD_SCORE, MEMBER],
    &[Word("ZADD"), NAMES, Many(&[Word("0"), MEMBER])],
    &[Word("ZINCRBY"), Key, SCORE, MEMBER],
    &[Word("ZINCRBY"), Key, Either(&[&[SCORE], &[ODD_SCORE]]), MEMBER],
    &[Word("ZSCORE"), Key, MEMBER],
    &[Word("ZMSCORE"), Key, Many(&[MEMBER])],
    &[Word("ZCARD"), Key],
    &[Word("ZRANK"), Key, MEMBER],
    &[Word("ZREVRANK"), Key, MEMBER],
    &[Word("ZREM"), Key, Many(&[MEMBER])],
    &[Word("ZREM"), NAMES, Many(&[MEMBER])],
    &[Word("ZCOUNT"), Key, BOUND, BOUND],
    &[Word("ZLEXCOUNT"), NAMES, NAME_BOUND, NAME_BOUND],
    &[Word("ZRANGE"), Key, Either(RANGE)],
    &[Word("ZRANGE"), Key, Word("0"), Word("-1"), Word("WITHSCORES")],
    &[
        Word("ZRANGE"),
        NAMES,
        NAME_BOUND,
        NAME_BOUND,
        Word("BYLEX"),
        Maybe(&[Word("REV")]),
        Maybe(LIMIT),
        Maybe(&[Either(RANGING)]),
    ],
    &[Word("ZRANGESTORE"), Key, Key, Either(KEPT)],
    &[Word("ZRANGESTORE"), Key, Key, Word("-inf"), BOUND, Word("BYSCORE")],
    &[Word("ZRANGESTORE"), NAMES, NAMES, NAME_BOUND, NAME_BOUND, Word("BYLEX"), Maybe(LIMIT)],
    &[Word("ZREVRANGE"), Key, INDEX, INDEX, Maybe(WITHSCORES)],
    &[Word("ZRANGEBYSCORE"), Key, BOUND, BOUND, Maybe(WITHSCORES), Maybe(LIMIT)],
    &[Word("ZREVRANGEBYSCORE"), Key, BOUND, BOUND, Maybe(LIMIT), Maybe(WITHSCORES)],
    &[Word("ZRANGEBYLEX"), NAMES, NAME_BOUND, NAME_BOUND, Maybe(LIMIT)],
    &[Word("ZREVRANGEBYLEX"), NAMES, NAME_BOUND, NAME_BOUND, Maybe(LIMIT)],
    &[Word("ZREMRANGEBYRANK"), Key, INDEX, INDEX],
    &[Word("ZREMRANGEBYSCORE"), Key, BOUND, BOUND],
    &[Word("ZREMRANGEBYLEX"), NAMES, NAME_BOUND, NAME_BOUND],
    &[Word("ZPOPMIN"), Key, Maybe(&[COUNT])],
    &[Word("ZPOPMAX"), Key, Maybe(&[COUNT])],
    &[Word("ZMPOP"), NUMKEYS, Many(&[Key]), END, Maybe(&[Word("COUNT"), COUNT])],
    &[Word("BZPOPMIN"), Many(&[Key]), TIMEOUT],
    &[Word("BZPOPMAX"), Many(&[Key]), TIMEOUT],
    &[Word("BZMPOP"), TIMEOUT, NUMKEYS, Many(&[Key]), END, Maybe(&[Word("COUNT"), COUNT])],
    &[Word("ZRANDMEMBER"), Key],
    &[Word("ZRANDMEMBER"), Key, DRAWS],
    &[Word("ZRANDMEMBER"), Key, DRAWS, Word("WITHSCORES")],
    &[Word("ZSCAN"), Key, Word("0"), Word("COUNT"), Word("1000000"), Maybe(&[Word("MATCH"), Glob])],
    &[Word("ZSCAN"), Key, Word("0"), Many(&[Either(SCANNING)]), Word("COUNT"), Word("1000000")],
    &[Word("EXPIRE"), Key, Seconds],
    &[Word("COPY"), Key, Key, Maybe(&[Word("DB"), Db]), Maybe(&[Word("REPLACE")])],
    &[Word("RENAME"), Key, Key],
    &[Word("TYPE"), Key],
    &[Word("OBJECT"), Word("ENCODING"), Key],
    &[Word("DEBUG"), Word("DIGEST-VALUE"), Key],
];
