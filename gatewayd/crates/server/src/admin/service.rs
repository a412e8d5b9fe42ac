//! The gRPC face of the backend: checks a request, asks the backend, passes the answer on. It decides nothing. A panic
//! while answering ends that one call.

use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, stream};
use gateway_admin::v1::admin_server::Admin;
use gateway_admin::{time, v1};
use gateway_base::task::panic_text;
use serde_json::value::RawValue;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::Error;
use super::backend::{Answer, Backend, Call, Event, LogStart, Logs, Shutdown, ShutdownMode};
use super::connection::Peer;
use super::health::Board;

/// The longest reason for a stop that is worth a log line.
const REASON_CHARS: usize = 200;

/// The longest time a configuration may be on trial.
const LONGEST_TRIAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time running work may take to finish.
const LONGEST_DRAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time an announced restart may be ahead.
const LONGEST_ANNOUNCEMENT: Duration = Duration::from_secs(60);
/// The pauses that may lie between two snapshots.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60 * 60);

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service behind `gateway.admin.v1.Admin`.
pub(super) struct Service {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) health: Board,
    /// Ends the streams that would go on for ever.
    pub(super) stop: CancellationToken,
    pub(super) open_connections: Arc<dyn Fn() -> usize + Send + Sync>,
}

#[tonic::async_trait]
impl Admin for Service {
    type ShutdownStream = Streamed<v1::ShutdownResponse>;
    type LogsStream = Streamed<v1::LogsResponse>;
    type EventsStream = Streamed<v1::EventsResponse>;
    type MetricsStream = Streamed<v1::MetricsResponse>;

    async fn status(&self, _: Request<v1::StatusRequest>) -> Result<Response<v1::StatusResponse>, Status> {
        let mut status = guarded(self.backend.status()).await?;
        status.phase = self.health.snapshot().phase.into();
        status.admin_connections = u32::try_from((self.open_connections)()).unwrap_or(u32::MAX);
        Ok(Response::new(status))
    }

    async fn health(&self, _: Request<v1::HealthRequest>) -> Result<Response<v1::HealthResponse>, Status> {
        Ok(Response::new(self.health.snapshot().to_proto()))
    }

    async fn reload(
        &self,
        request: Request<v1::ReloadRequest>,
    ) -> Result<Response<v1::ReloadResponse>, Status> {
        let dry_run = request.get_ref().dry_run;
        tracing::info!(subsystem = "admin", user = user(&request), dry_run, "reload asked for");
        Ok(Response::new(guarded(self.backend.reload(dry_run)).await?))
    }

    async fn apply_config(
        &self,
        request: Request<v1::ApplyConfigRequest>,
    ) -> Result<Response<v1::ApplyConfigResponse>, Status> {
        let user = user(&request);
        let (text, within) = checked_apply(request.into_inner())?;
        tracing::info!(subsystem = "admin", user, ?within, "config on trial asked for");
        Ok(Response::new(guarded(self.backend.apply_config(text, within)).await?))
    }

    async fn confirm_config(
        &self,
        request: Request<v1::ConfirmConfigRequest>,
    ) -> Result<Response<v1::ConfirmConfigResponse>, Status> {
        tracing::info!(subsystem = "admin", user = user(&request), "confirmation of the config on trial");
        Ok(Response::new(guarded(self.backend.confirm_config()).await?))
    }

    async fn revert_config(
        &self,
        request: Request<v1::RevertConfigRequest>,
    ) -> Result<Response<v1::RevertConfigResponse>, Status> {
        tracing::info!(subsystem = "admin", user = user(&request), "the config before the trial asked for");
        Ok(Response::new(guarded(self.backend.revert_config()).await?))
    }

    async fn shutdown(
        &self,
        request: Request<v1::ShutdownRequest>,
    ) -> Result<Response<Self::ShutdownStream>, Status> {
        let user = user(&request);
        let request = checked_shutdown(request.into_inner())?;
        tracing::info!(subsystem = "admin", user, mode = ?request.mode, reason = request.reason, "stop asked for");
        let steps = guarded(self.backend.shutdown(request)).await?;
        // Not cut off by the stop: it ends with the last step.
        Ok(Response::new(ReceiverStream::new(steps).map(Ok).boxed()))
    }

    async fn announce_restart(
        &self,
        request: Request<v1::AnnounceRestartRequest>,
    ) -> Result<Response<v1::AnnounceRestartResponse>, Status> {
        let valid_for = request.get_ref().valid_for.as_ref().and_then(time::length);
        let valid_for =
            valid_for.filter(|time| !time.is_zero() && *time <= LONGEST_ANNOUNCEMENT).ok_or_else(|| {
                Error::InvalidRequest("valid_for must be more than nothing and at most a minute".to_owned())
            })?;
        tracing::info!(subsystem = "admin", user = user(&request), ?valid_for, "restart announced");
        self.backend.announce_restart(valid_for);
        Ok(Response::new(v1::AnnounceRestartResponse {}))
    }

    async fn logs(&self, request: Request<v1::LogsRequest>) -> Result<Response<Self::LogsStream>, Status> {
        let request = checked_logs(request.get_ref())?;
        let batches = ReceiverStream::new(guarded(self.backend.logs(request)).await?);
        Ok(Response::new(self.until_stop(batches.map(|batch| batch.map_err(Status::from)))))
    }

    async fn events(
        &self,
        request: Request<v1::EventsRequest>,
    ) -> Result<Response<Self::EventsStream>, Status> {
        let filter = Filter(request.into_inner().names);
        let events = guarded(self.backend.events()).await?;
        Ok(Response::new(self.until_stop(followed(events, filter))))
    }

    async fn call(&self, request: Request<v1::CallRequest>) -> Result<Response<v1::CallResponse>, Status> {
        let request = checked_call(request.into_inner())?;
        Ok(Response::new(guarded(self.backend.call(request)).await?))
    }

    async fn metrics(
        &self,
        request: Request<v1::MetricsRequest>,
    ) -> Result<Response<Self::MetricsStream>, Status> {
        let pause = checked_metrics(request.get_ref())?;
        let source = Snapshots {
            backend: self.backend.clone(),
            health: self.health.clone(),
            open_connections: self.open_connections.clone(),
        };
        Ok(Response::new(self.until_stop(source.follow(pause))))
    }
}

impl Service {
    fn until_stop<T>(&self, stream: impl Stream<Item = Result<T, Status>> + Send + 'static) -> Streamed<T> {
        stream.take_until(self.stop.clone().cancelled_owned()).boxed()
    }
}

/// Answers, or the panic as an internal fault.
async fn guarded<T>(answer: Answer<'_, T>) -> Result<T, Status> {
    let caught = AssertUnwindSafe(answer).catch_unwind().await;
    let answer = caught.unwrap_or_else(|panic| Err(Error::Internal(panic_text(panic.as_ref()).into())));
    answer.map_err(Status::from)
}

fn user<T>(request: &Request<T>) -> Option<u32> {
    request.extensions().get::<Peer>().and_then(|peer| peer.uid)
}

fn checked_shutdown(request: v1::ShutdownRequest) -> Result<Shutdown, Error> {
    let mode = match v1::ShutdownMode::try_from(request.mode) {
        Ok(v1::ShutdownMode::Unspecified | v1::ShutdownMode::Stop) => ShutdownMode::Stop,
        Ok(v1::ShutdownMode::Restart) => ShutdownMode::Restart,
        Err(_) => return Err(unknown("mode", request.mode)),
    };
    let negative = || Error::InvalidRequest("drain_limit must not be negative".to_owned());
    let drain_limit =
        request.drain_limit.map(|limit| time::length(&limit).ok_or_else(negative)).transpose()?;
    let drain_limit = drain_limit.map(|limit| limit.min(LONGEST_DRAIN));
    Ok(Shutdown { mode, drain_limit, reason: request.reason.chars().take(REASON_CHARS).collect() })
}

fn checked_apply(request: v1::ApplyConfigRequest) -> Result<(String, Duration), Error> {
    let within = request.confirm_within.as_ref().and_then(time::length);
    match within.filter(|within| !within.is_zero() && *within <= LONGEST_TRIAL) {
        Some(within) => Ok((request.text, within)),
        None => Err(Error::InvalidRequest(
            "confirm_within must be more than nothing and at most a day".to_owned(),
        )),
    }
}

fn checked_logs(request: &v1::LogsRequest) -> Result<Logs, Error> {
    let min_level =
        v1::LogLevel::try_from(request.min_level).map_err(|_| unknown("min_level", request.min_level))?;
    let start = request.cursor.map_or(LogStart::Tail(request.tail), LogStart::Cursor);
    Ok(Logs { start, follow: request.follow, min_level })
}

fn checked_call(request: v1::CallRequest) -> Result<Call, Error> {
    if request.method.is_empty() {
        return Err(Error::InvalidRequest("method must name a method, such as config.get".to_owned()));
    }
    let params = match request.params_json.trim() {
        "" => None,
        text => Some(serde_json::from_str::<Box<RawValue>>(text).map_err(|error| {
            Error::InvalidRequest(format!("params_json is not a JSON document: {error}"))
        })?),
    };
    Ok(Call { method: request.method, params, expect_final: request.expect_final })
}

fn unknown(field: &str, value: i32) -> Error {
    Error::InvalidRequest(format!("{field} has the value {value}, which this release does not know"))
}

fn checked_metrics(request: &v1::MetricsRequest) -> Result<Option<Duration>, Error> {
    let Some(interval) = &request.interval else { return Ok(None) };
    let interval = time::length(interval).filter(|pause| PAUSES.contains(pause));
    interval
        .map(Some)
        .ok_or_else(|| Error::InvalidRequest("interval must be from 100 ms to an hour, or absent".to_owned()))
}

/// Makes the snapshots of one stream.
struct Snapshots {
    backend: Arc<dyn Backend>,
    health: Board,
    open_connections: Arc<dyn Fn() -> usize + Send + Sync>,
}

impl Snapshots {
    async fn take(&self) -> Result<v1::MetricsResponse, Status> {
        let mut snapshot = guarded(self.backend.metrics()).await?;
        snapshot.phase = self.health.snapshot().phase.into();
        snapshot.admin_connections = u32::try_from((self.open_connections)()).unwrap_or(u32::MAX);
        Ok(snapshot)
    }

    /// One at once, and then one after each pause. Each is made when the reader takes it.
    fn follow(
        self,
        pause: Option<Duration>,
    ) -> impl Stream<Item = Result<v1::MetricsResponse, Status>> + Send + 'static {
        stream::unfold((self, true), move |(source, is_first)| async move {
            match pause {
                _ if is_first => {}
                Some(pause) => tokio::time::sleep(pause).await,
                None => return None,
            }
            Some((source.take().await, (source, false)))
        })
    }
}

/// Which events a stream wants.
struct Filter(Vec<String>);

impl Filter {
    fn wants(&self, name: &str) -> bool {
        let matches = |wanted: &String| match wanted.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == wanted,
        };
        self.0.is_empty() || self.0.iter().any(matches)
    }
}

/// The events that pass `filter`, numbered, each with how many were lost before it.
fn followed(
    events: broadcast::Receiver<Arc<Event>>,
    filter: Filter,
) -> impl Stream<Item = Result<v1::EventsResponse, Status>> + Send + 'static {
    stream::unfold((events, filter, 0_u64, 0_u64), |(mut events, filter, mut seq, mut dropped)| async move {
        loop {
            match events.recv().await {
                Ok(event) => {
                    seq += 1;
                    if filter.wants(&event.name) {
                        let message = to_proto(&event, seq, dropped);
                        return Some((Ok(message), (events, filter, seq, 0)));
                    }
                }
                Err(RecvError::Lagged(lost)) => {
                    seq += lost;
                    dropped += lost;
                }
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

fn to_proto(event: &Event, seq: u64, dropped: u64) -> v1::EventsResponse {
    v1::EventsResponse {
        event: event.name.clone(),
        payload_json: event.payload_json.clone(),
        seq,
        time: Some(time::timestamp(event.time)),
        dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_names_and_beginnings() {
        let filter = Filter(vec!["presence".to_owned(), "device.*".to_owned()]);
        assert!(filter.wants("presence") && filter.wants("device.pair.requested"));
        assert!(!filter.wants("presence.x") && !filter.wants("devices"));
        assert!(Filter(Vec::new()).wants("anything"));
    }

    #[test]
    fn requests_that_make_no_sense_are_refused_by_field() {
        let shutdown = |mode, seconds| {
            let mut request = v1::ShutdownRequest { mode, ..Default::default() };
            request.drain_limit.get_or_insert_default().seconds = seconds;
            checked_shutdown(request)
        };
        let apply = |seconds| {
            let mut request = v1::ApplyConfigRequest::default();
            request.confirm_within.get_or_insert_default().seconds = seconds;
            checked_apply(request).map(drop)
        };
        let call = |method: &str, params: &str| {
            let (method, params_json) = (method.to_owned(), params.to_owned());
            checked_call(v1::CallRequest { method, params_json, expect_final: false })
        };
        let longest = shutdown(1, i64::MAX).expect("it is cut");
        assert_eq!(longest.drain_limit, Some(LONGEST_DRAIN));
        let refused = [
            shutdown(7, 0).map(drop),
            shutdown(1, -1).map(drop),
            checked_logs(&v1::LogsRequest { min_level: 99, ..Default::default() }).map(drop),
            apply(0),
            apply(-1),
            apply(24 * 60 * 60 + 1),
            checked_apply(v1::ApplyConfigRequest::default()).map(drop),
            call("", "").map(drop),
            call("x", "{").map(drop),
            call("x", &"[".repeat(100_000)).map(drop),
        ];
        let fields = [
            "mode",
            "drain_limit",
            "min_level",
            "confirm_within",
            "confirm_within",
            "confirm_within",
            "confirm_within",
            "method",
            "params_json",
            "params_json",
        ];
        for (result, field) in refused.into_iter().zip(fields) {
            let error = result.expect_err(field);
            assert!(error.to_string().starts_with(field), "{error}");
        }
    }

    #[test]
    fn empty_params_are_none() {
        let request = v1::CallRequest {
            method: "health".to_owned(),
            params_json: " ".to_owned(),
            ..Default::default()
        };
        assert!(checked_call(request).expect("it is valid").params.is_none());
    }
}
