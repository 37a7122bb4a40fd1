//! Values in the format of RDB from any bytes, written and read again.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_persist::rdb::fuzz_value(data));
