//! Cluster nodes and their bus.

use alloc::string::String;

use crate::{Opt, Refusal, value};

use super::INT_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    yes_no!("cluster-enabled", cluster_enabled).start(),
    text!("cluster-config-file", cluster_config_file).start(),
    number!("cluster-node-timeout", cluster_node_timeout_ms, 0..=i64::MAX),
    number!("cluster-port", cluster_port, 0..=65535).start(),
    number!("cluster-replica-validity-factor", cluster_replica_validity_factor, 0..=INT_MAX)
        .alias("cluster-slave-validity-factor"),
    number!("cluster-migration-barrier", cluster_migration_barrier, 0..=INT_MAX),
    yes_no!("cluster-allow-replica-migration", cluster_allow_replica_migration),
    yes_no!("cluster-require-full-coverage", cluster_require_full_coverage),
    yes_no!("cluster-replica-no-failover", cluster_replica_no_failover)
        .alias("cluster-slave-no-failover"),
    yes_no!("cluster-allow-reads-when-down", cluster_allow_reads_when_down),
    yes_no!("cluster-allow-pubsubshard-when-down", cluster_allow_pubsubshard_when_down),
    memory!("cluster-link-sendbuf-limit", cluster_link_sendbuf_limit_bytes, 0..=u64::MAX),
    ANNOUNCE_HOSTNAME,
    ANNOUNCE_HUMAN_NODENAME,
    choice!("cluster-preferred-endpoint-type", cluster_preferred_endpoint_type),
    text_or_none!("cluster-announce-ip", cluster_announce_ip),
    number!("cluster-announce-port", cluster_announce_port, 0..=65535),
    number!("cluster-announce-tls-port", cluster_announce_tls_port, 0..=65535),
    number!("cluster-announce-bus-port", cluster_announce_bus_port, 0..=65535),
];

const ANNOUNCE_HOSTNAME: Opt = Opt::new(
    "cluster-announce-hostname",
    |config, words| {
        config.cluster_announce_hostname = name(
            words,
            "Hostnames must be less than 256 characters",
            "Hostnames may only contain alphanumeric characters, hyphens or dots",
        )?;
        Ok(())
    },
    |config| value::text_or_none_shown(config.cluster_announce_hostname.as_ref()),
);

const ANNOUNCE_HUMAN_NODENAME: Opt = Opt::new(
    "cluster-announce-human-nodename",
    |config, words| {
        config.cluster_announce_human_nodename = name(
            words,
            "Announced human node name must be less than 256 characters",
            "Announced human node name contained invalid character",
        )?;
        Ok(())
    },
    |config| value::text_or_none_shown(config.cluster_announce_human_nodename.as_ref()),
);

/// A name that goes over the cluster bus, or none.
fn name(
    words: &[&[u8]],
    too_long: &'static str,
    bad_letter: &'static str,
) -> Result<Option<String>, Refusal> {
    let word = value::one(words)?;
    if word.len() >= 256 {
        return Err(Refusal::Rule(too_long));
    }
    if !word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
        return Err(Refusal::Rule(bad_letter));
    }
    value::text_or_none(words)
}
