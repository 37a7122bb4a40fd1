//! A TCP proxy within the test, to do to a link what networks do: cut it, stall it, slow it down.
//!
//! Each connection is two threads, one for each direction. A direction that is stalled reads
//! nothing, so that its sender meets full buffers in the end, as with a peer that has gone silent.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a thread may take to see that something has been asked for.
const GLANCE: Duration = Duration::from_millis(2);

/// Bytes passed on at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// No limit to what a direction passes on.
const UNLIMITED: u64 = u64::MAX;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From whoever connects to whoever is connected to.
    There,
    /// The answers.
    Back,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: Arc<Orders>,
    acceptor: Option<JoinHandle<()>>,
}

/// What is asked of all connections.
#[derive(Debug)]
struct Orders {
    target: Mutex<SocketAddr>,
    /// Counts cuts: connections that were there before the last one end.
    cuts: AtomicU64,
    accepts: AtomicBool,
    ended: AtomicBool,
    there: Direction,
    back: Direction,
}

/// What is asked of one direction.
#[derive(Debug)]
struct Direction {
    is_stalled: AtomicBool,
    delay_us: AtomicU64,
    /// Bytes to be passed on before everything is cut.
    left: AtomicU64,
    passed: AtomicU64,
}

impl Direction {
    fn new() -> Self {
        Self {
            is_stalled: AtomicBool::new(false),
            delay_us: AtomicU64::new(0),
            left: AtomicU64::new(UNLIMITED),
            passed: AtomicU64::new(0),
        }
    }
}

impl Orders {
    fn way(&self, way: Way) -> &Direction {
        match way {
            Way::There => &self.there,
            Way::Back => &self.back,
        }
    }

    fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

impl Proxy {
    /// Listens on a free port and connects whoever comes with `target`.
    ///
    /// # Errors
    /// There is no free port.
    pub fn to(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let orders = Arc::new(Orders {
            target: Mutex::new(target),
            cuts: AtomicU64::new(0),
            accepts: AtomicBool::new(true),
            ended: AtomicBool::new(false),
            there: Direction::new(),
            back: Direction::new(),
        });
        let shared = Arc::clone(&orders);
        let acceptor = thread::spawn(move || accept(&listener, &shared));
        Ok(Self { address, orders, acceptor: Some(acceptor) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that come from now on lead elsewhere.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.orders.target.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = target;
    }

    /// Ends all connections; new ones are taken.
    pub fn cut(&self) {
        self.orders.cut();
    }

    /// Ends all connections, and new ones as soon as they come, until [`Proxy::open`].
    pub fn close(&self) {
        self.orders.accepts.store(false, Ordering::SeqCst);
        self.orders.cut();
    }

    /// Takes connections again.
    pub fn open(&self) {
        self.orders.accepts.store(true, Ordering::SeqCst);
    }

    /// Passes nothing on in one direction, or does so again.
    pub fn stall(&self, way: Way, is_stalled: bool) {
        self.orders.way(way).is_stalled.store(is_stalled, Ordering::SeqCst);
    }

    /// Holds every piece back for so long in one direction; pieces wait for each other.
    pub fn delay(&self, way: Way, delay: Duration) {
        let us = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.orders.way(way).delay_us.store(us, Ordering::SeqCst);
    }

    /// Cuts everything after so many bytes more in one direction, once.
    pub fn cut_after(&self, way: Way, bytes: u64) {
        self.orders.way(way).left.store(bytes, Ordering::SeqCst);
    }

    /// Whether the cut of [`Proxy::cut_after`] is still to come.
    #[must_use]
    pub fn is_to_cut(&self, way: Way) -> bool {
        self.orders.way(way).left.load(Ordering::SeqCst) != UNLIMITED
    }

    /// Bytes that went in one direction so far.
    #[must_use]
    pub fn passed(&self, way: Way) -> u64 {
        self.orders.way(way).passed.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.orders.ended.store(true, Ordering::SeqCst);
        self.orders.cut();
        // Whoever comes last lets the acceptor see that it has ended.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, orders: &Arc<Orders>) {
    while let Ok((near, _)) = listener.accept() {
        if orders.ended.load(Ordering::SeqCst) {
            return;
        }
        // Who is not let in, or finds nobody, sees the end of the connection.
        if orders.accepts.load(Ordering::SeqCst) {
            let _ = connect(near, orders);
        }
    }
}

fn connect(near: TcpStream, orders: &Arc<Orders>) -> io::Result<()> {
    let cuts = orders.cuts.load(Ordering::SeqCst);
    let target = *orders.target.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let far = TcpStream::connect_timeout(&target, Duration::from_secs(5))?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(GLANCE))?;
        stream.set_write_timeout(Some(GLANCE))?;
    }
    for (way, from, to) in
        [(Way::There, near.try_clone()?, far.try_clone()?), (Way::Back, far, near)]
    {
        let orders = Arc::clone(orders);
        thread::spawn(move || {
            // Whatever it was, it ends the connection.
            let _ = pass(&from, &to, way, &orders, cuts);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}

/// Passes on what comes in one direction, until it ends or is cut.
fn pass(
    mut from: &TcpStream,
    mut to: &TcpStream,
    way: Way,
    orders: &Orders,
    cuts: u64,
) -> io::Result<()> {
    let direction = orders.way(way);
    let is_cut = || orders.cuts.load(Ordering::SeqCst) != cuts;
    let mut piece = vec![0; PIECE_BYTES];
    while !is_cut() {
        if direction.is_stalled.load(Ordering::SeqCst) {
            thread::park_timeout(GLANCE);
            continue;
        }
        let len = match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if is_early(&error) => continue,
            Err(error) => return Err(error),
        };
        // What had come before the order was seen does not get through either.
        while direction.is_stalled.load(Ordering::SeqCst) && !is_cut() {
            thread::park_timeout(GLANCE);
        }
        let delay_us = direction.delay_us.load(Ordering::SeqCst);
        if delay_us > 0 {
            thread::park_timeout(Duration::from_micros(delay_us));
        }
        let left = direction.left.load(Ordering::SeqCst);
        let is_last = left <= len as u64;
        let mut rest = piece.get(..len.min(usize::try_from(left).unwrap_or(len))).unwrap_or(&[]);
        if left != UNLIMITED {
            let now_left = if is_last { UNLIMITED } else { left - len as u64 };
            direction.left.store(now_left, Ordering::SeqCst);
        }
        while !rest.is_empty() && !is_cut() {
            match to.write(rest) {
                Ok(sent) => {
                    direction.passed.fetch_add(sent as u64, Ordering::SeqCst);
                    rest = rest.get(sent..).unwrap_or(&[]);
                }
                Err(error) if is_early(&error) => {}
                Err(error) => return Err(error),
            }
        }
        if is_last {
            orders.cut();
        }
    }
    Ok(())
}

fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    /// A proxy, and both ends of a connection through it.
    fn pair() -> (Proxy, TcpStream, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::to(listener.local_addr().unwrap()).unwrap();
        let near = TcpStream::connect(proxy.address()).unwrap();
        let (far, _) = listener.accept().unwrap();
        far.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        near.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        (proxy, near, far)
    }

    #[test]
    fn bytes_go_both_ways_until_it_is_cut() {
        let (proxy, mut near, mut far) = pair();
        let mut buffer = [0; 4];
        near.write_all(b"ping").unwrap();
        far.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"ping");
        far.write_all(b"pong").unwrap();
        near.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"pong");
        // It counts what it has sent, a moment after that has come.
        let counted = || (proxy.passed(Way::There), proxy.passed(Way::Back)) == (4, 4);
        let seen = wait::until(Duration::from_secs(20), || counted().then_some(()));
        assert!(seen.is_some(), "{proxy:?}");
        proxy.cut();
        assert_eq!(near.read(&mut buffer).unwrap(), 0);
        assert_eq!(far.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn a_direction_that_is_stalled_passes_nothing_on() {
        let (proxy, mut near, mut far) = pair();
        proxy.stall(Way::There, true);
        near.write_all(b"later").unwrap();
        far.write_all(b"now").unwrap();
        let mut buffer = [0; 5];
        near.read_exact(&mut buffer[..3]).unwrap();
        assert_eq!(proxy.passed(Way::There), 0);
        proxy.stall(Way::There, false);
        far.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"later");
    }

    #[test]
    fn a_cut_can_come_after_a_number_of_bytes() {
        let (proxy, mut near, mut far) = pair();
        proxy.cut_after(Way::There, 5);
        near.write_all(b"0123456789").unwrap();
        let mut got = Vec::new();
        // The end may come as a reset: there are bytes that nobody has read.
        let _ = far.read_to_end(&mut got);
        assert_eq!(got, b"01234");
        assert!(!proxy.is_to_cut(Way::There));
    }

    #[test]
    fn who_is_not_let_in_sees_the_end_at_once() {
        let (proxy, _near, _far) = pair();
        proxy.close();
        let mut refused = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(refused.read(&mut [0; 1]).unwrap_or(0), 0);
    }
}
