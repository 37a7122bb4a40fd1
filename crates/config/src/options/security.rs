//! Users, passwords, and who may do what is dangerous.

use alloc::vec;
use alloc::vec::Vec;

use crate::{Config, Opt, Refusal};

pub(super) const OPTIONS: &[Opt] = &[
    number!("tracking-table-max-keys", tracking_table_max_keys, 0..=i64::MAX).works(),
    USER.file_only(),
    text_or_none!("aclfile", aclfile).start(),
    number!("acllog-max-len", acllog_max_len, 0..=i64::MAX),
    choice!("acl-pubsub-default", acl_pubsub_default),
    secret!("requirepass", requirepass).works(),
    RENAME_COMMAND.file_only().works(),
    choice!("enable-protected-configs", enable_protected_configs).start().works(),
    choice!("enable-debug-command", enable_debug_command).start().works(),
    choice!("enable-module-command", enable_module_command).start(),
];

const BAD_DIRECTIVE: Refusal = Refusal::Rule("Bad directive or wrong number of arguments");

const USER: Opt =
    Opt::new("user", add_user, |_| Vec::new()).written_as(|config| config.users.clone());

fn add_user(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    if words.is_empty() {
        return Err(BAD_DIRECTIVE);
    }
    config.users.push(words.iter().map(|word| word.to_vec()).collect());
    Ok(())
}

/// Whether the command exists, and the new name does not, is for the owner of the commands to say.
const RENAME_COMMAND: Opt =
    Opt::new("rename-command", add_rename, |_| Vec::new()).written_as(|config| {
        config.rename_commands.iter().map(|(from, to)| vec![from.clone(), to.clone()]).collect()
    });

fn add_rename(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    let [from, to] = words else { return Err(BAD_DIRECTIVE) };
    config.rename_commands.push((from.to_vec(), to.to_vec()));
    Ok(())
}
