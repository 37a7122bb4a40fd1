//! `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`

use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_store::{Entry, object};
use vesta_types::{ascii, glob, number};

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`: the keys of the database in steps.
///
/// A key that is there from the first call to the last is returned at least once.
pub(super) const SCAN: Command = Command {
    spec: Spec {
        name: "scan",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        group: Group::Generic,
        since: "2.8.0",
        complexity: "O(1) for a call; O(N) in the number of keys for all until the cursor is 0",
        summary: "Returns the key names of the database step by step.",
        syntax: "cursor:integer [MATCH pattern] [COUNT count:integer] [TYPE type]",
        tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
        history: &[("6.0.0", "Added the `TYPE` option.")],
        ..Spec::EMPTY
    },
    run: Run::Read(scan),
};

/// Keys that a call looks at unless COUNT says otherwise.
const COUNT_DEFAULT: u64 = 10;
/// Buckets that a call visits for each key that it was asked for, as long as it finds none.
const BUCKETS_PER_COUNT: u64 = 10;

/// Which keys to return, and how many to look at.
struct Wanted<'a> {
    pattern: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    count: u64,
}

impl<'a> Wanted<'a> {
    fn parse(mut cursor: Cursor<'a>) -> Result<Self, ReplyError> {
        let mut wanted = Self { pattern: None, kind: None, count: COUNT_DEFAULT };
        while !cursor.is_done() {
            if cursor.take("count") {
                let count = cursor.need_i64()?;
                let count = u64::try_from(count).ok().filter(|count| *count > 0);
                wanted.count = count.ok_or(ReplyError::Syntax)?;
            } else if cursor.take("match") {
                wanted.pattern = Some(cursor.need()?).filter(|pattern| *pattern != b"*");
            } else if cursor.take("type") {
                wanted.kind = Some(cursor.need()?);
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(wanted)
    }

    fn accepts(&self, entry: &Entry) -> bool {
        let is_kind = |kind: &[u8]| ascii::is_word(kind, object::type_name(entry));
        self.pattern.is_none_or(|pattern| glob::matches(pattern, entry.key(), false))
            && self.kind.is_none_or(is_kind)
    }
}

fn scan(ctx: &mut ReadCtx<'_>) -> Outcome {
    let mut cursor = parse_cursor(ctx.arg(1)).ok_or(ReplyError::text("invalid cursor"))?;
    let wanted = Wanted::parse(ctx.cursor(2))?;
    let (mut seen, mut returned) = (0, 0);
    let mut buckets = wanted.count.saturating_mul(BUCKETS_PER_COUNT);
    let ReadCtx { keys, reply, .. } = ctx;
    let place = reply.deferred();
    loop {
        cursor = keys.scan(cursor, |entry| {
            seen += 1;
            if wanted.accepts(entry) {
                returned += 1;
                reply.bulk(entry.key());
            }
        });
        buckets -= 1;
        if cursor == 0 || buckets == 0 || seen >= wanted.count {
            break;
        }
    }
    reply.close_page(place, cursor, returned);
    Ok(Flow::Done)
}

/// Reads a cursor as leniently as redis-server 7.0.15 was seen to: a sign and leading zeros are
/// accepted (a negative number counts from the top), nothing at all is 0, and a zero byte ends
/// the text.
fn parse_cursor(argument: &[u8]) -> Option<u64> {
    let text = argument.split(|byte| *byte == 0).next()?;
    if text.is_empty() {
        return Some(0);
    }
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let significant = match digits.iter().position(|byte| *byte != b'0') {
        Some(first) => digits.get(first..)?,
        None => digits.get(..1)?,
    };
    let magnitude = number::parse_u64(significant)?;
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::parse_cursor;

    #[test]
    fn cursors_are_read_as_leniently_as_by_the_reference() {
        for (text, value) in [
            (&b""[..], 0),
            (b"0", 0),
            (b"000", 0),
            (b"007", 7),
            (b"+7", 7),
            (b"-1", u64::MAX),
            (b"-18446744073709551615", 1),
            (b"18446744073709551615", u64::MAX),
            (b"12\x00junk", 12),
            (b"\x00", 0),
        ] {
            assert_eq!(parse_cursor(text), Some(value), "{text:?}");
        }
        for text in
            ["-", "+", "--1", "+-1", "1 ", " 1", "1.5", "0x10", "abc", "18446744073709551616"]
        {
            assert_eq!(parse_cursor(text.as_bytes()), None, "{text:?}");
        }
    }
}
