//! What a seed decides about a run before it begins.

mod durability;

use vesta_config::Config;
use vesta_types::Rng;

pub(crate) use durability::{Durability, End, How, MOMENT_US_MAX, Moment};

use crate::model::Settings;
use crate::network::Manner;

/// Policies that clients switch between when memory is limited.
pub(crate) const POLICIES: [&str; 8] = [
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

/// The circumstances of a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) clients: u64,
    /// Requests of each client, at least.
    pub(crate) requests: u64,
    /// Most requests sent at once.
    pub(crate) pipeline_max: u64,
    pub(crate) databases: u64,
    pub(crate) keys: u64,
    pub(crate) big_per_1000: u64,
    pub(crate) admin_per_1000: u64,
    /// Of a thousand requests, how many are about other types than strings.
    pub(crate) typed_per_1000: u64,
    /// Of a thousand of those, how many wait or make others wait no longer.
    pub(crate) waiting_per_1000: u64,
    /// Of a thousand pipelines, how many are broken off in their midst.
    pub(crate) leave_per_1000: u64,
    /// Of a thousand pipelines, how many are followed by not reading for a while.
    pub(crate) deaf_per_1000: u64,
    pub(crate) think_us_max: u64,
    /// Longest time that the server takes to notice what has arrived, in microseconds.
    pub(crate) turn_us_max: u64,
    /// Most bytes that the server reads from one client in one turn.
    pub(crate) read_bytes_max: u64,
    pub(crate) manner: Manner,
    /// When nothing goes wrong any more, in microseconds since the start.
    pub(crate) heal_at_us: u64,
    /// Memory for data, in bytes, when it is limited.
    pub(crate) memory_room_bytes: Option<u64>,
    policy: &'static str,
    maxclients: u64,
    /// Hard bytes, soft bytes, soft seconds.
    output_limit: [u64; 3],
    hz: u64,
    /// What comes of the data when the server ends, when it does.
    pub(crate) durability: Option<Durability>,
}

/// Bytes that the process takes besides the data.
pub(crate) const BASE_BYTES: u64 = 1 << 20;

impl Plan {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut pick = |all: &[u64]| {
            let place = usize::try_from(rng.below(all.len() as u64)).unwrap_or(0);
            all.get(place).copied().unwrap_or_default()
        };
        let manner = Manner {
            delay_us_max: pick(&[20, 500, 5000, 50_000]),
            parcel_bytes_max: pick(&[1, 3, 40, 1500, 65_536]),
            capacity_bytes: usize::try_from(pick(&[2000, 20_000, 200_000, 1 << 20])).unwrap_or(0),
            stalls_per_1000: pick(&[0, 0, 5, 50]),
            stall_us_max: pick(&[10_000, 300_000]),
        };
        let limited = pick(&[0, 0, 0, 1]) == 1;
        let hard = pick(&[0, 0, 20_000, 200_000]);
        let soft = pick(&[0, 0, 10_000]);
        let room = pick(&[2000, 20_000, 100_000]);
        let which = usize::try_from(pick(&[0, 1, 2, 3, 4, 5, 6, 7])).unwrap_or(0);
        let typed_per_1000 = pick(&[0, 300, 700, 950]);
        let crowd = if typed_per_1000 > 500 { pick(&[0, 0, 12]) } else { 0 };
        Self {
            clients: crowd + pick(&[1, 2, 3, 4, 5, 6, 7, 8]),
            requests: pick(&[20, 20, 60, 60, 150, 600]),
            pipeline_max: pick(&[1, 5, 20, 50, 400]),
            databases: pick(&[2, 4, 16]),
            keys: pick(&[6, 30, 120]),
            big_per_1000: pick(&[0, 5, 30]),
            admin_per_1000: pick(&[0, 5, 40]),
            leave_per_1000: pick(&[0, 10, 80]),
            deaf_per_1000: pick(&[0, 20, 150]),
            typed_per_1000,
            waiting_per_1000: pick(&[0, 100, 300, 600]),
            think_us_max: pick(&[100, 10_000, 200_000]),
            turn_us_max: pick(&[1, 50, 2000]),
            read_bytes_max: pick(&[7, 700, 65_536, 65_536]),
            manner,
            heal_at_us: pick(&[50_000, 500_000, 3_000_000]),
            memory_room_bytes: limited.then_some(room),
            policy: POLICIES.get(which).copied().unwrap_or("noeviction"),
            maxclients: pick(&[10_000, 10_000, 10_000, 4]),
            output_limit: [hard, soft, pick(&[0, 1])],
            hz: pick(&[10, 10, 1, 100]),
            durability: None,
        }
    }

    /// The same for servers whose data must outlive them. The disk has a chance of its own.
    pub(crate) fn with_disk(mut self, rng: &mut Rng) -> Self {
        let durability = Durability::new(rng);
        self.admin_per_1000 = self.admin_per_1000.max(10);
        // As many requests as can be checked in a moment, spread over the whole time.
        self.clients = 1 + rng.below(6);
        self.requests = u64::MAX;
        self.pipeline_max = self.pipeline_max.min(20);
        self.typed_per_1000 = self.typed_per_1000.min(700);
        let wanted = 200 + rng.below(1200);
        let per_pause = self.clients * (1 + self.pipeline_max);
        let think_us_max = durability.expected_us() * per_pause / wanted;
        self.think_us_max = think_us_max.clamp(500, 400_000);
        self.heal_at_us = u64::MAX;
        self.durability = Some(durability);
        self
    }

    /// The settings of the server.
    ///
    /// # Panics
    /// When an option is refused: the values above are those of the documentation.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::default();
        let memory = self.memory_room_bytes.map_or(0, |room| BASE_BYTES + room);
        let [hard, soft, seconds] = self.output_limit;
        // Decided by what is decided already, so that seeds of old keep their paths. Saves are
        // slow, so that much happens until they are over.
        let save = if self.databases == 4 { "1 1" } else { "" };
        let mut settings = vec![
            ("save", save.to_owned()),
            ("stop-writes-on-bgsave-error", "no".to_owned()),
            ("rdb-key-save-delay", "3000".to_owned()),
            ("databases", self.databases.to_string()),
            ("protected-mode", "no".to_owned()),
            ("enable-debug-command", "yes".to_owned()),
            ("maxmemory", memory.to_string()),
            ("maxmemory-policy", self.policy.to_owned()),
            ("maxclients", self.maxclients.to_string()),
            ("client-output-buffer-limit", format!("normal {hard} {soft} {seconds}")),
            ("hz", self.hz.to_string()),
        ];
        settings.extend(self.durability.iter().flat_map(Durability::settings));
        for (name, value) in settings {
            let words = value.as_bytes().split(|byte| *byte == b' ');
            let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
            let option = vesta_config::options::find(name.as_bytes());
            let set = option.map(|option| option.apply(&mut config, &words));
            assert!(matches!(set, Some(Ok(()))), "{name} cannot be set to {value}: {set:?}");
        }
        config
    }

    /// From how many bytes on a value is saved in pieces: all, those of some elements, or those of
    /// many.
    pub(crate) fn large_bytes(&self) -> usize {
        // Decided by what is decided already, too.
        match self.hz {
            1 => 0,
            100 => 2000,
            _ => 200,
        }
    }

    /// The settings of a server that only repeats what the first one did.
    pub(crate) fn follower_config(&self) -> Config {
        let unlimited = Self {
            memory_room_bytes: None,
            output_limit: [0; 3],
            maxclients: 1,
            durability: None,
            ..self.clone()
        };
        unlimited.config()
    }

    /// The settings of the first server as the model knows them.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            databases: usize::try_from(self.databases).unwrap_or(0),
            maxclients: usize::try_from(self.maxclients).unwrap_or(0),
            maxmemory_bytes: self.memory_room_bytes.map_or(0, |room| BASE_BYTES + room),
            policy: self.policy.to_owned(),
            lazy_expire: false,
            active_expire: true,
            output_limit: self.output_limit,
            bulk_bytes_max: 512 * 1024 * 1024,
            log: Vec::new(),
        }
    }
}
