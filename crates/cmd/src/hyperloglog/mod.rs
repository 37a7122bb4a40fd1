//! Commands on HyperLogLogs: strings that tell roughly how many different elements they were shown.

mod pfadd;
mod pfcount;
mod pfdebug;
mod pfmerge;
mod pfselftest;

use crate::{Command, ReplyError};
use alloc::borrow::Cow;
use vesta_config::Config;
use vesta_store::StrRef;
use vesta_store::hll::{Corrupt, View};

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &pfadd::PFADD,
    &pfcount::PFCOUNT,
    &pfdebug::PFDEBUG,
    &pfmerge::PFMERGE,
    &pfselftest::PFSELFTEST,
];

/// The error for a string that is none by its header.
const NO_HYPERLOGLOG: ReplyError =
    ReplyError::Coded(Cow::Borrowed("WRONGTYPE Key is not a valid HyperLogLog string value."));

/// The error for one that is broken inside.
fn corrupt(Corrupt: Corrupt) -> ReplyError {
    ReplyError::Coded(Cow::Borrowed("INVALIDOBJ Corrupted HLL object detected"))
}

/// A string as a HyperLogLog.
///
/// # Errors
/// When it is none.
fn view<'a>(value: &StrRef<'a>) -> Result<View<'a>, ReplyError> {
    let bytes = match value {
        StrRef::Int(_) => None,
        StrRef::Bytes(bytes) => Some(*bytes),
        StrRef::Blob(blob) => Some(blob.bytes()),
    };
    bytes.and_then(View::parse).ok_or(NO_HYPERLOGLOG)
}

/// The most bytes of a sparse one.
fn sparse_max(config: &Config) -> usize {
    usize::try_from(config.hll_sparse_max_bytes).unwrap_or(usize::MAX)
}
