//! What a node wants done with files, and what has become of it.
//!
//! Names of files are relative to the working directory. Several things go on beside each other,
//! each in the order of its wishes: one file is *saved* (a snapshot, under a temporary name), with
//! small jobs on whole files behind it; one file is *loaded*; the *log* is appended to; and any
//! number of files are *shipped*: read to be sent to replicas.

use alloc::string::String;
use alloc::vec::Vec;

/// Something the node wants done with files. Whoever drives a node carries all of them out.
#[derive(Clone, Debug)]
pub enum DiskWish {
    /// Begin to write a file; one that is not finished is given up. The next wishes about saving
    /// mean this one; answer with [`DiskNews::SaveDone`] once it has failed or is finished.
    SaveOpen {
        /// Tells it from others.
        id: u64,
        /// Where it is written; what is there already is lost.
        temporary: String,
        /// The name it is to have.
        name: String,
        /// Whether it is synced every few megabytes (`rdb-save-incremental-fsync`).
        syncs_early: bool,
    },
    /// Append to the file that is saved; answer with [`DiskNews::SaveWritten`].
    SaveWrite(Vec<u8>),
    /// Make the file safe, and then give it its name, for good: answer with
    /// [`DiskNews::SaveDone`].
    SaveFinish,
    /// Remove the file; no answer is needed, and one that is under way already is ignored.
    SaveAbort,
    /// Carry out these steps in order, up to the first that fails; answer with
    /// [`DiskNews::FilesDone`].
    Files {
        /// Tells the job from others.
        id: u64,
        /// What to do.
        steps: Vec<FileStep>,
    },
    /// Tell what lies in a directory; answer with [`DiskNews::Listed`].
    List {
        /// Its name.
        name: String,
    },
    /// Tell which of these processes run, after whose numbers files are named; answer with
    /// [`DiskNews::Running`].
    Running {
        /// Their numbers.
        pids: Vec<u32>,
    },
    /// Open a file to be loaded; answer with [`DiskNews::LoadOpened`].
    LoadOpen {
        /// Its name.
        name: String,
    },
    /// Read on in the file that was opened last; answer with [`DiskNews::LoadPiece`].
    LoadRead {
        /// How much.
        bytes_max: usize,
    },
    /// Open a file of the log, which is created if need be, and append to it from now on. The one
    /// that was open before is made safe and closed first; if that fails it stays, so that nothing
    /// lies behind what may be lost, unless that was told before. Answer with
    /// [`DiskNews::LogOpened`].
    LogOpen {
        /// Its name.
        name: String,
        /// Its length in bytes: what is there behind that is cut off.
        len: u64,
    },
    /// Append a batch to the log; answer with [`DiskNews::LogWritten`]. When that fails, the file
    /// is cut back to whole batches, and the batch is tried again with the next wish.
    LogAppend {
        /// The number of the batch; they count upwards.
        batch: u64,
        /// What to append.
        bytes: Vec<u8>,
        /// Whether to make it safe, too, as soon as everything is appended that is waiting; answer
        /// with [`DiskNews::LogSynced`].
        sync: bool,
    },
    /// Try again to append what could not be appended.
    LogRetry,
    /// Make safe what was appended so far, while appending goes on; answer with
    /// [`DiskNews::LogSynced`].
    LogSync,
    /// Make the log safe and close it; answer with [`DiskNews::LogClosed`].
    LogClose,
    /// Open a file to be shipped, at once: what happens to its name afterwards does not matter.
    /// Answer with [`DiskNews::ShipOpened`].
    ShipOpen {
        /// Tells it from others; it is not that of a file that is open.
        ship: u64,
        /// Its name.
        name: String,
    },
    /// Read on in a file of [`DiskWish::ShipOpen`]; answer with [`DiskNews::ShipPiece`].
    ShipRead {
        /// Which.
        ship: u64,
        /// How much at most.
        bytes_max: usize,
    },
    /// Close a file of [`DiskWish::ShipOpen`], also one that was read to its end or that has
    /// failed. No answer is needed; what was asked for before may still be answered.
    ShipClose {
        /// Which.
        ship: u64,
    },
}

/// What has become of a [`DiskWish`].
#[derive(Clone, Debug)]
pub enum DiskNews {
    /// Bytes of [`DiskWish::SaveWrite`] were written, or at least taken off our hands.
    SaveWritten {
        /// The file.
        id: u64,
        /// How many.
        bytes: usize,
    },
    /// A file of [`DiskWish::SaveOpen`] is in its place and safe, or it has failed, and nothing of
    /// it is left.
    SaveDone {
        /// The file.
        id: u64,
        /// Whether it is there.
        outcome: Result<(), SaveFault>,
    },
    /// All steps of [`DiskWish::Files`] are done and safe, or one has failed.
    FilesDone {
        /// The job.
        id: u64,
        /// Whether all is done.
        outcome: Result<(), FileFault>,
    },
    /// The outcome of [`DiskWish::List`]: the names of what lies there, in any order, none when
    /// there is no such directory; or why they cannot be told.
    Listed(Result<Vec<String>, String>),
    /// The outcome of [`DiskWish::Running`]: those that run, or may run.
    Running(Vec<u32>),
    /// The outcome of [`DiskWish::LoadOpen`]: the length of the file in bytes, `None` when there
    /// is none, or why it cannot be read.
    LoadOpened(Result<Option<u64>, String>),
    /// The outcome of [`DiskWish::LoadRead`]: bytes, none at the end of the file, or why it cannot
    /// be read.
    LoadPiece(Result<Vec<u8>, String>),
    /// The outcome of [`DiskWish::LogOpen`], or why it cannot be opened: then the file before, if
    /// any, still is, and gets what is appended. It fails, too, while the one before lacks a batch
    /// or turns out not to be safe.
    LogOpened(Result<(), String>),
    /// The log up to this batch is in the hands of the system: the end of the process does not
    /// harm it.
    LogWritten {
        /// The number of the batch.
        batch: u64,
    },
    /// The log up to this batch is safe.
    LogSynced {
        /// The number of the batch.
        batch: u64,
    },
    /// Something about the log has failed; every attempt that fails is told. A file that could not
    /// be made safe once never can be: all later attempts fail.
    LogFailed {
        /// What.
        step: LogStep,
        /// What the system said.
        why: String,
    },
    /// The log is closed; it is safe and whole unless [`DiskNews::LogFailed`] came just before.
    LogClosed,
    /// The outcome of [`DiskWish::ShipOpen`]: the length of the file in bytes, or why it cannot be
    /// read.
    ShipOpened {
        /// The file.
        ship: u64,
        /// How long it is.
        outcome: Result<u64, String>,
    },
    /// The outcome of [`DiskWish::ShipRead`]: the next bytes, none at the end of the file, or why
    /// it cannot be read.
    ShipPiece {
        /// The file.
        ship: u64,
        /// What came.
        outcome: Result<Vec<u8>, String>,
    },
}

/// Something to be done with whole files. It is done when a crash can no longer undo it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileStep {
    /// Make a directory, unless it is there. The names of what lies in it are safe then.
    MakeDir {
        /// Its name.
        name: String,
    },
    /// Write a file anew. After a crash there is the old one or the new one.
    Replace {
        /// Its name.
        name: String,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// Give a file another name, in the place of what has it.
    Rename {
        /// Its name.
        from: String,
        /// The name it is to have.
        to: String,
    },
    /// Remove a file, if it is there.
    Remove {
        /// Its name.
        name: String,
    },
    /// Cut a file.
    Cut {
        /// Its name.
        name: String,
        /// Bytes to be left.
        len: u64,
    },
}

/// Why a job on files was not done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileFault {
    /// Which of its steps failed, from 0.
    pub step: usize,
    /// What the system said.
    pub why: String,
}

/// What is done with the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogStep {
    /// Appending.
    Write,
    /// Making it safe. What was not safe before may be lost, whatever a second attempt says.
    Sync,
}

/// Why a file could not be saved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SaveFault {
    /// What failed.
    pub step: SaveStep,
    /// What the system said.
    pub why: String,
}

/// What is done with a file that is saved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SaveStep {
    /// Creating the temporary file.
    Create,
    /// Writing to it.
    Write,
    /// Syncing it, or its directory.
    Sync,
    /// Giving it its name.
    Rename,
}
