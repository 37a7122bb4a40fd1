//! Shutting down.

use alloc::string::String;
use alloc::vec::Vec;

use vesta_types::ascii::is_word;

use crate::value::spaced;
use crate::{Opt, Refusal, ShutdownWish};

use super::INT_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    number!("shutdown-timeout", shutdown_timeout_s, 0..=INT_MAX),
    ON_SIGINT.many_words().works(),
    ON_SIGTERM.many_words().works(),
];

const ON_SIGINT: Opt = Opt::new(
    "shutdown-on-sigint",
    |config, words| {
        config.shutdown_on_sigint = wish(words)?;
        Ok(())
    },
    |config| wish_text(config.shutdown_on_sigint),
);

const ON_SIGTERM: Opt = Opt::new(
    "shutdown-on-sigterm",
    |config, words| {
        config.shutdown_on_sigterm = wish(words)?;
        Ok(())
    },
    |config| wish_text(config.shutdown_on_sigterm),
);

fn wish(words: &[&[u8]]) -> Result<ShutdownWish, Refusal> {
    let unknown = || Refusal::NotOneOf(String::from("default, save, nosave, now, force"));
    if words.is_empty() {
        return Err(unknown());
    }
    let mut wish = ShutdownWish::default();
    for word in words {
        match *word {
            word if is_word(word, "default") => {}
            word if is_word(word, "save") => wish.save = true,
            word if is_word(word, "nosave") => wish.nosave = true,
            word if is_word(word, "now") => wish.now = true,
            word if is_word(word, "force") => wish.force = true,
            _ => return Err(unknown()),
        }
    }
    if wish.save && wish.nosave {
        return Err(Refusal::Rule("shutdown options SAVE and NOSAVE can't be used simultaneously"));
    }
    Ok(wish)
}

fn wish_text(wish: ShutdownWish) -> Vec<u8> {
    let ShutdownWish { save, nosave, now, force } = wish;
    if wish == ShutdownWish::default() {
        return b"default".to_vec();
    }
    let words = [(save, "save"), (nosave, "nosave"), (now, "now"), (force, "force")];
    spaced(words.into_iter().filter_map(|(wanted, word)| wanted.then_some(word)))
}
