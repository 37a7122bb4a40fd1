//! Where the server listens, and the sockets it gets from there.

use crate::value::{self, spaced};
use crate::{Config, Opt, Refusal};

use super::INT_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    BIND.many_words().rim().works(),
    text_or_none!("bind-source-addr", bind_source_addr),
    number!("port", port, 0..=65535).rim().works(),
    number!("tcp-backlog", tcp_backlog, 0..=INT_MAX).start().works(),
    text_or_none!("unixsocket", unixsocket).start().works(),
    UNIXSOCKETPERM.start().works(),
    number!("timeout", timeout_s, 0..=INT_MAX).works(),
    number!("tcp-keepalive", tcp_keepalive_s, 0..=INT_MAX).rim().works(),
    yes_no!("protected-mode", protected_mode).works(),
    number!("socket-mark-id", socket_mark_id, 0..=0xffff_ffff).start(),
    number!("max-new-connections-per-cycle", max_new_connections_per_cycle, 1..=1000),
];

/// As many addresses as Redis listens on.
const MAX_ADDRESSES: usize = 16;

const BIND: Opt = Opt::new("bind", set_bind, |config| spaced(&config.bind));

fn set_bind(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    if words.len() > MAX_ADDRESSES {
        return Err(Refusal::Rule("Too many bind addresses specified."));
    }
    config.bind = words.iter().map(|word| value::utf8(word)).collect::<Result<_, _>>()?;
    Ok(())
}

const UNIXSOCKETPERM: Opt = Opt::new(
    "unixsocketperm",
    |config, words| {
        config.unixsocketperm = value::permissions(words)?;
        Ok(())
    },
    |config| alloc::format!("{:o}", config.unixsocketperm).into_bytes(),
);
