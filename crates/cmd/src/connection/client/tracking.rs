//! `CLIENT TRACKING ON | OFF [REDIRECT id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]`
//!
//! Source of rules, their order and their texts: observed on redis-server 7.0.15.

use super::OWN;
use crate::host::{Host, Tracking, TrackingMode};
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use vesta_spec::{Arity, Spec};
use vesta_types::ascii;

/// `CLIENT TRACKING`: has the server tell the client when keys that it keeps are modified.
pub(super) const TRACKING: Command = Command {
    spec: Spec {
        name: "tracking",
        arity: Arity::AtLeast(3),
        since: "6.0.0",
        complexity: "O(1), and O(N) for N prefixes.",
        summary: "Has the server tell when keys that the client keeps are modified, or no longer.",
        syntax: "status=<ON | OFF> [REDIRECT client-id] [PREFIX prefix ...]* [BCAST] [OPTIN] \
                 [OPTOUT] [NOLOOP]",
        ..OWN
    },
    run: Run::Control(tracking),
};

/// The options, as they were given.
#[derive(Default)]
struct Options<'a> {
    redirect: Option<u64>,
    prefixes: Vec<&'a [u8]>,
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
}

fn tracking(ctx: &mut ControlCtx<'_>) -> Outcome {
    let options = options(ctx)?;
    let wished = ctx.arg(2);
    if ascii::is_word(wished, "on") {
        let tracking = follow(ctx.host, options)?;
        ctx.host.set_tracking(Some(tracking), ctx.keys.store());
    } else if ascii::is_word(wished, "off") {
        ctx.host.set_tracking(None, ctx.keys.store());
    } else {
        return Err(ReplyError::Syntax);
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn options<'a>(ctx: &ControlCtx<'a>) -> Result<Options<'a>, ReplyError> {
    let mut options = Options::default();
    let mut cursor = ctx.cursor(3);
    while !cursor.is_done() {
        if cursor.take("redirect") {
            let id = cursor.need_i64()?;
            if options.redirect.is_some() {
                let text = "A client can only redirect to a single other client";
                return Err(ReplyError::text(text));
            }
            let id = u64::try_from(id).ok().filter(|id| ctx.host.is_connected(*id));
            const NOBODY: ReplyError =
                ReplyError::text("The client ID you want redirect to does not exist");
            options.redirect = Some(id.ok_or(NOBODY)?);
        } else if cursor.take("prefix") {
            options.prefixes.push(cursor.need()?);
        } else if cursor.take("bcast") {
            options.broadcast = true;
        } else if cursor.take("optin") {
            options.opt_in = true;
        } else if cursor.take("optout") {
            options.opt_out = true;
        } else if cursor.take("noloop") {
            options.no_loop = true;
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    Ok(options)
}

/// What the client tracks from now on: prefixes join those that it has.
fn follow(host: &dyn Host, options: Options<'_>) -> Result<Tracking, ReplyError> {
    let Options { redirect, prefixes, broadcast, opt_in, opt_out, no_loop } = options;
    if !broadcast && !prefixes.is_empty() {
        return Err(ReplyError::text("PREFIX option requires BCAST mode to be enabled"));
    }
    let before = host.tracking();
    let was = before.map(|before| before.mode);
    if was.is_some_and(|was| (was == TrackingMode::Broadcast) != broadcast) {
        return Err(ReplyError::text(
            "You can't switch BCAST mode on/off before disabling tracking for this client, and \
             then re-enabling it with a different mode.",
        ));
    }
    if broadcast && (opt_in || opt_out) {
        return Err(ReplyError::text("OPTIN and OPTOUT are not compatible with BCAST"));
    }
    if opt_in && opt_out {
        return Err(ReplyError::text("You can't specify both OPTIN mode and OPTOUT mode"));
    }
    let is_other =
        opt_in && was == Some(TrackingMode::OptOut) || opt_out && was == Some(TrackingMode::OptIn);
    if is_other {
        return Err(ReplyError::text(
            "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and \
             then re-enabling it with a different mode.",
        ));
    }
    let mut all = before.map(|before| before.prefixes.clone()).unwrap_or_default();
    if broadcast {
        disjoint(&all, &prefixes)?;
        all.extend(prefixes.iter().map(|prefix| (*prefix).into()));
        if prefixes.is_empty() {
            all.insert([].into());
        }
    }
    let mode = match (broadcast, opt_in, opt_out) {
        (true, ..) => TrackingMode::Broadcast,
        (false, true, _) => TrackingMode::OptIn,
        (false, false, true) => TrackingMode::OptOut,
        (false, false, false) => TrackingMode::Read,
    };
    let caching = before.is_some_and(|before| before.caching);
    Ok(Tracking { mode, no_loop, redirect, is_broken: false, caching, prefixes: all })
}

/// Refuses prefixes of which one begins with another: its keys would be told twice.
fn disjoint(had: &BTreeSet<Box<[u8]>>, new: &[&[u8]]) -> Result<(), ReplyError> {
    let overlap = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
    let refuse = |one: &[u8], other: &[u8], whose: &str| {
        let (one, other) = (ascii::lossy(one), ascii::lossy(other));
        let text = format!(
            "Prefix '{one}' overlaps with {whose} prefix '{other}'. Prefixes for a single client \
             must not overlap."
        );
        Err(ReplyError::Generic(text.into()))
    };
    for (at, prefix) in new.iter().enumerate() {
        if let Some(other) = had.iter().find(|other| overlap(prefix, other)) {
            return refuse(prefix, other, "an existing");
        }
        let later = new.iter().skip(at + 1);
        if let Some(other) = later.into_iter().find(|other| overlap(prefix, other)) {
            return refuse(prefix, other, "another provided");
        }
    }
    Ok(())
}
