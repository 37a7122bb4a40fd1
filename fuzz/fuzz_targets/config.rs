//! Any bytes as a configuration file.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_config::fuzz_parse(data));
