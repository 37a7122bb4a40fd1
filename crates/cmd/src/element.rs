//! Replying with elements of values that are no strings.

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
