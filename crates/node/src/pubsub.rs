//! Channels, patterns and shard channels, who has subscribed to them, and what is still to reach
//! them.
//!
//! A message is encoded once for each version of the protocol and copied into the mail of each
//! subscriber. Mail is sent once for a client, not once for a message: the node hands it out as
//! an action after all others ([`Server::post`]), or puts it before and behind the replies of a
//! client that is being served, so that a client sees messages and replies in the order in which
//! they came about. A push never stands within a reply: those of a command's own client come
//! behind the command's reply.

use crate::action::Action;
use crate::client::Client;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;
use vesta_cmd::Class;
use vesta_cmd::host::Topic;
use vesta_config::KeyspaceEvents;
use vesta_resp::{Outbox, Proto, Reply};
use vesta_store::Classes;
use vesta_types::glob;

type Name = Box<[u8]>;

/// Who has subscribed to what.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    channels: BTreeMap<Name, BTreeSet<ConnId>>,
    patterns: BTreeMap<Name, BTreeSet<ConnId>>,
    shard_channels: BTreeMap<Name, BTreeSet<ConnId>>,
    /// Clients with mail; some may have got it meanwhile.
    mailed: Vec<ConnId>,
}

/// What a client that has ever subscribed, or was sent mail, has of its own.
#[derive(Debug, Default)]
pub(crate) struct Subscriber {
    channels: BTreeSet<Name>,
    patterns: BTreeSet<Name>,
    shard_channels: BTreeSet<Name>,
    /// Encoded messages that it is still to be sent.
    mail: Vec<u8>,
}

impl Subscriber {
    /// How many channels, patterns or shard channels it has subscribed to.
    pub(crate) fn count(&self, topic: Topic) -> usize {
        self.of(topic).len()
    }

    fn total(&self) -> usize {
        Topic::ALL.into_iter().map(|topic| self.count(topic)).sum()
    }

    /// Memory beyond its own, in bytes; about so much for names.
    pub(crate) fn heap_bytes(&self) -> usize {
        let names = Topic::ALL.into_iter().flat_map(|topic| self.of(topic));
        let names: usize = names.map(|name| name.len() + size_of::<Name>()).sum();
        size_of::<Self>() + names + self.mail.capacity()
    }

    fn of(&self, topic: Topic) -> &BTreeSet<Name> {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::Shard => &self.shard_channels,
        }
    }

    fn of_mut(&mut self, topic: Topic) -> &mut BTreeSet<Name> {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::Shard => &mut self.shard_channels,
        }
    }
}

impl Subscriptions {
    /// The names of this kind that somebody has subscribed to.
    pub(crate) fn names(&self, topic: Topic) -> impl Iterator<Item = &Name> {
        self.of(topic).keys()
    }

    /// How many names of this kind somebody has subscribed to.
    pub(crate) fn count(&self, topic: Topic) -> usize {
        self.of(topic).len()
    }

    /// How many clients have subscribed to this name.
    pub(crate) fn subscribers(&self, topic: Topic, name: &[u8]) -> usize {
        self.of(topic).get(name).map_or(0, BTreeSet::len)
    }

    /// Whether nobody can get what is published to a channel, whatever its name.
    fn reach_nobody(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty()
    }

    fn of(&self, topic: Topic) -> &BTreeMap<Name, BTreeSet<ConnId>> {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::Shard => &self.shard_channels,
        }
    }

    fn of_mut(&mut self, topic: Topic) -> &mut BTreeMap<Name, BTreeSet<ConnId>> {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::Shard => &mut self.shard_channels,
        }
    }
}

/// A message, encoded when somebody gets it.
struct Encoded<'a> {
    /// Its elements, the kind of message first.
    elements: &'a [&'a [u8]],
    two: Option<Vec<u8>>,
    three: Option<Vec<u8>>,
}

impl<'a> Encoded<'a> {
    fn new(elements: &'a [&'a [u8]]) -> Self {
        Self { elements, two: None, three: None }
    }

    fn bytes(&mut self, proto: Proto) -> &[u8] {
        let elements = self.elements;
        let place = match proto {
            Proto::Two => &mut self.two,
            Proto::Three => &mut self.three,
        };
        place.get_or_insert_with(|| {
            let mut outbox = Outbox::default();
            let mut reply = Reply::new(&mut outbox, proto);
            reply.push(elements.len());
            elements.iter().for_each(|element| reply.bulk(element));
            outbox.into_bytes()
        })
    }
}

impl Server {
    /// Has a client get what is published on a topic.
    pub(crate) fn subscribe(&mut self, conn: ConnId, topic: Topic, name: &[u8]) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        let subscriber = client.subscriber.get_or_insert_default();
        subscriber.of_mut(topic).insert(name.into());
        client.session.subscriptions = subscriber.total();
        self.subscriptions.of_mut(topic).entry(name.into()).or_default().insert(conn);
    }

    /// Takes a subscription back.
    pub(crate) fn unsubscribe(&mut self, conn: ConnId, topic: Topic, name: &[u8]) {
        if let Some(client) = self.clients.get_mut(conn)
            && let Some(subscriber) = &mut client.subscriber
        {
            subscriber.of_mut(topic).remove(name);
            client.session.subscriptions = subscriber.total();
        }
        self.leave(conn, topic, name);
    }

    /// Takes all subscriptions of a client back.
    pub(crate) fn unsubscribe_all(&mut self, conn: ConnId) {
        for topic in Topic::ALL {
            for name in self.subscribed(conn, topic) {
                self.unsubscribe(conn, topic, &name);
            }
        }
    }

    /// What a client has subscribed to, in the order of names.
    pub(crate) fn subscribed(&self, conn: ConnId, topic: Topic) -> Vec<Name> {
        let subscriber = self.clients.get(conn).and_then(|client| client.subscriber.as_ref());
        subscriber.map_or(Vec::new(), |subscriber| subscriber.of(topic).iter().cloned().collect())
    }

    fn leave(&mut self, conn: ConnId, topic: Topic, name: &[u8]) {
        let all = self.subscriptions.of_mut(topic);
        if let Some(subscribers) = all.get_mut(name) {
            subscribers.remove(&conn);
            if subscribers.is_empty() {
                all.remove(name);
            }
        }
    }

    /// Sends a message to whoever has subscribed to its channel; how many times it is sent. A
    /// client gets it once for its channel and once for each of its patterns that match; patterns
    /// do not match shard channels.
    pub(crate) fn publish(&mut self, topic: Topic, channel: &[u8], message: &[u8]) -> usize {
        let Self { subscriptions, clients, config, .. } = self;
        let Subscriptions { channels, patterns, shard_channels, mailed } = subscriptions;
        let nobody = BTreeMap::new();
        let (kind, named, patterns): (&[u8], _, _) = match topic {
            Topic::Channel | Topic::Pattern => (b"message", channels, &*patterns),
            Topic::Shard => (b"smessage", shard_channels, &nobody),
        };
        let [_, _, limit] = config.client_output_buffer_limit;
        let (mut sent, mut crowded) = (0, Vec::new());
        let mut send = |encoded: &mut Encoded<'_>, subscribers: &BTreeSet<ConnId>| {
            for conn in subscribers {
                sent += 1;
                let Some(client) = clients.get_mut(*conn) else { continue };
                let bytes = encoded.bytes(client.session.proto);
                let Some(pending) = client.add_mail(*conn, bytes, mailed) else { continue };
                if limit.hard_bytes > 0 && pending as u64 >= limit.hard_bytes {
                    crowded.push((*conn, pending));
                }
            }
        };
        if let Some(subscribers) = named.get(channel) {
            send(&mut Encoded::new(&[kind, channel, message]), subscribers);
        }
        for (pattern, subscribers) in patterns {
            if glob::matches(pattern, channel, false) {
                send(&mut Encoded::new(&[b"pmessage", pattern, channel, message]), subscribers);
            }
        }
        for (conn, pending) in crowded {
            self.is_over_output_limit(None, conn, pending);
        }
        sent
    }

    /// Has a client be sent encoded bytes behind its next reply, or at the end of the turn.
    pub(crate) fn mail(&mut self, conn: ConnId, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        let mailed = &mut self.subscriptions.mailed;
        if let Some(pending) = client.add_mail(conn, bytes, mailed) {
            self.is_over_output_limit(None, conn, pending);
        }
    }

    /// Whether any client may have mail.
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        !self.subscriptions.mailed.is_empty()
    }

    /// Moves the mail of a client to its outbox.
    pub(crate) fn deliver(&mut self, conn: ConnId, outbox: &mut Outbox) {
        let mail = self.clients.get_mut(conn).map(Client::take_mail).unwrap_or_default();
        outbox.push_encoded(&mail);
    }

    /// The mail of the next client that has any.
    pub(crate) fn post(&mut self) -> Option<Action> {
        while let Some(conn) = self.subscriptions.mailed.pop() {
            let bytes = self.clients.get_mut(conn).map(Client::take_mail).unwrap_or_default();
            if !bytes.is_empty() {
                return Some(Action::Send { conn, bytes, batch: 0 });
            }
        }
        None
    }

    /// Forgets the subscriptions of a client that is gone.
    pub(crate) fn forget_subscriber(&mut self, conn: ConnId, gone: &Client) {
        let Some(subscriber) = &gone.subscriber else { return };
        for topic in Topic::ALL {
            for name in subscriber.of(topic) {
                self.leave(conn, topic, name);
            }
        }
    }
}

impl Client {
    /// Adds to its mail; how many bytes it is still to be sent then, or `None` when it gets nothing
    /// more.
    fn add_mail(&mut self, conn: ConnId, bytes: &[u8], mailed: &mut Vec<ConnId>) -> Option<usize> {
        if self.closing {
            return None;
        }
        let subscriber = self.subscriber.get_or_insert_default();
        if subscriber.mail.is_empty() {
            mailed.push(conn);
        }
        subscriber.mail.extend_from_slice(bytes);
        Some(self.pending_bytes + subscriber.mail.len())
    }

    fn take_mail(&mut self) -> Vec<u8> {
        let subscriber = self.subscriber.as_mut();
        subscriber.map(|subscriber| core::mem::take(&mut subscriber.mail)).unwrap_or_default()
    }
}

impl Node {
    /// Publishes the keyspace events on record, in order: each to the channel of its key, then to
    /// that of its name, as far as the settings ask for it.
    pub(crate) fn publish_events(&mut self) {
        let events = self.store.take_events();
        if self.server.subscriptions.reach_nobody() {
            return;
        }
        let wanted = self.server.config.notify_keyspace_events;
        for event in events {
            let db = event.db.get();
            if wanted.has(b'K') {
                let mut channel = format!("__keyspace@{db}__:").into_bytes();
                channel.extend_from_slice(&event.key);
                self.server.publish(Topic::Channel, &channel, event.name.as_bytes());
            }
            if wanted.has(b'E') {
                let channel = format!("__keyevent@{db}__:{}", event.name);
                self.server.publish(Topic::Channel, channel.as_bytes(), &event.key);
            }
        }
    }
}

/// The classes of events that can reach anybody under this setting: none unless it names a kind
/// of channel (`K` or `E`).
pub(crate) fn wanted_events(set: KeyspaceEvents) -> Classes {
    let is_on = set.has(b'K') || set.has(b'E');
    Class::ALL.into_iter().filter(|class| is_on && set.has(class.letter())).collect()
}
