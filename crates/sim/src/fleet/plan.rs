//! What a seed decides about a run with several servers before it begins.

use vesta_config::Config;
use vesta_types::Rng;

use crate::disk::Crash;
use crate::network::Manner;

/// The circumstances of a run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Each server: its settings, and whom it follows at first.
    pub(super) members: Vec<MemberPlan>,
    pub(super) clients: u64,
    /// Most requests that a client sends at once.
    pub(super) pipeline_max: u64,
    pub(super) think_us_max: u64,
    pub(super) keys: u64,
    /// Of a thousand values, how many are long.
    pub(super) long_per_1000: u64,
    /// Longest time that a server takes to notice what has arrived, in microseconds.
    pub(super) turn_us_max: u64,
    pub(super) read_bytes_max: u64,
    /// The links of clients.
    pub(super) near: Manner,
    /// Those between servers.
    pub(super) far: Manner,
    /// What goes wrong, and how long after the start, in microseconds, in order.
    pub(super) upheavals: Vec<(u64, Upheaval)>,
    /// When nothing goes wrong any more, in microseconds since the start.
    pub(super) heal_at_us: u64,
    /// How long servers may take then to be all the same, in microseconds.
    pub(super) converge_us_max: u64,
}

#[derive(Clone, Debug)]
pub(super) struct MemberPlan {
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) follows: Option<usize>,
}

/// Something that goes wrong, or an operator's change of mind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Upheaval {
    /// The connections between two servers break.
    Cut { between: (usize, usize) },
    /// Nothing of what the first sends gets to the second for a while, and if so the other way.
    Partition { from: usize, to: usize, both_ways: bool, us: u64 },
    /// A server stands still.
    Pause { member: usize, us: u64 },
    /// A server ends without notice.
    Crash { member: usize, crash: Crash, loses_files: bool, is_silent: bool, us: u64 },
    /// A server is asked to end.
    Stop { member: usize, us: u64 },
    /// The clock of a server is set forward or back.
    ClockJump { member: usize, ms: i64 },
    /// A server gets another primary, or none.
    Follow { member: usize, primary: Option<usize> },
}

/// Longest time that everything may go wrong, in microseconds.
const STORM_US: [u64; 4] = [1_000_000, 5_000_000, 15_000_000, 40_000_000];
/// What servers may take to be the same beyond what their time-outs add, in microseconds.
const CONVERGE_US: u64 = 90_000_000;

impl Plan {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let count = 3 + to_size(rng.below(5));
        let timeout_s = one_of(rng, &[2, 5, 15]);
        let shared = shared_settings(rng, timeout_s);
        let members = (0..count).map(|member| member_plan(rng, member, &shared)).collect();
        let heal_at_us = one_of(rng, &STORM_US);
        let mut upheavals: Vec<(u64, Upheaval)> = (0..one_of(rng, &[0, 2, 6, 15, 30]))
            .map(|_| (rng.below(heal_at_us), upheaval(rng, count, timeout_s)))
            .collect();
        upheavals.sort_by_key(|(at, _)| *at);
        Self {
            members,
            clients: 1 + rng.below(6),
            pipeline_max: one_of(rng, &[1, 5, 20]),
            think_us_max: heal_at_us / one_of(rng, &[20, 100, 300]),
            keys: one_of(rng, &[6, 20, 60]),
            long_per_1000: one_of(rng, &[0, 10, 80]),
            turn_us_max: one_of(rng, &[1, 50, 2000]),
            read_bytes_max: one_of(rng, &[70, 4000, 65_536, 65_536]),
            near: manner(rng),
            far: manner(rng),
            upheavals,
            heal_at_us,
            converge_us_max: CONVERGE_US + 4 * timeout_s * 1_000_000,
        }
    }
}

impl MemberPlan {
    /// The settings of the server.
    ///
    /// # Panics
    /// When an option is refused: the values are those of the documentation.
    pub(super) fn config(&self) -> Config {
        let mut config = Config::default();
        for (name, value) in &self.settings {
            set(&mut config, name, value);
        }
        config
    }
}

/// Sets an option.
///
/// # Panics
/// When it is refused.
pub(super) fn set(config: &mut Config, name: &str, value: &str) {
    let words = value.as_bytes().split(|byte| *byte == b' ');
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    let option = vesta_config::options::find(name.as_bytes());
    let set = option.map(|option| option.apply(config, &words));
    assert!(matches!(set, Some(Ok(()))), "{name} cannot be set to {value}: {set:?}");
}

/// Settings that all servers have.
fn shared_settings(rng: &mut Rng, timeout_s: u64) -> Vec<(&'static str, String)> {
    let yes_no = |is_yes: bool| if is_yes { "yes" } else { "no" }.to_owned();
    vec![
        ("protected-mode", "no".to_owned()),
        ("save", String::new()),
        ("shutdown-timeout", one_of(rng, &[0, 1, 10]).to_string()),
        ("repl-timeout", timeout_s.to_string()),
        ("repl-ping-replica-period", one_of(rng, &[1, 1, 10]).min(timeout_s).to_string()),
        ("repl-backlog-size", one_of(rng, &[16_384, 100_000, 1 << 20]).to_string()),
        ("repl-backlog-ttl", one_of(rng, &[3600, 3600, 2, 0]).to_string()),
        ("repl-diskless-sync", yes_no(rng.below(4) > 0)),
        ("repl-diskless-sync-delay", one_of(rng, &[0, 0, 1, 3]).to_string()),
        ("replica-refuse-empty-primary", yes_no(rng.below(3) > 0)),
        ("min-replicas-to-write", one_of(rng, &[0, 0, 0, 1]).to_string()),
        ("hz", one_of(rng, &[10, 10, 100]).to_string()),
    ]
}

fn member_plan(rng: &mut Rng, member: usize, shared: &[(&'static str, String)]) -> MemberPlan {
    let mut settings = shared.to_vec();
    let load = if rng.below(3) == 0 { "disabled" } else { "swapdb" };
    settings.push(("repl-diskless-load", load.to_owned()));
    if rng.below(2) == 0 {
        settings.push(("appendonly", "yes".to_owned()));
        let fsync = if rng.below(2) == 0 { "everysec" } else { "always" };
        settings.push(("appendfsync", fsync.to_owned()));
        settings.push(("auto-aof-rewrite-min-size", one_of(rng, &[2000, 20_000]).to_string()));
    } else if rng.below(2) == 0 {
        settings.push(("save", "1 1".to_owned()));
    }
    // Chains come by themselves: whom one follows may follow another.
    let follows = (member > 0).then(|| to_size(rng.below(member as u64)));
    MemberPlan { settings, follows }
}

fn upheaval(rng: &mut Rng, count: usize, timeout_s: u64) -> Upheaval {
    let mut any = || to_size(rng.below(count as u64));
    let (member, other) = (any(), any());
    let timeout_us = timeout_s * 1_000_000;
    let us = match rng.below(3) {
        0 => rng.below(100_000),
        1 => rng.below(timeout_us),
        _ => timeout_us + rng.below(timeout_us),
    };
    match rng.below(16) {
        0..3 => Upheaval::Cut { between: (member, other) },
        3..6 => Upheaval::Partition { from: member, to: other, both_ways: rng.below(2) == 0, us },
        6..8 => Upheaval::Pause { member, us },
        8..12 => {
            let crash = if rng.below(2) == 0 { Crash::Process } else { Crash::Machine };
            let loses_files = rng.below(5) == 0;
            let is_silent = crash == Crash::Machine && rng.below(2) == 0;
            Upheaval::Crash { member, crash, loses_files, is_silent, us }
        }
        12 => Upheaval::Stop { member, us },
        13 => {
            let ms = i64::try_from(rng.below(20_000)).unwrap_or(0) - 10_000;
            Upheaval::ClockJump { member, ms }
        }
        _ => {
            let primary = (rng.below(3) > 0 && other != member).then_some(other);
            Upheaval::Follow { member, primary }
        }
    }
}

fn manner(rng: &mut Rng) -> Manner {
    Manner {
        delay_us_max: one_of(rng, &[20, 500, 5000, 50_000]),
        parcel_bytes_max: one_of(rng, &[40, 1500, 65_536]),
        capacity_bytes: to_size(one_of(rng, &[20_000, 200_000, 1 << 20])),
        stalls_per_1000: one_of(rng, &[0, 0, 5, 50]),
        stall_us_max: one_of(rng, &[10_000, 300_000]),
    }
}

fn one_of(rng: &mut Rng, all: &[u64]) -> u64 {
    all.get(to_size(rng.below(all.len() as u64))).copied().unwrap_or_default()
}

/// A small number as a count of things.
pub(super) fn to_size(small: u64) -> usize {
    usize::try_from(small).unwrap_or(usize::MAX)
}
