//! Streams as requests.
//!
//! ```text
//! XADD key id name value ..                      for each entry
//! XADD key MAXLEN 0 0-1 x y                      if there is none: makes an empty stream
//! XGROUP CREATE key group id ENTRIESREAD n
//! XGROUP CREATECONSUMER key group consumer
//! XCLAIM key group consumer 0 id TIME t RETRYCOUNT n JUSTID FORCE     for each that waits
//! XSETID key id ENTRIESADDED n MAXDELETEDID id
//! ```
//!
//! An entry that was delivered and is no longer in the stream can wait for its XACK all the same,
//! but XCLAIM takes no notice of it. So stand-ins for such entries come first; when they are
//! claimed they are trimmed away, which leaves no trace but the last id, and that is set back:
//!
//! ```text
//! XADD key id x y ..  XGROUP ..  XCLAIM ..       as above, for what is gone
//! XTRIM key MAXLEN 0
//! XSETID key 0-0
//! XADD ..  XCLAIM ..  XSETID ..                  as above, for what is there
//! ```
//!
//! (redis-server 7.0.15 writes XCLAIM for all that waits, and loses what is gone.)

use super::super::request::{begin_request, encode_request, put_argument};
use super::Place;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use vesta_store::Digits;
use vesta_store::stream::{Consumer, Group, Log, Stream, StreamEntry, StreamId};

const ALL: core::ops::RangeInclusive<StreamId> = StreamId::MIN..=StreamId::MAX;
/// Commands read numbers as signed ones.
const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

/// Where a stream begins: with its entries, unless something waits that is not among them.
pub(super) fn begin(stream: &Stream) -> Place {
    if gone(stream).is_empty() { Place::Entries(StreamId::MIN) } else { Place::Groups }
}

/// Appends entries from an id on, until `out` has about `end` bytes, and says what is next.
pub(super) fn entries(
    out: &mut Vec<u8>,
    key: &[u8],
    log: &Log,
    from: StreamId,
    end: usize,
) -> Place {
    if log.is_empty() {
        let words = [b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"];
        encode_request(out, words.into_iter());
    }
    for entry in log.range(from..=StreamId::MAX) {
        if out.len() >= end {
            return Place::Entries(entry.id);
        }
        write_entry(out, key, &entry);
    }
    Place::Groups
}

/// Appends all but the entries that stand in front of the rest.
pub(super) fn write_rest(out: &mut Vec<u8>, key: &[u8], stream: &Stream) {
    let (log, gone) = (stream.log(), gone(stream));
    if gone.is_empty() {
        groups(out, key, stream);
    } else {
        for id in &gone {
            encode_request(out, [b"XADD", key, Id::new(*id).text(), b"x", b"y"].into_iter());
        }
        groups(out, key, stream);
        claims(out, key, stream, |id| gone.contains(&id));
        encode_request(out, [b"XTRIM", key, b"MAXLEN", b"0"].into_iter());
        encode_request(out, [b"XSETID", key, b"0-0"].into_iter());
        log.range(ALL).for_each(|entry| write_entry(out, key, &entry));
    }
    claims(out, key, stream, |id| !gone.contains(&id));
    let counters = log.counters();
    let (last, deleted) = (Id::new(counters.last_id), Id::new(counters.max_deleted_id));
    let mut digits = itoa::Buffer::new();
    let added = digits.format(counters.entries_added.min(NUMBER_MAX)).as_bytes();
    let words =
        [b"XSETID", key, last.text(), b"ENTRIESADDED", added, b"MAXDELETEDID", deleted.text()];
    encode_request(out, words.into_iter());
}

/// The ids that wait somewhere and are not in the log.
fn gone(stream: &Stream) -> BTreeSet<StreamId> {
    let waiting = stream.groups().flat_map(|(_, group)| group.pending_range(ALL));
    waiting.map(|(id, _)| id).filter(|id| !stream.log().contains(*id)).collect()
}

fn write_entry(out: &mut Vec<u8>, key: &[u8], entry: &StreamEntry<'_>) {
    begin_request(out, 3 + 2 * entry.fields.len());
    for word in [b"XADD", key, Id::new(entry.id).text()] {
        put_argument(out, word);
    }
    for (name, value) in entry.fields.clone() {
        put_argument(out, name.text(&mut Digits::new()));
        put_argument(out, value.text(&mut Digits::new()));
    }
}

/// All groups with their consumers, to whom nothing was delivered yet.
fn groups(out: &mut Vec<u8>, key: &[u8], stream: &Stream) {
    for (name, group) in stream.groups() {
        let position = group.position();
        let mut digits = itoa::Buffer::new();
        let read = match position.entries_read {
            Some(read) => digits.format(read.min(NUMBER_MAX)).as_bytes(),
            None => b"-1",
        };
        let last = Id::new(position.last_id);
        let words = [b"XGROUP", b"CREATE", key, name, last.text(), b"ENTRIESREAD", read];
        encode_request(out, words.into_iter());
        for (_, consumer) in group.consumers() {
            let words = [b"XGROUP", &b"CREATECONSUMER"[..], key, name, consumer.name()];
            encode_request(out, words.into_iter());
        }
    }
}

/// What waits, as far as it is wanted.
fn claims(out: &mut Vec<u8>, key: &[u8], stream: &Stream, is_wanted: impl Fn(StreamId) -> bool) {
    for (name, group) in stream.groups() {
        for (_, consumer) in group.consumers() {
            for id in consumer.held(ALL).filter(|id| is_wanted(*id)) {
                claim(out, [key, name], group, consumer, id);
            }
        }
    }
}

fn claim(out: &mut Vec<u8>, place: [&[u8]; 2], group: &Group, consumer: &Consumer, id: StreamId) {
    let [key, name] = place;
    let Some(pending) = group.pending(id) else { return };
    let (id, mut time, mut count) = (Id::new(id), itoa::Buffer::new(), itoa::Buffer::new());
    let words = [
        b"XCLAIM",
        key,
        name,
        consumer.name(),
        b"0",
        id.text(),
        b"TIME",
        time.format(pending.delivered_ms.min(NUMBER_MAX)).as_bytes(),
        b"RETRYCOUNT",
        count.format(pending.deliveries.min(NUMBER_MAX)).as_bytes(),
        b"JUSTID",
        b"FORCE",
    ];
    encode_request(out, words.into_iter());
}

/// The text of an id.
struct Id {
    bytes: [u8; 41],
    len: usize,
}

impl Id {
    fn new(id: StreamId) -> Self {
        let (mut ms, mut seq) = (itoa::Buffer::new(), itoa::Buffer::new());
        let parts = [ms.format(id.ms).as_bytes(), b"-", seq.format(id.seq).as_bytes()];
        let mut bytes = [0; 41];
        let text = parts.into_iter().flatten();
        let len = bytes.iter_mut().zip(text).map(|(to, from)| *to = *from).count();
        Self { bytes, len }
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
