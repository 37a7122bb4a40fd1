//! Connections.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use socket2::{SockRef, TcpKeepalive};

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

    /// Sends small writes at once (`TCP_NODELAY`). A unix socket does so anyway.
    ///
    /// # Errors
    /// What `setsockopt` gives, for instance when the peer has reset the connection.
    pub fn set_nodelay(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(true),
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
