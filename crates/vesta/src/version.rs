//! What this build calls itself.

use vesta_rt::alloc;

/// The version of Vesta; the Redis version it is compatible with is the node's to tell.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The source revision, if the builder set `VESTA_COMMIT`.
pub(crate) const COMMIT: &str = match option_env!("VESTA_COMMIT") {
    Some(commit) => commit,
    None => "00000000",
};

/// Bits of a pointer, as banner, log and INFO print them.
pub(crate) const BITS: u32 = usize::BITS;

/// The line that `vesta server --version` prints, in the shape of redis-server's.
pub(crate) fn server_line() -> String {
    format!("Vesta server v={VERSION} sha={COMMIT}:0 malloc={} bits={BITS}", alloc::name())
}

/// The line that a tool called through a link prints for its version: first that of Redis, as
/// scripts expect it.
pub(crate) fn tool_line(name: &str) -> String {
    format!("{name} {} (Vesta {VERSION})", vesta_node::REDIS_VERSION)
}
