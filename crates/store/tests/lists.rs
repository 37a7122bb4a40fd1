//! Lists against a model, in both encodings, and where one gives way to the other.

use proptest::prelude::*;
use std::collections::VecDeque;
use vesta_store::object::{End, Side};
use vesta_store::{
    Access, Digits, Direction, Element, Fill, Keyspace, Kind, Limits, List, Object, Rules, Store,
};
use vesta_types::{DbIndex, Mono, Now, Unix};

fn rules(fill: i64, depth: u16) -> Rules {
    let mut store = Store::new(1, Access::default(), 7);
    let list_fill = Fill::new(fill);
    store.set_limits(Limits { list_fill, list_compress_depth: depth, ..Limits::default() });
    store.rules().clone()
}

fn text(element: Element<'_>) -> Vec<u8> {
    element.text(&mut Digits::new()).to_vec()
}

fn texts(list: &List, from: usize, to: usize) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    list.for_each(from..to, |element| texts.push(text(element)));
    texts
}

/// Elements from a small world, so that they meet again, and now and then a long one.
fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (-3..6_i64).prop_map(|number| number.to_string().into_bytes()),
        4 => (0..6_u8).prop_map(|number| format!("word {number}").into_bytes()),
        1 => Just(Vec::new()),
        1 => (0..3_usize).prop_map(|number| vec![b'x'; 3_000 + 2_000 * number]),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Front), Just(End::Back)]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Forward), Just(Direction::Backward)]
}

#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<Vec<u8>>),
    Pop(End),
    Rotate(End, End),
    InsertBeside(Vec<u8>, Side, Vec<u8>),
    Replace(usize, Vec<u8>),
    RemoveRange(usize, usize),
    RemoveEqual(Vec<u8>, Direction, usize),
    Copy,
}

fn step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Before), Just(Side::After)];
    prop_oneof![
        6 => (end(), prop::collection::vec(element(), 1..6))
            .prop_map(|(e, all)| Step::Push(e, all)),
        4 => end().prop_map(Step::Pop),
        2 => (end(), end()).prop_map(|(from, to)| Step::Rotate(from, to)),
        3 => (element(), side, element()).prop_map(|(p, s, v)| Step::InsertBeside(p, s, v)),
        2 => (0..40_usize, element()).prop_map(|(at, value)| Step::Replace(at, value)),
        2 => (0..20_usize, 0..20_usize).prop_map(|(at, count)| Step::RemoveRange(at, count)),
        2 => (element(), direction(), 1..4_usize).prop_map(|(v, d, n)| Step::RemoveEqual(v, d, n)),
        1 => Just(Step::Copy),
    ]
}

fn push(model: &mut VecDeque<Vec<u8>>, end: End, value: Vec<u8>) {
    match end {
        End::Front => model.push_front(value),
        End::Back => model.push_back(value),
    }
}

fn pop(model: &mut VecDeque<Vec<u8>>, end: End) -> Option<Vec<u8>> {
    match end {
        End::Front => model.pop_front(),
        End::Back => model.pop_back(),
    }
}

fn apply(list: &mut List, model: &mut VecDeque<Vec<u8>>, step: Step, rules: &Rules) {
    match step {
        Step::Push(end, all) => {
            list.push_all(end, || all.iter().map(Vec::as_slice), rules);
            all.into_iter().for_each(|value| push(model, end, value));
        }
        Step::Pop(end) => {
            let expected = pop(model, end);
            assert_eq!(list.peek(end).map(text), expected);
            assert_eq!(list.pop(end, rules), expected.is_some());
        }
        Step::Rotate(from, to) => {
            list.rotate(from, to, rules);
            if let Some(value) = pop(model, from) {
                push(model, to, value);
            }
        }
        Step::InsertBeside(pivot, side, value) => {
            let place = model.iter().position(|other| *other == pivot);
            assert_eq!(list.insert_beside(&pivot, side, &value, rules), place.is_some());
            if let Some(place) = place {
                model.insert(place + usize::from(side == Side::After), value);
            }
        }
        Step::Replace(at, value) => {
            let old = model.get_mut(at);
            assert_eq!(list.replace(at, &value, rules), old.is_some());
            if let Some(old) = old {
                *old = value;
            }
        }
        Step::RemoveRange(at, count) => {
            list.remove_range(at..at + count, rules);
            model.drain(at.min(model.len())..(at + count).min(model.len()));
        }
        Step::RemoveEqual(value, direction, max) => {
            let mut places: Vec<usize> =
                (0..model.len()).filter(|at| model[*at] == value).collect();
            if direction == Direction::Backward {
                places.reverse();
            }
            places.truncate(max);
            assert_eq!(list.remove_equal(&value, direction, max, rules), places.len());
            places.sort_unstable();
            for place in places.into_iter().rev() {
                model.remove(place);
            }
        }
        Step::Copy => *list = list.clone(),
    }
}

proptest! {
    #[test]
    fn a_list_behaves_as_a_deque(
        fill in prop_oneof![-2..0_i64, 0..9_i64],
        depth in 0..3_u16,
        steps in prop::collection::vec(step(), 0..40),
        from in 0..30_usize,
        to in 0..30_usize,
    ) {
        let rules = rules(fill, depth);
        let (mut list, mut model) = (List::empty(), VecDeque::new());
        for step in steps {
            apply(&mut list, &mut model, step, &rules);
            prop_assert_eq!(list.len(), model.len());
            prop_assert_eq!(list.is_empty(), model.is_empty());
            if let Some(pack) = list.listpack() {
                // Only what elements take beyond their texts may be above the limit.
                prop_assert!(!rules.limits.list_fill.exceeded_by(
                    pack.total_bytes() - 11 * model.len().min(pack.total_bytes() / 11),
                    model.len(),
                ));
            }
        }
        let model = Vec::from(model);
        prop_assert!(texts(&list, 0, usize::MAX) == model);
        let (first, last) = (from.min(model.len()), to.min(model.len()));
        prop_assert!(texts(&list, from, to) == model[first..last.max(first)]);
        for direction in [Direction::Forward, Direction::Backward] {
            let mut expected = match direction {
                Direction::Forward => model[first..].to_vec(),
                Direction::Backward => model[..(from + 1).min(model.len())].to_vec(),
            };
            if direction == Direction::Backward {
                expected.reverse();
                if from >= model.len() {
                    expected.clear();
                }
            }
            let mut walk = list.walk(from, direction);
            let mut walked = Vec::new();
            while let Some(element) = walk.next() {
                walked.push(text(element));
            }
            prop_assert!(walked == expected);
        }
    }
}

#[test]
fn a_list_grows_before_it_is_added_to_and_shrinks_at_half_of_the_limit() {
    let rules = rules(4, 0);
    let mut list = List::empty();
    let push = |list: &mut List, values: &[&[u8]]| {
        list.push_all(End::Back, || values.iter().copied(), &rules);
    };
    push(&mut list, &[b"a", b"b", b"c", b"d"]);
    assert_eq!(list.encoding_name(), "listpack");
    push(&mut list, &[b"e"]);
    assert_eq!(list.encoding_name(), "quicklist");
    for left in [4, 3] {
        list.pop(End::Back, &rules);
        assert_eq!((list.len(), list.encoding_name()), (left, "quicklist"));
    }
    // An element that comes and goes does not count as one that went.
    list.rotate(End::Front, End::Back, &rules);
    assert_eq!(list.encoding_name(), "quicklist");
    list.pop(End::Front, &rules);
    assert_eq!((list.len(), list.encoding_name()), (2, "listpack"));
    push(&mut list, &[b"1", b"2", b"3"]);
    assert_eq!(list.encoding_name(), "quicklist");
}

#[test]
fn a_large_element_makes_a_list_large_and_its_replacement_small() {
    let rules = rules(-2, 0);
    let mut list = List::empty();
    list.push(End::Back, b"a", &rules);
    list.push(End::Back, b"b", &rules);
    assert!(list.replace(1, &[b'x'; 9_000], &rules));
    assert_eq!(list.encoding_name(), "quicklist");
    list.rotate(End::Back, End::Front, &rules);
    assert_eq!(list.peek(End::Front).map(Element::text_len), Some(9_000));
    assert!(list.replace(0, b"y", &rules));
    assert_eq!(texts(&list, 0, 9), [b"y".to_vec(), b"a".to_vec()]);
    // Room is made whether or not there is a pivot.
    assert!(!list.insert_beside(b"none", Side::After, &[b'x'; 9_000], &rules));
    assert_eq!((list.len(), list.encoding_name()), (2, "quicklist"));
}

#[test]
fn a_long_list_is_freed_in_slices() {
    let mut store = Store::new(1, Access::default(), 1);
    let now = Now { mono: Mono(0), unix: Unix(1_700_000_000_000_000) };
    let mut keys = Keyspace::new(&mut store, DbIndex::ZERO, now);
    let value = [b'v'; 100];
    keys.upsert_as(b"k", |list: &mut List, rules| {
        list.push_all(End::Back, || (0..100_000).map(|_| &value[..]), rules);
    })
    .unwrap();
    let before = keys.store().bytes();
    assert!(before > 10_000_000, "{before} bytes");
    assert!(keys.delete(b"k"));
    let mut steps = 0;
    while store.reap(100) {
        steps += 1;
        assert!(steps < 1_000, "reaping comes to an end");
    }
    assert!(steps > 5, "{steps} slices");
    assert_eq!(store.bytes(), store.overhead_bytes());
}

#[test]
fn an_object_is_a_list_of_its_elements() {
    let rules = rules(2, 1);
    let mut list = List::empty();
    list.push_all(End::Back, || ["a", "17", "c"].iter().map(|text| text.as_bytes()), &rules);
    let object = list.into_object();
    assert_eq!((object.type_name(), object.encoding_name()), ("list", "quicklist"));
    let copy = object.clone();
    let Object::List(copy) = copy else { panic!("a copy has the type of the original") };
    assert_eq!(texts(&copy, 1, 3), [b"17".to_vec(), b"c".to_vec()]);
    let large = copy.quicklist().cloned().map(List::from_quicklist);
    assert_eq!(large.map(|list| texts(&list, 0, 3)), Some(texts(&copy, 0, 3)));
}
