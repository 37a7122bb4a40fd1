//! Saving while clients write: how long it takes, what it costs them, and how much memory.
//!
//! Some tens of connections send a request each and wait for all replies: SET, GET, HSET and ZADD,
//! on keys that are there. They do so as fast as they can, without a save and while one is under
//! way; and then half as fast. A stall of the server is a stall of all of them, so what counts is
//! how long such a round takes. The memory of a save is the most that is resident while it lasts,
//! with what a process that was forked off for it has got of its own.
//!
//! It takes long, and the stalls mean something on a quiet machine only: it is measured when it is
//! asked for by name.

use std::io;
use std::time::{Duration, Instant};

use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::Server;
use vesta_testkit::value::Value;

use super::Options;
use super::loader;
use super::report::{Report, Target};
use super::servers::{Pair, Sides};
use super::usage;
use super::values::{filled, member, scattered};

const NAME: &str = "save";
/// Connections, and so requests of a round.
const CONNECTIONS: usize = 40;
/// How long the server is measured without a save.
const CALM: Duration = Duration::from_secs(3);
/// How often it is asked whether a save is over.
const QUESTION_EVERY: Duration = Duration::from_millis(20);

/// How long a save may take, beside that of Redis.
const TIME_RATIO_MAX: f64 = 1.0;
/// How many times as long a round may take while there is a save.
const SLOWDOWN_MAX: f64 = 1.25;
/// The longest round but for one in ten thousand, in microseconds.
const STALL_US_MAX: f64 = 2000.0;
/// How many times as much memory there may be as before.
const MEMORY_RATIO_MAX: f64 = 1.10;

/// Keys of each kind in a unit of some 350 KB.
const STRINGS: usize = 1000;
const RECORDS: usize = 100;
const COLLECTIONS: usize = 5;
const MEMBERS: usize = 200;
const UNITS_PER_GB: usize = 3000;

/// What was seen of one server.
#[derive(Debug, Default)]
struct Figures {
    /// Seconds that a save takes when nobody asks for anything.
    idle_s: Vec<f64>,
    full: Load,
    half: Load,
}

/// What was seen at one speed.
#[derive(Debug, Default)]
struct Load {
    save_s: Vec<f64>,
    /// How many times as long a round takes on average while there is a save.
    slowdown: Vec<f64>,
    calm: Stalls,
    saving: Stalls,
    memory_ratio: Vec<f64>,
}

/// The longest rounds, in microseconds.
#[derive(Debug, Default)]
struct Stalls {
    /// Of ten thousand rounds, one was longer.
    rare: Vec<f64>,
    longest: Vec<f64>,
}

/// Adds the rows, when they are asked for.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    if !options.only.iter().any(|wanted| NAME.starts_with(wanted.as_str())) {
        return Ok(());
    }
    let units = options.save_mb().saturating_mul(UNITS_PER_GB) / 1024;
    let mut figures = Sides { vesta: Figures::default(), redis: Figures::default() };
    for round in 0..options.rounds() {
        eprintln!("saving {} MB, round {} of {}", options.save_mb(), round + 1, options.rounds());
        pair.each_alone(&[], round, &mut figures, |server, figures| watch(units, server, figures))?;
    }
    let sides = |of: &dyn Fn(&Figures) -> &Vec<f64>| Sides {
        vesta: of(&figures.vesta).clone(),
        redis: of(&figures.redis).clone(),
    };
    let time = Some(Target::Ratio(TIME_RATIO_MAX));
    report.push("save alone", "s", sides(&|it| &it.idle_s), time);
    push(report, "full", |of| sides(&|it| of(&it.full)), Some(SLOWDOWN_MAX), None);
    push(report, "half", |of| sides(&|it| of(&it.half)), None, Some(STALL_US_MAX));
    Ok(())
}

/// The rows of one speed.
fn push(
    report: &mut Report,
    speed: &str,
    sides: impl Fn(fn(&Load) -> &Vec<f64>) -> Sides<Vec<f64>>,
    slowdown_max: Option<f64>,
    stall_us_max: Option<f64>,
) {
    let mut row = |what: &str, unit, of, target| {
        report.push(format!("save-{speed} {what}"), unit, sides(of), target);
    };
    row("time", "s", |load| &load.save_s, None);
    row("slowdown", "x", |load| &load.slowdown, slowdown_max.map(Target::Figure));
    row("p99.99", "us", |load| &load.saving.rare, stall_us_max.map(Target::Figure));
    row("longest", "us", |load| &load.saving.longest, None);
    row("calm p99.99", "us", |load| &load.calm.rare, None);
    row("calm longest", "us", |load| &load.calm.longest, None);
    row("memory", "x", |load| &load.memory_ratio, Some(Target::Figure(MEMORY_RATIO_MAX)));
}

fn watch(units: usize, server: &Server, figures: &mut Figures) -> io::Result<()> {
    let mut client = loader::client(server)?;
    loader::send_all(&mut client, (0..units).flat_map(unit))?;
    usage::at_rest(server.pid())?;
    let mut save = Save::begin(&mut client)?;
    while save.goes_on()? {
        usage::pass(QUESTION_EVERY);
    }
    figures.idle_s.push(save.took_s());
    let mut crowd = Crowd::new(server, units)?;
    let round_us = crowd.watch(server, &mut client, 0.0, &mut figures.full)?;
    crowd.watch(server, &mut client, 2.0 * round_us, &mut figures.half)?;
    Ok(())
}

/// The requests that make some keys of each kind.
fn unit(unit: usize) -> Vec<Vec<u8>> {
    let text = |index: usize, len: usize| format!("text:{:0>len$}", scattered(index, 1_000_000));
    let strings = (unit * STRINGS..(unit + 1) * STRINGS)
        .map(|key| encode(&["SET", &string_key(key), &text(key, key % 100)]));
    let records = (unit * RECORDS..(unit + 1) * RECORDS).map(|key| {
        let fields = (0..10).flat_map(|field| [format!("field:{field}"), text(key + field, 10)]);
        let head = ["HSET".to_owned(), record_key(key)];
        encode(&head.into_iter().chain(fields).collect::<Vec<_>>())
    });
    let name = |kind: &str, number| format!("{kind}:{:012}", unit * COLLECTIONS + number);
    let collections = (0..COLLECTIONS).flat_map(|number| {
        let members = || number * 31..number * 31 + MEMBERS;
        let scored = |index: usize| vec![scattered(index, 1000).to_string(), member(index)];
        [
            filled("ZADD", &name("zset", number), members(), &scored),
            filled("SADD", &name("set", number), members(), &|index| vec![member(index)]),
            filled("RPUSH", &name("list", number), members(), &|index| vec![text(index, 16)]),
        ]
        .concat()
    });
    let fields = |index: usize| vec![format!("field:{index}"), text(index, 16)];
    let large = filled("HSET", &format!("large:{unit:012}"), 0..1000, &fields);
    strings.chain(records).chain(collections).chain(large).collect()
}

fn string_key(number: usize) -> String {
    format!("key:{number:012}")
}

fn record_key(number: usize) -> String {
    format!("record:{number:012}")
}

/// A save that was begun.
struct Save<'c> {
    client: &'c mut Client,
    began: Instant,
    asked: Instant,
    /// Seconds that it took, to the moment when it was found to be over.
    took_s: Option<f64>,
}

impl<'c> Save<'c> {
    fn begin(client: &'c mut Client) -> io::Result<Self> {
        loader::send_all(client, [encode(&["BGSAVE"])])?;
        let now = Instant::now();
        Ok(Self { client, began: now, asked: now, took_s: None })
    }

    /// Whether it is not known to be over; asks now and then.
    fn goes_on(&mut self) -> io::Result<bool> {
        if self.took_s.is_none() && self.asked.elapsed() >= QUESTION_EVERY {
            self.asked = Instant::now();
            if self.figure("rdb_bgsave_in_progress")? == Some(0) {
                self.took_s = Some(self.began.elapsed().as_secs_f64());
            }
        }
        Ok(self.took_s.is_none())
    }

    fn took_s(&self) -> f64 {
        self.took_s.unwrap_or(f64::NAN)
    }

    /// A number of INFO's section about saving.
    fn figure(&mut self, name: &str) -> io::Result<Option<u64>> {
        let info = self.client.command(&["INFO", "persistence"])?;
        let Value::Bulk(text) = info else { return Ok(None) };
        let text = String::from_utf8_lossy(&text);
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(value.and_then(|value| value.trim().parse().ok()))
    }
}

/// Connections that send requests in step.
struct Crowd {
    clients: Vec<Client>,
    units: usize,
    /// Requests sent.
    sent: usize,
}

impl Crowd {
    fn new(server: &Server, units: usize) -> io::Result<Self> {
        let clients: io::Result<Vec<_>> =
            (0..CONNECTIONS).map(|_| loader::client(server)).collect();
        Ok(Self { clients: clients?, units, sent: 0 })
    }

    /// Goes on without a save, then with one until it is over. A round begins `every_us` after
    /// the one before, or when that is over. Microseconds that a round takes without a save.
    fn watch(
        &mut self,
        server: &Server,
        client: &mut Client,
        every_us: f64,
        load: &mut Load,
    ) -> io::Result<f64> {
        let end = Instant::now() + CALM;
        let calm = self.rounds(every_us, || Ok(Instant::now() < end))?;
        let before = usage::rss_bytes(server.pid())?;
        usage::reset_peak(server.pid())?;
        let mut save = Save::begin(client)?;
        let saving = self.rounds(every_us, || save.goes_on())?;
        load.save_s.push(save.took_s());
        let peak = usage::peak_bytes(server.pid())?;
        let copied = save.figure("rdb_last_cow_size")?.unwrap_or(0);
        load.memory_ratio.push((peak + copied) as f64 / before as f64);
        load.slowdown.push(mean(&saving) / mean(&calm));
        load.calm.note(&calm);
        load.saving.note(&saving);
        Ok(mean(&calm))
    }

    /// Sends a request over each connection and reads the replies, while `goes_on`. Microseconds
    /// of each round.
    fn rounds(
        &mut self,
        every_us: f64,
        mut goes_on: impl FnMut() -> io::Result<bool>,
    ) -> io::Result<Vec<f64>> {
        let mut times = Vec::new();
        while goes_on()? {
            let began = Instant::now();
            let Self { clients, units, sent } = self;
            for client in clients.iter_mut() {
                *sent += 1;
                client.send_raw(&request(*sent, *units))?;
            }
            for client in clients.iter_mut() {
                client.reply()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            times.push(began.elapsed().as_secs_f64() * 1e6);
            while began.elapsed().as_secs_f64() * 1e6 < every_us {
                std::hint::spin_loop();
            }
        }
        Ok(times)
    }
}

/// A request about a key that is there.
fn request(number: usize, units: usize) -> Vec<u8> {
    let key = |per_unit: usize| scattered(number, units * per_unit);
    match number % 4 {
        0 => encode(&["SET", &string_key(key(STRINGS)), "value:0123456789"]),
        1 => encode(&["GET", &string_key(key(STRINGS))]),
        2 => encode(&["HSET", &record_key(key(RECORDS)), "field:3", "value"]),
        _ => {
            let zset = format!("zset:{:012}", key(COLLECTIONS));
            encode(&["ZADD", &zset, &(number % 1000).to_string(), &member(number % MEMBERS)])
        }
    }
}

impl Stalls {
    fn note(&mut self, times: &[f64]) {
        let mut sorted = times.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        self.longest.push(at(0));
        self.rare.push(at(sorted.len() / 10_000));
    }
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_round_in_ten_thousand_is_longer_than_the_rare_one() {
        let mut stalls = Stalls::default();
        stalls.note(&(0..10_000).map(f64::from).collect::<Vec<_>>());
        assert_eq!((stalls.longest, stalls.rare), (vec![9999.0], vec![9998.0]));
    }

    #[test]
    fn requests_are_about_keys_that_are_there() {
        let key = |request: Vec<u8>| {
            let text = String::from_utf8(request).unwrap();
            text.split("\r\n").nth(4).unwrap().to_owned()
        };
        let made: Vec<String> = (0..2).flat_map(unit).map(key).collect();
        for number in 0..200 {
            let key = key(request(number, 2));
            assert!(made.contains(&key), "{key}");
        }
    }
}
