//! `# Server`

use super::{Facts, Fields};
use crate::REDIS_VERSION;
use alloc::format;
use alloc::string::String;
use vesta_config::{Choice as _, Config};

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let Facts { server, now, .. } = facts;
    let (process, config) = (&server.process, &server.config);
    let uptime_s = now.mono.since_us(server.started.mono) / 1_000_000;
    fields.add("redis_version", REDIS_VERSION);
    fields.add("server_name", "vesta");
    fields.add("vesta_version", env!("CARGO_PKG_VERSION"));
    fields.add("redis_mode", "standalone");
    fields.add("os", &process.os);
    fields.add("arch_bits", process.arch_bits);
    fields.add("multiplexing_api", &process.multiplexing);
    fields.add("gcc_version", &process.compiler);
    fields.add("process_id", process.pid);
    fields.add("process_supervised", config.supervised.word());
    fields.add("run_id", server.run_id);
    fields.add("tcp_port", config.port);
    fields.add("server_time_usec", now.unix.0);
    fields.add("uptime_in_seconds", uptime_s);
    fields.add("uptime_in_days", uptime_s / 86_400);
    fields.add("hz", config.hz);
    fields.add("configured_hz", config.hz);
    fields.add("lru_clock", now.unix.secs() & 0xff_ffff);
    fields.add("executable", &process.executable);
    fields.add("config_file", &process.config_file);
    fields.add("io_threads_active", 0);
    for (index, listener) in listeners(config).into_iter().enumerate() {
        fields.add(format!("listener{index}"), listener);
    }
}

/// Where clients are awaited, by kind of socket.
fn listeners(config: &Config) -> impl IntoIterator<Item = String> {
    let addresses: String = config.bind.iter().map(|addr| format!(",bind={addr}")).collect();
    let tcp =
        (config.port > 0).then(|| format!("name=tcp{addresses},port={port}", port = config.port));
    let unix = config.unixsocket.as_ref().map(|path| format!("name=unix,bind={path}"));
    tcp.into_iter().chain(unix)
}
