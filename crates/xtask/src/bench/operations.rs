//! Processor time per operation, and throughput, under `redis-benchmark`.

use std::io;
use std::path::Path;

use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::Server;

use super::Options;
use super::loader;
use super::report::{Report, Target};
use super::servers::{Pair, Sides, has_command};
use super::usage;
use crate::process;

/// What there is before the operations begin.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Nothing,
    /// Every key that the operations choose from.
    Strings,
    /// `mylist`, an element per operation.
    List,
    /// `myset`, a member per key.
    Set,
    /// `myzset`, a member per key.
    SortedSet,
}

/// One operation of redis-benchmark's list.
#[derive(Clone, Copy, Debug)]
struct Operation {
    name: &'static str,
    /// Without it the operation is left out.
    command: &'static str,
    fill: Fill,
    /// Sent as it is, instead of redis-benchmark's own test of that name.
    sends: &'static [&'static str],
    /// The number of operations is divided by this: for long ones.
    heavy: usize,
}

const fn operation(name: &'static str, command: &'static str, fill: Fill) -> Operation {
    Operation { name, command, fill, sends: &[], heavy: 1 }
}

const fn lrange(name: &'static str, last: &'static [&'static str], heavy: usize) -> Operation {
    Operation { name, command: "lrange", fill: Fill::List, sends: last, heavy }
}

const GET: Operation = operation("get", "get", Fill::Strings);
const SET: Operation = operation("set", "set", Fill::Strings);

/// The rest of the list.
const OTHERS: [Operation; 17] = [
    operation("ping_inline", "ping", Fill::Nothing),
    operation("ping_mbulk", "ping", Fill::Nothing),
    operation("incr", "incr", Fill::Nothing),
    Operation { heavy: 5, ..operation("mset", "mset", Fill::Strings) },
    operation("lpush", "lpush", Fill::Nothing),
    operation("rpush", "rpush", Fill::Nothing),
    operation("lpop", "lpop", Fill::List),
    operation("rpop", "rpop", Fill::List),
    operation("sadd", "sadd", Fill::Nothing),
    operation("hset", "hset", Fill::Nothing),
    operation("spop", "spop", Fill::Set),
    operation("zadd", "zadd", Fill::Nothing),
    operation("zpopmin", "zpopmin", Fill::SortedSet),
    lrange("lrange_100", &["LRANGE", "mylist", "0", "99"], 10),
    lrange("lrange_300", &["LRANGE", "mylist", "0", "299"], 30),
    lrange("lrange_500", &["LRANGE", "mylist", "0", "499"], 50),
    lrange("lrange_600", &["LRANGE", "mylist", "0", "599"], 60),
];

/// An operation at a pipeline depth, with the most it may cost relative to Redis.
#[derive(Clone, Copy, Debug)]
struct Case {
    operation: Operation,
    pipeline: usize,
    ratio_max: f64,
}

impl Case {
    fn name(&self) -> String {
        format!("{}-p{}", self.operation.name, self.pipeline)
    }

    /// Operations of one figure: about the same time at every depth; whole pipelines.
    fn count(&self, options: &Options) -> usize {
        let more = match self.pipeline {
            0..=1 => 1,
            2..=16 => 6,
            _ => 12,
        };
        let count = match self.operation.fill {
            // Not more than there are members to take.
            Fill::Set | Fill::SortedSet => options.keys,
            Fill::Nothing | Fill::Strings | Fill::List => options.requests * more,
        };
        (count / self.operation.heavy).next_multiple_of(self.pipeline.max(1))
    }
}

fn cases() -> Vec<Case> {
    let depths = [(1, 0.85), (16, 0.62), (64, 0.50)];
    let main = depths.into_iter().flat_map(|(pipeline, ratio_max)| {
        [GET, SET].map(|operation| Case { operation, pipeline, ratio_max })
    });
    let others = OTHERS.map(|operation| Case { operation, pipeline: 16, ratio_max: 0.80 });
    main.chain(others).collect()
}

/// What one run of the load generator showed.
#[derive(Clone, Copy, Debug)]
struct Figure {
    cpu_ns_per_op: f64,
    ops_per_s: f64,
}

/// A server under load and its figures, per case.
struct Side {
    server: Server,
    control: Client,
    figures: Vec<Vec<Figure>>,
}

/// Adds two rows per operation that both servers have.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    let mut wanted = cases();
    wanted.retain(|case| options.wants(&case.name()));
    if wanted.is_empty() {
        return Ok(());
    }
    let Sides { vesta, redis } = pair.start(&[])?;
    let mut sides = Sides { vesta: Side::new(vesta)?, redis: Side::new(redis)? };
    let cases = sides.supported(wanted)?;
    for round in 0..options.rounds() {
        for (index, case) in cases.iter().enumerate() {
            eprintln!("round {}: {}", round + 1, case.name());
            for side in sides.in_order(round) {
                let figure = side.figure(options, case)?;
                side.figures.resize(cases.len(), Vec::new());
                side.figures.get_mut(index).expect("resized just above").push(figure);
            }
        }
    }
    let figures = sides.map(|side| side.figures);
    for ((case, vesta), redis) in cases.iter().zip(figures.vesta).zip(figures.redis) {
        let both = Sides { vesta, redis };
        let pick = |of: fn(&Figure) -> f64| Sides {
            vesta: both.vesta.iter().map(of).collect(),
            redis: both.redis.iter().map(of).collect(),
        };
        let target = Some(Target::Ratio(case.ratio_max));
        report.push(case.name(), "ns/op", pick(|figure| figure.cpu_ns_per_op), target);
        report.push(format!("{} rate", case.name()), "op/s", pick(|figure| figure.ops_per_s), None);
    }
    Ok(())
}

impl Sides<Side> {
    /// Leaves out, and names, what one of the servers does not know.
    fn supported(&mut self, wanted: Vec<Case>) -> io::Result<Vec<Case>> {
        let mut cases = Vec::new();
        for case in wanted {
            let command = case.operation.command;
            if has_command(&mut self.vesta.control, command)?
                && has_command(&mut self.redis.control, command)?
            {
                cases.push(case);
            } else {
                eprintln!("left out: {} ({command} is not there)", case.name());
            }
        }
        Ok(cases)
    }
}

impl Side {
    fn new(server: Server) -> io::Result<Self> {
        let control = loader::client(&server)?;
        Ok(Self { server, control, figures: Vec::new() })
    }

    fn figure(&mut self, options: &Options, case: &Case) -> io::Result<Figure> {
        let count = case.count(options);
        loader::flush(&mut self.control)?;
        loader::send_all(&mut self.control, filling(case.operation.fill, options.keys, count))?;
        let pid = self.server.pid();
        usage::at_rest(pid)?;
        let before = usage::cpu_ns(pid)?;
        let ops_per_s = self.load(options, case, count)?;
        let spent = usage::cpu_ns(pid)? - before;
        Ok(Figure { cpu_ns_per_op: spent as f64 / count as f64, ops_per_s })
    }

    /// Runs the load generator; the rate it reports.
    fn load(&self, options: &Options, case: &Case, count: usize) -> io::Result<f64> {
        let port = self.server.address().port();
        let numbers = [
            ("-p", usize::from(port)),
            ("-c", options.clients),
            ("-n", count),
            ("-P", case.pipeline),
            ("-r", options.keys),
        ];
        let mut args = vec!["-h".to_owned(), "127.0.0.1".to_owned(), "--csv".to_owned()];
        for (flag, number) in numbers {
            args.extend([flag.to_owned(), number.to_string()]);
        }
        match case.operation.sends {
            [] => args.extend(["-t".to_owned(), case.operation.name.to_owned()]),
            words => args.extend(words.iter().map(|word| (*word).to_owned())),
        }
        let printed = process::output(Path::new("."), "redis-benchmark", &args)?;
        rate_in(&printed)
            .ok_or_else(|| io::Error::other(format!("{}: no rate in\n{printed}", case.name())))
    }
}

/// The second column of the last line, `"GET","123456.00",...`.
fn rate_in(csv: &str) -> Option<f64> {
    csv.lines().next_back()?.split("\",\"").nth(1)?.parse().ok()
}

/// Requests that make what is there before. Key names are those that redis-benchmark uses.
fn filling(fill: Fill, keys: usize, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let len = match fill {
        Fill::Nothing => 0,
        Fill::List => count,
        Fill::Strings | Fill::Set | Fill::SortedSet => keys,
    };
    (0..len).map(move |number| {
        let element = format!("element:{number:012}");
        match fill {
            Fill::Nothing | Fill::Strings => loader::set_16_16(number, &[]),
            Fill::List => encode(&["RPUSH", "mylist", "VXK"]),
            Fill::Set => encode(&["SADD", "myset", &element]),
            Fill::SortedSet => encode(&["ZADD", "myzset", &number.to_string(), &element]),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_the_last_line() {
        let csv = "\"test\",\"rps\",\"avg\"\n\"GET\",\"90909.09\",\"0.3\"\n";
        assert_eq!(rate_in(csv), Some(90909.09));
        assert_eq!(rate_in("\"test\",\"rps\"\n"), None);
        assert_eq!(rate_in(""), None);
    }

    #[test]
    fn every_operation_of_the_list_has_one_name_and_whole_pipelines() {
        let mut names: Vec<String> = cases().iter().map(Case::name).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(filling(Fill::Set, 3, 9).count(), 3);
        assert_eq!(filling(Fill::List, 3, 9).count(), 9);
    }
}
