//! Snapshots over a link from any bytes, in pieces of any length.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_repl::payload::fuzz_payload(data));
