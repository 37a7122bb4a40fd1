//! Whether a replica that comes may go on where it is, or must copy everything.

use crate::{Backlog, History};
use vesta_types::ReplId;

/// What a replica asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// Everything: it does not know PSYNC (SYNC).
    Sync,
    /// Everything: it has nothing (`PSYNC ? -1`).
    Everything,
    /// To go on in a history.
    GoOn {
        /// Its name, as far as it is one.
        id: Option<ReplId>,
        /// The number of the first byte that it lacks; they count from 1.
        from: i64,
    },
}

/// What it gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Psync {
    /// The stream behind this position.
    Partial {
        /// How many bytes of the stream it has.
        position: u64,
    },
    /// Everything.
    Full(Reason),
}

/// Why a replica must copy everything. INFO counts each.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// It does not know PSYNC.
    Sync,
    /// It has nothing.
    Everything,
    /// What it has is of another history.
    OtherHistory,
    /// It has more of our former history than we had when ours left it.
    Diverged,
    /// Nothing is kept of the stream.
    NoBacklog,
    /// What it lacks is not kept any more.
    TooOld,
    /// It has more of our history than there is.
    TooNew,
}

impl Reason {
    /// All, in the order in which INFO gives them.
    pub const ALL: [Self; 7] = [
        Self::Sync,
        Self::Everything,
        Self::OtherHistory,
        Self::Diverged,
        Self::NoBacklog,
        Self::TooOld,
        Self::TooNew,
    ];

    /// Its word in INFO.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync_command",
            Self::Everything => "first_sync",
            Self::OtherHistory => "other_history",
            Self::Diverged => "diverged",
            Self::NoBacklog => "no_backlog",
            Self::TooOld => "behind_backlog",
            Self::TooNew => "ahead",
        }
    }

    /// Whether the replica had hoped for less than everything (`sync_partial_err`).
    #[must_use]
    pub fn is_refusal(self) -> bool {
        match self {
            Self::Sync | Self::Everything => false,
            Self::OtherHistory | Self::Diverged | Self::NoBacklog | Self::TooOld | Self::TooNew => {
                true
            }
        }
    }
}

/// Decides what a replica gets. Every question has an answer.
///
/// Source of the rules: redis-server 7.0.15, which accepts from the first byte that is kept up to
/// one behind the last, of the present history or of the former one up to where it ends.
#[must_use]
pub fn decide(history: &History, backlog: Option<&Backlog>, asked: Asked) -> Psync {
    let (id, from) = match asked {
        Asked::Sync => return Psync::Full(Reason::Sync),
        Asked::Everything => return Psync::Full(Reason::Everything),
        Asked::GoOn { id, from } => (id, from),
    };
    let is_ours = |ours: ReplId| id == Some(ours);
    let has_former = history.former().is_some_and(|former| is_ours(former.id));
    if !is_ours(history.id()) && !has_former {
        return Psync::Full(Reason::OtherHistory);
    }
    // Bytes count from 1; who asks for an earlier one has nothing that makes sense.
    let Some(position) = u64::try_from(from).ok().and_then(|from| from.checked_sub(1)) else {
        return Psync::Full(Reason::TooOld);
    };
    if !id.is_some_and(|id| history.includes(id, position.saturating_add(1))) {
        return Psync::Full(Reason::Diverged);
    }
    match backlog {
        None => Psync::Full(Reason::NoBacklog),
        Some(backlog) if position < backlog.start() => Psync::Full(Reason::TooOld),
        Some(backlog) if position > backlog.end() => Psync::Full(Reason::TooNew),
        Some(_) => Psync::Partial { position },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;
    use vesta_types::Rng;

    /// A server that was promoted at 100, and keeps the bytes 51 to 200.
    fn server() -> (History, Backlog) {
        let mut rng = Rng::new(1);
        let history = History::new(&mut rng).shifted(ReplId::random(&mut rng), 100);
        let mut backlog = Backlog::new(50);
        backlog.append(&mut vec![0; 150]);
        (history, backlog)
    }

    fn answer(id: Option<ReplId>, from: i64) -> Psync {
        let (history, backlog) = server();
        decide(&history, Some(&backlog), Asked::GoOn { id, from })
    }

    #[test]
    fn a_replica_goes_on_from_the_first_byte_kept_to_one_behind_the_last() {
        let id = Some(server().0.id());
        assert_eq!(answer(id, 50), Psync::Full(Reason::TooOld));
        assert_eq!(answer(id, 51), Psync::Partial { position: 50 });
        assert_eq!(answer(id, 201), Psync::Partial { position: 200 });
        assert_eq!(answer(id, 202), Psync::Full(Reason::TooNew));
    }

    #[test]
    fn a_replica_of_the_former_history_goes_on_only_if_it_has_nothing_that_we_lack() {
        let id = server().0.former().map(|former| former.id);
        assert_eq!(answer(id, 101), Psync::Partial { position: 100 });
        assert_eq!(answer(id, 102), Psync::Full(Reason::Diverged));
        assert_eq!(answer(id, 50), Psync::Full(Reason::TooOld));
    }

    #[test]
    fn who_knows_nothing_of_us_copies_everything() {
        let (history, backlog) = server();
        let stranger = Some(ReplId::random(&mut Rng::new(9)));
        assert_eq!(answer(stranger, 60), Psync::Full(Reason::OtherHistory));
        assert_eq!(answer(None, 60), Psync::Full(Reason::OtherHistory));
        for from in [0, -1, i64::MIN] {
            assert_eq!(answer(Some(history.id()), from), Psync::Full(Reason::TooOld));
        }
        let everything = decide(&history, Some(&backlog), Asked::Everything);
        assert_eq!(everything, Psync::Full(Reason::Everything));
        assert_eq!(decide(&history, Some(&backlog), Asked::Sync), Psync::Full(Reason::Sync));
        let asked = Asked::GoOn { id: Some(history.id()), from: 60 };
        assert_eq!(decide(&history, None, asked), Psync::Full(Reason::NoBacklog));
    }

    #[test]
    fn reasons_have_words_of_their_own() {
        let words: alloc::collections::BTreeSet<_> =
            Reason::ALL.iter().map(|reason| reason.word()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
    }

    proptest! {
        #[test]
        fn whoever_may_go_on_finds_its_place_in_the_backlog(from in any::<i64>(), is_former: bool) {
            let (history, backlog) = server();
            let former = history.former().map(|former| former.id);
            let id = if is_former { former } else { Some(history.id()) };
            match decide(&history, Some(&backlog), Asked::GoOn { id, from }) {
                Psync::Partial { position } => {
                    prop_assert!(backlog.holds(position));
                    prop_assert!(!is_former || position <= 100);
                    prop_assert_eq!(i64::try_from(position).unwrap() + 1, from);
                }
                Psync::Full(reason) => prop_assert!(reason.is_refusal()),
            }
        }
    }
}
