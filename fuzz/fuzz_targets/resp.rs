//! Requests framed from any bytes, in any chunks.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vesta_resp::fuzz_requests(data));
