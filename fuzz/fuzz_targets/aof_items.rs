//! Files of requests from any bytes, in pieces of any length.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_persist::aof::fuzz_items(data));
