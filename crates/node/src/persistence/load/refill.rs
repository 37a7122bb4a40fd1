//! Keeping the end of the stream while a log is read: replicas that are a little behind can go on
//! after a restart.

use vesta_repl::Backlog;
use vesta_types::ReplId;

/// The end of the stream, as far as the log holds it without a gap.
#[derive(Debug, Default)]
pub(super) struct Refill {
    backlog: Option<Backlog>,
    /// How much is to be kept, in bytes.
    keep_bytes: u64,
    /// A SELECT that belongs to the stream only if a request comes behind it.
    select: alloc::vec::Vec<u8>,
}

impl Refill {
    /// One that keeps so many bytes.
    pub(super) fn keeping(keep_bytes: u64) -> Self {
        Self { keep_bytes, ..Self::default() }
    }

    /// A SELECT was read.
    pub(super) fn hold_select(&mut self, bytes: &[u8]) {
        self.select.extend_from_slice(bytes);
    }

    /// The SELECT before is none of the stream's.
    pub(super) fn drop_select(&mut self) {
        self.select.clear();
    }

    /// These bytes are executed, with which, and with the SELECT before, the stream of `history`
    /// goes on; how many that were.
    pub(super) fn note(&mut self, history: Option<(ReplId, u64)>, bytes: &[u8]) -> u64 {
        let len = self.select.len().saturating_add(bytes.len()) as u64;
        match history {
            // Who wrote the log wrote something of his own there, aside of the stream.
            Some((ReplId::NONE, _)) | None => self.select.clear(),
            Some((_, at)) => {
                let backlog = self.backlog.get_or_insert_with(|| Backlog::new(at));
                if backlog.end() != at {
                    backlog.begin_anew(at);
                }
                self.select.extend_from_slice(bytes);
                backlog.append(&mut self.select);
                self.select.clear();
                backlog.trim(self.keep_bytes, None);
            }
        }
        len
    }

    /// What is kept, if it ends there.
    pub(super) fn into_backlog(self, end: u64) -> Option<Backlog> {
        self.backlog.filter(|backlog| backlog.end() == end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vesta_types::Rng;

    #[test]
    fn a_gap_begins_it_anew_and_what_lies_aside_does_not() {
        let id = ReplId::random(&mut Rng::new(1));
        let mut refill = Refill::keeping(100);
        assert_eq!(refill.note(Some((id, 10)), b"abc"), 3);
        refill.hold_select(b"s");
        assert_eq!(refill.note(Some((ReplId::NONE, 0)), b"aside"), 6);
        refill.hold_select(b"S");
        assert_eq!(refill.note(Some((id, 13)), b"de"), 3);
        let backlog = refill.backlog.as_ref().unwrap();
        assert_eq!((backlog.start(), backlog.read(10, 99)), (10, Some(&b"abcSde"[..])));
        refill.hold_select(b"x");
        refill.drop_select();
        refill.note(Some((id, 20)), b"fg");
        let backlog = refill.into_backlog(22).unwrap();
        assert_eq!((backlog.start(), backlog.read(20, 99)), (20, Some(&b"fg"[..])));
    }

    #[test]
    fn what_ends_elsewhere_is_worth_nothing() {
        let id = ReplId::random(&mut Rng::new(1));
        let mut refill = Refill::keeping(100);
        refill.note(Some((id, 10)), b"abc");
        assert!(refill.into_backlog(14).is_none());
    }
}
