//! `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`

use super::{COMMON, full_name};
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::string::String;
use alloc::vec::Vec;
use vesta_spec::{Arity, CATEGORIES, Categories, Spec};
use vesta_types::{ascii, glob};

/// `COMMAND LIST [filter]`: the names of commands and sub-commands.
pub(super) const LIST: Command = Command {
    spec: Spec {
        name: "list",
        arity: Arity::AtLeast(2),
        since: "7.0.0",
        complexity: "O(N) in the number of commands",
        summary: "Tells the names of commands.",
        syntax: "[FILTERBY filterby=<MODULE module-name | ACLCAT category | PATTERN pattern>]",
        tips: &["nondeterministic_output_order"],
        ..COMMON
    },
    run: Run::Control(list),
};

/// Which commands are listed.
enum Filter<'a> {
    All,
    /// Those of a module; there are no modules.
    None,
    Category(Categories),
    Pattern(&'a [u8]),
}

fn list(ctx: &mut ControlCtx<'_>) -> Outcome {
    let filter = parse(ctx)?;
    let mut names: Vec<String> = Vec::new();
    for (_, command) in ctx.commands.iter() {
        let alone = (None, command);
        let within = command.within().iter().map(|sub| (Some(command), sub));
        for (container, command) in [alone].into_iter().chain(within) {
            let name = full_name(container, command);
            let listed = match filter {
                Filter::All => true,
                Filter::None => false,
                Filter::Category(category) => command.spec.acl_categories().has(category),
                Filter::Pattern(pattern) => glob::matches(pattern, name.as_bytes(), true),
            };
            if listed {
                names.push(name);
            }
        }
    }
    ctx.reply.array(names.len());
    for name in names {
        ctx.reply.text(&name);
    }
    Ok(Flow::Done)
}

fn parse<'a>(ctx: &ControlCtx<'a>) -> Result<Filter<'a>, ReplyError> {
    let mut cursor = ctx.cursor(2);
    if cursor.is_done() {
        return Ok(Filter::All);
    }
    if cursor.left() != 3 || !cursor.take("filterby") {
        return Err(ReplyError::Syntax);
    }
    if cursor.take("module") {
        return Ok(Filter::None);
    }
    if cursor.take("pattern") {
        return Ok(Filter::Pattern(cursor.need()?));
    }
    if !cursor.take("aclcat") {
        return Err(ReplyError::Syntax);
    }
    let wanted = cursor.need()?;
    let known = CATEGORIES.iter().find(|(_, name)| ascii::is_word(wanted, name));
    Ok(known.map_or(Filter::None, |(category, _)| Filter::Category(*category)))
}
