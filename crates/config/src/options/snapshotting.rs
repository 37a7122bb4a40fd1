//! Snapshots: when they are due and where they go.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use vesta_types::number::parse_u64;

use crate::value::{shown, spaced};
use crate::{Config, Opt, Refusal, SavePoint, value};

pub(super) const OPTIONS: &[Opt] = &[
    SAVE.many_words().restarts(|config| config.save.clear()).written_as(save_lines).works(),
    yes_no!("stop-writes-on-bgsave-error", stop_writes_on_bgsave_error).works(),
    yes_no!("rdbcompression", rdbcompression).works(),
    yes_no!("rdbchecksum", rdbchecksum).start().works(),
    // Every value is decoded element by element, wherever it comes from: nothing can be left out.
    choice!("sanitize-dump-payload", sanitize_dump_payload).always(),
    DBFILENAME.protected().works(),
    yes_no!("rdb-del-sync-files", rdb_del_sync_files).works(),
    text!("dir", dir).protected().rim().works(),
    yes_no!("rdb-save-incremental-fsync", rdb_save_incremental_fsync).works(),
];

const SAVE: Opt = Opt::new("save", add_save, |config| {
    spaced(config.save.iter().flat_map(|point| [shown(point.seconds), shown(point.changes)]))
});

/// Pairs of seconds and changes are added; no words take all away.
fn add_save(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    if words.is_empty() {
        config.save.clear();
        return Ok(());
    }
    let (pairs, rest) = words.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(INVALID_SAVE);
    }
    for [seconds, changes] in pairs {
        let seconds = save_number(seconds).filter(|seconds| *seconds > 0).ok_or(INVALID_SAVE)?;
        let changes = save_number(changes).ok_or(INVALID_SAVE)?;
        config.save.push(SavePoint { seconds, changes });
    }
    Ok(())
}

const INVALID_SAVE: Refusal = Refusal::Rule("Invalid save parameters");

fn save_number(word: &[u8]) -> Option<u64> {
    parse_u64(word).filter(|number| *number <= super::BYTES_MAX)
}

fn save_lines(config: &Config) -> Vec<Vec<Vec<u8>>> {
    if config.save.is_empty() {
        return vec![vec![Vec::new()]];
    }
    config.save.iter().map(|point| vec![shown(point.seconds), shown(point.changes)]).collect()
}

const DBFILENAME: Opt = Opt::new(
    "dbfilename",
    |config, words| {
        config.dbfilename = file_name(words, "dbfilename can't be a path, just a filename")?;
        Ok(())
    },
    |config| config.dbfilename.as_bytes().to_vec(),
);

/// A file name without directories; `rule` is what is said of a path.
pub(super) fn file_name(words: &[&[u8]], rule: &'static str) -> Result<String, Refusal> {
    let name = value::text(words)?;
    if name.contains('/') { Err(Refusal::Rule(rule)) } else { Ok(name) }
}
