//! The node as commands about clients and the server see it.

use crate::action::{Action, ExitCause, Level};
use crate::client::{Client, DEFAULT_USER, Part};
use crate::persistence::Purpose;
use crate::server::{PauseUntil, Server};
use crate::{ConnId, info};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ptr;
use vesta_cmd::host::{
    Begun, ClientFacts, ClientFilter, Failover, Follow, Host, Introduce, MemoryFacts, Pause,
    Reload, Role, Safety, Session, Topic, Tracking, Unblock,
};
use vesta_cmd::{Flow, Outcome, Propagation, ReplyError, StreamPoint};
use vesta_config::{Config, Peer, ReplicaOf, ShutdownWish, Takes};
use vesta_repl::History;
use vesta_resp::Request;
use vesta_store::{Keyspace, Store};
use vesta_types::{Mono, Now, ReplId, glob};

/// The server, as one of its clients asks it.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) server: &'a mut Server,
    pub(crate) conn: ConnId,
    /// What it asks.
    pub(crate) request: Request<'a>,
    pub(crate) now: Now,
}

impl Desk<'_> {
    fn asker(&mut self) -> &mut Client {
        self.server.clients.get_mut(self.conn).expect("a command runs for a client that is there")
    }

    fn facts(&self, conn: ConnId, client: &Client) -> ClientFacts {
        let last = self.server.statistics.names.get(client.last_leaf);
        let last = last.cloned().unwrap_or_else(|| "NULL".to_string());
        let asks = self.server.clients.get(self.conn).is_some_and(|asker| ptr::eq(asker, client));
        let arguments = if asks { self.request.args_from(0).map(<[u8]>::len).sum() } else { 0 };
        let mut facts = client.facts(self.now, last, arguments);
        // What a replica has not got of the stream is its output, wherever it lies.
        let lacked = usize::try_from(self.server.lacked_bytes(conn)).unwrap_or(usize::MAX);
        facts.pending_bytes = facts.pending_bytes.saturating_add(lacked);
        facts
    }

    /// Source of the text: redis-server 7.0.15.
    fn refuse_second_save(&self) -> Result<(), ReplyError> {
        match self.server.persistence.saving.purpose() {
            Some(Purpose::Rewrite) | None => Ok(()),
            Some(
                Purpose::Background
                | Purpose::Client(_)
                | Purpose::Exit { .. }
                | Purpose::Reload(..)
                | Purpose::Streamed { .. }
                | Purpose::Shipped
                | Purpose::Received,
            ) => Err(ReplyError::text("Background save already in progress")),
        }
    }
}

impl Host for Desk<'_> {
    fn session(&mut self) -> &mut Session {
        &mut self.asker().session
    }

    fn config(&self) -> &Config {
        &self.server.config
    }

    fn config_set(&mut self, pairs: &[(&[u8], &[u8])]) -> Outcome {
        let peer = if self.asker().session.is_local { Peer::Local } else { Peer::Remote };
        let changed = vesta_config::set(&self.server.config, pairs, peer)
            .map_err(|error| ReplyError::Coded(error.to_string().into()))?;
        if changed.options.iter().any(|option| option.takes == Takes::Rim) {
            self.server.actions.push_back(Action::Apply {
                conn: self.conn,
                config: Box::new(changed.config),
                options: changed.options,
            });
            return Ok(Flow::Wait);
        }
        self.server.settings_changed = true;
        let before = core::mem::replace(&mut self.server.config, changed.config);
        let is_log_new = !before.appendonly && self.server.config.appendonly;
        if is_log_new && self.server.can_switch_log_on() {
            let (before, options) = (Box::new(before), changed.options);
            self.server.switch_log_on_for(self.now, self.conn, before, options);
            return Ok(Flow::Wait);
        }
        Ok(Flow::Done)
    }

    fn config_rewrite(&mut self) -> Outcome {
        if self.server.process.config_file.is_empty() {
            return Err(ReplyError::text("The server is running without a config file"));
        }
        let config = Box::new(self.server.config.clone());
        self.server.actions.push_back(Action::RewriteConfig { conn: self.conn, config });
        Ok(Flow::Wait)
    }

    fn reset_stats(&mut self) {
        self.server.statistics.reset();
    }

    fn info(&self, sections: &[&[u8]], store: &Store, point: StreamPoint) -> String {
        let facts = info::Facts { server: self.server, store, point, now: self.now };
        info::text(&facts, sections)
    }

    fn client(&self) -> ClientFacts {
        let client = self.server.clients.get(self.conn);
        self.facts(self.conn, client.expect("a command runs for a client that is there"))
    }

    fn clients(&self) -> Vec<ClientFacts> {
        let there = self.server.clients.iter().filter(|(_, client)| !client.closing);
        let mut clients: Vec<_> = there.map(|(conn, client)| self.facts(conn, client)).collect();
        clients.sort_by_key(|client| client.id);
        clients
    }

    fn kill_clients(&mut self, filter: &ClientFilter, self_too: bool) -> usize {
        let meant: Vec<ConnId> = self
            .server
            .clients
            .iter()
            .filter(|(conn, client)| {
                (self_too || *conn != self.conn)
                    && !client.closing
                    && filter.accepts(&self.facts(*conn, client))
            })
            .map(|(conn, _)| conn)
            .collect();
        for conn in &meant {
            if *conn == self.conn {
                // Its reply is still to be sent.
                self.asker().closing = true;
            } else {
                self.server.close(*conn);
            }
        }
        meant.len()
    }

    fn pause(&mut self, pause: Pause, until: Mono) {
        let (pause, until) = match self.server.pause {
            Some(old) if old.until > self.now.mono => {
                let all = old.pause == Pause::All || pause == Pause::All;
                (if all { Pause::All } else { Pause::Writes }, old.until.max(until))
            }
            Some(_) | None => (pause, until),
        };
        if until > self.now.mono {
            self.server.pause = Some(PauseUntil { pause, until });
            self.server.cron.wake_by(until);
        } else {
            self.server.end_pause(self.now.mono);
        }
    }

    fn unpause(&mut self) {
        self.server.end_pause(self.now.mono);
    }

    fn safety(&self) -> Safety {
        self.server.safety_of(self.conn)
    }

    fn follow(
        &mut self,
        asked: Follow<'_>,
        store: &mut Store,
        propagation: &mut Propagation,
    ) -> Outcome {
        self.server.follow(self.now, self.conn, asked, store, propagation)
    }

    fn introduce(&mut self, what: Introduce<'_>) -> Result<(), ReplyError> {
        self.server.introduce(self.conn, what)
    }

    fn acknowledged(&mut self, applied: u64, fsynced: Option<u64>) {
        self.server.replica_acknowledged(self.now, self.conn, applied, fsynced);
    }

    fn report_acknowledged(&mut self) {
        // Only a primary may ask, over the link, where requests are taken in another way.
    }

    fn ask_replicas(&mut self) {
        self.server.replication.primary.ask();
    }

    fn role(&self) -> Role {
        self.server.role()
    }

    fn fail_over(&mut self, wish: Failover) -> Result<(), ReplyError> {
        self.server.fail_over(self.now, wish)
    }

    fn abort_failover(&mut self) -> Result<(), ReplyError> {
        self.server.abort_failover(self.now)
    }

    fn unblock(&mut self, id: u64, how: Unblock) -> bool {
        let is_meant = |(_, client): &(ConnId, &Client)| client.session.id == id;
        let Some((conn, _)) = self.server.clients.iter().find(is_meant) else { return false };
        match how {
            Unblock::Timeout => self.server.time_out(conn),
            Unblock::Error => self.server.answer_blocked(conn, |reply| {
                reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            }),
        }
    }

    fn begin_transaction(&mut self) -> Result<(), ReplyError> {
        self.server.begin_transaction(self.conn)
    }

    fn may_execute(&mut self, keys: &mut Keyspace<'_>) -> Result<bool, ReplyError> {
        self.server.may_execute(self.conn, keys)
    }

    fn forget_transaction(&mut self) -> bool {
        self.server.forget_transaction(self.conn)
    }

    fn watch(&mut self, keys: &mut Keyspace<'_>, key: &[u8]) -> Result<(), ReplyError> {
        self.server.watch(self.conn, keys, key)
    }

    fn unwatch(&mut self, store: &mut Store) {
        self.server.unwatch(self.conn, store);
    }

    fn tracking(&self) -> Option<&Tracking> {
        self.server.tracking_of(self.conn)
    }

    fn set_tracking(&mut self, tracking: Option<Tracking>, store: &mut Store) {
        self.server.set_tracking(self.conn, tracking, store);
    }

    fn except_next_from_tracking(&mut self) {
        self.server.except_next(self.conn);
    }

    fn is_connected(&self, id: u64) -> bool {
        self.server.clients.iter().any(|(_, client)| client.session.id == id)
    }

    fn subscribe(&mut self, topic: Topic, name: &[u8]) {
        self.server.subscribe(self.conn, topic, name);
    }

    fn unsubscribe(&mut self, topic: Topic, name: &[u8]) {
        self.server.unsubscribe(self.conn, topic, name);
    }

    fn unsubscribe_all(&mut self) {
        self.server.unsubscribe_all(self.conn);
    }

    fn subscribed(&self, topic: Topic) -> Vec<Box<[u8]>> {
        self.server.subscribed(self.conn, topic)
    }

    fn subscription_count(&self, topic: Topic) -> usize {
        let client = self.server.clients.get(self.conn);
        let count = |topic| client.map_or(0, |client| client.subscriptions(topic));
        match topic {
            Topic::Channel | Topic::Pattern => count(Topic::Channel) + count(Topic::Pattern),
            Topic::Shard => count(Topic::Shard),
        }
    }

    fn publish(&mut self, topic: Topic, channel: &[u8], message: &[u8]) -> usize {
        self.server.publish(topic, channel, message)
    }

    fn topics(&self, topic: Topic, pattern: Option<&[u8]>) -> Vec<Box<[u8]>> {
        let all = self.server.subscriptions.names(topic);
        let meant = all.filter(|name| pattern.is_none_or(|glob| glob::matches(glob, name, false)));
        meant.cloned().collect()
    }

    fn subscribers(&self, topic: Topic, channel: &[u8]) -> usize {
        self.server.subscriptions.subscribers(topic, channel)
    }

    fn patterns(&self) -> usize {
        self.server.subscriptions.count(Topic::Pattern)
    }

    fn has_user(&self, name: &[u8]) -> bool {
        name == DEFAULT_USER.as_bytes()
    }

    fn authenticate(&mut self, user: &[u8], password: &[u8]) -> bool {
        let matches = match &self.server.config.requirepass {
            Some(secret) => same_secret(secret.as_bytes(), password),
            None => true,
        };
        let lets_in = self.has_user(user) && matches;
        if !lets_in {
            self.server.statistics.auth_denied += 1;
        }
        lets_in
    }

    fn needs_password(&self) -> bool {
        self.server.needs_password()
    }

    fn save(&mut self, store: &mut Store, point: StreamPoint) -> Outcome {
        self.refuse_second_save()?;
        let purpose = Purpose::Client(self.conn);
        self.server.save_when_possible(self.now, store, point, purpose);
        Ok(Flow::Wait)
    }

    fn save_in_background(
        &mut self,
        store: &mut Store,
        point: StreamPoint,
        schedule: bool,
    ) -> Result<Begun, ReplyError> {
        self.refuse_second_save()?;
        let is_rewriting = self.server.persistence.log.is_rewriting();
        if is_rewriting && !schedule {
            return Err(ReplyError::text(
                "Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE \
                 SCHEDULE in order to schedule a BGSAVE whenever possible.",
            ));
        }
        self.server.save_when_possible(self.now, store, point, Purpose::Background);
        Ok(if is_rewriting { Begun::Later } else { Begun::Now })
    }

    fn rewrite_log(&mut self) -> Outcome {
        self.server.ask_for_rewrite(self.now, self.conn)
    }

    fn last_save_s(&self) -> u64 {
        self.server.persistence.saving.saved_at_s()
    }

    fn reload(&mut self, how: Reload, store: &mut Store, point: StreamPoint) -> Outcome {
        if self.server.is_loading() {
            return Err(ReplyError::Coded("LOADING Redis is loading the dataset in memory".into()));
        }
        if how.nosave {
            self.server.give_up_save(self.now, store);
            self.server.begin_reload(self.now, self.conn, how.into());
        } else {
            let purpose = Purpose::Reload(self.conn, how.into());
            self.server.begin_save(self.now, store, point, purpose);
        }
        Ok(Flow::Wait)
    }

    fn reload_log(&mut self) -> Outcome {
        if self.server.is_loading() {
            return Err(ReplyError::Coded("LOADING Redis is loading the dataset in memory".into()));
        }
        self.server.begin_log_reload(self.now, self.conn);
        Ok(Flow::Wait)
    }

    fn shutdown(&mut self, wish: ShutdownWish, store: &mut Store, point: StreamPoint) -> Outcome {
        let asked_by = (ExitCause::Asked, Some(self.conn));
        if self.server.shut_down(self.now, store, point, wish, asked_by) {
            Ok(Flow::Wait)
        } else {
            Err(ReplyError::text("Errors trying to SHUTDOWN. Check logs."))
        }
    }

    fn abort_shutdown(&mut self, store: &mut Store) -> bool {
        self.server.abort_shutdown(self.now, store)
    }

    fn memory(&self) -> MemoryFacts {
        let server = &self.server;
        let clients = server.clients.iter().map(|(_, client)| client.total_bytes() as u64).sum();
        MemoryFacts {
            used: server.usage.allocated_bytes,
            peak: server.peak_bytes,
            startup: server.startup_bytes,
            resident: server.usage.resident_bytes,
            clients,
        }
    }

    fn purge_memory(&mut self) {
        self.server.actions.push_back(Action::PurgeMemory);
    }

    fn set_active_expire(&mut self, active: bool) {
        self.server.active_expire = active;
    }

    fn sleep(&mut self, us: u64) -> Outcome {
        self.server.actions.push_back(Action::Sleep { conn: self.conn, us });
        Ok(Flow::Wait)
    }

    fn set_primary(&mut self, primary: Option<ReplicaOf>) -> Result<bool, ReplyError> {
        if self.asker().part == Part::Replica {
            return Err(ReplyError::text("Command is not valid when client is a replica."));
        }
        if self.server.hands_over() {
            return Err(ReplyError::text("REPLICAOF not allowed while failing over."));
        }
        if self.server.config.replicaof == primary {
            let is_new = primary.is_none();
            if !is_new {
                let line = "REPLICAOF would result into synchronization with the master we are \
                            already connected with. No operation performed.";
                self.server.log(Level::Notice, line.to_string());
            }
            return Ok(is_new);
        }
        let asker = self.server.clients.get(self.conn).map(|asker| self.facts(self.conn, asker));
        let asker = asker.map(|asker| format!("user request from '{asker}'"));
        self.server.replication.replica.asker = asker;
        self.server.config.replicaof = primary;
        self.server.settings_changed = true;
        Ok(true)
    }

    fn change_repl_id(&mut self) -> ReplId {
        let history = History::new(&mut self.server.rng);
        self.server.replication.history = history;
        history.id()
    }

    fn random(&mut self) -> u64 {
        self.server.rng.bits()
    }
}

impl Server {
    /// Lets every client go on that a pause has held back.
    pub(crate) fn end_pause(&mut self, now: Mono) {
        if self.pause.take().is_none() {
            return;
        }
        self.retry_blocked = !self.blocked.is_empty();
        self.resume_held(now);
    }
}

/// Compares without telling by the time taken how much of a guess is right.
fn same_secret(secret: &[u8], guess: &[u8]) -> bool {
    let mut differences = usize::from(secret.len() != guess.len());
    for index in 0..secret.len().max(guess.len()) {
        let byte = |text: &[u8]| text.get(index).copied().unwrap_or(0);
        differences |= usize::from(byte(secret) ^ byte(guess));
    }
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::same_secret;

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret(b"foobared", b"foobared"));
        for guess in [&b"foobare"[..], b"foobared\0", b"", b"Foobared"] {
            assert!(!same_secret(b"foobared", guess));
        }
    }
}
