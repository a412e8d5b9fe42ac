//! Sends each call to the service it names, after asking whether its sender may call at all. A stranger gets a proper
//! gRPC refusal instead of a closed connection, so that any client can show why.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use gateway_admin::details::Reason;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;
use tower::util::BoxCloneSyncService;

use super::connection::Peer;

pub(super) type Request = http::Request<Body>;
pub(super) type Response = http::Response<Body>;
type Route = BoxCloneSyncService<Request, Response, Infallible>;

/// A gRPC service: it has a name, and each call is given to a copy of it.
pub(super) trait Named:
    Service<Request, Response = Response, Error = Infallible, Future: Send>
    + NamedService
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Named for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The services of the admin socket by name.
#[derive(Clone)]
pub(super) struct Routes {
    services: HashMap<&'static str, Route>,
    own_uid: u32,
}

impl Routes {
    /// No service yet. Peers of `own_uid` and root may call.
    pub(super) fn new(own_uid: u32) -> Self {
        Self { services: HashMap::new(), own_uid }
    }

    /// Adds a service under its own name.
    pub(super) fn with<S: Named>(mut self, service: S) -> Self {
        self.services.insert(S::NAME, BoxCloneSyncService::new(service));
        self
    }

    fn refusal(&self, request: &Request) -> Option<Status> {
        let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer { uid: None });
        if peer.may_enter(self.own_uid) {
            return None;
        }
        let user = peer.uid.map_or_else(|| "of unknown number".to_owned(), |uid| uid.to_string());
        tracing::warn!(subsystem = "admin", user, "refused a caller that is another user");
        let text = format!(
            "user {user} may not administer the gateway of user {}; run the command as that user or as root",
            self.own_uid
        );
        Some(Reason::PeerRefused.status(text, None))
    }

    fn route(&self, path: &str) -> Result<Route, Status> {
        let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let found = self.services.get(service).cloned();
        found.ok_or_else(|| {
            Status::unimplemented("this socket has no such service; reflection lists those it has")
        })
    }
}

impl Service<Request> for Routes {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let route = match self.refusal(&request) {
            Some(refused) => Err(refused),
            None => self.route(request.uri().path()),
        };
        match route {
            // gRPC services of tonic are always ready.
            Ok(mut service) => {
                tracing::debug!(subsystem = "admin", path = request.uri().path(), "admin call");
                service.call(request)
            }
            Err(status) => Box::pin(std::future::ready(Ok(status.into_http()))),
        }
    }
}
