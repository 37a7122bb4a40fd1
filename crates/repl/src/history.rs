//! Which history the data belongs to.
//!
//! A history is a name and a stream of effects; every byte of the stream has an offset in it. Two
//! servers at the same offset of the same history have the same data. A server that goes on from
//! where another history ends (its own before a restart, its primary's when it is promoted) does
//! so under a new name: the old one may go on elsewhere, or may have gone on before a crash. It
//! remembers the old name, so that whoever knows the old history, and no more of it than lies
//! before that point, can follow without copying everything.
//!
//! ```text
//!   former   ...---------------+ end          asked for by who has got all before it
//!   present                    +---------...  the same offsets go on
//! ```

use vesta_types::{ReplId, Rng};

/// The names of a server's history.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct History {
    /// The present name (`master_replid`).
    id: ReplId,
    former: Option<Former>,
}

/// The name that the beginning of a history had before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Former {
    /// It (`master_replid2`).
    pub id: ReplId,
    /// The first offset that is not of that history (`second_repl_offset`): who has got all before
    /// it asks for this one.
    pub end: u64,
}

impl History {
    /// One that begins.
    #[must_use]
    pub fn new(rng: &mut Rng) -> Self {
        Self::named(ReplId::random(rng))
    }

    /// That of somebody else, whose data we have.
    #[must_use]
    pub fn named(id: ReplId) -> Self {
        Self { id, former: None }
    }

    /// Goes on under another name behind the first `offset` bytes: under a fresh one when a
    /// replica is promoted, under the one its primary has taken when the primary was.
    #[must_use]
    pub fn shifted(self, id: ReplId, offset: u64) -> Self {
        Self { id, former: Some(Former { id: self.id, end: offset.saturating_add(1) }) }
    }

    /// The present name.
    #[must_use]
    pub fn id(&self) -> ReplId {
        self.id
    }

    /// The name before, if there is one worth knowing.
    #[must_use]
    pub fn former(&self) -> Option<Former> {
        self.former
    }

    /// Whether who is about to get byte `asked` of the history `id` has nothing that is not of
    /// this one: it may go on, as far as the bytes are there.
    #[must_use]
    pub fn includes(&self, id: ReplId, asked: u64) -> bool {
        let is_former = |former: Former| former.id == id && asked <= former.end;
        id == self.id || self.former.is_some_and(is_former)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_more_of_the_former_history_than_we_is_not_included() {
        let mut rng = Rng::new(1);
        let old = History::new(&mut rng);
        let new = old.shifted(ReplId::random(&mut rng), 100);
        assert!(new.includes(old.id(), 1));
        assert!(new.includes(old.id(), 101), "it has the hundred bytes that we have");
        assert!(!new.includes(old.id(), 102), "its byte 101 is not ours");
        assert!(new.includes(new.id(), 102));
        assert!(!new.includes(ReplId::random(&mut rng), 1));
    }

    #[test]
    fn only_the_last_name_is_remembered() {
        let mut rng = Rng::new(1);
        let first = History::new(&mut rng);
        let second = first.shifted(ReplId::random(&mut rng), 5);
        let third = second.shifted(ReplId::random(&mut rng), 9);
        assert_eq!(third.former(), Some(Former { id: second.id(), end: 10 }));
        assert!(!third.includes(first.id(), 1));
    }

    #[test]
    fn a_point_behind_the_greatest_offset_does_not_overflow() {
        let mut rng = Rng::new(1);
        let shifted = History::new(&mut rng).shifted(ReplId::random(&mut rng), u64::MAX);
        assert_eq!(shifted.former().map(|former| former.end), Some(u64::MAX));
    }
}
