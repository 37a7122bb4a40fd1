//! Hashes and sets against models, in every encoding, and where one gives way to the next.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use vesta_store::{Access, Digits, Element, Hash, Kind, Limits, Object, Rules, Set, Store};
use vesta_types::Rng;

const NEVER_MS: u64 = 0;

fn rules(limits: Limits) -> Rules {
    let mut store = Store::new(1, Access::default(), 7);
    store.set_limits(limits);
    store.rules().clone()
}

fn text(element: Element<'_>) -> Vec<u8> {
    element.text(&mut Digits::new()).to_vec()
}

/// Names from a small world, so that they meet again: integers, words, and now and then a long one.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (-20..40_i64).prop_map(|number| number.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        4 => (0..40_u8).prop_map(|number| format!("name{number}").into_bytes()),
        1 => (0..4_usize).prop_map(|number| vec![b'x'; 12 + number]),
        1 => Just(Vec::new()),
    ]
}

fn integer() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![(-40..40_i64), any::<i64>()].prop_map(|number| number.to_string().into_bytes())
}

fn limits() -> impl Strategy<Value = Limits> {
    (0..40_usize, 8..14_usize, 0..30_usize).prop_map(|(entries, bytes, integers)| Limits {
        hash_listpack_entries_max: entries,
        hash_listpack_value_bytes_max: bytes,
        set_intset_entries_max: integers,
        set_listpack_entries_max: entries,
        set_listpack_value_bytes_max: bytes,
        ..Limits::default()
    })
}

#[derive(Clone, Debug)]
enum Op {
    Put(Vec<u8>, Vec<u8>),
    PutKeeping(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    Expire(Vec<u8>, Option<u64>),
    TakeDue(u64),
    TakeIfDue(Vec<u8>),
    Draw(u64),
    Sample(u64, usize),
    Copy,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (name(), name()).prop_map(|(name, value)| Op::Put(name, value)),
        2 => (name(), name()).prop_map(|(name, value)| Op::PutKeeping(name, value)),
        4 => name().prop_map(Op::Remove),
        1 => (name(), proptest::option::of(1..100_u64)).prop_map(|(name, at)| Op::Expire(name, at)),
        1 => (1..100_u64).prop_map(Op::TakeDue),
        1 => name().prop_map(Op::TakeIfDue),
        2 => any::<u64>().prop_map(Op::Draw),
        2 => (any::<u64>(), 0..50_usize).prop_map(|(seed, count)| Op::Sample(seed, count)),
        1 => Just(Op::Copy),
    ]
}

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn apply(hash: &mut Hash, model: &mut Model, op: Op, rules: &Rules) {
    match op {
        Op::Put(name, value) => {
            let is_new = model.insert(name.clone(), (value.clone(), None)).is_none();
            assert_eq!(hash.set(&name, &value, rules), is_new);
        }
        Op::PutKeeping(name, value) => {
            let is_new = !model.contains_key(&name);
            model.entry(name.clone()).or_default().0.clone_from(&value);
            assert_eq!(hash.set_keeping_expiry(&name, &value, rules), is_new);
        }
        Op::Remove(name) => assert_eq!(hash.remove(&name), model.remove(&name).is_some()),
        Op::Expire(name, at) => {
            let place = model.get_mut(&name);
            assert_eq!(hash.set_expiry(&name, at, rules), place.is_some());
            place.into_iter().for_each(|place| place.1 = at);
        }
        Op::TakeDue(now) => {
            let mut taken = BTreeSet::new();
            while !hash.take_due(now, 10, |field| assert!(taken.insert(field.name().to_vec()))).done
            {
            }
            let due = |(_, at): &(_, Option<u64>)| at.is_some_and(|at| at <= now);
            let expected: BTreeSet<_> = model
                .iter()
                .filter(|(_, field)| due(field))
                .map(|(name, _)| name.clone())
                .collect();
            assert_eq!(taken, expected);
            model.retain(|_, field| !due(field));
        }
        Op::Draw(seed) => {
            let drawn = hash.random(&mut Rng::new(seed), 50);
            let live = |(_, at): &(_, Option<u64>)| at.is_none_or(|at| at > 50);
            match drawn {
                Some((name, value)) => {
                    let field = &model[&text(name)];
                    assert!(live(field) && field.0 == text(value));
                }
                None => assert!(!model.values().any(live)),
            }
        }
        Op::TakeIfDue(name) => {
            let expected = model.get(&name).is_some_and(|(_, at)| at.is_some_and(|at| at <= 50));
            assert_eq!(hash.take_if_due(&name, 50).is_some(), expected);
            if expected {
                model.remove(&name);
            }
        }
        Op::Sample(seed, count) => {
            let (mut drawn, mut total) = (BTreeMap::new(), 0);
            hash.sample(count, &mut Rng::new(seed), 50, |name, value| {
                drawn.insert(text(name), text(value));
                total += 1;
            });
            let live = model.iter().filter(|(_, (_, at))| at.is_none_or(|at| at > 50));
            let live: BTreeMap<_, _> = live.map(|(name, (value, _))| (name, value)).collect();
            assert_eq!((total, drawn.len()), (count.min(live.len()), total), "they are distinct");
            assert!(drawn.iter().all(|(name, value)| live.get(name) == Some(&value)));
        }
        Op::Copy => *hash = hash.clone(),
    }
}

fn check_hash(hash: &Hash, model: &Model) {
    assert_eq!((hash.len(), hash.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(hash.expiring(), model.values().filter(|(_, at)| at.is_some()).count());
    let soonest = model.values().filter_map(|(_, at)| *at).min();
    assert_eq!(hash.due_bound().is_some(), soonest.is_some());
    assert!(hash.due_bound() <= soonest, "a bound is never too late");
    for now in [NEVER_MS, 50] {
        let live: BTreeMap<_, _> = model
            .iter()
            .filter(|(_, (_, at))| at.is_none_or(|at| at > now))
            .map(|(name, (value, _))| (name.clone(), value.clone()))
            .collect();
        let all: Vec<_> = hash.iter(now).map(|(name, value)| (text(name), text(value))).collect();
        assert_eq!(all.len(), live.len(), "each field comes once");
        assert_eq!(hash.live_len(now), live.len());
        assert_eq!(all.into_iter().collect::<BTreeMap<_, _>>(), live);
        let (mut scanned, mut cursor) = (BTreeMap::new(), 0);
        loop {
            cursor = hash.scan(cursor, now, |name, value| {
                scanned.insert(text(name), text(value));
            });
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(scanned, live);
        for name in model.keys() {
            assert_eq!(hash.get(name, now).map(text).as_ref(), live.get(name));
            assert_eq!(hash.contains(name, now), live.contains_key(name));
        }
    }
    assert!(!hash.contains(b"never put", NEVER_MS));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_hash_is_a_map_in_either_encoding(
        limits in limits(),
        ops in proptest::collection::vec(op(), 0..120),
    ) {
        let (rules, mut hash, mut model) = (rules(limits), Hash::empty(), Model::new());
        let mut was_large = false;
        for op in ops {
            apply(&mut hash, &mut model, op, &rules);
            let is_large = hash.encoding_name() == "hashtable";
            assert!(is_large || !was_large, "a hash never goes back");
            was_large = is_large;
            if !is_large {
                assert!(model.len() <= limits.hash_listpack_entries_max);
                let most = limits.hash_listpack_value_bytes_max;
                assert!(model.iter().all(|(name, (value, at))| {
                    name.len() <= most && value.len() <= most && at.is_none()
                }));
            }
        }
        check_hash(&hash, &model);
    }

    #[test]
    fn a_set_is_a_set_in_every_encoding(
        limits in limits(),
        integers in any::<bool>(),
        ops in proptest::collection::vec((name(), integer(), 0..10_u8), 0..120),
    ) {
        let (rules, mut set) = (rules(limits), Set::empty());
        let mut model = BTreeSet::new();
        let mut forms = vec!["intset"];
        for (name, integer, kind) in ops {
            let member = if integers { integer } else { name };
            match kind {
                0..6 => {
                    let is_new = set.insert(member.as_slice(), &rules);
                    assert_eq!(is_new, model.insert(member));
                }
                6..9 => assert_eq!(set.remove(member.as_slice()), model.remove(&member)),
                _ => {
                    let mut rng = Rng::new(member.len() as u64);
                    let popped = set.pop(&mut rng, text);
                    assert_eq!(popped.is_some(), popped.is_some_and(|gone| model.remove(&gone)));
                }
            }
            assert_eq!(set.len(), model.len());
            if forms.last() != Some(&set.encoding_name()) {
                forms.push(set.encoding_name());
            }
        }
        let known: [&[&str]; 4] = [
            &["intset"],
            &["intset", "listpack"],
            &["intset", "hashtable"],
            &["intset", "listpack", "hashtable"],
        ];
        assert!(known.contains(&&*forms), "{forms:?}");
        let all: Vec<_> = set.iter().map(text).collect();
        assert_eq!(all.len(), model.len());
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), model);
        assert!(model.iter().all(|member| set.contains(member.as_slice())));
        assert!(!set.contains(b"never put"));
        let (mut scanned, mut cursor) = (BTreeSet::new(), 0);
        loop {
            cursor = set.scan(cursor, |member| { scanned.insert(text(member)); });
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(scanned, model);
        let copy = set.clone();
        assert_eq!(format!("{copy:?}"), format!("{:?}", &set));
    }
}

#[test]
fn a_hash_grows_at_the_documented_numbers() {
    let rules = rules(Limits::default());
    let mut hash = Hash::empty();
    for number in 0..512 {
        hash.set(format!("f{number}").as_bytes(), &[b'v'; 64], &rules);
    }
    assert_eq!(hash.encoding_name(), "listpack");
    hash.set(b"f0", &[b'w'; 64], &rules);
    assert_eq!(hash.encoding_name(), "listpack");
    let mut longer = hash.clone();
    hash.set(b"one more", b"1", &rules);
    assert_eq!((hash.encoding_name(), hash.len()), ("hashtable", 513));
    longer.set(b"f0", &[b'w'; 65], &rules);
    assert_eq!((longer.encoding_name(), longer.len()), ("hashtable", 512));
}

#[test]
fn a_set_changes_its_encoding_at_the_documented_numbers() {
    let rules = rules(Limits::default());
    let of = |numbers: usize| {
        let mut set = Set::empty();
        (0..numbers).for_each(|number| assert!(set.insert(number as i64, &rules)));
        set
    };
    assert_eq!(of(512).encoding_name(), "intset");
    assert_eq!(of(513).encoding_name(), "hashtable");
    let with_word = |numbers, word: &[u8]| {
        let mut set = of(numbers);
        assert!(set.insert(word, &rules));
        assert_eq!(set.len(), numbers + 1);
        set.encoding_name()
    };
    assert_eq!(with_word(127, b"word"), "listpack");
    assert_eq!(with_word(128, b"word"), "hashtable");
    assert_eq!(with_word(1, &[b'w'; 64]), "listpack");
    assert_eq!(with_word(1, &[b'w'; 65]), "hashtable");
    let mut words = Set::empty();
    (0..128).for_each(|number| assert!(words.insert(format!("w{number}").as_bytes(), &rules)));
    assert_eq!(words.encoding_name(), "listpack");
    assert!(!words.insert(b"w0", &rules));
    assert_eq!(words.encoding_name(), "listpack");
    assert!(words.insert(b"w128", &rules));
    assert_eq!(words.encoding_name(), "hashtable");
}

#[test]
fn a_set_takes_the_form_for_what_it_is_told_to_expect() {
    let rules = rules(Limits::default());
    let told = |first: &[u8], count| {
        let mut set = Set::empty();
        set.expect(first, count, &rules);
        set.encoding_name()
    };
    assert_eq!((told(b"1", 512), told(b"1", 513)), ("intset", "hashtable"));
    assert_eq!((told(b"a", 128), told(b"a", 129)), ("listpack", "hashtable"));
    let mut set = Set::empty();
    set.insert(b"1", &rules);
    set.expect(b"a", 200, &rules);
    assert_eq!(set.encoding_name(), "intset", "that is decided by the members then");
    set.expect(b"a", 600, &rules);
    assert_eq!(set.encoding_name(), "hashtable");
    set.settle(&rules);
    assert_eq!((set.encoding_name(), set.len()), ("intset", 1));
}

#[test]
fn draws_are_fair_in_every_encoding() {
    for (limit, name) in [(200, "listpack"), (0, "hashtable")] {
        let rules = rules(Limits {
            hash_listpack_entries_max: limit,
            set_listpack_entries_max: limit,
            ..Limits::default()
        });
        let (mut hash, mut set) = (Hash::empty(), Set::empty());
        for number in 0..50 {
            let member = format!("m{number}");
            hash.set(member.as_bytes(), b"v", &rules);
            set.insert(member.as_bytes(), &rules);
        }
        assert_eq!((hash.encoding_name(), set.encoding_name()), (name, name));
        let mut rng = Rng::new(3);
        let (mut fields, mut members) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..50_000 {
            let (field, _) = hash.random(&mut rng, NEVER_MS).unwrap();
            *fields.entry(text(field)).or_insert(0) += 1;
            *members.entry(text(set.random(&mut rng).unwrap())).or_insert(0) += 1;
        }
        for counts in [fields, members] {
            assert_eq!(counts.len(), 50);
            // 1000 each; six standard deviations are 190.
            assert!(counts.values().all(|count| (800..1200).contains(count)), "{counts:?}");
        }
    }
}

#[test]
fn a_payload_with_doubles_is_no_hash_and_no_set() {
    let mut rng = Rng::new(1);
    let hash = |words: &[&[u8]]| {
        let mut listpack = vesta_ds::Listpack::new();
        words.iter().for_each(|word| assert!(listpack.push(*word).is_ok()));
        (Hash::from_listpack(listpack.clone()), Set::from_listpack(listpack))
    };
    let (pairs, members) = hash(&[b"a", b"1", b"b", b"2"]);
    assert_eq!(pairs.unwrap().get(b"b", NEVER_MS), Some(Element::Int(2)));
    assert!(members.unwrap().random(&mut rng).is_some());
    let (odd, members) = hash(&[b"a", b"1", b"b"]);
    assert!(odd.is_none() && members.is_some());
    let (doubles, members) = hash(&[b"a", b"1", b"a", b"2"]);
    assert!(doubles.is_none() && members.is_none());
    let (twins, members) = hash(&[b"a", b"1", b"b", b"1"]);
    assert!(twins.is_some() && members.is_none());
}

#[test]
fn an_object_is_of_one_kind() {
    let object = Hash::empty().into_object();
    assert!(Hash::of(&object).is_some() && Set::of(&object).is_none());
    assert_eq!((object.type_name(), object.encoding_name()), ("hash", "listpack"));
    let object = Set::empty().into_object();
    assert!(Hash::of(&object).is_none() && Set::of(&object).is_some());
    assert_eq!((object.type_name(), object.encoding_name()), ("set", "intset"));
    assert!(size_of::<Object>() <= 24, "an object's box is small");
}
