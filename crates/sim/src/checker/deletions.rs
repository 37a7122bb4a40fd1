//! Deletions that the node decides on by itself: of keys whose time has come, or to make room.

use vesta_types::Now;

use super::{Check, Checker, Did};
use crate::model::Bytes;
use crate::trace::{Event, Trace, shown};

impl Checker {
    /// Whether an effect is a deletion that the node may have decided on.
    pub(super) fn is_deletion(&self, now: Now, (db, words): &(usize, Vec<Vec<u8>>)) -> bool {
        let [name, key] = words.as_slice() else { return false };
        if name != b"DEL" && name != b"UNLINK" {
            return false;
        }
        let Some(slot) = self.model.data.slot(*db, key) else { return false };
        let may_evict = self.policies.iter().any(|policy| {
            policy.starts_with("allkeys") || (policy != "noeviction" && slot.expiry.is_some())
        });
        slot.is_due(now.unix.ms()) || may_evict
    }

    /// Deletes the key whose deletion is next among the effects; which it was.
    pub(super) fn delete_next(
        &mut self,
        now: Now,
        did: &mut Did,
        trace: &mut Trace,
    ) -> Result<(usize, Bytes), String> {
        let next = did.effects.pop_front();
        let Some(next) = next else { return Err("no effect is left".to_owned()) };
        if !self.is_deletion(now, &next) {
            let words: Vec<String> = next.1.iter().map(|word| shown(word)).collect();
            return Err(format!("an effect of no request: {}", words.join(" ")));
        }
        let (db, words) = next;
        let key = words.into_iter().nth(1).unwrap_or_default();
        let gone = self.model.data.remove(db, &key);
        if gone.is_some_and(|slot| slot.is_due(now.unix.ms())) {
            trace.reached.expired += 1;
        } else {
            trace.reached.evicted += 1;
        }
        self.model.data_changed();
        self.note_point(db, did);
        let gone = (db, Bytes::from(key.as_slice()));
        trace.note(now, Event::Deleted { db: u32::try_from(db).unwrap_or(0), key });
        Ok(gone)
    }

    /// Applies the deletions that are next.
    pub(super) fn delete_due(&mut self, now: Now, did: &mut Did, trace: &mut Trace) -> Check {
        while did.effects.front().is_some_and(|effect| self.is_deletion(now, effect)) {
            self.delete_next(now, did, trace)?;
        }
        Ok(())
    }

    /// Applies the deletions that are left, and then nothing may be left.
    pub(super) fn delete_all(&mut self, now: Now, did: &mut Did, trace: &mut Trace) -> Check {
        self.serve_waiting(now, did, trace)?;
        while !did.effects.is_empty() {
            self.delete_next(now, did, trace)?;
            self.serve_waiting(now, did, trace)?;
        }
        match did.sends.front() {
            None => Ok(()),
            Some((link, bytes)) => Err(format!("link {link} is sent {} for nothing", shown(bytes))),
        }
    }
}
