//! Bytes per key and per element: growth of resident memory while data is loaded.

use std::io;
use std::time::Duration;

use vesta_testkit::client::encode;

use super::Options;
use super::loader;
use super::report::{Report, Target};
use super::servers::{Pair, Sides};
use super::usage;
use super::values::member;

/// Memory must stay the same this long before it counts.
const STILL: Duration = Duration::from_millis(500);
/// Elements of the rows of collections.
const ELEMENTS: usize = 1_000_000;
/// Elements of one collection of a middling size.
const MANY: usize = 200;

/// Something that is loaded, an element with each request.
#[derive(Clone, Copy, Debug)]
struct Load {
    name: &'static str,
    unit: &'static str,
    /// How many, unless the options say how many keys.
    elements: Option<usize>,
    request: fn(usize) -> Vec<u8>,
    target: Target,
}

const fn keys(name: &'static str, request: fn(usize) -> Vec<u8>, bytes_max: f64) -> Load {
    Load { name, unit: "B/key", elements: None, request, target: Target::Figure(bytes_max) }
}

const fn elements(name: &'static str, request: fn(usize) -> Vec<u8>, target: Target) -> Load {
    Load { name, unit: "B/elem", elements: Some(ELEMENTS), request, target }
}

const LOADS: [Load; 9] = [
    keys("memory", |number| loader::set_16_16(number, &[]), 60.0),
    keys("memory-ttl", |number| loader::set_16_16(number, &["EX", "1000000"]), 70.0),
    elements("memory-hash-10", hash_field, Target::Figure(30.0)),
    elements("memory-set-200", |number| set_member(number / MANY, number), Target::Figure(34.0)),
    elements("memory-zset-200", |number| zset_member(number / MANY, number), Target::Figure(60.0)),
    elements("memory-list-200", list_element, Target::Figure(19.0)),
    elements("memory-hash-1m", large_hash_field, Target::Ratio(0.55)),
    elements("memory-set-1m", |number| set_member(0, number), Target::Ratio(0.55)),
    elements("memory-zset-1m", |number| zset_member(0, number), Target::Ratio(0.55)),
];

/// Ten fields to a hash.
fn hash_field(number: usize) -> Vec<u8> {
    let key = format!("hash:{:011}", number / 10);
    encode(&["HSET", &key, &format!("field{}", number % 10), &format!("value:{number:06}")])
}

fn large_hash_field(number: usize) -> Vec<u8> {
    encode(&["HSET", "hash", &format!("field:{number:08}"), "value:0123456789"])
}

fn set_member(set: usize, number: usize) -> Vec<u8> {
    encode(&["SADD", &format!("set:{set:012}"), &member(number)])
}

fn zset_member(set: usize, number: usize) -> Vec<u8> {
    encode(&["ZADD", &format!("zset:{set:011}"), &number.to_string(), &member(number)])
}

fn list_element(number: usize) -> Vec<u8> {
    encode(&["RPUSH", &format!("list:{:011}", number / MANY), &member(number)])
}

/// Adds a row per load.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    for load in LOADS.iter().filter(|load| options.wants(load.name)) {
        eprintln!("{}", load.name);
        let mut samples = Sides { vesta: Vec::new(), redis: Vec::new() };
        for round in 0..options.rounds().min(3) {
            pair.each_alone(&[], round, &mut samples, |server, figures| {
                let mut client = loader::client(server)?;
                let before = usage::settled_rss_bytes(server.pid(), STILL)?;
                let count = load.elements.unwrap_or(options.memory_keys);
                loader::send_all(&mut client, (0..count).map(load.request))?;
                let after = usage::settled_rss_bytes(server.pid(), STILL)?;
                figures.push(after.saturating_sub(before) as f64 / count as f64);
                Ok(())
            })?;
        }
        report.push(load.name, load.unit, samples, Some(load.target));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_get_as_many_elements_as_their_rows_say() {
        let key = |request: Vec<u8>| {
            String::from_utf8(request).unwrap().split("\r\n").nth(4).unwrap().to_owned()
        };
        assert_eq!(key(hash_field(9)), key(hash_field(0)));
        assert_ne!(key(hash_field(10)), key(hash_field(9)));
        assert_eq!(key(list_element(199)), key(list_element(0)));
        assert_ne!(key(list_element(200)), key(list_element(0)));
    }
}
