//! Finding a command by its name: one hash of the folded bytes.

use crate::{Command, ReplyError, Run, commands};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use vesta_types::ascii;

/// The commands of one server, after `rename-command`.
#[derive(Debug)]
pub struct Commands {
    /// Slots of an open-addressed table of indexes into `known`, plus one; 0 is empty.
    slots: Vec<u16>,
    known: Vec<Known>,
    /// How many commands there are, sub-commands counted one by one.
    leaves: usize,
}

#[derive(Debug)]
struct Known {
    /// By which clients call it, in lower case. Statistics, COMMAND and error texts give the
    /// original one, as in Redis.
    name: String,
    command: &'static Command,
    /// Number of the command, or of its first sub-command.
    first_leaf: usize,
}

/// A command that was found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The command itself; never one that only has sub-commands.
    pub command: &'static Command,
    /// The container it belongs to.
    pub container: Option<&'static Command>,
    /// Its number among all commands and sub-commands, below [`Commands::leaves`].
    pub leaf: usize,
}

/// A `rename-command` that cannot be done; `at` is its place among the renamings.
///
/// `Display` is the text for the operator. Source: observed on redis-server 7.0.15.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RenameError {
    /// There is no command of the old name.
    Unknown {
        /// Which renaming.
        at: usize,
    },
    /// There is a command of the new name.
    Taken {
        /// Which renaming.
        at: usize,
    },
}

impl fmt::Display for RenameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown { .. } => "No such command in rename-command",
            Self::Taken { .. } => "Target command name already exists",
        })
    }
}

impl Default for Commands {
    fn default() -> Self {
        Self::of(all())
    }
}

impl Commands {
    /// All commands, renamed one after another from the first name of a pair to the second; an
    /// empty second name removes a command.
    ///
    /// # Errors
    /// [`RenameError`] for the first pair that makes no sense.
    pub fn new(renamed: &[(Vec<u8>, Vec<u8>)]) -> Result<Self, RenameError> {
        let mut known = all();
        for (at, (old, new)) in renamed.iter().enumerate() {
            let find =
                |name: &[u8]| known.iter().position(|known| ascii::is_word(name, &known.name));
            let from = find(old).ok_or(RenameError::Unknown { at })?;
            if find(new).is_some_and(|taken| taken != from) {
                return Err(RenameError::Taken { at });
            }
            if new.is_empty() {
                known.remove(from);
            } else if let Some(known) = known.get_mut(from) {
                known.name = ascii::lossy(new).to_ascii_lowercase();
            }
        }
        Ok(Self::of(known))
    }

    fn of(mut known: Vec<Known>) -> Self {
        let mut leaves = 0;
        for known in &mut known {
            known.first_leaf = leaves;
            leaves += usize::from(known.command.runs_alone()) + known.command.within().len();
        }
        let mut slots = vec![0; (known.len() * 4).next_power_of_two()];
        for (index, known) in known.iter().enumerate() {
            let mut at = home(known.name.as_bytes(), slots.len());
            while slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) % slots.len();
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = u16::try_from(index + 1).unwrap_or(0);
            }
        }
        Self { slots, known, leaves }
    }

    /// The command or container called `name`, in any case, and its index.
    #[inline]
    fn top(&self, name: &[u8]) -> Option<&Known> {
        let mut at = home(name, self.slots.len());
        loop {
            let index = usize::from(*self.slots.get(at)?).checked_sub(1)?;
            let known = self.known.get(index)?;
            if name.eq_ignore_ascii_case(known.name.as_bytes()) {
                return Some(known);
            }
            at = (at + 1) % self.slots.len();
        }
    }

    /// The command or container called `name`, in any case.
    #[must_use]
    pub fn find_top(&self, name: &[u8]) -> Option<&'static Command> {
        self.top(name).map(|known| known.command)
    }

    /// The command that a request with these first two arguments runs; `None` when there is no
    /// such command.
    ///
    /// # Errors
    /// For a container: no sub-command given, or one that it does not have.
    #[inline]
    pub fn find(&self, name: &[u8], second: Option<&[u8]>) -> Result<Option<Found>, ReplyError> {
        let Some(known) = self.top(name) else { return Ok(None) };
        let (command, leaf) = (known.command, known.first_leaf);
        match (&command.run, second) {
            (Run::Read(_) | Run::Write(_) | Run::Control(_), _) | (Run::Branching { .. }, None) => {
                Ok(Some(Found { command, container: None, leaf }))
            }
            (Run::Container(_) | Run::Branching { .. }, _) => find_within(known, second).map(Some),
        }
    }

    /// The command, container or sub-command called `name` (`get`, `config`, `config|get`), in any
    /// case. For a sub-command, its container comes first.
    #[must_use]
    pub fn find_full(&self, name: &[u8]) -> Option<(Option<&'static Command>, &'static Command)> {
        let Some(bar) = name.iter().position(|byte| *byte == b'|') else {
            return Some((None, self.find_top(name)?));
        };
        let (container, rest) = name.split_at(bar);
        let container = self.find_top(container)?;
        let mut within = container.within().iter();
        let found = within.find(|sub| ascii::is_word(rest.get(1..).unwrap_or(&[]), sub.spec.name));
        Some((Some(container), found?))
    }

    /// How many commands there are, sub-commands counted one by one and containers not at all.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.leaves
    }

    /// Full original names (`config|get`) of all commands by their number.
    pub fn leaf_names(&self) -> impl Iterator<Item = String> {
        self.known.iter().flat_map(|known| {
            let within = known.command.within();
            let name = known.command.spec.name;
            let alone = known.command.runs_alone().then(|| name.to_string());
            let full = move |sub: &Command| alloc::format!("{name}|{}", sub.spec.name);
            alone.into_iter().chain(within.iter().map(full))
        })
    }

    /// All commands and containers with the names they go by here.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &'static Command)> {
        self.known.iter().map(|known| (known.name.as_str(), known.command))
    }
}

/// Finds `second` among the sub-commands of `container`.
#[cold]
fn find_within(known: &Known, second: Option<&[u8]>) -> Result<Found, ReplyError> {
    let (container, name) = (known.command, known.command.spec.name);
    let Some(second) = second else { return Err(ReplyError::WrongArity(name.to_string())) };
    let first_leaf = known.first_leaf + usize::from(container.runs_alone());
    let mut numbered = container.within().iter().zip(first_leaf..);
    match numbered.find(|(command, _)| ascii::is_word(second, command.spec.name)) {
        Some((command, leaf)) => Ok(Found { command, container: Some(container), leaf }),
        None => Err(ReplyError::UnknownSubcommand {
            given: ascii::lossy(second.get(..128).unwrap_or(second)),
            container: known.name.to_ascii_uppercase(),
        }),
    }
}

/// All commands under their own names.
fn all() -> Vec<Known> {
    commands()
        .map(|command| Known { name: command.spec.name.to_string(), command, first_leaf: 0 })
        .collect()
}

/// Where the search for `name` begins in a table of `slots` (a power of two).
#[inline]
fn home(name: &[u8], slots: usize) -> usize {
    // Names differ in their length, their first letters or their last ones.
    let mut word = [0_u8; 8];
    for (to, from) in word.iter_mut().zip(name) {
        *to = *from;
    }
    let first = u64::from_le_bytes(word) | 0x2020_2020_2020_2020;
    let last = u64::from(name.last().copied().unwrap_or(0) | 0x20);
    let mixed = (first ^ (last << 56) ^ (name.len() as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize & slots.wrapping_sub(1)
}

impl Found {
    /// The name in error texts and statistics: `get`, `config|get`.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self.container {
            Some(container) => alloc::format!("{}|{}", container.spec.name, self.command.spec.name),
            None => self.command.spec.name.to_string(),
        }
    }

    /// Whether every request whose first argument is the same word runs this command.
    #[must_use]
    #[inline]
    pub fn is_named_by_one_word(&self) -> bool {
        match self.command.run {
            Run::Read(_) | Run::Write(_) | Run::Control(_) => self.container.is_none(),
            Run::Branching { .. } | Run::Container(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_name_in_any_case() {
        let table = Commands::default();
        for command in commands() {
            let upper = command.spec.name.to_ascii_uppercase();
            let found = table.find_top(upper.as_bytes()).map(|found| found.spec.name);
            assert_eq!(found, Some(command.spec.name));
        }
        assert!(table.find_top(b"nosuchcommand").is_none());
        assert!(table.find_top(&[b'x'; 1000]).is_none());
        assert_eq!(table.leaf_names().count(), table.leaves());
    }

    #[test]
    fn commands_can_be_renamed_and_removed() {
        let renamed = [(b"GET".to_vec(), b"Fetch".to_vec()), (b"set".to_vec(), Vec::new())];
        let table = Commands::new(&renamed).unwrap();
        assert!(table.find_top(b"get").is_none());
        assert_eq!(table.find_top(b"FETCH").map(|found| found.spec.name), Some("get"));
        assert!(table.find_top(b"set").is_none());
        // A free name can be taken again, and a command may keep its own.
        let renamed = [("set", ""), ("get", "SET"), ("set", "b"), ("del", "DEL")];
        let table = Commands::new(&pairs(&renamed)).unwrap();
        assert_eq!(table.find_top(b"B").map(|found| found.spec.name), Some("get"));
        let long = "x".repeat(200);
        let table = Commands::new(&pairs(&[("get", &long)])).unwrap();
        assert!(table.find_top(long.as_bytes()).is_some());
        assert!(table.leaf_names().any(|name| name == "get"));
    }

    #[test]
    fn renamings_that_make_no_sense_are_refused() {
        let error = |renamed: &[(&str, &str)]| Commands::new(&pairs(renamed)).unwrap_err();
        assert_eq!(error(&[("get", "a"), ("GET", "b")]), RenameError::Unknown { at: 1 });
        assert_eq!(error(&[("client|id", "x")]), RenameError::Unknown { at: 0 });
        assert_eq!(error(&[("", "x")]), RenameError::Unknown { at: 0 });
        assert_eq!(error(&[("get", "SeT")]), RenameError::Taken { at: 0 });
        assert_eq!(error(&[("get", "a"), ("set", "A")]), RenameError::Taken { at: 1 });
        assert_eq!(error(&[("nosuch", "x")]).to_string(), "No such command in rename-command");
    }

    fn pairs(names: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
        names.iter().map(|(old, new)| (old.as_bytes().to_vec(), new.as_bytes().to_vec())).collect()
    }
}
