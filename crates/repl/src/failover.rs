//! Handing the part of the primary over to a replica.
//!
//! ```text
//!            begin               somebody has everything
//!   Idle ----------> Waiting ------------------------------> Asking
//!    ^    writes are    |   the time is up, and by force        |
//!    |    held back     |                                       | it has taken over, or refused
//!    +------------------+---------------------------------------+
//!        called off, or the time is up
//! ```
//!
//! Nothing is lost because nothing is written from the beginning on: who has acknowledged the end
//! of the stream has all of it. By force it is handed over to somebody who may lack something.

use alloc::string::String;
use vesta_types::Mono;

/// Where a replica is to be found: address and port.
pub type Address = (String, i64);

/// A handing over.
#[derive(Debug, Default)]
pub struct Failover {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// Until somebody has everything.
    Waiting { target: Option<Address>, give_up_at: Option<Mono>, force: bool },
    /// Somebody was asked to take over.
    Asking,
}

/// What is to be done now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Nothing.
    Rest,
    /// This one is to be asked to take over.
    Ask {
        /// Who.
        target: Address,
        /// Whether it has everything.
        is_synced: bool,
    },
    /// The time is up: nothing has happened.
    GiveUp,
}

impl Failover {
    /// Whether none is under way.
    #[must_use]
    #[inline]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether somebody was asked to take over.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        matches!(self.state, State::Asking)
    }

    /// Its state in the word of Redis (`master_failover_state`).
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.state {
            State::Idle => "no-failover",
            State::Waiting { .. } => "waiting-for-sync",
            State::Asking => "failover-in-progress",
        }
    }

    /// Begins; `target` is who is to take over, or the first that has everything. `force`: that one
    /// takes over when the time is up, whatever it has.
    pub fn begin(&mut self, target: Option<Address>, give_up_at: Option<Mono>, force: bool) {
        self.state = State::Waiting { target, give_up_at, force };
    }

    /// It is over.
    pub fn end(&mut self) {
        self.state = State::Idle;
    }

    /// When there is something to do, if nothing happens.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        match &self.state {
            State::Waiting { give_up_at, .. } => give_up_at.unwrap_or(Mono::NEVER),
            State::Idle | State::Asking => Mono::NEVER,
        }
    }

    /// What is to be done. `replicas` are those that have the data, each with the position it has
    /// acknowledged; `end` is that of the stream.
    pub fn step(
        &mut self,
        now: Mono,
        end: u64,
        replicas: impl IntoIterator<Item = (Address, u64)>,
    ) -> Step {
        let State::Waiting { target, give_up_at, force } = &mut self.state else {
            return Step::Rest;
        };
        let is_meant = |address: &Address| target.as_ref().is_none_or(|target| target == address);
        let mut all = replicas.into_iter();
        let synced = all.find(|(address, acked)| is_meant(address) && *acked >= end);
        let is_over = give_up_at.is_some_and(|at| now >= at);
        let forced = if is_over && *force { target.take() } else { None };
        match (synced, forced) {
            (Some((target, _)), _) => {
                self.state = State::Asking;
                Step::Ask { target, is_synced: true }
            }
            (None, Some(target)) => {
                self.state = State::Asking;
                Step::Ask { target, is_synced: false }
            }
            (None, None) if is_over => {
                self.state = State::Idle;
                Step::GiveUp
            }
            (None, None) => Step::Rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn at(port: i64) -> Address {
        ("10.0.0.1".to_string(), port)
    }

    #[test]
    fn the_first_that_has_everything_is_asked() {
        let mut failover = Failover::default();
        assert_eq!(failover.word(), "no-failover");
        failover.begin(None, None, false);
        assert_eq!(failover.word(), "waiting-for-sync");
        assert_eq!(failover.step(Mono(1), 100, [(at(1), 99), (at(2), 50)]), Step::Rest);
        let step = failover.step(Mono(2), 100, [(at(1), 99), (at(2), 100)]);
        assert_eq!(step, Step::Ask { target: at(2), is_synced: true });
        assert_eq!(failover.word(), "failover-in-progress");
        assert_eq!(failover.step(Mono(3), 100, [(at(1), 100)]), Step::Rest, "one is enough");
    }

    #[test]
    fn only_the_target_counts_if_there_is_one() {
        let mut failover = Failover::default();
        failover.begin(Some(at(1)), Some(Mono(10)), false);
        assert_eq!(failover.step(Mono(9), 100, [(at(1), 99), (at(2), 100)]), Step::Rest);
        assert_eq!(failover.next_deadline(), Mono(10));
        assert_eq!(failover.step(Mono(10), 100, [(at(1), 99), (at(2), 100)]), Step::GiveUp);
        assert!(failover.is_idle());
    }

    #[test]
    fn by_force_the_target_takes_over_when_the_time_is_up() {
        let mut failover = Failover::default();
        failover.begin(Some(at(1)), Some(Mono(10)), true);
        assert_eq!(failover.step(Mono(9), 100, [(at(1), 99)]), Step::Rest);
        let step = failover.step(Mono(10), 100, [(at(1), 99)]);
        assert_eq!(step, Step::Ask { target: at(1), is_synced: false });
        assert!(failover.is_asking());
        failover.end();
        assert!(failover.is_idle());
    }
}
