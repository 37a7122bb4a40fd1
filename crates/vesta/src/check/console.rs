//! What the tools say and ask, and the bar that shows how far they are.
//!
//! Everything is said on one stream. The bar is drawn on standard error, and only if that is a
//! terminal, so that a script sees nothing of it. It steps aside for each line.

use std::fmt;
use std::io::{BufRead, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vesta_types::words;

/// Bytes of a name, key or value that are shown of a longer one.
const SHOWN_BYTES_MAX: usize = 128;
/// What the bar looks like.
const BAR: &str = "{prefix} [{bar:30}] {percent:>3}% of {total_bytes}, {bytes_per_sec}, {eta} left";

/// Where the tools talk with whoever called them.
pub(super) struct Console<'a> {
    out: &'a mut dyn Write,
    answers: &'a mut dyn BufRead,
    /// Whether a bar may be drawn.
    draws: bool,
    bar: ProgressBar,
}

impl<'a> Console<'a> {
    /// Says everything on `out`, and reads answers to questions from `answers`.
    pub(super) fn new(out: &'a mut dyn Write, answers: &'a mut dyn BufRead, draws: bool) -> Self {
        Self { out, answers, draws, bar: ProgressBar::hidden() }
    }

    /// Says a line.
    pub(super) fn say(&mut self, line: impl fmt::Display) {
        let Self { out, bar, .. } = self;
        // If nobody listens any more, the exit status still tells what was found.
        let _ = bar.suspend(|| writeln!(out, "{line}"));
    }

    /// Asks for a yes, which is an answer that begins with `y` or `Y`. What cannot be asked is a
    /// no.
    pub(super) fn agrees(&mut self, question: &str) -> bool {
        let mut answer = Vec::new();
        let asked = write!(self.out, "{question} [y/N]: ").and_then(|()| self.out.flush());
        let heard = asked.and_then(|()| self.answers.read_until(b'\n', &mut answer));
        heard.is_ok() && matches!(answer.first(), Some(b'y' | b'Y'))
    }

    /// Begins to work on a file of `total` bytes.
    pub(super) fn begin(&mut self, name: &str, total: u64) {
        if !self.draws {
            return;
        }
        let style = ProgressStyle::with_template(BAR).expect("the template is sound");
        self.bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        self.bar.set_style(style.progress_chars("=> "));
        self.bar.set_prefix(name.to_owned());
    }

    /// Has come to this byte of the file.
    pub(super) fn reach(&mut self, byte: u64) {
        self.bar.set_position(byte);
    }

    /// Is through with the file.
    pub(super) fn end(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }
}

/// Bytes of a file as they can be printed: what is not plain ASCII is escaped as in `redis.conf`,
/// and what is long is cut.
pub(super) fn shown(bytes: &[u8]) -> String {
    let cut = bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes);
    let quoted = words::quoted(cut);
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let mut text = String::from_utf8_lossy(inner).into_owned();
    if cut.len() < bytes.len() {
        text.push_str(&format!("... ({} bytes)", bytes.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_begins_with_y() {
        for (answer, agreed) in [
            ("y\n", true),
            ("Yes\n", true),
            ("y", true),
            (" y\n", false),
            ("n\n", false),
            ("", false),
        ] {
            let (mut out, mut answers) = (Vec::new(), answer.as_bytes());
            assert_eq!(Console::new(&mut out, &mut answers, false).agrees("Sure?"), agreed);
            assert_eq!(out, b"Sure? [y/N]: ");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_printable() {
        assert_eq!(shown(b"key:1"), "key:1");
        assert_eq!(shown(b"\x1b[2J\xff"), "\\x1b[2J\\xff");
        assert!(shown(&[b'a'; 1000]).ends_with("aaa... (1000 bytes)"));
    }
}
