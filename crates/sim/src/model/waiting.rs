//! Clients that wait: who they are, for what, and whose turn it is.
//!
//! They stand in one line in order of arrival. Whose turn it is for a key is who stands first
//! among those who wait for it and could use what it holds.

use vesta_types::{Mono, Now};

use super::data::Bytes;
use super::{Model, Reaction, Reply};
use crate::Flaw;

/// The type of value that can serve a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Awaited {
    List,
    Zset,
    Stream,
    /// Any change: without its group it is told so.
    StreamGroup,
}

/// What a request waits for.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(super) keys: Vec<Bytes>,
    pub(super) awaited: Awaited,
    /// `None` for ever.
    pub(super) timeout_ms: Option<u64>,
    /// The request to run again.
    pub(super) words: Vec<Vec<u8>>,
}

/// A client that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) link: usize,
    db: usize,
    wait: Wait,
    pub(crate) deadline: Option<Mono>,
    /// Its reply is not wanted.
    is_unheard: bool,
}

impl Waiter {
    /// Whether it waits for this key.
    pub(crate) fn awaits(&self, db: usize, key: &Bytes) -> bool {
        self.db == db && self.wait.keys.contains(key)
    }

    pub(crate) fn words(&self) -> &[Vec<u8>] {
        &self.wait.words
    }
}

impl Model {
    /// A client joins the end of the line.
    pub(crate) fn joins(&mut self, link: usize, now: Now, wait: Wait, is_unheard: bool) {
        let deadline = wait.timeout_ms.map(|ms| now.mono.plus_ms(ms));
        let db = self.sessions.get(&link).map_or(0, |session| session.db);
        self.waiters.push(Waiter { link, db, wait, deadline, is_unheard });
    }

    pub(crate) fn is_waiting(&self, link: usize) -> bool {
        self.waiters.iter().any(|waiter| waiter.link == link)
    }

    pub(crate) fn waiter(&self, link: usize) -> Option<&Waiter> {
        self.waiters.iter().find(|waiter| waiter.link == link)
    }

    /// Takes a client out of the line, with its answer.
    pub(crate) fn answer(&mut self, link: usize, reply: Reply) -> Result<(), String> {
        let place = self.waiters.iter().position(|waiter| waiter.link == link);
        let waiter = place.map(|place| self.waiters.remove(place));
        let waiter = waiter.ok_or_else(|| format!("link {link} does not wait"))?;
        let reply = (!waiter.is_unheard).then_some(reply);
        self.session(link)?.awaits.clone_from(&reply);
        self.answered.push_back((link, reply));
        Ok(())
    }

    /// Clients that are to be disconnected wait no more: nothing is taken out of a list for them.
    pub(crate) fn dismiss_the_killed(&mut self) {
        let sessions = &self.sessions;
        self.waiters
            .retain(|waiter| sessions.get(&waiter.link).is_some_and(|session| !session.closing));
    }

    /// Keys of a database that somebody waits for, in the order of their names.
    pub(crate) fn awaited_keys(&self, db: usize) -> Vec<Bytes> {
        let waiters = self.waiters.iter().filter(|waiter| waiter.db == db);
        let keys: std::collections::BTreeSet<Bytes> =
            waiters.flat_map(|waiter| waiter.wait.keys.iter().cloned()).collect();
        keys.into_iter().collect()
    }

    /// Whether the key holds what a waiter could use.
    fn suits(&self, waiter: &Waiter, key: &[u8]) -> bool {
        let held = self.data.slot(waiter.db, key).map(|slot| slot.value.type_name());
        match waiter.wait.awaited {
            Awaited::List => held == Some("list"),
            Awaited::Zset => held == Some("zset"),
            Awaited::Stream => held == Some("stream"),
            Awaited::StreamGroup => {
                self.flaw != Some(Flaw::DeletionsAreSilent) || held == Some("stream")
            }
        }
    }

    /// Who is first in line for a key and could use it, those left out who were `tried`.
    pub(crate) fn first_in_line(&self, db: usize, key: &Bytes, tried: &[usize]) -> Option<usize> {
        let waits = |waiter: &&Waiter| waiter.awaits(db, key) && !tried.contains(&waiter.link);
        let mut line = self.waiters.iter().filter(waits).filter(|one| self.suits(one, key));
        let is_unfair = self.flaw == Some(Flaw::LastInLineComesFirst);
        let chosen = if is_unfair { line.next_back() } else { line.next() };
        chosen.map(|waiter| waiter.link)
    }

    /// Runs the request of a waiting client again.
    pub(crate) fn try_again(&mut self, link: usize, now: Now) -> Result<Reaction, String> {
        let words = self.waiter(link).map(|waiter| waiter.wait.words.clone());
        let words = words.ok_or_else(|| format!("link {link} does not wait"))?;
        self.perform(link, now, &words)
    }

    /// Who sleeps although there is something for it.
    pub(crate) fn oversleeper(&mut self, now: Now) -> Result<Option<usize>, String> {
        let is_ready = |waiter: &&Waiter| {
            let is_due = |key: &Bytes| {
                self.data.slot(waiter.db, key).is_some_and(|slot| slot.is_due(now.unix.ms()))
            };
            let keys = &waiter.wait.keys;
            // That a key has expired may go unnoticed for a while.
            !keys.iter().any(is_due)
                && keys.iter().any(|key| self.suits(waiter, key))
                && !self.must_wait(now.mono, &waiter.wait.words)
        };
        let ready: Vec<usize> =
            self.waiters.iter().filter(is_ready).map(|waiter| waiter.link).collect();
        for link in ready {
            let before = self.data.clone();
            let reaction = self.try_again(link, now)?;
            self.data = before;
            // That one of its keys is of no use only members of groups are told at once.
            let awaited = self.waiter(link).map(|waiter| waiter.wait.awaited);
            let is_error = matches!(reaction.reply, Some(Reply::Error(_)));
            let is_told = !is_error || awaited == Some(Awaited::StreamGroup);
            if reaction.wait.is_none() && is_told {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }
}
