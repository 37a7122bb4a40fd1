//! Saves, rewrites and changes of mind while clients write.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Policy;
use crate::client::Client;
use crate::value::Value;
use crate::wait;

/// What was done to the server in one round.
#[derive(Clone, Debug, Default)]
pub(super) struct Disturbed {
    /// What of each client's writes must be there, `None` if all that was acknowledged.
    pub(super) kept: Option<Vec<usize>>,
    /// Snapshots that were asked for and finished.
    pub(super) saves: usize,
    /// Rewrites that were asked for and finished.
    pub(super) rewrites: usize,
    /// How often the log was switched off and on.
    pub(super) switched: usize,
    /// What went wrong.
    pub(super) faults: Vec<String>,
}

/// Whoever asks for all this; ends with the connection.
pub(super) struct Disturber<'a> {
    client: Client,
    rng: Xoshiro256PlusPlus,
    acknowledged: &'a [Arc<AtomicUsize>],
    done: Disturbed,
}

/// Between two things that happen, at most.
const REST_MS_MAX: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(20);

impl<'a> Disturber<'a> {
    pub(super) fn new(
        client: Client,
        seed: u64,
        policy: Policy,
        acknowledged: &'a [Arc<AtomicUsize>],
    ) -> Self {
        // What was there when the round began is in a snapshot already.
        let kept = (policy == Policy::Rdb).then(|| vec![0; acknowledged.len()]);
        let done = Disturbed { kept, ..Disturbed::default() };
        Self { client, rng: Xoshiro256PlusPlus::seed_from_u64(seed), acknowledged, done }
    }

    /// Goes on until the server is gone.
    pub(super) fn run(mut self, policy: Policy) -> Disturbed {
        let mut done = self.slow_down();
        loop {
            if let Err(error) = done {
                if error.kind() == io::ErrorKind::TimedOut {
                    self.done.faults.push(format!("a saving client waits in vain: {error}"));
                }
                return self.done;
            }
            self.rest();
            done = if policy == Policy::Rdb { self.save() } else { self.disturb_log() };
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn rest(&mut self) {
        let ms = self.below(REST_MS_MAX);
        wait::until(Duration::from_millis(ms), || None::<()>);
    }

    /// Has snapshots take so long in some rounds that many end in the middle of one.
    fn slow_down(&mut self) -> io::Result<()> {
        let delay_us = if self.below(2) == 0 { "0" } else { "5" };
        self.set("rdb-key-save-delay", delay_us)
    }

    fn acknowledged(&self) -> Vec<usize> {
        self.acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }

    /// A save, behind which all is kept that was acknowledged before it.
    fn save(&mut self) -> io::Result<()> {
        let acknowledged = self.acknowledged();
        let word = if self.below(8) == 0 { "SAVE" } else { "BGSAVE" };
        if self.client.command(&[word])?.error().is_none() {
            self.until_all_are([
                ("rdb_bgsave_in_progress", "0"),
                ("rdb_last_bgsave_status", "ok"),
            ])?;
            self.done.kept = Some(acknowledged);
            self.done.saves += 1;
        }
        Ok(())
    }

    fn disturb_log(&mut self) -> io::Result<()> {
        match self.below(16) {
            0..=6 => self.rewrite(),
            7..=11 => {
                if self.client.command(&["BGSAVE"])?.error().is_none() {
                    self.until_all_are([("rdb_bgsave_in_progress", "0")])?;
                    self.done.saves += 1;
                }
                Ok(())
            }
            12 => self.switch(),
            13 => self.set_either("aof-timestamp-enabled"),
            14 => self.set_either("aof-use-rdb-preamble"),
            _ => self.set_either("no-appendfsync-on-rewrite"),
        }
    }

    fn rewrite(&mut self) -> io::Result<()> {
        if self.client.command(&["BGREWRITEAOF"])?.error().is_none() {
            self.until_rewritten()?;
            self.done.rewrites += 1;
        }
        Ok(())
    }

    /// Switches the log off and on; nothing that is written in between is kept, until there is a
    /// new log.
    fn switch(&mut self) -> io::Result<()> {
        let acknowledged = self.acknowledged();
        self.done.kept = Some(acknowledged);
        self.set("appendonly", "no")?;
        self.rest();
        self.set("appendonly", "yes")?;
        self.until_rewritten()?;
        self.done.kept = None;
        self.done.switched += 1;
        Ok(())
    }

    fn set_either(&mut self, option: &str) -> io::Result<()> {
        let value = if self.below(2) == 0 { "yes" } else { "no" };
        self.set(option, value)
    }

    fn set(&mut self, option: &str, value: &str) -> io::Result<()> {
        let reply = self.client.command(&["CONFIG", "SET", option, value])?;
        if reply != Value::Simple(b"OK".to_vec()) {
            self.done.faults.push(format!("CONFIG SET {option} {value}: {reply}"));
        }
        Ok(())
    }

    fn until_rewritten(&mut self) -> io::Result<()> {
        self.until_all_are([
            ("aof_enabled", "1"),
            ("aof_rewrite_in_progress", "0"),
            ("aof_rewrite_scheduled", "0"),
            ("aof_last_bgrewrite_status", "ok"),
        ])
    }

    /// Waits until fields of INFO have these values.
    fn until_all_are<const N: usize>(&mut self, wanted: [(&str, &str); N]) -> io::Result<()> {
        let happened = wait::until(PATIENCE, || {
            let info = match self.client.command(&["INFO", "persistence"]) {
                Ok(info) => info,
                Err(error) => return Some(Err(error)),
            };
            let info = String::from_utf8_lossy(info.text().unwrap_or_default());
            let is = |(name, value): &(&str, &str)| {
                info.lines().any(|line| line == format!("{name}:{value}"))
            };
            wanted.iter().all(is).then_some(Ok(()))
        });
        let never = || format!("never became {wanted:?}");
        happened.unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::TimedOut, never())))
    }
}
