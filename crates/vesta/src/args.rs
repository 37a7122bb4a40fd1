//! The command line: which role is meant, and what is left for it.
//!
//! `vesta server ARGUMENTS` and a link named `redis-server` called with ARGUMENTS are the same. The
//! server's own grammar (`[FILE|-] [--directive value ...]`) belongs to the configuration, so its
//! arguments pass through here untouched but for the two that print something.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Parser, Subcommand};

use crate::version;

/// What the program is asked to do.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Invocation {
    /// To be a server, with these arguments.
    Serve(Vec<OsString>),
    /// To print this and leave.
    Say(String),
}

/// Names of links under which the program is a server.
const SERVER_NAMES: [&str; 3] = ["redis-server", "valkey-server", "vesta-server"];

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
}

/// Understands a whole command line, the program's name first.
///
/// # Errors
/// The text to show and the status to exit with, which is 0 for `vesta --help`.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Invocation, clap::Error> {
    let linked = words.first().is_some_and(|name| {
        Path::new(name)
            .file_name()
            .is_some_and(|name| SERVER_NAMES.iter().any(|known| name == OsStr::new(known)))
    });
    if linked {
        return Ok(server(words.into_iter().skip(1).collect()));
    }
    match Cli::try_parse_from(words)?.role {
        Some(Role::Server { arguments }) => Ok(server(arguments)),
        None => unreachable!("the parser requires a role"),
    }
}

/// As in redis-server, only the first argument can ask for the version or for help.
fn server(arguments: Vec<OsString>) -> Invocation {
    match arguments.first().and_then(|first| first.to_str()) {
        Some("-v" | "--version") => Invocation::Say(version::server_line()),
        Some("-h" | "--help") => Invocation::Say(SERVER_HELP.to_string()),
        Some(_) | None => Invocation::Serve(arguments),
    }
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
    fn a_command_line_without_sense_exits_with_status_2() {
        for line in ["vesta serve", "vesta --port 1"] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(parsed("vesta --version").unwrap_err().exit_code(), 0);
        assert_eq!(parsed("vesta --help").unwrap_err().exit_code(), 0);
    }
}
