//! Replying with elements of values that are no strings, and not with endlessly many.

use crate::ReplyError;
use vesta_resp::Reply;
use vesta_store::Element;

/// A bulk string of the element's text.
#[inline]
pub(crate) fn reply_element(reply: &mut Reply<'_>, element: Element<'_>) {
    match element {
        Element::Int(number) => reply.bulk_int(number),
        Element::Bytes(bytes) => reply.bulk(bytes),
    }
}

/// A bulk string of the element's text, or null.
#[inline]
pub(crate) fn reply_element_or_null(reply: &mut Reply<'_>, element: Option<Element<'_>>) {
    match element {
        Some(element) => reply_element(reply, element),
        None => reply.null(),
    }
}

/// A reply of more bytes is refused. Redis has no such limit and goes on until its memory is used
/// up.
const REPLY_BYTES_MAX: usize = 4 << 30;

/// Refuses a reply of `count` elements drawn with repetitions when it would take too much memory.
///
/// # Errors
/// When elements of `mean_bytes` each would make it longer than 4 GiB.
pub(crate) fn refuse_endless_reply(count: usize, mean_bytes: usize) -> Result<(), ReplyError> {
    if count.saturating_mul(mean_bytes) > REPLY_BYTES_MAX {
        return Err(ReplyError::text("value is out of range"));
    }
    Ok(())
}
