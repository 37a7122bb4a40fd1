//! Connections of our own: the way to a primary.
//!
//! One attempt at a time: look the name up, then try its addresses in order until one takes us. As
//! with the connections that come to us nothing here waits: answers come as events of the loop. The
//! last address is tried until the node gives up; the others get [`ADDRESS_MS`], so that a name
//! whose first address is a dead machine is still of use.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};

use vesta_rt::errno_text;
use vesta_rt::reactor::{Reactor, Token, Waker};
use vesta_rt::resolver::{Addresses, Question, Resolver};
use vesta_rt::socket::{Address, Progress, Stream};
use vesta_types::Mono;

/// The token of the connection that is being established. Places of connections are 32-bit numbers
/// and listeners count down from the greatest number: it is neither.
pub(super) const DIALLING: Token = Token(usize::MAX / 2);
/// How long an address is tried when there is another one.
const ADDRESS_MS: u64 = 5_000;

/// Who connects to others.
#[derive(Debug, Default)]
pub(super) struct Dialler {
    /// There once a name was to be looked up.
    resolver: Option<Resolver>,
    attempt: Option<Attempt>,
}

#[derive(Debug)]
struct Attempt {
    id: u64,
    /// The addresses that were not tried.
    left: VecDeque<SocketAddr>,
    sources: Vec<IpAddr>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    LookingUp,
    Connecting {
        stream: Stream,
        /// When the next address is to be tried.
        until: Option<Mono>,
    },
}

/// A connection that is there.
#[derive(Debug)]
pub(super) struct Dialled {
    pub(super) stream: Stream,
    pub(super) peer: Address,
    pub(super) local: Address,
}

/// What has become of an attempt.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) attempt: u64,
    pub(super) dialled: Result<Dialled, String>,
}

/// Where the loop is, and what it has to offer.
pub(super) struct Ground<'a> {
    pub(super) now: Mono,
    pub(super) reactor: &'a Reactor,
    pub(super) waker: &'a Waker,
}

impl Dialler {
    /// Begins an attempt in place of the one under way; its outcome, if that is known already.
    pub(super) fn dial(&mut self, ground: &Ground<'_>, question: Question) -> Option<Outcome> {
        let attempt = question.id;
        self.attempt = None;
        if let Some(addresses) = question.literally() {
            return self.try_in_order(ground, attempt, addresses);
        }
        let resolver = self.resolver.get_or_insert_with(|| Resolver::new(ground.waker.clone()));
        if let Err(why) = resolver.ask(question) {
            return Some(Outcome { attempt, dialled: Err(errno_text(&why)) });
        }
        let (left, sources) = (VecDeque::new(), Vec::new());
        self.attempt = Some(Attempt { id: attempt, left, sources, step: Step::LookingUp });
        None
    }

    /// Ends an attempt that may be under way.
    pub(super) fn give_up(&mut self, attempt: u64) {
        self.attempt.take_if(|present| present.id == attempt);
    }

    /// When [`Dialler::look`] is to be called although nothing has happened.
    pub(super) fn deadline(&self) -> Option<Mono> {
        match &self.attempt.as_ref()?.step {
            Step::LookingUp => None,
            Step::Connecting { until, .. } => *until,
        }
    }

    /// Hears whether a name has been found.
    pub(super) fn hear(&mut self, ground: &Ground<'_>) -> Option<Outcome> {
        while let Some(answer) = self.resolver.as_mut().and_then(Resolver::answer) {
            let is_awaited = self.attempt.take_if(|attempt| {
                attempt.id == answer.id && matches!(attempt.step, Step::LookingUp)
            });
            // Who asked for another one has lost interest.
            if is_awaited.is_none() {
                continue;
            }
            let outcome = match answer.outcome {
                Ok(addresses) => self.try_in_order(ground, answer.id, addresses),
                Err(why) => Some(Outcome { attempt: answer.id, dialled: Err(errno_text(&why)) }),
            };
            if outcome.is_some() {
                return outcome;
            }
        }
        None
    }

    /// Looks how the connection is coming along, when it was reported or it is time to.
    pub(super) fn look(&mut self, ground: &Ground<'_>) -> Option<Outcome> {
        let Attempt { id, left, sources, step } = self.attempt.take()?;
        let (stream, until) = match step {
            Step::Connecting { stream, until } => (stream, until),
            Step::LookingUp => {
                self.attempt = Some(Attempt { id, left, sources, step: Step::LookingUp });
                return None;
            }
        };
        match stream.progress() {
            Progress::Connected { peer, local } => {
                let dialled = Ok(Dialled { stream, peer, local });
                Some(Outcome { attempt: id, dialled })
            }
            Progress::UnderWay if until.is_none_or(|until| ground.now < until) => {
                let step = Step::Connecting { stream, until };
                self.attempt = Some(Attempt { id, left, sources, step });
                None
            }
            Progress::UnderWay => {
                self.try_next(ground, id, left, sources, "Connection timed out".to_owned())
            }
            Progress::Failed(why) => self.try_next(ground, id, left, sources, errno_text(&why)),
        }
    }

    fn try_in_order(
        &mut self,
        ground: &Ground<'_>,
        attempt: u64,
        addresses: Addresses,
    ) -> Option<Outcome> {
        let Addresses { targets, sources } = addresses;
        let none = "The name has no address".to_owned();
        self.try_next(ground, attempt, targets.into(), sources, none)
    }

    /// Tries the addresses that are left up to one that does not refuse at once. When there is
    /// none, it failed for the last reason, which before that is `why`.
    fn try_next(
        &mut self,
        ground: &Ground<'_>,
        id: u64,
        mut left: VecDeque<SocketAddr>,
        sources: Vec<IpAddr>,
        mut why: String,
    ) -> Option<Outcome> {
        while let Some(to) = left.pop_front() {
            match begin(ground, to, &sources) {
                Ok(stream) => {
                    let until = (!left.is_empty()).then(|| ground.now.plus_ms(ADDRESS_MS));
                    let step = Step::Connecting { stream, until };
                    self.attempt = Some(Attempt { id, left, sources, step });
                    return None;
                }
                Err(error) => why = errno_text(&error),
            }
        }
        Some(Outcome { attempt: id, dialled: Err(why) })
    }
}

/// Begins to connect to an address: from our own address of its family if there is one, else, and
/// if that is not to be had, from whichever the system takes, as redis-server 7.0.15 does.
fn begin(ground: &Ground<'_>, to: SocketAddr, sources: &[IpAddr]) -> io::Result<Stream> {
    let source = sources.iter().find(|source| source.is_ipv4() == to.is_ipv4());
    let from_source = source.map(|source| Stream::connect(to, Some(*source)));
    let mut stream = match from_source {
        Some(Ok(stream)) => stream,
        Some(Err(_)) | None => Stream::connect(to, None)?,
    };
    ground.reactor.add_connecting(&mut stream, DIALLING)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use vesta_rt::socket::Listener;

    use super::*;

    struct World {
        reactor: Reactor,
        waker: Waker,
        now: Mono,
        dialler: Dialler,
    }

    impl World {
        fn new() -> Self {
            let mut reactor = Reactor::new(8).unwrap();
            let waker = reactor.waker(Token(1)).unwrap();
            Self { reactor, waker, now: Mono(0), dialler: Dialler::default() }
        }

        fn step(
            &mut self,
            act: impl FnOnce(&mut Dialler, &Ground<'_>) -> Option<Outcome>,
        ) -> Option<Outcome> {
            let Self { reactor, waker, now, dialler } = self;
            act(dialler, &Ground { now: *now, reactor, waker })
        }

        fn dial(&mut self, attempt: u64, host: &str, port: u16) -> Option<Outcome> {
            let host = host.to_owned();
            let question = Question { id: attempt, host, port, source: None };
            self.step(|dialler, ground| dialler.dial(ground, question))
        }

        /// Waits for the outcome of what was begun, unless that is known; the wait has a limit so
        /// that a missing one fails the test.
        fn outcome(&mut self, known: Option<Outcome>) -> Outcome {
            let (mut known, mut ready) = (known, Vec::new());
            for _ in 0..200 {
                if let Some(outcome) = known {
                    return outcome;
                }
                self.reactor.wait(Some(Duration::from_millis(100)), &mut ready).unwrap();
                known = self.step(Dialler::hear).or_else(|| self.step(Dialler::look));
            }
            panic!("no outcome");
        }

        /// Has it try these addresses.
        fn try_all(&mut self, attempt: u64, targets: Vec<SocketAddr>) -> Option<Outcome> {
            let addresses = Addresses { targets, sources: Vec::new() };
            self.step(|dialler, ground| dialler.try_in_order(ground, attempt, addresses))
        }
    }

    /// An address where nobody listens.
    fn nobody() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    /// A listener whose queue is full: it neither takes nor refuses anybody.
    fn deaf() -> (Listener, SocketAddr, Vec<Stream>) {
        let listener = Listener::tcp("127.0.0.1:0".parse().unwrap(), 0).unwrap();
        let Address::Ip(to) = listener.address().unwrap() else { panic!("not TCP") };
        let queue = (0..4).map(|_| Stream::connect(to, None).unwrap()).collect();
        (listener, to, queue)
    }

    #[test]
    fn a_name_is_found_and_one_of_its_addresses_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let mut world = World::new();
        for (attempt, host) in [(1, "localhost"), (2, "127.0.0.1")] {
            let known = world.dial(attempt, host, to.port());
            let Outcome { attempt: answered, dialled } = world.outcome(known);
            assert_eq!(answered, attempt);
            let Dialled { peer, local, .. } = dialled.unwrap();
            assert_eq!(peer, Address::Ip(to));
            let (_accepted, from) = listener.accept().unwrap();
            assert_eq!(local, Address::Ip(from));
        }
    }

    #[test]
    fn addresses_are_tried_up_to_the_one_that_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let mut world = World::new();
        let known = world.try_all(1, vec![nobody(), nobody(), to]);
        let dialled = world.outcome(known).dialled.unwrap();
        assert_eq!(dialled.peer, Address::Ip(to));

        let known = world.try_all(2, vec![nobody(), nobody()]);
        assert_eq!(world.outcome(known).dialled.unwrap_err(), "Connection refused");
    }

    #[test]
    fn a_dead_address_gets_its_time_unless_it_is_the_last() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let (_listener, dead, _queue) = deaf();
        let mut world = World::new();
        assert!(world.try_all(1, vec![dead, to]).is_none());
        let deadline = world.dialler.deadline().unwrap();
        assert_eq!(deadline, Mono(ADDRESS_MS * 1_000));
        assert!(world.step(Dialler::look).is_none());
        world.now = deadline;
        let known = world.step(Dialler::look);
        let dialled = world.outcome(known).dialled.unwrap();
        assert_eq!(dialled.peer, Address::Ip(to));

        assert!(world.try_all(2, vec![dead]).is_none());
        assert_eq!(world.dialler.deadline(), None);
    }

    #[test]
    fn an_attempt_that_was_given_up_says_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let mut world = World::new();
        assert!(world.dial(1, "localhost", to.port()).is_none());
        world.dialler.give_up(1);
        // An answer about a name comes although nobody waits for it.
        let known = world.dial(2, "localhost", to.port());
        assert_eq!(world.outcome(known).attempt, 2);
        world.dialler.give_up(2);
        let known = world.dial(3, "no such host", 1);
        world.dialler.give_up(2);
        assert!(world.outcome(known).dialled.is_err());
    }
}
