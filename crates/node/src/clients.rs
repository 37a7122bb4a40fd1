//! All connected clients, by connection.

use crate::ConnId;
use crate::client::Client;
use crate::client_memory::{Weight, Weights};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Clients in the places their connections have.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    slots: Vec<Option<Box<Client>>>,
    count: usize,
    last_id: u64,
    /// What those that were weighed count.
    pub(crate) weights: Weights,
}

impl Clients {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// How many places there are, free ones included.
    pub(crate) fn places(&self) -> usize {
        self.slots.len()
    }

    /// The number of the next client.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Puts a client in the place of its connection.
    pub(crate) fn insert(&mut self, conn: ConnId, client: Client) {
        if self.slots.len() <= conn.index() {
            self.slots.resize_with(conn.index() + 1, || None);
        }
        if let Some(slot) = self.slots.get_mut(conn.index()) {
            assert!(slot.is_none(), "a connection's place was given away before it was free");
            *slot = Some(Box::new(client));
            self.count += 1;
        }
    }

    /// Takes a client out.
    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<Box<Client>> {
        let client = self.slots.get_mut(conn.index())?.take()?;
        self.count -= 1;
        self.weights.change(client.weight, Weight::default());
        Some(client)
    }

    /// Has a client count what it takes now.
    pub(crate) fn weigh(&mut self, conn: ConnId) {
        let Some(client) = self.slots.get_mut(conn.index()).and_then(Option::as_deref_mut) else {
            return;
        };
        let weight = Weight::of(client);
        self.weights.change(core::mem::replace(&mut client.weight, weight), weight);
    }

    #[inline]
    pub(crate) fn get(&self, conn: ConnId) -> Option<&Client> {
        self.slots.get(conn.index())?.as_deref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Client> {
        self.slots.get_mut(conn.index())?.as_deref_mut()
    }

    /// All clients with their connections.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnId, &Client)> {
        let numbered = self.slots.iter().zip(0_u32..);
        numbered.filter_map(|(slot, index)| Some((ConnId(index), slot.as_deref()?)))
    }

    /// All clients with their connections, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut Client)> {
        let numbered = self.slots.iter_mut().zip(0_u32..);
        numbered.filter_map(|(slot, index)| Some((ConnId(index), slot.as_deref_mut()?)))
    }
}
