//! The manifest: which files make up the log, a line each.
//!
//! ```text
//! file appendonly.aof.2.base.rdb seq 2 type b     the base
//! file appendonly.aof.1.incr.aof seq 1 type h     history: to be deleted
//! file appendonly.aof.2.incr.aof seq 2 type i     an increment
//! file appendonly.aof.3.incr.aof seq 3 type i     the last one is written to
//! ```
//!
//! A manifest is replaced as a whole, so what it names is always one consistent log: a crash
//! leaves the old manifest or the new one. Names hold no directory; all files lie beside it.
//!
//! Source: manifests that redis-server 7.0.15 wrote, and what it said to broken ones.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use vesta_types::{ascii, number, words};

/// Bytes of a line at most, its end included.
const LINE_BYTES_MAX: usize = 1024;

/// The greatest number that a file may have: what is begun behind it has greater ones.
const SEQ_MAX: u64 = 1 << 62;

/// A file of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogFile {
    /// Its name in the directory of the log.
    pub name: Vec<u8>,
    /// Its number among the bases or among the increments, from 1.
    pub seq: u64,
}

/// How a base is written. It shows in the file's name only; readers look at the first bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BaseFormat {
    /// A snapshot.
    Rdb,
    /// Requests (`aof-use-rdb-preamble no`).
    Requests,
}

/// Which files make up a log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Manifest {
    base: Option<LogFile>,
    /// Oldest first.
    increments: Vec<LogFile>,
    /// What was replaced and may still lie there, the latest first.
    history: VecDeque<LogFile>,
    last_base_seq: u64,
    last_increment_seq: u64,
}

/// A manifest that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestError {
    /// Where: the line's number, from 1, and its text. `None` if it is the file as a whole.
    pub at: Option<(usize, Vec<u8>)>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a manifest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// It has no line.
    Empty,
    /// A line does not end within 1,024 bytes, or the file ends within it.
    LineTooLong,
    /// Not `file NAME seq NUMBER type LETTER`.
    Format,
    /// The name holds a `/`.
    IsPath,
    /// A type other than `b`, `h` and `i`.
    UnknownType,
    /// A second base.
    SecondBase,
    /// An increment whose number is not above the one before it.
    NotMonotonic,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Empty => "Found an empty AOF manifest",
            Self::LineTooLong => "The AOF manifest file contains too long line",
            Self::Format => "Invalid AOF manifest file format",
            Self::IsPath => "File can't be a path, just a filename",
            Self::UnknownType => "Unknown AOF file type",
            Self::SecondBase => "Found duplicate base file information",
            Self::NotMonotonic => "Found a non-monotonic sequence number",
        })
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, text)) = &self.at {
            write!(out, "line {line}, '{}': ", ascii::lossy(text))?;
        }
        self.problem.fmt(out)
    }
}

impl core::error::Error for ManifestError {}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        let mut manifest = Self::default();
        if text.is_empty() {
            return Err(ManifestError { at: None, problem: Problem::Empty });
        }
        let mut lines = text.split(|byte| *byte == b'\n').zip(1..).peekable();
        while let Some((line, number)) = lines.next() {
            let is_rest = lines.peek().is_none();
            if is_rest && line.is_empty() {
                break;
            }
            let fails = |problem| ManifestError { at: Some((number, line.to_vec())), problem };
            if is_rest || line.len() >= LINE_BYTES_MAX {
                return Err(ManifestError { at: None, problem: Problem::LineTooLong });
            }
            if !line.starts_with(b"#") {
                manifest.take_line(line).map_err(fails)?;
            }
        }
        // What is history is still to be deleted: nothing new may bear such a name.
        for file in &manifest.history {
            let is_base = file.name.windows(6).any(|part| part == b".base.");
            let last = if is_base {
                &mut manifest.last_base_seq
            } else {
                &mut manifest.last_increment_seq
            };
            *last = file.seq.max(*last);
        }
        Ok(manifest)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), Problem> {
        let Line { name, seq, letter } = Line::parse(line)?;
        let file = LogFile { name, seq };
        match letter {
            b'b' if self.base.is_some() => return Err(Problem::SecondBase),
            b'b' => {
                self.last_base_seq = file.seq;
                self.base = Some(file);
            }
            b'h' => self.history.push_back(file),
            b'i' if file.seq <= self.last_increment_seq => return Err(Problem::NotMonotonic),
            b'i' => {
                self.last_increment_seq = file.seq;
                self.increments.push(file);
            }
            _ => return Err(Problem::UnknownType),
        }
        Ok(())
    }

    /// A log that is one file from before there were manifests: it becomes the base.
    #[must_use]
    pub fn of_single_file(name: &[u8]) -> Self {
        let base = LogFile { name: name.to_vec(), seq: 1 };
        Self { base: Some(base), last_base_seq: 1, ..Self::default() }
    }

    /// The text that [`Manifest::parse`] reads back.
    #[must_use]
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let files = self.base.iter().map(|file| (file, b'b'));
        let files = files.chain(self.history.iter().map(|file| (file, b'h')));
        for (file, letter) in files.chain(self.increments.iter().map(|file| (file, b'i'))) {
            text.extend(b"file ");
            text.extend(words::quoted_if_needed(&file.name));
            text.extend(format!(" seq {} type {}\n", file.seq, char::from(letter)).as_bytes());
        }
        text
    }

    /// Has files that are begun from here on not be called `name`, which lies there unaccounted
    /// for; whether it is the name of a base or of an increment.
    pub fn spare(&mut self, stem: &[u8], name: &[u8]) -> bool {
        let Some((kind, seq)) = numbered_name(stem, name) else { return false };
        let last = match kind {
            Numbered::Base => &mut self.last_base_seq,
            Numbered::Increment => &mut self.last_increment_seq,
        };
        *last = seq.max(*last);
        true
    }

    /// Which of `names`, all that lie beside the manifest, are bases that rewrites made and died
    /// before the manifest named them. What they hold is in the files that it names.
    ///
    /// There are none when an increment lies there that has a greater number than those that are
    /// named, too: such a base may be the beginning of another log, begun anew, that holds more.
    pub fn bases_left<'n>(&self, stem: &[u8], names: &'n [String]) -> Vec<&'n str> {
        let numbered = |name: &'n String| {
            numbered_name(stem, name.as_bytes()).map(|(kind, seq)| (name.as_str(), kind, seq))
        };
        let is_begun_anew = names
            .iter()
            .filter_map(numbered)
            .any(|(_, kind, seq)| kind == Numbered::Increment && seq > self.last_increment_seq);
        if is_begun_anew || self.increments.is_empty() {
            return Vec::new();
        }
        let bases = names
            .iter()
            .filter_map(numbered)
            .filter(|(_, kind, seq)| *kind == Numbered::Base && *seq > self.last_base_seq);
        bases.map(|(name, _, _)| name).collect()
    }

    /// What is to be loaded, in this order: the base, then the increments.
    pub fn files(&self) -> impl Iterator<Item = &LogFile> {
        self.base.iter().chain(&self.increments)
    }

    /// The base.
    #[must_use]
    pub fn base(&self) -> Option<&LogFile> {
        self.base.as_ref()
    }

    /// The increment that is written to.
    #[must_use]
    pub fn last_increment(&self) -> Option<&LogFile> {
        self.increments.last()
    }

    /// Opens the next increment, named after `stem` (`appendfilename`).
    pub fn begin_increment(&mut self, stem: &[u8]) -> &LogFile {
        self.last_increment_seq = self.last_increment_seq.saturating_add(1);
        let name = numbered(stem, self.last_increment_seq, b".incr.aof");
        self.increments.push(LogFile { name, seq: self.last_increment_seq });
        self.increments.last().expect("pushed just now")
    }

    /// The name of the base that a rewrite makes, as [`Manifest::complete_rewrite`] will enter it.
    #[must_use]
    pub fn next_base_name(&self, stem: &[u8], format: BaseFormat) -> Vec<u8> {
        let suffix: &[u8] = match format {
            BaseFormat::Rdb => b".base.rdb",
            BaseFormat::Requests => b".base.aof",
        };
        numbered(stem, self.last_base_seq.saturating_add(1), suffix)
    }

    /// A rewrite is complete: the next base holds all that was before the increment number
    /// `first_kept`. What it replaces becomes history.
    pub fn complete_rewrite(&mut self, stem: &[u8], format: BaseFormat, first_kept: u64) {
        let name = self.next_base_name(stem, format);
        self.last_base_seq = self.last_base_seq.saturating_add(1);
        let old = self.base.replace(LogFile { name, seq: self.last_base_seq });
        let replaced = self.increments.iter().take_while(|file| file.seq < first_kept).count();
        old.into_iter().for_each(|file| self.history.push_front(file));
        self.increments.drain(..replaced).for_each(|file| self.history.push_front(file));
    }

    /// Whether there is history.
    #[must_use]
    pub fn has_history(&self) -> bool {
        !self.history.is_empty()
    }

    /// Has no file that is begun from here on bear a name that `other` gives to one.
    pub fn pass_over(&mut self, other: &Self) {
        self.last_base_seq = self.last_base_seq.max(other.last_base_seq);
        self.last_increment_seq = self.last_increment_seq.max(other.last_increment_seq);
    }

    /// Names no file any more: they lie elsewhere. Their names are not given again.
    pub fn forget_files(&mut self) {
        self.base = None;
        self.increments.clear();
        self.history.clear();
    }

    /// Takes the history out: once a manifest without it is on disk, these files may go.
    pub fn take_history(&mut self) -> impl Iterator<Item = LogFile> + use<> {
        core::mem::take(&mut self.history).into_iter()
    }
}

/// What a name with a number stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Numbered {
    Base,
    Increment,
}

/// What `name` says that it is, and its number; `None` if it is no name of such a file.
fn numbered_name(stem: &[u8], name: &[u8]) -> Option<(Numbered, u64)> {
    let rest = name.strip_prefix(stem)?.strip_prefix(b".")?;
    let (digits, kind) = rest.split_at(rest.iter().position(|byte| *byte == b'.')?);
    let seq = number::parse_u64(digits).filter(|seq| *seq <= SEQ_MAX)?;
    match kind {
        b".base.rdb" | b".base.aof" => Some((Numbered::Base, seq)),
        b".incr.aof" => Some((Numbered::Increment, seq)),
        _ => None,
    }
}

fn numbered(stem: &[u8], seq: u64, suffix: &[u8]) -> Vec<u8> {
    [stem, format!(".{seq}").as_bytes(), suffix].concat()
}

/// The words of one line. They come in pairs, in any order, of which the last of a kind counts;
/// unknown ones are passed over.
struct Line {
    name: Vec<u8>,
    seq: u64,
    /// The first of the word's letters.
    letter: u8,
}

impl Line {
    fn parse(line: &[u8]) -> Result<Self, Problem> {
        let words = words::split(line).map_err(|words::Unbalanced| Problem::Format)?;
        let (pairs, rest) = words.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Problem::Format);
        }
        let (mut name, mut seq, mut letter) = (None, None, None);
        for [key, value] in pairs {
            if ascii::is_word(key, "file") {
                if value.contains(&b'/') {
                    return Err(Problem::IsPath);
                }
                name = Some(value.clone());
            } else if ascii::is_word(key, "seq") {
                seq = number::parse_u64(value).filter(|seq| *seq <= SEQ_MAX);
            } else if ascii::is_word(key, "type") {
                letter = value.first().copied();
            }
        }
        match (name, seq, letter) {
            // A name that is empty, `.` or `..` is the directory or the one above it.
            (Some(name), Some(seq), Some(letter))
                if seq > 0 && !matches!(name.as_slice(), b"" | b"." | b"..") =>
            {
                Ok(Self { name, seq, letter })
            }
            _ => Err(Problem::Format),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    const STEM: &[u8] = b"appendonly.aof";

    fn names<'a>(files: impl Iterator<Item = &'a LogFile>) -> Vec<&'a str> {
        files.map(|file| str::from_utf8(&file.name).unwrap()).collect()
    }

    #[test]
    fn a_manifest_reads_back_as_it_was_written() {
        let text = b"file appendonly.aof.4.base.rdb seq 4 type b\n\
            file appendonly.aof.3.incr.aof seq 3 type h\n\
            file appendonly.aof.3.base.rdb seq 3 type h\n\
            file \"with space.aof\" seq 4 type i\n\
            file appendonly.aof.5.incr.aof seq 5 type i\n";
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.to_text(), text);
        assert_eq!(
            names(manifest.files()),
            ["appendonly.aof.4.base.rdb", "with space.aof", "appendonly.aof.5.incr.aof"]
        );
        assert_eq!(manifest.last_increment().unwrap().seq, 5);
    }

    #[test]
    fn a_rewrite_replaces_what_came_before_it() {
        let mut log = Manifest::default();
        log.begin_increment(STEM);
        for round in 1..=2 {
            let first_kept = log.begin_increment(STEM).seq;
            assert_eq!(first_kept, round + 1);
            log.complete_rewrite(STEM, BaseFormat::Rdb, first_kept);
        }
        assert_eq!(
            str::from_utf8(&log.to_text()).unwrap(),
            "file appendonly.aof.2.base.rdb seq 2 type b\n\
             file appendonly.aof.2.incr.aof seq 2 type h\n\
             file appendonly.aof.1.base.rdb seq 1 type h\n\
             file appendonly.aof.1.incr.aof seq 1 type h\n\
             file appendonly.aof.3.incr.aof seq 3 type i\n"
        );
        let gone: Vec<LogFile> = log.take_history().collect();
        assert_eq!(gone.len(), 3);
        assert_eq!(names(log.files()), ["appendonly.aof.2.base.rdb", "appendonly.aof.3.incr.aof"]);
        assert_eq!(log.next_base_name(STEM, BaseFormat::Requests), b"appendonly.aof.3.base.aof");
    }

    #[test]
    fn an_increment_of_a_failed_rewrite_stays() {
        let mut log = Manifest::of_single_file(b"appendonly.aof");
        log.begin_increment(STEM);
        log.begin_increment(STEM);
        let first_kept = log.begin_increment(STEM).seq;
        log.complete_rewrite(STEM, BaseFormat::Requests, first_kept);
        assert_eq!(names(log.files()), ["appendonly.aof.2.base.aof", "appendonly.aof.3.incr.aof"]);
    }

    #[test]
    fn files_that_lie_there_are_not_overwritten() {
        let mut log = Manifest::default();
        for (name, is_ours) in [
            ("appendonly.aof.4.base.rdb", true),
            ("appendonly.aof.2.base.aof", true),
            ("appendonly.aof.7.incr.aof", true),
            ("appendonly.aof.9.incr.rdb", false),
            ("appendonly.aof.x.incr.aof", false),
            ("appendonly.aof.manifest", false),
            ("other.aof.8.incr.aof", false),
            ("appendonly.aof", false),
        ] {
            assert_eq!(log.spare(STEM, name.as_bytes()), is_ours, "{name}");
        }
        assert_eq!(log.next_base_name(STEM, BaseFormat::Rdb), b"appendonly.aof.5.base.rdb");
        assert_eq!(log.begin_increment(STEM).seq, 8);
    }

    #[test]
    fn a_base_that_was_never_named_is_told_from_the_beginning_of_another_log() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut lie_there = names(&[
            "appendonly.aof.1.base.rdb",
            "appendonly.aof.2.base.rdb",
            "appendonly.aof.3.base.aof",
            "appendonly.aof.3.base.aof.old",
            "other.aof.3.base.aof",
            "appendonly.aof.5.incr.aof",
            "appendonly.aof.manifest",
        ]);
        let log = Manifest::parse(
            b"file appendonly.aof.2.base.rdb seq 2 type b\n\
              file appendonly.aof.5.incr.aof seq 5 type i\n",
        )
        .unwrap();
        assert_eq!(log.bases_left(STEM, &lie_there), ["appendonly.aof.3.base.aof"]);
        // Nobody knows what a log without increments was for, nor one that names nothing.
        let bare = Manifest::parse(b"file appendonly.aof.2.base.rdb seq 2 type b\n").unwrap();
        assert!(bare.bases_left(STEM, &lie_there[..4]).is_empty());
        assert!(Manifest::default().bases_left(STEM, &lie_there).is_empty());
        lie_there.extend(names(&["appendonly.aof.6.incr.aof"]));
        assert!(log.bases_left(STEM, &lie_there).is_empty());
    }

    #[test]
    fn the_names_of_history_are_not_given_again() {
        let text = b"file appendonly.aof.2.base.rdb seq 2 type b\n\
            file appendonly.aof.3.base.rdb seq 3 type h\n\
            file appendonly.aof.7.incr.aof seq 7 type h\n";
        let mut log = Manifest::parse(text).unwrap();
        assert_eq!(log.next_base_name(STEM, BaseFormat::Rdb), b"appendonly.aof.4.base.rdb");
        assert_eq!(log.begin_increment(STEM).seq, 8);
        let mut other = Manifest::default();
        other.pass_over(&log);
        assert_eq!(other.begin_increment(STEM).seq, 9);
        log.forget_files();
        assert!(!log.has_history() && log.files().count() == 0);
        assert_eq!(log.begin_increment(STEM).seq, 9);
    }

    #[test]
    fn order_case_and_unknown_pairs_do_not_matter() {
        for line in [
            "Type i FILE a Seq 7",
            " file a seq 7 type i more words ",
            "file b file a seq 7 type i",
        ] {
            let manifest = Manifest::parse([line.as_bytes(), b"\n"].concat().as_slice()).unwrap();
            assert_eq!(manifest.to_text(), b"file a seq 7 type i\n", "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = [b"#".repeat(LINE_BYTES_MAX), b"\n".to_vec()].concat();
        for (text, line, problem) in [
            ("", None, Problem::Empty),
            ("file a seq 1 type i", None, Problem::LineTooLong),
            (str::from_utf8(&long).unwrap(), None, Problem::LineTooLong),
            ("garbage\n", Some(1), Problem::Format),
            ("# a\n\nfile a seq 1 type i\n", Some(2), Problem::Format),
            ("file a seq 1\n", Some(1), Problem::Format),
            ("file a seq 0 type i\n", Some(1), Problem::Format),
            ("file a seq 99999999999999999999 type i\n", Some(1), Problem::Format),
            ("file .. seq 1 type i\n", Some(1), Problem::Format),
            ("file \"a seq 1 type i\n", Some(1), Problem::Format),
            ("file ../a seq 1 type i\n", Some(1), Problem::IsPath),
            ("file a seq 1 type z\n", Some(1), Problem::UnknownType),
            ("file a seq 1 type b\nfile b seq 2 type b\n", Some(2), Problem::SecondBase),
            ("file a seq 2 type i\nfile b seq 2 type i\n", Some(2), Problem::NotMonotonic),
        ] {
            let error = Manifest::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.problem, problem, "{text:?}");
            assert_eq!(error.at.as_ref().map(|at| at.0), line, "{text:?}");
            assert!(error.to_string().contains(&problem.to_string()));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back(text in any::<Vec<u8>>(), name in "[^/]{1,20}") {
            let name = words::quoted(name.as_bytes());
            let line = [b"file ", name.as_slice(), b" seq 1 type i\n"].concat();
            for text in [text.clone(), [line, text].concat()] {
                if let Ok(manifest) = Manifest::parse(&text) {
                    let written = manifest.to_text();
                    let expected = (!written.is_empty()).then_some(manifest);
                    prop_assert_eq!(Manifest::parse(&written).ok(), expected);
                }
            }
        }
    }
}
