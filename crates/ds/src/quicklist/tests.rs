//! A model, the invariants of the nodes, and what a list costs.

use super::*;
use crate::Digits;
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

fn text(element: Element<'_>) -> Vec<u8> {
    element.text(&mut Digits::new()).to_vec()
}

fn texts(list: &Quicklist, index: usize, direction: Direction) -> Vec<Vec<u8>> {
    let mut walk = list.walk(index, direction);
    let mut texts = Vec::new();
    while let Some(element) = walk.next() {
        texts.push(text(element));
    }
    texts
}

/// Counts are right, no node is empty, the ends lie plain, and between them is compressed what
/// can be.
fn check(list: &Quicklist) {
    assert_eq!(list.nodes.iter().map(Node::count).sum::<usize>(), list.len);
    assert_eq!(list.nodes.iter().map(Node::heap_bytes).sum::<usize>(), list.node_bytes);
    let (count, depth) = (list.nodes.len(), usize::from(list.depth));
    for (at, node) in list.nodes.iter().enumerate() {
        assert!(node.count() > 0, "node {at} is empty");
        let inner = depth > 0 && at >= depth && at + depth < count;
        match node.view() {
            NodeRef::Compressed { lzf, bytes } => {
                assert!(inner, "node {at} of {count} is compressed");
                assert!(lzf.len() + 8 <= bytes);
            }
            NodeRef::Pack(pack) => {
                assert_eq!(pack.len(), node.count());
                let bytes = pack.total_bytes();
                assert!(!list.fill.exceeded_by(bytes, node.count()), "node {at}: {bytes} bytes");
                let small = bytes < 48 || crate::lzf::compress(pack.bytes(), bytes - 8).is_none();
                assert!(!inner || small, "node {at} of {count} is not compressed");
            }
            NodeRef::Plain(text) => assert!(text.len() + 14 > list.fill.bytes_max()),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(Direction, Vec<u8>),
    PushMany(Direction, usize, Vec<u8>),
    Pop(Direction),
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    RemoveRange(usize, usize),
    RemoveEqual(Direction, Vec<u8>, usize),
    RemoveEvery(Direction, usize),
    Rotate,
    DropNode,
    Reload,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0..20_i64).prop_map(|number| number.to_string().into_bytes()),
        6 => "[a-c]{0,12}".prop_map(String::into_bytes),
        3 => (1..3000_usize).prop_map(|len| vec![b'm'; len]),
        1 => (4080..4100_usize).prop_map(|len| vec![b'x'; len]),
        1 => (8180..8200_usize).prop_map(|len| vec![b'y'; len]),
        1 => Just(vec![b'z'; 70_000]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let end = || {
        any::<bool>().prop_map(|end| [Direction::Forward, Direction::Backward][usize::from(end)])
    };
    let at = any::<usize>;
    prop_oneof![
        4 => (end(), value()).prop_map(|(end, value)| Step::Push(end, value)),
        3 => (end(), 1..200_usize, value()).prop_map(|(e, n, v)| Step::PushMany(e, n, v)),
        3 => end().prop_map(Step::Pop),
        8 => (at(), value()).prop_map(|(at, value)| Step::Insert(at, value)),
        6 => (at(), value()).prop_map(|(at, value)| Step::Replace(at, value)),
        4 => (at(), 0..40_usize).prop_map(|(at, count)| Step::RemoveRange(at, count)),
        1 => (at(), at()).prop_map(|(at, count)| Step::RemoveRange(at, count)),
        2 => (end(), value(), 1..5_usize).prop_map(|(e, v, n)| Step::RemoveEqual(e, v, n)),
        1 => (end(), 1..5_usize).prop_map(|(end, nth)| Step::RemoveEvery(end, nth)),
        2 => Just(Step::Rotate),
        1 => Just(Step::DropNode),
        1 => Just(Step::Reload),
    ]
}

fn apply(list: &mut Quicklist, model: &mut VecDeque<Vec<u8>>, step: Step) {
    let len = model.len();
    match step {
        Step::Push(Direction::Forward, value) => {
            list.push_back(value.as_slice());
            model.push_back(value);
        }
        Step::Push(Direction::Backward, value) => {
            list.push_front(value.as_slice());
            model.push_front(value);
        }
        Step::PushMany(end, count, value) => {
            let value = &value[..value.len().min(300)];
            for number in 0..count {
                let value = [number.to_string().as_bytes(), value].concat();
                apply(list, model, Step::Push(end, value));
            }
        }
        Step::Pop(Direction::Forward) => {
            assert_eq!(list.front().map(text), model.front().cloned());
            assert_eq!(list.pop_front(), model.pop_front().is_some());
        }
        Step::Pop(Direction::Backward) => {
            assert_eq!(list.back().map(text), model.back().cloned());
            assert_eq!(list.pop_back(), model.pop_back().is_some());
        }
        Step::Insert(at, value) => {
            list.insert(at % (len + 1), value.as_slice());
            model.insert(at % (len + 1), value);
        }
        Step::Replace(at, value) => {
            let at = at % (len + 1);
            assert_eq!(list.replace(at, value.as_slice()), at < len);
            if at < len {
                model[at] = value;
            }
        }
        Step::RemoveRange(at, count) => {
            let at = at % (len + 1);
            let range = at..at.saturating_add(count).min(len);
            assert_eq!(list.remove_range(at, count), range.len());
            model.drain(range);
        }
        Step::RemoveEqual(direction, value, limit) => {
            remove_equal(list, model, direction, &value, limit)
        }
        Step::RemoveEvery(direction, nth) => {
            let mut order = 0;
            let mut judge = move || {
                order += 1;
                order % nth == 0
            };
            let removed = list.retain(direction, {
                let mut judge = judge;
                move |_| if judge() { Verdict::Remove } else { Verdict::Keep }
            });
            if direction == Direction::Backward {
                model.make_contiguous().reverse();
            }
            model.retain(|_| !judge());
            if direction == Direction::Backward {
                model.make_contiguous().reverse();
            }
            assert_eq!(removed, len - model.len());
        }
        Step::Rotate => {
            list.rotate();
            if len > 0 {
                model.rotate_right(1);
            }
        }
        Step::DropNode => {
            let last = list.nodes.back().map_or(0, Node::count);
            assert_eq!(list.drop_nodes(1), last == len);
            model.truncate(len - last);
        }
        Step::Reload => *list = reloaded(list),
    }
}

fn remove_equal(
    list: &mut Quicklist,
    model: &mut VecDeque<Vec<u8>>,
    direction: Direction,
    value: &[u8],
    limit: usize,
) {
    let mut left = limit;
    let removed = list.retain(direction, |element| {
        if !element.is(value) {
            return Verdict::Keep;
        }
        left -= 1;
        if left == 0 { Verdict::RemoveAndStop } else { Verdict::Remove }
    });
    let mut expected = 0;
    while expected < limit {
        let place = match direction {
            Direction::Forward => model.iter().position(|other| other == value),
            Direction::Backward => model.iter().rposition(|other| other == value),
        };
        let Some(place) = place else { break };
        model.remove(place);
        expected += 1;
    }
    assert_eq!(removed, expected);
}

/// Saved node by node and loaded again.
fn reloaded(list: &Quicklist) -> Quicklist {
    let mut again = Quicklist::new(list.fill, list.depth);
    for node in list.nodes() {
        match node {
            NodeRef::Pack(pack) => {
                again.push_pack_node(Listpack::validate(pack.bytes()).unwrap());
            }
            NodeRef::Compressed { lzf, bytes } => {
                let bytes = crate::lzf::decompress(lzf, bytes).unwrap();
                again.push_pack_node(Listpack::validate(&bytes).unwrap());
            }
            NodeRef::Plain(text) => again.push_plain_node(text.into()),
        }
    }
    again
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_behaves_as_a_deque(
        directive in prop_oneof![-5..0_i64, 0..4_i64, Just(128)],
        depth in 0..4_u16,
        steps in prop::collection::vec(step(), 0..40),
        place in any::<usize>(),
    ) {
        let mut list = Quicklist::new(Fill::new(directive), depth);
        let mut model = VecDeque::new();
        for step in steps {
            apply(&mut list, &mut model, step);
            prop_assert_eq!(list.len(), model.len());
            check(&list);
        }
        let model = Vec::from(model);
        prop_assert!(texts(&list, 0, Direction::Forward) == model);
        let place = place % (model.len() + 1);
        prop_assert!(texts(&list, place, Direction::Forward) == model[place..]);
        let until = if place < model.len() { place + 1 } else { 0 };
        let mut back = texts(&list, place, Direction::Backward);
        back.reverse();
        prop_assert!(back == model[..until]);
        for end in [place, model.len() / 2, model.len(), usize::MAX] {
            let mut part = Vec::new();
            list.for_each(place..end, |element| part.push(text(element)));
            prop_assert!(part == model[place..end.clamp(place, model.len())]);
        }
        let copy = list.clone();
        check(&copy);
        prop_assert!(texts(&copy, 0, Direction::Forward) == model);
    }
}

#[test]
fn ten_byte_elements_cost_less_than_13_bytes() {
    let mut list = Quicklist::new(Fill::DEFAULT, 0);
    for number in 0..1_000_000_u32 {
        list.push_back(format!("elem{number:06}").as_bytes());
    }
    let bytes = list.heap_bytes();
    assert!(bytes < 13 * list.len(), "{bytes} bytes");
    let mut small = Quicklist::new(Fill::DEFAULT, 0);
    for number in 0..1000_u32 {
        small.push_back(format!("elem{number:06}").as_bytes());
    }
    let bytes = small.heap_bytes() + size_of::<Quicklist>();
    assert!(bytes < 14 * small.len(), "{bytes} bytes");
}

#[test]
fn inner_nodes_are_compressed_and_the_ends_are_not() {
    let mut list = Quicklist::new(Fill::new(-1), 2);
    for number in 0..10_000_u32 {
        list.push_front(format!("the same words again and again {number}").as_bytes());
    }
    check(&list);
    let plain = Quicklist { depth: 0, ..reloaded(&list) };
    assert!(list.heap_bytes() * 2 < plain.len() * 36, "{} bytes", list.heap_bytes());
    assert_eq!(texts(&list, 0, Direction::Forward), texts(&plain, 0, Direction::Forward));
    let before = list.heap_bytes();
    assert_eq!(texts(&list, 5000, Direction::Backward).len(), 5001);
    assert_eq!(list.heap_bytes(), before, "reading leaves the nodes compressed");
}

#[test]
fn a_list_of_one_node_becomes_a_listpack_and_back() {
    let mut pack = Listpack::new();
    pack.push(b"a").unwrap();
    pack.push(17).unwrap();
    let list = Quicklist::from_listpack(pack.clone(), Fill::DEFAULT, 1);
    assert_eq!((list.len(), list.listpack_bytes()), (2, Some(pack.total_bytes())));
    assert_eq!(list.into_listpack().ok(), Some(pack));
    assert_eq!(Quicklist::new(Fill::DEFAULT, 0).into_listpack().ok(), Some(Listpack::new()));
    let mut large = Quicklist::new(Fill::DEFAULT, 0);
    large.push_back(vec![b'x'; 9000].as_slice());
    assert_eq!(large.listpack_bytes(), None);
    let mut large = large.into_listpack().unwrap_err();
    assert_eq!((large.len(), large.back().map(Element::text_len)), (1, Some(9000)));
    large.push_front(1);
    assert_eq!(large.listpack_bytes(), None);
    assert_eq!(large.into_listpack().unwrap_err().len(), 2);
}

/// The differential fuzzer asked for the replacement of an element far in front of the first.
#[test]
fn no_index_is_too_large_to_be_asked_for() {
    let mut list = Quicklist::new(Fill::new(2), 1);
    for number in 0..9_i64 {
        list.push_back(number);
    }
    for index in [9, usize::MAX - 1, usize::MAX] {
        assert!(!list.replace(index, 1) && !list.remove(index));
        assert_eq!(list.remove_range(index, usize::MAX), 0);
        assert!(list.walk(index, Direction::Backward).next().is_none());
        list.for_each(index..usize::MAX, |_| panic!("there is no element"));
    }
    list.insert(usize::MAX, 9);
    assert_eq!(list.remove_range(8, usize::MAX), 2);
    assert_eq!(texts(&list, 7, Direction::Forward), [b"7"]);
}

#[test]
fn a_list_that_is_thinned_out_closes_up() {
    let mut list = Quicklist::new(Fill::DEFAULT, 0);
    for number in 0..50_000_i64 {
        list.push_back(number);
    }
    let nodes = list.nodes().len();
    let mut number = 0;
    list.retain(Direction::Forward, |_| {
        number += 1;
        if number % 100 == 0 { Verdict::Keep } else { Verdict::Remove }
    });
    assert_eq!(list.len(), 500);
    assert!(list.nodes().len() * 50 < nodes * 2, "{} of {nodes} nodes", list.nodes().len());
    let mut list = Quicklist::new(Fill::new(4), 0);
    for number in 0..4000_i64 {
        list.push_back(number);
    }
    for index in (0..4000).rev().filter(|index| index % 4 != 0) {
        list.remove(index);
    }
    assert!(list.nodes().len() < 600, "{} nodes of 1000", list.nodes().len());
    check(&list);
}

/// A list whose compression begins nowhere has no short node at its front, and is the model.
#[test]
fn a_short_node_at_the_front_is_one_with_the_next() {
    let mut rng = 7_u64;
    let mut below = |count: u64| {
        rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (rng >> 33) % count
    };
    let sizes = |list: &mut Quicklist| {
        list.join_short_front();
        let count = |node: &Node| (node.count(), node.pack_bytes());
        list.nodes.iter().map(count).collect::<Vec<_>>()
    };
    for fill in [Fill::DEFAULT, Fill::new(600), Fill::new(40)] {
        let (mut list, mut model) = (Quicklist::new(fill, 0), Quicklist::new(fill, u16::MAX));
        let mut was_short = false;
        for round in 0..20_000_u64 {
            // Waves, so that the list is also short now and then.
            let longest = if below(50) == 0 { 3000 } else { 12 };
            let value = vec![b'v'; 1 + below(longest) as usize];
            let pushes = below(10) < if round / 4000 % 2 == 0 { 8 } else { 2 };
            for list in [&mut list, &mut model] {
                match (pushes, round % 7) {
                    (true, 0..=5) => list.push_front(value.as_slice()),
                    (true, _) => list.push_back(value.as_slice()),
                    (false, 0..=2) => drop(list.pop_front()),
                    (false, _) => drop(list.pop_back()),
                }
            }
            was_short |= list.front_is_short;
            assert_eq!(list.listpack_bytes(), model.listpack_bytes(), "round {round}");
            if round % 500 == 0 {
                assert_eq!(sizes(&mut list.clone()), sizes(&mut model), "round {round}");
                check(&list);
            }
        }
        assert!(was_short);
        let whole = texts(&model, 0, Direction::Forward);
        assert_eq!(texts(&list, 0, Direction::Forward), whole);
    }
}
