//! Values from any bytes, written as requests.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_persist::aof::fuzz_base(data));
