//! Manifests from any bytes, rewritten and read again.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_persist::aof::fuzz_manifest(data));
