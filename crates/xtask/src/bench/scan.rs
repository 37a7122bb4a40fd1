//! SCAN over many keys while the table grows and shrinks, and the longest pause anybody sees.
//!
//! One thread loads, writes and scans in small steps; another asks PING in a loop. The keys that
//! were there from the first to the last step must all be found, in both passes: the first adds
//! keys between the steps, the second takes them away again.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::Server;
use vesta_testkit::value::Value;

use super::Options;
use super::loader;
use super::report::{Report, Target};
use super::servers::{Pair, Sides};

/// Keys asked of one SCAN: few, so that a pause is the server's and not the step's.
const COUNT: &str = "100";
/// Keys written between two SCANs.
const WRITES: usize = 50;
/// The thread that loads gives way to the one that measures.
const LOAD_NICENESS: i32 = 10;

#[derive(Debug, Default)]
struct Figures {
    missing: Vec<f64>,
    loading_pause_us: Vec<f64>,
    scanning_pause_us: Vec<f64>,
}

/// Adds the rows.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    if !options.wants("scan") {
        return Ok(());
    }
    let keys = options.scan_keys();
    eprintln!("scan, {keys} keys");
    let mut figures = Sides { vesta: Figures::default(), redis: Figures::default() };
    pair.each_alone(&[], 0, &mut figures, |server, figures| {
        let (loaded, pause) = longest_pause(server, |client| {
            loader::send_all(client, (0..keys).map(|number| loader::set_16_16(number, &[])))
        })?;
        loaded?;
        figures.loading_pause_us.push(pause);
        let (missing, pause) = longest_pause(server, |client| scan_under_writes(client, keys))?;
        figures.missing.push(missing? as f64);
        figures.scanning_pause_us.push(pause);
        Ok(())
    })?;
    let Sides { vesta, redis } = figures;
    let both = |vesta, redis| Sides { vesta, redis };
    let none = Some(Target::Figure(0.0));
    report.push("scan missing", "keys", both(vesta.missing, redis.missing), none);
    let pauses = both(vesta.loading_pause_us, redis.loading_pause_us);
    report.push("longest pause, loading", "us", pauses, None);
    let pauses = both(vesta.scanning_pause_us, redis.scanning_pause_us);
    report.push("longest pause, scan", "us", pauses, None);
    Ok(())
}

/// Does `work` over one connection while another asks PING; with the longest answer in
/// microseconds.
fn longest_pause<T: Send>(
    server: &Server,
    work: impl FnOnce(&mut Client) -> T + Send,
) -> io::Result<(T, f64)> {
    let (mut worker, mut asker) = (loader::client(server)?, loader::client(server)?);
    let done = AtomicBool::new(false);
    let mut longest = Duration::ZERO;
    let worked = thread::scope(|scope| {
        let load = scope.spawn(|| {
            // Where it is refused, the figure is only less exact.
            let _ = rustix::process::setpriority_process(None, LOAD_NICENESS);
            let result = work(&mut worker);
            done.store(true, Ordering::Release);
            result
        });
        while !done.load(Ordering::Acquire) && !load.is_finished() {
            let asked_at = Instant::now();
            asker.command(&["PING"])?;
            longest = longest.max(asked_at.elapsed());
        }
        load.join().map_err(|_| io::Error::other("the loading thread failed"))
    })?;
    Ok((worked, longest.as_secs_f64() * 1e6))
}

/// Two passes; how many of the first `keys` keys were missed.
fn scan_under_writes(client: &mut Client, keys: usize) -> io::Result<usize> {
    let mut added = keys..keys;
    let mut missing = scan_once(client, keys, || {
        let fresh = added.end..added.end + WRITES;
        added.end = fresh.end;
        writes(fresh, |number| loader::set_16_16(number, &[]))
    })?;
    missing += scan_once(client, keys, || {
        let old = added.start..added.end.min(added.start + WRITES);
        added.start = old.end;
        writes(old, |number| encode(&["DEL", &format!("key:{number:012}")]))
    })?;
    Ok(missing)
}

fn writes(numbers: Range<usize>, request: impl Fn(usize) -> Vec<u8>) -> Vec<Vec<u8>> {
    numbers.map(request).collect()
}

/// One whole iteration with `between` after each step; keys below `keys` that it did not find.
fn scan_once(
    client: &mut Client,
    keys: usize,
    mut between: impl FnMut() -> Vec<Vec<u8>>,
) -> io::Result<usize> {
    let mut seen = vec![false; keys];
    let mut cursor = b"0".to_vec();
    loop {
        let reply = client.command(&[b"SCAN", cursor.as_slice(), b"COUNT", COUNT.as_bytes()])?;
        let (next, found) = parts(&reply).ok_or_else(|| io::Error::other("SCAN: other reply"))?;
        for key in found {
            if let Some(seen) = number_in(key).and_then(|number| seen.get_mut(number)) {
                *seen = true;
            }
        }
        cursor = next.to_vec();
        loader::send_all(client, between())?;
        if cursor == b"0" {
            return Ok(seen.iter().filter(|seen| !**seen).count());
        }
    }
}

/// Cursor and keys of a reply of SCAN.
fn parts(reply: &Value) -> Option<(&[u8], &[Value])> {
    let [cursor, keys] = reply.items()? else { return None };
    Some((cursor.text()?, keys.items()?))
}

fn number_in(key: &Value) -> Option<usize> {
    str::from_utf8(key.text()?).ok()?.strip_prefix("key:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_taken_apart() {
        let key = Value::Bulk(b"key:000000000042".to_vec());
        let reply =
            Value::Array(vec![Value::Bulk(b"17".to_vec()), Value::Array(vec![key.clone()])]);
        assert_eq!(parts(&reply), Some((b"17".as_slice(), [key.clone()].as_slice())));
        assert_eq!(number_in(&key), Some(42));
        assert_eq!(number_in(&Value::Bulk(b"other".to_vec())), None);
        assert_eq!(parts(&Value::Int(1)), None);
    }
}
