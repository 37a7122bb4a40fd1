//! The log on a disk that holds back and refuses at random: whatever happens, a server that starts
//! from what is there finds what the data was at some time, and all that it promised to keep.

mod driver;

use driver::World;
use driver::aof::{BROKEN, FULL, config, dump, job_fault, manifest, no_room, started_with};
use std::collections::BTreeMap;
use vesta_config::AppendFsync;
use vesta_node::ConnId;
use vesta_testkit::client::encode;
use vesta_types::{DbIndex, Rng};

fn connect(world: &mut World) -> ConnId {
    world.connect().expect("the first clients are served")
}

/// A log under a client that appends to a list, and a disk that holds back and refuses at random.
struct Storm {
    world: World,
    conn: ConnId,
    admin: ConnId,
    rng: Rng,
    policy: AppendFsync,
    /// Whether there was no log for a while.
    was_off: bool,
    /// How many elements were sent, and how many are known to be in the list.
    sent: usize,
    acknowledged: usize,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let policy = match rng.below(3) {
            0 => AppendFsync::Always,
            1 => AppendFsync::Everysec,
            _ => AppendFsync::No,
        };
        let mut config = config(policy);
        config.aof_use_rdb_preamble = rng.below(2) == 0;
        config.aof_disable_auto_gc = rng.below(4) == 0;
        config.no_appendfsync_on_rewrite = rng.below(4) == 0;
        config.auto_aof_rewrite_min_size_bytes = 1 << rng.below(14);
        let mut world = started_with(config, BTreeMap::new());
        let (conn, admin) = (connect(&mut world), connect(&mut world));
        Self { world, conn, admin, rng, policy, was_off: false, sent: 0, acknowledged: 0 }
    }

    fn step(&mut self) {
        let Self { world, rng, .. } = self;
        let on = rng.below(2) == 0;
        match rng.below(40) {
            0..=15 => {
                let element = self.sent.to_string();
                self.sent += 1;
                world.send(self.conn, &encode(&["RPUSH", "list", &element]));
            }
            16..=18 => world.send(self.admin, b"BGREWRITEAOF\r\n"),
            19 => world.send(self.admin, b"BGSAVE SCHEDULE\r\n"),
            20..=22 if on => world.disk.holds_jobs = true,
            20..=22 => world.let_jobs_go(),
            23..=24 if on => world.disk.log.holds_opens = true,
            23..=24 => world.let_log_open(),
            25..=26 if on => world.disk.stuck = true,
            25..=26 => {
                world.disk.stuck = false;
                world.finish_file();
            }
            27..=28 if on => world.disk.log.holds_syncs = true,
            27..=28 => world.let_log_sync(),
            29..=30 if on => world.disk.log.holds_writes = true,
            29..=30 => world.let_log_write(),
            31 => {
                let step = usize::try_from(rng.below(4)).expect("below 4");
                world.disk.job_fault = on.then(|| job_fault(step));
            }
            32 => world.disk.fault = on.then(no_room),
            33 => world.disk.log.open_fault = on.then(|| FULL.to_owned()),
            34 if self.policy != AppendFsync::Always => {
                world.disk.log.write_fault = on.then(|| FULL.to_owned());
            }
            35 if self.policy != AppendFsync::Always => {
                world.disk.log.sync_fault = on.then(|| BROKEN.to_owned());
            }
            36 if on && rng.below(4) == 0 => {
                self.was_off = true;
                world.send(self.admin, b"CONFIG SET appendonly no\r\n");
            }
            36 => world.send(self.admin, b"CONFIG SET appendonly yes\r\n"),
            _ => {
                let ms = rng.below(1500);
                world.advance(ms);
            }
        }
        let replies =
            String::from_utf8(self.world.take_received(self.conn)).expect("replies are text");
        for reply in replies.lines() {
            match reply.strip_prefix(':') {
                Some(len) => self.acknowledged = len.parse().expect("a length"),
                None => assert!(reply.starts_with("-MISCONF "), "{reply}"),
            }
        }
    }

    /// The disk does as it is told.
    fn heal(&mut self) {
        let Self { world, .. } = self;
        let disk = &mut world.disk;
        (disk.fault, disk.job_fault) = (None, None);
        (disk.log.open_fault, disk.log.write_fault, disk.log.sync_fault) = (None, None, None);
        disk.stuck = false;
        world.send(self.admin, b"CONFIG SET appendonly yes\r\n");
        for _ in 0..5 {
            world.let_jobs_go();
            world.let_log_open();
            world.let_log_write();
            world.let_log_sync();
            world.finish_file();
            world.advance(100_000);
        }
    }

    /// The elements of the list.
    fn list(world: &mut World) -> Vec<String> {
        let conn = connect(world);
        let reply = world.ask(conn, &["LRANGE", "list", "0", "-1"]);
        world.leave(conn);
        let lines = reply.lines().filter(|line| !line.starts_with(['*', '$']));
        lines.map(str::to_owned).collect()
    }

    /// What a server finds that starts now is what was there at some time, and no less than what
    /// was acknowledged and is to be safe.
    fn check(&mut self, seed: u64) {
        let mut later = started_with(config(AppendFsync::No), self.world.disk.files.clone());
        let text = manifest(&self.world.disk);
        assert!(!later.ended, "seed {seed}: {:#?}\n{text}", later.log);
        let found = Self::list(&mut later);
        let present = self.world.node.dump(self.world.now, DbIndex::ZERO);
        let present = present.first().map(|(_, value, _)| value.clone()).unwrap_or_default();
        let numbers: Vec<&str> =
            present.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty()).collect();
        let then: Vec<&str> = numbers.into_iter().take(found.len()).collect();
        assert_eq!(found, then, "seed {seed}: {text}");
        if self.policy == AppendFsync::Always && !self.was_off {
            assert!(found.len() >= self.acknowledged, "seed {seed}: {text}");
        }
    }
}

#[test]
fn whatever_the_disk_does_a_crash_leaves_what_was_there_at_some_time() {
    let seeds = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    for seed in 0..seeds {
        let mut storm = Storm::new(seed);
        for _ in 0..80 {
            storm.step();
            if storm.world.ended {
                break;
            }
            storm.check(seed);
        }
        assert!(!storm.world.ended, "seed {seed}: {:#?}", storm.world.log);
        storm.heal();
        storm.world.take_received(storm.conn);
        assert_eq!(storm.world.ask(storm.conn, &["SET", "healed", "1"]), "+OK\r\n", "seed {seed}");
        storm.world.ask(storm.conn, &["DEL", "healed"]);
        storm.world.advance(10_000);
        let mut later = started_with(config(AppendFsync::No), storm.world.disk.files.clone());
        assert_eq!(dump(&mut later), dump(&mut storm.world), "seed {seed}");
        let log = &storm.world.disk.log;
        assert!(log.synced == log.written || storm.policy == AppendFsync::No, "seed {seed}");
    }
}
