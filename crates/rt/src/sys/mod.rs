//! The only unsafe code of this crate: what neither std nor rustix offers.
//!
//! Each submodule wraps one platform facility in functions that are safe to call.
#![allow(unsafe_code, reason = "system calls and intrinsics that no safe crate wraps")]

pub(crate) mod argv;
pub(crate) mod file;
pub(crate) mod heap;
pub(crate) mod process;
pub(crate) mod tsc;
