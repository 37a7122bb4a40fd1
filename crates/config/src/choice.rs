//! Options whose value is one word of a list, each as an enum.

use alloc::string::String;

/// A value that is written as one of a fixed list of words.
pub trait Choice: Copy + Eq + 'static {
    /// Words and their values, in the order error messages list them. The first word of a value
    /// is the one it is shown with; further ones are other spellings.
    const WORDS: &'static [(&'static str, Self)];

    /// The word for this value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }

    /// The value of a word in any mix of case.
    fn from_word(word: &[u8]) -> Option<Self> {
        let (_, value) =
            Self::WORDS.iter().find(|(name, _)| vesta_types::ascii::is_word(word, name))?;
        Some(*value)
    }

    /// All words, separated by `, `.
    fn words() -> String {
        let mut list = String::new();
        for (word, _) in Self::WORDS {
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(word);
        }
        list
    }
}

macro_rules! choices {
    ($(
        $(#[$doc:meta])*
        $name:ident { $( $(#[$value_doc:meta])* $value:ident = $($word:literal)|+ ),+ $(,)? }
    )+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name { $( $(#[$value_doc])* $value ),+ }

        impl Choice for $name {
            const WORDS: &'static [(&'static str, Self)] =
                &[$( $( ($word, Self::$value) ),+ ),+];
        }
    )+ };
}

choices! {
    /// Which keys may be evicted when `maxmemory` is reached, and in which order.
    MaxmemoryPolicy {
        /// Keys with a TTL, least recently used first.
        VolatileLru = "volatile-lru",
        /// Keys with a TTL, least frequently used first.
        VolatileLfu = "volatile-lfu",
        /// Keys with a TTL, at random.
        VolatileRandom = "volatile-random",
        /// Keys with a TTL, nearest expiry first.
        VolatileTtl = "volatile-ttl",
        /// Any key, least recently used first.
        AllkeysLru = "allkeys-lru",
        /// Any key, least frequently used first.
        AllkeysLfu = "allkeys-lfu",
        /// Any key, at random.
        AllkeysRandom = "allkeys-random",
        /// No key: writes that need memory are refused.
        Noeviction = "noeviction",
    }

    /// The least important log line that is still written.
    LogLevel {
        /// Everything.
        Debug = "debug",
        /// Many rarely useful lines.
        Verbose = "verbose",
        /// What an operator wants to know.
        Notice = "notice",
        /// Only what needs attention.
        Warning = "warning",
        /// No line at all (since 7.2).
        Nothing = "nothing",
    }

    /// Who may use something dangerous.
    Guarded {
        /// Nobody.
        No = "no",
        /// Everybody.
        Yes = "yes",
        /// Connections from this machine: loopback addresses and unix sockets.
        Local = "local",
    }

    /// Which supervisor is told that the server is ready.
    Supervised {
        /// Upstart, by stopping ourselves.
        Upstart = "upstart",
        /// systemd, through its notify socket.
        Systemd = "systemd",
        /// Whichever of the two the environment names.
        Auto = "auto",
        /// None.
        No = "no",
    }

    /// The syslog facility of log lines.
    SyslogFacility {
        /// `LOG_USER`.
        User = "user",
        /// `LOG_LOCAL0`.
        Local0 = "local0",
        /// `LOG_LOCAL1`.
        Local1 = "local1",
        /// `LOG_LOCAL2`.
        Local2 = "local2",
        /// `LOG_LOCAL3`.
        Local3 = "local3",
        /// `LOG_LOCAL4`.
        Local4 = "local4",
        /// `LOG_LOCAL5`.
        Local5 = "local5",
        /// `LOG_LOCAL6`.
        Local6 = "local6",
        /// `LOG_LOCAL7`.
        Local7 = "local7",
    }

    /// When the append only file is synced to the disk.
    AppendFsync {
        /// Once a second.
        Everysec = "everysec",
        /// Before a write is answered.
        Always = "always",
        /// When the kernel likes.
        No = "no",
    }

    /// Where a replica puts a snapshot that it receives.
    ReplDisklessLoad {
        /// Into a file first.
        Disabled = "disabled",
        /// Straight into memory if it holds no keys, else into a file.
        OnEmptyDb = "on-empty-db",
        /// Straight into memory, beside the old keys.
        Swapdb = "swapdb",
    }

    /// Which values from outside are checked in depth before they are used.
    SanitizeDump {
        /// None.
        No = "no",
        /// All.
        Yes = "yes",
        /// Those that clients send, unless their user may skip it.
        Clients = "clients",
    }

    /// The channels that a new ACL user may use.
    AclPubsubDefault {
        /// All.
        Allchannels = "allchannels",
        /// None.
        Resetchannels = "resetchannels",
    }

    /// Whether and how the kernel's out-of-memory score of the process is set.
    OomScoreAdj {
        /// Left alone.
        No = "no",
        /// Relative to the score at the start.
        Relative = "yes" | "relative",
        /// As given.
        Absolute = "absolute",
    }

    /// Which name of a cluster node clients are told.
    EndpointType {
        /// Its address.
        Ip = "ip",
        /// Its host name.
        Hostname = "hostname",
        /// None: clients keep the address they used.
        UnknownEndpoint = "unknown-endpoint",
    }

    /// What happens when a command of the replication stream or the AOF fails.
    PropagationError {
        /// It is logged.
        Ignore = "ignore",
        /// The process ends.
        Panic = "panic",
        /// The process ends if it is a replica.
        PanicOnReplicas = "panic-on-replicas",
    }

    /// Whether TLS clients must show a certificate.
    TlsAuthClients {
        /// No.
        No = "no",
        /// Yes.
        Yes = "yes",
        /// Only if they have one.
        Optional = "optional",
    }
}
