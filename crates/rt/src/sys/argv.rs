//! The memory in which the kernel left our arguments, which `ps` reads.
//!
//! The kernel puts the argument strings and, right behind them, the environment strings on the
//! stack, and remembers where ([proc(5)], `arg_start` to `env_end`). `/proc/PID/cmdline` is that
//! memory, live: overwriting it changes what `ps` shows. If the byte before `env_start` is not NUL,
//! the kernel reads on into the environment up to the first NUL, so a title may use both, once
//! the environment lives elsewhere.
//!
//! [proc(5)]: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

use std::ffi::{OsStr, OsString};

use super::process::has_other_threads;

/// The memory of the arguments, or of the arguments and the environment.
#[derive(Debug)]
pub(crate) struct ArgvArea {
    start: usize,
    len: usize,
}

impl ArgvArea {
    /// Finds the area and moves the environment out of it.
    ///
    /// Must be called while the process has one thread, and after the arguments were copied:
    /// `std::env::args` reads this memory. `None` where the kernel does not say.
    pub(crate) fn claim() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The second field, the command in parentheses, may hold spaces and parentheses itself.
        let (_, fields) = stat.rsplit_once(") ")?;
        // What follows starts with field 3; the bounds are fields 48 to 51.
        let mut bounds = fields.split_ascii_whitespace().skip(45).map(str::parse::<usize>);
        let mut next = || bounds.next()?.ok();
        let (arg_start, arg_end, env_start, env_end) = (next()?, next()?, next()?, next()?);
        if arg_start == 0 || arg_end <= arg_start {
            return None;
        }
        let end = if env_start == arg_end && env_end > env_start && environment_moved() {
            env_end
        } else {
            arg_end
        };
        Some(Self { start: arg_start, len: end - arg_start })
    }

    /// Puts `title` in place of the arguments, cut to what fits, and clears the rest.
    pub(crate) fn write(&mut self, title: &[u8]) {
        let shown = title.get(..self.len - 1).unwrap_or(title);
        let area = self.start as *mut u8;
        // SAFETY: the kernel mapped start..start+len as our stack, writable, and it stays for the
        // life of the process. Nothing refers to it: the environment strings were copied in
        // `claim`, the arguments before it (as `claim` asks). `shown` is shorter than the area and
        // is not in it, being owned by the caller.
        unsafe {
            core::ptr::copy_nonoverlapping(shown.as_ptr(), area, shown.len());
            core::ptr::write_bytes(area.add(shown.len()), 0, self.len - shown.len());
        }
    }
}

/// Copies every environment string to the heap; false if one cannot be set again.
fn environment_moved() -> bool {
    let kept: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    if has_other_threads() || kept.iter().any(|(name, value)| !is_settable(name, value)) {
        return false;
    }
    // SAFETY: there is no other thread (checked above where /proc is there, and asked of the
    // caller), so nobody reads the environment meanwhile.
    unsafe { libc::clearenv() };
    for (name, value) in kept {
        // SAFETY: as above; the C library copies both strings.
        unsafe { std::env::set_var(name, value) };
    }
    true
}

/// What `set_var` would panic on.
fn is_settable(name: &OsStr, value: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.is_empty() && !name.contains(&b'=') && !value.as_encoded_bytes().contains(&0)
}
