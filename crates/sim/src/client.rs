//! A client: sends pipelines, reads replies, falls deaf, leaves in mid-request, comes again.

use std::collections::VecDeque;

use vesta_types::{Mono, Now, Rng};

use crate::checker::{Check, Checker};
use crate::network::Network;
use crate::plan::Plan;
use crate::trace::{Event, Leaving, Trace};
use crate::wire::{self, Value};
use crate::workload::{Awaited, Workload};

/// Replies awaited above which nothing more is asked.
const AWAITED_MAX: usize = 200;

/// How long a client that was told so waits for the server to have its data, in microseconds.
const LOADING_US: u64 = 50_000;

/// How long a client waits for what may never come when nothing goes wrong any more, in
/// microseconds.
const PATIENCE_US: u64 = 2_000_000;

/// Requests left to be made when nothing goes wrong any more above which there is no end to them.
const CALM_REQUESTS_MAX: u64 = 1_000_000;

/// Longest pause between requests when nothing goes wrong any more, in microseconds.
const CALM_THINK_US_MAX: u64 = 5000;

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    rng: Rng,
    workload: Workload,
    plan: Plan,
    place: Place,
    /// Requests it still wants to make.
    left: u64,
    next_at: Mono,
    deaf_until: Mono,
    /// Bytes that the link had no room for.
    outgoing: Vec<u8>,
    /// When it last was given a reply, or began to be calm.
    heard_at: Mono,
    awaited: VecDeque<Awaited>,
    received: Vec<u8>,
    /// Leaves when all is sent, and how.
    leaves: Option<Leaving>,
    calm: bool,
}

/// Where a client is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Away,
    At {
        link: usize,
        /// It was told so, and waits for the end.
        refused: bool,
    },
}

/// What a client needs from around it to act.
pub(crate) struct Around<'a> {
    pub(crate) now: Now,
    pub(crate) network: &'a mut Network,
    pub(crate) checker: &'a mut Checker,
    pub(crate) trace: &'a mut Trace,
    /// Addresses of all clients that are connected, and how many ever were.
    pub(crate) peers: &'a [String],
    pub(crate) connected: u64,
}

impl Client {
    pub(crate) fn new(plan: &Plan, now: Mono, mut rng: Rng) -> Self {
        Self {
            workload: Workload::new(plan, rng.fork()),
            left: plan.requests,
            next_at: Mono(now.0 + rng.below(plan.think_us_max)),
            plan: plan.clone(),
            place: Place::Away,
            deaf_until: Mono(0),
            outgoing: Vec::new(),
            heard_at: now,
            awaited: VecDeque::new(),
            received: Vec::new(),
            leaves: None,
            calm: false,
            rng,
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm_down(&mut self, now: Mono) {
        self.calm = true;
        self.heard_at = now;
        self.workload.calm = true;
        self.deaf_until = now.min(self.deaf_until);
        self.plan.think_us_max = self.plan.think_us_max.min(CALM_THINK_US_MAX);
        // Whoever has made all its requests still sees that the server answers; whoever would go
        // on for ever stops soon.
        self.left = if self.left > CALM_REQUESTS_MAX { 1 } else { self.left + 1 };
    }

    /// It has one more request to make.
    pub(crate) fn ask_again(&mut self, now: Mono) {
        self.left += 1;
        self.next_at = now;
        self.heard_at = now;
    }

    /// Whether it has made all requests and has all replies.
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0 && self.awaited.is_empty() && self.outgoing.is_empty()
    }

    /// The link it is on and what it awaits, for reports.
    pub(crate) fn wants_to_connect(&self, now: Mono) -> bool {
        self.place == Place::Away && self.left > 0 && self.next_at <= now
    }

    /// Nobody is there.
    pub(crate) fn finds_nobody(&mut self, now: Mono) {
        self.next_at = Mono(now.0 + 1 + self.rng.below(self.plan.think_us_max.max(10_000)));
    }

    pub(crate) fn connected(&mut self, link: usize, refused: bool) {
        self.place = Place::At { link, refused };
    }

    /// When it acts again although nothing arrives.
    pub(crate) fn next_deadline(&self, now: Mono) -> Option<Mono> {
        let deaf = Some(self.deaf_until).filter(|until| *until > now);
        let asks = self.left > 0 && self.awaited.len() < AWAITED_MAX && self.outgoing.is_empty();
        let acts = Some(self.next_at).filter(|at| asks && *at > now);
        let gives_up = Some(self.gives_up_at()).filter(|at| self.is_in_vain() && *at > now);
        [deaf, acts, gives_up].into_iter().flatten().min()
    }

    /// Whether it may be waiting for what never comes.
    fn is_in_vain(&self) -> bool {
        self.calm && self.awaited.front() == Some(&Awaited::Forever)
    }

    fn gives_up_at(&self) -> Mono {
        Mono(self.heard_at.0 + PATIENCE_US)
    }

    /// Reads, asks, writes, leaves.
    pub(crate) fn act(&mut self, around: &mut Around<'_>) -> Check {
        let Place::At { link, refused } = self.place else { return Ok(()) };
        if self.deaf_until <= around.now.mono {
            self.read(link, around)?;
        }
        if self.place == Place::Away || refused {
            return Ok(());
        }
        if self.is_in_vain() && self.gives_up_at() <= around.now.mono {
            self.leave(link, around, Leaving::Impatient);
            return Ok(());
        }
        let may_ask = self.outgoing.is_empty() && self.awaited.len() < AWAITED_MAX;
        if may_ask && self.left > 0 && self.next_at <= around.now.mono {
            self.ask(around);
        }
        self.write(link, around);
        if self.calm && self.is_done() && self.place != Place::Away {
            if !around.checker.has_all(link) {
                return Err(format!("link {link} was given replies that nobody awaits"));
            }
            // Others may be waiting for its place.
            self.leave(link, around, Leaving::Content);
        }
        Ok(())
    }

    fn read(&mut self, link: usize, around: &mut Around<'_>) -> Check {
        let Some(wire) = around.network.link(link) else { return Ok(()) };
        let bytes = wire.down.take(usize::MAX);
        let (is_over, all_was_sent) = (wire.down.is_over(), wire.all_was_sent);
        around.trace.bytes(&bytes);
        around.checker.received(link, &bytes)?;
        if !bytes.is_empty() {
            self.heard_at = around.now.mono;
        }
        self.received.extend(bytes);
        self.take_replies(around.now.mono, link)?;
        if is_over {
            if all_was_sent && !around.checker.has_all(link) {
                return Err(format!("link {link} ended before all replies had arrived"));
            }
            self.leave(link, around, Leaving::AsTheServerDid);
        }
        Ok(())
    }

    fn take_replies(&mut self, now: Mono, link: usize) -> Check {
        let mut at = 0;
        while let Some((value, len)) = wire::value(self.received.get(at..).unwrap_or_default())? {
            at += len;
            if matches!(self.place, Place::At { refused: true, .. }) {
                continue;
            }
            if matches!(value, Value::Error(text) if text.starts_with(b"LOADING ")) {
                // It is of no use to ask again soon.
                self.next_at = self.next_at.max(Mono(now.0 + LOADING_US));
            }
            match self.awaited.pop_front() {
                None => return Err(format!("link {link}: a reply to nothing")),
                Some(Awaited::Any | Awaited::Forever) => {}
                Some(Awaited::Page) => {
                    if let Value::Array(page) = &value
                        && let Some(Value::Bulk(cursor)) = page.first()
                    {
                        self.workload.cursor = Some(cursor.to_vec()).filter(|next| next != b"0");
                    }
                }
            }
        }
        self.received.drain(..at);
        Ok(())
    }

    fn ask(&mut self, around: &mut Around<'_>) {
        let count = (1 + self.rng.below(self.plan.pipeline_max)).min(self.left);
        self.left -= count;
        let pipeline = self.workload.pipeline(count, around.peers, around.connected);
        self.outgoing.extend(pipeline.bytes);
        self.awaited.extend(pipeline.awaited);
        self.next_at = Mono(around.now.mono.0 + 1 + self.rng.below(self.plan.think_us_max));
        if self.calm {
            return;
        }
        if self.rng.below(1000) < self.plan.deaf_per_1000 {
            self.deaf_until = Mono(around.now.mono.0 + self.rng.below(400_000));
        }
        if self.rng.below(1000) < self.plan.leave_per_1000 {
            let keep = self.rng.below(self.outgoing.len() as u64 + 1);
            self.outgoing.truncate(usize::try_from(keep).unwrap_or(0));
            let orderly = self.rng.below(2) == 0;
            self.leaves = Some(if orderly { Leaving::Orderly } else { Leaving::Cut });
        }
    }

    fn write(&mut self, link: usize, around: &mut Around<'_>) {
        let now = around.now.mono;
        let Some(wire) = around.network.link(link) else { return };
        if !self.outgoing.is_empty() {
            let sent = wire.send_up(now, &self.outgoing);
            self.outgoing.drain(..sent);
        }
        if !self.outgoing.is_empty() {
            return;
        }
        if let Some(how) = self.leaves.take() {
            if how == Leaving::Cut {
                wire.cut();
            }
            self.leave(link, around, how);
        }
    }

    /// Lets go of the link; comes again later.
    fn leave(&mut self, link: usize, around: &mut Around<'_>, how: Leaving) {
        around.trace.note(around.now, Event::Left { link, how });
        around.network.leave(link, around.now.mono);
        // Whoever was refused does not insist.
        let pause_us = if self.place == (Place::At { link, refused: true }) { 20_000 } else { 1 };
        self.place = Place::Away;
        self.outgoing.clear();
        self.awaited.clear();
        self.received.clear();
        self.workload.cursor = None;
        self.leaves = None;
        self.next_at = Mono(around.now.mono.0 + pause_us + self.rng.below(self.plan.think_us_max));
    }

    /// What it is doing, for a report.
    pub(crate) fn state(&self) -> String {
        let (left, awaited) = (self.left, self.awaited.len());
        format!("{:?}, {left} requests to make, {awaited} replies awaited", self.place)
    }
}
