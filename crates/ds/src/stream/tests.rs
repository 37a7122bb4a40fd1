//! Streams against a Redis server's bytes and counters, models, and hostile nodes.

use super::node::Node;
use super::{
    AppendError, AutoClaim, Counters, Group, Log, NodeLimits, Pending, Position, Stream,
    StreamEntry, StreamId, Trim, fuzz_stream_node,
};
use crate::Heap;
use crate::listpack::Digits;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

const LIMITS: NodeLimits = NodeLimits { bytes: 4096, entries: 100 };
const ALL: core::ops::RangeInclusive<StreamId> = StreamId::MIN..=StreamId::MAX;

type Texts = Vec<(Vec<u8>, Vec<u8>)>;

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

/// Appends `name value name value ..`.
fn add(log: &mut Log, at: StreamId, text: &str, limits: NodeLimits) -> Result<(), AppendError> {
    let words: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
    log.append(at, words.chunks(2).map(|pair| (pair[0], pair[1])), limits)
}

fn texts(entry: &StreamEntry<'_>) -> Texts {
    let text = |element: crate::Element<'_>| element.text(&mut Digits::new()).to_vec();
    entry.fields.clone().map(|(name, value)| (text(name), text(value))).collect()
}

fn ids<'a>(entries: impl Iterator<Item = StreamEntry<'a>>) -> Vec<StreamId> {
    entries.map(|entry| entry.id).collect()
}

/// A log with entries `1-0` to `count-0`.
fn counted(count: u64, limits: NodeLimits) -> Log {
    let mut log = Log::default();
    for ms in 1..=count {
        add(&mut log, id(ms, 0), "f v", limits).unwrap();
    }
    log
}

/// The node of redis-server 7.0.15 after these XADD and `XDEL s 2-1`, from DUMP.
#[test]
fn a_node_has_the_bytes_of_a_redis_server() {
    let mut log = Log::default();
    let entries = [
        (id(1, 1), "a 1 b 2"),
        (id(2, 1), "a 1 b 2"),
        (id(3, 1), "a 1 b 2"),
        (id(5, 0), "c 3"),
        (id(5, 7), "a x b y"),
        (id(9, 0), "1 2 3 4"),
        (id(9, 5), "a 1 b 200"),
    ];
    for (at, text) in entries {
        add(&mut log, at, text, LIMITS).unwrap();
    }
    assert!(log.delete(id(2, 1)));
    let dumped = "7700000034000601010102018161028162020001020100010001010102010501030101010001\
                  01010201050102010201000101010201050100010401dfff0201018163020301060102010401\
                  0601817802817902050100010801dfff020201010102010301040108010201080104010101c0\
                  c8020501ff";
    let nodes: Vec<_> = log.nodes().collect();
    let hex: String = nodes[0].1.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((nodes.len(), nodes[0].0), (1, id(1, 1)));
    assert_eq!(hex, dumped);
}

#[test]
fn an_id_must_rise_and_an_entry_must_fit() {
    let mut log = counted(3, LIMITS);
    assert_eq!(add(&mut log, id(3, 0), "f v", LIMITS), Err(AppendError::NotAbove));
    let long = vec![0; (1 << 30) + 1];
    let fields = [(&b"f"[..], long.as_slice())];
    assert_eq!(log.append(id(4, 0), fields.into_iter(), LIMITS), Err(AppendError::TooLarge));
    assert_eq!(log.counters().last_id, id(3, 0));
    assert_eq!(log.next_id(2), Some(id(3, 1)));
    assert_eq!(log.next_id(4), Some(id(4, 0)));
    add(&mut log, StreamId::MAX, "f v", LIMITS).unwrap();
    assert_eq!(log.next_id(5), None);
    assert_eq!(ids(log.range(StreamId::MAX..=StreamId::MAX)), [StreamId::MAX]);
}

#[test]
fn ids_step_over_the_ends_of_a_millisecond_and_not_over_the_ends_of_the_world() {
    assert_eq!(id(1, u64::MAX).next(), Some(id(2, 0)));
    assert_eq!(id(2, 0).prev(), Some(id(1, u64::MAX)));
    assert_eq!((StreamId::MAX.next(), StreamId::MIN.prev()), (None, None));
}

#[test]
fn nodes_are_full_by_entries_and_by_bytes() {
    let nodes = |limits| counted(250, limits).node_count();
    assert_eq!(nodes(LIMITS), 3);
    assert_eq!(nodes(NodeLimits { bytes: 4096, entries: 0 }), 1);
    assert_eq!(nodes(NodeLimits { bytes: 0, entries: 1 }), 250);
    assert_eq!(nodes(NodeLimits { bytes: 1, entries: 100 }), 250);
    let bytes = counted(250, NodeLimits { bytes: 200, entries: 0 });
    assert!(bytes.nodes().all(|(_, node)| node.len() < 210));
}

#[test]
fn approximate_trimming_takes_whole_nodes_within_its_limit() {
    let mut log = counted(1000, LIMITS);
    assert_eq!(log.trim(Trim::MaxLen(550), true, 0), 400);
    assert_eq!(log.trim(Trim::MaxLen(0), true, 250), 200);
    assert_eq!(log.trim(Trim::MinId(id(850, 0)), true, 0), 200);
    assert_eq!((log.first_id(), log.len(), log.node_count()), (id(801, 0), 200, 2));
}

#[test]
fn exact_trimming_goes_to_the_entry_and_leaves_no_empty_node() {
    let mut log = counted(1000, LIMITS);
    assert_eq!(log.trim(Trim::MaxLen(550), false, 0), 450);
    assert_eq!((log.first_id(), log.len()), (id(451, 0), 550));
    assert_eq!(log.trim(Trim::MinId(id(999, 0)), false, 0), 548);
    assert!(log.delete(id(1000, 0)));
    assert_eq!(log.trim(Trim::MinId(id(1000, 0)), false, 0), 1);
    assert_eq!((log.first_id(), log.len(), log.node_count()), (StreamId::MIN, 0, 0));
    assert_eq!((log.heap_bytes(), log.counters().last_id), (0, id(1000, 0)));
    assert_eq!(log.counters().max_deleted_id, id(1000, 0), "trimming is not deleting");
}

/// What XINFO GROUPS of redis-server 7.0.15 said step by step.
#[test]
fn entries_read_and_lag_are_those_of_a_redis_server() {
    let mut log = counted(5, LIMITS);
    let mut group = Group::new(Position::default());
    let said = |group: &Group, log: &Log| (group.position().entries_read, group.lag(log));
    assert_eq!(said(&group, &log), (None, Some(5)), "a fresh group");
    group.read_up_to(&log, id(1, 0));
    group.read_up_to(&log, id(2, 0));
    assert_eq!(said(&group, &log), (Some(2), Some(3)), "two read");
    log.delete(id(4, 0));
    assert_eq!(said(&group, &log), (Some(2), None), "one of those to come deleted");
    group.read_up_to(&log, id(3, 0));
    assert_eq!(said(&group, &log), (None, None), "one more read");
    group.read_up_to(&log, id(5, 0));
    assert_eq!(said(&group, &log), (Some(5), Some(0)), "the last read");
    assert!(!group.read_up_to(&log, id(5, 0)), "never back");
    log.trim(Trim::MaxLen(1), false, 0);
    assert_eq!(said(&group, &log), (Some(5), Some(0)), "trimmed to one");
    for (last, lag) in [(3, Some(1)), (5, Some(0)), (9, None)] {
        group.set_position(Position { last_id: id(last, 0), entries_read: None });
        assert_eq!(said(&group, &log), (None, lag), "set to {last}");
    }
    log.trim(Trim::MaxLen(0), false, 0);
    assert_eq!(said(&group, &log), (None, None), "emptied");
}

#[test]
fn claiming_looks_at_so_many_and_tells_where_to_go_on() {
    let mut log = counted(60, LIMITS);
    let mut group = Group::new(Position::default());
    let a = group.add_consumer(b"a", 0).unwrap();
    let b = group.add_consumer(b"b", 0).unwrap();
    assert_eq!(group.add_consumer(b"a", 0), None);
    for ms in 1..=60 {
        let delivered_ms = if ms < 30 { 900 } else { 100 };
        assert!(group.assign(id(ms, 0), Pending { consumer: a, delivered_ms, deliveries: 1 }));
    }
    log.delete(id(31, 0));
    let mut what = AutoClaim {
        from: StreamId::MIN,
        idle_ms_min: 500,
        count: 2,
        consumer: b,
        now_ms: 1000,
        counts_delivery: true,
    };
    let done = group.auto_claim(&log, what);
    assert_eq!((done.claimed.len(), done.next), (0, id(21, 0)), "twenty looked at, none idle");
    what.from = done.next;
    let done = group.auto_claim(&log, what);
    let pending = Pending { consumer: b, delivered_ms: 1000, deliveries: 2 };
    assert_eq!(done.claimed, [(id(30, 0), pending)]);
    assert_eq!((done.deleted, done.next), (vec![id(31, 0)], id(32, 0)));
    assert_eq!(group.pending(id(31, 0)), None);
    assert_eq!(group.consumer(b).unwrap().held_count(), 1);
    what = AutoClaim { from: id(60, 0), count: 1, ..what };
    assert_eq!(group.auto_claim(&log, what).next, StreamId::MIN, "the end");
}

#[test]
fn a_removed_consumer_is_not_found_under_its_old_id() {
    let mut group = Group::new(Position::default());
    let old = group.add_consumer(b"c", 0).unwrap();
    let pending = Pending { consumer: old, delivered_ms: 0, deliveries: 1 };
    group.assign(id(1, 0), pending);
    assert_eq!(group.remove_consumer(old), 1);
    assert_eq!((group.pending_count(), group.heap_bytes()), (0, 0));
    group.add_consumer(b"c", 0).unwrap();
    assert!(!group.assign(id(1, 0), pending));
    assert!(group.consumer(old).is_none());
}

#[test]
fn a_stream_is_freed_in_slices() {
    let mut stream = Stream::with_log(counted(1000, NodeLimits { bytes: 0, entries: 10 }));
    for name in [&b"one"[..], b"two"] {
        assert!(stream.add_group(name, Group::new(Position::default())));
        stream.edit_group(name, |log, group| {
            let consumer = group.add_consumer(b"c", 0).unwrap();
            for entry in log.range(ALL) {
                group.assign(entry.id, Pending { consumer, delivered_ms: 0, deliveries: 1 });
            }
        });
    }
    let mut bytes = stream.heap_bytes();
    let mut dropped = 0;
    loop {
        let now = stream.drain_some(7);
        assert!(now <= 7 && stream.heap_bytes() <= bytes);
        bytes = stream.heap_bytes();
        dropped += now;
        if now == 0 {
            break;
        }
    }
    assert_eq!((dropped, bytes), (100 + 2 * (1000 + 1 + 1), 0));
}

#[test]
fn what_a_loader_says_must_agree_with_the_nodes() {
    let log = counted(3, LIMITS);
    let (master, bytes) = log.nodes().next().unwrap();
    let load = |length, counters| {
        let mut copy = Log::default();
        copy.push_node(master, bytes).unwrap();
        copy.finish_load(length, counters).is_ok()
    };
    let good = Counters { last_id: id(3, 0), max_deleted_id: id(2, 5), entries_added: 3 };
    assert!(load(3, good));
    assert!(!load(4, good));
    assert!(!load(3, Counters { last_id: id(2, 9), ..good }));
    assert!(!load(3, Counters { max_deleted_id: id(3, 1), ..good }));
    assert!(!load(3, Counters { entries_added: 2, ..good }));
    let mut twice = Log::default();
    twice.push_node(master, bytes).unwrap();
    assert!(twice.push_node(id(3, 0), bytes).is_err(), "nodes rise, too");
}

#[test]
fn a_copy_is_equal_and_independent() {
    let mut stream = Stream::with_log(counted(150, LIMITS));
    stream.add_group(b"g", Group::new(Position { last_id: id(7, 0), entries_read: Some(7) }));
    stream.edit_group(b"g", |_, group| {
        let consumer = group.add_consumer(b"c", 5).unwrap();
        group.assign(id(7, 0), Pending { consumer, delivered_ms: 6, deliveries: 1 });
    });
    let copy = stream.clone();
    assert!(copy.log().nodes().eq(stream.log().nodes()));
    while stream.drain_some(1) > 0 {}
    let group = copy.group(b"g").unwrap();
    let consumer = group.consumer_id(b"c").unwrap();
    assert_eq!(group.pending(id(7, 0)).unwrap().consumer, consumer);
    assert!(group.consumer(consumer).unwrap().held(ALL).eq([id(7, 0)]));
    assert_eq!((copy.log().len(), group.position().entries_read), (150, Some(7)));
    let mut copy = copy;
    while copy.drain_some(1) > 0 {}
    assert_eq!(copy.heap_bytes(), 0, "what was counted at copying is what goes");
}

#[derive(Clone, Debug)]
enum Op {
    Add { ms: u64, seq: u64, fields: Texts },
    Delete(usize),
    Trim { trim_to: u64, by_id: bool, is_approximate: bool, limit: u64 },
    Range(u64, u64),
}

fn op() -> impl Strategy<Value = Op> {
    let name = prop_oneof![Just(b"a".to_vec()), Just(b"b".to_vec()), Just(b"12".to_vec())];
    let value = prop_oneof![
        any::<i64>().prop_map(|number| format!("{number}").into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..80),
    ];
    let fields = proptest::collection::vec((name, value), 1..4);
    prop_oneof![
        6 => (0u64..3, 0u64..3, fields).prop_map(|(ms, seq, fields)| Op::Add { ms, seq, fields }),
        2 => any::<usize>().prop_map(Op::Delete),
        1 => (0u64..60, any::<bool>(), any::<bool>(), 0u64..20).prop_map(
            |(trim_to, by_id, is_approximate, limit)| Op::Trim {
                trim_to, by_id, is_approximate, limit,
            }
        ),
        2 => (0u64..80, 0u64..80).prop_map(|(from, to)| Op::Range(from, to)),
    ]
}

fn check_range(log: &Log, model: &BTreeMap<StreamId, Texts>, from: StreamId, to: StreamId) {
    let expected: Vec<(StreamId, Texts)> = model
        .iter()
        .filter(|(at, _)| from <= **at && **at <= to)
        .map(|(a, b)| (*a, b.clone()))
        .collect();
    let mut seen: Vec<_> = log.range(from..=to).map(|entry| (entry.id, texts(&entry))).collect();
    assert_eq!(seen, expected);
    seen = log.range_back(from..=to).map(|entry| (entry.id, texts(&entry))).collect();
    seen.reverse();
    assert_eq!(seen, expected);
}

proptest! {
    #[test]
    fn a_log_holds_what_a_model_holds(
        ops in proptest::collection::vec(op(), 0..150),
        entries in 0u64..12,
        bytes in prop_oneof![Just(0usize), 20usize..600],
    ) {
        let limits = NodeLimits { bytes, entries };
        let mut log = Log::default();
        let mut model: BTreeMap<StreamId, Texts> = BTreeMap::new();
        for op in ops {
            match op {
                Op::Add { ms, seq, fields } => {
                    let last = log.counters().last_id;
                    let at = id(last.ms + ms, if ms == 0 { last.seq + seq } else { seq });
                    let pairs = fields.iter().map(|(name, value)| (&name[..], &value[..]));
                    let added = log.append(at, pairs, limits);
                    prop_assert_eq!(added.is_ok(), at > last);
                    if added.is_ok() {
                        model.insert(at, fields);
                    }
                }
                Op::Delete(pick) => {
                    let at = model.keys().nth(pick % (model.len() + 1)).copied();
                    let at = at.unwrap_or(StreamId::MIN);
                    prop_assert_eq!(log.contains(at), model.contains_key(&at));
                    prop_assert_eq!(log.delete(at), model.remove(&at).is_some());
                }
                Op::Trim { trim_to, by_id, is_approximate, limit } => {
                    let trim = match by_id {
                        true => Trim::MinId(id(trim_to, 0)),
                        false => Trim::MaxLen(trim_to),
                    };
                    let excess = match trim {
                        Trim::MinId(least) => model.range(..least).count(),
                        Trim::MaxLen(len) => model.len().saturating_sub(len as usize),
                    };
                    let limit = if is_approximate { limit } else { 0 };
                    let removed = log.trim(trim, is_approximate, limit) as usize;
                    prop_assert!(removed <= excess && (is_approximate || removed == excess));
                    prop_assert!(limit == 0 || removed <= limit as usize);
                    (0..removed).for_each(|_| drop(model.pop_first()));
                }
                Op::Range(from, to) => check_range(&log, &model, id(from, 1), id(to, 1)),
            }
            prop_assert_eq!(log.len(), model.len() as u64);
            prop_assert_eq!(log.first().map(|entry| entry.id), model.keys().next().copied());
            prop_assert_eq!(log.last().map(|entry| entry.id), model.keys().next_back().copied());
            prop_assert_eq!(log.first_id(), model.keys().next().copied().unwrap_or_default());
        }
        check_range(&log, &model, StreamId::MIN, StreamId::MAX);
        let mut copy = Log::default();
        for (master, bytes) in log.nodes() {
            prop_assert!(copy.push_node(master, bytes).is_ok());
        }
        prop_assert!(copy.finish_load(log.len(), log.counters()).is_ok());
        prop_assert!(copy.nodes().eq(log.nodes()));
        prop_assert_eq!(copy.first_id(), log.first_id());
        while log.drain_some(2) > 0 {}
        prop_assert_eq!((log.heap_bytes(), log.len()), (0, 0));
    }

    #[test]
    fn what_waits_is_held_by_exactly_one_consumer(
        ops in proptest::collection::vec((0u8..6, 0u64..12, 0usize..4), 0..120),
    ) {
        let names = [&b"a"[..], b"b", b"c", b"d"];
        let log = counted(6, LIMITS);
        let mut group = Group::new(Position::default());
        for (op, ms, who) in ops {
            let known = group.consumer_id(names[who]);
            match (op, known) {
                (0, _) => drop(group.add_consumer(names[who], ms)),
                (1, Some(consumer)) => {
                    let held = group.consumer(consumer).unwrap().held_count();
                    prop_assert_eq!(group.remove_consumer(consumer), held);
                }
                (2 | 3, Some(consumer)) => {
                    let pending = Pending { consumer, delivered_ms: ms, deliveries: 1 };
                    prop_assert!(group.assign(id(ms, 0), pending));
                    prop_assert_eq!(group.pending(id(ms, 0)), Some(pending));
                }
                (4, Some(consumer)) => drop(group.auto_claim(&log, AutoClaim {
                    from: id(ms, 0), idle_ms_min: ms, count: who, consumer, now_ms: 9,
                    counts_delivery: true,
                })),
                _ => {
                    let before = group.pending(id(ms, 0));
                    prop_assert_eq!(group.ack(id(ms, 0)), before.is_some());
                }
            }
            let mut held: Vec<_> = group
                .consumers()
                .flat_map(|(at, consumer)| consumer.held(ALL).map(move |held| (held, at)))
                .collect();
            held.sort();
            let waiting = group.pending_range(ALL).map(|(at, pending)| (at, pending.consumer));
            prop_assert!(waiting.eq(held));
        }
        while group.drain_some(3) > 0 {}
        prop_assert_eq!((group.pending_count(), group.consumer_count()), (0, 0));
        prop_assert_eq!(group.heap_bytes(), 0);
    }

    #[test]
    fn hostile_nodes_panic_nowhere(
        edits in proptest::collection::vec((6usize..120, any::<u8>()), 0..4),
        swap in proptest::option::of((0i64..40, -3i64..20)),
    ) {
        let mut log = Log::default();
        for (seq, text) in [(1, "a 1 b 2"), (2, "a x b y"), (5, "c 1"), (9, "a 300 b z")] {
            add(&mut log, id(1, seq), text, LIMITS).unwrap();
        }
        log.delete(id(1, 2));
        let mut bytes = log.nodes().next().unwrap().1.to_vec();
        prop_assert!(Node::validate(id(1, 1), &bytes).is_ok());
        if let Some((at, number)) = swap {
            let mut pack = crate::Listpack::validate(&bytes).unwrap();
            if let Some(pos) = pack.seek(at) {
                pack.replace(pos, number).unwrap();
            }
            bytes = pack.bytes().to_vec();
        }
        fuzz_stream_node(&bytes);
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        fuzz_stream_node(&bytes);
    }
}
