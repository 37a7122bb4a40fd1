//! A small blocking client: arguments out, [`Value`]s in, every wait with a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::value::Value;

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// One connection to a server.
///
/// A reply that does not come before the deadline is `ErrorKind::TimedOut`; bytes that are no
/// reply are `ErrorKind::InvalidData`.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    received: Vec<u8>,
    taken: usize,
    patience: Duration,
}

/// How long a reply may take unless [`Client::set_patience`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes asked of the kernel at a time.
const CHUNK_BYTES: usize = 64 * 1024;

impl Client {
    /// Connects over TCP.
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        Ok(Self::over(Stream::Tcp(stream)))
    }

    /// Connects to a unix socket.
    pub fn unix(path: &Path) -> io::Result<Self> {
        Ok(Self::over(Stream::Unix(UnixStream::connect(path)?)))
    }

    fn over(stream: Stream) -> Self {
        Self { stream, received: Vec::new(), taken: 0, patience: PATIENCE }
    }

    /// How long one reply may take from now on.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// This end's and the server's address, if over TCP.
    #[must_use]
    pub fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        match &self.stream {
            Stream::Tcp(stream) => Some((stream.local_addr().ok()?, stream.peer_addr().ok()?)),
            Stream::Unix(_) => None,
        }
    }

    /// Sends a command and waits for its reply; a closed connection is `UnexpectedEof`.
    pub fn command<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<Value> {
        self.send(args)?;
        self.reply()?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    /// Sends a command as an array of bulk strings.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<()> {
        self.send_raw(&encode(args))
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => {
                stream.set_write_timeout(Some(self.patience))?;
                stream.write_all(bytes)
            }
            Stream::Unix(stream) => {
                stream.set_write_timeout(Some(self.patience))?;
                stream.write_all(bytes)
            }
        }
    }

    /// The next reply; `None` if the server closed the connection.
    pub fn reply(&mut self) -> io::Result<Option<Value>> {
        let give_up_at = Instant::now() + self.patience;
        loop {
            if let Some(value) = self.decoded()? {
                return Ok(Some(value));
            }
            if !self.receive(give_up_at)? {
                return Ok(None);
            }
        }
    }

    /// Whether bytes of a reply are here that nobody has taken; does not wait.
    pub fn has_bytes(&mut self) -> io::Result<bool> {
        if self.taken < self.received.len() {
            return Ok(true);
        }
        self.set_nonblocking(true)?;
        let mut chunk = [0; 512];
        let outcome = self.read(&mut chunk);
        self.set_nonblocking(false)?;
        match outcome {
            Ok(0) => Ok(false),
            Ok(len) => {
                self.received.extend_from_slice(chunk.get(..len).unwrap_or_default());
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next `len` bytes as they came.
    pub fn read_exactly(&mut self, len: usize) -> io::Result<Vec<u8>> {
        let give_up_at = Instant::now() + self.patience;
        loop {
            let end = self.taken.saturating_add(len);
            if let Some(bytes) = self.received.get(self.taken..end) {
                let bytes = bytes.to_vec();
                self.taken = end;
                return Ok(bytes);
            }
            if !self.receive(give_up_at)? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Everything up to the server's closing of the connection.
    pub fn read_until_close(&mut self) -> io::Result<Vec<u8>> {
        let give_up_at = Instant::now() + self.patience;
        while self.receive(give_up_at)? {}
        let rest = self.received.split_off(self.taken.min(self.received.len()));
        self.received.clear();
        self.taken = 0;
        Ok(rest)
    }

    fn decoded(&mut self) -> io::Result<Option<Value>> {
        let rest = self.received.get(self.taken..).unwrap_or_default();
        let decoded = Value::decode(rest)
            .map_err(|bad| io::Error::new(ErrorKind::InvalidData, bad.to_string()))?;
        let Some((value, used)) = decoded else { return Ok(None) };
        self.taken += used;
        if self.taken == self.received.len() {
            self.received.clear();
            self.taken = 0;
        }
        Ok(Some(value))
    }

    /// Waits for bytes; `false` at the end of the stream.
    fn receive(&mut self, give_up_at: Instant) -> io::Result<bool> {
        let left = give_up_at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(ErrorKind::TimedOut, "no reply before the deadline"));
        }
        match &self.stream {
            Stream::Tcp(stream) => stream.set_read_timeout(Some(left))?,
            Stream::Unix(stream) => stream.set_read_timeout(Some(left))?,
        }
        let mut chunk = vec![0; CHUNK_BYTES];
        match self.read(&mut chunk) {
            Ok(0) => Ok(false),
            Ok(len) => {
                self.received.extend_from_slice(chunk.get(..len).unwrap_or_default());
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(io::Error::new(ErrorKind::TimedOut, "no reply before the deadline"))
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.read(chunk),
            Stream::Unix(stream) => stream.read(chunk),
        }
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match &self.stream {
            Stream::Tcp(stream) => stream.set_nonblocking(on),
            Stream::Unix(stream) => stream.set_nonblocking(on),
        }
    }
}

/// A command as the bytes that a client sends.
#[must_use]
pub fn encode<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        let arg = arg.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn pair() -> (Client, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::tcp(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[test]
    fn replies_are_read_one_by_one_until_the_server_closes() {
        let (mut client, mut server) = pair();
        client.send(&["PING"]).unwrap();
        let mut request = [0; 14];
        server.read_exact(&mut request).unwrap();
        assert_eq!(&request, b"*1\r\n$4\r\nPING\r\n");
        server.write_all(b"+PONG\r\n:1\r\nrest").unwrap();
        drop(server);
        assert_eq!(client.reply().unwrap(), Some(Value::Simple(b"PONG".to_vec())));
        assert_eq!(client.reply().unwrap(), Some(Value::Int(1)));
        assert_eq!(client.read_until_close().unwrap(), b"rest");
    }

    #[test]
    fn silence_is_a_timeout_and_rubbish_is_invalid_data() {
        let (mut client, mut server) = pair();
        client.set_patience(Duration::from_millis(5));
        assert_eq!(client.reply().unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(!client.has_bytes().unwrap());
        server.write_all(b"hello\r\n").unwrap();
        client.set_patience(PATIENCE);
        assert_eq!(client.reply().unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
