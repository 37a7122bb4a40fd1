//! `CLIENT KILL ip:port | filter...`

use super::{OTHERS, kind};
use crate::host::ClientFilter;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::format;
use alloc::vec;
use vesta_spec::{Arity, Spec};
use vesta_types::{ascii, number};

/// `CLIENT KILL`: disconnects the client at an address, or all clients that every filter fits.
pub(super) const KILL: Command = Command {
    spec: Spec {
        name: "kill",
        arity: Arity::AtLeast(3),
        since: "2.4.0",
        complexity: "O(N) in the number of connections",
        summary: "Disconnects clients.",
        syntax: "filter=<old-format | new-format=<[ID client-id:integer] \
                 | [TYPE client-type=<NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] \
                 | [USER username] | [ADDR addr] | [LADDR laddr] | [SKIPME skipme=<YES | NO>] \
                 | [MAXAGE maxage:integer]>...>",
        history: &[
            ("2.8.12", "Takes filters."),
            ("2.8.12", "Filters by `ID`."),
            ("3.2.0", "Knows the type `master`."),
            ("5.0.0", "The type `slave` is also called `replica`."),
            ("6.2.0", "Filters by `LADDR`."),
            ("7.4.0", "Filters by `MAXAGE`."),
        ],
        ..OTHERS
    },
    run: Run::Control(kill),
};

fn kill(ctx: &mut ControlCtx<'_>) -> Outcome {
    if ctx.request.len() == 3 {
        let addr = Some(ascii::lossy(ctx.arg(2)));
        let filter = ClientFilter { addr, ..ClientFilter::default() };
        if ctx.host.kill_clients(&filter, true) == 0 {
            return Err(ReplyError::text("No such client"));
        }
        ctx.reply.ok();
        return Ok(Flow::Done);
    }
    let (filter, skip_me) = filters(ctx)?;
    let killed = ctx.host.kill_clients(&filter, !skip_me);
    ctx.reply.count(killed);
    Ok(Flow::Done)
}

/// Reads filters; a later one of the same kind takes the place of the earlier. Also whether the
/// asking client is spared.
fn filters(ctx: &ControlCtx<'_>) -> Result<(ClientFilter, bool), ReplyError> {
    let (mut filter, mut skip_me) = (ClientFilter::default(), true);
    let mut cursor = ctx.cursor(2);
    while let Some(name) = cursor.pop() {
        let value = cursor.need()?;
        let is = |word| ascii::is_word(name, word);
        if is("id") {
            const REFUSED: ReplyError = ReplyError::text("client-id should be greater than 0");
            filter.ids = Some(vec![positive(value).ok_or(REFUSED)?]);
        } else if is("type") {
            filter.kind = Some(kind(value)?);
        } else if is("addr") {
            filter.addr = Some(ascii::lossy(value));
        } else if is("laddr") {
            filter.laddr = Some(ascii::lossy(value));
        } else if is("user") {
            if !ctx.host.has_user(value) {
                let text = format!("No such user '{}'", ascii::lossy(value));
                return Err(ReplyError::Generic(text.into()));
            }
            filter.user = Some(ascii::lossy(value));
        } else if is("skipme") {
            skip_me = match () {
                () if ascii::is_word(value, "yes") => true,
                () if ascii::is_word(value, "no") => false,
                () => return Err(ReplyError::Syntax),
            };
        } else if is("maxage") {
            const NO_NUMBER: ReplyError =
                ReplyError::text("maxage is not an integer or out of range");
            const REFUSED: ReplyError = ReplyError::text("maxage should be greater than 0");
            number::parse_i64(value).ok_or(NO_NUMBER)?;
            filter.min_age_s = Some(positive(value).ok_or(REFUSED)?);
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    Ok((filter, skip_me))
}

fn positive(text: &[u8]) -> Option<u64> {
    u64::try_from(number::parse_i64(text)?).ok().filter(|number| *number > 0)
}
