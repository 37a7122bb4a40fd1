//! Files in memory, and short ways to load, get and set.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;

use vesta_config::{Argv, Config, LoadError, Loaded, Peer, SetError, Sources, load, matching, set};

/// Files by name, and standard input.
#[derive(Clone, Default)]
pub(crate) struct Files {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) stdin: String,
}

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        Self { files, stdin: String::new() }
    }
}

impl Sources for Files {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.files.get(path).ok_or("No such file or directory")?;
        Ok(text.clone().into_bytes())
    }

    fn expand(&mut self, pattern: &str) -> Result<Vec<String>, String> {
        let matches =
            |name: &&String| vesta_types::glob::matches(pattern.as_bytes(), name.as_bytes(), false);
        Ok(self.files.keys().filter(matches).cloned().collect())
    }

    fn stdin(&mut self) -> Result<Vec<u8>, String> {
        Ok(self.stdin.clone().into_bytes())
    }
}

/// Loads with these arguments.
pub(crate) fn start(files: &Files, args: &[&str]) -> Result<Loaded, LoadError> {
    let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
    load(&Argv::parse(&args), &mut files.clone())
}

/// Loads one file.
pub(crate) fn loaded(text: &str) -> Result<Loaded, LoadError> {
    start(&Files::new(&[("main", text)]), &["main"])
}

/// The message of a load that must fail, without its first line.
pub(crate) fn complaint(result: Result<Loaded, LoadError>) -> String {
    let message = result.expect_err("this configuration must be refused").to_string();
    let (first, rest) = message.split_once('\n').expect("a message of several lines");
    assert_eq!(
        first,
        concat!("*** FATAL CONFIG FILE ERROR (Vesta ", env!("CARGO_PKG_VERSION"), ") ***")
    );
    rest.to_string()
}

/// The value CONFIG GET shows.
pub(crate) fn get(config: &Config, name: &str) -> String {
    match matching(config, &[name.as_bytes()]).as_slice() {
        [(_, value)] => String::from_utf8(value.clone()).expect("values of tests are text"),
        found => panic!("{name} must be one option, not {}", found.len()),
    }
}

/// Sets pairs as a remote client.
pub(crate) fn set_pairs(config: &Config, pairs: &[(&str, &str)]) -> Result<Config, SetError> {
    let pairs: Vec<(&[u8], &[u8])> =
        pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    Ok(set(config, &pairs, Peer::Remote)?.config)
}
