//! The longest pause while collections of many elements grow, shrink and go.
//!
//! One connection sends small pipelines and looks at what each one cost: whatever keeps the server
//! busy for longer shows in one of them. What counts is the processor time of the server's main
//! thread, so that neither other processes nor the time on the way appear in it; the time by the
//! clock stands beside it. A silent server that is sent PINGs shows how exact the figures are.

use std::io;
use std::time::{Duration, Instant};

use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::Server;

use super::Options;
use super::loader;
use super::report::{Report, Target};
use super::servers::{Pair, Sides};
use super::usage;
use super::values::member;

/// The longest pause there may be, in microseconds.
const US_MAX: f64 = 1000.0;
/// Requests that are sent before their replies are read. They cost some 100 us together.
const PIPELINE: usize = 50;
/// How long a server is watched after something large was deleted.
const AFTERMATH: Duration = Duration::from_secs(4);
/// Memory that may stay resident when all was deleted, in MB.
const LEFT_MB_MAX: f64 = 32.0;

/// A type of value.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    /// Adds an element.
    add: fn(usize) -> Vec<u8>,
    /// Removes it again.
    remove: fn(usize) -> Vec<u8>,
    /// Deletes what is left.
    delete: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "pause-keys",
        add: |number| loader::set_16_16(number, &[]),
        remove: |number| encode(&["DEL", &format!("key:{number:012}")]),
        delete: &["FLUSHALL"],
    },
    Kind {
        name: "pause-hash",
        add: |number| encode(&["HSET", "key", &member(number), "value:0123456789"]),
        remove: |number| encode(&["HDEL", "key", &member(number)]),
        delete: &["DEL", "key"],
    },
    Kind {
        name: "pause-set",
        add: |number| encode(&["SADD", "key", &member(number)]),
        remove: |number| encode(&["SREM", "key", &member(number)]),
        delete: &["UNLINK", "key"],
    },
    Kind {
        name: "pause-zset",
        add: |number| encode(&["ZADD", "key", &number.to_string(), &member(number)]),
        remove: |number| encode(&["ZREM", "key", &member(number)]),
        delete: &["DEL", "key"],
    },
    Kind {
        name: "pause-list",
        add: |number| encode(&["RPUSH", "key", &member(number)]),
        remove: |_| encode(&["LPOP", "key"]),
        delete: &["DEL", "key"],
    },
];

/// What was seen of one server.
#[derive(Debug, Default)]
struct Figures {
    /// A pause for each of [`STAGES`].
    pauses: [Pause; STAGES.len()],
    /// Memory that was resident in the end, beyond that at the start.
    left_mb: f64,
}

const STAGES: [&str; 4] = ["idle", "growing", "shrinking", "deleting"];

/// The longest pause, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    /// Processor time of the server.
    busy_us: f64,
    /// By the clock.
    wall_us: f64,
}

/// Adds rows per type of value.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    for kind in KINDS.iter().filter(|kind| options.wants(kind.name)) {
        eprintln!("{}, {} elements", kind.name, options.pause_elements());
        let mut figures = Sides { vesta: Figures::default(), redis: Figures::default() };
        pair.each_alone(&[], 0, &mut figures, |server, figures| {
            watch(kind, options.pause_elements(), server, figures)
        })?;
        let sides = |of: &dyn Fn(&Figures) -> f64| Sides {
            vesta: vec![of(&figures.vesta)],
            redis: vec![of(&figures.redis)],
        };
        for (at, stage) in STAGES.into_iter().enumerate() {
            let pause = |figures: &Figures| figures.pauses.get(at).copied().unwrap_or_default();
            let target = (at > 0).then_some(Target::Figure(US_MAX));
            let name = format!("{} {stage}", kind.name);
            let wall = sides(&|figures| pause(figures).wall_us);
            report.push(&name, "us", sides(&|figures| pause(figures).busy_us), target);
            report.push(format!("{name}, clock"), "us", wall, None);
        }
        let left = Some(Target::Figure(LEFT_MB_MAX));
        report.push(format!("{} left", kind.name), "MB", sides(&|figures| figures.left_mb), left);
    }
    Ok(())
}

fn watch(kind: &Kind, count: usize, server: &Server, figures: &mut Figures) -> io::Result<()> {
    let mut client = loader::client(server)?;
    let pid = server.pid();
    let before = usage::rss_bytes(pid)?;
    let idle = longest(pid, &mut client, pings(AFTERMATH))?;
    let growing = longest(pid, &mut client, (0..count).map(kind.add))?;
    let shrinking = longest(pid, &mut client, (0..count / 4).map(kind.remove))?;
    let delete = std::iter::once(encode(kind.delete));
    let deleting = longest(pid, &mut client, delete.chain(pings(AFTERMATH)))?;
    figures.pauses = [idle, growing, shrinking, deleting];
    usage::at_rest(pid)?;
    let left = usage::rss_bytes(pid)?.saturating_sub(before);
    figures.left_mb = left as f64 / f64::from(1 << 20);
    Ok(())
}

/// PING for so long.
fn pings(time: Duration) -> impl Iterator<Item = Vec<u8>> {
    let ping = encode(&["PING"]);
    let mut end = None;
    std::iter::from_fn(move || {
        let now = Instant::now();
        (now < *end.get_or_insert(now + time)).then(|| ping.clone())
    })
}

/// The longest pause that a pipeline shows.
///
/// The kernel's count of a running thread may lag, so that one pause shows in the figures of two
/// pipelines: these are taken together. Work in the background counts as one pause when the clock
/// went on for long, so that the figures are too high where other processes run.
fn longest(
    pid: u32,
    client: &mut Client,
    requests: impl IntoIterator<Item = Vec<u8>>,
) -> io::Result<Pause> {
    let mut pause = Pause::default();
    let mut failed = None;
    let mut marks = [usage::main_thread_cpu_ns(pid)?; 2];
    loader::send_in_batches(client, requests, PIPELINE, |time| {
        match usage::main_thread_cpu_ns(pid) {
            Ok(now) => {
                let [before, last] = marks;
                pause.busy_us = pause.busy_us.max((now - before) as f64 / 1e3);
                marks = [last, now];
            }
            Err(error) => failed = Some(error),
        }
        pause.wall_us = pause.wall_us.max(time.as_secs_f64() * 1e6);
    })?;
    failed.map_or(Ok(pause), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_end_when_their_time_is_up() {
        assert!(pings(Duration::from_millis(5)).count() > 0);
        assert_eq!(pings(Duration::ZERO).count(), 0);
    }
}
