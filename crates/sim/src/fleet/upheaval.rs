//! What goes wrong, and the end of that.

use vesta_types::Mono;

use super::member::Member;
use super::plan::{Upheaval, to_size};
use super::{Fleet, Party};
use crate::Flaw;
use crate::checker::Check;
use crate::trace::Event;

/// Nothing that one server sends gets to another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partition {
    from: usize,
    to: usize,
    pub(super) until: Mono,
}

impl Fleet {
    /// Lets go wrong what is due.
    pub(super) fn upheave(&mut self) -> Check {
        let elapsed_us = self.clock.elapsed_us();
        while let Some((_, upheaval)) = self.ahead.pop_front_if(|(at, _)| *at <= elapsed_us) {
            self.note(format!("{upheaval:?}"));
            self.take(upheaval)?;
        }
        Ok(())
    }

    fn note(&mut self, what: String) {
        self.trace.note(self.clock.now(), Event::Of { member: self.members.len(), what });
    }

    fn take(&mut self, upheaval: Upheaval) -> Check {
        let now = self.clock.now().mono;
        match upheaval {
            Upheaval::Cut { between } => self.cut(between),
            Upheaval::Partition { from, to, both_ways, us } => {
                let until = Mono(now.0 + us);
                self.partitions.push(Partition { from, to, until });
                if both_ways {
                    self.partitions.push(Partition { from: to, to: from, until });
                }
                self.trace.reached.partitions += 1;
                self.block_all();
            }
            Upheaval::Pause { member, us } => {
                if let Some(member) = self.members.get_mut(member) {
                    member.paused_until = Mono(now.0 + us);
                    self.trace.reached.pauses += 1;
                }
            }
            Upheaval::Crash { member, crash, loses_files, is_silent, us } => {
                self.trace.reached.crashes += 1;
                self.trace.reached.empty_starts += u64::from(loses_files);
                self.trace.reached.silent_ends += u64::from(is_silent);
                self.with(member, |member, world| {
                    if member.is_there() {
                        member.end(world, crash, is_silent, us);
                    }
                    if loses_files {
                        member.lose_files();
                    }
                });
            }
            Upheaval::Stop { member, us } => {
                return self.with(member, |member, world| member.stop(world, us)).unwrap_or(Ok(()));
            }
            Upheaval::ClockJump { member, ms } => {
                self.trace.reached.clock_jumps += 1;
                if let Some(member) = self.members.get_mut(member) {
                    member.clock_error_us += ms * 1000;
                }
            }
            Upheaval::Follow { member, primary } => self.follow(member, primary),
        }
        Ok(())
    }

    /// The operator changes whom a server follows.
    fn follow(&mut self, member: usize, primary: Option<usize>) {
        let Some(member) = self.members.get_mut(member).filter(|it| it.follows != primary) else {
            return;
        };
        let reached = &mut self.trace.reached;
        match primary {
            Some(_) => reached.moves += 1,
            None => reached.promotions += 1,
        }
        member.set_primary(primary);
    }

    /// Breaks all links between two servers.
    fn cut(&mut self, (left, right): (usize, usize)) {
        let (left, right) = (Party::Member(left), Party::Member(right));
        for (link, line) in &self.lines {
            let ends = (line.client, line.server);
            let is_between = ends == (left, right) || ends == (right, left);
            if let Some(wire) = self.network.link(*link).filter(|_| is_between) {
                wire.cut();
            }
        }
    }

    /// Whether two servers cannot talk to each other.
    pub(super) fn is_apart(&self, left: usize, right: usize) -> bool {
        self.is_blocked(Party::Member(left), Party::Member(right))
            || self.is_blocked(Party::Member(right), Party::Member(left))
    }

    fn is_blocked(&self, from: Party, to: Party) -> bool {
        let is_meant = |partition: &Partition| {
            from == Party::Member(partition.from) && to == Party::Member(partition.to)
        };
        self.partitions.iter().any(is_meant)
    }

    /// Blocks a link as far as its ends cannot reach each other.
    pub(super) fn block(&mut self, link: usize) {
        let Some(line) = self.lines.get(&link) else { return };
        let (client, server) = (line.client, line.server);
        let (up, down) = (self.is_blocked(client, server), self.is_blocked(server, client));
        let is_ghost = self.members.iter().any(|member| member.ghosts.contains(&link));
        if let Some(wire) = self.network.link(link).filter(|_| !is_ghost) {
            wire.up.is_blocked = up;
            wire.down.is_blocked = down;
        }
    }

    fn block_all(&mut self) {
        self.lines.retain(|link, _| self.network.link(*link).is_some());
        let links: Vec<usize> = self.lines.keys().copied().collect();
        links.into_iter().for_each(|link| self.block(link));
    }

    /// Ends partitions whose time is over.
    pub(super) fn end_partitions(&mut self) {
        let now = self.clock.now().mono;
        let count = self.partitions.len();
        self.partitions.retain(|partition| partition.until > now);
        if self.partitions.len() < count {
            self.block_all();
        }
    }

    /// From here on nothing goes wrong, and all servers follow one of them.
    pub(super) fn heal(&mut self) -> Check {
        let now = self.clock.now().mono;
        self.note("nothing goes wrong any more".to_owned());
        self.ahead.clear();
        self.partitions.clear();
        self.network.links().for_each(|link| link.heal(now));
        self.clients.iter_mut().for_each(super::client::Client::calm_down);
        for member in &mut self.members {
            member.paused_until = Mono(0);
            member.disk.heal();
            member.accept_anything();
        }
        let root = self.choose_root();
        self.root = Some(root);
        let mut order: Vec<usize> = (0..self.members.len()).filter(|it| *it != root).collect();
        let start = to_size(self.rng.below(order.len() as u64));
        order.rotate_left(start);
        let mut there = vec![root];
        self.follow(root, None);
        for number in order {
            let place = to_size(self.rng.below(there.len() as u64));
            self.follow(number, there.get(place).copied());
            there.push(number);
        }
        if self.flaw == Some(Flaw::PartitionsStay)
            && let Some(last) = there.last()
        {
            let apart = |from, to| Partition { from, to, until: Mono::NEVER };
            let others = there.iter().filter(|other| *other != last);
            self.partitions = others.map(|other| apart(*last, *other)).collect();
        }
        self.block_all();
        Ok(())
    }

    /// The primary of all: one that has data, if any has.
    fn choose_root(&mut self) -> usize {
        let has_data = |member: &&Member| member.is_serving() && member.keys() > 0;
        let mut candidates: Vec<usize> =
            self.members.iter().filter(has_data).map(|member| member.number).collect();
        if candidates.is_empty() {
            candidates = (0..self.members.len()).collect();
        }
        let place = to_size(self.rng.below(candidates.len() as u64));
        candidates.get(place).copied().unwrap_or(0)
    }
}
