//! Threads that read and write sockets.

use crate::Opt;

pub(super) const OPTIONS: &[Opt] = &[
    number!("io-threads", io_threads, 1..=128).start(),
    yes_no!("io-threads-do-reads", io_threads_do_reads).start(),
];
