//! From a frame to an answer: parse, authorise, find the function, run it where a panic ends only this request, and
//! measure how long it took.

use std::borrow::Cow;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use gateway_base::task::panic_text;
use gateway_wire::error::ErrorShape;
use gateway_wire::frame::{self, ParseError};
use gateway_wire::methods::{METHODS, Method, Order};
use prometheus_client::metrics::histogram::Histogram;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::context::Context;
use crate::metrics::Metrics;
use crate::registry::{self, Call, Registry, Reply, Work};

/// What comes of a frame.
pub enum Outcome<'a> {
    /// Not even JSON: the original ignores it, and so do we.
    Nothing,
    /// Answer at once.
    Now(Answer<'a>),
    /// Answer when this is done.
    Later(Pin<Box<dyn Future<Output = Answer<'static>> + Send>>),
}

/// A response, ready to be written.
pub struct Answer<'a> {
    id: Cow<'a, str>,
    reply: Reply,
}

impl Answer<'_> {
    /// Roughly how many bytes [`Answer::write`] appends.
    #[must_use]
    pub fn about(&self) -> usize {
        self.id.len() + 48 + self.reply.as_ref().map_or(64, Bytes::len)
    }

    /// Appends the response frame's JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.reply {
            Ok(payload) => frame::write_ok(out, &self.id, payload),
            Err(error) => frame::write_err(out, &self.id, None, error),
        }
    }
}

/// Longest time a caller is told to wait before it tries an overloaded gateway again, in milliseconds.
const BUSY_RETRY_MS: u64 = 250;

/// Runs methods.
pub struct Dispatcher {
    cx: Arc<Context>,
    registry: Registry,
    latency: Vec<Histogram>,
    /// One permit per exclusive group, by name.
    groups: Vec<(&'static str, Arc<Semaphore>)>,
}

impl Dispatcher {
    /// A dispatcher over `registry` that measures into `metrics`.
    #[must_use]
    pub fn new(cx: Arc<Context>, registry: Registry, metrics: &Metrics) -> Self {
        let mut groups: Vec<(&'static str, Arc<Semaphore>)> = Vec::new();
        for method in METHODS {
            if let Order::Exclusive(group) = method.order
                && groups.iter().all(|(name, _)| *name != group)
            {
                groups.push((group, Arc::new(Semaphore::new(1))));
            }
        }
        Self { cx, registry, latency: METHODS.iter().map(|m| metrics.of(m.name)).collect(), groups }
    }

    /// Handles one frame of `caller`. `busy` refuses work that would have to wait.
    pub fn frame<'a>(&self, caller: &Arc<Caller>, bytes: &'a [u8], busy: bool) -> Outcome<'a> {
        let request = match frame::parse(bytes) {
            Ok(request) => request,
            Err(ParseError::NotJson) => {
                tracing::warn!(subsystem = "gateway/ws", conn = %caller.conn_id, bytes = bytes.len(), "parse-error: a frame is not JSON");
                return Outcome::Nothing;
            }
            Err(ParseError::Invalid { id, problems }) => {
                let error = ErrorShape::invalid(format!("invalid request frame: {problems}"));
                let id = id.map_or(Cow::Borrowed("invalid"), Cow::Owned);
                return Outcome::Now(Answer { id, reply: Err(error) });
            }
        };
        match self.call(caller, &request.method, request.params) {
            (_, Work::Done(reply)) => Outcome::Now(Answer { id: request.id, reply }),
            (_, Work::Later(_)) if busy => Outcome::Now(Answer { id: request.id, reply: Err(overloaded()) }),
            (index, Work::Later(work)) => {
                let id = Cow::Owned(request.id.into_owned());
                let histogram = index.and_then(|i| self.latency.get(i)).cloned();
                Outcome::Later(Box::pin(async move {
                    let began = Instant::now();
                    let reply = AssertUnwindSafe(work).catch_unwind().await;
                    if let Some(histogram) = histogram {
                        histogram.observe(began.elapsed().as_secs_f64());
                    }
                    Answer { id, reply: reply.unwrap_or_else(|panic| Err(crashed(panic.as_ref()))) }
                }))
            }
        }
    }

    /// Calls a method and waits for its answer; for transports that have no frames.
    pub async fn wait(&self, caller: &Arc<Caller>, method: &str, params: Option<&RawValue>) -> Reply {
        let (_, work) = self.call(caller, method, params);
        match work {
            Work::Done(reply) => reply,
            Work::Later(work) => AssertUnwindSafe(work)
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Err(crashed(panic.as_ref()))),
        }
    }

    fn call(&self, caller: &Arc<Caller>, name: &str, params: Option<&RawValue>) -> (Option<usize>, Work) {
        let method = match caller.authorise(name) {
            Ok(method) => method,
            Err(error) => return (None, Work::Done(Err(error))),
        };
        let index = registry::index(method.name);
        let Some(function) = self.registry.function(method) else {
            return (index, Work::Done(Err(unbuilt(method))));
        };
        // JSON null counts as absent, like a missing key.
        let params = params.filter(|raw| raw.get() != "null");
        let began = Instant::now();
        let call = Call { cx: &self.cx, caller, method, params };
        let work = catch_unwind(AssertUnwindSafe(|| function(call)))
            .unwrap_or_else(|panic| Work::Done(Err(crashed(panic.as_ref()))));
        let work = match (work, method.order) {
            (Work::Later(work), Order::Exclusive(group)) => Work::Later(self.alone(group, work)),
            (work, _) => work,
        };
        if let (Work::Done(_), Some(histogram)) = (&work, index.and_then(|i| self.latency.get(i))) {
            histogram.observe(began.elapsed().as_secs_f64());
        }
        (index, work)
    }

    /// Makes `work` wait for its turn in an exclusive group.
    fn alone(
        &self,
        group: &'static str,
        work: Pin<Box<dyn Future<Output = Reply> + Send>>,
    ) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        let turn = self.groups.iter().find(|(name, _)| *name == group).map(|(_, turn)| turn.clone());
        Box::pin(async move {
            let _turn = match turn {
                Some(turn) => turn.acquire_owned().await.ok(),
                None => None,
            };
            work.await
        })
    }
}

fn unbuilt(method: &Method) -> ErrorShape {
    ErrorShape::unavailable(format!("{} is not built in this version of gatewayd", method.name))
}

fn overloaded() -> ErrorShape {
    ErrorShape::unavailable("too many requests of this connection are under way; retry")
        .retry_after(BUSY_RETRY_MS)
}

fn crashed(panic: &(dyn std::any::Any + Send)) -> ErrorShape {
    let text = panic_text(panic);
    tracing::error!(subsystem = "gateway", reason = text, "a method crashed; only that request failed");
    ErrorShape::unavailable("Error: the method crashed; see the gateway's log")
}
