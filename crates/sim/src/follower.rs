//! A second node that repeats the effects of the first, as a replica would.

use vesta_cmd::host::Process;
use vesta_config::Config;
use vesta_node::{ConnId, Meter, Node, Peer, Served, Setup};
use vesta_resp::Conversation;
use vesta_types::Now;

use crate::Flaw;
use crate::trace::shown;
use crate::wire::{self, Value};

/// A node that is told effects and nothing else. No time passes for it but with them.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) node: Node,
    conversation: Conversation,
    flaw: Option<Flaw>,
    applied: u64,
    /// What another one starts from.
    config: Config,
    seed: u64,
}

const LINK: ConnId = ConnId(0);

impl Follower {
    pub(crate) fn new(config: Config, seed: u64, now: Now, flaw: Option<Flaw>) -> Self {
        let process = Process { pid: 1, arch_bits: 64, ..Process::default() };
        let meter = Meter::still();
        let mut node = Node::new(Setup { config: config.clone(), process, seed, now, meter });
        let peer = Peer {
            addr: "10.0.0.1:6379".to_owned(),
            laddr: "10.0.0.2:6379".to_owned(),
            is_local: true,
            is_unix: false,
            fd: 9,
        };
        // Whoever is alone is not one too many.
        let _ = node.connect(now, LINK, peer);
        Self { node, conversation: Conversation::default(), flaw, applied: 0, config, seed }
    }

    /// One that knows of nothing yet.
    pub(crate) fn another(&self, now: Now) -> Self {
        Self::new(self.config.clone(), self.seed, now, self.flaw)
    }

    /// Repeats the effects in `stream`, which stand one by one.
    pub(crate) fn apply(&mut self, now: Now, stream: &[u8]) -> Result<(), String> {
        if stream.is_empty() {
            return Ok(());
        }
        self.applied += 1;
        if self.flaw == Some(Flaw::EffectsAreLost) && self.applied.is_multiple_of(50) {
            return Ok(());
        }
        let mut served = self.node.serve(now, LINK, &mut self.conversation, stream);
        while served == Served::More {
            served = self.node.serve(now, LINK, &mut self.conversation, &[]);
        }
        while self.node.poll_action().is_some() {}
        if served != Served::Idle || self.conversation.inbox.held_bytes() > 0 {
            return Err(format!("the follower cannot go on: {served:?}"));
        }
        self.check_replies()
    }

    /// No effect may fail.
    fn check_replies(&mut self) -> Result<(), String> {
        let outbox = &mut self.conversation.outbox;
        let mut replies = Vec::new();
        while !outbox.is_empty() {
            let piece = outbox.pieces::<16>().concat();
            outbox.advance(piece.len());
            replies.extend(piece);
        }
        let mut at = 0;
        while let Some((value, len)) = wire::value(replies.get(at..).unwrap_or_default())? {
            at += len;
            if let Value::Error(text) = value {
                return Err(format!("the follower refuses an effect: {}", shown(text)));
            }
        }
        Ok(())
    }
}
