//! `BITOP AND | OR | XOR | NOT destkey key...`

use crate::string::set_raw;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::StrRef;
use vesta_store::bits::{self, Combine};
use vesta_types::{Blob, ascii};

/// `BITOP operation destkey key...`: sets a key to the combination of others. What is shorter
/// counts as continued with zeros; an empty result removes the key.
pub(super) const BITOP: Command = Command {
    spec: Spec {
        name: "bitop",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::BITMAP,
        keys: &[
            KeySpec::one(2, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::range(3, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        group: Group::Bitmap,
        since: "2.6.0",
        complexity: "O(N) in the length of the longest string",
        summary: "Combines strings bit by bit and stores the result.",
        syntax: "operation=<AND | OR | XOR | NOT> destkey:key key...",
        ..Spec::EMPTY
    },
    run: Run::Write(bitop),
};

/// What a source holds; long strings are not copied.
enum Source {
    Short(Vec<u8>),
    Shared(Blob),
}

impl Source {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Shared(blob) => blob,
        }
    }
}

fn bitop(ctx: &mut WriteCtx<'_>) -> Outcome {
    let operation = operation(ctx.arg(1))?;
    if operation.is_none() && ctx.request.len() > 4 {
        return Err(ReplyError::text("BITOP NOT must be called with a single source key."));
    }
    let sources = sources(ctx)?;
    let sources: Vec<&[u8]> = sources.iter().map(Source::bytes).collect();
    let result = match operation {
        Some(operation) => bits::combine(operation, &sources),
        None => bits::invert(sources.first().copied().unwrap_or_default()),
    };
    let (key, length) = (ctx.arg(2), result.len());
    if length > 0 {
        set_raw(&mut ctx.keys, key, result);
        ctx.notify(Class::String, "set", key);
        ctx.changed();
    } else if ctx.keys.delete(key) {
        ctx.notify(Class::Generic, "del", key);
        ctx.changed();
    }
    ctx.reply.count(length);
    Ok(Flow::Done)
}

/// `None` is NOT, which takes one source.
fn operation(name: &[u8]) -> Result<Option<Combine>, ReplyError> {
    let named = [
        ("and", Some(Combine::And)),
        ("or", Some(Combine::Or)),
        ("xor", Some(Combine::Xor)),
        ("not", None),
    ];
    let found = named.into_iter().find(|(word, _)| ascii::is_word(name, word));
    found.map(|(_, operation)| operation).ok_or(ReplyError::Syntax)
}

/// What the sources hold; a missing one is empty.
fn sources(ctx: &mut WriteCtx<'_>) -> Result<Vec<Source>, ReplyError> {
    let mut sources = Vec::with_capacity(ctx.request.len().saturating_sub(3));
    for key in ctx.request.args_from(3) {
        sources.push(match ctx.keys.read_string(key)? {
            Some(StrRef::Blob(blob)) => Source::Shared(Blob::clone(&blob)),
            Some(StrRef::Bytes(bytes)) => Source::Short(bytes.to_vec()),
            Some(StrRef::Int(value)) => {
                Source::Short(itoa::Buffer::new().format(value).as_bytes().to_vec())
            }
            None => Source::Short(Vec::new()),
        });
    }
    Ok(sources)
}
