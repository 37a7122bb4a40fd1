//! `CLIENT HELP`

use super::OWN;
use crate::help::reply_help;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Spec};

/// `CLIENT HELP`: the sub-commands in short.
pub(super) const HELP: Command = Command {
    spec: Spec {
        name: "help",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        since: "5.0.0",
        summary: "Describes the sub-commands of CLIENT.",
        ..OWN
    },
    run: Run::Control(help),
};

const LINES: &[&str] = &[
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return what is known about the current connection.",
    "KILL <ip:port>",
    "    Disconnect the client at <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Disconnect the clients that all options fit. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      From this address.",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Connected to this address of the server.",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Of this type.",
    "    * USER <username>",
    "      Authenticated as this user.",
    "    * ID <clientid>",
    "      With this ID.",
    "    * MAXAGE <seconds>",
    "      Connected for at least so long.",
    "    * SKIPME (YES|NO)",
    "      Spare the current connection (default: yes).",
    "LIST [options ...]",
    "    Return a line for each client. Options:",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Clients of this type.",
    "    * ID <clientid> [<clientid> ...]",
    "      Clients with these IDs.",
    "NO-EVICT (ON|OFF)",
    "    Spare the current connection when clients are evicted.",
    "NO-TOUCH (ON|OFF)",
    "    Leave the access clocks of keys alone from the current connection.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Hold back all commands, or those that write, for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies to the current connection.",
    "SETINFO <option> <value>",
    "    Note facts about the client. Options are:",
    "    * LIB-NAME: the name of its library.",
    "    * LIB-VER: the version of its library.",
    "SETNAME <name>",
    "    Name the current connection.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    End the wait of a client in a blocking command.",
    "UNPAUSE",
    "    End a pause.",
];

fn help(ctx: &mut ControlCtx<'_>) -> Outcome {
    reply_help(&mut ctx.reply, "CLIENT", LINES);
    Ok(Flow::Done)
}
