//! The standard gRPC health service, answered from the board itself: a check after a stop began can not find an older
//! answer, as it could if the answers were kept in a second place.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Stream, StreamExt, future, stream};
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::health::{Board, Snapshot};

/// The service behind `grpc.health.v1.Health`.
pub(super) struct HealthService {
    pub(super) board: Board,
    /// Ends the streams of those who watch.
    pub(super) stop: CancellationToken,
}

#[tonic::async_trait]
impl Health for HealthService {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match status(&self.board.snapshot(), &request.get_ref().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("there is no such service")),
            status => Ok(Response::new(answer(status))),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let told = Arc::new(Mutex::new(None));
        let tell = move |snapshot: Snapshot| {
            let now = status(&snapshot, &service);
            let before = told.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
            future::ready((before != Some(now)).then(|| Ok(answer(now))))
        };
        let changes =
            WatchStream::new(self.board.subscribe()).take_until(self.stop.clone().cancelled_owned());
        // The last state is told even when the end came together with it.
        let board = self.board.clone();
        let last = stream::once(async move { board.snapshot() });
        Ok(Response::new(changes.chain(last).filter_map(tell).boxed()))
    }
}

fn status(snapshot: &Snapshot, service: &str) -> ServingStatus {
    match snapshot.services().find(|(name, _)| *name == service) {
        Some((_, true)) => ServingStatus::Serving,
        Some((_, false)) => ServingStatus::NotServing,
        None => ServingStatus::ServiceUnknown,
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
