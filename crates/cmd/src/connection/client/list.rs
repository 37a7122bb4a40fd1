//! `CLIENT LIST [TYPE type] [ID id...]`

use super::{OTHERS, kind};
use crate::host::ClientFacts;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use vesta_spec::{Arity, Spec};
use vesta_types::number;

/// `CLIENT LIST`: a line for every client, or for those of a type, or for those with the ids
/// given, in the order of the request.
pub(super) const LIST: Command = Command {
    spec: Spec {
        name: "list",
        arity: Arity::AtLeast(2),
        since: "2.4.0",
        complexity: "O(N) in the number of connections",
        summary: "Lists connections, a line each.",
        syntax: "[TYPE client-type=<NORMAL | MASTER | REPLICA | PUBSUB>] \
                 [ID id=(client-id:integer...)]",
        tips: &["nondeterministic_output"],
        history: &[
            ("2.8.12", "Shows the `id` of a client."),
            ("5.0.0", "Can be limited by `TYPE`."),
            ("6.0.0", "Shows the `user`."),
            ("6.2.0", "Shows `argv-mem`, `tot-mem`, `laddr` and `redir`; can be limited by `ID`."),
            ("7.0.0", "Shows `resp`, `multi-mem`, `rbs` and `rbp`."),
            ("7.0.3", "Shows `ssub`."),
            ("7.2.0", "Shows `lib-name` and `lib-ver`."),
        ],
        ..OTHERS
    },
    run: Run::Control(list),
};

fn list(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(2);
    let text = if cursor.is_done() {
        lines(&ctx.host.clients())
    } else if cursor.left() == 2 && cursor.take("type") {
        let kind = kind(cursor.need()?)?;
        let mut clients = ctx.host.clients();
        clients.retain(|client| client.kind == kind);
        lines(&clients)
    } else if cursor.left() >= 2 && cursor.take("id") {
        let mut ids = Vec::with_capacity(cursor.left());
        while let Some(id) = cursor.pop() {
            ids.push(number::parse_i64(id).ok_or(ReplyError::text("Invalid client ID"))?);
        }
        let clients = ctx.host.clients();
        let known = |id: &i64| {
            let at = clients.binary_search_by_key(&u64::try_from(*id).ok()?, |client| client.id);
            clients.get(at.ok()?)
        };
        lines(ids.iter().filter_map(known))
    } else {
        return Err(ReplyError::Syntax);
    };
    ctx.reply.verbatim("txt", &text);
    Ok(Flow::Done)
}

fn lines<'a>(clients: impl IntoIterator<Item = &'a ClientFacts>) -> String {
    let mut text = String::new();
    for client in clients {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{client}");
    }
    text
}
