//! `CLIENT TRACKINGINFO` and `CLIENT GETREDIR`: what the client tracks.

use super::OWN;
use crate::host::{Tracking, TrackingMode};
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::vec::Vec;
use vesta_spec::{Arity, Spec};

/// `CLIENT TRACKINGINFO`: mode, redirection and prefixes.
pub(super) const TRACKINGINFO: Command = Command {
    spec: Spec {
        name: "trackinginfo",
        arity: Arity::Exactly(2),
        since: "6.2.0",
        summary: "Tells what the client tracks, and how it is told.",
        ..OWN
    },
    run: Run::Control(trackinginfo),
};

/// `CLIENT GETREDIR`: who is told in place of the client; 0 when nobody is, -1 when it does not
/// track.
pub(super) const GETREDIR: Command = Command {
    spec: Spec {
        name: "getredir",
        arity: Arity::Exactly(2),
        since: "6.0.0",
        summary: "Gives the number of the client that is told of keys in place of this one.",
        ..OWN
    },
    run: Run::Control(getredir),
};

fn getredir(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.int(redirect(ctx.host.tracking()));
    Ok(Flow::Done)
}

fn trackinginfo(ctx: &mut ControlCtx<'_>) -> Outcome {
    let (reply, tracking) = (&mut ctx.reply, ctx.host.tracking());
    reply.map(3);
    reply.text("flags");
    let flags = flags(tracking);
    reply.set(flags.len());
    flags.into_iter().for_each(|flag| reply.text(flag));
    reply.text("redirect");
    reply.int(redirect(tracking));
    reply.text("prefixes");
    let prefixes = tracking.iter().flat_map(|tracking| &tracking.prefixes);
    reply.array(prefixes.clone().count());
    prefixes.for_each(|prefix| reply.bulk(prefix));
    Ok(Flow::Done)
}

fn redirect(tracking: Option<&Tracking>) -> i64 {
    tracking.map_or(-1, Tracking::redirect_number)
}

fn flags(tracking: Option<&Tracking>) -> Vec<&'static str> {
    let Some(tracking) = tracking else { return Vec::from(["off"]) };
    let (mode, caching) = match tracking.mode {
        TrackingMode::Read => (None, None),
        TrackingMode::OptIn => (Some("optin"), Some("caching-yes")),
        TrackingMode::OptOut => (Some("optout"), Some("caching-no")),
        TrackingMode::Broadcast => (Some("bcast"), None),
    };
    let all = [
        Some("on"),
        mode,
        caching.filter(|_| tracking.caching),
        Some("noloop").filter(|_| tracking.no_loop),
        Some("broken_redirect").filter(|_| tracking.is_broken),
    ];
    all.into_iter().flatten().collect()
}
