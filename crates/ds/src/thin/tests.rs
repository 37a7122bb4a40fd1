//! Thin items against plain fields.

use super::{Block, Field, Member};
use crate::table::Item;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let some = |len| prop::collection::vec(any::<u8>(), len);
    prop_oneof![4 => some(0..24), 2 => some(110..140), 1 => some(250..260),
        1 => some(65_520..65_540)]
}

#[derive(Clone, Debug)]
enum Op {
    SetValue(Vec<u8>),
    SetExpiry(Option<u64>),
    Clone,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => bytes().prop_map(Op::SetValue),
        2 => any::<Option<u64>>().prop_map(Op::SetExpiry),
        1 => Just(Op::Clone),
    ]
}

proptest! {
    #[test]
    fn a_field_keeps_its_parts(
        name in bytes(),
        mut value in bytes(),
        mut expiry: Option<u64>,
        ops in prop::collection::vec(op(), 0..20),
    ) {
        let mut field = Field::new(&name, &value, expiry);
        for op in ops {
            match op {
                Op::SetValue(new) => {
                    field.set_value(&new);
                    value = new;
                }
                Op::SetExpiry(new) => {
                    field.set_expiry(new);
                    expiry = new;
                }
                Op::Clone => field = field.clone(),
            }
            assert_eq!((field.name(), field.key()), (&name[..], &name[..]));
            assert_eq!(field.value(), value);
            assert_eq!((field.expiry(), field.due()), (expiry, expiry.unwrap_or(u64::MAX)));
            assert_eq!(field.alloc_bytes() % 8, 0);
        }
    }

    #[test]
    fn a_tail_is_replaced_at_every_length(parts in prop::collection::vec(bytes(), 2..6)) {
        let mut block = Block::concat(&[], true);
        let mut model = Vec::new();
        for part in parts {
            let from = model.len() / 2;
            block.replace_tail(from, &part);
            model.truncate(from);
            model.extend_from_slice(&part);
            assert_eq!(block.bytes(), model);
            assert!(block.mark());
        }
    }
}

#[test]
fn members_and_fields_are_small() {
    assert_eq!(Member::new(&[b'm'; 14]).alloc_bytes(), 16);
    assert_eq!(Member::new(&[b'm'; 15]).alloc_bytes(), 16);
    assert_eq!(Field::new(&[b'f'; 10], &[b'v'; 20], None).alloc_bytes(), 32);
    assert_eq!(size_of::<Member>(), 8);
    assert_eq!(size_of::<Option<Field>>(), 8);
}

#[test]
fn a_member_keeps_its_bytes_at_every_width_of_length() {
    for len in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 70_000] {
        let bytes = vec![b'x'; len];
        let member = Member::new(&bytes).clone();
        assert_eq!((member.bytes(), member.key()), (&bytes[..], &bytes[..]));
    }
}
