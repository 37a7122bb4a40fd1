//! Processor time of single commands on large values.
//!
//! All values are made once; then each round sends the same requests to both servers, over one
//! connection. Long requests go one at a time, short ones in pipelines.

use std::io;

use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::Server;

use super::Options;
use super::loader;
use super::report::{Report, Target};
use super::servers::{Pair, Sides, has_command};
use super::usage;
use super::values::{self, Data, scattered};

/// Both servers may take the same time.
const RATIO_MAX: f64 = 1.0;

/// A request and what it works on.
#[derive(Clone, Copy, Debug)]
struct Case {
    name: &'static str,
    /// Without these the row is left out.
    commands: &'static [&'static str],
    data: &'static [Data],
    /// The request of this number, in words.
    request: fn(usize) -> Vec<String>,
    /// Requests of one figure.
    count: usize,
    pipeline: usize,
}

/// A request that is the same each time.
macro_rules! fixed {
    ($($word:literal)+) => { |_| [$($word),+].map(str::to_owned).into() };
}

const CASES: [Case; 16] = [
    Case {
        name: "zrank-1m",
        commands: &["zrank"],
        data: &[Data::SortedSet1M],
        request: |number| words(["ZRANK", "zset:1m", &values::member(scattered(number, MILLION))]),
        count: 100_000,
        pipeline: 16,
    },
    Case {
        name: "zrangebyscore-100",
        commands: &["zrangebyscore"],
        data: &[Data::SortedSet1M],
        request: |number| {
            let low = scattered(number, MILLION - 100);
            words(["ZRANGEBYSCORE", "zset:1m", &low.to_string(), &(low + 99).to_string()])
        },
        count: 10_000,
        pipeline: 16,
    },
    Case {
        // One in eleven members is new the first time.
        name: "zadd-1m",
        commands: &["zadd"],
        data: &[Data::SortedSet1M],
        request: |number| {
            let score = scattered(number.wrapping_mul(3), MILLION).to_string();
            let member = values::member(scattered(number, MILLION / 10 * 11));
            words(["ZADD", "zset:1m", &score, &member])
        },
        count: 100_000,
        pipeline: 16,
    },
    Case {
        name: "zunionstore-100k",
        commands: &["zunionstore"],
        data: &[Data::SortedSets100K],
        request: fixed!["ZUNIONSTORE" "zset:sum" "2" "zset:100k:0" "zset:100k:1"],
        count: 8,
        pipeline: 1,
    },
    Case {
        name: "sinter-100k",
        commands: &["sinter"],
        data: &[Data::Sets100K],
        request: fixed!["SINTER" "set:100k:0" "set:100k:1"],
        count: 10,
        pipeline: 1,
    },
    Case {
        name: "sort-100k",
        commands: &["sort"],
        data: &[Data::Numbers100K],
        request: fixed!["SORT" "numbers:100k"],
        count: 10,
        pipeline: 1,
    },
    Case {
        name: "hgetall-1000",
        commands: &["hgetall"],
        data: &[Data::Hash1000],
        request: fixed!["HGETALL" "hash:1000"],
        count: 2000,
        pipeline: 4,
    },
    Case {
        name: "xrange-1000",
        commands: &["xrange", "xadd"],
        data: &[Data::Stream1000],
        request: fixed!["XRANGE" "stream:1000" "-" "+"],
        count: 1000,
        pipeline: 4,
    },
    Case {
        name: "bitcount-10mb",
        commands: &["bitcount"],
        data: &[Data::Bits],
        request: fixed!["BITCOUNT" "bits:0"],
        count: 100,
        pipeline: 1,
    },
    Case {
        name: "bitop-and-10mb",
        commands: &["bitop"],
        data: &[Data::Bits],
        request: fixed!["BITOP" "AND" "bits:and" "bits:0" "bits:1"],
        count: 30,
        pipeline: 1,
    },
    Case {
        name: "bitop-not-10mb",
        commands: &["bitop"],
        data: &[Data::Bits],
        request: fixed!["BITOP" "NOT" "bits:not" "bits:0"],
        count: 30,
        pipeline: 1,
    },
    Case {
        name: "bitpos-10mb",
        commands: &["bitpos", "setbit"],
        data: &[Data::Zeros],
        request: fixed!["BITPOS" "bits:zero" "1"],
        count: 100,
        pipeline: 1,
    },
    Case {
        name: "pfcount-10",
        commands: &["pfcount", "pfadd"],
        data: &[Data::Counters],
        request: |_| {
            let keys = (0..10).map(|number| format!("counter:{number}"));
            std::iter::once("PFCOUNT".to_owned()).chain(keys).collect()
        },
        count: 1000,
        pipeline: 4,
    },
    Case {
        name: "pfmerge-2",
        commands: &["pfmerge", "pfadd"],
        data: &[Data::Counters],
        request: fixed!["PFMERGE" "counter:sum" "counter:0" "counter:1"],
        count: 2000,
        pipeline: 4,
    },
    Case {
        name: "pfadd",
        commands: &["pfadd"],
        data: &[Data::Counters],
        request: |number| words(["PFADD", "counter:own", &values::member(number)]),
        count: 100_000,
        pipeline: 16,
    },
    Case {
        name: "geosearch-100k",
        commands: &["geosearch", "geoadd"],
        data: &[Data::Points100K],
        request: |number| {
            let [longitude, latitude] = values::point(number.wrapping_mul(7));
            let place = ["GEOSEARCH", "points:100k", "FROMLONLAT", &longitude, &latitude];
            words([&place[..], &["BYRADIUS", "100", "km", "ASC"]].concat())
        },
        count: 1000,
        pipeline: 4,
    },
];

const MILLION: usize = 1_000_000;

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

struct Side {
    server: Server,
    client: Client,
    figures: Vec<Vec<f64>>,
}

/// Adds a row per case whose commands both servers have.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    let mut cases: Vec<Case> = CASES.into_iter().filter(|case| options.wants(case.name)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    let servers = pair.start(&[])?;
    let mut sides = Sides { vesta: Side::new(servers.vesta)?, redis: Side::new(servers.redis)? };
    for side in sides.in_order(0) {
        side.leave_out_unknown(&mut cases)?;
    }
    let mut data: Vec<Data> = cases.iter().flat_map(|case| case.data).copied().collect();
    data.sort_unstable();
    data.dedup();
    for side in sides.in_order(0) {
        for data in &data {
            eprintln!("filling: {data:?}");
            loader::send_all(&mut side.client, data.requests())?;
        }
        side.figures = vec![Vec::new(); cases.len()];
    }
    for round in 0..options.rounds() {
        for (index, case) in cases.iter().enumerate() {
            eprintln!("round {}: {}", round + 1, case.name);
            for side in sides.in_order(round) {
                let figure = side.figure(case)?;
                side.figures.get_mut(index).expect("a place per case").push(figure);
            }
        }
    }
    let Sides { vesta, redis } = sides.map(|side| side.figures);
    for ((case, vesta), redis) in cases.iter().zip(vesta).zip(redis) {
        let samples = Sides { vesta, redis };
        report.push(case.name, "ns/op", samples, Some(Target::Ratio(RATIO_MAX)));
    }
    Ok(())
}

impl Side {
    fn new(server: Server) -> io::Result<Self> {
        let client = loader::client(&server)?;
        Ok(Self { server, client, figures: Vec::new() })
    }

    fn leave_out_unknown(&mut self, cases: &mut Vec<Case>) -> io::Result<()> {
        let mut known = Vec::new();
        for case in cases.drain(..) {
            let mut is_known = true;
            for command in case.commands {
                is_known &= has_command(&mut self.client, command)?;
            }
            if is_known {
                known.push(case);
            } else {
                eprintln!("left out: {} (a command is not there)", case.name);
            }
        }
        *cases = known;
        Ok(())
    }

    /// Processor nanoseconds per request.
    fn figure(&mut self, case: &Case) -> io::Result<f64> {
        let requests: Vec<Vec<u8>> =
            (0..case.count).map(|number| encode(&(case.request)(number))).collect();
        let pid = self.server.pid();
        usage::at_rest(pid)?;
        let before = usage::cpu_ns(pid)?;
        loader::send_in_batches(&mut self.client, requests, case.pipeline, |_| ())?;
        Ok((usage::cpu_ns(pid)? - before) as f64 / case.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_are_those_of_their_rows() {
        for case in CASES {
            let request = (case.request)(7);
            let name = request.first().unwrap().to_lowercase();
            assert!(case.commands.contains(&name.as_str()), "{}", case.name);
            assert!(case.name.starts_with(&name), "{}", case.name);
            assert_eq!(case.count % case.pipeline, 0, "{}", case.name);
        }
    }
}
