//! Libraries of functions in what is loaded. Nobody can call them here, but they are written down
//! again with the data, so that they are not lost on the way through this server.

use crate::action::Level;
use crate::server::Server;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_resp::Request;
use vesta_types::{ascii, words};

impl Server {
    /// Keeps a library for the next file, in place of one of the same name.
    pub(crate) fn take_function(&mut self, source: Vec<u8>) {
        if self.persistence.functions.is_empty() {
            let line = "The data holds functions, which cannot be called here. They are kept for \
                        the next file."
                .to_string();
            self.log(Level::Warning, line);
        }
        let name = library_name(&source);
        self.persistence.functions.retain(|kept| name.is_none() || library_name(kept) != name);
        self.persistence.functions.push(source);
    }

    /// These are all libraries there are.
    pub(crate) fn replace_functions(&mut self, sources: Vec<Vec<u8>>) {
        self.persistence.functions.clear();
        for source in sources {
            self.take_function(source);
        }
    }

    /// Does what a request of a log says about libraries.
    ///
    /// # Errors
    /// It is one that cannot be followed without running functions.
    pub(crate) fn replay_function(&mut self, request: Request<'_>) -> Result<(), String> {
        let is_sub = |word| ascii::is_word(request.arg(1), word);
        let last = request.arg(request.len().saturating_sub(1));
        if is_sub("load") && request.len() >= 3 {
            self.take_function(last.to_vec());
        } else if is_sub("delete") && request.len() == 3 {
            let name = Some(last.to_vec());
            self.persistence.functions.retain(|kept| library_name(kept) != name);
        } else if is_sub("flush") {
            self.persistence.functions.clear();
        } else {
            let sub = ascii::lossy(request.arg(1));
            return Err(alloc::format!("Unknown command 'FUNCTION {sub}'"));
        }
        Ok(())
    }
}

/// What a library is called: its first line is `#!lua name=NAME`.
fn library_name(source: &[u8]) -> Option<Vec<u8>> {
    let line = source.split(|byte| *byte == b'\n').next()?;
    let words = words::split(line.strip_prefix(b"#!")?).ok()?;
    words.iter().find_map(|word| word.strip_prefix(b"name=").map(<[u8]>::to_vec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_says_how_it_is_called() {
        for (source, name) in [
            (&b"#!lua name=mylib\nredis.register_function()"[..], Some(&b"mylib"[..])),
            (b"#!lua   engine=x name=other", Some(b"other")),
            (b"#!lua\nname=mylib", None),
            (b"lua name=mylib", None),
            (b"", None),
        ] {
            assert_eq!(library_name(source).as_deref(), name);
        }
    }
}
