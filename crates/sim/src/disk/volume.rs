//! Files and names with what a crash leaves of them, as a journaling file system would.
//!
//! A file has bytes that are safe, and bytes behind them that were written and not synced. Names
//! are changed through a journal: a change is safe once the directory, or one that was changed
//! after it, was synced.
//!
//! The end of a process takes nothing away. The end of the machine leaves of every file what is
//! safe and a part of what was written behind it, cut anywhere, rarely with zeros at the end, and
//! of the journal the first changes. What was cut off and not synced may come back.

use std::collections::{BTreeMap, VecDeque};

use vesta_types::Rng;

/// A file by its number: it may have several names, or none.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct FileId(u64);

/// What a name stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Entry {
    Dir,
    File(FileId),
}

type Names = BTreeMap<String, Entry>;

/// A change of names.
#[derive(Clone, Debug)]
enum Change {
    MakeDir(String),
    Create(String, FileId),
    Rename(String, String),
    Remove(String),
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// So many of the bytes are safe.
    safe: usize,
    /// What was cut off behind the safe bytes, which nobody has synced away yet.
    undead: Vec<u8>,
    /// A sync has failed: what was not safe then is lost, whatever the next sync says.
    is_lossy: bool,
    /// Tells a snapshot from others; 0 for other files.
    label: u64,
}

/// A file system.
#[derive(Debug, Default)]
pub(super) struct Volume {
    names: Names,
    /// Names as they are after the end of the machine at the least.
    safe_names: Names,
    journal: VecDeque<Change>,
    files: BTreeMap<FileId, File>,
    created: u64,
}

/// Why something cannot be done with files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoEntry;

impl Volume {
    /// The file of this name.
    pub(super) fn find(&self, name: &str) -> Option<FileId> {
        match self.names.get(name) {
            Some(Entry::File(id)) => Some(*id),
            Some(Entry::Dir) | None => None,
        }
    }

    /// All files and their lengths in bytes, in the order of their names.
    pub(super) fn listing(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names.iter().filter_map(|(name, entry)| match entry {
            Entry::File(id) => Some((name.as_str(), self.len(*id))),
            Entry::Dir => None,
        })
    }

    pub(super) fn bytes(&self, id: FileId) -> &[u8] {
        self.files.get(&id).map_or(&[], |file| &file.bytes)
    }

    pub(super) fn len(&self, id: FileId) -> usize {
        self.bytes(id).len()
    }

    /// How many of its bytes are safe.
    pub(super) fn safe_len(&self, id: FileId) -> usize {
        self.files.get(&id).map_or(0, |file| file.safe)
    }

    /// Marks a file.
    pub(super) fn label(&mut self, id: FileId, label: u64) {
        if let Some(file) = self.files.get_mut(&id) {
            file.label = label;
        }
    }

    /// How a file is marked.
    pub(super) fn label_of(&self, id: FileId) -> u64 {
        self.files.get(&id).map_or(0, |file| file.label)
    }

    /// Whether a sync of it has failed.
    pub(super) fn is_lossy(&self, id: FileId) -> bool {
        self.files.get(&id).is_some_and(|file| file.is_lossy)
    }

    pub(super) fn make_dir(&mut self, name: &str) -> Result<(), NoEntry> {
        if self.names.contains_key(name) {
            return Ok(());
        }
        self.change(Change::MakeDir(name.to_owned()))
    }

    /// Creates a file, or empties the one that is there.
    pub(super) fn create(&mut self, name: &str) -> Result<FileId, NoEntry> {
        if let Some(id) = self.find(name) {
            self.cut(id, 0);
            return Ok(id);
        }
        self.created += 1;
        let id = FileId(self.created);
        self.change(Change::Create(name.to_owned(), id))?;
        self.files.insert(id, File::default());
        Ok(id)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), NoEntry> {
        self.find(from).ok_or(NoEntry)?;
        self.change(Change::Rename(from.to_owned(), to.to_owned()))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&mut self, name: &str) {
        if self.find(name).is_some() {
            // A name that is there can go.
            let _ = self.change(Change::Remove(name.to_owned()));
        }
    }

    pub(super) fn append(&mut self, id: FileId, bytes: &[u8]) {
        if let Some(file) = self.files.get_mut(&id) {
            file.bytes.extend_from_slice(bytes);
        }
    }

    /// Leaves at most `len` bytes of a file.
    pub(super) fn cut(&mut self, id: FileId, len: usize) {
        let Some(file) = self.files.get_mut(&id) else { return };
        if len < file.safe {
            let mut tail = file.bytes.get(len..file.safe).unwrap_or_default().to_vec();
            tail.append(&mut file.undead);
            file.undead = tail;
            file.safe = len;
        }
        file.bytes.truncate(len);
        // What was lost is cut off.
        file.is_lossy &= len > file.safe;
    }

    /// Makes the first `len` bytes of a file safe.
    pub(super) fn sync(&mut self, id: FileId, len: usize) {
        let Some(file) = self.files.get_mut(&id) else { return };
        if !file.is_lossy {
            file.safe = file.safe.max(len.min(file.bytes.len()));
            file.undead.clear();
        }
    }

    /// A sync fails, and what it was to make safe is lost.
    pub(super) fn fail_to_sync(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            file.is_lossy = true;
        }
    }

    /// Makes safe what was changed in a directory, and with it what was changed before.
    pub(super) fn sync_dir(&mut self, dir: &str) {
        let touches = |change: &Change| change.names().any(|name| dir_of(name) == dir);
        let Some(last) = self.journal.iter().rposition(touches) else { return };
        for change in self.journal.drain(..=last) {
            change.apply(&mut self.safe_names);
        }
        self.forget_files();
    }

    /// The end of a process. What a failed sync has lost is gone from now on; whether there was
    /// any.
    pub(super) fn process_ends(&mut self) -> bool {
        let mut has_lost = false;
        for file in self.files.values_mut().filter(|file| file.is_lossy) {
            has_lost |= file.bytes.len() > file.safe;
            file.bytes.truncate(file.safe);
            file.is_lossy = false;
        }
        has_lost
    }

    /// The end of the machine; `zeros`: a tail may turn to zeros.
    pub(super) fn machine_ends(&mut self, rng: &mut Rng, zeros: bool) {
        let kept = part_of(self.journal.len(), rng);
        for change in self.journal.drain(..).take(kept) {
            change.apply(&mut self.safe_names);
        }
        self.names.clone_from(&self.safe_names);
        self.forget_files();
        for file in self.files.values_mut() {
            file.machine_ends(rng, zeros);
        }
    }

    fn change(&mut self, change: Change) -> Result<(), NoEntry> {
        let parents_exist = change.names().all(|name| {
            let dir = dir_of(name);
            dir.is_empty() || self.names.get(dir) == Some(&Entry::Dir)
        });
        if !parents_exist {
            return Err(NoEntry);
        }
        change.apply(&mut self.names);
        self.journal.push_back(change);
        Ok(())
    }

    /// Forgets files that have no name any more and cannot get one back.
    fn forget_files(&mut self) {
        let is_named = |names: &Names, id| names.values().any(|entry| *entry == Entry::File(id));
        let is_coming = |id| {
            self.journal.iter().any(|change| matches!(change, Change::Create(_, of) if *of == id))
        };
        let (names, safe_names) = (&self.names, &self.safe_names);
        self.files
            .retain(|id, _| is_named(names, *id) || is_named(safe_names, *id) || is_coming(*id));
    }
}

impl File {
    fn machine_ends(&mut self, rng: &mut Rng, zeros: bool) {
        let written = self.bytes.len() - self.safe;
        if !self.undead.is_empty() && rng.below(2) == 0 {
            // That it was cut has not reached the disk, nor has what came behind.
            self.bytes.truncate(self.safe);
            self.bytes.append(&mut self.undead);
        } else {
            let kept = self.safe + part_of(written, rng);
            self.bytes.truncate(kept);
            if zeros && rng.below(8) == 0 {
                let missing = self.safe + written - kept;
                self.bytes.resize(kept + part_of(missing, rng), 0);
            }
        }
        self.undead.clear();
        self.safe = self.bytes.len();
        self.is_lossy = false;
    }
}

impl Change {
    fn names(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::MakeDir(name) | Self::Create(name, _) | Self::Remove(name) => (name, None),
            Self::Rename(from, to) => (from, Some(to)),
        };
        std::iter::once(first).chain(second).map(String::as_str)
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::MakeDir(name) => {
                names.insert(name.clone(), Entry::Dir);
            }
            Self::Create(name, id) => {
                names.insert(name.clone(), Entry::File(*id));
            }
            Self::Rename(from, to) => {
                if let Some(entry) = names.remove(from) {
                    names.insert(to.clone(), entry);
                }
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

/// All, nothing, or a part.
pub(super) fn part_of(whole: usize, rng: &mut Rng) -> usize {
    match rng.below(4) {
        0 => 0,
        1 => whole,
        _ => usize::try_from(rng.below(whole as u64 + 1)).unwrap_or(0),
    }
}

/// The directory that a name is in; empty for the one that all others are in.
pub(super) fn dir_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(dir, _)| dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a name holds after the end of the machine, in many worlds.
    fn after_crashes(build: impl Fn(&mut Volume), name: &str) -> Vec<Option<String>> {
        let mut all: Vec<Option<String>> = (0..200)
            .map(|seed| {
                let mut volume = Volume::default();
                build(&mut volume);
                volume.machine_ends(&mut Rng::new(seed), false);
                let id = volume.find(name)?;
                Some(String::from_utf8(volume.bytes(id).to_vec()).unwrap())
            })
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn what_was_synced_stays_and_of_the_rest_a_part() {
        let build = |volume: &mut Volume| {
            let id = volume.create("f").unwrap();
            volume.append(id, b"ab");
            volume.sync(id, 2);
            volume.sync_dir("");
            volume.append(id, b"cd");
        };
        assert_eq!(after_crashes(build, "f"), some(&["ab", "abc", "abcd"]));
    }

    #[test]
    fn a_name_is_safe_when_its_directory_is() {
        let build = |volume: &mut Volume| {
            volume.make_dir("d").unwrap();
            let id = volume.create("d/f").unwrap();
            volume.append(id, b"x");
            volume.sync(id, 1);
        };
        assert_eq!(after_crashes(build, "d/f"), [None, Some("x".to_owned())]);
        let synced = |volume: &mut Volume| {
            build(volume);
            volume.sync_dir("d");
        };
        assert_eq!(after_crashes(synced, "d/f"), some(&["x"]));
    }

    #[test]
    fn a_file_that_is_replaced_is_the_old_one_or_the_new_one() {
        let build = |volume: &mut Volume| {
            for (name, text) in [("f", "old"), ("t", "new")] {
                let id = volume.create(name).unwrap();
                volume.append(id, text.as_bytes());
                volume.sync(id, 3);
            }
            volume.sync_dir("");
            volume.rename("t", "f").unwrap();
        };
        assert_eq!(after_crashes(build, "f"), some(&["new", "old"]));
    }

    #[test]
    fn what_was_cut_off_may_come_back_until_it_is_synced() {
        let build = |volume: &mut Volume| {
            let id = volume.create("f").unwrap();
            volume.append(id, b"abcd");
            volume.sync(id, 4);
            volume.sync_dir("");
            volume.cut(id, 2);
            volume.append(id, b"x");
        };
        assert_eq!(after_crashes(build, "f"), some(&["ab", "abcd", "abx"]));
        let synced = |volume: &mut Volume| {
            build(volume);
            let id = volume.find("f").unwrap();
            volume.sync(id, 3);
        };
        assert_eq!(after_crashes(synced, "f"), some(&["abx"]));
    }

    #[test]
    fn a_failed_sync_loses_what_was_not_safe_for_good() {
        let build = |volume: &mut Volume| {
            let id = volume.create("f").unwrap();
            volume.append(id, b"ab");
            volume.sync(id, 2);
            volume.sync_dir("");
            volume.append(id, b"c");
            volume.fail_to_sync(id);
            volume.append(id, b"d");
            volume.sync(id, 4);
        };
        assert!(after_crashes(build, "f").contains(&Some("ab".to_owned())));
    }
}
