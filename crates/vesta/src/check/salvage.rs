//! Looking behind a fault: a log that a crash has cut holds nothing more, one that was damaged
//! somewhere else may hold requests that are whole.

use vesta_persist::aof::{Item, ItemReader};
use vesta_persist::rdb::Fault;
use vesta_rt::files::FileError;

use super::console::Console;
use super::window::Window;

/// Bytes of a request that is looked for; larger ones are not found.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Bytes of the longest name of a command.
const NAME_BYTES_MAX: usize = 64;
/// Bytes that may be read in vain, beside those of the file, by trying places that turn out to be
/// none: a bound for files that are made to be slow.
const VAIN_BYTES_MAX: u64 = 256 << 20;

/// Requests that are whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Salvage {
    /// Where the first one begins.
    pub(super) at: u64,
    /// How many there are without a gap.
    pub(super) requests: u64,
}

/// Looks for the first request that is whole behind the byte where the window stands.
///
/// # Errors
/// What the disk says.
pub(super) fn behind(
    window: &mut Window,
    console: &mut Console<'_>,
) -> Result<Option<Salvage>, FileError> {
    let (mut reader, mut vain_bytes) = (ItemReader::default(), 0);
    window.take(1);
    while next_star(window, console)? {
        let at = window.position();
        let (mut requests, mut end) = (0, at);
        let cost = loop {
            match reader.next(window.bytes()) {
                Ok((item, len)) => {
                    if !is_sound(item, window.bytes()) {
                        break len;
                    }
                    requests += u64::from(matches!(item, Item::Request(_)));
                    window.take(len);
                    end = window.position();
                }
                Err(Fault::Short { more }) => {
                    let have = window.bytes().len();
                    if have.saturating_add(more) > REQUEST_BYTES_MAX || !window.fill(more)? {
                        break have;
                    }
                    console.reach(at);
                }
                Err(Fault::Corrupt(error)) => {
                    break usize::try_from(error.at_byte).unwrap_or(usize::MAX);
                }
            }
        };
        if end > at {
            return Ok(Some(Salvage { at, requests }));
        }
        vain_bytes += cost as u64;
        if vain_bytes > VAIN_BYTES_MAX {
            return Ok(None);
        }
        window.take(1);
    }
    Ok(None)
}

/// Goes on to the next `*` in front of a digit; `false` if there is none.
fn next_star(window: &mut Window, console: &mut Console<'_>) -> Result<bool, FileError> {
    loop {
        let bytes = window.bytes();
        let is_start = |pair: &[u8]| matches!(pair, [b'*', digit] if digit.is_ascii_digit());
        match bytes.windows(2).position(is_start) {
            Some(at) => {
                window.take(at);
                return Ok(true);
            }
            None => {
                window.take(bytes.len().saturating_sub(1));
                console.reach(window.position());
                if !window.fill(1)? {
                    return Ok(false);
                }
            }
        }
    }
}

/// Whether it is an annotation, or a request whose command has a name that can be one.
fn is_sound(item: Item<'_>, bytes: &[u8]) -> bool {
    match item {
        Item::Request(arguments) => {
            let name = arguments.first().and_then(|range| bytes.get(range.clone()));
            name.is_some_and(|name| {
                (1..=NAME_BYTES_MAX).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic)
            })
        }
        Item::Time(_) | Item::History { .. } | Item::Other => true,
    }
}
