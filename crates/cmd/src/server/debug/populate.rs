//! `DEBUG POPULATE count [prefix] [size]`

use crate::{ControlCtx, Flow, Outcome, ReplyError};
use alloc::format;
use alloc::vec::Vec;
use vesta_store::{Deadline, NewValue};
use vesta_types::number;

/// Makes keys that do not exist yet, with values of `size` bytes: `value:N` cut off or filled up
/// with zero bytes; size 0 leaves it as it is. Nothing is propagated.
pub(super) fn populate(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut arguments = ctx.request.args_from(2);
    let count = positive(arguments.next())?;
    let prefix = arguments.next().unwrap_or(b"key");
    let size = match arguments.next() {
        Some(size) => usize::try_from(positive(Some(size))?).unwrap_or(usize::MAX),
        None => 0,
    };
    if size as u64 > ctx.host.config().proto_max_bulk_len_bytes {
        return Err(ReplyError::StringTooLong);
    }
    for number in 0..count {
        let mut key = Vec::from(prefix);
        key.extend_from_slice(format!(":{number}").as_bytes());
        if ctx.keys.contains(&key) {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        ctx.keys.set(&key, NewValue::Bytes(&value), Deadline::Never);
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn positive(given: Option<&[u8]>) -> Result<u64, ReplyError> {
    const OUT_OF_RANGE: ReplyError = ReplyError::text("value is out of range, must be positive");
    let number = given.and_then(number::parse_i64);
    number.and_then(|number| u64::try_from(number).ok()).ok_or(OUT_OF_RANGE)
}
