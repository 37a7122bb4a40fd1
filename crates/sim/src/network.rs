//! Links between clients and servers: bytes in order, late, in pieces, or not at all.
//!
//! A [`Link`] has a [`Pipe`] each way. What one end sends is cut into parcels that arrive after
//! seeded delays, never overtaking each other, and lie in the receiver's buffer until it reads.
//! A pipe holds only so many bytes, so that a receiver that does not read makes its peer wait. A
//! pipe may stall or be blocked one-way; a link may be cut, and then nothing more gets through.

use std::collections::{BTreeMap, VecDeque};

use vesta_types::{Mono, Rng};

use crate::Flaw;

/// How a link treats what it carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Longest delay of a parcel, in microseconds.
    pub(crate) delay_us_max: u64,
    /// Longest parcel, in bytes; at least 1.
    pub(crate) parcel_bytes_max: u64,
    /// Bytes that a pipe holds.
    pub(crate) capacity_bytes: usize,
    /// Of a thousand parcels, how many are followed by a stall.
    pub(crate) stalls_per_1000: u64,
    /// Longest stall, in microseconds.
    pub(crate) stall_us_max: u64,
}

impl Manner {
    /// The same without faults, and swift enough for everything to come to an end.
    pub(crate) fn healed(self) -> Self {
        Self {
            delay_us_max: self.delay_us_max.min(500),
            parcel_bytes_max: self.parcel_bytes_max.max(1500),
            stalls_per_1000: 0,
            ..self
        }
    }
}

/// Parcels of one sending that may be as short as the manner says; later ones are longer, so
/// that a large value does not take forever.
const SHORT_PARCELS_MAX: usize = 48;
/// Least length of the longest parcel after that, in bytes.
const LONG_PARCEL_BYTES: u64 = 4096;

/// What travels.
#[derive(Debug)]
enum Parcel {
    Bytes(Vec<u8>),
    /// The sender has closed its side.
    End,
}

/// One direction of a link.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    flying: VecDeque<(Mono, Parcel)>,
    arrived: VecDeque<u8>,
    /// Bytes flying and arrived.
    load: usize,
    /// When the last parcel arrives, so that no other comes before it.
    last: Mono,
    /// Whether the end has arrived.
    ended: bool,
    /// Nothing arrives until it is let through again.
    pub(crate) is_blocked: bool,
    /// A fault on purpose: a byte of a long parcel is another one.
    changes_bytes: bool,
}

impl Pipe {
    /// Bytes that may still be sent.
    pub(crate) fn room(&self, manner: &Manner) -> usize {
        manner.capacity_bytes.saturating_sub(self.load)
    }

    /// Sends bytes; the caller has looked for room.
    pub(crate) fn send(&mut self, now: Mono, bytes: &[u8], manner: &Manner, rng: &mut Rng) {
        let mut rest = bytes;
        let mut parcels = 0;
        while !rest.is_empty() {
            let longest = match parcels {
                0..SHORT_PARCELS_MAX => manner.parcel_bytes_max,
                _ => manner.parcel_bytes_max.max(LONG_PARCEL_BYTES),
            };
            parcels += 1;
            let len = 1 + usize::try_from(rng.below(longest)).unwrap_or(0);
            let (parcel, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = behind;
            // Parcels of one sending come close together, or each by itself.
            let delay_us = if rng.below(4) == 0 { rng.below(manner.delay_us_max + 1) } else { 0 };
            self.last = Mono(self.last.max(now).0 + 1 + delay_us);
            self.load += parcel.len();
            let mut parcel = parcel.to_vec();
            if self.changes_bytes && rng.below(20) == 0 {
                parcel.iter_mut().take(1).for_each(|byte| *byte ^= 1);
            }
            self.flying.push_back((self.last, Parcel::Bytes(parcel)));
            if rng.below(1000) < manner.stalls_per_1000 {
                self.last.0 += rng.below(manner.stall_us_max + 1);
            }
        }
    }

    /// Closes the sender's side: the end arrives behind all that was sent.
    pub(crate) fn end(&mut self, now: Mono) {
        self.last = Mono(self.last.max(now).0 + 1);
        self.flying.push_back((self.last, Parcel::End));
    }

    /// Lets what is under way arrive soon.
    fn hurry(&mut self, now: Mono) {
        let mut soon = now;
        for (at, _) in &mut self.flying {
            soon.0 += 1;
            *at = soon.min(*at);
        }
        self.last = self.last.min(soon);
    }

    /// Loses all that has not been read and ends at once.
    fn break_off(&mut self) {
        self.flying.clear();
        self.arrived.clear();
        self.load = 0;
        self.ended = true;
    }

    /// When the next parcel arrives.
    pub(crate) fn next_arrival(&self) -> Option<Mono> {
        self.flying.front().filter(|_| !self.is_blocked).map(|(at, _)| *at)
    }

    /// Lets arrive what is due.
    pub(crate) fn deliver(&mut self, now: Mono) {
        if self.is_blocked {
            return;
        }
        while let Some((_, parcel)) = self.flying.pop_front_if(|(at, _)| *at <= now) {
            match parcel {
                Parcel::Bytes(bytes) => self.arrived.extend(bytes),
                Parcel::End => self.ended = true,
            }
        }
    }

    /// Reads at most `most` bytes.
    pub(crate) fn take(&mut self, most: usize) -> Vec<u8> {
        let count = most.min(self.arrived.len());
        self.load -= count;
        if count == self.arrived.len() {
            return std::mem::take(&mut self.arrived).into();
        }
        self.arrived.drain(..count).collect()
    }

    /// How many bytes there are to read.
    pub(crate) fn readable_bytes(&self) -> usize {
        self.arrived.len()
    }

    /// Whether the end has come and everything before it was read.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.arrived.is_empty()
    }

    /// Whether the end has come.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }
}

/// The ends of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// Who was asked for the connection.
    Server,
    /// Who has asked.
    Client,
}

/// A connection between a client and a server.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) manner: Manner,
    /// To the server.
    pub(crate) up: Pipe,
    /// To the client.
    pub(crate) down: Pipe,
    rng: Rng,
    client_gone: bool,
    server_gone: bool,
    /// The server has closed the link after all replies were sent, and it was not cut.
    pub(crate) all_was_sent: bool,
}

impl Link {
    pub(crate) fn new(manner: Manner, rng: Rng) -> Self {
        Self {
            manner,
            up: Pipe::default(),
            down: Pipe::default(),
            rng,
            client_gone: false,
            server_gone: false,
            all_was_sent: false,
        }
    }

    /// Bytes that this end may still send.
    pub(crate) fn room(&self, end: End) -> usize {
        let (pipe, is_lost) = match end {
            End::Client => (&self.up, self.server_gone),
            End::Server => (&self.down, self.client_gone),
        };
        if is_lost || pipe.ended { usize::MAX } else { pipe.room(&self.manner) }
    }

    /// Sends as much of `bytes` to the server as there is room for; how many.
    pub(crate) fn send_up(&mut self, now: Mono, bytes: &[u8]) -> usize {
        if self.server_gone || self.up.ended {
            return bytes.len();
        }
        let count = bytes.len().min(self.up.room(&self.manner));
        self.up.send(now, bytes.get(..count).unwrap_or_default(), &self.manner, &mut self.rng);
        count
    }

    /// Sends as much of `bytes` to the client as there is room for; how many.
    pub(crate) fn send_down(&mut self, now: Mono, bytes: &[u8]) -> usize {
        // What is sent to nobody is lost; that nobody is there is learned by reading.
        if self.client_gone || self.down.ended {
            return bytes.len();
        }
        let count = bytes.len().min(self.down.room(&self.manner));
        self.down.send(now, bytes.get(..count).unwrap_or_default(), &self.manner, &mut self.rng);
        count
    }

    /// Breaks the link: what is under way is lost both ways.
    pub(crate) fn cut(&mut self) {
        self.up.break_off();
        self.down.break_off();
        self.all_was_sent = false;
    }

    /// From here on the link is a good one, also for what is under way.
    pub(crate) fn heal(&mut self, now: Mono) {
        self.manner = self.manner.healed();
        self.up.hurry(now);
        self.down.hurry(now);
    }

    pub(crate) fn deliver(&mut self, now: Mono) {
        self.up.deliver(now);
        self.down.deliver(now);
    }

    pub(crate) fn next_arrival(&self) -> Option<Mono> {
        [self.up.next_arrival(), self.down.next_arrival()].into_iter().flatten().min()
    }
}

/// All links that somebody still holds; a link is known by its number, which is never used again.
#[derive(Debug)]
pub(crate) struct Network {
    links: BTreeMap<usize, Link>,
    added: usize,
    flaw: Option<Flaw>,
}

impl Network {
    pub(crate) fn new(flaw: Option<Flaw>) -> Self {
        Self { links: BTreeMap::new(), added: 0, flaw }
    }

    pub(crate) fn add(&mut self, mut link: Link) -> usize {
        link.down.changes_bytes = self.flaw == Some(Flaw::BytesChange);
        let id = self.added;
        self.added += 1;
        self.links.insert(id, link);
        id
    }

    pub(crate) fn link(&mut self, id: usize) -> Option<&mut Link> {
        self.links.get_mut(&id)
    }

    /// The client lets go of its link.
    pub(crate) fn leave(&mut self, id: usize, now: Mono) {
        let Some(link) = self.link(id) else { return };
        link.client_gone = true;
        if link.server_gone {
            self.remove(id);
        } else if !link.up.ended {
            link.up.end(now);
        }
    }

    /// The server lets go of a link; `all_was_sent`: every reply is on its way.
    pub(crate) fn close(&mut self, id: usize, now: Mono, all_was_sent: bool) {
        let Some(link) = self.link(id) else { return };
        link.server_gone = true;
        if link.client_gone {
            self.remove(id);
        } else if !link.down.ended {
            link.all_was_sent = all_was_sent;
            link.down.end(now);
        }
    }

    /// One end of a link is gone and nobody tells the other.
    pub(crate) fn vanish(&mut self, id: usize, end: End) {
        let Some(link) = self.link(id) else { return };
        match end {
            End::Server => link.server_gone = true,
            End::Client => link.client_gone = true,
        }
        link.up.is_blocked = true;
        link.down.is_blocked = true;
        if link.client_gone && link.server_gone {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: usize) {
        self.links.remove(&id);
    }

    pub(crate) fn links(&mut self) -> impl Iterator<Item = &mut Link> {
        self.links.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUGH: Manner = Manner {
        delay_us_max: 5000,
        parcel_bytes_max: 3,
        capacity_bytes: 1 << 20,
        stalls_per_1000: 100,
        stall_us_max: 100_000,
    };

    #[test]
    fn bytes_arrive_in_order_whatever_the_delays() {
        let mut link = Link::new(ROUGH, Rng::new(3));
        let sent: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        let (first, second) = sent.split_at(7000);
        assert_eq!(link.send_up(Mono(0), first), 7000);
        assert_eq!(link.send_up(Mono(10), second), 13_000);
        link.up.end(Mono(10));
        let mut got = Vec::new();
        let mut now = Mono(0);
        while !link.up.is_over() {
            if let Some(at) = link.next_arrival() {
                assert!(at >= now);
                now = at;
            }
            link.deliver(now);
            got.extend(link.up.take(100));
        }
        assert_eq!(got, sent);
    }

    #[test]
    fn a_full_pipe_takes_no_more_until_it_is_read() {
        let manner = Manner { capacity_bytes: 10, ..ROUGH };
        let mut link = Link::new(manner, Rng::new(3));
        assert_eq!(link.send_down(Mono(0), &[1; 25]), 10);
        assert_eq!(link.send_down(Mono(0), &[1; 25]), 0);
        link.deliver(Mono(u64::MAX));
        assert_eq!(link.down.take(4).len(), 4);
        assert_eq!(link.send_down(Mono(0), &[1; 25]), 4);
    }

    #[test]
    fn a_cut_link_loses_what_was_under_way() {
        let mut link = Link::new(ROUGH, Rng::new(3));
        link.send_up(Mono(0), b"hello");
        link.cut();
        link.deliver(Mono(u64::MAX));
        assert!(link.up.is_over() && link.down.is_over());
    }
}
