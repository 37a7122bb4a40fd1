//! Memory: the allocator, and how many bytes it has handed out.
//!
//! The server counts every byte it allocates (`used_memory`, the measure of `maxmemory`), so the
//! count must cost next to nothing: each thread sums up its own allocations and adds them to the
//! common count when they exceed 16 KiB. A thread reads its own blocks exactly and those of every
//! other thread to 16 KiB. Bytes are those of the size class, not those asked for.
//!
//! Why mimalloc 3, built with 8-byte classes (`-DMI_MAX_ALIGN_SIZE=8`, see `.cargo/config.toml`).
//! Growth of resident memory per block, one million blocks of 40 bytes; the same with 3840 segments
//! of 4 KiB between them (15.7 bytes per block); a free and an allocation of 40 to 64 bytes at a
//! random place among 100,000 blocks:
//!
//! ```text
//!                                     40 bytes    with segments    free + alloc
//! mimalloc 3, 8-byte, small pages       40.1          55.9            26 ns
//! mimalloc 3, 8-byte                    42.0          54.5            25 ns
//! mimalloc 2, 8-byte                    41.9          54.5            52 ns
//! mimalloc 3 as it comes                48.3          62.9            65 ns
//! jemalloc 5.3                          48.6          64.8            53 ns
//! glibc                                 56.1          71.9           176 ns
//! ```
//!
//! The bytes decide: they are the same in every run. The times do not: they are the better of two
//! runs on a busy machine, where two runs of one program differed by up to a factor of two, so they
//! only say that none is much slower. Counting adds 0.7 to 1.9 ns to a call, measured likewise.
//! "Small pages" is the process without transparent huge pages (feature `no_thp`), as we run unless
//! told otherwise: it starts with 2.2 MB resident instead of 6, and resident is what was touched.
//!
//! # Giving memory back
//!
//! mimalloc gives free memory back to the system a second after it has become free, in whatever
//! call for memory comes then, and all that is free at once: after tens of millions of blocks had
//! been freed, that call took 5 to 17 ms. So we have it never do so by itself: a [`Purger`] does,
//! on a thread of its own, when it is asked to. Who has freed much asks.

pub use crate::sys::heap::Heap;

use std::io;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use rustix::process::setpriority_process;

use crate::sys::heap;

/// Bytes that the allocator has handed out and not got back, rounded up to size classes.
///
/// 0 unless [`Heap`] is the global allocator.
#[must_use]
pub fn allocated_bytes() -> u64 {
    heap::allocated_bytes()
}

/// What a block of `size` bytes takes: its size class. For estimates such as `MEMORY USAGE`.
#[must_use]
pub fn block_bytes(size: usize) -> usize {
    usize::try_from(heap::rounded(size)).unwrap_or(size)
}

/// A thread that gives memory which is free but kept for reuse back to the system.
///
/// The thread yields to all others. It hands back stretches of at most 4 MiB, and who allocates
/// meanwhile is served from elsewhere, so that nobody waits for it.
#[derive(Debug)]
pub struct Purger {
    wishes: SyncSender<()>,
}

/// The lowest priority there is.
const NICENESS: i32 = 19;

impl Purger {
    /// Starts the thread. From here on nobody else gives memory back.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub fn start() -> io::Result<Self> {
        let (wishes, asked) = mpsc::sync_channel(1);
        thread::Builder::new().name("purge".to_owned()).spawn(move || {
            // Where it is refused, the thread is only less polite.
            let _ = setpriority_process(None, NICENESS);
            while asked.recv().is_ok() {
                heap::purge();
            }
        })?;
        heap::leave_purging_to_us();
        Ok(Self { wishes })
    }

    /// Asks for all that is free; returns at once. What becomes free while the thread is at it may
    /// need another call.
    pub fn purge(&self) {
        // When it is refused, the same wish waits already.
        let _ = self.wishes.try_send(());
    }
}

/// The allocator and its version, as INFO prints it in `mem_allocator`: `mimalloc-3.3.2`.
#[must_use]
pub fn name() -> String {
    let version = heap::version();
    // Versions are numbered major, two digits minor, two digits patch.
    format!("mimalloc-{}.{}.{}", version / 10_000, version / 100 % 100, version % 100)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_allocator_names_its_version() {
        let name = super::name();
        assert_eq!(name.split('.').count(), 3, "{name}");
        assert!(name.starts_with("mimalloc-3."), "{name}");
    }

    #[test]
    fn a_forty_byte_entry_takes_forty_bytes() {
        assert_eq!(super::block_bytes(40), 40);
        assert_eq!(super::block_bytes(65), 80);
    }
}
