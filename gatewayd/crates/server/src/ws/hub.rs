//! Sends events to everybody who may see them. An *audience* is a set of connections with the same rights to see
//! events; each has its own sequence numbers, so a gap that a client sees is a real loss (rule R17), and one encoding
//! serves everybody in it. The hub numbers and encodes; it writes to the first thousand clients itself and leaves
//! the others to shards, one per worker, so that a large crowd is written by all cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use gateway_api::caller::{Caller, Role};
use gateway_api::events::{Event, Received, Subscription};
use gateway_base::task::{Kind, Tasks};
use gateway_wire::events::Guard;
use tokio::sync::{Notify, mpsc};

use super::traffic::Traffic;
use super::{Outbox, frame};
use crate::metrics::Metrics;

/// Clients a shard holds before the next one gets some.
const SHARD_FULL: usize = 1000;
/// Events taken from the bus in one turn.
const TURN: usize = 256;
/// Orders that may wait for the hub or a shard.
const ORDERS: usize = 4096;

/// Who may see the same events: the role and the two guarded scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audience(u8);

impl Audience {
    const COUNT: usize = 5;
    const NODE: u8 = 4;
    /// Operators who may see everything.
    const ALL: u8 = 3;

    /// The audience of a caller.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        match caller.role {
            Role::Node => Self(Self::NODE),
            Role::Operator => Self(
                u8::from(caller.may_see(Guard::Approvals)) | u8::from(caller.may_see(Guard::Pairing)) << 1,
            ),
        }
    }

    const fn sees(self, guard: Guard) -> bool {
        match guard {
            Guard::Everyone => true,
            Guard::Approvals => self.0 < Self::NODE && self.0 & 1 != 0,
            Guard::Pairing => self.0 < Self::NODE && self.0 & 2 != 0,
            Guard::Directed => false,
        }
    }
}

/// One connected client, as the hub knows it.
pub struct Client {
    /// Who it is.
    pub caller: Arc<Caller>,
    /// The way to it.
    pub outbox: Arc<Outbox>,
}

/// Frames for one audience, back to back in one buffer that all its clients share.
pub struct Batch {
    bytes: Bytes,
    /// Where each frame ends, and whether it may be dropped.
    ends: Vec<(usize, bool)>,
}

impl Batch {
    /// A batch of whole frames, each with whether it may be dropped.
    pub fn of(frames: impl IntoIterator<Item = (Bytes, bool)>) -> Self {
        let mut bytes = Vec::new();
        let ends = frames
            .into_iter()
            .map(|(frame, droppable)| {
                bytes.extend_from_slice(&frame);
                (bytes.len(), droppable)
            })
            .collect();
        Self { bytes: bytes.into(), ends }
    }

    /// All frames.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What is left of the frames after the first `written` bytes. A frame that was begun may not be dropped.
    pub fn frames_after(&self, written: usize) -> impl Iterator<Item = (Bytes, bool)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts.zip(&self.ends).filter(move |(_, (end, _))| *end > written).map(
            move |(start, (end, droppable))| {
                (self.bytes.slice(start.max(written)..*end), *droppable && start >= written)
            },
        )
    }
}

/// What the hub is told besides events.
enum Order {
    Join(Arc<Client>),
    /// A client left; it is forgotten when enough have.
    Left,
    Close(Arc<dyn Fn(&Client) -> bool + Send + Sync>, u16, Arc<str>),
}

/// What a shard is told.
enum ShardOrder {
    Hub(Order),
    Events(Arc<[Option<Batch>; Audience::COUNT]>),
}

/// Handle of the hub. Clones are cheap.
#[derive(Clone)]
pub struct Hub {
    orders: mpsc::Sender<Order>,
    /// Only to look at how much waits; the helpers end with the hub's task.
    helpers: Arc<[mpsc::WeakSender<ShardOrder>]>,
    clients: Arc<AtomicUsize>,
    gone: Arc<Notify>,
}

impl Hub {
    /// Starts the hub and `shards` helpers for crowds.
    #[must_use]
    pub fn start(
        events: Subscription,
        shards: usize,
        metrics: Arc<Metrics>,
        traffic: Arc<Traffic>,
        tasks: &Tasks,
    ) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let clients = Arc::new(AtomicUsize::new(0));
        let helpers: Vec<_> = (0..shards)
            .map(|_| {
                let (to, from) = mpsc::channel(ORDERS);
                let crowd = Crowd::new(metrics.clone());
                tasks.spawn("hub shard", Kind::Essential, run_shard(crowd, from));
                Shard { orders: to, size: 0 }
            })
            .collect();
        let looked_at = helpers.iter().map(|helper| helper.orders.downgrade()).collect();
        let crowd = Crowd::new(metrics.clone());
        let task = HubTask { events, crowd, helpers, seq: [0; Audience::COUNT], metrics, traffic };
        tasks.spawn("hub", Kind::Essential, task.run(inbox));
        Self { orders, helpers: looked_at, clients, gone: Arc::default() }
    }

    /// Lets a client receive every event that is published from now on.
    pub async fn join(&self, client: Arc<Client>) {
        self.clients.fetch_add(1, Ordering::Relaxed);
        // The hub lives as long as the daemon; when it is gone, so is everything else.
        let _ = self.orders.send(Order::Join(client)).await;
    }

    /// Says that a client which had joined is gone.
    pub fn left(&self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
        self.gone.notify_one();
        // When the hub is busy, a later leaver reminds it.
        let _ = self.orders.try_send(Order::Left);
    }

    /// Closes every client that `which` picks.
    pub async fn close(
        &self,
        which: impl Fn(&Client) -> bool + Send + Sync + 'static,
        code: u16,
        reason: &str,
    ) {
        let _ = self.orders.send(Order::Close(Arc::new(which), code, reason.into())).await;
    }

    /// Resolves when a client has left since the last time, or at once when that happened already.
    pub async fn fewer(&self) {
        self.gone.notified().await;
    }

    /// How many orders wait for the hub and its helpers.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let helpers = self.helpers.iter().filter_map(mpsc::WeakSender::upgrade);
        depth(&self.orders) + helpers.map(|orders| depth(&orders)).sum::<usize>()
    }

    /// How many clients are connected.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Whether nobody is connected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn depth<T>(queue: &mpsc::Sender<T>) -> usize {
    queue.max_capacity() - queue.capacity()
}

struct Shard {
    orders: mpsc::Sender<ShardOrder>,
    size: usize,
}

struct HubTask {
    events: Subscription,
    crowd: Crowd,
    helpers: Vec<Shard>,
    seq: [u64; Audience::COUNT],
    metrics: Arc<Metrics>,
    traffic: Arc<Traffic>,
}

impl HubTask {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut turn = Vec::with_capacity(16);
        loop {
            let first = tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => {
                        self.obey(order).await;
                        continue;
                    }
                    None => return,
                },
                first = self.events.recv() => first,
            };
            let Some(first) = first else { return };
            self.take(first, &mut turn);
            self.take_waiting(&mut turn);
            // Whoever joined before these events were published must see them, and whoever is closed after them too.
            while let Ok(order) = orders.try_recv() {
                if matches!(order, Order::Close(..)) {
                    self.deliver(&turn).await;
                    turn.clear();
                }
                self.obey(order).await;
            }
            self.deliver(&turn).await;
            turn.clear();
        }
    }

    fn take_waiting(&mut self, turn: &mut Vec<Event>) {
        while turn.len() < TURN
            && let Some(more) = self.events.try_recv()
        {
            self.take(more, turn);
        }
    }

    fn take(&mut self, received: Received, turn: &mut Vec<Event>) {
        match received {
            Received::Event(event) => turn.push(event),
            Received::Lagged(lost) => {
                // A loss must show as a gap, to everybody, since nobody knows any more who would have seen it.
                tracing::error!(subsystem = "gateway", lost, "events were lost before they reached the hub");
                self.metrics.events_dropped.inc_by(lost);
                self.seq.iter_mut().for_each(|seq| *seq += lost);
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Join(client) => {
                let helper = self.helpers.iter_mut().min_by_key(|h| h.size);
                match helper.filter(|h| self.crowd.size() >= SHARD_FULL.max(h.size)) {
                    Some(helper) => {
                        helper.size += 1;
                        let _ = helper.orders.send(ShardOrder::Hub(Order::Join(client))).await;
                    }
                    None => self.crowd.obey(Order::Join(client)),
                }
            }
            Order::Left => {
                self.crowd.obey(Order::Left);
                for helper in self.helpers.iter().filter(|h| h.size > 0) {
                    let _ = helper.orders.send(ShardOrder::Hub(Order::Left)).await;
                }
            }
            Order::Close(which, code, reason) => {
                // What was published before reaches the clients before they are closed.
                let mut turn = Vec::new();
                self.take_waiting(&mut turn);
                self.deliver(&turn).await;
                for helper in self.helpers.iter().filter(|h| h.size > 0) {
                    let order = Order::Close(which.clone(), code, reason.clone());
                    let _ = helper.orders.send(ShardOrder::Hub(order)).await;
                }
                self.crowd.obey(Order::Close(which, code, reason));
            }
        }
    }

    /// One line for each event, before it is numbered.
    fn tell(&self, turn: &[Event]) {
        let clients = self.metrics.operators.get() + self.metrics.nodes.get();
        let seen = turn.iter().filter(|event| Audience(Audience::ALL).sees(event.row.guard));
        for (event, seq) in seen.zip(self.seq[usize::from(Audience::ALL)] + 1..) {
            self.traffic.event(event, seq, clients);
        }
    }

    async fn deliver(&mut self, turn: &[Event]) {
        if self.traffic.tells_events() {
            self.tell(turn);
        }
        let batches: [Option<Batch>; Audience::COUNT] = std::array::from_fn(|i| self.encode(i, turn));
        self.metrics.events.inc_by(turn.len() as u64);
        if self.helpers.iter().all(|h| h.size == 0) {
            self.crowd.deliver(&batches);
            return;
        }
        let batches = Arc::new(batches);
        for helper in self.helpers.iter().filter(|h| h.size > 0) {
            let _ = helper.orders.send(ShardOrder::Events(batches.clone())).await;
        }
        self.crowd.deliver(&batches);
    }

    /// Numbers and encodes for one audience what it may see. An audience without members is numbered too: a client
    /// may be about to join it.
    fn encode(&mut self, audience: usize, turn: &[Event]) -> Option<Batch> {
        let who = Audience(u8::try_from(audience).unwrap_or(Audience::NODE));
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for event in turn.iter().filter(|e| who.sees(e.row.guard)) {
            self.seq[audience] += 1;
            let seq = Some(self.seq[audience]);
            frame::append_text(&mut bytes, event.payload.len() + 64, |out| {
                gateway_wire::frame::write_event(out, event.row.name, &event.payload, seq, event.state);
            });
            ends.push((bytes.len(), event.droppable));
        }
        (!ends.is_empty()).then(|| Batch { bytes: bytes.into(), ends })
    }
}

async fn run_shard(mut crowd: Crowd, mut orders: mpsc::Receiver<ShardOrder>) {
    while let Some(order) = orders.recv().await {
        match order {
            ShardOrder::Hub(order) => crowd.obey(order),
            ShardOrder::Events(batches) => crowd.deliver(&batches),
        }
    }
}

/// The clients one task writes to, by audience.
struct Crowd {
    clients: [Vec<Arc<Client>>; Audience::COUNT],
    left: usize,
    metrics: Arc<Metrics>,
}

impl Crowd {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self { clients: Default::default(), left: 0, metrics }
    }

    fn size(&self) -> usize {
        self.clients.iter().map(Vec::len).sum()
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Join(client) => {
                let audience = Audience::of(&client.caller);
                self.clients[usize::from(audience.0)].push(client);
            }
            Order::Left => {
                self.left += 1;
                if self.left > 32 && self.left * 4 > self.size() {
                    self.forget();
                }
            }
            Order::Close(which, code, reason) => {
                for client in self.clients.iter().flatten().filter(|c| which(c)) {
                    client.outbox.close(code, &reason);
                }
            }
        }
    }

    fn forget(&mut self) {
        self.left = 0;
        for list in &mut self.clients {
            list.retain(|client| !client.outbox.is_closed());
        }
    }

    fn deliver(&mut self, batches: &[Option<Batch>; Audience::COUNT]) {
        let mut dropped = 0;
        let mut closed = 0;
        for (list, batch) in self.clients.iter().zip(batches) {
            let Some(batch) = batch else { continue };
            for client in list {
                let delivery = client.outbox.send_events(batch);
                dropped += u64::from(delivery.dropped);
                closed += u64::from(delivery.closed);
            }
            self.metrics.sent((batch.ends.len() * list.len()) as u64, batch.bytes.len() * list.len());
        }
        self.metrics.events_dropped.inc_by(dropped);
        self.metrics.slow_consumers.inc_by(closed);
    }
}
