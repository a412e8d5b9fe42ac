//! From a frame to an answer: parse, authorise, find the function, run it where a panic ends only this request, and
//! measure how long it took.

use std::borrow::Cow;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use gateway_base::task::panic_text;
use gateway_wire::error::ErrorShape;
use gateway_wire::frame::{self, ParseError, Request};
use gateway_wire::methods::{METHODS, Method, Order};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::context::Context;
use crate::metrics::Metrics;
use crate::registry::{Call, Registry, Reply, Waiting, Work};

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
    method: Cow<'a, str>,
    took: Duration,
    reply: Reply,
}

impl Answer<'_> {
    /// The id of the request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The method as the request spells it; empty when the frame was no request.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// How long the method took; nothing when it was not called.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// Why it failed, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorShape> {
        self.reply.as_ref().err()
    }

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
    metrics: Metrics,
    /// One permit per exclusive group, by name.
    groups: Vec<(&'static str, Arc<Semaphore>)>,
}

impl Dispatcher {
    /// A dispatcher over `registry` that measures into `metrics`.
    #[must_use]
    pub fn new(cx: Arc<Context>, registry: Registry, metrics: Metrics) -> Self {
        let mut groups: Vec<(&'static str, Arc<Semaphore>)> = Vec::new();
        for method in METHODS {
            if let Order::Exclusive(group) = method.order
                && groups.iter().all(|(name, _)| *name != group)
            {
                groups.push((group, Arc::new(Semaphore::new(1))));
            }
        }
        Self { cx, registry, metrics, groups }
    }

    /// How long the methods took.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Handles one frame of `caller`. `busy` refuses work that would have to wait; `seen` is told the request before
    /// anything is done about it.
    pub fn frame<'a>(
        &self,
        caller: &Arc<Caller>,
        text: &'a str,
        busy: bool,
        seen: impl FnOnce(&Request<'_>),
    ) -> Outcome<'a> {
        let request = match frame::parse_str(text) {
            Ok(request) => request,
            Err(ParseError::NotJson) => return Outcome::Nothing,
            Err(ParseError::Invalid { id, problems }) => {
                let error = ErrorShape::invalid(format!("invalid request frame: {problems}"));
                let id = id.map_or(Cow::Borrowed("invalid"), Cow::Owned);
                let (method, took) = (Cow::Borrowed(""), Duration::ZERO);
                return Outcome::Now(Answer { id, method, took, reply: Err(error) });
            }
        };
        seen(&request);
        let Request { id, method, params } = request;
        match self.call(caller, &method, params) {
            Called { took, work: Work::Done(reply), .. } => Outcome::Now(Answer { id, method, took, reply }),
            Called { took, work: Work::Later(_), .. } if busy => {
                Outcome::Now(Answer { id, method, took, reply: Err(overloaded()) })
            }
            Called { place, work: Work::Later(work), .. } => {
                let id = Cow::Owned(id.into_owned());
                let method = Cow::Borrowed(place.and_then(|i| METHODS.get(i)).map_or("", |m| m.name));
                let ended = self.end(place, work);
                Outcome::Later(Box::pin(async move {
                    let (reply, took) = ended.await;
                    Answer { id, method, took, reply }
                }))
            }
        }
    }

    /// Calls a method and waits for its answer; for transports that have no frames.
    pub async fn wait(&self, caller: &Arc<Caller>, method: &str, params: Option<&RawValue>) -> Reply {
        match self.call(caller, method, params) {
            Called { work: Work::Done(reply), .. } => reply,
            Called { place, work: Work::Later(work), .. } => self.end(place, work).await.0,
        }
    }

    /// Waits for the rest of a call, and measures it.
    fn end(
        &self,
        place: Option<usize>,
        work: Waiting,
    ) -> impl Future<Output = (Reply, Duration)> + Send + use<> {
        let metrics = self.metrics.clone();
        async move {
            let began = Instant::now();
            let reply = AssertUnwindSafe(work).catch_unwind().await;
            let took = began.elapsed();
            place.inspect(|place| metrics.note(*place, took));
            (reply.unwrap_or_else(|panic| Err(crashed(panic.as_ref()))), took)
        }
    }

    fn call(&self, caller: &Arc<Caller>, name: &str, params: Option<&RawValue>) -> Called {
        let refused = |error| Called { place: None, took: Duration::ZERO, work: Work::Done(Err(error)) };
        let method = match caller.authorise(name) {
            Ok(method) => method,
            Err(error) => return refused(error),
        };
        let Some((place, function)) = self.registry.function(method) else { return refused(unbuilt(method)) };
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
        let took = began.elapsed();
        if matches!(work, Work::Done(_)) {
            self.metrics.note(place, took);
        }
        Called { place: Some(place), took, work }
    }

    /// Makes `work` wait for its turn in an exclusive group.
    fn alone(&self, group: &'static str, work: Waiting) -> Waiting {
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

/// What came of calling a method.
struct Called {
    /// The method's place in the table, when the caller may call it and it is built.
    place: Option<usize>,
    /// How long the function took; what comes later is not in it.
    took: Duration,
    work: Work,
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
