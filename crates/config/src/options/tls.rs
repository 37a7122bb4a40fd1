//! TLS for clients, replication and the cluster bus.

use crate::Opt;

use super::INT_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    number!("tls-port", tls_port, 0..=65535).rim(),
    number!("max-new-tls-connections-per-cycle", max_new_tls_connections_per_cycle, 1..=1000),
    text_or_none!("tls-cert-file", tls_cert_file).rim(),
    text_or_none!("tls-key-file", tls_key_file).rim(),
    secret!("tls-key-file-pass", tls_key_file_pass).rim(),
    text_or_none!("tls-client-cert-file", tls_client_cert_file).rim(),
    text_or_none!("tls-client-key-file", tls_client_key_file).rim(),
    secret!("tls-client-key-file-pass", tls_client_key_file_pass).rim(),
    text_or_none!("tls-dh-params-file", tls_dh_params_file).rim(),
    text_or_none!("tls-ca-cert-file", tls_ca_cert_file).rim(),
    text_or_none!("tls-ca-cert-dir", tls_ca_cert_dir).rim(),
    choice!("tls-auth-clients", tls_auth_clients).rim(),
    yes_no!("tls-replication", tls_replication),
    yes_no!("tls-cluster", tls_cluster).rim(),
    text_or_none!("tls-protocols", tls_protocols).rim(),
    text_or_none!("tls-ciphers", tls_ciphers).rim(),
    text_or_none!("tls-ciphersuites", tls_ciphersuites).rim(),
    yes_no!("tls-prefer-server-ciphers", tls_prefer_server_ciphers).rim(),
    yes_no!("tls-session-caching", tls_session_caching).rim(),
    number!("tls-session-cache-size", tls_session_cache_size, 0..=INT_MAX).rim(),
    number!("tls-session-cache-timeout", tls_session_cache_timeout_s, 0..=INT_MAX).rim(),
];
