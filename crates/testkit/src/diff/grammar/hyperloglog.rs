//! Requests on HyperLogLogs. They have keys of their own, which nothing else changes: inside a
//! string that is broken, Redis may read beyond its end.

use super::Slot::{self, Crowd, From, Many, Maybe, Seconds, Text, Word};

const HLL: Slot = From(&[b"hll:a", b"hll:b", b"hll:c", b"hll:d"]);
/// One of them in a request of several is no HyperLogLog, now and then.
const ANY: Slot =
    From(&[b"hll:a", b"hll:b", b"hll:c", b"hll:d", b"hll:a", b"hll:b", b"hll:c", b"hll:d", b"a"]);
const SUB: Slot = From(&[b"ENCODING", b"DECODE", b"encoding", b"DECODE", b"GETREG", b"FOO"]);

pub(super) const COMMANDS: &[&[Slot]] = &[
    &[Word("PFADD"), HLL, Many(&[Text])],
    &[Word("PFADD"), HLL, Crowd],
    &[Word("PFADD"), HLL, Crowd],
    &[Word("PFADD"), ANY, Maybe(&[Text])],
    &[Word("PFCOUNT"), ANY],
    &[Word("PFCOUNT"), HLL],
    &[Word("PFCOUNT"), Many(&[HLL])],
    &[Word("PFCOUNT"), Many(&[ANY])],
    &[Word("PFMERGE"), HLL, Many(&[HLL])],
    &[Word("PFMERGE"), HLL, Many(&[ANY])],
    &[Word("PFMERGE"), ANY],
    &[Word("PFDEBUG"), SUB, ANY],
    &[Word("PFDEBUG"), Word("TODENSE"), From(&[b"hll:d", b"hll:e"])],
    &[Word("GET"), HLL],
    &[Word("GETRANGE"), HLL, Word("0"), Word("40")],
    &[Word("STRLEN"), HLL],
    &[Word("COPY"), HLL, HLL, Word("REPLACE")],
    &[Word("EXPIRE"), HLL, Seconds],
    &[Word("OBJECT"), Word("ENCODING"), HLL],
    &[Word("DEL"), HLL],
];
