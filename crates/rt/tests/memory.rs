//! Free memory and the system: it stays until it is asked for, and then goes.

use std::time::{Duration, Instant};

use vesta_rt::alloc::{Heap, Purger, allocated_bytes};
use vesta_rt::process;

#[global_allocator]
static HEAP: Heap = Heap;

const BLOCK_BYTES: usize = 4000;
const BLOCKS: usize = 16_000;
/// What is kept back at most: pages that are half empty.
const REST_BYTES: u64 = 8 << 20;

#[test]
#[expect(clippy::disallowed_methods, reason = "waits with a deadline for what another thread does")]
fn free_memory_stays_until_it_is_asked_for_and_then_goes() {
    let purger = Purger::start().unwrap();
    let rss = || process::usage().rss_bytes;
    let (allocated, before) = (allocated_bytes(), rss());
    let blocks: Vec<Vec<u8>> = (0..BLOCKS).map(|number| vec![number as u8; BLOCK_BYTES]).collect();
    let bytes = allocated_bytes() - allocated;
    assert!(rss() >= before + bytes - REST_BYTES, "the blocks are resident");
    drop(blocks);
    // mimalloc as it comes would give it back a second later, within calls like these.
    let until = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < until {
        std::hint::black_box(vec![1u8; 100_000]);
    }
    assert!(rss() >= before + bytes - REST_BYTES, "free memory has stayed");
    purger.purge();
    let give_up_at = Instant::now() + Duration::from_secs(20);
    while rss() > before + REST_BYTES {
        assert!(Instant::now() < give_up_at, "{} bytes are left", rss() - before);
        std::thread::yield_now();
    }
}
