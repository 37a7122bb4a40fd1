//! Keeping the memory of clients below `maxmemory-clients`.
//!
//! What a client takes is counted after it was served and when it leaves replies unread. Once the
//! sum is above the limit, clients are disconnected, those that take most first. As in Redis
//! (redis.conf, "client eviction") replicas and our primary count for nothing, and clients with
//! CLIENT NO-EVICT count but stay.

use crate::ConnId;
use crate::action::Level;
use crate::client::{Client, Part};
use crate::server::Server;
use alloc::format;
use vesta_config::MemoryOrPercent;

/// What a client counts towards the limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Weight {
    bytes: u64,
    /// The client is not to be evicted.
    is_spared: bool,
}

/// What all clients together count.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    all_bytes: u64,
    spared_bytes: u64,
}

impl Weights {
    /// Counts another weight of a client instead of the one it had.
    pub(crate) fn change(&mut self, from: Weight, to: Weight) {
        self.all_bytes = self.all_bytes - from.bytes + to.bytes;
        self.spared_bytes = self.spared_bytes - from.spared_bytes() + to.spared_bytes();
    }

    /// Whether they are above a limit, and not because of those alone who may stay.
    fn is_above(&self, limit: u64) -> bool {
        self.all_bytes > limit && self.all_bytes > self.spared_bytes
    }
}

impl Weight {
    /// What a client is to count now.
    pub(crate) fn of(client: &Client) -> Self {
        // Who is on its way out is not worth another victim.
        let counts = client.part == Part::Client && !client.closing;
        let bytes = if counts { client.total_bytes() as u64 } else { 0 };
        Self { bytes, is_spared: client.session.no_evict }
    }

    fn spared_bytes(self) -> u64 {
        if self.is_spared { self.bytes } else { 0 }
    }
}

impl Server {
    /// The limit in bytes; 0: none. A share of `maxmemory` is none while that is not limited.
    fn clients_limit_bytes(&self) -> u64 {
        match self.config.maxmemory_clients {
            MemoryOrPercent::Bytes(bytes) => bytes,
            MemoryOrPercent::Percent(percent) => {
                let share = u128::from(self.config.maxmemory_bytes) * u128::from(percent) / 100;
                u64::try_from(share).unwrap_or(u64::MAX)
            }
        }
    }

    /// Counts what a client takes now, and evicts clients while all take too much; whether this
    /// one was among them.
    pub(crate) fn weigh(&mut self, conn: ConnId) -> bool {
        let limit = self.clients_limit_bytes();
        if limit == 0 {
            return false;
        }
        self.clients.weigh(conn);
        self.relieve(limit);
        self.clients.get(conn).is_none_or(|client| client.closing)
    }

    /// Counts all clients anew: the limit may be another.
    pub(crate) fn weigh_all(&mut self) {
        let limit = self.clients_limit_bytes();
        if limit == 0 {
            return;
        }
        for place in 0..self.clients.places() {
            let conn = ConnId(u32::try_from(place).unwrap_or(u32::MAX));
            self.clients.weigh(conn);
        }
        self.relieve(limit);
    }

    /// Evicts the heaviest clients until all that stay count no more than `limit`.
    fn relieve(&mut self, limit: u64) {
        while self.clients.weights.is_above(limit) {
            let Some(victim) = self.heaviest() else { break };
            self.evict(victim);
        }
    }

    /// The client to be evicted next: the one that counts most.
    fn heaviest(&self) -> Option<ConnId> {
        let may_go = self.clients.iter().filter(|(_, client)| {
            client.weight.bytes > 0 && !client.weight.is_spared && !client.closing
        });
        may_go.max_by_key(|(_, client)| client.weight.bytes).map(|(conn, _)| conn)
    }

    fn evict(&mut self, conn: ConnId) {
        let Some(client) = self.clients.get(conn) else { return };
        let line =
            format!("Evicting client {}: it takes {} bytes", client.addr, client.weight.bytes);
        self.log(Level::Notice, line);
        self.statistics.evicted_clients += 1;
        self.close(conn);
    }
}
