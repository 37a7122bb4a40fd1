//! `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`

use crate::{Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use vesta_persist::rdb::{PayloadError, decode_payload};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Class;
use vesta_types::{Now, number};

/// `RESTORE key ttl serialized-value [options]`: makes a key of a payload of DUMP.
///
/// Replicates with the absolute time, and as the deletion of the key that was there when the time
/// has passed already. A payload is looked at in depth whatever `sanitize-dump-payload` says.
pub(super) const RESTORE: Command = Command {
    spec: Spec {
        name: "restore",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        keys: &[KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE))],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "O(1) to make the key, and O(N*M) to read N elements of M bytes; \
                     O(N*M*log(N)) for sorted sets",
        summary: "Makes a key of the payload that DUMP returned.",
        syntax: "key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:integer] \
                 [FREQ frequency:integer]",
        history: &[
            ("3.0.0", "Added the `REPLACE` modifier."),
            ("5.0.0", "Added the `ABSTTL` modifier."),
            ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
        ],
        ..Spec::EMPTY
    },
    run: Run::Write(restore),
};

/// `RESTORE-ASKING key ttl serialized-value [options]`: as RESTORE, for a node of a cluster that
/// moves a slot: it needs no ASKING before it.
pub(super) const RESTORE_ASKING: Command = Command {
    spec: Spec {
        name: "restore-asking",
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::ASKING),
        group: Group::Server,
        since: "3.0.0",
        summary: "Makes a key in a slot that is being moved here, for the node that moves it.",
        internal: true,
        ..RESTORE.spec
    },
    run: Run::Write(restore),
};

fn restore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let options = Options::parse(ctx.cursor(4))?;
    let key = ctx.arg(1);
    if !options.replace && ctx.keys.contains(key) {
        return Err(ReplyError::Coded(Cow::Borrowed("BUSYKEY Target key name already exists.")));
    }
    let expiry = options.expiry(ctx.arg(2), ctx.now)?;
    let string_bytes_max = ctx.config.proto_max_bulk_len_bytes;
    let loaded = decode_payload(ctx.arg(3), ctx.keys.rules(), string_bytes_max);
    let loaded = loaded.map_err(|why| match why {
        PayloadError::VersionOrChecksum => {
            ReplyError::text("DUMP payload version or checksum are wrong")
        }
        PayloadError::Corrupt(_) => ReplyError::text("Bad data format"),
    })?;
    if expiry.is_some_and(|at| at <= ctx.keys.now_ms()) {
        if ctx.keys.delete(key) {
            ctx.notify(Class::Generic, "del", key);
            ctx.changed_as(&[b"DEL", key]);
        }
    } else {
        let access = ctx.keys.store().access();
        let clock = access.known(options.idle_s, options.frequency, ctx.now.unix);
        ctx.keys.put(loaded.into_entry(key, expiry, clock));
        ctx.notify(Class::Generic, "restore", key);
        match expiry {
            Some(at_ms) if !options.absolute => changed_as_absolute(ctx, at_ms),
            Some(_) | None => ctx.changed(),
        }
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// The effect of the request, with the time at which the key expires.
fn changed_as_absolute(ctx: &mut WriteCtx<'_>, at_ms: u64) {
    let mut digits = itoa::Buffer::new();
    let mut effect: Vec<&[u8]> = ctx.request.args_from(0).collect();
    if let Some(ttl) = effect.get_mut(2) {
        *ttl = digits.format(at_ms).as_bytes();
    }
    effect.push(b"ABSTTL");
    ctx.changed_as(&effect);
}

/// What stands behind the payload.
#[derive(Default)]
struct Options {
    replace: bool,
    /// Whether the time to live is a time since 1970.
    absolute: bool,
    /// Seconds since the value was used.
    idle_s: Option<u64>,
    /// The counter of how often it was used.
    frequency: Option<u8>,
}

impl Options {
    /// Source of the order and the texts: redis-server 7.0.15, where each of IDLETIME and FREQ
    /// turns the other into a syntax error.
    fn parse(mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let mut options = Self::default();
        while !cursor.is_done() {
            let has_more = cursor.left() > 1;
            if cursor.take("replace") {
                options.replace = true;
            } else if cursor.take("absttl") {
                options.absolute = true;
            } else if has_more && options.frequency.is_none() && cursor.take("idletime") {
                let idle_s = u64::try_from(cursor.need_i64()?);
                options.idle_s = Some(
                    idle_s.map_err(|_| ReplyError::text("Invalid IDLETIME value, must be >= 0"))?,
                );
            } else if has_more && options.idle_s.is_none() && cursor.take("freq") {
                let frequency = u8::try_from(cursor.need_i64()?);
                options.frequency = Some(frequency.map_err(|_| {
                    ReplyError::text("Invalid FREQ value, must be >= 0 and <= 255")
                })?);
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(options)
    }

    /// When the key expires, in milliseconds since 1970; a `ttl` of 0 means never.
    fn expiry(&self, ttl: &[u8], now: Now) -> Result<Option<u64>, ReplyError> {
        const INVALID: ReplyError = ReplyError::text("Invalid TTL value, must be >= 0");
        let ttl = number::parse_i64(ttl).ok_or(ReplyError::NotInteger)?;
        let ttl = u64::try_from(ttl).map_err(|_| INVALID)?;
        if ttl == 0 || self.absolute {
            return Ok((ttl > 0).then_some(ttl));
        }
        let at_ms = ttl.checked_add(now.unix.ms()).filter(|at| i64::try_from(*at).is_ok());
        at_ms.map(Some).ok_or(INVALID)
    }
}
