//! The poll layer: who is ready, edge-triggered, over mio.
//!
//! Sockets are registered for reading only. Interest in writing is added when a write has filled
//! the socket and dropped when the rest has gone ([`Reactor::watch_writes`]). Registering both from
//! the start would be free on TCP, whose sockets report room only after they were full; a unix
//! socket reports room whenever its peer reads, which would wake us once more for every reply.
//! Adding the interest later loses nothing: the kernel looks at the socket when the interest
//! changes.
//!
//! Edge-triggered means that an event is said once. Whoever stops before a socket is drained (out
//! of budget) remembers it and comes back by itself; [`ReadOutcome::Bytes`] says when a socket is
//! drained. A dropped socket leaves the poll set by itself, but an event for it may already be in
//! the batch being handled: tokens must not be reused within a turn.
//!
//! [`ReadOutcome::Bytes`]: crate::socket::ReadOutcome::Bytes

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::{Events, Interest, Poll};

pub use mio::Token;

use crate::socket::{Listener, Stream};

/// One socket that has something to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ready {
    /// Whose event this is.
    pub token: Token,
    /// There is something to read: bytes, end of stream, an error or a connection to accept.
    pub readable: bool,
    /// There is room to write, or the connection is broken and a write will say so.
    pub writable: bool,
    /// The peer has closed its side or the connection is broken. This is said once: read until
    /// [`ReadOutcome::Closed`](crate::socket::ReadOutcome::Closed) or an error.
    pub hangup: bool,
}

/// A set of sockets and the events they raised.
#[derive(Debug)]
pub struct Reactor {
    poll: Poll,
    events: Events,
    waker: Option<(Token, Waker)>,
}

impl Reactor {
    /// A reactor that reports at most `batch` events a turn; more wait for the next turn.
    ///
    /// # Errors
    /// Out of descriptors or kernel memory.
    pub fn new(batch: usize) -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(batch), waker: None })
    }

    /// Waits until something is ready or `timeout` has passed, and replaces `ready` with what is.
    ///
    /// `None` waits without limit; zero only looks. Timeouts are rounded up to milliseconds. A
    /// signal may end the wait early with nothing ready.
    ///
    /// # Errors
    /// What `epoll_wait` gives; not expected.
    pub fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        ready.clear();
        let timeout = match &self.waker {
            Some((_, waker)) if timeout != Some(Duration::ZERO) && waker.forbids_sleep() => {
                Some(Duration::ZERO)
            }
            Some(_) | None => timeout,
        };
        let polled = self.poll.poll(&mut self.events, timeout);
        let called = self.waker.as_ref().filter(|(_, waker)| waker.ends_sleep());
        let called = called.map(|(token, _)| *token);
        match polled {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => self.events.clear(),
            Err(error) => return Err(error),
        }
        ready.extend(called.map(Ready::of_waker));
        let events = self.events.iter().filter(|event| Some(event.token()) != called);
        ready.extend(events.map(|event| Ready {
            token: event.token(),
            readable: event.is_readable(),
            writable: event.is_writable(),
            hangup: event.is_read_closed() || event.is_error(),
        }));
        Ok(())
    }

    /// Reports connections that arrive at `listener` as readable events of `token`.
    ///
    /// # Errors
    /// Out of kernel memory or watches.
    pub fn add_listener(&self, listener: &mut Listener, token: Token) -> io::Result<()> {
        self.poll.registry().register(listener.source(), token, Interest::READABLE)
    }

    /// Reports bytes that arrive on `stream` as readable events of `token`.
    ///
    /// # Errors
    /// Out of kernel memory or watches.
    pub fn add_stream(&self, stream: &mut Stream, token: Token) -> io::Result<()> {
        self.poll.registry().register(stream.source(), token, Interest::READABLE)
    }

    /// Reports as a writable event of `token` when there is an answer to the connection that
    /// `stream` has begun; ask for its [`progress`](Stream::progress) then.
    ///
    /// # Errors
    /// Out of kernel memory or watches.
    pub fn add_connecting(&self, stream: &mut Stream, token: Token) -> io::Result<()> {
        self.poll.registry().register(stream.source(), token, Interest::WRITABLE)
    }

    /// Reports bytes that arrive on `stream`, whose connection is there now, as readable events of
    /// `token`, also those that have come already.
    ///
    /// # Errors
    /// Out of kernel memory.
    pub fn connected(&self, stream: &mut Stream, token: Token) -> io::Result<()> {
        self.poll.registry().reregister(stream.source(), token, Interest::READABLE)
    }

    /// Starts or ends reporting room to write on a registered `stream`.
    ///
    /// Start it when a write took less than offered, end it when everything has gone.
    ///
    /// # Errors
    /// Out of kernel memory.
    pub fn watch_writes(&self, stream: &mut Stream, token: Token, watch: bool) -> io::Result<()> {
        let interest =
            if watch { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        self.poll.registry().reregister(stream.source(), token, interest)
    }

    /// Something that ends a [`wait`](Self::wait) from a signal handler or another thread; the
    /// event is readable, of `token`. One reactor has at most one.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn waker(&mut self, token: Token) -> io::Result<Waker> {
        let inner = mio::Waker::new(self.poll.registry(), token)?;
        let state = State { inner, called: AtomicBool::new(false), asleep: AtomicBool::new(false) };
        let waker = Waker(Arc::new(state));
        self.waker = Some((token, waker.clone()));
        Ok(waker)
    }

    /// The kernel mechanism underneath, as INFO names it in `multiplexing_api`.
    #[must_use]
    pub const fn mechanism() -> &'static str {
        if cfg!(any(target_os = "linux", target_os = "android")) { "epoll" } else { "kqueue" }
    }
}

impl Ready {
    fn of_waker(token: Token) -> Self {
        Self { token, readable: true, writable: false, hangup: false }
    }
}

/// Ends a wait of its [`Reactor`]. Cheap to clone; safe to use in a signal handler; next to free
/// while the reactor's thread is busy.
#[derive(Clone, Debug)]
pub struct Waker(Arc<State>);

/// Whoever calls first says so and then looks whether somebody sleeps; whoever goes to sleep first
/// says so and then looks whether somebody has called. One of them sees the other.
#[derive(Debug)]
struct State {
    inner: mio::Waker,
    called: AtomicBool,
    asleep: AtomicBool,
}

impl Waker {
    /// Ends the current wait, or else the next one. Several calls before that are one event.
    ///
    /// # Errors
    /// What the kernel gives; not expected.
    pub fn wake(&self) -> io::Result<()> {
        self.0.called.store(true, Ordering::SeqCst);
        if self.0.asleep.load(Ordering::SeqCst) { self.0.inner.wake() } else { Ok(()) }
    }

    /// The reactor is about to sleep; whether it must not, because it was called.
    fn forbids_sleep(&self) -> bool {
        self.0.asleep.store(true, Ordering::SeqCst);
        self.0.called.load(Ordering::SeqCst)
    }

    /// The reactor is awake; whether it was called.
    fn ends_sleep(&self) -> bool {
        self.0.asleep.store(false, Ordering::Relaxed);
        self.0.called.load(Ordering::Relaxed) && self.0.called.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waker_ends_a_wait_from_another_thread_once() {
        let mut reactor = Reactor::new(8).unwrap();
        let waker = reactor.waker(Token(7)).unwrap();
        let other = waker.clone();
        let thread = std::thread::spawn(move || {
            other.wake().unwrap();
            other.wake().unwrap();
        });
        let mut ready = Vec::new();
        reactor.wait(None, &mut ready).unwrap();
        assert_eq!(ready.iter().map(|event| event.token).collect::<Vec<_>>(), [Token(7)]);
        assert!(ready[0].readable);
        thread.join().unwrap();
        // Both calls may be one event or two, and then no more.
        reactor.wait(Some(Duration::ZERO), &mut ready).unwrap();
        reactor.wait(Some(Duration::ZERO), &mut ready).unwrap();
        assert!(ready.is_empty());
    }

    #[test]
    fn a_call_before_the_wait_ends_it_at_once() {
        let mut reactor = Reactor::new(8).unwrap();
        let waker = reactor.waker(Token(7)).unwrap();
        let mut ready = Vec::new();
        for timeout in [None, Some(Duration::ZERO), Some(Duration::from_secs(3600))] {
            waker.wake().unwrap();
            reactor.wait(timeout, &mut ready).unwrap();
            assert_eq!(ready, [Ready::of_waker(Token(7))]);
        }
        reactor.wait(Some(Duration::ZERO), &mut ready).unwrap();
        assert!(ready.is_empty());
    }

    #[test]
    fn no_call_is_missed() {
        let mut reactor = Reactor::new(8).unwrap();
        let waker = reactor.waker(Token(7)).unwrap();
        let (ask, asked) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || asked.iter().for_each(|()| waker.wake().unwrap()));
        let mut ready = Vec::new();
        for _ in 0..20_000 {
            ask.send(()).unwrap();
            // A call that was told before may be told again, but one must come.
            reactor.wait(None, &mut ready).unwrap();
            assert_eq!(ready, [Ready::of_waker(Token(7))]);
        }
        drop(ask);
        thread.join().unwrap();
    }
}
