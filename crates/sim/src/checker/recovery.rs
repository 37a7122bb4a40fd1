//! What must be there when a server comes back.

use vesta_node::Node;
use vesta_types::{DbIndex, Now};

use super::{Check, Checker};
use crate::Flaw;
use crate::chronicle::{Chronicle, LogFacts};
use crate::disk::Crash;
use crate::trace::{Event, Trace};

impl Checker {
    /// The server is no more; `has_lost`: with it goes what a failed sync has lost.
    pub(crate) fn server_ends(&mut self, crash: Option<Crash>, log: LogFacts, has_lost: bool) {
        if let Some(chronicle) = &mut self.chronicle {
            chronicle.server_ends(crash, log, has_lost);
        }
        self.model.server_ends(self.settings.clone());
        self.log_is_faulty = false;
        self.is_ending = false;
    }

    /// The server has its data. `snapshot` is the number of the snapshot that it has loaded, when
    /// there is no log.
    pub(crate) fn recovered(
        &mut self,
        node: &mut Node,
        now: Now,
        snapshot: Option<u64>,
        trace: &mut Trace,
    ) -> Check {
        let Some(chronicle) = &mut self.chronicle else { return Ok(()) };
        let is_wrong = self.flaw == Some(Flaw::OffsetsAreWrong) && node.offset() > 0;
        let (offset, end) = (node.offset() + u64::from(is_wrong), chronicle.end());
        if let Some(number) = snapshot {
            let (from, to) = chronicle.snapshot_offsets(number)?;
            if !(from..=to).contains(&offset) {
                return Err(format!(
                    "the server is at offset {offset}; snapshot {number} began at {from} to {to}"
                ));
            }
        }
        let state = chronicle.recovered(offset, snapshot.is_none())?;
        trace.note(now, Event::Recovered { offset });
        trace.reached.recoveries += u64::from(offset > 0);
        trace.reached.losses += u64::from(offset < end);
        self.model.data = state.data;
        self.stream_db = state.stream_db;
        self.model.is_loading = false;
        self.forget_the_expired(node, now);
        self.follow_anew(now)?;
        self.same_data(node, now).map_err(|why| format!("at offset {offset}: {why}"))
    }

    /// Some keys whose time has come were left out when the data was loaded, those first whose
    /// time came first: as many as there are still, will be deleted as others are.
    fn forget_the_expired(&mut self, node: &Node, now: Now) {
        let databases = self.model.data.databases();
        let count = u32::try_from(databases).unwrap_or(0);
        for db in 0..databases {
            let Some(index) = DbIndex::new(db as u64, count) else { continue };
            let live = self.model.data.live_slots(db, now.unix.ms()).count();
            let kept = node.keys_held(index).saturating_sub(live);
            self.model.data.forget_due(db, now.unix.ms(), kept);
        }
        self.model.data.take_touched();
    }

    /// The follower repeats all that is left of the past.
    fn follow_anew(&mut self, now: Now) -> Check {
        let effects = || self.chronicle.iter().flat_map(Chronicle::effects);
        let start = effects().next().map_or(now, |(at, _)| at);
        let mut follower = self.follower.another(start);
        for (at, effect) in effects() {
            follower.apply(at, effect)?;
        }
        self.follower = follower;
        Ok(())
    }
}
