//! LZF from any bytes, and any bytes through LZF.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_ds::lzf::fuzz_lzf(data));
