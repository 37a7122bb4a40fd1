//! Where the configuration is read from: the disk and standard input.

use std::io::Read;

use vesta_config::Sources;
use vesta_rt::{errno_text, files};

/// The files of this machine.
#[derive(Debug)]
pub(crate) struct Disk;

impl Sources for Disk {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| errno_text(&error))
    }

    fn expand(&mut self, pattern: &str) -> Result<Vec<String>, String> {
        let paths = files::expand(pattern).map_err(|error| error.to_string())?;
        Ok(paths.iter().map(|path| path.to_string_lossy().into_owned()).collect())
    }

    fn stdin(&mut self) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        match std::io::stdin().lock().read_to_end(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(errno_text(&error)),
        }
    }
}
