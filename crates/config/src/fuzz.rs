//! The entry for fuzzing: any bytes as a configuration file.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Argv, Sources, load, options, rewrite};

/// Loads `data` as a file that may include itself and one other file. What loads must survive a
/// rewrite: the written file gives the same settings, and a second rewrite changes nothing.
///
/// # Panics
/// If that does not hold.
pub fn fuzz_parse(data: &[u8]) {
    let argv = Argv { file: Some(String::from("main")), ..Argv::default() };
    let Ok(loaded) = load(&argv, &mut Memory { main: data }) else { return };
    let text = rewrite(Some(data), &loaded.config, &loaded.from);
    let again = match load(&argv, &mut Memory { main: &text }) {
        Ok(again) => again,
        Err(error) => panic!("a rewritten file must load: {error}"),
    };
    for option in options::all() {
        let (ours, theirs) = (option.lines(&loaded.config), option.lines(&again.config));
        assert_eq!(ours, theirs, "{} must survive a rewrite", option.name);
    }
    let twice = rewrite(Some(&text), &again.config, &again.from);
    assert_eq!(text, twice, "a second rewrite must change nothing");
}

/// Files in memory.
struct Memory<'a> {
    main: &'a [u8],
}

impl Sources for Memory<'_> {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "main" => Ok(self.main.to_vec()),
            "other" => Ok(b"hz 20\nsave 5 5\nmaxmemory 1mb\nuser a on".to_vec()),
            _ => Err(String::from("No such file or directory")),
        }
    }

    fn expand(&mut self, pattern: &str) -> Result<Vec<String>, String> {
        let names = ["main", "other"].into_iter().map(String::from);
        let matches =
            |name: &String| vesta_types::glob::matches(pattern.as_bytes(), name.as_bytes(), false);
        Ok(names.filter(matches).collect())
    }

    fn stdin(&mut self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}
