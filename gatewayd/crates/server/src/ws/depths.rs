//! How much waits, and for what. The numbers are read off the queues themselves when somebody asks for the metrics, so
//! they cannot drift, and sending pays nothing for them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::{Registry, Unit};

use super::Serve;
use super::outbox::Outbox;
use super::preauth::PreAuth;
use crate::metrics::gauge;

/// Every open connection's outbox, by address. Clones share them.
#[derive(Clone, Default)]
pub struct Outboxes(Arc<Mutex<HashMap<usize, Arc<Outbox>>>>);

/// An outbox among the others, until this is dropped.
pub(super) struct Listed(Outboxes, usize);

impl Outboxes {
    /// Adds the outbox of a new connection.
    pub(super) fn list(&self, outbox: &Arc<Outbox>) -> Listed {
        let address = Arc::as_ptr(outbox).addr();
        self.lock().insert(address, outbox.clone());
        Listed(self.clone(), address)
    }

    fn measure(&self) -> Waiting {
        // Connections come and go while each outbox is looked at.
        let all: Vec<_> = self.lock().values().cloned().collect();
        all.iter().fold(Waiting::default(), |sum, outbox| {
            let (bytes, pieces) = outbox.waiting();
            Waiting {
                bytes: sum.bytes + bytes,
                pieces: sum.pieces + pieces,
                largest: sum.largest.max(bytes),
                clients: sum.clients + usize::from(bytes > 0),
                answers: sum.answers + outbox.owed(),
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Arc<Outbox>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

/// What waits for clients.
#[derive(Default)]
struct Waiting {
    bytes: usize,
    pieces: usize,
    largest: usize,
    clients: usize,
    answers: usize,
}

/// Reads the depths of the queues for the metrics.
#[derive(Clone)]
pub struct Depths {
    serve: Arc<Serve>,
    preauth: PreAuth,
}

/// What waits, and for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Bytes that wait for clients whose sockets take no more.
    pub outbox_bytes: usize,
    /// Bytes that wait for the client that is furthest behind.
    pub outbox_largest: usize,
    /// Pieces that wait for clients: an event each, or the answers of one turn.
    pub outbox_pieces: usize,
    /// Clients for whom something waits.
    pub outbox_clients: usize,
    /// Requests whose answer is being worked out.
    pub answers: usize,
    /// Events in the fullest queue of the bus.
    pub events: usize,
    /// Orders in the queues of the hub and its helpers.
    pub hub_orders: usize,
    /// Sockets that have not said who they are.
    pub handshakes: usize,
}

impl Depths {
    /// Those of this control plane, readable under their public names too.
    pub fn register(serve: &Arc<Serve>, preauth: &PreAuth, registry: &mut Registry) -> Self {
        let depths = Self { serve: serve.clone(), preauth: preauth.clone() };
        registry.register_collector(Box::new(depths.clone()));
        depths
    }

    /// Sockets that have not said who they are.
    #[must_use]
    pub fn handshakes(&self) -> usize {
        self.preauth.len()
    }

    /// Reads them now.
    #[must_use]
    pub fn read(&self) -> Depth {
        let waiting = self.serve.outboxes.measure();
        Depth {
            outbox_bytes: waiting.bytes,
            outbox_largest: waiting.largest,
            outbox_pieces: waiting.pieces,
            outbox_clients: waiting.clients,
            answers: waiting.answers,
            events: self.serve.api.context().domain.bus.waiting(),
            hub_orders: self.serve.hub.waiting(),
            handshakes: self.handshakes(),
        }
    }
}

impl fmt::Debug for Depths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Depths").finish_non_exhaustive()
    }
}

impl Collector for Depths {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let depth = self.read();
        let depths: [(&str, &str, Option<&Unit>, usize); 8] = [
            (
                "gateway_outbox_waiting",
                "Bytes that wait for clients whose sockets take no more",
                Some(&Unit::Bytes),
                depth.outbox_bytes,
            ),
            (
                "gateway_outbox_largest",
                "Bytes that wait for the client that is furthest behind",
                Some(&Unit::Bytes),
                depth.outbox_largest,
            ),
            (
                "gateway_outbox_pieces",
                "Pieces that wait for clients: an event each, or the answers of one turn",
                None,
                depth.outbox_pieces,
            ),
            ("gateway_outbox_clients", "Clients for whom something waits", None, depth.outbox_clients),
            ("gateway_answers_waiting", "Requests whose answer is being worked out", None, depth.answers),
            ("gateway_events_waiting", "Events in the fullest queue of the bus", None, depth.events),
            (
                "gateway_hub_orders_waiting",
                "Orders in the queues of the hub and its helpers: joins, leaves, closes and batches of events",
                None,
                depth.hub_orders,
            ),
            (
                "gateway_handshakes_waiting",
                "Sockets that have not said who they are, also the one that asks for this",
                None,
                depth.handshakes,
            ),
        ];
        depths.into_iter().try_for_each(|(name, help, unit, value)| {
            gauge(&mut encoder, name, help, unit, i64::try_from(value).unwrap_or(i64::MAX))
        })
    }
}
