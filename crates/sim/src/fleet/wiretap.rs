//! What servers say to each other on their links, read from outside.

use std::collections::BTreeMap;

use vesta_types::{ReplId, Rng};

use super::connection::Connection;
use super::{Party, World};
use crate::Flaw;
use crate::checker::Check;
use crate::network::End;
use crate::wire::{self, Frame};

/// What a replica asks for: a history, and the first byte of it that it lacks; or everything.
pub(super) type Wanted = Option<(ReplId, u64)>;

/// A synchronization that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) what: Wanted,
    /// Whether the server that was asked has what the other one lacks.
    pub(super) may_go_on: bool,
}

/// Bytes of an answer that are read, at most.
const ANSWER_BYTES_MAX: usize = 400;

/// The synchronization that is asked for in a text of requests.
pub(super) fn synchronization(mut text: &[u8]) -> Option<Wanted> {
    loop {
        let (words, len) = match wire::frame(text) {
            Frame::Request { words, len } => (words, len),
            Frame::Nothing { len } => (Vec::new(), len),
            Frame::Incomplete | Frame::Broken(_) => return None,
        };
        if let [name, id, from, ..] = &*words
            && name.eq_ignore_ascii_case(b"psync")
        {
            let from = std::str::from_utf8(from).ok().and_then(|text| text.parse().ok());
            return Some(ReplId::parse(id).zip(from));
        }
        text = text.get(len..).unwrap_or_default();
    }
}

/// Whether a text of requests holds one that waits for replicas.
pub(super) fn waits(text: &[u8]) -> bool {
    text.windows(8).any(|window| window == b"\r\nWAIT\r\n")
}

/// The number that a reply is.
pub(super) fn number(reply: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(reply.strip_prefix(b":")?).ok()?;
    text.trim_end().parse().ok()
}

/// Whether a server that says this of itself has what a replica lacks.
pub(super) fn may_go_on(info: &BTreeMap<String, String>, wanted: Wanted) -> bool {
    let Some((id, from)) = wanted else { return false };
    let field = |name: &str| info.get(name).map_or("", String::as_str);
    let number = |name: &str| field(name).parse::<u64>().unwrap_or(0);
    let is_named = |name: &str| ReplId::parse(field(name).as_bytes()) == Some(id);
    let is_former = is_named("master_replid2") && from <= number("second_repl_offset");
    let first = number("repl_backlog_first_byte_offset");
    let held = first..=first + number("repl_backlog_histlen");
    let is_active = field("repl_backlog_active") == "1";
    is_active && (is_named("master_replid") || is_former) && held.contains(&from)
}

impl World<'_> {
    /// Puts as much of what is to be sent on a link as there is room for; whether all of it.
    pub(super) fn transmit(
        &mut self,
        rng: &mut Rng,
        connection: &mut Connection,
    ) -> Result<bool, String> {
        let now = self.clock.now().mono;
        let Some(wire) = self.network.link(connection.link) else { return Ok(false) };
        let (mut sent, mut is_all) = (0, true);
        let mut said = Vec::new();
        for piece in connection.conversation.outbox.pieces::<4>() {
            let room = piece.len().min(wire.room(connection.end));
            let piece_sent = piece.get(..room).unwrap_or_default();
            match self.flaw.and_then(|flaw| self.records.alter(flaw, rng, connection, piece_sent)) {
                Some(altered) => {
                    connection.send(now, wire, &altered);
                }
                None => {
                    connection.send(now, wire, piece_sent);
                }
            }
            said.extend_from_slice(piece_sent);
            sent += room;
            if room < piece.len() {
                is_all = false;
                break;
            }
        }
        connection.conversation.outbox.advance(sent);
        self.trace.bytes(&said);
        self.overhear(connection, &said)?;
        Ok(is_all && sent > 0)
    }

    /// Reads along what a server sends.
    fn overhear(&mut self, connection: &mut Connection, said: &[u8]) -> Check {
        let Some(line) = self.lines.get_mut(&connection.link) else { return Ok(()) };
        if connection.end == End::Client {
            if line.asked.is_none() {
                connection.said.extend_from_slice(said);
                line.asked = synchronization(&connection.said);
            }
            return Ok(());
        }
        let Some(asked) = connection.asked else { return Ok(()) };
        let left = ANSWER_BYTES_MAX.saturating_sub(connection.said.len());
        connection.said.extend_from_slice(said.get(..left.min(said.len())).unwrap_or_default());
        let text = String::from_utf8_lossy(&connection.said).into_owned();
        let Some(answer) = text.split("\r\n").find(|line| line.trim_start().starts_with('+'))
        else {
            return Ok(());
        };
        let (Party::Member(replica), Party::Member(source)) = (line.client, line.server) else {
            return Ok(());
        };
        let answer = answer.trim_start().to_owned();
        if !text.contains(&format!("{answer}\r\n")) {
            return Ok(());
        }
        connection.asked = None;
        let reached = &mut self.trace.reached;
        reached.chained_links += u64::from(self.chained.contains(&source));
        if answer.starts_with("+FULLRESYNC ") {
            reached.full_copies += 1;
            let offset =
                answer.trim_end().rsplit(' ').next().and_then(|digits| digits.parse().ok());
            self.records.copied(replica, offset.unwrap_or(0));
            if asked.may_go_on {
                return Err(format!(
                    "server {replica} asked server {source} for {:?} and was given everything, \
                     though that was there",
                    asked.what.map(|(id, from)| (id.to_string(), from))
                ));
            }
        } else if answer.starts_with("+CONTINUE") {
            reached.continuations += 1;
            let name = answer.split(' ').nth(1).and_then(|id| ReplId::parse(id.as_bytes()));
            let was = asked.what.map(|(id, _)| id);
            reached.renamed += u64::from(name.is_some() && name != was);
        }
        self.note(source, || format!("tells server {replica} {answer}"));
        Ok(())
    }
}

/// A fault on purpose: other bytes than those that are sent.
pub(super) fn altered(
    flaw: Flaw,
    rng: &mut Rng,
    end: End,
    piece: &[u8],
    offset: u64,
) -> Option<Vec<u8>> {
    let find = |what: &[u8]| piece.windows(what.len()).position(|window| window == what);
    match (flaw, end) {
        (Flaw::ValuesChange, End::Server) => {
            let at = find(b":v").filter(|_| rng.below(10) == 0)?;
            let mut piece = piece.to_vec();
            *piece.get_mut(at + 1)? = b'w';
            Some(piece)
        }
        (Flaw::ReplicasAskForAll, End::Client) => {
            synchronization(piece)??;
            Some(wire::encode(&[b"PSYNC".to_vec(), b"?".to_vec(), b"-1".to_vec()]))
        }
        (Flaw::ReplicasBoast, End::Client) => {
            let at = find(b"\r\nACK\r\n$")?;
            let rest = piece.get(at + 8..)?;
            let begin = rest.windows(2).position(|window| window == b"\r\n")? + 2;
            let digits = rest.get(begin..)?;
            let len = digits.windows(2).position(|window| window == b"\r\n")?;
            let boast = offset.to_string();
            (boast.len() == len).then(|| {
                let from = at + 8 + begin;
                let (head, tail) = piece.split_at(from);
                let tail = tail.get(len..).unwrap_or_default();
                [head, boast.as_bytes(), tail].concat()
            })
        }
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn what_a_replica_asks_for_is_found_behind_its_other_requests() {
        let mut text = b"PING\r\n*2\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n".to_vec();
        assert_eq!(synchronization(&text), None);
        let words = ["PSYNC", ID, "17"].map(|word| word.as_bytes().to_vec());
        text.extend(wire::encode(&words));
        let id = ReplId::parse(ID.as_bytes()).unwrap();
        assert_eq!(synchronization(&text), Some(Some((id, 17))));
        assert_eq!(synchronization(b"PSYNC ? -1\r\n"), Some(None));
        assert_eq!(synchronization(&text[..text.len() - 1]), None);
    }

    #[test]
    fn a_backlog_serves_who_lacks_nothing_before_it() {
        let fields = [
            ("master_replid", ID),
            ("master_replid2", "00000000000000000000000000000000000000ff"),
            ("second_repl_offset", "105"),
            ("repl_backlog_active", "1"),
            ("repl_backlog_first_byte_offset", "100"),
            ("repl_backlog_histlen", "10"),
        ];
        let info: BTreeMap<String, String> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let asks = |id: &str, from| may_go_on(&info, ReplId::parse(id.as_bytes()).zip(Some(from)));
        assert!(asks(ID, 100) && asks(ID, 110));
        assert!(!asks(ID, 99) && !asks(ID, 111));
        let former = fields[1].1;
        assert!(asks(former, 105) && !asks(former, 106));
        assert!(!asks("ff", 100));
        assert!(!may_go_on(&info, None));
    }
}
