//! The command line: `[FILE|-] [--directive value ...] [-]`.

use alloc::string::String;
use alloc::vec::Vec;

use vesta_types::ascii::lossy;
use vesta_types::words;

/// What the arguments of a server ask for, before any file is read.
///
/// Source of the rules: observed on redis-server 7.0.15.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Argv {
    /// The configuration file.
    pub file: Option<String>,
    /// Whether standard input is read as a file behind it.
    pub stdin: bool,
    /// Whether `--sentinel` was given.
    pub sentinel: bool,
    /// The directives of the command line, each as a line of a file.
    pub directives: Vec<Vec<u8>>,
}

impl Argv {
    /// Reads the arguments behind the program's name.
    ///
    /// A first argument that does not begin with `-` is the file. `-` in the first or the last
    /// place is standard input. `--name` begins a directive if the one before has a value; what
    /// follows are its values, each kept as one word. `--save` alone needs no value.
    #[must_use]
    pub fn parse(args: &[Vec<u8>]) -> Self {
        let mut argv = Self::default();
        let mut rest = args;
        if let [first, behind @ ..] = rest
            && (!first.starts_with(b"-") || first == b"-")
        {
            argv.stdin = first == b"-";
            argv.file = (!argv.stdin && !first.is_empty()).then(|| lossy(first));
            rest = behind;
        }
        if let [before @ .., last] = rest
            && last == b"-"
        {
            argv.stdin = true;
            rest = before;
        }
        // Whether the last directive still waits for its first value.
        let mut waits = false;
        for arg in rest {
            match arg.strip_prefix(b"--") {
                Some(b"sentinel") if !waits => argv.sentinel = true,
                Some(directive) if !waits => {
                    argv.directives.push(directive.to_vec());
                    waits = directive != b"save" && !directive.contains(&b' ');
                }
                Some(_) | None => {
                    match argv.directives.last_mut() {
                        Some(line) => {
                            line.push(b' ');
                            line.extend(words::quoted(arg));
                        }
                        None => argv.directives.push(words::quoted(arg)),
                    }
                    waits = false;
                }
            }
        }
        argv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Argv {
        Argv::parse(&line.iter().map(|arg| arg.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    fn directives(line: &[&str]) -> Vec<String> {
        parse(line).directives.iter().map(|line| lossy(line)).collect()
    }

    #[test]
    fn values_belong_to_the_directive_before_them() {
        assert_eq!(
            directives(&["--port", "7000", "--save", "", "--bind", "1.1.1.1", "2.2.2.2"]),
            ["port \"7000\"", "save \"\"", "bind \"1.1.1.1\" \"2.2.2.2\""]
        );
        assert_eq!(directives(&["--port", "0", "hz", "5"]), ["port \"0\" \"hz\" \"5\""]);
        assert_eq!(directives(&["--slaveof", "host 1"]), ["slaveof \"host 1\""]);
        assert_eq!(directives(&["--hz", "a\"b\n"]), ["hz \"a\\\"b\\n\""]);
    }

    #[test]
    fn a_directive_without_a_value_takes_the_next_argument_whatever_it_is() {
        assert_eq!(directives(&["--hz", "--x"]), ["hz \"--x\""]);
        assert_eq!(directives(&["--requirepass", "--hz", "1"]), ["requirepass \"--hz\" \"1\""]);
        assert_eq!(directives(&["--save", "--hz", "1"]), ["save", "hz \"1\""]);
        assert_eq!(directives(&["--save 3 4", "--hz", "1"]), ["save 3 4", "hz \"1\""]);
        assert_eq!(directives(&["--hz"]), ["hz"]);
        assert_eq!(directives(&["--port=0"]), ["port=0"]);
    }

    #[test]
    fn the_file_comes_first_and_a_dash_is_standard_input() {
        let argv = parse(&["/etc/x.conf", "--hz", "1", "-"]);
        assert_eq!(argv.file.as_deref(), Some("/etc/x.conf"));
        assert!(argv.stdin);
        assert_eq!(argv.directives, [b"hz \"1\""]);
        assert_eq!(parse(&["-"]), Argv { stdin: true, ..Argv::default() });
        assert_eq!(parse(&["--hz", "1", "--sentinel", "--port", "2"]).directives.len(), 2);
        assert!(parse(&["--hz", "1", "--sentinel"]).sentinel);
        assert_eq!(parse(&["", "--hz", "1"]).file, None);
        assert_eq!(parse(&[]), Argv::default());
        assert_eq!(
            directives(&["--port", "0", "-", "--hz", "1"]),
            ["port \"0\" \"-\"", "hz \"1\""]
        );
    }
}
