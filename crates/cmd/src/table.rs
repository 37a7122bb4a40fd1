//! Finding a command by its name: one hash of the folded bytes.

use crate::{Command, ReplyError, Run, commands};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vesta_types::ascii;

/// Longest name of a command, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

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
    /// In lower case.
    name: String,
    command: &'static Command,
    /// Number of the command, or of its first sub-command.
    first_leaf: usize,
}

/// A command that was found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The command itself; never a container.
    pub command: &'static Command,
    /// The container it belongs to.
    pub container: Option<&'static Command>,
    /// Its number among all commands and sub-commands, below [`Commands::leaves`].
    pub leaf: usize,
}

impl Default for Commands {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Commands {
    /// All commands, those in `renamed` under their new names; an empty new name removes one.
    #[must_use]
    pub fn new(renamed: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let mut known: Vec<Known> = commands()
            .map(|command| Known { name: command.spec.name.to_string(), command, first_leaf: 0 })
            .collect();
        for (old, new) in renamed {
            let Some(at) = known.iter().position(|known| ascii::is_word(old, &known.name)) else {
                continue;
            };
            if new.is_empty() {
                known.remove(at);
            } else if let Some(known) = known.get_mut(at) {
                known.name = ascii::lossy(new).to_ascii_lowercase();
            }
        }
        let mut leaves = 0;
        for known in &mut known {
            known.first_leaf = leaves;
            leaves += match known.command.run {
                Run::Container(within) => within.len(),
                Run::Read(_) | Run::Write(_) | Run::Control(_) => 1,
            };
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
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
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
        match command.run {
            Run::Container(within) => find_within(known, within, second).map(Some),
            Run::Read(_) | Run::Write(_) | Run::Control(_) => {
                Ok(Some(Found { command, container: None, leaf }))
            }
        }
    }

    /// How many commands there are, sub-commands counted one by one and containers not at all.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.leaves
    }

    /// Full names (`config|get`) of all commands by their number.
    pub fn leaf_names(&self) -> impl Iterator<Item = String> {
        self.known.iter().flat_map(|known| {
            let within = match known.command.run {
                Run::Container(within) => within,
                Run::Read(_) | Run::Write(_) | Run::Control(_) => &[],
            };
            let alone = within.is_empty().then(|| known.name.clone());
            let full = |sub: &Command| alloc::format!("{}|{}", known.name, sub.spec.name);
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
fn find_within(
    known: &Known,
    within: &'static [Command],
    second: Option<&[u8]>,
) -> Result<Found, ReplyError> {
    let (container, name) = (known.command, known.command.spec.name);
    let Some(second) = second else { return Err(ReplyError::WrongArity(name.to_string())) };
    let mut numbered = within.iter().zip(known.first_leaf..);
    match numbered.find(|(command, _)| ascii::is_word(second, command.spec.name)) {
        Some((command, leaf)) => Ok(Found { command, container: Some(container), leaf }),
        None => Err(ReplyError::UnknownSubcommand {
            given: ascii::lossy(second.get(..128).unwrap_or(second)),
            container: name.to_ascii_uppercase(),
        }),
    }
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
        let table = Commands::new(&renamed);
        assert!(table.find_top(b"get").is_none());
        assert_eq!(table.find_top(b"FETCH").map(|found| found.spec.name), Some("get"));
        assert!(table.find_top(b"set").is_none());
    }
}
