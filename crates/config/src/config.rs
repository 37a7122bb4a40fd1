//! The settings of one server: a field per directive, with its default.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::choice::{
    AclPubsubDefault, AppendFsync, EndpointType, Guarded, LogLevel, MaxmemoryPolicy, OomScoreAdj,
    PropagationError, ReplDisklessLoad, SanitizeDump, Supervised, SyslogFacility, TlsAuthClients,
};
use crate::shape::{
    KeyspaceEvents, MemoryOrPercent, OutputLimit, ReplicaOf, SavePoint, Secret, ShutdownWish,
};

macro_rules! settings {
    ($( $(#[$doc:meta])* $field:ident: $type:ty = $default:expr; )+) => {
        /// Everything that can be configured. `Default` is what a stock server without a file uses.
        ///
        /// Fields are named after their directive, with the unit appended where there is one. An
        /// empty text or `None` means "not set". What each does is said in the file of
        /// [`options`](crate::options) that has its entry.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config { $( $(#[$doc])* pub $field: $type, )+ }

        impl Default for Config {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }
    };
}

settings! {
    // Network.

    /// Addresses to listen on; a `-` in front: no error if the machine lacks it; `*`: all.
    bind: Vec<String> = vec![String::from("*"), String::from("-::*")];
    /// The address that outgoing connections start from.
    bind_source_addr: Option<String> = None;
    /// The TCP port, 0 for none.
    port: u16 = 6379;
    /// Connections the kernel queues before we accept them.
    tcp_backlog: u32 = 511;
    /// Path of the unix socket.
    unixsocket: Option<String> = None;
    /// Permissions of the unix socket, 0 to leave them to the umask.
    unixsocketperm: u32 = 0;
    /// An idle client is disconnected after this, 0: never.
    timeout_s: u32 = 0;
    /// Silence before the kernel probes a connection, 0: never.
    tcp_keepalive_s: u32 = 300;
    /// Whether only local clients are served while the default user has no password.
    protected_mode: bool = true;
    /// `SO_MARK` of our sockets, 0: none.
    socket_mark_id: u32 = 0;
    /// New connections accepted in one turn of the loop.
    max_new_connections_per_cycle: u32 = 10;

    // TLS.

    /// The TLS port, 0 for none.
    tls_port: u16 = 0;
    /// TLS handshakes begun in one turn of the loop.
    max_new_tls_connections_per_cycle: u32 = 1;
    /// Our certificate, a PEM file.
    tls_cert_file: Option<String> = None;
    /// Its private key, a PEM file.
    tls_key_file: Option<String> = None;
    /// The pass phrase of the private key.
    tls_key_file_pass: Option<Secret> = None;
    /// The certificate for outgoing connections, when it differs.
    tls_client_cert_file: Option<String> = None;
    /// Its private key.
    tls_client_key_file: Option<String> = None;
    /// The pass phrase of that key.
    tls_client_key_file_pass: Option<Secret> = None;
    /// Diffie-Hellman parameters, a PEM file.
    tls_dh_params_file: Option<String> = None;
    /// Trusted authorities, a PEM file.
    tls_ca_cert_file: Option<String> = None;
    /// Trusted authorities, a directory.
    tls_ca_cert_dir: Option<String> = None;
    /// Whether clients must show a certificate.
    tls_auth_clients: TlsAuthClients = TlsAuthClients::Yes;
    /// Whether the link to our primary uses TLS.
    tls_replication: bool = false;
    /// Whether the cluster bus uses TLS.
    tls_cluster: bool = false;
    /// Accepted protocol versions.
    tls_protocols: Option<String> = None;
    /// Accepted ciphers up to TLS 1.2.
    tls_ciphers: Option<String> = None;
    /// Accepted cipher suites of TLS 1.3.
    tls_ciphersuites: Option<String> = None;
    /// Whether our order of ciphers wins.
    tls_prefer_server_ciphers: bool = false;
    /// Whether sessions can be resumed.
    tls_session_caching: bool = true;
    /// Sessions kept, 0: no limit.
    tls_session_cache_size: u32 = 20480;
    /// How long a session can be resumed.
    tls_session_cache_timeout_s: u32 = 300;

    // General.

    /// Whether the server goes into the background.
    daemonize: bool = false;
    /// The supervisor that is told when the server is ready.
    supervised: Supervised = Supervised::No;
    /// Where the process id is written; empty: nowhere, or the default place with `daemonize`.
    pidfile: String = String::new();
    /// The least important line that is logged.
    loglevel: LogLevel = LogLevel::Notice;
    /// The log file; empty: standard output.
    logfile: String = String::new();
    /// Whether lines go to syslog as well.
    syslog_enabled: bool = false;
    /// Our name in syslog.
    syslog_ident: String = String::from("redis");
    /// The facility of our lines.
    syslog_facility: SyslogFacility = SyslogFacility::Local0;
    /// Whether a crash is described in the log.
    crash_log_enabled: bool = true;
    /// Whether a crash is followed by a fast memory test.
    crash_memcheck_enabled: bool = true;
    /// Number of databases.
    databases: u32 = 16;
    /// Whether the banner is shown even when the log is no terminal.
    always_show_logo: bool = false;
    /// Whether the process title is changed.
    set_proc_title: bool = true;
    /// The process title, with variables in braces.
    proc_title_template: String = String::from("{title} {listen-addr} {server-mode}");
    /// The locale of string comparison; empty: that of the environment.
    locale_collate: String = String::new();
    /// Warnings about the system that are not given.
    ignore_warnings: String = String::new();
    /// Whether transparent huge pages are switched off for the process.
    disable_thp: bool = true;
    /// Processors of the main and I/O threads.
    server_cpulist: Option<String> = None;
    /// Processors of the background threads.
    bio_cpulist: Option<String> = None;
    /// Processors of the AOF rewrite.
    aof_rewrite_cpulist: Option<String> = None;
    /// Processors of a background save.
    bgsave_cpulist: Option<String> = None;
    /// Modules to load: path and arguments of each.
    loadmodule: Vec<Vec<Vec<u8>>> = Vec::new();

    // Snapshots.

    /// When a snapshot is due.
    save: Vec<SavePoint> = vec![
        SavePoint { seconds: 3600, changes: 1 },
        SavePoint { seconds: 300, changes: 100 },
        SavePoint { seconds: 60, changes: 10000 },
    ];
    /// Whether writes are refused after a snapshot has failed.
    stop_writes_on_bgsave_error: bool = true;
    /// Whether long strings are compressed.
    rdbcompression: bool = true;
    /// Whether a snapshot ends with a checksum.
    rdbchecksum: bool = true;
    /// Which values from outside are checked in depth; all of them are, whatever this says.
    sanitize_dump_payload: SanitizeDump = SanitizeDump::No;
    /// The file name of the snapshot.
    dbfilename: String = String::from("dump.rdb");
    /// Whether a snapshot made only for replication is removed when no longer needed.
    rdb_del_sync_files: bool = false;
    /// The working directory. The rim makes it absolute at the start.
    dir: String = String::from(".");
    /// Whether a snapshot is synced to the disk bit by bit while it is written.
    rdb_save_incremental_fsync: bool = true;

    // Replication.

    /// Our primary.
    replicaof: Option<ReplicaOf> = None;
    /// The user we authenticate as at our primary.
    masteruser: Option<String> = None;
    /// The password for our primary.
    masterauth: Option<Secret> = None;
    /// Whether a replica without its primary answers from old data.
    replica_serve_stale_data: bool = true;
    /// Whether a replica refuses writes.
    replica_read_only: bool = true;
    /// Whether a replica ignores that it cannot write to its disk.
    replica_ignore_disk_write_errors: bool = false;
    /// Whether a snapshot goes to replicas without a file.
    repl_diskless_sync: bool = true;
    /// How long to wait for more replicas before that.
    repl_diskless_sync_delay_s: u32 = 5;
    /// Replicas that end the wait, 0: no number does.
    repl_diskless_sync_max_replicas: u32 = 0;
    /// Where a replica puts a received snapshot.
    repl_diskless_load: ReplDisklessLoad = ReplDisklessLoad::Swapdb;
    /// Whether a replica keeps its data when its primary turns out to have none.
    replica_refuse_empty_primary: bool = true;
    /// How often a primary pings its replicas.
    repl_ping_replica_period_s: u32 = 10;
    /// Silence after which a replication link is given up.
    repl_timeout_s: u32 = 60;
    /// Whether replication trades latency for fewer packets.
    repl_disable_tcp_nodelay: bool = false;
    /// History kept for replicas that come back.
    repl_backlog_size_bytes: u64 = 1 << 20;
    /// How long history is kept without replicas, 0: for ever.
    repl_backlog_ttl_s: u64 = 3600;
    /// Lower is promoted first; 0 never.
    replica_priority: u32 = 100;
    /// Whether Sentinel lists this replica.
    replica_announced: bool = true;
    /// Replicas that must be there for writes to be accepted, 0: none.
    min_replicas_to_write: u32 = 0;
    /// The silence that such a replica may keep.
    min_replicas_max_lag_s: u32 = 10;
    /// The address a replica says it has.
    replica_announce_ip: Option<String> = None;
    /// The port a replica says it has, 0: the real one.
    replica_announce_port: u16 = 0;
    /// Whether a replica leaves eviction to its primary.
    replica_ignore_maxmemory: bool = true;
    /// What happens when a replicated command fails.
    propagation_error_behavior: PropagationError = PropagationError::Ignore;

    // Security.

    /// Keys that invalidation remembers for clients that cache.
    tracking_table_max_keys: u64 = 1_000_000;
    /// ACL users: the words of each `user` line.
    users: Vec<Vec<Vec<u8>>> = Vec::new();
    /// The file of ACL users.
    aclfile: Option<String> = None;
    /// Entries of the ACL log.
    acllog_max_len: u64 = 128;
    /// The channels of a new user.
    acl_pubsub_default: AclPubsubDefault = AclPubsubDefault::Resetchannels;
    /// The password of the default user.
    requirepass: Option<Secret> = None;
    /// Commands under another name; an empty new name removes the command.
    rename_commands: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    /// Who may change protected options at run time.
    enable_protected_configs: Guarded = Guarded::No;
    /// Who may use DEBUG.
    enable_debug_command: Guarded = Guarded::No;
    /// Who may use MODULE.
    enable_module_command: Guarded = Guarded::No;

    // Clients.

    /// Clients served at the same time.
    maxclients: u32 = 10000;
    /// Bytes of one client's unfinished and waiting requests.
    client_query_buffer_limit_bytes: u64 = 1 << 30;
    /// Output that may wait for a client: normal, replica, pubsub.
    client_output_buffer_limit: [OutputLimit; 3] = [
        OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 },
        OutputLimit { hard_bytes: 256 << 20, soft_bytes: 64 << 20, soft_seconds: 60 },
        OutputLimit { hard_bytes: 32 << 20, soft_bytes: 8 << 20, soft_seconds: 60 },
    ];
    /// The longest argument of a request.
    proto_max_bulk_len_bytes: u64 = 512 << 20;
    /// Memory of all clients together, 0: no limit.
    maxmemory_clients: MemoryOrPercent = MemoryOrPercent::Bytes(0);

    // Memory.

    /// Memory for data, 0: no limit.
    maxmemory_bytes: u64 = 0;
    /// What is evicted at that limit.
    maxmemory_policy: MaxmemoryPolicy = MaxmemoryPolicy::Noeviction;
    /// Keys looked at to find one to evict.
    maxmemory_samples: u32 = 5;
    /// Effort of eviction, 0 to 100.
    maxmemory_eviction_tenacity: u32 = 10;
    /// How slowly the LFU counter grows.
    lfu_log_factor: u32 = 10;
    /// Minutes after which the LFU counter falls by one.
    lfu_decay_time: u32 = 1;
    /// Effort of the search for expired keys, 1 to 10.
    active_expire_effort: u32 = 1;

    // Lazy freeing.

    /// Evicted values are freed in the background.
    lazyfree_lazy_eviction: bool = false;
    /// Expired values are.
    lazyfree_lazy_expire: bool = false;
    /// Overwritten values are.
    lazyfree_lazy_server_del: bool = false;
    /// DEL does as UNLINK.
    lazyfree_lazy_user_del: bool = false;
    /// FLUSHALL and FLUSHDB are ASYNC unless they say SYNC.
    lazyfree_lazy_user_flush: bool = false;
    /// A replica frees its old data in the background.
    replica_lazy_flush: bool = false;

    // Threads.

    /// Threads that read and write sockets, the main one included.
    io_threads: u32 = 1;
    /// Whether they read and parse as well.
    io_threads_do_reads: bool = false;

    // The kernel's out-of-memory killer.

    /// Whether and how the score is set.
    oom_score_adj: OomScoreAdj = OomScoreAdj::No;
    /// Scores of a primary, a replica, and a child that saves.
    oom_score_adj_values: [i32; 3] = [0, 200, 800];

    // Append only file.

    /// Whether writes are logged.
    appendonly: bool = false;
    /// The beginning of its file names.
    appendfilename: String = String::from("appendonly.aof");
    /// Its directory within `dir`.
    appenddirname: String = String::from("appendonlydir");
    /// When it is synced.
    appendfsync: AppendFsync = AppendFsync::Everysec;
    /// Whether syncing waits until a rewrite has finished.
    no_appendfsync_on_rewrite: bool = false;
    /// Growth that starts a rewrite, 0: none.
    auto_aof_rewrite_percentage: u32 = 100;
    /// The size below which none starts.
    auto_aof_rewrite_min_size_bytes: u64 = 64 << 20;
    /// Whether a file that ends in mid-command is loaded.
    aof_load_truncated: bool = true;
    /// Whether a rewritten file begins with a snapshot.
    aof_use_rdb_preamble: bool = true;
    /// Whether the file carries times.
    aof_timestamp_enabled: bool = false;
    /// Whether a rewrite is synced bit by bit.
    aof_rewrite_incremental_fsync: bool = true;
    /// Whether files of the past are kept.
    aof_disable_auto_gc: bool = false;

    // Shutting down.

    /// How long to wait for replicas that lag behind.
    shutdown_timeout_s: u32 = 10;
    /// What SIGINT does.
    shutdown_on_sigint: ShutdownWish = ShutdownWish::default();
    /// What SIGTERM does.
    shutdown_on_sigterm: ShutdownWish = ShutdownWish::default();

    // Scripts.

    /// How long a script runs before others are answered BUSY.
    busy_reply_threshold_ms: u64 = 5000;
    /// Whether scripts may use functions that are gone since 7.0.
    lua_enable_deprecated_api: bool = false;

    // Cluster.

    /// Whether this server is a cluster node.
    cluster_enabled: bool = false;
    /// The file the node keeps its state in.
    cluster_config_file: String = String::from("nodes.conf");
    /// Silence after which a node counts as failing.
    cluster_node_timeout_ms: u64 = 15000;
    /// The port of the bus, 0: the client port plus 10000.
    cluster_port: u16 = 0;
    /// How old a replica's data may be for it to take over, in node timeouts; 0: any age.
    cluster_replica_validity_factor: u32 = 10;
    /// Replicas that stay with a primary when one moves to an orphan.
    cluster_migration_barrier: u32 = 1;
    /// Whether replicas move to orphaned primaries.
    cluster_allow_replica_migration: bool = true;
    /// Whether the cluster refuses keys while a slot has no owner.
    cluster_require_full_coverage: bool = true;
    /// Whether this replica never takes over.
    cluster_replica_no_failover: bool = false;
    /// Whether reads are answered while the cluster is down.
    cluster_allow_reads_when_down: bool = false;
    /// Whether sharded messages are.
    cluster_allow_pubsubshard_when_down: bool = true;
    /// Output that may wait on a link of the bus, 0: no limit.
    cluster_link_sendbuf_limit_bytes: u64 = 0;
    /// The host name this node says it has.
    cluster_announce_hostname: Option<String> = None;
    /// A name for logs.
    cluster_announce_human_nodename: Option<String> = None;
    /// Which name clients are told.
    cluster_preferred_endpoint_type: EndpointType = EndpointType::Ip;
    /// The address this node says it has.
    cluster_announce_ip: Option<String> = None;
    /// Its client port, 0: the real one.
    cluster_announce_port: u16 = 0;
    /// Its TLS port, 0: the real one.
    cluster_announce_tls_port: u16 = 0;
    /// Its bus port, 0: the real one.
    cluster_announce_bus_port: u16 = 0;

    // Slow log and latency.

    /// Commands above this are kept, 0: all, -1: none.
    slowlog_log_slower_than_us: i64 = 10000;
    /// How many are kept.
    slowlog_max_len: u64 = 128;
    /// Events above this are kept, 0: none.
    latency_monitor_threshold_ms: u64 = 0;
    /// Whether latencies are counted per command.
    latency_tracking: bool = true;
    /// Percentiles that INFO shows, at most six digits behind the point.
    latency_tracking_info_percentiles: Vec<f64> = vec![50.0, 99.0, 99.9];

    // Events.

    /// Which keyspace events are published.
    notify_keyspace_events: KeyspaceEvents = KeyspaceEvents::default();

    // Encodings, timers.

    /// Fields a compact hash may have.
    hash_max_listpack_entries: u64 = 512;
    /// The longest text in a compact hash.
    hash_max_listpack_value_bytes: u64 = 64;
    /// Size of a list node: entries, or -1 to -5 for 4 to 64 KB.
    list_max_listpack_size: i32 = -2;
    /// Nodes at both ends of a list that are not compressed, 0: none is.
    list_compress_depth: u32 = 0;
    /// Members a set of integers may have.
    set_max_intset_entries: u64 = 512;
    /// Members a compact set may have.
    set_max_listpack_entries: u64 = 128;
    /// The longest text in a compact set.
    set_max_listpack_value_bytes: u64 = 64;
    /// Members a compact sorted set may have.
    zset_max_listpack_entries: u64 = 128;
    /// The longest text in a compact sorted set.
    zset_max_listpack_value_bytes: u64 = 64;
    /// The size of a sparse HyperLogLog.
    hll_sparse_max_bytes: u64 = 3000;
    /// The size of a stream node, 0: no limit.
    stream_node_max_bytes: u64 = 4096;
    /// Entries of a stream node, 0: no limit.
    stream_node_max_entries: u64 = 100;
    /// Whether idle time is spent on rehashing.
    activerehashing: bool = true;
    /// Turns of the background work a second, 1 to 500.
    hz: u32 = 10;
    /// Whether many clients raise that number.
    dynamic_hz: bool = true;
    /// Whether the allocator returns memory in a thread of its own.
    jemalloc_bg_thread: bool = true;

    // Defragmentation.

    /// Whether memory is compacted at run time.
    activedefrag: bool = false;
    /// Waste below which nothing is done.
    active_defrag_ignore_bytes: u64 = 100 << 20;
    /// Waste at which it starts.
    active_defrag_threshold_lower_percent: u32 = 10;
    /// Waste at which it does its utmost.
    active_defrag_threshold_upper_percent: u32 = 100;
    /// The least effort, of the processor.
    active_defrag_cycle_min_percent: u32 = 1;
    /// The greatest effort.
    active_defrag_cycle_max_percent: u32 = 25;
    /// Fields of a collection that are handled at once.
    active_defrag_max_scan_fields: u64 = 1000;

    // For tests of the server.

    /// Whether a panic exits rather than aborts.
    use_exit_on_panic: bool = false;
    /// A pause after each key that is loaded.
    key_load_delay_us: i32 = 0;
    /// A pause after each key that is saved.
    rdb_key_save_delay_us: i32 = 0;
    /// Bytes loaded between two looks at the sockets.
    loading_process_events_interval_bytes: u32 = 2 << 20;
    /// Whether expensive internal checks are on.
    enable_debug_assert: bool = false;
}
