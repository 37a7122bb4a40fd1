//! Executing the requests of a file of the log, and what becomes of one whose end is missing.
//!
//! ```text
//!   SET a 1 | MULTI | SET b 2 | SET c 3 | EXEC | SET d 4 | MULTI | SET e 5 | SE
//!                                                        ^ the file is valid up to here
//! ```
//!
//! A transaction is looked through before any of it is executed: what a crash has cut takes place
//! as a whole or not at all.

use super::reading::{Source, Step};
use super::{Job, Purpose, Refusal};
use crate::Node;
use crate::action::Level;
use crate::persistence::replay::{Replayed, Replayer};
use crate::server::Server;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use vesta_persist::aof::{Item, ItemReader};
use vesta_persist::rdb::{CorruptError, Fault};
use vesta_resp::Batch;
use vesta_types::{Now, ReplId, ascii};

/// How many failures of requests the log tells of one by one.
const FAILURES_TOLD_MAX: u64 = 16;

/// A file of requests.
#[derive(Debug)]
pub(super) struct RequestFile {
    items: ItemReader,
    batch: Batch,
    replayer: Replayer,
    /// Bytes of the transaction that is being looked through; 0 when none is.
    ahead: usize,
    /// Bytes of a transaction that is whole which are still to be executed.
    whole: usize,
    /// Whether the requests are of a history: those of a base are another way to write down what
    /// it holds, until it says otherwise.
    is_stream: bool,
    /// Commands that were passed over, by their names.
    passed: Vec<&'static str>,
}

/// What stands next in the file.
enum Next {
    /// A request that was read into the batch, and its length.
    Request(usize),
    /// Something of this length that is not executed: an annotation, the frame of a transaction.
    Frame(usize),
    /// The end of a transaction that has no beginning, and its length.
    Stray(usize),
    Short {
        missing: usize,
    },
}

impl RequestFile {
    /// A file behind those that `job` has read so far.
    pub(super) fn of(job: &Job) -> Self {
        let part = job.log.as_ref().and_then(|log| log.part());
        Self {
            items: ItemReader::default(),
            batch: Batch::default(),
            replayer: Replayer::default(),
            ahead: 0,
            whole: 0,
            is_stream: part.is_some_and(|part| !part.is_base),
            passed: Vec::new(),
        }
    }

    /// Reads the next item of `rest`, which begins where the transaction at hand does, if one is
    /// looked through.
    fn next(&mut self, job: &mut Job, rest: &[u8]) -> Result<Next, CorruptError> {
        loop {
            let (item, len) = match self.items.next(rest.get(self.ahead..).unwrap_or_default()) {
                Ok(next) => next,
                Err(Fault::Short { more }) => return Ok(Next::Short { missing: more }),
                Err(Fault::Corrupt(error)) => {
                    let at_byte = error.at_byte.saturating_add(self.ahead as u64);
                    return Err(CorruptError { at_byte, ..error });
                }
            };
            let Item::Request(arguments) = item else {
                if self.ahead > 0 {
                    self.ahead += len;
                    continue;
                }
                if let Item::History { id, offset } = item {
                    // What a replica's clients have written belongs to no history.
                    job.history = (id != ReplId::NONE).then_some((id, offset));
                    self.is_stream = true;
                    job.refill.drop_select();
                }
                return Ok(Next::Frame(len));
            };
            let input = rest.get(self.ahead..).unwrap_or_default();
            let name = arguments.first().and_then(|range| input.get(range.clone()));
            let name = name.unwrap_or_default();
            let is_begin = ascii::is_word(name, "multi");
            let is_end = ascii::is_word(name, "exec");
            if self.ahead > 0 {
                self.ahead += len;
                if is_end {
                    self.whole = core::mem::take(&mut self.ahead);
                }
            } else if self.whole == 0 && is_begin {
                self.ahead = len;
            } else if self.whole > 0 && (is_begin || is_end) {
                self.count(job, input, len);
                return Ok(Next::Frame(len));
            } else if is_end {
                self.count(job, input, len);
                return Ok(Next::Stray(len));
            } else {
                let is_select = ascii::is_word(name, "select");
                self.batch.hold_one(arguments, input);
                if is_select && self.whole == 0 {
                    // In front of the name of a history it is none of that history's, and at the
                    // torn end of a file nobody knows.
                    job.refill.hold_select(input.get(..len).unwrap_or_default());
                } else {
                    self.count(job, input, len);
                }
                return Ok(Next::Request(len));
            }
        }
    }

    /// A request of so many bytes, with which `input` begins, is being executed.
    fn count(&self, job: &mut Job, input: &[u8], len: usize) {
        if !self.is_stream {
            return job.refill.drop_select();
        }
        let len = job.refill.note(job.history, input.get(..len).unwrap_or_default());
        if let Some((_, offset)) = &mut job.history {
            *offset = offset.saturating_add(len);
        }
    }

    /// Whether what is corrupt is only cut short, and zeros stand behind it up to the end: that is
    /// what a file system may leave of bytes that were not safe.
    fn is_cut_before_zeros(&mut self, job: &mut Job, rest: &[u8]) -> bool {
        let len = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let written = rest.get(..len).unwrap_or_default();
        len < rest.len() && matches!(self.next(job, written), Ok(Next::Short { .. }))
    }

    /// So many bytes are done with.
    fn take(&mut self, source: &mut Source, len: usize) {
        source.take(len);
        self.whole = self.whole.saturating_sub(len);
    }
}

impl Node {
    /// Executes the next request of a file called `name`, or passes over what is none.
    pub(super) fn read_request(
        &mut self,
        now: Now,
        job: &mut Job,
        file: &mut RequestFile,
        source: &mut Source,
        name: &str,
    ) -> Result<Step, Refusal> {
        let at = source.position();
        if source.rest().is_empty() && source.is_at_end() {
            return Ok(Step::End);
        }
        let next = match file.next(job, source.rest()) {
            Ok(next) => next,
            Err(_) if file.is_cut_before_zeros(job, source.rest()) => Next::Short { missing: 1 },
            Err(error) => {
                let at_byte = error.at_byte.saturating_add(at);
                return Err(self.server.misformed(name, CorruptError { at_byte, ..error }));
            }
        };
        match next {
            Next::Request(len) => {
                let request = file.batch.request(0, source.rest());
                if let Some(request) = request {
                    let replayed = self.replay(now, request, &mut file.replayer);
                    let replayed = replayed.map_err(|why| {
                        format!("{why} reading the append only file {name}, at byte {at}")
                    })?;
                    self.server.note_replayed(job, file, replayed, (name, at))?;
                }
                job.requests += 1;
                job.stream_db = Some(u64::from(file.replayer.db().get()));
                file.take(source, len);
            }
            Next::Frame(len) => file.take(source, len),
            Next::Stray(len) => {
                let error = "EXEC without MULTI".to_string();
                let replayed = Replayed::Failed { command: "exec".to_string(), error };
                self.server.note_replayed(job, file, replayed, (name, at))?;
                file.take(source, len);
            }
            Next::Short { missing } if !source.is_at_end() => return Ok(Step::Short { missing }),
            Next::Short { .. } => {
                self.server.end_cut(job, file, at, name)?;
                return Ok(Step::End);
            }
        }
        job.changes = job.changes.saturating_add(file.replayer.take_changes());
        Ok(Step::Item)
    }
}

impl Server {
    /// The file ends within something, which began at byte `at`.
    fn end_cut(
        &mut self,
        job: &Job,
        file: &RequestFile,
        at: u64,
        name: &str,
    ) -> Result<(), Refusal> {
        let is_last = job.log.as_ref().is_some_and(|log| log.is_last());
        let mut lines = Vec::new();
        if file.ahead > 0 {
            lines.push(format!("Revert incomplete MULTI/EXEC transaction in AOF file {name}"));
        }
        let may_cut = self.config.aof_load_truncated && job.purpose == Purpose::Start;
        if !(is_last && may_cut) {
            let manifest = &self.config.appendfilename;
            let mut line = format!(
                "Unexpected end of file reading the append only file {name}: what begins at byte \
                 {at} is not complete. "
            );
            line.push_str(&if is_last {
                format!(
                    "You can: 1) Make a backup of your AOF, then use vesta check aof --fix \
                     {manifest}.manifest. 2) Alternatively you can set the 'aof-load-truncated' \
                     configuration option to yes and restart the server."
                )
            } else {
                "Fatal error: the truncated file is not the last file".to_string()
            });
            lines.push(line);
            return Err(Refusal(lines));
        }
        lines.extend([
            format!("!!! Warning: short read while loading the AOF file {name}!!!"),
            format!("!!! Truncating the AOF {name} at offset {at} !!!"),
            format!("AOF {name} loaded anyway because aof-load-truncated is enabled"),
        ]);
        for line in lines {
            self.log(Level::Warning, line);
        }
        Ok(())
    }

    fn misformed(&self, name: &str, error: CorruptError) -> Refusal {
        let manifest = &self.config.appendfilename;
        let line = format!(
            "Bad file format reading the append only file {name}: {error}. Make a backup of your \
             AOF, then use vesta check aof --fix {manifest}.manifest"
        );
        line.into()
    }

    /// Tells what has become of a request, if that is of interest. `place`: the file's name, and
    /// the byte where the request begins.
    fn note_replayed(
        &mut self,
        job: &mut Job,
        file: &mut RequestFile,
        replayed: Replayed,
        place: (&str, u64),
    ) -> Result<(), Refusal> {
        let (name, at) = place;
        match replayed {
            Replayed::Done => {}
            Replayed::PassedOver(command) => {
                if !file.passed.contains(&command) {
                    file.passed.push(command);
                    let line = format!(
                        "The append only file {name} holds '{command}' at byte {at}, which changes \
                         no data: passed over"
                    );
                    self.log(Level::Warning, line);
                }
            }
            Replayed::Failed { command, error } => {
                job.failed += 1;
                let line = format!(
                    "== CRITICAL == This server is sending an error to its AOF-loading-client: \
                     '{error}' after processing the command '{command}', file {name}, byte {at}"
                );
                if self.panics_at_failures() {
                    return Err(Refusal(vec![line]));
                }
                if job.failed <= FAILURES_TOLD_MAX {
                    self.log(Level::Warning, line);
                }
            }
        }
        Ok(())
    }

    /// Whether a request of the log that fails ends the server.
    fn panics_at_failures(&self) -> bool {
        use vesta_config::PropagationError;
        match self.config.propagation_error_behavior {
            PropagationError::Ignore => false,
            PropagationError::Panic => true,
            PropagationError::PanicOnReplicas => self.config.replicaof.is_some(),
        }
    }
}
