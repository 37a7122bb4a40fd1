//! `DEBUG PROTOCOL type`: a reply of every type that a client must understand.

use crate::{ControlCtx, Flow, Outcome, ReplyError};
use vesta_resp::Proto;

/// Replies with a value of the type named.
#[expect(clippy::approx_constant, reason = "the value that client libraries test for")]
pub(super) fn protocol(ctx: &mut ControlCtx<'_>) -> Outcome {
    let name = ctx.arg(2).to_ascii_lowercase();
    let reply = &mut ctx.reply;
    let is_three = reply.proto() == Proto::Three;
    match name.as_slice() {
        b"string" => reply.text("Hello World"),
        b"integer" => reply.int(12345),
        b"double" => reply.double(3.141),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.int(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.int(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.int(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => {
            if is_three {
                reply.attribute(1);
                reply.text("key-popularity");
                reply.array(2);
                reply.text("key:123");
                reply.int(90);
            }
            reply.text("Some real reply following the attribute");
        }
        b"push" if is_three => {
            reply.push(2);
            reply.text("server-cpu-usage");
            reply.int(42);
            // Push messages are no replies, so the reply itself follows.
            reply.text("Some real reply following the push reply");
        }
        b"push" => return Err(ReplyError::text("RESP2 is not supported by this command")),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        b"verbatim" => reply.verbatim("txt", "This is a verbatim\nstring"),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        _ => {
            return Err(ReplyError::text(
                "Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(Flow::Done)
}
