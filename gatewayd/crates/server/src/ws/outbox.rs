//! What waits to be written to one client. Whoever has a frame tries the socket at once; only what the socket does
//! not take is queued, by reference, and the connection's own task writes it when the socket is ready. So an idle
//! client costs no queue and no wake-up, and a stalled one holds shared bytes (design 8).
//!
//! The queue is bounded in bytes. Past the limit, droppable events are dropped; the others start a grace time, and a
//! client that is still past the limit when it ends is closed as a slow consumer (rule R18). Four times the limit
//! ends the grace at once.
//!
//! A close waits for the answers that are still owed, because a request may be what ends its own session: whoever
//! rotates the token it came with must learn the new one. Nothing else is sent or accepted meanwhile.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::frame;
use super::hub::Batch;
use super::stream::Sink;

/// How long a client may take to accept the close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long a close waits for answers that are owed. What a request had to do is done when it ends its own session;
/// only a long wait of another request can take more.
const OWED_LIMIT: Duration = Duration::from_secs(1);

/// When a slow client is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that may wait before the slow-consumer rule begins.
    pub bytes: usize,
    /// How long a client may stay past the limit.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: gateway_wire::limits::MAX_BUFFERED, grace: Duration::from_secs(5) }
    }
}

/// The way out to one client. Shared by the connection's task, the hub, and answers that come later.
pub struct Outbox {
    limits: Limits,
    state: Mutex<State>,
    /// Answers that are being worked out. It only falls while the state is locked.
    owed: AtomicUsize,
    /// Wakes the connection's task: there is something to write, or it is over.
    work: Notify,
    /// Wakes the reader: the queue is below the limit again.
    room: Notify,
}

#[derive(Default)]
struct State {
    /// The socket, while it may be written directly. It is let go with the connection, although others may hold the
    /// outbox for longer.
    direct: Option<Arc<OwnedWriteHalf>>,
    chunks: VecDeque<Bytes>,
    /// Events that came before `hello-ok` was out.
    held: Vec<Bytes>,
    /// Bytes of both.
    bytes: usize,
    mode: Mode,
    over_since: Option<Instant>,
    /// The close frame, while answers are owed.
    farewell: Option<Bytes>,
    /// When the waiting for owed answers, or for a client that takes nothing, ends.
    give_up: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Before `hello-ok`: events wait until it is out.
    #[default]
    Corked,
    Open,
    /// The close frame waits for the answers that are owed; nothing else is accepted.
    Leaving,
    /// The close frame is queued; nothing more is accepted.
    Closing,
    Closed,
}

/// What became of a batch of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Events dropped because the client is behind.
    pub dropped: u32,
    /// The client was closed as a slow consumer by this batch.
    pub closed: bool,
}

/// An answer that is being worked out. It is paid when this is dropped, whatever came of it.
pub(super) struct Owed(Arc<Outbox>);

impl Owed {
    /// Sends the answer.
    pub fn pay(self, answer: &[u8]) {
        self.0.send(answer);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        self.0.owed.fetch_sub(1, Ordering::Relaxed);
        self.0.leave(&mut state);
    }
}

impl Outbox {
    /// An outbox in front of `direct`, or of a task that pumps everything when there is none.
    pub(super) fn new(direct: Option<Arc<OwnedWriteHalf>>, limits: Limits) -> Arc<Self> {
        let state = Mutex::new(State { direct, ..State::default() });
        Arc::new(Self { limits, state, owed: AtomicUsize::new(0), work: Notify::new(), room: Notify::new() })
    }

    /// Promises an answer: a close will wait for it.
    pub(super) fn owe(self: &Arc<Self>) -> Owed {
        self.owed.fetch_add(1, Ordering::Relaxed);
        Owed(self.clone())
    }

    /// How many answers are being worked out.
    pub(super) fn owed(&self) -> usize {
        self.owed.load(Ordering::Relaxed)
    }

    /// How many bytes wait, and in how many pieces: an event each, or the answers of one turn.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.bytes, state.chunks.len() + state.held.len())
    }

    /// Sends bytes that hold whole frames, ahead of nothing and after all that is queued. Used for answers, which
    /// are never dropped; the reader stops reading while too much waits.
    pub fn send(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if matches!(state.mode, Mode::Closing | Mode::Closed) {
            return;
        }
        let written = if state.chunks.is_empty() { self.try_write(&mut state, bytes) } else { 0 };
        if written < bytes.len() {
            push(&mut state, Bytes::copy_from_slice(&bytes[written..]));
            self.work.notify_one();
        }
    }

    /// Sends the answer to `connect` before every event that came meanwhile, and lets events through from now on.
    pub fn uncork(&self, hello: &[u8]) {
        let mut state = self.lock();
        if state.mode != Mode::Corked {
            return;
        }
        state.mode = Mode::Open;
        let written = if state.chunks.is_empty() { self.try_write(&mut state, hello) } else { 0 };
        if written < hello.len() {
            push(&mut state, Bytes::copy_from_slice(&hello[written..]));
        }
        let held = std::mem::take(&mut state.held);
        state.chunks.extend(held);
        if !state.chunks.is_empty() {
            self.work.notify_one();
        }
    }

    /// Sends a batch of events under the slow-consumer rule.
    pub fn send_events(&self, batch: &Batch) -> Delivery {
        let mut state = self.lock();
        match state.mode {
            Mode::Leaving | Mode::Closing | Mode::Closed => return Delivery::default(),
            Mode::Corked | Mode::Open => {}
        }
        if state.mode == Mode::Open && state.chunks.is_empty() {
            let written = self.try_write(&mut state, batch.bytes());
            if written < batch.bytes().len() {
                batch.frames_after(written).for_each(|(frame, _)| push(&mut state, frame));
                self.work.notify_one();
            }
            return Delivery::default();
        }
        let mut delivery = Delivery::default();
        let was_over = state.over_since.is_some();
        for (frame, droppable) in batch.frames_after(0) {
            if state.bytes > self.limits.bytes {
                if droppable {
                    delivery.dropped += 1;
                    continue;
                }
                state.over_since.get_or_insert_with(Instant::now);
            }
            push_event(&mut state, frame);
        }
        if state.bytes > self.limits.bytes.saturating_mul(4) {
            self.close_slow(&mut state);
            delivery.closed = true;
        } else if !was_over && state.over_since.is_some() {
            // Only the grace is news to the connection's task: it waits for the socket already, and a stalled client
            // must not cost the others a wake-up per event.
            self.work.notify_one();
        }
        delivery
    }

    /// Ends the connection with a close frame, after what is queued and the answers that are owed. Only a slow
    /// consumer loses what is queued.
    pub fn close(&self, code: u16, reason: &str) {
        let mut state = self.lock();
        if matches!(state.mode, Mode::Corked | Mode::Open) {
            state.farewell = Some(frame::close(code, reason));
            state.mode = Mode::Leaving;
            state.give_up = Some(Instant::now() + OWED_LIMIT);
            self.leave(&mut state);
            self.work.notify_one();
            self.room.notify_one();
        }
    }

    /// Queues the close frame if it waited only for answers and none is owed any more.
    fn leave(&self, state: &mut State) {
        if state.mode == Mode::Leaving && self.owed() == 0 {
            self.leave_now(state);
        }
    }

    fn leave_now(&self, state: &mut State) {
        if let Some(farewell) = state.farewell.take() {
            push(state, farewell);
        }
        state.mode = Mode::Closing;
        state.give_up = Some(Instant::now() + CLOSE_LIMIT);
        self.work.notify_one();
    }

    /// Whether the end has begun: no request is taken and no event sent any more.
    pub fn is_closed(&self) -> bool {
        matches!(self.lock().mode, Mode::Leaving | Mode::Closing | Mode::Closed)
    }

    /// Marks the connection as gone and frees what waits.
    pub fn abandon(&self) {
        let mut state = self.lock();
        *state = State { mode: Mode::Closed, ..State::default() };
        self.work.notify_one();
        self.room.notify_one();
    }

    /// Resolves when the client has taken enough to be asked for more, or is gone.
    pub async fn room(&self) {
        loop {
            let room = self.room.notified();
            {
                let state = self.lock();
                let ends = matches!(state.mode, Mode::Leaving | Mode::Closing | Mode::Closed);
                if ends || state.bytes <= self.limits.bytes {
                    return;
                }
            }
            room.await;
        }
    }

    /// Writes what is queued whenever the socket takes it, until a close frame is out, the socket fails, or the
    /// client is found too slow. Never resolves while the connection is healthy.
    pub(super) async fn pump(&self, sink: &mut Sink) -> io::Result<()> {
        loop {
            let work = self.work.notified();
            let (next, deadline) = {
                let state = self.lock();
                if state.mode == Mode::Closed || (state.mode == Mode::Closing && state.chunks.is_empty()) {
                    return Ok(());
                }
                let slow = state.over_since.map(|since| since + self.limits.grace);
                (state.chunks.front().cloned(), state.give_up.or(slow))
            };
            let too_late = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let Some(chunk) = next else {
                tokio::select! { biased; () = work => {}, () = too_late => self.overdue()? }
                continue;
            };
            let written = tokio::select! {
                biased;
                n = poll_fn(|cx| sink.poll_write(cx, &chunk)) => n?,
                () = work => continue,
                () = too_late => {
                    self.overdue()?;
                    continue;
                }
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            if self.advance(written) {
                poll_fn(|cx| sink.poll_flush(cx)).await?;
            }
        }
    }

    /// What follows when a deadline has passed: no more waiting for answers, for the close frame to leave, or for a
    /// client to catch up.
    fn overdue(&self) -> io::Result<()> {
        let mut state = self.lock();
        match state.mode {
            Mode::Leaving => self.leave_now(&mut state),
            // The last answer came at this moment, and the close frame has its own time.
            Mode::Closing if state.give_up.is_some_and(|at| at > Instant::now()) => {}
            Mode::Closing | Mode::Closed => return Err(io::ErrorKind::TimedOut.into()),
            Mode::Corked | Mode::Open => self.close_slow(&mut state),
        }
        Ok(())
    }

    /// Takes `written` bytes off the queue; `true` when it is empty.
    fn advance(&self, written: usize) -> bool {
        let mut state = self.lock();
        if let Some(front) = state.chunks.front_mut() {
            front.advance(written.min(front.len()));
            if front.is_empty() {
                state.chunks.pop_front();
            }
            state.bytes = state.bytes.saturating_sub(written);
        }
        if state.bytes <= self.limits.bytes {
            state.over_since = None;
            self.room.notify_one();
        }
        if state.chunks.is_empty() {
            state.chunks.shrink_to(0);
        }
        state.chunks.is_empty()
    }

    /// Writes to the socket directly as far as it takes; 0 when there is no direct way.
    fn try_write(&self, state: &mut State, bytes: &[u8]) -> usize {
        let Some(tcp) = &state.direct else { return 0 };
        let mut written = 0;
        while written < bytes.len() {
            match tcp.try_write(&bytes[written..]) {
                Ok(0) => break,
                Ok(n) => written += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    // The reader will see the failure too; stop offering bytes to a dead socket.
                    state.mode = Mode::Closed;
                    self.work.notify_one();
                    return bytes.len();
                }
            }
        }
        written
    }

    fn close_slow(&self, state: &mut State) {
        let reason = format!(
            "slow consumer ({} bytes waited, limit {} bytes for {} ms)",
            state.bytes,
            self.limits.bytes,
            self.limits.grace.as_millis()
        );
        // The frame at the front may be half written; the close frame must follow a whole one.
        state.chunks.truncate(1);
        state.held = Vec::new();
        state.bytes = state.chunks.front().map_or(0, Bytes::len);
        state.over_since = None;
        push(state, frame::close(1008, &reason));
        state.mode = Mode::Closing;
        state.give_up = Some(Instant::now() + CLOSE_LIMIT);
        self.work.notify_one();
        self.room.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push_event(state: &mut State, frame: Bytes) {
    if state.mode == Mode::Corked {
        state.bytes += frame.len();
        state.held.push(frame);
    } else {
        push(state, frame);
    }
}

fn push(state: &mut State, chunk: Bytes) {
    state.bytes += chunk.len();
    state.chunks.push_back(chunk);
}
