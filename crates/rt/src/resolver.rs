//! Looking up names without waiting for the answer: a thread for each question.
//!
//! A lookup may take the better part of a minute when no server of names answers, and the system
//! has no way to give one up. So whoever has lost interest in an answer ignores it, and the number
//! of questions under way is bounded.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::reactor::Waker;

/// Questions under way at the same time.
const QUESTIONS_MAX: usize = 8;
/// Addresses of one name that are told.
const ADDRESSES_MAX: usize = 16;

/// Where somebody wants to connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// Chosen by the caller, to tell answers apart.
    pub id: u64,
    /// A name, or an address of either family.
    pub host: String,
    /// The port, which is told with each address.
    pub port: u16,
    /// The name or the address of this machine that the connection is to come from.
    pub source: Option<String>,
}

/// Where that is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Addresses {
    /// The addresses, best first; at least one.
    pub targets: Vec<SocketAddr>,
    /// Those of this machine, none if the name of it has none.
    pub sources: Vec<IpAddr>,
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub struct Answer {
    /// That of the question.
    pub id: u64,
    /// The addresses, or why there are none.
    pub outcome: io::Result<Addresses>,
}

impl Question {
    /// The answer, when it takes no lookup: there are no names in it.
    #[must_use]
    pub fn literally(&self) -> Option<Addresses> {
        let host: IpAddr = self.host.parse().ok()?;
        let sources = match &self.source {
            Some(source) => vec![source.parse().ok()?],
            None => Vec::new(),
        };
        Some(Addresses { targets: vec![SocketAddr::new(host, self.port)], sources })
    }

    fn look_up(&self) -> io::Result<Addresses> {
        let mut targets = Vec::new();
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            if targets.len() < ADDRESSES_MAX && !targets.contains(&address) {
                targets.push(address);
            }
        }
        if targets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "The name has no address"));
        }
        let source = self.source.as_ref().map(|source| (source.as_str(), 0).to_socket_addrs());
        let sources = source.and_then(Result::ok).into_iter().flatten();
        let sources = sources.map(|address| address.ip()).take(ADDRESSES_MAX).collect();
        Ok(Addresses { targets, sources })
    }
}

/// Asks questions and collects the answers.
#[derive(Debug)]
pub struct Resolver {
    waker: Waker,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
    under_way: usize,
}

impl Resolver {
    /// Nothing is asked yet. `waker` wakes whoever is to collect the answers.
    #[must_use]
    pub fn new(waker: Waker) -> Self {
        let (answer, answers) = mpsc::channel();
        Self { waker, answers, answer, under_way: 0 }
    }

    /// Asks; the answer comes by [`answer`](Self::answer).
    ///
    /// # Errors
    /// Too many questions are under way, or the system has no room for a thread.
    pub fn ask(&mut self, question: Question) -> io::Result<()> {
        if self.under_way >= QUESTIONS_MAX {
            return Err(io::Error::other("too many names are being looked up"));
        }
        let (answer, waker) = (self.answer.clone(), self.waker.clone());
        thread::Builder::new().name("lookup".to_owned()).spawn(move || {
            let outcome = question.look_up();
            // Nobody may be left to hear it.
            if answer.send(Answer { id: question.id, outcome }).is_ok() {
                let _ = waker.wake();
            }
        })?;
        self.under_way += 1;
        Ok(())
    }

    /// An answer that has come.
    pub fn answer(&mut self) -> Option<Answer> {
        let answer = self.answers.try_recv().ok()?;
        self.under_way = self.under_way.saturating_sub(1);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::reactor::{Reactor, Token};

    fn question(host: &str, source: Option<&str>) -> Question {
        Question { id: 7, host: host.to_owned(), port: 6379, source: source.map(str::to_owned) }
    }

    /// Waits for all answers under way, with a limit so that a missing one fails the test.
    fn answers(reactor: &mut Reactor, resolver: &mut Resolver) -> Vec<Answer> {
        let (mut all, mut ready) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            all.extend(std::iter::from_fn(|| resolver.answer()));
            if resolver.under_way == 0 {
                return all;
            }
            reactor.wait(Some(Duration::from_millis(100)), &mut ready).unwrap();
        }
        panic!("no answer");
    }

    #[test]
    fn addresses_need_no_lookup() {
        let found = question("127.0.0.1", Some("::1")).literally().unwrap();
        assert_eq!(found.targets, ["127.0.0.1:6379".parse().unwrap()]);
        assert_eq!(found.sources, ["::1".parse::<IpAddr>().unwrap()]);
        let found = question("::1", None).literally().unwrap();
        assert_eq!(found.targets, ["[::1]:6379".parse().unwrap()]);
        assert_eq!(question("localhost", None).literally(), None);
        assert_eq!(question("127.0.0.1", Some("localhost")).literally(), None);
    }

    #[test]
    fn a_name_is_looked_up_and_the_loop_is_woken() {
        let mut reactor = Reactor::new(8).unwrap();
        let mut resolver = Resolver::new(reactor.waker(Token(1)).unwrap());
        resolver.ask(question("localhost", Some("127.0.0.1"))).unwrap();
        let answers = answers(&mut reactor, &mut resolver);
        let [Answer { id: 7, outcome: Ok(found) }] = &answers[..] else { panic!("{answers:?}") };
        assert!(found.targets.iter().all(|to| to.ip().is_loopback() && to.port() == 6379));
        assert!(!found.targets.is_empty());
        assert_eq!(found.sources, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn a_name_that_nobody_has_is_an_error_and_a_source_that_nobody_has_is_none() {
        let mut reactor = Reactor::new(8).unwrap();
        let mut resolver = Resolver::new(reactor.waker(Token(1)).unwrap());
        // Neither may be in the domain name system (RFC 1123 has no such character).
        resolver.ask(question("no such host", None)).unwrap();
        resolver.ask(Question { id: 8, ..question("127.0.0.1", Some("no such host")) }).unwrap();
        let mut answers = answers(&mut reactor, &mut resolver);
        answers.sort_by_key(|answer| answer.id);
        let [Answer { id: 7, outcome: Err(_) }, Answer { id: 8, outcome: Ok(found) }] =
            &answers[..]
        else {
            panic!("{answers:?}")
        };
        assert!(found.sources.is_empty());
    }

    #[test]
    fn the_number_of_questions_is_bounded() {
        let mut reactor = Reactor::new(8).unwrap();
        let mut resolver = Resolver::new(reactor.waker(Token(1)).unwrap());
        for _ in 0..QUESTIONS_MAX {
            resolver.ask(question("localhost", None)).unwrap();
        }
        assert!(resolver.ask(question("localhost", None)).is_err());
        assert_eq!(answers(&mut reactor, &mut resolver).len(), QUESTIONS_MAX);
        resolver.ask(question("localhost", None)).unwrap();
    }
}
