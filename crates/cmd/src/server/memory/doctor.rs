//! `MEMORY DOCTOR`

use super::stats::ratio;
use super::{COMMON, PER_SERVER};
use crate::host::MemoryFacts;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_spec::{Arity, Spec};

/// `MEMORY DOCTOR`: looks for trouble with memory.
pub(super) const DOCTOR: Command = Command {
    spec: Spec {
        name: "doctor",
        arity: Arity::Exactly(2),
        summary: "Looks for trouble with memory and tells what it found.",
        tips: PER_SERVER,
        ..COMMON
    },
    run: Run::Control(doctor),
};

/// Below this nothing can be said: the figures are mostly the program's own.
const TOO_LITTLE_BYTES: u64 = 5 << 20;
/// The peak is far above the present use from this ratio on.
const PEAK_RATIO: f64 = 1.5;
/// Memory is fragmented from this ratio of resident to used on, if enough bytes are concerned.
const FRAGMENTATION_RATIO: f64 = 1.4;
/// See [`FRAGMENTATION_RATIO`].
const FRAGMENTATION_BYTES: u64 = 10 << 20;
/// Buffers of a client are big above this on average.
const BYTES_PER_CLIENT: u64 = 200 << 10;

fn doctor(ctx: &mut ControlCtx<'_>) -> Outcome {
    let memory = ctx.host.memory();
    let clients = ctx.host.clients().len() as u64;
    ctx.reply.verbatim("txt", &report(memory, clients));
    Ok(Flow::Done)
}

fn report(memory: MemoryFacts, clients: u64) -> String {
    if memory.used < TOO_LITTLE_BYTES {
        return String::from(
            "There is too little data to judge by. Ask again when the server holds more than \
             5 MB.\n",
        );
    }
    let mut findings: Vec<String> = Vec::new();
    let peak = ratio(memory.peak, memory.used);
    if peak > PEAK_RATIO {
        findings.push(format!(
            "Peak memory: at some time {peak:.1} times as much memory was used as now. The \
             allocator may keep what was freed, so a high fragmentation ratio may be harmless; \
             MEMORY PURGE gives free memory back."
        ));
    }
    let fragmentation = ratio(memory.resident, memory.used);
    let wasted = memory.resident.saturating_sub(memory.used);
    if fragmentation > FRAGMENTATION_RATIO && wasted > FRAGMENTATION_BYTES {
        findings.push(format!(
            "Fragmentation: the process occupies {fragmentation:.1} times the memory it uses, \
             {wasted} bytes more. MEMORY PURGE gives free memory back; a restart does so \
             completely."
        ));
    }
    let per_client = memory.clients.checked_div(clients).unwrap_or(0);
    if per_client > BYTES_PER_CLIENT {
        findings.push(format!(
            "Client buffers: a client holds {per_client} bytes on average. Look in CLIENT LIST \
             for clients that send large requests or do not read their replies, and consider \
             client-output-buffer-limit."
        ));
    }
    if findings.is_empty() {
        return String::from("No trouble with memory was found.\n");
    }
    let mut text = format!("Found: {}\n", findings.len());
    for finding in findings {
        text.push_str(&format!("\n * {finding}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_is_named_and_health_too() {
        let mb = 1 << 20;
        let healthy = MemoryFacts {
            used: 100 * mb,
            peak: 110 * mb,
            startup: mb,
            resident: 105 * mb,
            clients: mb,
        };
        assert!(report(healthy, 50).starts_with("No trouble"));
        assert!(report(MemoryFacts { used: mb, ..healthy }, 1).starts_with("There is too little"));
        let peak = report(MemoryFacts { peak: 200 * mb, ..healthy }, 50);
        assert!(peak.contains("Peak memory") && peak.starts_with("Found: 1\n"));
        assert!(
            report(MemoryFacts { resident: 150 * mb, ..healthy }, 50).contains("Fragmentation")
        );
        assert!(report(healthy, 1).contains("Client buffers"));
    }
}
