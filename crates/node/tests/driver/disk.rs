//! A disk in memory: files by name, a log, jobs; it can be told to hold things back and to fail.

use super::World;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use vesta_node::{DiskNews, DiskWish, Event, FileFault, FileStep, LogStep, SaveFault};

/// A disk that never waits, unless it is told to.
#[derive(Default)]
pub struct Disk {
    pub files: BTreeMap<String, Vec<u8>>,
    /// Directories that were made; those of `files` are there anyway.
    pub dirs: BTreeSet<String>,
    /// What every file that is saved meets.
    pub fault: Option<SaveFault>,
    /// Whether bytes of the file that is saved are not acknowledged, nor is its end.
    pub stuck: bool,
    /// The file that is saved: its number, its name, and what it has.
    pub open: Option<(u64, String, Vec<u8>)>,
    /// What every job meets that has so many steps.
    pub job_fault: Option<FileFault>,
    /// Whether jobs wait for [`World::let_jobs_go`].
    pub holds_jobs: bool,
    pub log: LogDisk,
    /// Processes that run on this machine.
    pub running: BTreeSet<u32>,
    jobs: VecDeque<(u64, Vec<FileStep>)>,
    /// What is left to be read.
    reading: Vec<u8>,
    /// What is unread of the files that are shipped.
    ships: BTreeMap<u64, Vec<u8>>,
}

/// Where the log is written.
#[derive(Default)]
pub struct LogDisk {
    /// The file that is appended to.
    pub name: Option<String>,
    /// Whether batches wait for [`World::let_log_write`].
    pub holds_writes: bool,
    /// Whether syncs wait for [`World::let_log_sync`], but for that of a file that is closed.
    pub holds_syncs: bool,
    /// Whether a file that is to be opened waits for [`World::let_log_open`].
    pub holds_opens: bool,
    /// Why nothing can be opened.
    pub open_fault: Option<String>,
    /// Why nothing can be written. What was to be written waits.
    pub write_fault: Option<String>,
    /// Why nothing can be synced. A file that met it stays as it is.
    pub sync_fault: Option<String>,
    /// The last batch that was written, and the last that was synced.
    pub written: u64,
    pub synced: u64,
    /// How many syncs there were.
    pub syncs: usize,
    queue: VecDeque<(u64, Vec<u8>)>,
    /// A batch in the queue, or behind it, is to be synced.
    wants_sync: bool,
    /// What waits behind something that is held back.
    held: VecDeque<Order>,
    /// Up to where a sync that is held back goes.
    held_sync: Option<u64>,
    /// What the file met.
    spoilt: Option<String>,
}

/// Something to be done with the log.
enum Order {
    Open { name: String, len: u64 },
    Append { batch: u64, bytes: Vec<u8>, sync: bool },
    Retry,
    Sync,
    Close,
}

const MISSING: &str = "No such file or directory";

impl Disk {
    /// The file of the log.
    pub fn log_file(&self) -> &[u8] {
        self.log.name.as_ref().and_then(|name| self.files.get(name)).map_or(&[], Vec::as_slice)
    }

    fn has_dir_of(&self, name: &str) -> bool {
        let Some((dir, _)) = name.rsplit_once('/') else { return true };
        self.dirs.contains(dir) || !self.list(dir).is_empty()
    }

    fn list(&self, dir: &str) -> Vec<String> {
        let within = if dir == "." { String::new() } else { format!("{dir}/") };
        let names = self.files.keys().filter_map(|path| path.strip_prefix(&within));
        names.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }

    fn carry_out(&mut self, steps: &[FileStep]) -> Result<(), FileFault> {
        for (step, what) in steps.iter().enumerate() {
            if let Some(fault) = self.job_fault.clone().filter(|fault| fault.step == step) {
                return Err(fault);
            }
            self.step(what).map_err(|why| FileFault { step, why: why.to_owned() })?;
        }
        Ok(())
    }

    fn step(&mut self, step: &FileStep) -> Result<(), &'static str> {
        match step {
            FileStep::MakeDir { name } => {
                self.dirs.insert(name.clone());
            }
            FileStep::Replace { name, bytes } => {
                if !self.has_dir_of(name) {
                    return Err(MISSING);
                }
                self.files.insert(name.clone(), bytes.clone());
            }
            FileStep::Rename { from, to } => {
                if !self.has_dir_of(to) {
                    return Err(MISSING);
                }
                let file = self.files.remove(from).ok_or(MISSING)?;
                self.files.insert(to.clone(), file);
            }
            FileStep::Remove { name } => {
                self.files.remove(name);
            }
            FileStep::Cut { name, len } => {
                let file = self.files.get_mut(name).ok_or(MISSING)?;
                file.truncate(usize::try_from(*len).expect("files fit in memory"));
            }
        }
        Ok(())
    }

    /// Opens a file of the log.
    fn open_log(&mut self, name: &str, len: u64) -> Result<(), String> {
        if let Some(why) = &self.log.open_fault {
            return Err(why.clone());
        }
        if !self.has_dir_of(name) {
            return Err(MISSING.to_owned());
        }
        let file = self.files.entry(name.to_owned()).or_default();
        let len = usize::try_from(len).expect("files fit in memory");
        if file.len() < len {
            return Err("it is shorter than it was".to_owned());
        }
        file.truncate(len);
        Ok(())
    }
}

impl World {
    pub(super) fn disk_wish(&mut self, wish: DiskWish) {
        match wish {
            DiskWish::SaveOpen { id, name, .. } => self.open_file(id, name),
            DiskWish::SaveWrite(bytes) => self.write_file(&bytes),
            DiskWish::SaveFinish => self.finish_file(),
            DiskWish::SaveAbort => self.disk.open = None,
            DiskWish::Files { id, steps } => {
                self.disk.jobs.push_back((id, steps));
                if !self.disk.holds_jobs {
                    self.do_jobs();
                }
            }
            DiskWish::List { name } => {
                let names = self.disk.list(&name);
                self.tell(DiskNews::Listed(Ok(names)));
            }
            DiskWish::Running { mut pids } => {
                pids.retain(|pid| self.disk.running.contains(pid));
                self.tell(DiskNews::Running(pids));
            }
            DiskWish::LoadOpen { name } => {
                let file = self.disk.files.get(&name).cloned();
                let outcome = Ok(file.as_ref().map(|file| file.len() as u64));
                self.disk.reading = file.unwrap_or_default();
                self.tell(DiskNews::LoadOpened(outcome));
            }
            DiskWish::LoadRead { bytes_max } => {
                let len = bytes_max.min(self.disk.reading.len());
                let bytes = self.disk.reading.drain(..len).collect();
                self.tell(DiskNews::LoadPiece(Ok(bytes)));
            }
            DiskWish::LogOpen { name, len } => self.order(Order::Open { name, len }),
            DiskWish::LogAppend { batch, bytes, sync } => {
                self.order(Order::Append { batch, bytes, sync });
            }
            DiskWish::LogRetry => self.order(Order::Retry),
            DiskWish::LogSync => self.order(Order::Sync),
            DiskWish::LogClose => self.order(Order::Close),
            DiskWish::ShipOpen { ship, name } => {
                let file = self.disk.files.get(&name).cloned();
                let absent = || MISSING.to_owned();
                let outcome = file.as_ref().map(|file| file.len() as u64).ok_or_else(absent);
                self.disk.ships.extend(file.map(|file| (ship, file)));
                self.tell(DiskNews::ShipOpened { ship, outcome });
            }
            DiskWish::ShipRead { ship, bytes_max } => {
                if let Some(unread) = self.disk.ships.get_mut(&ship) {
                    let piece = unread.drain(..bytes_max.min(unread.len())).collect();
                    self.tell(DiskNews::ShipPiece { ship, outcome: Ok(piece) });
                }
            }
            DiskWish::ShipClose { ship } => {
                self.disk.ships.remove(&ship);
            }
        }
    }

    fn order(&mut self, order: Order) {
        self.disk.log.held.push_back(order);
        self.go_on_with_log();
    }

    /// Does what waits, in order, up to what is held back.
    fn go_on_with_log(&mut self) {
        while let Some(order) = self.disk.log.held.pop_front() {
            let log = &self.disk.log;
            let has_held_writes = log.holds_writes && !log.queue.is_empty();
            let is_held = match &order {
                Order::Open { .. } => log.holds_opens || has_held_writes,
                Order::Sync | Order::Close => has_held_writes,
                Order::Append { .. } | Order::Retry => false,
            };
            if is_held {
                self.write_log();
                self.disk.log.held.push_front(order);
                return;
            }
            self.carry_out_order(order);
        }
    }

    fn carry_out_order(&mut self, order: Order) {
        match order {
            Order::Open { name, len } => self.open_log(name, len),
            Order::Append { batch, bytes, sync } => {
                self.disk.log.queue.push_back((batch, bytes));
                self.disk.log.wants_sync |= sync;
                self.write_log();
            }
            Order::Retry => self.write_log(),
            Order::Sync => {
                self.write_log();
                self.sync_log();
            }
            Order::Close => {
                self.write_log();
                self.close_log();
                self.disk.log.queue.clear();
                self.tell(DiskNews::LogClosed);
            }
        }
    }

    fn tell(&mut self, news: DiskNews) {
        self.node.handle(self.now, Event::Disk(news));
    }

    fn open_file(&mut self, id: u64, name: String) {
        match self.disk.fault.clone() {
            Some(fault) => {
                self.tell(DiskNews::SaveDone { id, outcome: Err(fault) });
            }
            None => self.disk.open = Some((id, name, Vec::new())),
        }
    }

    fn write_file(&mut self, bytes: &[u8]) {
        if let Some((id, _, file)) = &mut self.disk.open {
            let id = *id;
            file.extend_from_slice(bytes);
            if !self.disk.stuck {
                self.tell(DiskNews::SaveWritten { id, bytes: bytes.len() });
            }
        }
    }

    /// Finishes the file that is saved, if all of it has come.
    pub fn finish_file(&mut self) {
        if self.disk.stuck {
            return;
        }
        if let Some((id, name, file)) = self.disk.open.take() {
            self.disk.files.insert(name, file);
            self.tell(DiskNews::SaveDone { id, outcome: Ok(()) });
        }
    }

    fn do_jobs(&mut self) {
        while let Some((id, steps)) = self.disk.jobs.pop_front() {
            let outcome = self.disk.carry_out(&steps);
            self.tell(DiskNews::FilesDone { id, outcome });
        }
    }

    /// Does the jobs that were held back, and those to come.
    pub fn let_jobs_go(&mut self) {
        self.disk.holds_jobs = false;
        self.do_jobs();
        self.carry_out();
    }

    /// Writes the batches that were held back, and those to come.
    pub fn let_log_write(&mut self) {
        self.disk.log.holds_writes = false;
        self.write_log();
        self.go_on_with_log();
        self.carry_out();
    }

    /// Opens the file that was held back, and those to come.
    pub fn let_log_open(&mut self) {
        self.disk.log.holds_opens = false;
        self.go_on_with_log();
        self.carry_out();
    }

    /// Ends the sync that was held back, and those to come.
    pub fn let_log_sync(&mut self) {
        self.disk.log.holds_syncs = false;
        if let Some(batch) = self.disk.log.held_sync.take() {
            self.end_sync(batch);
        }
        self.carry_out();
    }

    fn open_log(&mut self, name: String, len: u64) {
        if self.disk.log.name.is_some() {
            self.write_log();
            if let Some(why) = self.disk.log.write_fault.clone() {
                return self.tell(DiskNews::LogOpened(Err(why)));
            }
        }
        if let Err(why) = self.disk.open_log(&name, len) {
            return self.tell(DiskNews::LogOpened(Err(why)));
        }
        if self.disk.log.name.is_some() && self.disk.log.spoilt.is_none() {
            self.end_sync(self.disk.log.written);
            if let Some(why) = self.disk.log.spoilt.clone() {
                return self.tell(DiskNews::LogOpened(Err(why)));
            }
        }
        self.disk.log.spoilt = None;
        self.disk.log.name = Some(name);
        self.tell(DiskNews::LogOpened(Ok(())));
        self.write_log();
    }

    fn close_log(&mut self) {
        if self.disk.log.name.is_some() {
            self.end_sync(self.disk.log.written);
        }
        self.disk.log.name = None;
        self.disk.log.spoilt = None;
    }

    /// Appends what waits, and syncs if that is wished for.
    fn write_log(&mut self) {
        let Disk { log, files, .. } = &mut self.disk;
        if log.holds_writes {
            return;
        }
        if !log.queue.is_empty() {
            let step = LogStep::Write;
            let Some(file) = log.name.as_ref().and_then(|name| files.get_mut(name)) else {
                let why = "not open".to_owned();
                return self.tell(DiskNews::LogFailed { step, why });
            };
            if let Some(why) = log.write_fault.clone() {
                return self.tell(DiskNews::LogFailed { step, why });
            }
            for (batch, bytes) in log.queue.drain(..) {
                assert!(batch > log.written, "batch {batch} comes after {}", log.written);
                log.written = batch;
                file.extend(bytes);
            }
            let batch = log.written;
            self.tell(DiskNews::LogWritten { batch });
        }
        if std::mem::take(&mut self.disk.log.wants_sync) {
            self.sync_log();
        }
    }

    fn sync_log(&mut self) {
        let log = &mut self.disk.log;
        let batch = log.written;
        if log.holds_syncs { log.held_sync = Some(batch) } else { self.end_sync(batch) }
    }

    fn end_sync(&mut self, batch: u64) {
        let log = &mut self.disk.log;
        if log.spoilt.is_none() {
            log.syncs += 1;
            log.spoilt = log.sync_fault.clone();
        }
        match log.spoilt.clone() {
            Some(why) => self.tell(DiskNews::LogFailed { step: LogStep::Sync, why }),
            None => {
                log.synced = log.synced.max(batch);
                self.tell(DiskNews::LogSynced { batch });
            }
        }
    }
}
