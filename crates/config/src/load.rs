//! Loading: the file, what it includes, standard input, the command line, in this order; later
//! lines win. What was given where is remembered, so that errors can name the place and a rewrite
//! does not repeat what an included file says.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use vesta_types::ascii::{is_word, lossy};
use vesta_types::words;

use crate::load_error::{LoadError, Origin, Problem};
use crate::option::Repeats;
use crate::{Argv, Config, Opt, Refusal, grammar, options};

/// How deep files may include each other.
pub(crate) const MAX_INCLUDE_DEPTH: usize = 16;
/// How many files one start may read, so that a few lines cannot make it read for ever.
pub(crate) const MAX_FILES: usize = 10_000;

/// Directives of older versions that are accepted and do nothing.
const IGNORED: &[&str] =
    &["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

/// Where files come from. The rim reads the disk; tests hold them in memory.
pub trait Sources {
    /// The bytes of a file.
    ///
    /// # Errors
    /// Why it cannot be read, in words for the operator.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String>;

    /// The files that a pattern with `*`, `?` or `[` matches, in order. None is no error.
    ///
    /// # Errors
    /// Why the directory cannot be read, in words for the operator.
    fn expand(&mut self, pattern: &str) -> Result<Vec<String>, String>;

    /// All of standard input.
    ///
    /// # Errors
    /// Why it cannot be read, in words for the operator.
    fn stdin(&mut self) -> Result<Vec<u8>, String>;
}

/// A directive as it was given.
#[derive(Clone)]
pub struct Given {
    /// Its entry.
    pub option: &'static Opt,
    /// The words behind its name.
    pub words: Vec<Vec<u8>>,
    /// Where it stood.
    pub origin: Origin,
    /// The whole line.
    pub text: Vec<u8>,
}

/// Without the words, which may be a password.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("option", &self.option)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// A step of loading what an include line names.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A directive.
    Given(Given),
    /// The end of a nested include.
    IncludeEnds,
}

/// Everything that was given, and by which include.
#[derive(Clone, Debug, Default)]
pub struct LoadedFrom {
    /// The main file, if there is one; CONFIG REWRITE writes it.
    pub main: Option<String>,
    /// All directives in the order they were read.
    pub given: Vec<Given>,
    /// What each include line of the main file gave, by what stands behind `include`.
    pub(crate) included: BTreeMap<Vec<u8>, Vec<Step>>,
}

impl LoadedFrom {
    /// Where the present value of an option (by its name) was given last; `None` for a default.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.given.iter().rev().find(|given| given.option.name == name).map(|given| &given.origin)
    }
}

impl Given {
    /// An error that puts the blame on this line, for rules that only the owner of an option can
    /// check (a directory that does not exist, a command to rename that is not known).
    #[must_use]
    pub fn refused(&self, reason: String) -> LoadError {
        LoadError::at(&self.origin, &self.text, Problem::Owner(reason))
    }
}

/// What a start begins with.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where they came from.
    pub from: LoadedFrom,
}

/// Reads everything that `argv` names.
///
/// # Errors
/// The first thing that is wrong, with the line that is to blame.
pub fn load(argv: &Argv, sources: &mut dyn Sources) -> Result<Loaded, LoadError> {
    let mut loader = Loader {
        settings: Settings::default(),
        from: LoadedFrom::default(),
        steps: Vec::new(),
        sources,
        open: Vec::new(),
        files: 0,
    };
    if let Some(path) = &argv.file {
        loader.from.main = Some(path.clone());
        loader.file(path, None)?;
    }
    if argv.stdin {
        let text = loader
            .sources
            .stdin()
            .map_err(|why| LoadError::anywhere(Problem::UnreadableStdin(why)))?;
        for (line, text) in grammar::meaningful_lines(&text) {
            loader.line(Origin::Stdin { line }, text)?;
        }
    }
    for (directive, text) in (1..).zip(&argv.directives) {
        loader.line(Origin::CommandLine { directive }, grammar::trimmed(text))?;
    }
    conflicts(&loader.settings.config)?;
    Ok(Loaded { config: loader.settings.config, from: loader.from })
}

/// Rules about several options.
fn conflicts(config: &Config) -> Result<(), LoadError> {
    if config.cluster_enabled && config.replicaof.is_some() {
        let problem = Problem::Conflict("replicaof directive not allowed in cluster mode");
        return Err(LoadError::anywhere(problem));
    }
    Ok(())
}

/// Settings while lines are read one after the other.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    /// Options that had a line since an include last ended.
    seen: BTreeSet<&'static str>,
}

impl Settings {
    /// Applies one line.
    pub(crate) fn apply(&mut self, option: &Opt, words: &[Vec<u8>]) -> Result<(), Refusal> {
        let first = self.seen.insert(option.name);
        if let Repeats::Restarts(clear) = option.repeats
            && first
        {
            clear(&mut self.config);
        }
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        option.apply(&mut self.config, &words)
    }

    /// Lines that add up (`save`) start anew behind an include, so that a file can overrule what
    /// it includes.
    ///
    /// Source: observed on redis-server 7.0.15, where behind an include each further line starts
    /// anew; that several of them add up is a choice of ours.
    pub(crate) fn include_ends(&mut self) {
        self.seen.clear();
    }
}

struct Loader<'a> {
    settings: Settings,
    from: LoadedFrom,
    /// All that was read, with the ends of includes.
    steps: Vec<Step>,
    sources: &'a mut dyn Sources,
    /// The files being read, the innermost last.
    open: Vec<String>,
    /// How many were read.
    files: usize,
}

impl Loader<'_> {
    /// Reads a file; `asked` is the include line that names it.
    fn file(&mut self, path: &str, asked: Option<(&Origin, &[u8])>) -> Result<(), LoadError> {
        let blame = |problem| match asked {
            Some((origin, text)) => LoadError::at(origin, text, problem),
            None => LoadError::anywhere(problem),
        };
        if self.open.iter().any(|open| open == path) {
            return Err(blame(Problem::IncludeCycle(String::from(path))));
        }
        if self.open.len() > MAX_INCLUDE_DEPTH {
            return Err(blame(Problem::IncludeDepth));
        }
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(blame(Problem::IncludeCount));
        }
        let text = self
            .sources
            .read(path)
            .map_err(|why| blame(Problem::Unreadable { path: String::from(path), why }))?;
        self.open.push(String::from(path));
        for (line, text) in grammar::meaningful_lines(&text) {
            self.line(Origin::File { path: String::from(path), line }, text)?;
        }
        self.open.pop();
        Ok(())
    }

    fn line(&mut self, origin: Origin, text: &[u8]) -> Result<(), LoadError> {
        self.directive(&origin, text).map_err(|failed| match failed {
            Failed::Here(problem) => LoadError::at(&origin, text, problem),
            Failed::Inside(error) => error,
        })
    }

    fn directive(&mut self, origin: &Origin, text: &[u8]) -> Result<(), Failed> {
        let words = words::split(text).map_err(|_| Failed::Here(Problem::Quotes))?;
        let Some((name, words)) = words.split_first() else { return Ok(()) };
        if is_word(name, "include") {
            let [pattern] = words else { return Err(Failed::Here(Problem::Unknown)) };
            return self.include(pattern, origin, text);
        }
        if is_word(name, "sentinel") {
            return Err(Failed::Here(Problem::SentinelOnly));
        }
        if words.len() == 1 && IGNORED.iter().any(|ignored| is_word(name, ignored)) {
            return Ok(());
        }
        let option = options::find(name).ok_or(Failed::Here(Problem::Unknown))?;
        self.settings
            .apply(option, words)
            .map_err(|refusal| Failed::Here(Problem::Value(refusal)))?;
        let (origin, text) = (origin.clone(), text.to_vec());
        let given = Given { option, words: words.to_vec(), origin, text };
        self.steps.push(Step::Given(given.clone()));
        self.from.given.push(given);
        Ok(())
    }

    fn include(&mut self, pattern: &[u8], origin: &Origin, text: &[u8]) -> Result<(), Failed> {
        let unreadable =
            |why: String| Failed::Here(Problem::Unreadable { path: lossy(pattern), why });
        let path =
            core::str::from_utf8(pattern).map_err(|_| unreadable(Refusal::NotText.to_string()))?;
        let paths = if path.contains(['*', '?', '[']) {
            self.sources.expand(path).map_err(unreadable)?
        } else {
            Vec::from([String::from(path)])
        };
        let before = self.steps.len();
        for path in &paths {
            self.file(path, Some((origin, text))).map_err(Failed::Inside)?;
        }
        if let Origin::File { path, .. } = origin
            && Some(path) == self.from.main.as_ref()
        {
            let steps = self.steps.get(before..).unwrap_or_default().to_vec();
            self.from.included.insert(pattern.to_vec(), steps);
        }
        self.steps.push(Step::IncludeEnds);
        self.settings.include_ends();
        Ok(())
    }
}

/// An error in this line, or one in a file that it includes.
enum Failed {
    Here(Problem),
    Inside(LoadError),
}
