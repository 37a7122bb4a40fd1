//! Replying with entries.

use super::id::IdText;
use crate::element::reply_element;
use vesta_resp::Reply;
use vesta_store::stream::{StreamEntry, StreamId};

/// An id, as a bulk string.
pub(super) fn reply_id(reply: &mut Reply<'_>, id: StreamId) {
    reply.bulk(IdText::new(id).as_bytes());
}

/// An entry: an array of its id and an array of names and values in turn.
pub(super) fn reply_entry(reply: &mut Reply<'_>, entry: StreamEntry<'_>) {
    reply.array(2);
    reply_id(reply, entry.id);
    reply.array(entry.fields.len() * 2);
    for (name, value) in entry.fields {
        reply_element(reply, name);
        reply_element(reply, value);
    }
}

/// An array of entries.
pub(super) fn reply_entries<'e>(
    reply: &mut Reply<'_>,
    entries: impl Iterator<Item = StreamEntry<'e>>,
) {
    let place = reply.deferred();
    let mut count = 0;
    for entry in entries {
        reply_entry(reply, entry);
        count += 1;
    }
    reply.close_array(place, count);
}
