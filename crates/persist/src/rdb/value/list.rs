//! Lists.
//!
//! ```text
//! List            count | text, ..
//! ListZiplist     ziplist
//! ListQuicklist   count | ziplist, ..
//! ListQuicklist2  count | (1 | the text of a large element) or (2 | listpack), ..
//! ```

use super::{Blob, Fault, Left, Reader, Writer};
use crate::rdb::zipped;
use core::mem;
use core::ops::Range;
use vesta_ds::{NodeRef, Quicklist};
use vesta_store::object::End;
use vesta_store::{Digits, Kind, List, Object, Rules};

/// A node that is one large element.
const PLAIN: u64 = 1;
/// A node that is a listpack.
const PACKED: u64 = 2;

/// Begins with a list: what is small is written whole.
pub(super) fn begin(list: &List, writer: &mut Writer<'_>) {
    writer.count(list.quicklist().map_or(1, |nodes| nodes.nodes().len()));
    if let Some(pack) = list.listpack() {
        writer.number(PACKED);
        writer.text(pack.bytes());
    }
}

/// Writes some nodes of a large list.
pub(super) fn write(list: &Quicklist, nodes: Range<usize>, writer: &mut Writer<'_>) {
    for node in list.nodes_from(nodes.start).take(nodes.len()) {
        match node {
            NodeRef::Pack(pack) => {
                writer.number(PACKED);
                writer.text(pack.bytes());
            }
            NodeRef::Compressed { lzf, bytes } => {
                writer.number(PACKED);
                writer.packed(lzf, bytes);
            }
            NodeRef::Plain(text) => {
                writer.number(PLAIN);
                writer.text(text);
            }
        }
    }
}

pub(super) fn of_ziplist(blob: &Blob<'_>, rules: &Rules) -> Result<Object, Fault> {
    let mut nodes = empty(rules);
    nodes.push_pack_node(zipped::ziplist(blob)?);
    finished(nodes, rules).ok_or_else(|| blob.wrong(0, "a list that is not empty"))
}

pub(super) struct Decoder {
    parts: Parts,
    left: Left,
}

/// What the list comes in.
enum Parts {
    Texts(List),
    Ziplists(Quicklist),
    Nodes(Quicklist),
}

impl Decoder {
    pub(super) fn texts() -> Self {
        Self { parts: Parts::Texts(List::empty()), left: Left::default() }
    }

    pub(super) fn ziplists(rules: &Rules) -> Self {
        Self { parts: Parts::Ziplists(empty(rules)), left: Left::default() }
    }

    pub(super) fn nodes(rules: &Rules) -> Self {
        Self { parts: Parts::Nodes(empty(rules)), left: Left::default() }
    }

    pub(super) fn step(
        &mut self,
        reader: &mut Reader<'_>,
        rules: &Rules,
    ) -> Result<Option<Object>, Fault> {
        if self.left.begin(reader)?.is_some() {
            return Ok(None);
        }
        match &mut self.parts {
            Parts::Texts(list) => {
                let text = reader.text()?;
                list.push(End::Back, text.bytes(&mut Digits::new()), rules);
            }
            Parts::Ziplists(nodes) => nodes.push_pack_node(zipped::ziplist(&reader.blob()?)?),
            Parts::Nodes(nodes) => push_node(nodes, reader)?,
        }
        if !self.left.end_one() {
            return Ok(None);
        }
        let list = match &mut self.parts {
            Parts::Texts(list) => Some(mem::replace(list, List::empty()).into_object()),
            Parts::Ziplists(nodes) | Parts::Nodes(nodes) => {
                finished(mem::replace(nodes, empty(rules)), rules)
            }
        };
        list.map(Some).ok_or_else(|| reader.wrong("a list that is not empty"))
    }
}

fn push_node(nodes: &mut Quicklist, reader: &mut Reader<'_>) -> Result<(), Fault> {
    match reader.number()? {
        PLAIN => match reader.text()?.into_vec() {
            text if text.is_empty() => return Err(reader.wrong("a large element")),
            text => nodes.push_plain_node(text.into_boxed_slice()),
        },
        PACKED => nodes.push_pack_node(reader.blob()?.listpack()?),
        _ => return Err(reader.wrong("a node of a list of kind 1 or 2")),
    }
    Ok(())
}

fn empty(rules: &Rules) -> Quicklist {
    Quicklist::new(rules.limits.list_fill, rules.limits.list_compress_depth)
}

/// The list of these nodes, in the small form if it fits; `None` when there are none.
fn finished(nodes: Quicklist, rules: &Rules) -> Option<Object> {
    let list = List::of_nodes(nodes, rules);
    (!list.is_empty()).then(|| list.into_object())
}
