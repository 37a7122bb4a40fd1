//! Sockets that accept connections.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use rustix::fs::Mode;
use rustix::process::umask;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Address, Stream};

/// A socket that accepts connections.
#[derive(Debug)]
pub struct Listener(Listening);

#[derive(Debug)]
enum Listening {
    Tcp(TcpListener),
    /// `path` as it was given, for addresses; `file` absolute, for removal.
    Unix {
        socket: UnixListener,
        path: PathBuf,
        file: PathBuf,
    },
}

/// A connection just accepted, and both its ends.
#[derive(Debug)]
pub struct Incoming {
    /// The connection, not yet registered with a reactor.
    pub stream: Stream,
    /// The client's end.
    pub peer: Address,
    /// Our end.
    pub local: Address,
}

/// Why [`Listener::accept_up_to`] stopped.
#[derive(Debug)]
pub enum Accepted {
    /// The queue is empty; the reactor reports the next arrival.
    Drained,
    /// The bound was reached; call again next turn, for readiness is not reported again.
    More,
    /// The process or the machine is short of something, most often descriptors (`EMFILE`).
    ///
    /// The queue may hold more and readiness is not reported again: log it, and call again after a
    /// pause (a tick) or after a connection was closed. Nothing spins meanwhile.
    Later(io::Error),
}

impl Listener {
    /// Listens on one TCP address. Port 0 asks the kernel for a free port.
    ///
    /// `SO_REUSEADDR` is set; an IPv6 socket takes no IPv4 traffic (`IPV6_V6ONLY`), so that both
    /// families can be bound to one port, as Redis does.
    ///
    /// # Errors
    /// The step that failed ("socket", "bind", "listen") and why.
    pub fn tcp(address: SocketAddr, backlog: u32) -> Result<Self, ListenError> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM.nonblocking().cloexec(),
            Some(Protocol::TCP),
        )
        .map_err(|cause| ListenError { step: "socket", cause })?;
        if address.is_ipv6() {
            socket.set_only_v6(true).map_err(|cause| ListenError { step: "setsockopt", cause })?;
        }
        socket
            .set_reuse_address(true)
            .map_err(|cause| ListenError { step: "setsockopt SO_REUSEADDR", cause })?;
        socket.bind(&address.into()).map_err(|cause| ListenError { step: "bind", cause })?;
        listen(&socket, backlog)?;
        Ok(Self(Listening::Tcp(TcpListener::from_std(socket.into()))))
    }

    /// Listens on a unix socket, replacing a stale file at `path`.
    ///
    /// `permissions` are the file's mode bits (`0o700`); `None` leaves what the umask gives.
    /// As with Redis whatever is at `path` is removed first: the owner of the configuration owns
    /// the path. A regular file or a directory is not removed; binding then fails.
    ///
    /// # Errors
    /// The step that failed and why.
    pub fn unix(path: &Path, permissions: Option<u32>, backlog: u32) -> Result<Self, ListenError> {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt};
        let stale = std::fs::symlink_metadata(path).is_ok_and(|found| {
            let kind = found.file_type();
            kind.is_socket() || kind.is_symlink()
        });
        if stale {
            std::fs::remove_file(path).map_err(|cause| ListenError { step: "unlink", cause })?;
        }
        let address = SockAddr::unix(path).map_err(|cause| ListenError { step: "bind", cause })?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)
            .map_err(|cause| ListenError { step: "socket", cause })?;
        // The file must not be wider open between bind and chmod than it is to be after both
        // (CVE-2023-45145).
        let bound = match permissions {
            None => socket.bind(&address),
            Some(mode) => {
                let usual = umask(Mode::from_raw_mode(!mode & 0o777));
                let bound = socket.bind(&address);
                umask(usual);
                bound
            }
        };
        bound.map_err(|cause| ListenError { step: "bind", cause })?;
        if let Some(mode) = permissions {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
                .map_err(|cause| ListenError { step: "chmod", cause })?;
        }
        listen(&socket, backlog)?;
        Ok(Self(Listening::Unix {
            socket: UnixListener::from_std(socket.into()),
            path: path.to_path_buf(),
            file: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()),
        }))
    }

    /// Accepts at most `bound` connections and hands each to `take`.
    ///
    /// A connection that was reset while it waited counts against the bound and is skipped.
    pub fn accept_up_to(&self, bound: usize, mut take: impl FnMut(Incoming)) -> Accepted {
        for _ in 0..bound {
            match self.accept() {
                Ok(incoming) => take(incoming),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Accepted::Drained,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Accepted::Later(error),
            }
        }
        Accepted::More
    }

    fn accept(&self) -> io::Result<Incoming> {
        match &self.0 {
            Listening::Tcp(socket) => {
                let (stream, peer) = socket.accept()?;
                let local = stream.local_addr()?;
                Ok(Incoming {
                    stream: Stream::Tcp(stream),
                    peer: Address::Ip(peer),
                    local: Address::Ip(local),
                })
            }
            Listening::Unix { socket, path, .. } => {
                let (stream, _unnamed) = socket.accept()?;
                Ok(Incoming {
                    stream: Stream::Unix(stream),
                    peer: Address::Unix(path.clone()),
                    local: Address::Unix(path.clone()),
                })
            }
        }
    }

    /// Where this socket listens, with the port the kernel chose if 0 was asked for.
    ///
    /// # Errors
    /// What `getsockname` gives; not expected of an open socket.
    pub fn address(&self) -> io::Result<Address> {
        match &self.0 {
            Listening::Tcp(socket) => socket.local_addr().map(Address::Ip),
            Listening::Unix { path, .. } => Ok(Address::Unix(path.clone())),
        }
    }

    /// Removes the file of a unix socket, also after the working directory has changed.
    ///
    /// # Errors
    /// The file cannot be removed, or is gone already.
    pub fn remove_file(&self) -> io::Result<()> {
        match &self.0 {
            Listening::Tcp(_) => Ok(()),
            Listening::Unix { file, .. } => std::fs::remove_file(file),
        }
    }

    /// Whether this is a unix socket.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        matches!(self.0, Listening::Unix { .. })
    }

    pub(crate) fn source(&mut self) -> &mut dyn Source {
        match &mut self.0 {
            Listening::Tcp(socket) => socket,
            Listening::Unix { socket, .. } => socket,
        }
    }
}

/// The longest queue of connections that the kernel allows; a longer one is cut to it.
/// `None` where the kernel does not say.
#[must_use]
pub fn backlog_max() -> Option<u32> {
    std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()
}

/// Redis clamps nothing: the kernel caps the backlog at `somaxconn`.
fn listen(socket: &Socket, backlog: u32) -> Result<(), ListenError> {
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    socket.listen(backlog).map_err(|cause| ListenError { step: "listen", cause })
}

/// Why a socket does not listen.
///
/// Printed as Redis prints it: `bind: Address already in use`.
#[derive(Debug)]
pub struct ListenError {
    /// The system call, or its purpose.
    pub step: &'static str,
    /// What the system said.
    pub cause: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, crate::errno_text(&self.cause))
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
