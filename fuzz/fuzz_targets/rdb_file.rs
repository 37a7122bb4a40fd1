//! RDB files from any bytes, in any two pieces.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_persist::rdb::fuzz_file(data));
