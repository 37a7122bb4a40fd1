//! The command line: which role is meant, and what is left for it.
//!
//! `vesta server ARGUMENTS` and a link named `redis-server` called with ARGUMENTS are the same. The
//! server's own grammar (`[FILE|-] [--directive value ...]`) belongs to the configuration, so its
//! arguments pass through here untouched but for the two that print something. Links named
//! `redis-check-rdb` and `redis-check-aof` take what those programs take, to the letter.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::check::{Repair, Task};
use crate::version;

/// What the program is asked to do.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Invocation {
    /// To be a server, with these arguments.
    Serve(Vec<OsString>),
    /// To check a file.
    Check(Task),
    /// To print this and leave.
    Say(String),
    /// To print this and leave with status 1.
    Refuse(String),
}

/// What comes of the arguments behind the name of a link.
type Link = fn(Vec<OsString>) -> Invocation;

/// Names of links under which the program has a role.
const LINKS: [(&str, Link); 9] = [
    ("redis-server", server),
    ("valkey-server", server),
    ("vesta-server", server),
    ("redis-check-rdb", check_rdb),
    ("valkey-check-rdb", check_rdb),
    ("vesta-check-rdb", check_rdb),
    ("redis-check-aof", check_aof),
    ("valkey-check-aof", check_aof),
    ("vesta-check-aof", check_aof),
];

#[derive(Debug, Parser)]
#[command(
    name = "vesta",
    version,
    about = "A Redis-compatible in-memory data store built for high availability",
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Serve Redis clients; takes what redis-server takes
    #[command(disable_help_flag = true)]
    Server {
        /// A configuration file or `-`, then directives as `--name value`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
    /// Check a file of data and tell what is in it
    Check {
        #[command(subcommand)]
        what: What,
    },
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check a snapshot
    Rdb {
        /// An RDB file
        file: PathBuf,
    },
    /// Check a log of requests
    Aof {
        /// Cut off the end of the last file if it is faulty, after a question
        #[arg(long, conflicts_with = "truncate_to_timestamp")]
        fix: bool,
        /// Cut off of the last file what is later than this, in seconds since 1970
        #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
        truncate_to_timestamp: Option<i64>,
        /// A manifest, which stands for all the files it names, or a single file
        file: PathBuf,
    },
}

/// Understands a whole command line, the program's name first.
///
/// # Errors
/// The text to show and the status to exit with, which is 0 for `vesta --help`.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Invocation, clap::Error> {
    let name = words.first().and_then(|name| Path::new(name).file_name()).unwrap_or_default();
    let link = LINKS.iter().find(|(known, _)| name == OsStr::new(known));
    if let Some((_, link)) = link {
        return Ok(link(words.into_iter().skip(1).collect()));
    }
    Ok(match Cli::try_parse_from(words)?.role {
        Some(Role::Server { arguments }) => server(arguments),
        Some(Role::Check { what: What::Rdb { file } }) => Invocation::Check(Task::Rdb { file }),
        Some(Role::Check { what: What::Aof { fix, truncate_to_timestamp, file } }) => {
            let repair = if fix { Repair::Fix } else { cut_behind(truncate_to_timestamp) };
            Invocation::Check(Task::Aof { file, repair })
        }
        None => unreachable!("the parser requires a role"),
    })
}

/// As in redis-server, only the first argument can ask for the version or for help.
fn server(arguments: Vec<OsString>) -> Invocation {
    match arguments.first().and_then(|first| first.to_str()) {
        Some("-v" | "--version") => Invocation::Say(version::server_line()),
        Some("-h" | "--help") => Invocation::Say(SERVER_HELP.to_string()),
        Some(_) | None => Invocation::Serve(arguments),
    }
}

/// Second 0 is none, as in redis-check-aof: a script whose variable is unset destroys nothing.
fn cut_behind(until: Option<i64>) -> Repair {
    until.filter(|until| *until != 0).map_or(Repair::Nothing, Repair::CutBehind)
}

/// Source: redis-check-rdb 7.0.15, which takes every single argument but two for a file.
fn check_rdb(arguments: Vec<OsString>) -> Invocation {
    match arguments.as_slice() {
        [only] if is_version(only) => Invocation::Say(version::tool_line("redis-check-rdb")),
        [file] => Invocation::Check(Task::Rdb { file: file.into() }),
        _ => Invocation::Refuse("Usage: redis-check-rdb <rdb-file-name>".to_owned()),
    }
}

/// Source: redis-check-aof 7.0.15, which knows options in front of the file only.
fn check_aof(arguments: Vec<OsString>) -> Invocation {
    let aof = |file: &OsString, repair| Invocation::Check(Task::Aof { file: file.into(), repair });
    match arguments.as_slice() {
        [only] if is_version(only) => Invocation::Say(version::tool_line("redis-check-aof")),
        [file] => aof(file, Repair::Nothing),
        [option, file] if option == "--fix" => aof(file, Repair::Fix),
        [option, until, file] if option == "--truncate-to-timestamp" => {
            match until.to_str().and_then(|until| until.trim_ascii_start().parse().ok()) {
                Some(until) => aof(file, cut_behind(Some(until))),
                None => Invocation::Refuse("Invalid timestamp, aborting...".to_owned()),
            }
        }
        _ => Invocation::Refuse(
            "Usage: redis-check-aof [--fix|--truncate-to-timestamp $timestamp] \
             <file.manifest|file.aof>"
                .to_owned(),
        ),
    }
}

fn is_version(argument: &OsString) -> bool {
    argument == "-v" || argument == "--version"
}

const SERVER_HELP: &str = "\
Usage: vesta server [FILE|-] [--directive value ...] [-]

  FILE                  a configuration file in the grammar of redis.conf
  -                     read the configuration from standard input
  --directive value     any directive of the file; wins over the file
  -v, --version         print the version
  -h, --help            print this

Examples:
  vesta server
  vesta server /etc/vesta/vesta.conf
  vesta server --port 7777 --maxmemory 2gb
  vesta server /etc/vesta/vesta.conf --loglevel verbose
  echo 'maxmemory 128mb' | vesta server -

A link named redis-server to this program is the same as `vesta server`.";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation, clap::Error> {
        parse(line.split(' ').map(OsString::from).collect())
    }

    fn serve(arguments: &[&str]) -> Invocation {
        Invocation::Serve(arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn arguments_of_the_server_pass_through_untouched() {
        let line = "vesta server a.conf --port 1 --bind 1.2.3.4 -::1 --help";
        let arguments = ["a.conf", "--port", "1", "--bind", "1.2.3.4", "-::1", "--help"];
        assert_eq!(parsed(line).unwrap(), serve(&arguments));
        assert_eq!(parsed("vesta server -").unwrap(), serve(&["-"]));
        assert_eq!(parsed("vesta server --port 1").unwrap(), serve(&["--port", "1"]));
        assert_eq!(parsed("vesta server").unwrap(), serve(&[]));
    }

    #[test]
    fn a_link_named_redis_server_is_a_server() {
        assert_eq!(parsed("/usr/bin/redis-server --port 1").unwrap(), serve(&["--port", "1"]));
        assert_eq!(parsed("redis-server server").unwrap(), serve(&["server"]));
    }

    #[test]
    fn the_server_prints_its_version_and_help() {
        for line in ["vesta server --version", "vesta server -v", "redis-server --version"] {
            let Invocation::Say(text) = parsed(line).unwrap() else { panic!("{line} serves") };
            assert!(text.starts_with("Vesta server v=0.1.0 sha="), "{text}");
            assert!(text.contains(" malloc=mimalloc-"), "{text}");
        }
        let Invocation::Say(help) = parsed("vesta server -h").unwrap() else { panic!("serves") };
        assert!(help.starts_with("Usage: vesta server"));
    }

    #[test]
    fn files_are_checked_by_name_or_by_link() {
        let rdb = || Ok(Invocation::Check(Task::Rdb { file: "x.rdb".into() }));
        let aof = |repair| Invocation::Check(Task::Aof { file: "x.aof".into(), repair });
        let same = |line: &str, expected: Result<Invocation, ()>| {
            assert_eq!(parsed(line).map_err(|_| ()), expected, "{line}");
        };
        same("vesta check rdb x.rdb", rdb());
        same("/usr/bin/redis-check-rdb x.rdb", rdb());
        for head in ["vesta check aof", "redis-check-aof"] {
            same(&format!("{head} x.aof"), Ok(aof(Repair::Nothing)));
            same(&format!("{head} --fix x.aof"), Ok(aof(Repair::Fix)));
            let by_time = format!("{head} --truncate-to-timestamp");
            same(&format!("{by_time} 1700000000 x.aof"), Ok(aof(Repair::CutBehind(1_700_000_000))));
            same(&format!("{by_time} -1 x.aof"), Ok(aof(Repair::CutBehind(-1))));
            same(&format!("{by_time} 0 x.aof"), Ok(aof(Repair::Nothing)));
        }
        for line in ["vesta check aof", "vesta check rdb", "vesta check rdb a b", "vesta check"] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert!(parsed("vesta check aof --fix --truncate-to-timestamp 7 x.aof").is_err());
    }

    #[test]
    fn a_link_named_after_a_tool_takes_its_arguments() {
        let version = Invocation::Say("redis-check-rdb 7.2.4 (Vesta 0.1.0)".to_owned());
        assert_eq!(parsed("redis-check-rdb -v").unwrap(), version);
        let help = Invocation::Check(Task::Rdb { file: "--help".into() });
        assert_eq!(parsed("redis-check-rdb --help").unwrap(), help);
        for (line, words) in [
            ("redis-check-rdb", "Usage: redis-check-rdb "),
            ("redis-check-rdb a b", "Usage: redis-check-rdb "),
            ("redis-check-aof", "Usage: redis-check-aof "),
            ("redis-check-aof a --fix", "Usage: redis-check-aof "),
            ("redis-check-aof --truncate-to-timestamp 7", "Usage: redis-check-aof "),
            ("redis-check-aof --truncate-to-timestamp 7x a", "Invalid timestamp"),
        ] {
            let Invocation::Refuse(text) = parsed(line).unwrap() else { panic!("{line}") };
            assert!(text.starts_with(words), "{text}");
        }
    }

    #[test]
    fn a_command_line_without_sense_exits_with_status_2() {
        for line in ["vesta serve", "vesta --port 1"] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(parsed("vesta --version").unwrap_err().exit_code(), 0);
        assert_eq!(parsed("vesta --help").unwrap_err().exit_code(), 0);
    }
}
