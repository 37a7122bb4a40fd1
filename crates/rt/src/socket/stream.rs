//! Connections.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::Address;

/// What a read brought.
#[derive(Debug)]
pub enum ReadOutcome {
    /// So many bytes, at least one.
    ///
    /// Fewer than the buffer holds means that the socket is empty and the next bytes are reported
    /// by the reactor: no second read is needed. The one exception is a socket whose last event
    /// said [`hangup`](crate::reactor::Ready::hangup): its end of stream was announced already and
    /// is not announced again, so read on to [`Closed`](Self::Closed).
    Bytes(usize),
    /// Nothing now; the reactor reports the next bytes.
    WouldBlock,
    /// The peer has sent its last byte.
    Closed,
    /// The connection is broken.
    Error(io::Error),
}

/// What a write took.
#[derive(Debug)]
pub enum WriteOutcome {
    /// So many bytes, at least one unless nothing was offered.
    ///
    /// Fewer than were offered means that the socket is full: ask the reactor to watch for room.
    Bytes(usize),
    /// Nothing now: ask the reactor to watch for room.
    WouldBlock,
    /// The connection is broken or closed by the peer.
    Error(io::Error),
}

/// How it stands with a connection that was begun with [`Stream::connect`].
#[derive(Debug)]
pub enum Progress {
    /// There is no answer yet.
    UnderWay,
    /// It is there.
    Connected {
        /// The other end.
        peer: Address,
        /// Our end.
        local: Address,
    },
    /// There will be none.
    Failed(io::Error),
}

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a unix socket.
    Unix(UnixStream),
}

impl Stream {
    /// Reads once into `buffer`, which must not be empty (an empty one would look like the end).
    pub fn read(&mut self, buffer: &mut [u8]) -> ReadOutcome {
        debug_assert!(!buffer.is_empty(), "a read needs room");
        let read = uninterrupted(|| match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        });
        match read {
            Ok(0) => ReadOutcome::Closed,
            Ok(len) => ReadOutcome::Bytes(len),
            Err(error) if error.kind() == ErrorKind::WouldBlock => ReadOutcome::WouldBlock,
            Err(error) => ReadOutcome::Error(error),
        }
    }

    /// Writes what fits of `parts`, in order, with one system call (at most 1024 parts are taken).
    pub fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> WriteOutcome {
        written(uninterrupted(|| match self {
            Self::Tcp(stream) => stream.write_vectored(parts),
            Self::Unix(stream) => stream.write_vectored(parts),
        }))
    }

    /// Writes what fits of `bytes`; cheaper than [`write_vectored`](Self::write_vectored) for one
    /// part.
    pub fn write(&mut self, bytes: &[u8]) -> WriteOutcome {
        written(uninterrupted(|| match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }))
    }

    /// Begins to connect to `to` over TCP, from the address `from` of this machine if one is given.
    ///
    /// Register it with [`Reactor::add_connecting`](crate::reactor::Reactor::add_connecting) and
    /// ask for [`progress`](Self::progress) when it is reported. There is no limit of time but the
    /// kernel's, which is minutes: to give it up, drop it.
    ///
    /// # Errors
    /// It failed at once: `from` is no address of this machine, nothing leads to `to`, or nobody
    /// listens there.
    pub fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let kind = Type::STREAM.nonblocking().cloexec();
        let socket = Socket::new(Domain::for_address(to), kind, Some(Protocol::TCP))?;
        if let Some(from) = from {
            socket.set_reuse_address(true)?;
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            Ok(()) | Err(_) => Ok(Self::Tcp(TcpStream::from_std(socket.into()))),
        }
    }

    /// How it stands with a connection that was begun.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let Self::Tcp(stream) = self else { return Progress::UnderWay };
        match stream.take_error().and_then(|error| error.map_or(Ok(()), Err)) {
            Ok(()) => {}
            Err(error) => return Progress::Failed(error),
        }
        match (stream.peer_addr(), stream.local_addr()) {
            // Where nobody listens on one of the kernel's own ports, a socket that was given this
            // very port meets itself.
            (Ok(peer), Ok(local)) if peer == local => {
                Progress::Failed(io::Error::from_raw_os_error(libc::ECONNREFUSED))
            }
            (Ok(peer), Ok(local)) => {
                Progress::Connected { peer: Address::Ip(peer), local: Address::Ip(local) }
            }
            (Err(error), _) if error.kind() == ErrorKind::NotConnected => Progress::UnderWay,
            (Err(error), _) | (_, Err(error)) => Progress::Failed(error),
        }
    }

    /// Sends small writes at once (`TCP_NODELAY`). A unix socket does so anyway.
    ///
    /// # Errors
    /// What `setsockopt` gives, for instance when the peer has reset the connection.
    pub fn set_nodelay(&self) -> io::Result<()> {
        self.delay_small_writes(false)
    }

    /// Whether small writes may wait for more to be sent with them: fewer packets, and up to some
    /// 40 ms more delay. A unix socket never delays.
    ///
    /// # Errors
    /// What `setsockopt` gives, for instance when the peer has reset the connection.
    pub fn delay_small_writes(&self, delay: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(!delay),
            Self::Unix(_) => Ok(()),
        }
    }

    /// Probes a silent peer after `idle_s` seconds, then every third of that, three times.
    ///
    /// `idle_s` 0 switches probing off. Nothing to do on a unix socket. The intervals are those
    /// Redis sets for `tcp-keepalive`, so that a dead peer is noticed after twice that time.
    ///
    /// # Errors
    /// What `setsockopt` gives.
    pub fn set_keepalive(&self, idle_s: u32) -> io::Result<()> {
        let Self::Tcp(stream) = self else { return Ok(()) };
        let socket = SockRef::from(stream);
        if idle_s == 0 {
            return socket.set_keepalive(false);
        }
        // The kernel takes at most 32767 seconds.
        let idle_s = idle_s.min(32_767);
        let probes = TcpKeepalive::new()
            .with_time(Duration::from_secs(idle_s.into()))
            .with_interval(Duration::from_secs((idle_s / 3).max(1).into()))
            .with_retries(3);
        socket.set_tcp_keepalive(&probes)
    }

    /// Ends the sending side: the peer reads what was written, then end of stream.
    ///
    /// # Errors
    /// `NotConnected` when the peer was faster.
    pub fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// The descriptor's number, which `CLIENT LIST` prints as `fd=`.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }

    pub(crate) fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// Repeats a call that a signal interrupted before it did anything.
fn uninterrupted(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn written(result: io::Result<usize>) -> WriteOutcome {
    match result {
        Ok(len) => WriteOutcome::Bytes(len),
        Err(error) if error.kind() == ErrorKind::WouldBlock => WriteOutcome::WouldBlock,
        Err(error) => WriteOutcome::Error(error),
    }
}
