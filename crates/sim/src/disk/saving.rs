//! The thread that writes snapshots and carries out small jobs on whole files, step by step: a
//! crash may come between any two.

use std::collections::VecDeque;

use vesta_node::{DiskNews, FileFault, FileStep, SaveFault, SaveStep};
use vesta_types::Mono;

use super::Ground;
use super::faults::{Deed, Faults};
use super::volume::{NoEntry, Volume, dir_of};
use crate::Flaw;

/// The thread and what it still has to do.
#[derive(Debug, Default)]
pub(super) struct Saving {
    queue: VecDeque<Task>,
    /// When the first task is done, once it has begun.
    done_at: Option<Mono>,
    /// The file that is saved.
    at_hand: Option<AtHand>,
    /// Snapshots that were ever begun.
    pub(super) opened: u64,
    /// The name of the last one that was finished.
    pub(super) saved: Option<String>,
}

#[derive(Clone, Debug)]
struct AtHand {
    id: u64,
    temporary: String,
    name: String,
}

/// One step.
#[derive(Debug)]
struct Task {
    step: Step,
    of: Owner,
    /// What is reported when it is done.
    news: Option<DiskNews>,
}

/// What a step belongs to: when it fails, so does the rest of that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Owner {
    Save(u64, SaveStep),
    Job(u64, usize),
    Nobody,
}

#[derive(Debug)]
enum Step {
    MakeDir(String),
    /// With the number of the snapshot that it is for, or 0.
    Create(String, u64),
    Append(String, Vec<u8>),
    Cut(String, u64),
    Sync(String),
    Rename(String, String),
    Remove(String),
    SyncDir(String),
}

impl Saving {
    pub(super) fn open(&mut self, id: u64, temporary: String, name: String) {
        self.abort();
        self.opened += 1;
        let create = Step::Create(temporary.clone(), self.opened);
        self.push(create, Owner::Save(id, SaveStep::Create), None);
        self.at_hand = Some(AtHand { id, temporary, name });
    }

    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        let Some(AtHand { id, temporary, .. }) = self.at_hand.clone() else { return };
        let news = DiskNews::SaveWritten { id, bytes: bytes.len() };
        let of = Owner::Save(id, SaveStep::Write);
        self.push(Step::Append(temporary, bytes), of, Some(news));
    }

    pub(super) fn finish(&mut self) {
        let Some(AtHand { id, temporary, name }) = self.at_hand.take() else { return };
        let dir = dir_of(&name).to_owned();
        let news = DiskNews::SaveDone { id, outcome: Ok(()) };
        self.push(Step::Sync(temporary.clone()), Owner::Save(id, SaveStep::Sync), None);
        self.push(Step::Rename(temporary, name), Owner::Save(id, SaveStep::Rename), None);
        self.push(Step::SyncDir(dir), Owner::Save(id, SaveStep::Sync), Some(news));
    }

    pub(super) fn abort(&mut self) {
        let Some(AtHand { id, temporary, .. }) = self.at_hand.take() else { return };
        self.give_up(Owner::Save(id, SaveStep::Create));
        self.push(Step::Remove(temporary), Owner::Nobody, None);
    }

    pub(super) fn job(&mut self, id: u64, steps: Vec<FileStep>) {
        let last = steps.len();
        for (place, step) in steps.into_iter().enumerate() {
            for step in parts(step) {
                self.push(step, Owner::Job(id, place), None);
            }
        }
        let done = DiskNews::FilesDone { id, outcome: Ok(()) };
        match self.queue.back_mut().filter(|task| matches!(task.of, Owner::Job(of, _) if of == id))
        {
            Some(task) => task.news = Some(done),
            None => self.push(Step::SyncDir(String::new()), Owner::Job(id, last), Some(done)),
        }
    }

    fn push(&mut self, step: Step, of: Owner, news: Option<DiskNews>) {
        self.queue.push_back(Task { step, of, news });
    }

    /// Forgets what is still to be done for a save or a job, but for the step under way.
    fn give_up(&mut self, of: Owner) {
        let mut place = 0;
        let has_begun = self.done_at.is_some();
        self.queue.retain(|task| {
            place += 1;
            (has_begun && place == 1) || !task.of.is_same(of)
        });
    }

    /// Begins what is next.
    pub(super) fn begin(&mut self, now: Mono, faults: &mut Faults) {
        if self.done_at.is_none()
            && let Some(task) = self.queue.front()
        {
            self.done_at = Some(faults.done_at(now, task.step.deed()));
        }
    }

    pub(super) fn next_at(&self) -> Option<Mono> {
        self.done_at
    }

    /// Ends the step under way.
    pub(super) fn end(&mut self, ground: &mut Ground<'_>) {
        self.done_at = None;
        let Some(Task { step, of, news: done }) = self.queue.pop_front() else { return };
        let Ground { now, volume, faults, news, flaw } = ground;
        let now = *now;
        let forgets = *flaw == Some(Flaw::NamesAreForgotten);
        let keeps_tails = *flaw == Some(Flaw::TailsAreKept);
        let struck = faults.strikes(now, step.deed()).filter(|_| of != Owner::Nobody);
        let outcome = match struck {
            Some(why) => Err(why),
            None if forgets && matches!(step, Step::SyncDir(_)) => Ok(()),
            None if keeps_tails && matches!(step, Step::Cut(..)) => Ok(()),
            None => step.take(volume).map_err(|NoEntry| "No such file or directory".to_owned()),
        };
        let Err(why) = outcome else {
            if let (Owner::Save(..), Step::Rename(_, name)) = (of, &step) {
                self.saved = Some(name.clone());
            }
            news.extend(done);
            return;
        };
        step.fail(volume);
        self.give_up(of);
        match of {
            Owner::Save(id, failed) => {
                self.at_hand.take_if(|file| file.id == id);
                volume.remove(step.temporary());
                let fault = SaveFault { step: failed, why };
                news.push_back(DiskNews::SaveDone { id, outcome: Err(fault) });
            }
            Owner::Job(id, step) => {
                let outcome = Err(FileFault { step, why });
                news.push_back(DiskNews::FilesDone { id, outcome });
            }
            Owner::Nobody => {}
        }
    }

    /// The thread is no more. The step under way may have been taken.
    pub(super) fn die(&mut self, volume: &mut Volume, faults: &mut Faults) {
        if self.done_at.is_some()
            && faults.rng.below(2) == 0
            && let Some(task) = self.queue.pop_front()
        {
            // Nobody is there who could hear of a failure.
            let _ = task.step.take(volume);
        }
        *self = Self { opened: self.opened, ..Self::default() };
    }
}

impl Owner {
    fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Save(left, _), Self::Save(right, _))
            | (Self::Job(left, _), Self::Job(right, _)) => left == right,
            (Self::Save(..) | Self::Job(..) | Self::Nobody, _) => false,
        }
    }
}

impl Step {
    fn deed(&self) -> Deed {
        match self {
            Self::Create(..) | Self::Append(..) => Deed::Write,
            Self::Sync(_) => Deed::Sync,
            Self::MakeDir(_)
            | Self::Cut(..)
            | Self::Rename(..)
            | Self::Remove(_)
            | Self::SyncDir(_) => Deed::Names,
        }
    }

    /// The file of a save that a step of it is about.
    fn temporary(&self) -> &str {
        match self {
            Self::MakeDir(name)
            | Self::Create(name, _)
            | Self::Append(name, _)
            | Self::Cut(name, _)
            | Self::Sync(name)
            | Self::Rename(name, _)
            | Self::Remove(name) => name,
            // It has its own name by then.
            Self::SyncDir(_) => "",
        }
    }

    fn take(&self, volume: &mut Volume) -> Result<(), NoEntry> {
        match self {
            Self::MakeDir(name) => volume.make_dir(name),
            Self::Create(name, label) => volume.create(name).map(|id| volume.label(id, *label)),
            Self::Append(name, bytes) => {
                let id = volume.find(name).ok_or(NoEntry)?;
                volume.append(id, bytes);
                Ok(())
            }
            Self::Cut(name, len) => {
                let id = volume.find(name).ok_or(NoEntry)?;
                volume.cut(id, usize::try_from(*len).unwrap_or(usize::MAX));
                Ok(())
            }
            Self::Sync(name) => {
                let id = volume.find(name).ok_or(NoEntry)?;
                volume.sync(id, usize::MAX);
                Ok(())
            }
            Self::Rename(from, to) => volume.rename(from, to),
            Self::Remove(name) => {
                volume.remove(name);
                Ok(())
            }
            Self::SyncDir(name) => {
                volume.sync_dir(name);
                Ok(())
            }
        }
    }

    /// What failing leaves behind.
    fn fail(&self, volume: &mut Volume) {
        match self {
            Self::Append(name, bytes) => {
                // Some of it was written.
                if let Some(id) = volume.find(name) {
                    volume.append(id, bytes.get(..bytes.len() / 2).unwrap_or_default());
                }
            }
            Self::Sync(name) => {
                if let Some(id) = volume.find(name) {
                    volume.fail_to_sync(id);
                }
            }
            Self::MakeDir(_)
            | Self::Create(..)
            | Self::Cut(..)
            | Self::Rename(..)
            | Self::Remove(_)
            | Self::SyncDir(_) => {}
        }
    }
}

/// The steps that one of a job takes, up to where a crash can no longer undo it.
fn parts(step: FileStep) -> Vec<Step> {
    let synced = |name: &str| Step::SyncDir(dir_of(name).to_owned());
    match step {
        FileStep::MakeDir { name } => {
            let (entered, itself) = (synced(&name), Step::SyncDir(name.clone()));
            vec![Step::MakeDir(name), itself, entered]
        }
        FileStep::Replace { name, bytes } => {
            let (temporary, synced) = (format!("{name}.temp"), synced(&name));
            vec![
                Step::Create(temporary.clone(), 0),
                Step::Append(temporary.clone(), bytes),
                Step::Sync(temporary.clone()),
                Step::Rename(temporary, name),
                synced,
            ]
        }
        FileStep::Rename { from, to } => {
            let (left, entered) = (synced(&from), synced(&to));
            vec![Step::Rename(from, to), entered, left]
        }
        FileStep::Remove { name } => {
            let synced = synced(&name);
            vec![Step::Remove(name), synced]
        }
        FileStep::Cut { name, len } => vec![Step::Cut(name.clone(), len), Step::Sync(name)],
    }
}
