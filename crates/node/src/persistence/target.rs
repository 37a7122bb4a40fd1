//! What a snapshot is written as, and where.

use super::Purpose;
use super::keeper::{Facts, RdbKeeper};
use super::request_keeper::RequestKeeper;
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vesta_cmd::{REDIS_VERSION, StreamPoint};
use vesta_persist::aof::BaseFormat;
use vesta_store::{Keeper, Store};
use vesta_types::{DbIndex, Now};

/// A file to be saved.
pub(super) struct Target {
    pub(super) temporary: String,
    pub(super) name: String,
    /// Whether it is synced every few megabytes.
    pub(super) syncs_early: bool,
    format: BaseFormat,
}

impl Server {
    /// Where a snapshot goes.
    pub(super) fn target_of(&self, purpose: Purpose) -> Target {
        let config = &self.config;
        let base = (purpose == Purpose::Rewrite).then(|| self.base_target()).flatten();
        match base {
            Some((name, format)) => Target {
                temporary: self.temporary_base_name(),
                name,
                syncs_early: config.aof_rewrite_incremental_fsync,
                format,
            },
            None => Target {
                temporary: format!("temp-{}.rdb", self.process.pid),
                name: config.dbfilename.clone(),
                syncs_early: config.rdb_save_incremental_fsync,
                format: BaseFormat::Rdb,
            },
        }
    }

    /// Who writes a snapshot that goes to replicas as it is written down.
    pub(crate) fn replica_keeper(
        &self,
        now: Now,
        store: &Store,
        point: StreamPoint,
        purpose: Purpose,
    ) -> Box<dyn Keeper + Send> {
        self.keeper_for(now, store, point, purpose, &self.target_of(purpose))
    }

    /// Who writes a snapshot of all that is in `store` now.
    pub(super) fn keeper_for(
        &self,
        now: Now,
        store: &Store,
        point: StreamPoint,
        purpose: Purpose,
        target: &Target,
    ) -> Box<dyn Keeper + Send> {
        let functions: &[Vec<u8>] = match purpose {
            Purpose::Streamed { functions: false } => &[],
            Purpose::Streamed { functions: true }
            | Purpose::Shipped
            | Purpose::Received
            | Purpose::Background
            | Purpose::Client(_)
            | Purpose::Exit { .. }
            | Purpose::Reload(..)
            | Purpose::Rewrite => &self.persistence.functions,
        };
        let large_bytes = self.persistence.saving.large_bytes;
        if target.format == BaseFormat::Requests {
            let history = point.is_kept.then(|| (self.replication.history.id(), point.offset));
            let stream_db = point.db.filter(|_| self.is_replica());
            return Box::new(RequestKeeper::new(functions, history, stream_db, large_bytes));
        }
        let text = |number: u64| number.to_string().into_bytes();
        let mut aux = vec![
            ("redis-ver", REDIS_VERSION.as_bytes().to_vec()),
            ("redis-bits", text(u64::from(self.process.arch_bits))),
            ("ctime", text(now.unix.secs())),
            ("used-mem", text(self.used_bytes(store.bytes()))),
        ];
        aux.extend(self.history_aux(point));
        aux.push(("aof-base", text(u64::from(purpose == Purpose::Rewrite))));
        let config = &self.config;
        let facts = Facts {
            policy: config.maxmemory_policy,
            compresses: config.rdbcompression,
            with_checksum: config.rdbchecksum,
            aux: &aux,
            functions,
            began: now.unix,
            large_bytes,
        };
        Box::new(RdbKeeper::new(store, &facts))
    }

    /// Which point of the history a file is of, while somebody keeps the history.
    fn history_aux(&self, point: StreamPoint) -> Vec<(&'static str, Vec<u8>)> {
        if !point.is_kept {
            return Vec::new();
        }
        let text = |number: u64| number.to_string().into_bytes();
        let db = point.db.map_or(0, DbIndex::get);
        vec![
            ("repl-stream-db", text(u64::from(db))),
            ("repl-id", self.replication.history.id().digits().to_vec()),
            ("repl-offset", text(point.offset)),
        ]
    }
}
