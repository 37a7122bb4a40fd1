//! Every command has a transcript, and every sub-command is asked in one.

use std::path::Path;

use vesta_cmd::commands;

use super::Violation;
use super::tree::File;

const FOLDER: &str = "tests/transcripts";

/// Commands without a file of their name, sub-commands that no transcript asks.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let transcripts: Vec<&File> =
        files.iter().filter(|file| file.path.starts_with(FOLDER) && file.is("vt")).collect();
    let mut found = Vec::new();
    let mut complain = |rule: String| found.push(Violation::new(Path::new(FOLDER), 1, rule));
    for command in commands() {
        let name = command.spec.name;
        if !transcripts.iter().any(|file| file.path.file_stem().is_some_and(|stem| stem == name)) {
            complain(format!("{name} has a transcript, `<family>/{name}.vt`"));
        }
        for sub in command.within() {
            let words = [name, sub.spec.name];
            if !transcripts.iter().any(|file| file.lines().any(|(_, line)| asks(line, words))) {
                complain(format!("a transcript asks {}", words.join(" ")));
            }
        }
    }
    found
}

/// Whether a line is a request (`> WORDS`, `client> WORDS`) that begins with the words.
fn asks(line: &str, words: [&str; 2]) -> bool {
    let Some((client, request)) = line.split_once("> ") else { return false };
    let mut given = request.split_ascii_whitespace();
    client.chars().all(char::is_alphanumeric)
        && words.iter().all(|word| given.next().is_some_and(|is| is.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_from_a_reply() {
        let words = ["client", "id"];
        assert!(asks("> CLIENT ID", words) && asks("b> client id", words));
        assert!(!asks("> CLIENT INFO", words) && !asks("=> CLIENT ID", words));
        assert!(!asks("CLIENT ID", words));
    }

    #[test]
    fn commands_without_any_transcript_are_all_found() {
        let subs: usize = commands().map(|command| command.within().len()).sum();
        assert_eq!(check(&[]).len(), commands().count() + subs);
    }
}
