//! `MEMORY STATS`

use super::{COMMON, PER_SERVER};
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::format;
use alloc::vec::Vec;
use vesta_resp::Reply;
use vesta_spec::{Arity, Spec};

/// `MEMORY STATS`: what memory is used for, in bytes.
pub(super) const STATS: Command = Command {
    spec: Spec {
        name: "stats",
        arity: Arity::Exactly(2),
        summary: "Tells what memory is used for.",
        tips: PER_SERVER,
        ..COMMON
    },
    run: Run::Control(stats),
};

/// A figure of the reply.
enum Figure {
    Bytes(u64),
    Ratio(f64),
    Difference(i64),
    /// Bytes of the table of a database.
    Table(u64),
}

fn stats(ctx: &mut ControlCtx<'_>) -> Outcome {
    use Figure::{Bytes, Difference, Ratio, Table};
    let memory = ctx.host.memory();
    let store = ctx.keys.store();
    let sizes: Vec<_> = store.indexes().map(|db| (db, store.size(db).keys)).collect();
    let keys: u64 = sizes.iter().map(|(_, keys)| *keys as u64).sum();
    let tables = store.overhead_bytes() as u64;
    let overhead = memory.startup + memory.clients + tables;
    let dataset = memory.used.saturating_sub(overhead);
    let net = memory.used.saturating_sub(memory.startup);
    let peak = memory.peak.max(memory.used);

    let mut figures = Vec::new();
    let mut add = |name: &str, figure: Figure| figures.push((name.into(), figure));
    add("peak.allocated", Bytes(peak));
    add("total.allocated", Bytes(memory.used));
    add("startup.allocated", Bytes(memory.startup));
    add("replication.backlog", Bytes(0));
    add("clients.slaves", Bytes(0));
    add("clients.normal", Bytes(memory.clients));
    add("cluster.links", Bytes(0));
    add("aof.buffer", Bytes(0));
    add("lua.caches", Bytes(0));
    add("functions.caches", Bytes(0));
    for (db, _) in sizes.iter().filter(|(_, keys)| *keys > 0) {
        add(&format!("db.{}", db.get()), Table(store.table_bytes(*db) as u64));
    }
    add("overhead.total", Bytes(overhead));
    add("keys.count", Bytes(keys));
    add("keys.bytes-per-key", Bytes(net.checked_div(keys).unwrap_or(0)));
    add("dataset.bytes", Bytes(dataset));
    add("dataset.percentage", Ratio(100.0 * ratio(dataset, net)));
    add("peak.percentage", Ratio(100.0 * ratio(memory.used, peak)));
    add("allocator.allocated", Bytes(memory.used));
    add("fragmentation", Ratio(ratio(memory.resident, memory.used)));
    add("fragmentation.bytes", Difference(difference(memory.resident, memory.used)));

    ctx.reply.map(figures.len());
    for (name, figure) in &figures {
        let name: &alloc::string::String = name;
        ctx.reply.text(name);
        reply_figure(&mut ctx.reply, figure);
    }
    Ok(Flow::Done)
}

fn reply_figure(reply: &mut Reply<'_>, figure: &Figure) {
    let int = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    match figure {
        Figure::Bytes(bytes) => reply.int(int(*bytes)),
        Figure::Ratio(ratio) => reply.double(*ratio),
        Figure::Difference(bytes) => reply.int(*bytes),
        Figure::Table(bytes) => {
            // One table holds keys and expiries alike; slots have none of their own.
            reply.map(3);
            reply.text("overhead.hashtable.main");
            reply.int(int(*bytes));
            reply.text("overhead.hashtable.expires");
            reply.int(0);
            reply.text("overhead.hashtable.slot-to-keys");
            reply.int(0);
        }
    }
}

/// `part / whole`, 0 when there is no whole.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn difference(left: u64, right: u64) -> i64 {
    let size = i64::try_from(left.abs_diff(right)).unwrap_or(i64::MAX);
    if left >= right { size } else { -size }
}
