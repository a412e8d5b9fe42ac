//! Reflection in both its versions. Taking the contract apart costs as much as a fifth of a start and the memory of
//! every name in it, and most daemons are never asked; so a version is made at its first call.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use gateway_admin::DESCRIPTOR_SET;
use tonic::Status;
use tonic::server::NamedService;
use tonic_reflection::pb;
use tonic_reflection::server::{Builder, Error};
use tower::Service;

use super::routes::{Named, Request, Response};

/// The current version.
pub(super) fn v1() -> impl Named {
    Lazy::new(|| contract().build_v1())
}

/// The version that many stock tools still ask for.
pub(super) fn v1alpha() -> impl Named {
    Lazy::new(|| contract().build_v1alpha())
}

fn contract() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(pb::v1alpha::FILE_DESCRIPTOR_SET)
        .include_reflection_service(false)
}

struct Lazy<S> {
    make: fn() -> Result<S, Error>,
    made: Arc<OnceLock<Result<S, Error>>>,
}

impl<S> Lazy<S> {
    fn new(make: fn() -> Result<S, Error>) -> Self {
        Self { make, made: Arc::default() }
    }
}

impl<S> Clone for Lazy<S> {
    fn clone(&self) -> Self {
        Self { make: self.make, made: self.made.clone() }
    }
}

impl<S: NamedService> NamedService for Lazy<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Named> Service<Request> for Lazy<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.made.get_or_init(self.make) {
            // gRPC services of tonic are always ready.
            Ok(service) => Box::pin(service.clone().call(request)),
            Err(error) => {
                tracing::error!(subsystem = "admin", %error, "the contract cannot be offered by reflection");
                let status = Status::internal("the contract cannot be offered by reflection");
                Box::pin(std::future::ready(Ok(status.into_http())))
            }
        }
    }
}
