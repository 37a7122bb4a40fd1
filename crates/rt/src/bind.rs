//! From the words of a `bind` directive to listening sockets.
//!
//! `*` is every IPv4 address, `::*` every IPv6 address; a leading `-` makes an address optional; a
//! word with a colon is IPv6, any other an IPv4 address or a name that has one. Rules and messages
//! were observed on redis-server 7.0.15.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};

use crate::errno_text;
use crate::socket::{ListenError, Listener};

/// What binding a list of addresses gave.
#[derive(Debug, Default)]
pub struct Bound {
    /// The sockets, in the order of the addresses; at least one unless no address was given.
    pub listeners: Vec<Listener>,
    /// Addresses left out because this machine lacks them and they are optional, or because it
    /// lacks their whole family: one log line each (a warning).
    pub skipped: Vec<BindError>,
}

/// Listens on every address of a `bind` directive.
///
/// Port 0 takes a free port for each address (the caller decides whether 0 means "no TCP").
///
/// # Errors
/// The first address that is neither bound nor to be skipped; all sockets are closed again. Also
/// when every address was skipped: the last of the reasons.
pub fn bind(addresses: &[&str], port: u16, backlog: u32) -> Result<Bound, BindError> {
    let mut bound = Bound::default();
    for word in addresses {
        let (text, optional) = match word.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (*word, false),
        };
        match listen_on(text, port, backlog) {
            Ok(listener) => bound.listeners.push(listener),
            Err(reason) => {
                let skip = reason.family_missing() || (optional && reason.address_missing());
                let error = BindError { address: text.to_string(), port, reason };
                if !skip {
                    return Err(error);
                }
                bound.skipped.push(error);
            }
        }
    }
    match bound.skipped.pop() {
        Some(last) if bound.listeners.is_empty() => Err(last),
        Some(last) => {
            bound.skipped.push(last);
            Ok(bound)
        }
        None => Ok(bound),
    }
}

fn listen_on(text: &str, port: u16, backlog: u32) -> Result<Listener, Reason> {
    let address = resolve(text, port).map_err(Reason::Resolve)?;
    Listener::tcp(address, backlog).map_err(Reason::Listen)
}

/// The first address of the family that the spelling asks for.
fn resolve(text: &str, port: u16) -> io::Result<SocketAddr> {
    let (host, wants_v6) = match text {
        "*" => ("0.0.0.0", false),
        "::*" => ("::", true),
        other => (other, other.contains(':')),
    };
    (host, port)
        .to_socket_addrs()?
        .find(|address| address.is_ipv6() == wants_v6)
        .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "Address family not supported by name"))
}

/// Why one address is not listened on.
///
/// Printed in Redis's words: `Could not create server TCP listening socket 127.0.0.1:6379: bind:
/// Address already in use`.
#[derive(Debug)]
pub struct BindError {
    /// The address as configured, without the `-`.
    pub address: String,
    /// The port.
    pub port: u16,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Resolve(io::Error),
    Listen(ListenError),
}

impl Reason {
    fn errno(&self) -> Option<i32> {
        match self {
            Self::Resolve(cause) => cause.raw_os_error(),
            Self::Listen(error) => error.cause.raw_os_error(),
        }
    }

    fn address_missing(&self) -> bool {
        self.errno() == Some(libc::EADDRNOTAVAIL)
    }

    fn family_missing(&self) -> bool {
        const MISSING: [i32; 5] = [
            libc::ENOPROTOOPT,
            libc::EPROTONOSUPPORT,
            libc::ESOCKTNOSUPPORT,
            libc::EPFNOSUPPORT,
            libc::EAFNOSUPPORT,
        ];
        self.errno().is_some_and(|errno| MISSING.contains(&errno))
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Could not create server TCP listening socket {}:{}: ", self.address, self.port)?;
        match &self.reason {
            Reason::Resolve(cause) => f.write_str(&errno_text(cause)),
            Reason::Listen(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BindError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::Address;

    fn addresses(bound: &Bound) -> Vec<SocketAddr> {
        let ip = |listener: &Listener| match listener.address().unwrap() {
            Address::Ip(address) => address,
            Address::Unix(path) => panic!("{path:?}"),
        };
        bound.listeners.iter().map(ip).collect()
    }

    #[test]
    fn a_list_gives_a_listener_for_each_address() {
        let bound = bind(&["127.0.0.1", "localhost", "*"], 0, 16).unwrap();
        let ips: Vec<String> =
            addresses(&bound).iter().map(|address| address.ip().to_string()).collect();
        assert_eq!(ips, ["127.0.0.1", "127.0.0.1", "0.0.0.0"]);
        assert!(bound.skipped.is_empty());
        assert!(bind(&[], 0, 16).unwrap().listeners.is_empty());
    }

    #[test]
    fn both_families_share_a_port() {
        // A port of the kernel's choice may be taken in the other family: try a few.
        let shared = (0..20).any(|_| {
            let four = bind(&["127.0.0.1"], 0, 16).unwrap();
            let port = addresses(&four)[0].port();
            bind(&["::*"], port, 16)
                .is_ok_and(|six| addresses(&six)[0].is_ipv6() && addresses(&six)[0].port() == port)
        });
        let has_ipv6 = bind(&["::1"], 0, 16).is_ok();
        assert!(shared || !has_ipv6);
    }

    #[test]
    fn an_address_of_another_machine_is_skipped_if_optional() {
        // TEST-NET-1 of RFC 5737: nobody's address.
        let bound = bind(&["127.0.0.1", "-192.0.2.1"], 0, 16).unwrap();
        assert_eq!(bound.listeners.len(), 1);
        assert_eq!(
            bound.skipped[0].to_string(),
            "Could not create server TCP listening socket 192.0.2.1:0: \
             bind: Cannot assign requested address"
        );
        assert!(bind(&["127.0.0.1", "192.0.2.1"], 0, 16).is_err());
        assert!(bind(&["-192.0.2.1"], 0, 16).is_err(), "at least one must be bound");
    }

    #[test]
    fn a_busy_port_is_reported_in_the_words_of_redis() {
        let first = bind(&["127.0.0.1"], 0, 16).unwrap();
        let port = addresses(&first)[0].port();
        let error = bind(&["-127.0.0.1"], port, 16).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Could not create server TCP listening socket 127.0.0.1:{port}: \
                 bind: Address already in use"
            )
        );
    }

    #[test]
    fn a_word_that_is_no_address_is_an_error() {
        let error = bind(&["::1::2::"], 0, 16).unwrap_err().to_string();
        assert!(error.starts_with("Could not create server TCP listening socket ::1::2:::0: "));
        assert!(!error.contains("os error"), "{error}");
    }
}
