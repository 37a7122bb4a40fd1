//! Requests on streams. No id comes from the clock. XSETID goes above all other ids, as 7.0 lets it
//! go below deleted ones and 7.2 does not.

use super::Slot::{self, Either, From, Key, Many, Maybe, Text, Word};

const ID: Slot = From(&[
    b"0",
    b"1",
    b"2",
    b"3",
    b"5-0",
    b"1-1",
    b"1-2",
    b"1-3",
    b"2-0",
    b"2-5",
    b"7-1",
    b"9-9",
    b"0-0",
    b"20-18446744073709551615",
    b"01-01",
    b"x",
    b"1-x",
    b"",
]);
const NEW_ID: Slot = From(&[
    b"0-*",
    b"1-*",
    b"1-*",
    b"2-*",
    b"2-*",
    b"5-*",
    b"7-*",
    b"9-*",
    b"21-*",
    b"1-1",
    b"1-2",
    b"2-5",
    b"9-9",
    b"0-0",
    b"20-18446744073709551615",
    b"x",
    b"-1",
]);
const START: Slot = From(&[b"-", b"-", b"0", b"1", b"(1-1", b"2", b"(2-0", b"9", b"+", b"(x"]);
const END: Slot = From(&[b"+", b"+", b"1", b"2", b"(2-0", b"5-1", b"9-9", b"-", b"(0-0", b"("]);
const COUNT: Slot = From(&[b"1", b"2", b"3", b"10", b"0", b"-1", b"100", b"x"]);
const LEN: Slot = From(&[b"0", b"1", b"2", b"3", b"5", b"10", b"-1", b"x"]);
const GROUP: Slot = From(&[b"g", b"g", b"g", b"h", b"none"]);
const CONSUMER: Slot = From(&[b"alice", b"bob", b"carol"]);
const IDLE: Slot = From(&[b"0", b"0", b"-1", b"1000000000", b"x"]);
const FIELD: Slot = From(&[b"a", b"b", b"", b"12", b"-5", b"\x00\xff"]);

const TRIM: &[Slot] = &[
    Either(&[&[Word("MAXLEN"), Maybe(OPERATOR), LEN], &[Word("MINID"), Maybe(OPERATOR), ID]]),
    Maybe(&[Word("LIMIT"), COUNT]),
];
const OPERATOR: &[Slot] = &[Either(&[&[Word("=")], &[Word("~")]])];
const SAME: &[Slot] = &[Word("a"), Text];
const CLAIM: &[&[Slot]] = &[
    &[Word("IDLE"), From(&[b"0", b"5000000", b"-1", b"x"])],
    &[Word("TIME"), From(&[b"0", b"1000", b"x"])],
    &[Word("RETRYCOUNT"), COUNT],
    &[Word("FORCE")],
    &[Word("JUSTID")],
    &[Word("LASTID"), ID],
];
const READ_ID: &[&[Slot]] = &[&[ID], &[ID], &[Word("$")], &[Word(">")]];
const GROUP_ID: &[&[Slot]] = &[&[Word(">")], &[Word(">")], &[Word(">")], &[ID], &[Word("$")]];

/// The command lines. XADD and XREADGROUP stand several times, so that there is something to
/// look at.
pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("XADD"), Key, NEW_ID, Many(&[FIELD, Text])],
    &[Word("XADD"), Key, NEW_ID, Many(SAME)],
    &[Word("XADD"), Key, NEW_ID, Word("a"), Text],
    &[Word("XADD"), Key, NEW_ID, Word("a"), Text],
    &[Word("XADD"), Key, NEW_ID, Word("a"), Word("1"), Word("b"), Text],
    &[Word("XADD"), Key, Word("NOMKSTREAM"), NEW_ID, FIELD, Text],
    &[Word("XADD"), Key, Either(&[TRIM]), NEW_ID, FIELD, Text],
    &[Word("XLEN"), Key],
    &[Word("XRANGE"), Key, START, END, Maybe(&[Word("COUNT"), COUNT])],
    &[Word("XREVRANGE"), Key, END, START, Maybe(&[Word("COUNT"), COUNT])],
    &[Word("XDEL"), Key, Many(&[ID])],
    &[Word("XTRIM"), Key, Either(&[TRIM])],
    &[Word("XREAD"), Maybe(&[Word("COUNT"), COUNT]), Word("STREAMS"), Key, Either(READ_ID)],
    &[Word("XREAD"), Word("STREAMS"), Key, Key, ID, Either(READ_ID)],
    &[Word("XGROUP"), Word("CREATE"), Key, GROUP, ID, Maybe(&[Word("MKSTREAM")])],
    &[Word("XGROUP"), Word("CREATE"), Key, Word("g"), Word("0"), Word("MKSTREAM")],
    &[Word("XGROUP"), Word("CREATE"), Key, GROUP, Word("$"), Word("ENTRIESREAD"), COUNT],
    &[
        Word("XGROUP"),
        Word("SETID"),
        Key,
        GROUP,
        Either(&[&[ID], &[Word("$")], &[START]]),
        Maybe(&[Word("ENTRIESREAD"), COUNT]),
    ],
    &[Word("XGROUP"), Word("DESTROY"), Key, GROUP],
    &[Word("XGROUP"), Word("CREATECONSUMER"), Key, GROUP, CONSUMER],
    &[Word("XGROUP"), Word("DELCONSUMER"), Key, GROUP, CONSUMER],
    &[
        Word("XREADGROUP"),
        Word("GROUP"),
        GROUP,
        CONSUMER,
        Maybe(&[Word("COUNT"), COUNT]),
        Maybe(&[Word("NOACK")]),
        Word("STREAMS"),
        Key,
        Either(GROUP_ID),
    ],
    &[
        Word("XREADGROUP"),
        Word("GROUP"),
        Word("g"),
        CONSUMER,
        Maybe(&[Word("COUNT"), Word("1")]),
        Word("STREAMS"),
        Key,
        Word(">"),
    ],
    &[
        Word("XREADGROUP"),
        Word("GROUP"),
        Word("g"),
        CONSUMER,
        Word("STREAMS"),
        Key,
        Key,
        Word(">"),
        Either(GROUP_ID),
    ],
    &[Word("XACK"), Key, GROUP, Many(&[ID])],
    &[Word("XPENDING"), Key, GROUP],
    &[
        Word("XPENDING"),
        Key,
        GROUP,
        Maybe(&[Word("IDLE"), IDLE]),
        START,
        END,
        COUNT,
        Maybe(&[CONSUMER]),
    ],
    &[Word("XCLAIM"), Key, GROUP, CONSUMER, IDLE, Many(&[ID])],
    &[Word("XCLAIM"), Key, GROUP, CONSUMER, IDLE, Many(&[ID]), Many(&[Either(CLAIM)])],
    &[
        Word("XAUTOCLAIM"),
        Key,
        GROUP,
        CONSUMER,
        IDLE,
        START,
        Maybe(&[Word("COUNT"), COUNT]),
        Maybe(&[Word("JUSTID")]),
    ],
    &[Word("XINFO"), Word("STREAM"), Key],
    &[Word("XINFO"), Word("STREAM"), Key, Word("FULL"), Maybe(&[Word("COUNT"), COUNT])],
    &[Word("XINFO"), Word("GROUPS"), Key],
    &[Word("XSETID"), Key, From(&[b"100", b"100-1", b"101", b"x"])],
    &[
        Word("XSETID"),
        Key,
        From(&[b"200", b"201"]),
        Word("ENTRIESADDED"),
        COUNT,
        Maybe(&[Word("MAXDELETEDID"), ID]),
    ],
];
