//! The server role: prepare the process, run the loop, leave.

mod actions;
mod banner;
mod boot;
mod connections;
mod data_files;
mod dial;
mod facts;
mod feed;
mod link;
mod listen;
mod logging;
mod replies;
mod rest;
mod sources;
mod title;
mod turn;

use std::ffi::OsString;
use std::process::ExitCode;

/// Everything `vesta server ARGUMENTS` does.
pub(crate) fn start(arguments: &[OsString]) -> ExitCode {
    match boot::boot(arguments) {
        Ok(booted) => turn::run(booted),
        Err(failed) => failed.report(),
    }
}
