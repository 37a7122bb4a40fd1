//! Requests as programs write them.

use alloc::vec::Vec;

/// Appends a request; its first argument is the command's name.
#[inline]
pub fn encode_request<'a>(out: &mut Vec<u8>, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
    begin_request(out, arguments.len());
    for argument in arguments {
        put_argument(out, argument);
    }
}

/// Appends the head of a request of so many arguments, which are to follow.
#[inline]
pub(super) fn begin_request(out: &mut Vec<u8>, arguments: usize) {
    put_number(out, b'*', arguments);
}

#[inline]
pub(super) fn put_argument(out: &mut Vec<u8>, argument: &[u8]) {
    begin_argument(out, argument.len());
    out.extend_from_slice(argument);
    end_argument(out);
}

/// Appends what stands in front of an argument of so many bytes.
#[inline]
pub(super) fn begin_argument(out: &mut Vec<u8>, len: usize) {
    put_number(out, b'$', len);
}

/// Appends what stands behind an argument.
#[inline]
pub(super) fn end_argument(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

#[inline]
fn put_number(out: &mut Vec<u8>, mark: u8, number: usize) {
    let mut digits = itoa::Buffer::new();
    out.push(mark);
    out.extend_from_slice(digits.format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}
