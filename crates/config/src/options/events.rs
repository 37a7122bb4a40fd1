//! Keyspace events.

use crate::{KeyspaceEvents, Opt, Refusal, value};

pub(super) const OPTIONS: &[Opt] = &[NOTIFY_KEYSPACE_EVENTS];

const NOTIFY_KEYSPACE_EVENTS: Opt = Opt::new(
    "notify-keyspace-events",
    |config, words| {
        config.notify_keyspace_events = KeyspaceEvents::from_letters(value::one(words)?)
            .ok_or(Refusal::Rule("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."))?;
        Ok(())
    },
    |config| config.notify_keyspace_events.letters(),
)
.works();
