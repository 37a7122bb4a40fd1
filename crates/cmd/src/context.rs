//! What a handler gets to work with, by what it may touch.

use crate::blocking::Waiter;
use crate::{Commands, Cursor, Host, Propagation};
use vesta_config::Config;
use vesta_resp::{Reply, Request};
use vesta_store::{Class, Keyspace, NewValue};
use vesta_types::{Now, number};

/// For a command that reads keys.
#[derive(Debug)]
pub struct ReadCtx<'a> {
    /// The request; argument 0 is the command's name.
    pub request: Request<'a>,
    /// The database the client has selected.
    pub keys: Keyspace<'a>,
    /// Where the reply goes.
    pub reply: Reply<'a>,
    /// The settings.
    pub config: &'a Config,
    /// The time.
    pub now: Now,
    /// The way to wait for a key.
    pub waiter: Waiter<'a>,
}

/// For a command that changes keys.
#[derive(Debug)]
pub struct WriteCtx<'a> {
    /// The request; argument 0 is the command's name.
    pub request: Request<'a>,
    /// The database the client has selected.
    pub keys: Keyspace<'a>,
    /// Where the reply goes.
    pub reply: Reply<'a>,
    /// The settings.
    pub config: &'a Config,
    /// The time.
    pub now: Now,
    /// Where effects go.
    pub propagation: &'a mut Propagation,
    /// The way to wait for a key.
    pub waiter: Waiter<'a>,
}

/// For a command about the client or the server.
pub struct ControlCtx<'a> {
    /// The request; argument 0 is the command's name.
    pub request: Request<'a>,
    /// The database the client has selected.
    pub keys: Keyspace<'a>,
    /// Where the reply goes.
    pub reply: Reply<'a>,
    /// Who runs the command, and the client that asks.
    pub host: &'a mut dyn Host,
    /// All commands.
    pub commands: &'a Commands,
    /// Where effects go.
    pub propagation: &'a mut Propagation,
    /// The time.
    pub now: Now,
    /// The way to wait.
    pub waiter: Waiter<'a>,
}

impl<'a> ReadCtx<'a> {
    /// Argument `index`; the arity gate has counted the arguments that must be there.
    #[must_use]
    #[inline]
    pub fn arg(&self, index: usize) -> &'a [u8] {
        self.request.arg(index)
    }

    /// Reads the arguments from number `at` on.
    #[must_use]
    pub fn cursor(&self, at: usize) -> Cursor<'a> {
        Cursor::new(self.request, at)
    }
}

impl<'a> WriteCtx<'a> {
    /// Argument `index`; the arity gate has counted the arguments that must be there.
    #[must_use]
    #[inline]
    pub fn arg(&self, index: usize) -> &'a [u8] {
        self.request.arg(index)
    }

    /// Argument `index` as a value to keep: an integer when it reads as one, the allocation it
    /// arrived in when it is big, else its bytes.
    #[must_use]
    #[inline]
    pub fn value(&self, index: usize) -> NewValue<'a> {
        let bytes = self.request.arg(index);
        match number::parse_i64(bytes) {
            Some(value) => NewValue::Int(value),
            None => match self.request.blob(index) {
                Some(blob) => NewValue::Blob(blob.clone()),
                None => NewValue::Bytes(bytes),
            },
        }
    }

    /// Reads the arguments from number `at` on.
    #[must_use]
    pub fn cursor(&self, at: usize) -> Cursor<'a> {
        Cursor::new(self.request, at)
    }

    /// The command has modified `key` of the selected database, which is the keyspace event
    /// `name` in the word of Redis. To be called behind the change, once for each event, in the
    /// order of the real server; see [`Keyspace::notify`] for other databases, and
    /// [`Keyspace::tell`] and [`Keyspace::mark`] for what is not both event and modification.
    #[inline]
    pub fn notify(&mut self, class: Class, name: &'static str, key: &[u8]) {
        self.keys.notify(class, name, key);
    }

    /// As [`WriteCtx::notify`], for a value that something was taken from: a key that went with
    /// its last element is the event `del` as well.
    #[inline]
    pub fn notify_taken(&mut self, class: Class, name: &'static str, key: &[u8]) {
        self.keys.notify_taken(class, name, key);
    }

    /// The command changed the data set, and repeating the request repeats the change.
    #[inline]
    pub fn changed(&mut self) {
        self.changed_times(1);
    }

    /// As [`WriteCtx::changed`], for a command that changed `count` things.
    pub fn changed_times(&mut self, count: u64) {
        self.propagation.count(count);
        self.propagation.set_as_is();
    }

    /// The command changed the data set, and this command repeats the change.
    pub fn changed_as(&mut self, arguments: &[&[u8]]) {
        self.changed_as_times(arguments, 1);
    }

    /// As [`WriteCtx::changed_as`], for a command that changed `count` things.
    pub fn changed_as_times(&mut self, arguments: &[&[u8]], count: u64) {
        self.propagation.count(count);
        self.propagation.add(arguments);
    }
}

impl<'a> ControlCtx<'a> {
    /// Argument `index`; the arity gate has counted the arguments that must be there.
    #[must_use]
    pub fn arg(&self, index: usize) -> &'a [u8] {
        self.request.arg(index)
    }

    /// Reads the arguments from number `at` on.
    #[must_use]
    pub fn cursor(&self, at: usize) -> Cursor<'a> {
        Cursor::new(self.request, at)
    }
}
