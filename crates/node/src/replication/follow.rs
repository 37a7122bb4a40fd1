//! What replicas ask for and tell, and what they are answered.

use super::primary::link_of;
use crate::ConnId;
use crate::action::Level;
use crate::client::Part;
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::host::{Follow, Introduce, Role};
use vesta_cmd::{Flow, Outcome, Propagation, ReplyError};
use vesta_repl::{Asked, Introduction, LinkId, Psync, Reason, Replica, Stage, Wants, decide};
use vesta_store::Store;
use vesta_types::{Now, ReplId, ascii};

/// Longest address, in bytes, that a replica may announce. Source: redis-server 7.0.15.
const IP_BYTES_MAX: usize = 255;

impl Server {
    /// A client asks to be a replica.
    ///
    /// Source of the texts: redis-server 7.0.15.
    pub(crate) fn follow(
        &mut self,
        now: Now,
        conn: ConnId,
        asked: Follow<'_>,
        store: &mut Store,
        propagation: &mut Propagation,
    ) -> Outcome {
        self.replication.primary.seen = now;
        let Some(client) = self.clients.get(conn) else { return Ok(Flow::Close) };
        if client.part != Part::Client {
            // It is one already.
            return Ok(Flow::Done);
        }
        if let Follow::Psync { id, offset, takes_over: true } = asked {
            self.take_over(conn, id, offset)?;
            return Ok(Flow::Done);
        }
        if self.is_replica() && !self.replication.replica.is_linked() {
            let text = "NOMASTERLINK Can't SYNC while not connected with my master";
            return Err(ReplyError::Coded(text.into()));
        }
        let mut introduction = client.introduction.as_deref().cloned().unwrap_or_default();
        introduction.ip = Some(self.replica_ip(conn));
        if !introduction.wants.is_all() && !introduction.knows_eof {
            return Err(ReplyError::text("Filtered replica requires EOF capability"));
        }
        let name = self.replica_name(conn);
        self.log(Level::Notice, format!("Replica {name} asks for synchronization"));
        let asked = match asked {
            Follow::Sync => Asked::Sync,
            Follow::Psync { id: b"?", .. } => Asked::Everything,
            Follow::Psync { id, offset, .. } => Asked::GoOn { id: ReplId::parse(id), from: offset },
        };
        self.move_stream(propagation);
        let (history, side) = (&self.replication.history, &self.replication.primary);
        let decision = decide(history, side.backlog.as_ref(), asked);
        if let Some(client) = self.clients.get_mut(conn) {
            client.part = Part::Replica;
        }
        match decision {
            Psync::Partial { position } => self.go_on_with(now, conn, introduction, position),
            Psync::Full(reason) => {
                self.tell_why_full(&name, asked, reason);
                let stage = Stage::Waiting { since: now.mono };
                let side = &mut self.replication.primary;
                *side.tally.full.entry(reason).or_default() += 1;
                side.replicas.join(link_of(conn), introduction, stage, now.mono);
                if let Some(replica) = side.replicas.get_mut(link_of(conn)) {
                    replica.is_mute = asked == Asked::Sync;
                }
                self.begin_backlog(store, propagation);
                if self.config.repl_diskless_sync && self.config.repl_diskless_sync_delay_s > 0 {
                    self.log(Level::Notice, "Delay next BGSAVE for diskless SYNC".to_string());
                }
            }
        }
        Ok(Flow::Done)
    }

    /// A replica goes on behind this position.
    fn go_on_with(&mut self, now: Now, conn: ConnId, told: Introduction, position: u64) {
        let name = self.replica_name(conn);
        let id = self.replication.history.id();
        let side = &mut self.replication.primary;
        let answer = if told.knows_psync2 {
            format!("+CONTINUE {id}\r\n")
        } else {
            "+CONTINUE\r\n".to_string()
        };
        side.tally.partial += 1;
        side.replicas.join(link_of(conn), told, Stage::Streaming { position }, now.mono);
        side.lead(link_of(conn), answer.as_bytes());
        let end = side.backlog.as_ref().map_or(position, |backlog| backlog.end());
        let line = format!(
            "Partial resynchronization request from {name} accepted. Sending {} bytes of backlog \
             starting from offset {}.",
            end.saturating_sub(position),
            position.saturating_add(1)
        );
        self.log(Level::Notice, line);
    }

    /// Why a replica gets everything, for the log.
    fn tell_why_full(&mut self, name: &str, asked: Asked, reason: Reason) {
        let from = match asked {
            Asked::GoOn { from, .. } => from,
            Asked::Sync | Asked::Everything => -1,
        };
        let history = &self.replication.history;
        let line = match reason {
            Reason::Sync => return,
            Reason::Everything => format!("Full resync requested by replica {name}"),
            Reason::OtherHistory => {
                let ours = history.id();
                format!(
                    "Partial resynchronization not accepted: Replication ID mismatch (Replica \
                     {name} asked for another history than '{ours}')"
                )
            }
            Reason::Diverged => {
                let end = history.former().map_or(0, |former| former.end);
                format!(
                    "Partial resynchronization not accepted: Requested offset for second ID was \
                     {from}, but I can reply up to {end}"
                )
            }
            Reason::NoBacklog | Reason::TooOld | Reason::TooNew => format!(
                "Unable to partial resync with replica {name} for lack of backlog (Replica \
                 request was: {from})."
            ),
        };
        self.log(Level::Notice, line);
        if reason == Reason::TooNew {
            let line = format!(
                "Warning: replica {name} tried to PSYNC with an offset that is greater than the \
                 master replication offset."
            );
            self.log(Level::Warning, line);
        }
    }

    /// A client tells what it would be as a replica.
    pub(crate) fn introduce(
        &mut self,
        conn: ConnId,
        what: Introduce<'_>,
    ) -> Result<(), ReplyError> {
        let Some(client) = self.clients.get_mut(conn) else { return Ok(()) };
        let told = client.introduction.get_or_insert_with(Box::default);
        match what {
            Introduce::Port(port) => told.port = port,
            Introduce::Ip(ip) if ip.len() > IP_BYTES_MAX => {
                let text = format!(
                    "REPLCONF ip-address provided by replica instance is too long: \
                                    {} bytes",
                    ip.len()
                );
                return Err(ReplyError::Generic(text.into()));
            }
            Introduce::Ip(ip) => told.ip = Some(printable(ip)).filter(|ip| !ip.is_empty()),
            Introduce::Capability(name) => {
                told.knows_eof |= ascii::is_word(name, "eof");
                told.knows_psync2 |= ascii::is_word(name, "psync2");
            }
            Introduce::Version(version) => told.version = Some(ascii::lossy(version)),
            Introduce::SnapshotOnly(only) => told.snapshot_only = only,
            Introduce::Only { functions } => told.wants = Wants { keys: false, functions },
        }
        Ok(())
    }

    /// A replica says how far it is.
    pub(crate) fn replica_acknowledged(
        &mut self,
        now: Now,
        conn: ConnId,
        applied: u64,
        fsynced: Option<u64>,
    ) {
        let side = &mut self.replication.primary;
        side.replicas.acknowledge(link_of(conn), applied, fsynced, now.mono);
        self.serve_safe();
    }

    /// What the server is, for ROLE.
    pub(crate) fn role(&self) -> Role {
        match &self.config.replicaof {
            None => {
                let all = self.replication.primary.replicas.in_order();
                let online = all.into_iter().filter(|(_, replica)| replica.stage.is_online());
                let facts = |(link, replica): (LinkId, &Replica)| {
                    let ip = self.replica_ip(ConnId(link.0));
                    (ip, replica.introduction.port, replica.acked)
                };
                Role::Primary { replicas: online.map(facts).collect::<Vec<_>>() }
            }
            Some(primary) => {
                let side = &self.replication.replica;
                Role::Replica {
                    host: primary.host.clone(),
                    port: primary.port,
                    state: side.state_word(),
                    is_linked: side.is_linked(),
                }
            }
        }
    }
}

/// An address as it may stand in a line of INFO, between commas.
fn printable(ip: &[u8]) -> String {
    let fits = |byte: &&u8| byte.is_ascii_graphic() && **byte != b',';
    ip.iter().filter(fits).map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn an_address_cannot_add_fields_to_info() {
        assert_eq!(printable(b"10.0.0.1"), "10.0.0.1");
        assert_eq!(printable(b"fe80::1%eth0"), "fe80::1%eth0");
        assert_eq!(printable(b"10.0.0.1,port=1\r\nrole:slave"), "10.0.0.1port=1role:slave");
    }
}
