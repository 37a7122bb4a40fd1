//! `cargo xtask gen`: the tables of README.md, written between their markers from the code.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use vesta_cmd::{Command, commands};
use vesta_config::{DocsRow, Effect, Takes, docs_table};
use vesta_spec::Group;

/// The file that has the tables.
const README: &str = "README.md";

/// A table and the name in its markers.
struct Table {
    name: &'static str,
    text: fn() -> String,
}

const TABLES: [Table; 2] = [
    Table { name: "commands", text: commands_table },
    Table { name: "directives", text: directives_table },
];

/// Writes the tables anew.
pub(crate) fn run(root: &Path) -> io::Result<bool> {
    let path = root.join(README);
    let now = std::fs::read_to_string(&path)?;
    let fresh = regenerated(&now).map_err(io::Error::other)?;
    if fresh != now {
        std::fs::write(&path, fresh)?;
    }
    Ok(true)
}

/// What is wrong with the tables in the file: absent, or no longer what the code says.
pub(crate) fn staleness(root: &Path) -> Option<(&'static Path, String)> {
    let why = match std::fs::read_to_string(root.join(README)) {
        Err(error) => Some(error.to_string()),
        Ok(now) => match regenerated(&now) {
            Err(why) => Some(why),
            Ok(fresh) => (fresh != now).then(|| "stale: run `cargo xtask gen`".to_owned()),
        },
    };
    Some((Path::new(README), why?))
}

fn regenerated(text: &str) -> Result<String, String> {
    TABLES.iter().try_fold(text.to_owned(), |text, table| {
        let (begin, end) = markers(table.name);
        replaced(&text, &begin, &end, &(table.text)())
            .ok_or_else(|| format!("no `{begin}` with `{end}` behind it"))
    })
}

fn markers(name: &str) -> (String, String) {
    (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"))
}

/// `text` with `inner` between the two markers; `None` without them.
fn replaced(text: &str, begin: &str, end: &str, inner: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n\n{inner}\n{end}{after}"))
}

/// All commands by family, their sub-commands behind them.
fn commands_table() -> String {
    let mut all: Vec<&Command> = commands().collect();
    all.sort_by_key(|command| (command.spec.group, command.spec.name));
    let mut text = String::from("| Command | Family | Since | What it does |\n|---|---|---|---|\n");
    for command in all {
        let (name, group) = (command.spec.name.to_uppercase(), command.spec.group);
        command_row(&mut text, &name, group, command);
        for sub in command.within() {
            command_row(&mut text, &format!("{name} {}", sub.spec.name.to_uppercase()), group, sub);
        }
    }
    text
}

fn command_row(text: &mut String, name: &str, group: Group, command: &Command) {
    let (since, summary) = (command.spec.since, cell(command.spec.summary));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| `{name}` | {} | {since} | {summary} |", group.name());
}

/// All directives, in the order of a stock file.
fn directives_table() -> String {
    let mut text = String::from(
        "| Directive | Default | A new value takes effect | Today |\n|---|---|---|---|\n",
    );
    for row in docs_table() {
        let DocsRow { group: _, name, alias, default, takes, effect } = row;
        let alias = alias.map(|alias| format!(" (`{alias}`)")).unwrap_or_default();
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        let takes = match takes {
            Takes::Live | Takes::Rim => "at once",
            Takes::Start => "at the start",
        };
        let effect = match effect {
            Effect::Yes => "works",
            Effect::Always => "accepted; done always",
            Effect::NotYet => "accepted, no effect yet",
        };
        let default = cell(&default);
        let _ = writeln!(text, "| `{name}`{alias} | {default} | {takes} | {effect} |");
    }
    text
}

/// As the content of a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let (begin, end) = markers("x");
        let text = format!("a\n{begin}\nold\n{end}\nb\n");
        let fresh = replaced(&text, &begin, &end, "new\n").unwrap();
        assert_eq!(fresh, format!("a\n{begin}\n\nnew\n\n{end}\nb\n"));
        assert_eq!(replaced(&fresh, &begin, &end, "new\n").unwrap(), fresh);
        assert_eq!(replaced("a", &begin, &end, "new"), None);
    }

    #[test]
    fn a_row_per_command_and_directive() {
        let subs: usize = commands().map(|command| command.within().len()).sum();
        assert_eq!(commands_table().lines().count(), 2 + commands().count() + subs);
        assert_eq!(directives_table().lines().count(), 2 + docs_table().len());
    }
}
