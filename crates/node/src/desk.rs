//! The node as commands about clients and the server see it.

use crate::action::{Action, ExitCause};
use crate::client::{Client, DEFAULT_USER, Waiting};
use crate::server::{PauseUntil, Server};
use crate::{ConnId, info};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ptr;
use vesta_cmd::host::{
    ClientFacts, ClientFilter, Host, MemoryFacts, Pause, Session, Topic, Unblock,
};
use vesta_cmd::{Flow, Outcome, ReplyError};
use vesta_config::{Config, Peer, ShutdownWish, Takes};
use vesta_resp::Request;
use vesta_store::Store;
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

    fn facts(&self, client: &Client) -> ClientFacts {
        let last = self.server.statistics.names.get(client.last_leaf);
        let last = last.cloned().unwrap_or_else(|| "NULL".to_string());
        let asks = self.server.clients.get(self.conn).is_some_and(|asker| ptr::eq(asker, client));
        let arguments = if asks { self.request.args_from(0).map(<[u8]>::len).sum() } else { 0 };
        client.facts(self.now, last, arguments)
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
        self.server.config = changed.config;
        self.server.settings_changed = true;
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

    fn info(&self, sections: &[&[u8]], store: &Store, changes: u64) -> String {
        let facts = info::Facts { server: self.server, store, changes, now: self.now };
        info::text(&facts, sections)
    }

    fn client(&self) -> ClientFacts {
        let client = self.server.clients.get(self.conn);
        self.facts(client.expect("a command runs for a client that is there"))
    }

    fn clients(&self) -> Vec<ClientFacts> {
        let there = self.server.clients.iter().filter(|(_, client)| !client.closing);
        let mut clients: Vec<_> = there.map(|(_, client)| self.facts(client)).collect();
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
                    && filter.accepts(&self.facts(client))
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

    fn publish(&mut self, channel: &[u8], message: &[u8]) -> usize {
        self.server.publish(channel, message)
    }

    fn channels(&self, pattern: Option<&[u8]>) -> Vec<Box<[u8]>> {
        let all = self.server.subscriptions.channels();
        let meant = all.filter(|name| pattern.is_none_or(|glob| glob::matches(glob, name, false)));
        meant.cloned().collect()
    }

    fn subscribers(&self, channel: &[u8]) -> usize {
        self.server.subscriptions.subscribers(channel)
    }

    fn patterns(&self) -> usize {
        self.server.subscriptions.patterns()
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

    fn shutdown(&mut self, _wish: ShutdownWish) -> Outcome {
        self.server.end(ExitCause::Asked);
        Ok(Flow::Wait)
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

    fn change_repl_id(&mut self) -> ReplId {
        self.server.repl_id = ReplId::random(&mut self.server.rng);
        self.server.repl_id
    }

    fn random(&mut self) -> u64 {
        self.server.rng.bits()
    }
}

impl Server {
    /// Ends the server: nothing more is executed.
    pub(crate) fn end(&mut self, cause: ExitCause) {
        self.ending = true;
        self.actions.push_back(Action::Exit(cause));
    }

    /// Lets every client go on that a pause has held back.
    pub(crate) fn end_pause(&mut self, now: Mono) {
        if self.pause.take().is_none() {
            return;
        }
        self.retry_blocked = !self.blocked.is_empty();
        let Self { clients, actions, .. } = self;
        for (conn, client) in clients.iter_mut() {
            if client.waiting == Waiting::Pause && !client.closing {
                client.waiting = Waiting::No;
                client.active = now;
                actions.push_back(Action::Resume(conn));
            }
        }
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
