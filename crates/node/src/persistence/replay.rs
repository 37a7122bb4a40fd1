//! Executing requests of a log: without gates, replies, effects on others, expiry, eviction or
//! anybody who waits. The log is the truth, and what it does not say did not happen.

use crate::Node;
use alloc::format;
use alloc::string::{String, ToString};
use vesta_cmd::blocking::Waiter;
use vesta_cmd::{Commands, Found, Propagation, Run, WriteCtx};
use vesta_resp::{Outbox, Proto, Reply, Request};
use vesta_store::Keyspace;
use vesta_types::{DbIndex, Now, ascii, number};

/// What the reader of one file of a log knows between two requests.
#[derive(Debug)]
pub(crate) struct Replayer {
    /// The database it has selected.
    db: DbIndex,
    /// Where replies go.
    outbox: Outbox,
    /// Where effects go.
    effects: Propagation,
    /// Changes that were taken.
    taken_changes: u64,
    /// All commands by their own names, once one has come that goes by another here.
    originals: Option<Commands>,
}

impl Default for Replayer {
    fn default() -> Self {
        Self {
            db: DbIndex::ZERO,
            outbox: Outbox::default(),
            effects: Propagation::default(),
            taken_changes: 0,
            originals: None,
        }
    }
}

/// What has become of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Replayed {
    Done,
    /// Its command is about a client or the server, not about data.
    PassedOver(&'static str),
    /// Its command ended with an error, which no request of a log should.
    Failed {
        command: String,
        error: String,
    },
}

impl Replayer {
    /// The database that is selected.
    pub(crate) fn db(&self) -> DbIndex {
        self.db
    }

    /// How often requests have changed data since the last call.
    pub(crate) fn take_changes(&mut self) -> u64 {
        let all = self.effects.changes();
        all - core::mem::replace(&mut self.taken_changes, all)
    }
}

impl Node {
    /// Executes a request of a log.
    ///
    /// # Errors
    /// What it can be is not known, so that nothing behind it can be trusted: there is no such
    /// command, it takes other arguments, or there is no such database.
    pub(crate) fn replay(
        &mut self,
        now: Now,
        request: Request<'_>,
        replayer: &mut Replayer,
    ) -> Result<Replayed, String> {
        if ascii::is_word(request.arg(0), "function") {
            return self.server.replay_function(request).map(|()| Replayed::Done);
        }
        let found = self.find_logged(request, replayer)?;
        let spec = &found.command.spec;
        if !spec.arity.accepts(request.len()) {
            return Err(format!("Wrong number of arguments for '{}'", found.full_name()));
        }
        match found.command.run {
            Run::Write(handler) => {
                let Replayer { db, outbox, effects, .. } = replayer;
                let Self { store, server, .. } = self;
                let mark = outbox.mark();
                let mut block = None;
                let outcome = handler(&mut WriteCtx {
                    request,
                    keys: Keyspace::new(store, *db, now).replaying(),
                    reply: Reply::new(outbox, Proto::Two),
                    config: &server.config,
                    now,
                    propagation: effects,
                    waiter: Waiter::new(false, &mut block),
                });
                outbox.roll_back(mark);
                effects.commit(*db, request);
                self.forget_news();
                Ok(match outcome {
                    Ok(_) => Replayed::Done,
                    Err(error) => {
                        let command = found.full_name();
                        Replayed::Failed { command, error: format!("-{error}") }
                    }
                })
            }
            Run::Control(_) if spec.name == "select" => {
                let count = self.store.databases();
                let db = number::parse_u64(request.arg(1)).and_then(|raw| DbIndex::new(raw, count));
                replayer.db = db.ok_or_else(|| {
                    let db = ascii::lossy(request.arg(1));
                    format!("Database {db}, which is not one of the {count} configured,")
                })?;
                Ok(Replayed::Done)
            }
            Run::Read(_) => Ok(Replayed::Done),
            // They are there for the bytes that they count for in the stream.
            Run::Control(_) if ["ping", "publish", "spublish"].contains(&spec.name) => {
                Ok(Replayed::Done)
            }
            Run::Control(_) | Run::Branching { .. } | Run::Container(_) => {
                Ok(Replayed::PassedOver(spec.name))
            }
        }
    }

    /// The command of a request. Who wrote the log may have known it by another name, or this
    /// server does: its present name counts first.
    fn find_logged(&self, request: Request<'_>, replayer: &mut Replayer) -> Result<Found, String> {
        let name = request.arg(0);
        let second = (request.len() > 1).then(|| request.arg(1));
        let found = self.commands.find(name, second);
        let found = match found {
            Ok(None) if !self.server.config.rename_commands.is_empty() => {
                replayer.originals.get_or_insert_default().find(name, second)
            }
            found => found,
        };
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(format!("Unknown command '{}'", ascii::lossy(name))),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Nobody is told what requests of a log do.
    fn forget_news(&mut self) {
        if self.store.has_news() {
            self.store.take_events();
            self.store.take_deleted();
        }
        if self.store.has_touched() {
            self.store.take_touched();
        }
        if self.store.has_modified() {
            self.store.take_modified();
        }
    }
}
