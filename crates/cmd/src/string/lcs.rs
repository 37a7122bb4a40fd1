//! `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]`

use crate::string::subsequence::{Match, Table};
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use alloc::vec::Vec;
use vesta_resp::Reply;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::StrRef;
use vesta_types::{Blob, number};

/// `LCS key1 key2 [options]`: the longest common subsequence of two strings.
pub(super) const LCS: Command = Command {
    spec: Spec {
        name: "lcs",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        categories: Categories::STRING,
        keys: &[KeySpec::range(1, 1, 1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::String,
        since: "7.0.0",
        complexity: "O(N*M) in the lengths of the strings, 64 steps at a time",
        summary: "Finds the longest common subsequence of two strings.",
        syntax: "key1:key key2:key [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]",
        ..Spec::EMPTY
    },
    run: Run::Read(lcs),
};

struct Options {
    length_only: bool,
    positions: bool,
    with_lengths: bool,
    min_length: usize,
}

fn lcs(ctx: &mut ReadCtx<'_>) -> Outcome {
    let a = text_at(ctx, 1)?;
    let b = text_at(ctx, 2)?;
    let options = parse(ctx.cursor(3))?;
    if options.length_only && options.positions {
        let text = "If you want both the length and indexes, please just use IDX.";
        return Err(ReplyError::text(text));
    }
    check_size(a.len(), b.len(), ctx.config.proto_max_bulk_len_bytes)?;
    let no_memory =
        |_| ReplyError::text("Insufficient memory, failed allocating transient memory for LCS");
    if options.length_only {
        let length = Table::length(&a, &b).map_err(no_memory)?;
        ctx.reply.count(length);
        return Ok(Flow::Done);
    }
    let table = Table::fill(&a, &b).map_err(no_memory)?;
    if options.positions {
        reply_positions(&mut ctx.reply, table.matches(), &options);
    } else {
        let mut common: Vec<u8> = table.matches().flat_map(Match::reversed).collect();
        common.reverse();
        ctx.reply.bulk(&common);
    }
    Ok(Flow::Done)
}

/// The string at the key that argument `index` names, in an allocation of its own.
fn text_at(ctx: &mut ReadCtx<'_>, index: usize) -> Result<Blob, ReplyError> {
    match ctx.keys.read_string(ctx.request.arg(index)) {
        Err(_) => Err(ReplyError::text("The specified keys must contain string values")),
        Ok(Some(StrRef::Blob(blob))) => Ok(Blob::clone(&blob)),
        Ok(Some(value)) => Ok(Blob::new(crate::string::text_of(&value).into_owned())),
        Ok(None) => Ok(Blob::default()),
    }
}

fn parse(mut cursor: Cursor<'_>) -> Result<Options, ReplyError> {
    let mut options =
        Options { length_only: false, positions: false, with_lengths: false, min_length: 0 };
    while !cursor.is_done() {
        if cursor.take("idx") {
            options.positions = true;
        } else if cursor.take("len") {
            options.length_only = true;
        } else if cursor.take("withmatchlen") {
            options.with_lengths = true;
        } else if cursor.take("minmatchlen") {
            let given = number::parse_i64(cursor.need()?).ok_or(ReplyError::NotInteger)?;
            options.min_length = usize::try_from(given.max(0)).unwrap_or(usize::MAX);
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    Ok(options)
}

/// Refuses what Redis refuses: it keeps a table of four bytes for every pair of positions.
fn check_size(a: usize, b: usize, limit_bytes: u64) -> Result<(), ReplyError> {
    let rows = u32::try_from(a).ok().filter(|length| *length < u32::MAX - 1);
    let columns = u32::try_from(b).ok().filter(|length| *length < u32::MAX - 1);
    let (Some(rows), Some(columns)) = (rows, columns) else {
        return Err(ReplyError::text("String too long for LCS"));
    };
    let cells = (u128::from(rows) + 1) * (u128::from(columns) + 1);
    if cells * 4 > u128::from(limit_bytes) {
        let text = "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
        return Err(ReplyError::text(text));
    }
    Ok(())
}

/// The positions of the matches, the last first, and the length of the subsequence.
fn reply_positions<'a>(
    reply: &mut Reply<'_>,
    matches: impl Iterator<Item = Match<'a>>,
    options: &Options,
) {
    reply.map(2);
    reply.text("matches");
    let place = reply.deferred();
    let (mut length, mut shown) = (0, 0);
    for found in matches {
        length += found.length();
        if found.length() < options.min_length {
            continue;
        }
        shown += 1;
        reply.array(if options.with_lengths { 3 } else { 2 });
        for start in [found.a_start, found.b_start] {
            reply.array(2);
            reply.count(start);
            reply.count(start + found.length() - 1);
        }
        if options.with_lengths {
            reply.count(found.length());
        }
    }
    reply.close_array(place, shown);
    reply.text("len");
    reply.count(length);
}
