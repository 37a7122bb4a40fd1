//! Intsets from any bytes, then edited.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_ds::fuzz_intset(data));
