//! A primary that the test plays itself, to say what no real one would.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use crate::local::PATIENCE;
use crate::wait;

/// Where replicas are waited for.
#[derive(Debug)]
pub struct Impostor {
    listener: TcpListener,
    address: SocketAddr,
}

impl Impostor {
    /// Listens on a free port.
    ///
    /// # Errors
    /// There is none.
    pub fn new() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next replica that connects.
    ///
    /// # Panics
    /// If none comes.
    #[must_use]
    pub fn accept(&self) -> Victim {
        let stream = wait::until(PATIENCE, || self.listener.accept().ok());
        let (stream, _) = stream.expect("a replica comes");
        stream.set_nonblocking(false).expect("it is a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("it is a socket");
        let reader = BufReader::new(stream.try_clone().expect("it is a socket"));
        Victim { stream, reader }
    }

    /// The next replica that connects, after a handshake like any other up to its PSYNC, and what
    /// it asks for: an id and an offset.
    ///
    /// # Panics
    /// If none gets so far.
    #[must_use]
    pub fn accept_psync(&self) -> (Victim, Vec<String>) {
        let mut victim = self.accept();
        loop {
            let words = victim.request().expect("it speaks").expect("it stays");
            match words.first().map(|word| word.to_ascii_lowercase()).as_deref() {
                Some("psync") => return (victim, words.into_iter().skip(1).collect()),
                Some("ping") => assert!(victim.say(b"+PONG\r\n"), "it stays"),
                Some(_) | None => assert!(victim.say(b"+OK\r\n"), "it stays"),
            }
        }
    }
}

/// A replica that has come.
#[derive(Debug)]
pub struct Victim {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Victim {
    /// Sends bytes; whether the replica still took them.
    pub fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The next request, as texts; `None` at the end of the connection.
    ///
    /// # Errors
    /// The replica says nothing, or something that is no request.
    pub fn request(&mut self) -> io::Result<Option<Vec<String>>> {
        let Some(count) = self.number(b'*')? else { return Ok(None) };
        let mut words = Vec::new();
        for _ in 0..count {
            let len = self.number(b'$')?.ok_or(ErrorKind::UnexpectedEof)?;
            let mut word = vec![0; len + 2];
            self.reader.read_exact(&mut word)?;
            word.truncate(len);
            words.push(String::from_utf8_lossy(&word).into_owned());
        }
        Ok(Some(words))
    }

    fn number(&mut self, sign: u8) -> io::Result<Option<usize>> {
        let mut line = Vec::new();
        if self.reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let text = line.strip_prefix(&[sign]).and_then(|rest| str::from_utf8(rest).ok());
        let number = text.and_then(|text| text.trim_end().parse().ok());
        number.map(Some).ok_or_else(|| ErrorKind::InvalidData.into())
    }

    /// Ends the connection.
    pub fn hang_up(self) {
        // It may have gone already.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// Waits until the replica has closed the connection.
    ///
    /// # Panics
    /// If it does not.
    pub fn until_closed(mut self) {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it goes, after {rest:?}");
            }
        }
    }
}
