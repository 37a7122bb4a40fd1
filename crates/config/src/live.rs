//! CONFIG GET and CONFIG SET.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use vesta_types::ascii::lossy;
use vesta_types::glob;

use crate::option::Repeats;
use crate::{Config, Guarded, Opt, Refusal, Shown, Takes, options};

/// Names and values of the options that at least one pattern matches, each name once, in order.
/// Older names are names of their own. Options for debugging must be named in full.
#[must_use]
pub fn matching(config: &Config, patterns: &[&[u8]]) -> Vec<(&'static str, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for option in options::all() {
        for name in [Some(option.name), option.alias].into_iter().flatten() {
            let wanted = |pattern: &&[u8]| match option.shown {
                Shown::Always => glob::matches(pattern, name.as_bytes(), true),
                Shown::ByName => vesta_types::ascii::is_word(pattern, name),
                Shown::FileOnly => false,
            };
            if patterns.iter().any(wanted) {
                found.insert(name, option.value(config));
            }
        }
    }
    found.into_iter().collect()
}

/// Where the client that sends CONFIG SET is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Peer {
    /// On this machine: loopback or unix socket.
    Local,
    /// Elsewhere.
    Remote,
}

/// The outcome of a CONFIG SET.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The settings as they are to be from now on.
    pub config: Config,
    /// The options whose value is another one than before, for their owners to act on.
    pub options: Vec<&'static Opt>,
}

/// Sets several options, all or none.
///
/// # Errors
/// The first pair that is refused. `config` is as it was.
pub fn set(config: &Config, pairs: &[(&[u8], &[u8])], peer: Peer) -> Result<Changed, SetError> {
    let wanted = lookup(config, pairs, peer)?;
    let mut changed = config.clone();
    for (option, spelling, value) in wanted {
        if let Repeats::Restarts(clear) = option.repeats {
            clear(&mut changed);
        }
        option
            .apply(&mut changed, &[value])
            .map_err(|reason| SetError::Refused { name: spelling, reason })?;
    }
    let differs = |option: &&Opt| option.value(config) != option.value(&changed);
    let options = options::all().filter(differs).collect();
    Ok(Changed { config: changed, options })
}

/// The settings `present` with the values that these options have in `wanted`: what was set
/// meanwhile by others stays.
#[must_use]
pub fn carry_over(present: &Config, wanted: &Config, options: &[&'static Opt]) -> Config {
    let mut changed = present.clone();
    for option in options {
        if let Repeats::Restarts(clear) = option.repeats {
            clear(&mut changed);
        }
        // A value that is shown can be set: clients rely on that, and a test sees to it.
        let _ = option.apply(&mut changed, &[&option.value(wanted)]);
    }
    changed
}

/// An option, the name it was given by, and its new value.
type Wanted<'a> = (&'static Opt, &'static str, &'a [u8]);

/// Whether all pairs may be set at all, in their order.
fn lookup<'a>(
    config: &Config,
    pairs: &[(&[u8], &'a [u8])],
    peer: Peer,
) -> Result<Vec<Wanted<'a>>, SetError> {
    let protected_allowed = match config.enable_protected_configs {
        Guarded::Yes => true,
        Guarded::Local => peer == Peer::Local,
        Guarded::No => false,
    };
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::with_capacity(pairs.len());
    for (given, value) in pairs {
        let known = options::find(given).filter(|option| option.shown != Shown::FileOnly);
        let found = known.and_then(|option| Some((option, option.spelling(given)?)));
        let Some((option, name)) = found else { return Err(SetError::Unknown(lossy(given))) };
        if option.takes == Takes::Start {
            return Err(SetError::Immutable(lossy(given)));
        }
        if option.protected && !protected_allowed {
            return Err(SetError::Protected(lossy(given)));
        }
        if !seen.insert(name) {
            return Err(SetError::Duplicate(lossy(given)));
        }
        wanted.push((option, name, *value));
    }
    Ok(wanted)
}

/// Why a CONFIG SET was refused. The client must act; its `Display` is the error reply.
///
/// Source of the texts: observed on redis-server 7.0.15.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SetError {
    /// No option of this name.
    Unknown(String),
    /// The name stands there twice.
    Duplicate(String),
    /// The option takes effect at the start only.
    Immutable(String),
    /// The option is protected from this client.
    Protected(String),
    /// The value was refused.
    Refused {
        /// The option, by the one of its names that was used, in lower case.
        name: &'static str,
        /// Why.
        reason: Refusal,
    },
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut failed = |name: &str, reason: &dyn fmt::Display| {
            write!(f, "ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")
        };
        match self {
            Self::Unknown(name) => {
                write!(f, "ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            Self::Duplicate(name) => failed(name, &"duplicate parameter"),
            Self::Immutable(name) => failed(name, &"can't set immutable config"),
            Self::Protected(name) => failed(name, &"can't set protected config"),
            Self::Refused { name, reason } => failed(name, reason),
        }
    }
}

impl core::error::Error for SetError {}
