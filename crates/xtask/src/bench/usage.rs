//! What a process used, as the kernel tells.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use vesta_testkit::wait;

/// Processor time of all threads of a process since its start, in nanoseconds.
pub(super) fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        total += task_cpu_ns(&task?.path())?;
    }
    Ok(total)
}

/// Processor time of the first thread of a process since its start, in nanoseconds.
pub(super) fn main_thread_cpu_ns(pid: u32) -> io::Result<u64> {
    task_cpu_ns(Path::new(&format!("/proc/{pid}/task/{pid}")))
}

fn task_cpu_ns(task: &Path) -> io::Result<u64> {
    let line = fs::read_to_string(task.join("schedstat"))?;
    let spent = line.split(' ').next().and_then(|word| word.parse::<u64>().ok());
    spent.ok_or_else(|| io::Error::other("schedstat has another form"))
}

/// Resident memory in bytes.
pub(super) fn rss_bytes(pid: u32) -> io::Result<u64> {
    memory(pid, "VmRSS:")
}

/// The most resident memory there was since the start or [`reset_peak`], in bytes.
pub(super) fn peak_bytes(pid: u32) -> io::Result<u64> {
    memory(pid, "VmHWM:")
}

/// Has the peak counted from now on.
pub(super) fn reset_peak(pid: u32) -> io::Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")
}

fn memory(pid: u32, name: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    bytes_in(&status, name).ok_or_else(|| io::Error::other(format!("no {name}")))
}

fn bytes_in(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Longest wait for a server to come to rest.
const REST_WITHIN: Duration = Duration::from_secs(20);

/// Waits until the process is idle: what it still had to free or move is done.
pub(super) fn at_rest(pid: u32) -> io::Result<()> {
    let mut before = cpu_ns(pid)?;
    for _ in 0..100 {
        pass(Duration::from_millis(50));
        let now = cpu_ns(pid)?;
        if now - before < 1_000_000 {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

/// Resident memory once it has not changed for `still`.
pub(super) fn settled_rss_bytes(pid: u32, still: Duration) -> io::Result<u64> {
    at_rest(pid)?;
    let step = Duration::from_millis(100);
    let mut last = rss_bytes(pid)?;
    let (mut unchanged, mut waited) = (Duration::ZERO, Duration::ZERO);
    while unchanged < still && waited < REST_WITHIN {
        pass(step);
        waited += step;
        let now = rss_bytes(pid)?;
        unchanged = if now == last { unchanged + step } else { Duration::ZERO };
        last = now;
    }
    Ok(last)
}

/// Lets time pass.
pub(super) fn pass(time: Duration) {
    let _: Option<()> = wait::until(time, || None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmRSS:\t    12 kB\nVmSize: 3 kB\n";
        assert_eq!(bytes_in(status, "VmRSS:"), Some(12 * 1024));
        assert_eq!(bytes_in("Name:\tx\n", "VmRSS:"), None);
    }

    #[test]
    fn our_own_usage_grows_with_work() {
        let pid = std::process::id();
        let before = cpu_ns(pid).unwrap();
        let more =
            wait::until(Duration::from_secs(10), || (cpu_ns(pid).ok()? > before).then_some(()));
        assert!(more.is_some() && rss_bytes(pid).unwrap() > 0);
    }
}
