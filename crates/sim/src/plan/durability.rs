//! What a seed decides about data that outlives its server: how it is kept, how servers end, and
//! what is wrong with the disk.

use vesta_config::AppendFsync;
use vesta_types::{Mono, Rng};

use crate::disk::{Crash, Manner, Spell, Trouble};

/// How data is kept, and how often and how it must come back.
#[derive(Clone, Debug)]
pub(crate) struct Durability {
    /// The log, if there is one.
    pub(crate) log: Option<LogPlan>,
    /// Whether snapshots are saved every second.
    pub(crate) saves: bool,
    /// Microseconds that a snapshot takes per key.
    key_delay_us: u64,
    /// How the server ends, one time after the other.
    pub(crate) ends: Vec<End>,
    pub(crate) disk: Manner,
}

/// The settings of a log.
#[derive(Clone, Debug)]
pub(crate) struct LogPlan {
    settings: Vec<(&'static str, String)>,
}

/// An end of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) how: How,
    /// When, counted from when it began to serve.
    pub(crate) after: Moment,
    /// How long nobody is there then, in microseconds.
    pub(crate) pause_us: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    Crash(Crash),
    /// It is asked to end by a signal.
    Asked,
}

/// A point in the life of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// So many microseconds.
    Us(u64),
    /// So many requests.
    Requests(u64),
    /// So many steps of the disk: between any two of them.
    Steps(u64),
}

/// How long to wait for requests or steps of the disk, at most, in microseconds.
pub(crate) const MOMENT_US_MAX: u64 = 4_000_000;

impl Durability {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let ends: Vec<End> = (0..1 + rng.below(6)).map(|_| end(rng)).collect();
        let log = (rng.below(5) > 0).then(|| log(rng));
        let mut plan = Self {
            saves: log.is_none() && rng.below(4) > 0 || rng.below(4) == 0,
            key_delay_us: one_of(rng, &[0, 0, 500, 3000]),
            log,
            ends,
            disk: Manner::gentle(),
        };
        let expected_us = plan.expected_us();
        plan.disk = disk(rng, expected_us);
        plan
    }

    /// About how long it takes until the last end, in microseconds.
    pub(super) fn expected_us(&self) -> u64 {
        let lives = self.ends.iter().map(|end| match end.after {
            Moment::Us(us) => us + end.pause_us,
            Moment::Requests(_) | Moment::Steps(_) => MOMENT_US_MAX / 4 + end.pause_us,
        });
        lives.sum()
    }

    /// The settings that differ from those of other runs.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        let save = if self.saves { "1 1" } else { "" };
        let mut all =
            vec![("save", save.to_owned()), ("rdb-key-save-delay", self.key_delay_us.to_string())];
        all.extend(self.log.iter().flat_map(|log| log.settings.clone()));
        all
    }
}

fn end(rng: &mut Rng) -> End {
    let how = match rng.below(8) {
        0 => How::Asked,
        1..4 => How::Crash(Crash::Process),
        _ => How::Crash(Crash::Machine),
    };
    let after = match rng.below(6) {
        0..2 => Moment::Us(rng.below(5000)),
        2 => Moment::Us(rng.below(300_000)),
        3 => Moment::Us(rng.below(MOMENT_US_MAX)),
        4 => Moment::Requests(rng.below(400)),
        _ => Moment::Steps(1 + rng.below(60)),
    };
    End { how, after, pause_us: one_of(rng, &[1, 20_000, 600_000]) }
}

fn log(rng: &mut Rng) -> LogPlan {
    let fsync = match rng.below(5) {
        0..2 => AppendFsync::Always,
        2..4 => AppendFsync::Everysec,
        _ => AppendFsync::No,
    };
    let name = match fsync {
        AppendFsync::Always => "always",
        AppendFsync::Everysec => "everysec",
        AppendFsync::No => "no",
    };
    let mut yes_no = |yes_per_8: u64| {
        let is_yes = rng.below(8) < yes_per_8;
        if is_yes { "yes" } else { "no" }.to_owned()
    };
    let (preamble, stamps, keeps, lets) = (yes_no(5), yes_no(3), yes_no(1), yes_no(2));
    let truncated = yes_no(7);
    let settings = vec![
        ("appendonly", "yes".to_owned()),
        ("appendfsync", name.to_owned()),
        ("aof-use-rdb-preamble", preamble),
        ("aof-timestamp-enabled", stamps),
        ("aof-disable-auto-gc", keeps),
        ("no-appendfsync-on-rewrite", lets),
        ("aof-load-truncated", truncated),
        ("auto-aof-rewrite-percentage", one_of(rng, &[0, 10, 100]).to_string()),
        ("auto-aof-rewrite-min-size", one_of(rng, &[0, 500, 5000]).to_string()),
    ];
    LogPlan { settings }
}

fn disk(rng: &mut Rng, expected_us: u64) -> Manner {
    let count = one_of(rng, &[0, 0, 1, 3]);
    let spells = (0..count).map(|_| {
        let from = rng.below(expected_us + 1);
        let us = match rng.below(3) {
            0 => rng.below(100_000),
            1 => rng.below(1_500_000),
            _ => rng.below(8_000_000),
        };
        let trouble = match rng.below(3) {
            0 => Trouble::Stuck,
            1 => Trouble::Full,
            _ => Trouble::LostSync,
        };
        let from = Mono(crate::clock::START_MONO_US + from);
        Spell { from, until: Mono(from.0 + us), trouble }
    });
    Manner {
        spells: spells.collect(),
        write_us_max: one_of(rng, &[20, 300, 20_000]),
        sync_us_max: one_of(rng, &[200, 10_000, 200_000]),
        faults_per_1000: one_of(rng, &[0, 0, 10, 60]),
        log_faults_per_1000: one_of(rng, &[0, 0, 0, 10]),
        zeros: rng.below(8) == 0,
    }
}

fn one_of(rng: &mut Rng, all: &[u64]) -> u64 {
    let place = usize::try_from(rng.below(all.len() as u64)).unwrap_or(0);
    all.get(place).copied().unwrap_or_default()
}
