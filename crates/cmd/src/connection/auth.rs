//! `AUTH [username] password`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// The user that a client is until it says otherwise.
pub(super) const DEFAULT_USER: &[u8] = b"default";

/// The answer to a user or password that does not let anybody in.
pub(super) const WRONG_PASSWORD: ReplyError = ReplyError::Coded(alloc::borrow::Cow::Borrowed(
    "WRONGPASS invalid username-password pair or user is disabled.",
));

/// Where a client without credentials may go: AUTH, HELLO, QUIT and RESET share this.
pub(super) const ANYBODY: Flags = Flags::NOSCRIPT
    .and(Flags::LOADING)
    .and(Flags::STALE)
    .and(Flags::FAST)
    .and(Flags::NO_AUTH)
    .and(Flags::ALLOW_BUSY);

/// `AUTH [username] password`: who the client is. A failure leaves it who it was.
pub(super) const AUTH: Command = Command {
    spec: Spec {
        name: "auth",
        arity: Arity::AtLeast(2),
        flags: ANYBODY,
        categories: Categories::CONNECTION,
        group: Group::Connection,
        complexity: "O(N) in the number of passwords of the user",
        summary: "Tells the server who the client is.",
        syntax: "[username] password",
        history: &[("6.0.0", "Accepts a user name before the password.")],
        ..Spec::EMPTY
    },
    run: Run::Control(auth),
};

fn auth(ctx: &mut ControlCtx<'_>) -> Outcome {
    let (user, password) = match ctx.request.len() {
        2 if !ctx.host.needs_password() => {
            return Err(ReplyError::text(
                "AUTH <password> called without any password configured for the default user. \
                 Are you sure your configuration is correct?",
            ));
        }
        2 => (DEFAULT_USER, ctx.arg(1)),
        3 => (ctx.arg(1), ctx.arg(2)),
        _ => return Err(ReplyError::Syntax),
    };
    if !ctx.host.authenticate(user, password) {
        return Err(WRONG_PASSWORD);
    }
    ctx.host.session().authenticated = true;
    ctx.reply.ok();
    Ok(Flow::Done)
}
