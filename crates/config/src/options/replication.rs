//! Primary and replicas.

use alloc::vec;
use alloc::vec::Vec;

use vesta_types::ascii::is_word;
use vesta_types::number::parse_u64;

use crate::value::{self, shown, spaced};
use crate::{Config, Opt, Refusal, ReplicaOf};

use super::{BYTES_MAX, INT_MAX};

pub(super) const OPTIONS: &[Opt] = &[
    REPLICAOF.alias("slaveof").many_words().start().written_as(replicaof_line).works(),
    text_or_none!("masteruser", masteruser).works(),
    secret!("masterauth", masterauth).works(),
    yes_no!("replica-serve-stale-data", replica_serve_stale_data)
        .works()
        .alias("slave-serve-stale-data"),
    yes_no!("replica-read-only", replica_read_only).works().alias("slave-read-only"),
    yes_no!("replica-ignore-disk-write-errors", replica_ignore_disk_write_errors).works(),
    yes_no!("repl-diskless-sync", repl_diskless_sync),
    number!("repl-diskless-sync-delay", repl_diskless_sync_delay_s, 0..=INT_MAX),
    number!("repl-diskless-sync-max-replicas", repl_diskless_sync_max_replicas, 0..=INT_MAX),
    choice!("repl-diskless-load", repl_diskless_load).works(),
    yes_no!("replica-refuse-empty-primary", replica_refuse_empty_primary).works(),
    number!("repl-ping-replica-period", repl_ping_replica_period_s, 1..=INT_MAX)
        .alias("repl-ping-slave-period"),
    number!("repl-timeout", repl_timeout_s, 1..=INT_MAX).works(),
    yes_no!("repl-disable-tcp-nodelay", repl_disable_tcp_nodelay),
    memory!("repl-backlog-size", repl_backlog_size_bytes, 1..=BYTES_MAX),
    number!("repl-backlog-ttl", repl_backlog_ttl_s, 0..=i64::MAX),
    number!("replica-priority", replica_priority, 0..=INT_MAX).alias("slave-priority").works(),
    yes_no!("replica-announced", replica_announced).works(),
    number!("min-replicas-to-write", min_replicas_to_write, 0..=INT_MAX)
        .alias("min-slaves-to-write"),
    number!("min-replicas-max-lag", min_replicas_max_lag_s, 0..=INT_MAX)
        .alias("min-slaves-max-lag"),
    text_or_none!("replica-announce-ip", replica_announce_ip).alias("slave-announce-ip").works(),
    number!("replica-announce-port", replica_announce_port, 0..=65535)
        .alias("slave-announce-port")
        .works(),
    yes_no!("replica-ignore-maxmemory", replica_ignore_maxmemory)
        .alias("slave-ignore-maxmemory")
        .works(),
    choice!("propagation-error-behavior", propagation_error_behavior).works(),
];

const REPLICAOF: Opt = Opt::new("replicaof", set_replicaof, |config| match &config.replicaof {
    Some(primary) => spaced([primary.host.as_bytes(), &shown(primary.port)]),
    None => Vec::new(),
});

fn set_replicaof(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    let [host, port] = words else { return Err(Refusal::WordCount) };
    if is_word(host, "no") && is_word(port, "one") {
        config.replicaof = None;
        return Ok(());
    }
    let port = parse_u64(port).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or(Refusal::Rule("Invalid master port"))?;
    config.replicaof = Some(ReplicaOf { host: value::utf8(host)?, port });
    Ok(())
}

fn replicaof_line(config: &Config) -> Vec<Vec<Vec<u8>>> {
    vec![match &config.replicaof {
        Some(primary) => vec![primary.host.as_bytes().to_vec(), shown(primary.port)],
        None => vec![b"no".to_vec(), b"one".to_vec()],
    }]
}
