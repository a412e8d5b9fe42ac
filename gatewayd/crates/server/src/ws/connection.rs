//! One client from the upgrade to the end: the challenge, the handshake within its time and bytes, then requests in
//! and answers out. Everything happens in one task; only answers that have to wait get one of their own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use gateway_api::connect::{Admitted, Peer, Refused};
use gateway_api::{Api, Outcome};
use gateway_base::task::{Kind, Tasks};
use gateway_wire::frame::Request;
use gateway_wire::limits;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::depths::Outboxes;
use super::hub::{Client, Hub};
use super::incoming::{End, Incoming};
use super::outbox::{Limits, Outbox};
use super::preauth::Ticket;
use super::traffic::Traffic;
use super::{Stream, frame};
use crate::metrics::Metrics;

/// Largest first message: a `connect` request is well below it (rule R21: small frames before authentication).
const PREAUTH_MESSAGE: usize = 64 * 1024;
/// Answers of one turn that leave in one write before the next turn begins.
const TURN_BYTES: usize = 256 * 1024;
/// Answers of one client that may be under way at once.
const IN_FLIGHT: usize = 64;
/// What clients are told when the gateway ends, also when it comes back.
pub const RESTART: (u16, &str) = (1012, "service restart");
/// How long the peer has to close after our close frame.
const LINGER: Duration = Duration::from_secs(1);

/// What every connection needs.
pub struct Serve {
    /// The methods and the handshake.
    pub api: Arc<Api>,
    /// The fan-out of events.
    pub hub: Hub,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The lines in the log.
    pub traffic: Arc<Traffic>,
    /// What waits for clients, for the metrics.
    pub outboxes: Outboxes,
    /// When slow clients are dropped.
    pub limits: Limits,
    /// How long a client has to complete the handshake.
    pub handshake: Duration,
    /// Cancelled when nobody is let in any more: whoever has not shaken hands by then is sent away.
    pub closing: CancellationToken,
    /// The spawner.
    pub tasks: Tasks,
}

thread_local! {
    /// Answers of the turn that runs on this thread. It belongs to the thread so that idle connections hold no buffer.
    static ANSWERS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Serves one upgraded socket until it closes.
pub async fn serve(serve: Arc<Serve>, stream: Stream, peer: Peer, ticket: Ticket) {
    let (source, mut sink) = stream.split();
    let outbox = Outbox::new(sink.direct(), serve.limits);
    let _listed = serve.outboxes.list(&outbox);
    let mut incoming = Incoming::new(source, PREAUTH_MESSAGE);
    {
        let talk = pin!(talk(&serve, &mut incoming, &outbox, peer, ticket));
        let pump = pin!(outbox.pump(&mut sink));
        tokio::select! {
            biased;
            () = talk => {}
            _ = pump => {}
        }
    }
    // Whatever ended it, a close frame that is queued still goes out, within the outbox's own limit.
    if outbox.is_closed() && outbox.pump(&mut sink).await.is_ok() {
        let farewell = async {
            let _ = poll_fn(|cx| sink.poll_shutdown(cx)).await;
            poll_fn(|cx| incoming.poll_drain(cx)).await;
        };
        let _ = timeout(LINGER, farewell).await;
    }
    outbox.abandon();
}

async fn talk(serve: &Arc<Serve>, incoming: &mut Incoming, outbox: &Arc<Outbox>, peer: Peer, ticket: Ticket) {
    // Boxed: the handshake is large and short, and must not make every idle connection as large as itself.
    let Some(client) = Box::pin(shake_hands(serve, incoming, outbox, peer, ticket)).await else { return };
    let joined = Joined { serve, client };
    if let End::Broke(code) = requests(serve, incoming, &joined.client).await {
        outbox.close(code, "");
    }
}

/// Undoes a join, also when the task ends at an await.
struct Joined<'a> {
    serve: &'a Serve,
    client: Arc<Client>,
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        self.serve.api.disconnected(&self.client.caller);
        self.serve.hub.left();
        self.serve.metrics.connections(self.client.caller.role).dec();
    }
}

/// The challenge, the first request, the decision. `None` when it ended here.
async fn shake_hands(
    serve: &Arc<Serve>,
    incoming: &mut Incoming,
    outbox: &Arc<Outbox>,
    peer: Peer,
    ticket: Ticket,
) -> Option<Arc<Client>> {
    let deadline = Instant::now() + serve.handshake;
    let (challenge, pending) = serve.api.challenge(peer);
    let conn = pending.conn_id().to_owned();
    outbox.send(&frame::text(&challenge));
    serve.traffic.directed(&conn, "connect.challenge");
    let first = tokio::select! {
        biased;
        () = serve.closing.cancelled() => {
            serve.metrics.refused("closing");
            outbox.close(RESTART.0, RESTART.1);
            return None;
        }
        () = ticket.evicted.cancelled() => {
            serve.metrics.refused("evicted");
            outbox.close(1013, "too many connections wait for authentication; retry");
            return None;
        }
        first = timeout_at(deadline, first_message(incoming, outbox)) => match first {
            Ok(Ok(first)) => first,
            Ok(Err(End::Broke(code))) => {
                serve.metrics.refused("protocol");
                outbox.close(code, "");
                return None;
            }
            Ok(Err(End::Gone)) => {
                serve.metrics.refused("gone");
                return None;
            }
            Err(_) => {
                serve.metrics.refused("timeout");
                outbox.close(1000, "");
                return None;
            }
        },
    };
    let (began, mut id) = (Instant::now(), String::new());
    let judged = serve.api.connect(&first, pending, |request| {
        request.id.as_ref().clone_into(&mut id);
        serve.traffic.request(&conn, request);
    });
    let admitted = match timeout_at(deadline, judged).await {
        Ok(Ok(admitted)) => admitted,
        Ok(Err(refused)) => {
            refuse(serve, outbox, &refused);
            match &refused.answer {
                Some(_) => serve.traffic.refused(&conn, &id, began.elapsed(), refused.reason),
                None => serve.traffic.parse_error(&conn, refused.reason),
            }
            return None;
        }
        Err(_) => {
            serve.metrics.refused("timeout");
            outbox.close(1000, "");
            return None;
        }
    };
    drop(ticket);
    incoming.set_max_message(limits::MAX_PAYLOAD);
    serve.traffic.admitted(&conn, &id, began.elapsed());
    Some(welcome(serve, outbox, admitted).await)
}

/// Joins the hub before the snapshot is taken, so that every later event is either in it or delivered.
async fn welcome(serve: &Arc<Serve>, outbox: &Arc<Outbox>, admitted: Admitted) -> Arc<Client> {
    let client = Arc::new(Client { caller: admitted.caller.clone(), outbox: outbox.clone() });
    serve.metrics.connections(client.caller.role).inc();
    serve.hub.join(client.clone()).await;
    // Whoever joins after all others were closed would be missed.
    if serve.closing.is_cancelled() {
        outbox.close(RESTART.0, RESTART.1);
        return client;
    }
    if let Some(reason) = serve.api.outdated(&admitted) {
        outbox.close(1008, reason);
        return client;
    }
    let mut hello = Vec::with_capacity(6 * 1024);
    frame::append_text(&mut hello, 4096, |out| serve.api.welcome(&admitted, out));
    serve.metrics.sent(1, hello.len());
    outbox.uncork(&hello);
    for (name, event) in serve.api.greetings(&admitted) {
        outbox.send(&frame::text(&event));
        serve.traffic.directed(&client.caller.conn_id, name);
    }
    client
}

fn refuse(serve: &Serve, outbox: &Outbox, refused: &Refused) {
    serve.metrics.refused(refused.reason);
    if let Some(answer) = &refused.answer {
        outbox.send(&frame::text(answer));
    }
    outbox.close(refused.close_code, &refused.close_reason);
}

async fn first_message(incoming: &mut Incoming, outbox: &Outbox) -> Result<Bytes, End> {
    let mut first = None;
    loop {
        poll_fn(|cx| {
            incoming.poll_messages(cx, outbox, |message| {
                first = Some(message.into_data());
                false
            })
        })
        .await?;
        if let Some(first) = first.take() {
            return Ok(first);
        }
        tokio::task::yield_now().await;
    }
}

/// Answers requests until the client is gone.
async fn requests(serve: &Arc<Serve>, incoming: &mut Incoming, client: &Arc<Client>) -> End {
    loop {
        client.outbox.room().await;
        let turn = poll_fn(|cx| {
            ANSWERS.with_borrow_mut(|out| {
                out.clear();
                let (mut messages, mut bytes, mut answers) = (0, 0, 0);
                let poll = incoming.poll_messages(cx, &client.outbox, |message| {
                    messages += 1;
                    bytes += message.len();
                    let before = out.len();
                    answer(serve, client, &message, out);
                    answers += u64::from(out.len() > before);
                    out.len() < TURN_BYTES
                });
                if messages > 0 {
                    serve.metrics.received(messages, bytes);
                }
                if !out.is_empty() {
                    serve.metrics.sent(answers, out.len());
                    client.outbox.send(out);
                }
                out.shrink_to(TURN_BYTES);
                match poll {
                    Poll::Ready(done) => Poll::Ready(done),
                    // Stop waiting for requests when nothing can be answered any more.
                    Poll::Pending if client.outbox.is_closed() => Poll::Ready(Err(End::Gone)),
                    Poll::Pending => Poll::Pending,
                }
            })
        });
        match turn.await {
            Ok(()) => tokio::task::yield_now().await,
            Err(end) => return end,
        }
    }
}

fn answer(serve: &Arc<Serve>, client: &Arc<Client>, message: &Message, out: &mut Vec<u8>) {
    let busy = client.outbox.owed() >= IN_FLIGHT;
    let (caller, traffic) = (&client.caller, &serve.traffic);
    let seen = |request: &Request<'_>| traffic.request(&caller.conn_id, request);
    let outcome = message.to_text().map(|text| serve.api.dispatch(caller, text, busy, seen));
    match outcome.unwrap_or(Outcome::Nothing) {
        Outcome::Nothing => traffic.parse_error(&caller.conn_id, "not_json"),
        Outcome::Now(answer) => {
            frame::append_text(out, answer.about(), |out| answer.write(out));
            traffic.answer(&caller.conn_id, &answer);
        }
        Outcome::Later(work) => {
            let (owed, serve, caller) = (client.outbox.owe(), serve.clone(), caller.clone());
            serve.tasks.clone().spawn("request", Kind::Request, async move {
                let answer = work.await;
                let mut bytes = Vec::new();
                frame::append_text(&mut bytes, answer.about(), |out| answer.write(out));
                serve.metrics.sent(1, bytes.len());
                owed.pay(&bytes);
                serve.traffic.answer(&caller.conn_id, &answer);
            });
        }
    }
}
