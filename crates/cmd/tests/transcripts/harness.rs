//! Drives handlers without a node: a bare store, the table of commands, virtual time.
//!
//! The only gate is the number of arguments. Commands about clients and the server are not here,
//! but for the two that every conversation needs, SELECT and HELLO 3.

use std::collections::VecDeque;
use vesta_cmd::blocking::Waiter;
use vesta_cmd::{Commands, Propagation, ReadCtx, ReplyError, Run, WriteCtx};
use vesta_config::{Config, MaxmemoryPolicy, Peer};
use vesta_resp::{Batch, Inbox, Limits, Outbox, Proto, Reply, Request};
use vesta_store::{Access, AccessPolicy, Class, Field, KeyEvent, Keyspace, Store, Why};
use vesta_testkit::client::encode;
use vesta_testkit::runner::{Command, Driver, Setup, Unable};
use vesta_testkit::transcript::{Directive, Notification};
use vesta_testkit::value::Value;
use vesta_types::{DbIndex, Mono, Now, Unix, ascii, number};

/// Milliseconds since 1970 when a harness starts.
const START_MS: u64 = 1_700_000_000_000;

/// Handlers and what they work on.
pub(crate) struct Harness {
    pub(crate) store: Store,
    pub(crate) now: Now,
    config: Config,
    commands: Commands,
    propagation: Propagation,
}

/// What a conversation has selected.
#[derive(Default)]
pub(crate) struct Session {
    db: DbIndex,
    proto: Proto,
}

impl Harness {
    pub(crate) fn new(config: Config) -> Self {
        let lfu = [MaxmemoryPolicy::AllkeysLfu, MaxmemoryPolicy::VolatileLfu];
        let is_lfu = lfu.contains(&config.maxmemory_policy);
        let access = Access {
            policy: if is_lfu { AccessPolicy::Lfu } else { AccessPolicy::Lru },
            log_factor: config.lfu_log_factor,
            decay_minutes: config.lfu_decay_time,
        };
        let mut store = Store::new(config.databases, access, 1);
        store.set_limits(vesta_cmd::limits_of(&config));
        store.record_deleted(true);
        let events = config.notify_keyspace_events;
        store.record_events(
            Class::ALL.into_iter().filter(|class| events.has(class.letter())).collect(),
        );
        let mut propagation = Propagation::default();
        propagation.set_wanted(true);
        let now = Now { mono: Mono(1_000_000), unix: Unix(START_MS * 1000) };
        let commands = Commands::new(&config.rename_commands).unwrap();
        Self { store, now, config, commands, propagation }
    }

    pub(crate) fn advance(&mut self, ms: u64) {
        self.now.mono.0 += ms * 1000;
        self.now.unix.0 += ms * 1000;
    }

    /// Runs one command and gives its reply.
    pub(crate) fn ask<A: AsRef<[u8]>>(
        &mut self,
        session: &mut Session,
        words: &[A],
    ) -> Result<Value, Unable> {
        let input = encode(words);
        let limits = Limits {
            bulk_bytes_max: self.config.proto_max_bulk_len_bytes,
            arguments_max: Limits::ARGUMENTS_MAX,
            unauthenticated: false,
        };
        let mut batch = Batch::default();
        let (_, outcome) = Inbox::default().frame(&input, 0, &limits, &mut batch);
        outcome.map_err(|why| Unable::Broken(why.to_string()))?;
        let request = batch.request(0, &input).expect("a whole request was encoded");
        let mut outbox = Outbox::default();
        match self.run(session, request, &mut outbox)? {
            Ok(()) => {}
            Err(error) => Reply::new(&mut outbox, session.proto).error(&error.to_string()),
        }
        decode_all(&taken(&mut outbox))?
            .pop()
            .ok_or_else(|| Unable::Broken("the handler gave no reply".to_owned()))
    }

    fn run(
        &mut self,
        session: &mut Session,
        request: Request<'_>,
        outbox: &mut Outbox,
    ) -> Result<Result<(), ReplyError>, Unable> {
        if let Some(outcome) = session.run(request, &self.config, outbox) {
            return Ok(outcome);
        }
        let second = (request.len() > 1).then(|| request.arg(1));
        let found = match self.commands.find(request.arg(0), second) {
            Ok(found) => found.ok_or_else(|| Unable::Broken("no such command".to_owned()))?,
            Err(error) => return Ok(Err(error)),
        };
        if !found.command.spec.arity.accepts(request.len()) {
            return Ok(Err(ReplyError::WrongArity(found.full_name())));
        }
        let Self { store, now, config, commands: _, propagation } = self;
        let (now, config) = (*now, &*config);
        let keys = Keyspace::new(store, session.db, now);
        let reply = Reply::new(outbox, session.proto);
        // Nobody wakes who waits here: every time is up at once.
        let mut block = None;
        let waiter = Waiter::new(false, &mut block);
        let outcome = match found.command.run {
            Run::Read(handler) => {
                handler(&mut ReadCtx { request, keys, reply, config, now, waiter })
            }
            Run::Write(handler) => {
                handler(&mut WriteCtx { request, keys, reply, config, now, propagation, waiter })
            }
            Run::Control(_) => {
                return Err(Unable::Skip("handlers alone: no clients, no server".to_owned()));
            }
            Run::Container(_) | Run::Branching { .. } => unreachable!("a container is not found"),
        };
        self.propagate_deleted();
        self.propagation.commit(session.db, request);
        Ok(outcome.map(|_| ()))
    }

    /// Hands on what the store has deleted by itself, as a node does.
    fn propagate_deleted(&mut self) {
        for deleted in self.store.take_deleted() {
            if !deleted.fields.is_empty() {
                let names = deleted.fields.iter().map(Field::name);
                let words: Vec<&[u8]> =
                    [&b"HDEL"[..], &deleted.key].into_iter().chain(names).collect();
                self.propagation.append(deleted.db, words.into_iter());
                continue;
            }
            let lazily = match deleted.why {
                Why::Expired => self.config.lazyfree_lazy_expire,
                Why::Evicted => self.config.lazyfree_lazy_eviction,
            };
            let name: &[u8] = if lazily { b"UNLINK" } else { b"DEL" };
            self.propagation.append(deleted.db, [name, &*deleted.key].into_iter());
        }
    }

    /// The commands propagated since the last call.
    pub(crate) fn take_stream(&mut self) -> Vec<Command> {
        let values =
            decode_all(&self.propagation.take_stream()).expect("the stream is well formed");
        let words = |value: &Value| -> Command {
            let words = value.items().expect("a command is an array");
            words.iter().map(|word| word.text().expect("of bulk strings").to_vec()).collect()
        };
        values.iter().map(words).collect()
    }
}

impl Session {
    /// Runs the request if it is about the session itself.
    fn run(
        &mut self,
        request: Request<'_>,
        config: &Config,
        outbox: &mut Outbox,
    ) -> Option<Result<(), ReplyError>> {
        if request.len() != 2 {
            return None;
        }
        let number = number::parse_u64(request.arg(1))?;
        if ascii::is_word(request.arg(0), "select") {
            let Some(db) = DbIndex::new(number, config.databases) else {
                return Some(Err(ReplyError::DbOutOfRange));
            };
            self.db = db;
            Reply::new(outbox, self.proto).ok();
        } else if ascii::is_word(request.arg(0), "hello") && number == 3 {
            self.proto = Proto::Three;
            Reply::new(outbox, self.proto).map(0);
        } else {
            return None;
        }
        Some(Ok(()))
    }
}

fn taken(outbox: &mut Outbox) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !outbox.is_empty() {
        let pieces = outbox.pieces::<8>().concat();
        outbox.advance(pieces.len());
        bytes.extend(pieces);
    }
    bytes
}

fn decode_all(mut bytes: &[u8]) -> Result<Vec<Value>, Unable> {
    let mut values = Vec::new();
    while let Some((value, used)) =
        Value::decode(bytes).map_err(|why| Unable::Broken(why.to_string()))?
    {
        values.push(value);
        bytes = &bytes[used..];
    }
    Ok(values)
}

/// Runs transcripts on handlers alone.
#[derive(Default)]
pub(crate) struct HarnessDriver {
    start: Config,
    harness: Option<Harness>,
}

impl HarnessDriver {
    fn harness(&mut self) -> Result<&mut Harness, Unable> {
        self.harness.as_mut().ok_or_else(|| Unable::Broken("no section is open".to_owned()))
    }
}

impl Driver for HarnessDriver {
    /// What is selected, and the replies not yet taken.
    type Conn = (Session, VecDeque<Value>);

    fn open_file(&mut self, start: &[Directive]) -> Result<(), Unable> {
        self.start = Config::default();
        for directive in start {
            let option = vesta_config::options::find(directive.name.as_bytes())
                .ok_or_else(|| Unable::Broken(format!("no option {}", directive.name)))?;
            let words: Vec<&[u8]> =
                directive.value.as_bytes().split(|byte| *byte == b' ').collect();
            option.apply(&mut self.start, &words).map_err(|why| Unable::Broken(why.to_string()))?;
        }
        Ok(())
    }

    fn open_section(&mut self, setup: Setup<'_>) -> Result<(), Unable> {
        let pairs: Vec<(&[u8], &[u8])> =
            setup.config.iter().map(|d| (d.name.as_bytes(), d.value.as_bytes())).collect();
        let changed = vesta_config::set(&self.start, &pairs, Peer::Local)
            .map_err(|why| Unable::Broken(why.to_string()))?;
        self.harness = Some(Harness::new(changed.config));
        Ok(())
    }

    fn connect(&mut self) -> Result<Self::Conn, Unable> {
        Ok(Self::Conn::default())
    }

    fn send(&mut self, conn: &mut Self::Conn, args: &[Vec<u8>]) -> Result<(), Unable> {
        let (session, replies) = conn;
        replies.push_back(self.harness()?.ask(session, args)?);
        Ok(())
    }

    fn reply(&mut self, conn: &mut Self::Conn) -> Result<Option<Value>, Unable> {
        match conn.1.pop_front() {
            Some(value) => Ok(Some(value)),
            None => Err(Unable::Broken("no reply is left".to_owned())),
        }
    }

    fn is_silent(&mut self, conn: &mut Self::Conn) -> Result<bool, Unable> {
        Ok(conn.1.is_empty())
    }

    fn advance(&mut self, ms: u64) -> Result<bool, Unable> {
        self.harness()?.advance(ms);
        Ok(true)
    }

    fn unix_ms(&mut self) -> Result<i64, Unable> {
        Ok(i64::try_from(self.harness()?.now.unix.ms()).unwrap_or(i64::MAX))
    }

    fn notified(&mut self) -> Result<Option<Vec<Notification>>, Unable> {
        let events = self.harness()?.store.take_events();
        let notification = |event: KeyEvent| Notification {
            db: u64::from(event.db.get()),
            event: event.name.as_bytes().to_vec(),
            key: event.key.into_vec(),
        };
        Ok(Some(events.into_iter().map(notification).collect()))
    }

    fn propagated(&mut self) -> Result<Option<Vec<Command>>, Unable> {
        Ok(Some(self.harness()?.take_stream()))
    }
}
