//! How swift a disk is and what goes wrong with it.

use vesta_types::{Mono, Rng};

/// How a disk behaves; decided by the seed.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Longest time that a write to memory of the system takes, in microseconds.
    pub(crate) write_us_max: u64,
    /// Longest time that a sync takes, in microseconds.
    pub(crate) sync_us_max: u64,
    /// Of a thousand steps about snapshots and whole files, so many fail.
    pub(crate) faults_per_1000: u64,
    /// Of a thousand appends to the log, so many fail.
    pub(crate) log_faults_per_1000: u64,
    /// When there is trouble.
    pub(crate) spells: Vec<Spell>,
    /// Whether zeros may stand behind what the end of the machine has left of a file.
    pub(crate) zeros: bool,
}

impl Manner {
    /// That of runs that are not about disks: now and then a file cannot be saved.
    pub(crate) fn gentle() -> Self {
        Self {
            write_us_max: 100,
            sync_us_max: 100,
            faults_per_1000: 40,
            log_faults_per_1000: 0,
            spells: Vec::new(),
            zeros: false,
        }
    }
}

/// A time of trouble.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spell {
    pub(crate) from: Mono,
    pub(crate) until: Mono,
    pub(crate) trouble: Trouble,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// Nothing is finished.
    Stuck,
    /// There is no room for more.
    Full,
    /// The next sync fails, and that one only.
    LostSync,
}

/// What a disk is asked to do, as far as faults care.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Deed {
    /// Bytes are written to a file, or a file is created.
    Write,
    /// A file is synced.
    Sync,
    /// Names are changed, or directories synced.
    Names,
}

/// The faults of a disk as time passes.
#[derive(Debug)]
pub(super) struct Faults {
    pub(super) manner: Manner,
    pub(super) rng: Rng,
}

impl Faults {
    /// When something is finished that begins at `start`.
    pub(super) fn done_at(&mut self, start: Mono, deed: Deed) -> Mono {
        let us_max = match deed {
            Deed::Write => self.manner.write_us_max,
            Deed::Sync | Deed::Names => self.manner.sync_us_max,
        };
        // Mostly swift.
        let us_max = if self.rng.below(8) == 0 { us_max } else { us_max / 10 };
        let done = Mono(start.0 + self.rng.below(us_max + 1));
        let is_stuck = |spell: &&Spell| {
            spell.trouble == Trouble::Stuck && (spell.from..spell.until).contains(&done)
        };
        self.manner.spells.iter().find(is_stuck).map_or(done, |spell| spell.until)
    }

    /// Why a step of saving or of a job fails now, if it does.
    pub(super) fn strikes(&mut self, now: Mono, deed: Deed) -> Option<String> {
        let fails = self.rng.below(1000) < self.manner.faults_per_1000;
        self.cause(now, deed, fails)
    }

    /// The same for a step of the log.
    pub(super) fn strikes_log(&mut self, now: Mono, deed: Deed) -> Option<String> {
        let fails = deed == Deed::Write && self.rng.below(1000) < self.manner.log_faults_per_1000;
        self.cause(now, deed, fails)
    }

    fn cause(&mut self, now: Mono, deed: Deed, fails: bool) -> Option<String> {
        let is_full = |spell: &Spell| {
            spell.trouble == Trouble::Full && (spell.from..spell.until).contains(&now)
        };
        if deed == Deed::Write && self.manner.spells.iter().any(is_full) {
            return Some("No space left on device".to_owned());
        }
        let loses = |spell: &Spell| spell.trouble == Trouble::LostSync && spell.from <= now;
        if deed == Deed::Sync
            && let Some(place) = self.manner.spells.iter().position(loses)
        {
            self.manner.spells.remove(place);
            return Some("Input/output error".to_owned());
        }
        fails.then(|| "Input/output error".to_owned())
    }

    /// From here on the disk is a good one.
    pub(super) fn heal(&mut self) {
        let Manner { faults_per_1000, log_faults_per_1000, spells, .. } = &mut self.manner;
        (*faults_per_1000, *log_faults_per_1000) = (0, 0);
        spells.clear();
        self.manner.sync_us_max = self.manner.sync_us_max.min(50_000);
    }

    /// When there is no trouble any more that keeps a server from working.
    pub(super) fn calm_at(&self, now: Mono) -> Mono {
        let present = self.manner.spells.iter().filter(|spell| {
            spell.trouble != Trouble::LostSync && (spell.from..spell.until).contains(&now)
        });
        present.map(|spell| spell.until).fold(now, Mono::max)
    }
}
