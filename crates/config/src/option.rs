//! What an option is: its names, who acts on it, and how it goes to text and back.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use vesta_types::words;

use crate::{Config, Refusal, grammar, value};

/// When a new value of an option takes effect, and who sees to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Takes {
    /// At once: the owner reads the field whenever it needs it.
    Live,
    /// At once, but the rim must act on it (listen elsewhere, open another file).
    Rim,
    /// At the start only: CONFIG SET refuses it.
    Start,
}

/// Whether an option changes anything in this version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// It does what its documentation says.
    Yes,
    /// It is accepted, kept and shown. What it asks for when it is on is done whatever it says.
    Always,
    /// It is accepted, kept and shown, and changes nothing yet.
    NotYet,
}

/// Where an option can be seen and changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shown {
    /// In files, by CONFIG SET and by CONFIG GET with any pattern.
    Always,
    /// The same, but CONFIG GET must name it: patterns do not find it. Options for debugging.
    ByName,
    /// In files and on the command line only.
    FileOnly,
}

/// What a second line of the same directive does while files are loaded.
#[derive(Clone, Copy)]
pub(crate) enum Repeats {
    /// It replaces what it names.
    Replaces,
    /// It adds; the first line, and the first behind an include, clears what was there with the
    /// function here. CONFIG SET always does.
    Restarts(fn(&mut Config)),
    /// It adds, and nothing takes back what a line gave.
    Adds,
}

/// How the value of an option is written into a file.
#[derive(Clone, Copy)]
pub(crate) enum Written {
    /// One line, the value as one word, quoted where it must be.
    Value,
    /// One line, the value as it is: several words.
    Words,
    /// One line, in the largest unit that divides the number of bytes.
    Memory,
    /// As many lines as the function gives, each a list of words behind the name.
    Lines(fn(&Config) -> Vec<Vec<Vec<u8>>>),
}

/// One option: an entry of the table in [`options`](crate::options).
#[derive(Clone, Copy)]
pub struct Opt {
    /// Its name in lower case.
    pub name: &'static str,
    /// An older name that files, CONFIG SET and CONFIG GET know as well.
    pub alias: Option<&'static str>,
    /// Who acts on a new value.
    pub takes: Takes,
    /// Whether it does something in this version.
    pub effect: Effect,
    /// Where it can be seen.
    pub shown: Shown,
    /// Whether CONFIG SET is refused unless `enable-protected-configs` allows it.
    pub protected: bool,
    many_words: bool,
    pub(crate) repeats: Repeats,
    written: Written,
    set: fn(&mut Config, &[&[u8]]) -> Result<(), Refusal>,
    get: fn(&Config) -> Vec<u8>,
}

impl fmt::Debug for Opt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opt").field(&self.name).finish()
    }
}

impl Opt {
    /// Sets the option in `config` from the words behind its name.
    ///
    /// One word that holds blanks counts as several where the option takes several, as in
    /// `CONFIG SET save "3600 1 300 100"`. On an error `config` may be half changed: work on a
    /// copy.
    ///
    /// # Errors
    /// The reason why the words were refused.
    pub fn apply(&self, config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
        match words {
            [] | [b""] if self.many_words => (self.set)(config, &[]),
            [line] if self.many_words => {
                let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
                (self.set)(config, &words)
            }
            _ => (self.set)(config, words),
        }
    }

    /// The value as CONFIG GET shows it.
    #[must_use]
    pub fn value(&self, config: &Config) -> Vec<u8> {
        (self.get)(config)
    }

    /// The lines that give this option its present value in a file, without line ends. Empty only
    /// for directives that can be repeated and were not given.
    #[must_use]
    pub fn lines(&self, config: &Config) -> Vec<Vec<u8>> {
        let value = (self.get)(config);
        let behind = match self.written {
            Written::Words if !value.is_empty() => value,
            Written::Value | Written::Words => words::quoted_if_needed(&value),
            Written::Memory => value::with_unit(value),
            Written::Lines(lines) => {
                let line = |words: Vec<Vec<u8>>| grammar::joined(self.name, &words);
                return lines(config).into_iter().map(line).collect();
            }
        };
        vec![[self.name.as_bytes(), b" ", &behind].concat()]
    }

    /// The spelling of this option's name or alias that `given` is, in any mix of case.
    pub(crate) fn spelling(&self, given: &[u8]) -> Option<&'static str> {
        [Some(self.name), self.alias]
            .into_iter()
            .flatten()
            .find(|known| vesta_types::ascii::is_word(given, known))
    }

    /// An option that is live, plain, visible, and has no effect yet; the methods below change
    /// that.
    pub(crate) const fn new(
        name: &'static str,
        set: fn(&mut Config, &[&[u8]]) -> Result<(), Refusal>,
        get: fn(&Config) -> Vec<u8>,
    ) -> Self {
        Self {
            name,
            alias: None,
            takes: Takes::Live,
            effect: Effect::NotYet,
            shown: Shown::Always,
            protected: false,
            many_words: false,
            repeats: Repeats::Replaces,
            written: Written::Value,
            set,
            get,
        }
    }

    pub(crate) const fn alias(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    pub(crate) const fn works(self) -> Self {
        Self { effect: Effect::Yes, ..self }
    }

    pub(crate) const fn always(self) -> Self {
        Self { effect: Effect::Always, ..self }
    }

    pub(crate) const fn rim(self) -> Self {
        Self { takes: Takes::Rim, ..self }
    }

    pub(crate) const fn start(self) -> Self {
        Self { takes: Takes::Start, ..self }
    }

    pub(crate) const fn protected(self) -> Self {
        Self { protected: true, ..self }
    }

    pub(crate) const fn by_name(self) -> Self {
        Self { shown: Shown::ByName, ..self }
    }

    pub(crate) const fn file_only(self) -> Self {
        Self { shown: Shown::FileOnly, takes: Takes::Start, repeats: Repeats::Adds, ..self }
    }

    pub(crate) const fn many_words(self) -> Self {
        Self { many_words: true, written: Written::Words, ..self }
    }

    pub(crate) const fn restarts(self, clear: fn(&mut Config)) -> Self {
        Self { repeats: Repeats::Restarts(clear), ..self }
    }

    pub(crate) const fn memory(self) -> Self {
        Self { written: Written::Memory, ..self }
    }

    pub(crate) const fn written_as(self, lines: fn(&Config) -> Vec<Vec<Vec<u8>>>) -> Self {
        Self { written: Written::Lines(lines), ..self }
    }
}
