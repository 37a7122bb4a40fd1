//! Rounds of `kill -9`: clients write to a real server, it dies at a random moment, comes back, and
//! what it holds is compared with what it had acknowledged.
//!
//! Each client owns a database. Its writes are answered in order, so after the crash it knows a
//! sequence of writes of which the first ones were acknowledged and the rest may have been done.
//! What the server holds must be what some beginning of that sequence leads to, the same one for
//! all its keys, and that beginning must take in all that was acknowledged: the process died, and
//! not the machine, so this holds for every `appendfsync`. Without a log it must take in what was
//! acknowledged before the last snapshot began. Values, the fields of hashes, the ids of streams
//! and the moments at which keys expire are all compared.
//!
//! Meanwhile snapshots and rewrites are asked for, and the log is switched off and on. A database
//! that nobody writes to makes them take a while.

mod disturb;
mod model;
mod read;
mod write;
mod writer;

use core::fmt;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::client::{Client, encode};
use crate::process::{Server, Signal};
use crate::value::Value;
use crate::wait;
use disturb::{Disturbed, Disturber};
use writer::{Outcome, Writer};

/// What keeps the data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Policy {
    /// A log that is made safe before a reply leaves.
    Always,
    /// A log that is made safe every second.
    EverySecond,
    /// A log that the system makes safe when it likes.
    No,
    /// Snapshots, and no log.
    Rdb,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Always, Self::EverySecond, Self::No, Self::Rdb];

    /// The value of `appendfsync`, or `rdb`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySecond => "everysec",
            Self::No => "no",
            Self::Rdb => "rdb",
        }
    }

    /// The policy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    fn args(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Rdb => &["--save", "1", "2000"],
            Self::Always | Self::EverySecond | Self::No => &[
                "--appendonly",
                "yes",
                "--auto-aof-rewrite-min-size",
                "4mb",
                "--appendfsync",
                self.name(),
            ],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server's program.
    pub binary: PathBuf,
    /// What keeps the data.
    pub policy: Policy,
    /// How often it dies.
    pub rounds: usize,
    /// What clients write, and when the server dies as far as that is not up to the machine,
    /// follows from it.
    pub seed: u64,
    /// More directives.
    pub args: Vec<String>,
    /// Whether the server is told to end (SIGTERM) instead of being killed.
    pub is_told: bool,
    /// Where the files of the first round that went wrong are left.
    pub evidence: Option<PathBuf>,
}

impl Plan {
    /// Some rounds of `kill -9`.
    #[must_use]
    pub fn new(binary: &Path, policy: Policy, rounds: usize) -> Self {
        Self {
            binary: binary.to_owned(),
            policy,
            rounds,
            seed: 0,
            args: Vec::new(),
            is_told: false,
            evidence: None,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rounds that were run.
    pub rounds: usize,
    /// Writes that were acknowledged.
    pub acknowledged: usize,
    /// Those that were there after the restart.
    pub found: usize,
    /// Those that were not, though they had to be.
    pub lost: usize,
    /// Those that were not and did not have to be: acknowledged since the last snapshot began, or
    /// while the log was switched off.
    pub unsaved: usize,
    /// Writes that were sent and not acknowledged when the server died.
    pub unanswered: usize,
    /// Those that were there after the restart.
    pub unanswered_found: usize,
    /// Snapshots that were asked for and finished.
    pub saves: usize,
    /// Rewrites of the log that were asked for and finished.
    pub rewrites: usize,
    /// How often the log was switched off and on.
    pub switched: usize,
    /// Rounds that ended in the middle of a snapshot or a rewrite.
    pub in_the_middle: usize,
    /// How often it was killed once more while it started.
    pub stillborn: usize,
    /// What went wrong.
    pub faults: Vec<String>,
}

impl Report {
    /// Whether nothing was lost and nothing else was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.faults.is_empty()
    }

    fn take(&mut self, outcome: Outcome) {
        self.acknowledged += outcome.acknowledged;
        self.found += outcome.found;
        self.lost += outcome.lost;
        self.unsaved += outcome.unsaved;
        self.unanswered += outcome.unanswered;
        self.unanswered_found += outcome.unanswered_found;
        self.faults.extend(outcome.faults);
    }

    /// Names of the columns of its text.
    #[must_use]
    pub fn heading() -> String {
        "rounds  acknowledged     found  lost  unsaved  unanswered  of these found  \
         saves  rewrites  switched  died in the middle  while starting"
            .to_owned()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6}  {:>12}  {:>8}", self.rounds, self.acknowledged, self.found)?;
        write!(f, "  {:>4}  {:>7}  {:>10}", self.lost, self.unsaved, self.unanswered)?;
        write!(f, "  {:>14}  {:>5}", self.unanswered_found, self.saves)?;
        write!(f, "  {:>8}  {:>8}  {:>18}", self.rewrites, self.switched, self.in_the_middle)?;
        write!(f, "  {:>14}", self.stillborn)
    }
}

/// Clients that write.
const WRITERS: usize = 4;
/// The database that nobody writes to, and its keys.
const BALLAST_DB: usize = 15;
const BALLAST_KEYS: usize = 20_000;
/// How long a server lives: as a rule, and else, so that a log is made safe meanwhile that is made
/// safe every second.
const LIFE_MS: core::ops::Range<u64> = 20..400;
const LONG_LIFE_MS: core::ops::Range<u64> = 900..1_600;
const LONG_ONE_IN: u64 = 5;
/// So often it dies a second time while it starts, after less than this.
const STILLBORN_ONE_IN: u64 = 4;
const STILLBORN_MS: u64 = 60;

/// Runs a plan.
///
/// # Errors
/// If a server cannot be started at all, or does not answer when it is asked what it holds.
pub fn run(plan: &Plan) -> io::Result<Report> {
    let args = [plan.policy.args(), plan.args.clone()].concat();
    let mut server = Server::start_as(&plan.binary, &args)?;
    let mut client = server.client()?;
    load_ballast(&mut client)?;
    let transactions = knows_transactions(&mut client)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(plan.seed);
    let new = |db| Writer::new(db, plan.seed.wrapping_mul(31) + db as u64, transactions);
    let mut writers: Vec<Writer> = (0..WRITERS).map(new).collect();
    let (mut report, mut seen) = (Report::default(), BTreeSet::new());
    while report.rounds < plan.rounds {
        report.rounds += 1;
        let disturbed = live_and_die(plan, &mut server, &mut writers, &mut rng)?;
        report.in_the_middle += usize::from(seen_new(server.dir(), &mut seen)?);
        if report.is_clean()
            && let Some(evidence) = &plan.evidence
        {
            copy_files(server.dir(), evidence)?;
        }
        if rng.next_u64().is_multiple_of(STILLBORN_ONE_IN) {
            // It dies once more before it is ready.
            server.relaunch()?;
            let life = rng.next_u64() % STILLBORN_MS;
            wait::until(Duration::from_millis(life), || None::<()>);
            server.kill()?;
            report.stillborn += 1;
        }
        let before = report.faults.len();
        let comes_back = check(&mut server, &mut writers, disturbed, &mut report);
        let round = report.rounds;
        report.faults.iter_mut().skip(before).for_each(|fault| {
            fault.insert_str(0, &format!("round {round}: "));
        });
        if let Err(error) = comes_back {
            report.faults.push(format!("round {round}: {error}"));
            break;
        }
    }
    if report.is_clean()
        && let Some(evidence) = &plan.evidence
    {
        fs::remove_dir_all(evidence)?;
    }
    Ok(report)
}

/// One life of the server.
fn live_and_die(
    plan: &Plan,
    server: &mut Server,
    writers: &mut [Writer],
    rng: &mut Xoshiro256PlusPlus,
) -> io::Result<Disturbed> {
    let counts: Vec<_> = writers.iter().map(|writer| writer.acknowledged()).collect();
    let life = if rng.next_u64().is_multiple_of(LONG_ONE_IN) { LONG_LIFE_MS } else { LIFE_MS };
    let life = life.start + rng.next_u64() % (life.end - life.start);
    let disturber = Disturber::new(server.client()?, rng.next_u64(), plan.policy, &counts);
    let clients: Vec<Client> =
        writers.iter().map(|_| server.client()).collect::<io::Result<_>>()?;
    thread::scope(|scope| {
        for (writer, mut client) in writers.iter_mut().zip(clients) {
            scope.spawn(move || writer.run(&mut client));
        }
        let disturbing = scope.spawn(move || disturber.run(plan.policy));
        wait::until(Duration::from_millis(life), || None::<()>);
        if plan.is_told {
            server.signal(Signal::Term)?;
            server.wait_exit()?;
        } else {
            server.kill()?;
        }
        let lost = |_| io::Error::other("a client has panicked");
        let mut disturbed = disturbing.join().map_err(lost)?;
        if plan.is_told && plan.policy == Policy::Rdb {
            // It saves before it ends.
            disturbed.kept = None;
        }
        Ok(disturbed)
    })
}

/// Starts the server again and compares.
fn check(
    server: &mut Server,
    writers: &mut [Writer],
    disturbed: Disturbed,
    report: &mut Report,
) -> io::Result<()> {
    report.saves += disturbed.saves;
    report.rewrites += disturbed.rewrites;
    report.switched += disturbed.switched;
    report.faults.extend(disturbed.faults);
    server.restart()?;
    let mut client = server.client()?;
    for (at, writer) in writers.iter_mut().enumerate() {
        let kept = disturbed.kept.as_ref().map(|kept| kept.get(at).copied().unwrap_or(0));
        report.take(writer.check(&mut client, kept)?);
    }
    client.command(&["SELECT", &BALLAST_DB.to_string()])?;
    let size = client.command(&["DBSIZE"])?;
    if size.int() != i64::try_from(BALLAST_KEYS).ok() {
        report.faults.push(format!("{size} keys of {BALLAST_KEYS} that nobody touched"));
    }
    Ok(())
}

fn load_ballast(client: &mut Client) -> io::Result<()> {
    let select = encode(&["SELECT", &BALLAST_DB.to_string()]);
    let set = |key| encode(&["SET", &format!("ballast:{key}"), &"b".repeat(100)]);
    let requests = core::iter::once(select).chain((0..BALLAST_KEYS).map(set));
    let replies = read::ask(client, requests.chain([encode(&["SAVE"])]))?;
    match replies.iter().find(|reply| reply.error().is_some()) {
        Some(error) => Err(writer::unexpected(error)),
        None => Ok(()),
    }
}

fn knows_transactions(client: &mut Client) -> io::Result<bool> {
    let info = client.command(&["COMMAND", "INFO", "multi"])?;
    Ok(info.items().and_then(<[Value]>::first).is_some_and(|multi| multi.items().is_some()))
}

/// Whether there are temporary files that were not there before: the server died while it wrote
/// them.
fn seen_new(dir: &Path, seen: &mut BTreeSet<PathBuf>) -> io::Result<bool> {
    let mut any = false;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        any |= name.starts_with("temp-") && seen.insert(path.clone());
    }
    Ok(any)
}

/// Puts a copy of a folder in the place of what is there.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_files(&path, &copy)?;
        } else {
            fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_a_name_by_which_it_is_found() {
        for policy in Policy::ALL {
            assert_eq!(Policy::named(policy.name()), Some(policy));
        }
        assert_eq!(Policy::named("sometimes"), None);
    }
}
