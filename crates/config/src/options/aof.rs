//! The append only file.

use alloc::string::String;

use crate::{Opt, Refusal};

use super::snapshotting::file_name;
use super::{BYTES_MAX, INT_MAX};

pub(super) const OPTIONS: &[Opt] = &[
    yes_no!("appendonly", appendonly).works(),
    APPENDFILENAME.start().works(),
    APPENDDIRNAME.start().works(),
    choice!("appendfsync", appendfsync).works(),
    yes_no!("no-appendfsync-on-rewrite", no_appendfsync_on_rewrite).works(),
    number!("auto-aof-rewrite-percentage", auto_aof_rewrite_percentage, 0..=INT_MAX).works(),
    memory!("auto-aof-rewrite-min-size", auto_aof_rewrite_min_size_bytes, 0..=BYTES_MAX).works(),
    yes_no!("aof-load-truncated", aof_load_truncated).works(),
    yes_no!("aof-use-rdb-preamble", aof_use_rdb_preamble).works(),
    yes_no!("aof-timestamp-enabled", aof_timestamp_enabled).works(),
    yes_no!("aof-rewrite-incremental-fsync", aof_rewrite_incremental_fsync).works(),
    yes_no!("aof-disable-auto-gc", aof_disable_auto_gc).works(),
];

const APPENDFILENAME: Opt = Opt::new(
    "appendfilename",
    |config, words| {
        let name = file_name(words, "appendfilename can't be a path, just a filename")?;
        config.appendfilename = not_empty(name, "appendfilename can't be empty")?;
        Ok(())
    },
    |config| config.appendfilename.as_bytes().to_vec(),
);

const APPENDDIRNAME: Opt = Opt::new(
    "appenddirname",
    |config, words| {
        let name = file_name(words, "appenddirname can't be a path, just a dirname")?;
        config.appenddirname = not_empty(name, "appenddirname can't be empty")?;
        Ok(())
    },
    |config| config.appenddirname.as_bytes().to_vec(),
);

fn not_empty(name: String, rule: &'static str) -> Result<String, Refusal> {
    if name.is_empty() { Err(Refusal::Rule(rule)) } else { Ok(name) }
}
