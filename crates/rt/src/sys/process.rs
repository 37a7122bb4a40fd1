//! Process calls: fork, resource usage, signal dispositions, local time.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Which side of a fork this is.
pub(crate) enum Side {
    Parent,
    Child,
}

/// Splits the process in two.
///
/// # Errors
/// Out of processes or memory. Refused when there are other threads: in the child their locks
/// would stay locked for ever.
pub(crate) fn fork() -> io::Result<Side> {
    if has_other_threads() {
        return Err(io::Error::other("other threads are running"));
    }
    // SAFETY: the process has one thread (checked above where /proc is there, and asked of the
    // caller), so that no lock is held by a thread that the child lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Child),
        _ => Ok(Side::Parent),
    }
}

/// Whether the process is known to have more than this thread; false where /proc is missing.
pub(crate) fn has_other_threads() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() > 1)
}

/// CPU time of someone, in user and in system mode.
pub(crate) fn cpu_times(who: libc::c_int) -> (Duration, Duration) {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is writable and of the right type; `rusage` is plain integers, so the zeroes
    // it was filled with are a valid value even when the call fails.
    let usage = unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    };
    (duration(usage.ru_utime), duration(usage.ru_stime))
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0))
        + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}

/// Makes the process and its future children ignore a signal.
pub(crate) fn ignore_signal(signal: libc::c_int) -> io::Result<()> {
    // SAFETY: SIG_IGN installs no code.
    match unsafe { libc::signal(signal, libc::SIG_IGN) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Calls `action` in the handler of `signal`.
///
/// `action` must be async-signal-safe: atomics and plain system calls, no allocation, no lock.
pub(crate) fn on_signal(
    signal: libc::c_int,
    action: impl Fn() + Send + Sync + 'static,
) -> io::Result<()> {
    // SAFETY: the one caller (`signals`) passes an action of atomics, `write` and `_exit` only; the
    // crate below saves errno.
    unsafe { signal_hook::low_level::register(signal, action) }.map(drop)
}

/// A moment in the zone that `TZ` or /etc/localtime gives: day of month, month from 0, year, hour,
/// minute, second.
pub(crate) fn local_time(unix_s: i64) -> [i32; 6] {
    let mut parts = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; a zeroed `tm` is a valid value (integers and a
    // null pointer) should the year not fit and the call fail.
    let parts = unsafe {
        libc::localtime_r(&unix_s, parts.as_mut_ptr());
        parts.assume_init()
    };
    [
        parts.tm_mday,
        parts.tm_mon,
        parts.tm_year.saturating_add(1900),
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec,
    ]
}
