//! Requests on the bits of strings.

use super::Slot::{self, Either, From, Int, Key, Many, Maybe, Text, Word};

/// Positions of bits. Those beyond some thousands are refused or only read: a string that reaches
/// there would cost its size in memory.
const BIT: Slot = From(&[
    b"0", b"1", b"2", b"7", b"8", b"9", b"15", b"31", b"44", b"100", b"351", b"352", b"1000",
    b"7680", b"9000",
]);
const FAR: Slot = From(&[
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"-1",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"abc",
    b"",
    b"1.5",
    b"#1",
]);
const ENCODING: Slot = From(&[
    b"u1", b"u2", b"u3", b"u4", b"u7", b"u8", b"u9", b"u15", b"u16", b"u31", b"u32", b"u33",
    b"u62", b"u63", b"i1", b"i2", b"i3", b"i5", b"i8", b"i9", b"i13", b"i16", b"i32", b"i33",
    b"i63", b"i64",
]);
const NO_ENCODING: Slot =
    From(&[b"u0", b"u64", b"i0", b"i65", b"u", b"i-1", b"8", b"U8", b"x8", b"u08", b""]);
const FIELD: Slot =
    From(&[b"0", b"1", b"3", b"7", b"8", b"13", b"60", b"100", b"#0", b"#1", b"#2", b"#7", b"#50"]);
const NO_FIELD: Slot =
    From(&[b"-1", b"#-1", b"#", b"##1", b"4294967296", b"9223372036854775807", b"abc", b"", b"01"]);
const AMOUNT: Slot = From(&[
    b"0",
    b"1",
    b"-1",
    b"2",
    b"-2",
    b"7",
    b"100",
    b"-100",
    b"127",
    b"128",
    b"-128",
    b"-129",
    b"255",
    b"256",
    b"65535",
    b"-32768",
    b"4294967296",
    b"4611686018427387904",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"-9223372036854775680",
]);
const OVERFLOW: Slot = From(&[b"WRAP", b"SAT", b"FAIL", b"sat"]);
/// Where a part begins or ends.
const PLACE: Slot = From(&[
    b"0",
    b"1",
    b"2",
    b"5",
    b"9",
    b"44",
    b"100",
    b"1000",
    b"-1",
    b"-2",
    b"-5",
    b"-17",
    b"-100",
    b"-1000",
    b"9223372036854775807",
    b"-9223372036854775808",
]);
const UNIT: Slot = From(&[b"BYTE", b"BIT", b"bit"]);

const READS: &[&[Slot]] = &[&[Word("GET"), ENCODING, FIELD]];
const OPERATIONS: &[&[Slot]] = &[
    &[Word("GET"), ENCODING, FIELD],
    &[Word("SET"), ENCODING, FIELD, AMOUNT],
    &[Word("INCRBY"), ENCODING, FIELD, AMOUNT],
    &[Word("incrby"), ENCODING, FIELD, AMOUNT],
    &[Word("OVERFLOW"), OVERFLOW],
];
const MISTAKES: &[&[Slot]] = &[
    &[Word("GET"), NO_ENCODING, FIELD],
    &[Word("SET"), ENCODING, NO_FIELD, AMOUNT],
    &[Word("INCRBY"), ENCODING, FIELD, Int],
    &[Word("OVERFLOW"), Text],
    &[Text],
];

pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("SETBIT"), Key, BIT, From(&[b"0", b"1", b"1", b"1"])],
    &[Word("SETBIT"), Key, BIT, From(&[b"0", b"1", b"1", b"2", b"-1", b"", b"01", b"a"])],
    &[Word("SETBIT"), Key, FAR, Word("2")],
    &[Word("GETBIT"), Key, BIT],
    &[Word("GETBIT"), Key, FAR],
    &[Word("BITCOUNT"), Key],
    &[Word("BITCOUNT"), Key, PLACE, PLACE, Maybe(&[UNIT])],
    &[Word("BITPOS"), Key, From(&[b"0", b"1"]), Maybe(&[PLACE])],
    &[Word("BITPOS"), Key, From(&[b"0", b"1"]), PLACE, PLACE, Maybe(&[UNIT])],
    &[Word("BITPOS"), Key, From(&[b"2", b"-1", b"", b"a", b"9223372036854775808"])],
    &[Word("BITOP"), From(&[b"AND", b"OR", b"XOR", b"xor"]), Key, Many(&[Key])],
    &[Word("BITOP"), From(&[b"NOT", b"NAND", b""]), Key, Key],
    &[Word("BITOP"), Word("NOT"), Key, Many(&[Key])],
    &[Word("BITFIELD"), Key, Many(&[Either(OPERATIONS)])],
    &[Word("BITFIELD"), Key, Many(&[Either(OPERATIONS)]), Many(&[Either(OPERATIONS)])],
    &[Word("BITFIELD"), Key, Maybe(&[Either(OPERATIONS)]), Either(MISTAKES)],
    &[Word("BITFIELD_RO"), Key, Many(&[Either(READS)])],
    &[Word("BITFIELD_RO"), Key, Maybe(&[Either(READS)]), Either(OPERATIONS)],
    &[Word("BITFIELD_RO"), Key, Maybe(&[Either(READS)]), Either(MISTAKES)],
    // The wrong type.
    &[Word("HSET"), Key, Word("field"), Text],
];
