//! `DEBUG OBJECT key`

use crate::{ControlCtx, Flow, Outcome, ReplyError};
use alloc::format;
use alloc::string::String;
use vesta_store::object::encoding_name;
use vesta_store::stream::StreamId;
use vesta_store::{List, NodeRef, Object, StrRef, Stream, Value};

/// Tells how a key and its value are kept.
pub(super) fn object(ctx: &mut ControlCtx<'_>) -> Outcome {
    let access = *ctx.keys.store().access();
    let entry = ctx.keys.peek(ctx.request.arg(2)).ok_or(ReplyError::NoSuchKey)?;
    let mut text = format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        entry.key().as_ptr(),
        encoding_name(entry),
        serialized_bytes(&entry.value()),
        entry.clock(),
        access.idle_seconds(entry.clock(), ctx.now.unix),
    );
    if let Value::Object(Object::List(list)) = entry.value() {
        text.extend(nodes_text(list));
    }
    ctx.reply.simple(&text);
    Ok(Flow::Done)
}

/// Bytes of the value in a snapshot, uncompressed.
fn serialized_bytes(value: &Value<'_, Object>) -> usize {
    match value {
        Value::String(string) => string_bytes(string),
        Value::Packed(packed) => text_bytes(packed.len()),
        Value::Object(Object::Hash(hash)) => match hash.listpack() {
            Some(listpack) => text_bytes(listpack.total_bytes()),
            None => {
                let pairs = hash.iter(0).map(|(name, value)| {
                    text_bytes(name.text_len()) + text_bytes(value.text_len())
                });
                head_bytes(hash.len()) + pairs.sum::<usize>()
            }
        },
        Value::Object(Object::List(list)) => list_bytes(list),
        Value::Object(Object::Stream(stream)) => stream_bytes(stream),
        Value::Object(Object::Zset(zset)) => match zset.listpack() {
            Some(listpack) => text_bytes(listpack.total_bytes()),
            None => {
                // A score is eight bytes.
                let members = zset.iter().map(|(name, _)| text_bytes(name.text_len()) + 8);
                head_bytes(zset.len()) + members.sum::<usize>()
            }
        },
        Value::Object(Object::Set(set)) => match (set.intset(), set.listpack()) {
            (Some(intset), _) => text_bytes(intset.bytes().len()),
            (None, Some(listpack)) => text_bytes(listpack.total_bytes()),
            (None, None) => {
                let members = set.iter().map(|member| text_bytes(member.text_len()));
                head_bytes(set.len()) + members.sum::<usize>()
            }
        },
    }
}

/// Bytes of a list in a snapshot: its nodes, each behind its kind.
fn list_bytes(list: &List) -> usize {
    const KIND: usize = 1;
    let Some(quicklist) = list.quicklist() else {
        return list.listpack().map_or(0, |listpack| text_bytes(listpack.total_bytes()));
    };
    let nodes = quicklist.nodes().map(|node| KIND + text_bytes(node_bytes(&node)));
    head_bytes(quicklist.nodes().len()) + nodes.sum::<usize>()
}

/// What is told of the nodes of a large list.
fn nodes_text(list: &List) -> Option<String> {
    let quicklist = list.quicklist()?;
    let nodes = quicklist.nodes().len();
    let bytes: usize = quicklist.nodes().map(|node| node_bytes(&node)).sum();
    Some(format!(
        " ql_nodes:{nodes} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{} \
         ql_uncompressed_size:{bytes}",
        quicklist.len() as f64 / nodes.max(1) as f64,
        quicklist.fill().directive(),
        u8::from(quicklist.depth() > 0),
    ))
}

/// Bytes of what a node holds, uncompressed.
fn node_bytes(node: &NodeRef<'_>) -> usize {
    match node {
        NodeRef::Pack(pack) => pack.total_bytes(),
        NodeRef::Compressed { bytes, .. } => *bytes,
        NodeRef::Plain(text) => text.len(),
    }
}

/// Bytes of a stream in a snapshot: its nodes under their ids, its counters, its groups with what
/// is pending and the consumers who hold it.
fn stream_bytes(stream: &Stream) -> usize {
    const ID: usize = 16;
    const TIME: usize = 8;
    let log = stream.log();
    let id_bytes = |id: StreamId| length_bytes(id.ms) + length_bytes(id.seq);
    let nodes = log.nodes().map(|(_, bytes)| text_bytes(ID) + text_bytes(bytes.len()));
    let counters = log.counters();
    let head = head_bytes(log.node_count())
        + length_bytes(log.len())
        + id_bytes(counters.last_id)
        + id_bytes(log.first_id())
        + id_bytes(counters.max_deleted_id)
        + length_bytes(counters.entries_added)
        + head_bytes(stream.group_count());
    let groups = stream.groups().map(|(name, group)| {
        let position = group.position();
        let everything = StreamId::MIN..=StreamId::MAX;
        let pending =
            group.pending_range(everything).map(|(_, p)| ID + TIME + length_bytes(p.deliveries));
        let consumers = group.consumers().map(|(_, consumer)| {
            let held = consumer.held_count();
            text_bytes(consumer.name().len()) + 2 * TIME + head_bytes(held) + ID * held
        });
        text_bytes(name.len())
            + id_bytes(position.last_id)
            + length_bytes(position.entries_read.unwrap_or(u64::MAX))
            + head_bytes(group.pending_count())
            + pending.sum::<usize>()
            + head_bytes(group.consumer_count())
            + consumers.sum::<usize>()
    });
    nodes.sum::<usize>() + head + groups.sum::<usize>()
}

/// Bytes of a string in a snapshot: a small integer in one, two or four bytes behind its kind,
/// anything else as text behind its length.
fn string_bytes(value: &StrRef<'_>) -> usize {
    match value {
        StrRef::Int(value) => match i32::try_from(*value) {
            Ok(value) if i8::try_from(value).is_ok() => 2,
            Ok(value) if i16::try_from(value).is_ok() => 3,
            Ok(_) => 5,
            Err(_) => text_bytes(itoa::Buffer::new().format(*value).len()),
        },
        StrRef::Bytes(bytes) => text_bytes(bytes.len()),
        StrRef::Blob(blob) => text_bytes(blob.len()),
    }
}

/// Bytes of a text of `len` bytes with the length before it.
fn text_bytes(len: usize) -> usize {
    head_bytes(len) + len
}

/// Bytes of a number that is written as a length.
fn length_bytes(number: u64) -> usize {
    usize::try_from(number).ok().filter(|_| u32::try_from(number).is_ok()).map_or(9, head_bytes)
}

/// Bytes of a length.
fn head_bytes(len: usize) -> usize {
    match len {
        0..64 => 1,
        64..16384 => 2,
        _ => 5,
    }
}
