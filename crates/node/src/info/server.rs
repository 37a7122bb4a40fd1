//! `# Server`

use super::Facts;
use crate::REDIS_VERSION;
use alloc::string::String;
use core::fmt::Write as _;

pub(super) fn write(facts: &Facts<'_>, out: &mut String) {
    let Facts { server, now, .. } = facts;
    let process = &server.process;
    let uptime_s = now.mono.since_us(server.started.mono) / 1_000_000;
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "# Server\r\nredis_version:{REDIS_VERSION}\r\nserver_name:vesta\r\nvesta_version:{}\r\n\
         redis_mode:standalone\r\nos:{}\r\narch_bits:{}\r\nmultiplexing_api:{}\r\n\
         process_id:{}\r\nrun_id:{}\r\ntcp_port:{}\r\nserver_time_usec:{}\r\n\
         uptime_in_seconds:{uptime_s}\r\nuptime_in_days:{}\r\nhz:{}\r\nconfigured_hz:{}\r\n\
         executable:{}\r\nconfig_file:{}\r\n",
        env!("CARGO_PKG_VERSION"),
        process.os,
        process.arch_bits,
        process.multiplexing,
        process.pid,
        server.run_id,
        server.config.port,
        now.unix.0,
        uptime_s / 86_400,
        server.config.hz,
        server.config.hz,
        process.executable,
        process.config_file,
    );
}
