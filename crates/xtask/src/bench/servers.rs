//! The two sides.

use std::io;
use std::path::{Path, PathBuf};

use vesta_testkit::client::Client;
use vesta_testkit::process::Server;
use vesta_testkit::value::Value;

use super::pin;

/// A figure for each side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<T> {
    pub(super) vesta: T,
    pub(super) redis: T,
}

impl<T> Sides<T> {
    /// Both in the order of a round: it changes, so that neither always comes second.
    pub(super) fn in_order(&mut self, round: usize) -> [&mut T; 2] {
        let Self { vesta, redis } = self;
        if round.is_multiple_of(2) { [vesta, redis] } else { [redis, vesta] }
    }

    pub(super) fn map<U>(self, mut change: impl FnMut(T) -> U) -> Sides<U> {
        Sides { vesta: change(self.vesta), redis: change(self.redis) }
    }
}

/// How to start them.
#[derive(Debug)]
pub(super) struct Pair {
    programs: Sides<Program>,
}

#[derive(Debug)]
struct Program {
    binary: PathBuf,
    args: Vec<&'static str>,
}

impl Program {
    /// A binary called `redis-server` is called as that program is.
    fn at(binary: PathBuf) -> Self {
        let is_redis = binary.file_name().is_some_and(|name| name == "redis-server");
        let args = if is_redis { vec![] } else { vec!["server"] };
        Self { binary, args }
    }

    fn start(&self, more: &[&str]) -> io::Result<Server> {
        let plain = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let args: Vec<String> =
            self.args.iter().chain(&plain).chain(more).map(|arg| (*arg).to_owned()).collect();
        // A process runs where the thread that starts it may run.
        pin::to_core(pin::SERVER_CORE);
        let server = Server::start(&self.binary, &args);
        pin::to_core(pin::LOAD_CORE);
        server
    }
}

impl Pair {
    /// Vesta at this path; redis-server as installed.
    pub(super) fn new(vesta: PathBuf) -> Self {
        let redis = Program::at(Path::new("redis-server").to_owned());
        Self { programs: Sides { vesta: Program::at(vesta), redis } }
    }

    /// Starts both, without persistence, with more arguments.
    pub(super) fn start(&self, more: &[&str]) -> io::Result<Sides<Server>> {
        let Sides { vesta, redis } = &self.programs;
        Ok(Sides { vesta: vesta.start(more)?, redis: redis.start(more)? })
    }

    /// One after the other, each alone on the machine: `measure` gets it and the side's results.
    pub(super) fn each_alone<T>(
        &self,
        more: &[&str],
        round: usize,
        results: &mut Sides<T>,
        measure: impl Fn(&Server, &mut T) -> io::Result<()>,
    ) -> io::Result<()> {
        let Sides { vesta, redis } = &self.programs;
        let mut both =
            Sides { vesta: (vesta, &mut results.vesta), redis: (redis, &mut results.redis) };
        for (program, result) in both.in_order(round) {
            let server = program.start(more)?;
            measure(&server, result)?;
        }
        Ok(())
    }
}

/// Whether a server has a command.
pub(super) fn has_command(client: &mut Client, name: &str) -> io::Result<bool> {
    let answer = client.command(&["COMMAND", "INFO", name])?;
    Ok(answer.items().and_then(<[Value]>::first).is_some_and(|item| item.items().is_some()))
}
