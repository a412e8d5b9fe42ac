//! The daemon of this machine, over its private socket. Every way to fail becomes a sentence with the next command.

use std::time::Duration;

use gateway_admin::connect::{self, ConnectOptions};
use gateway_admin::details::{self, Reason};
use gateway_admin::endpoint::{Endpoint, default_socket};
use gateway_admin::v1::admin_client::AdminClient;
use gateway_admin::v1::{StatusRequest, StatusResponse};
use gateway_base::paths::Paths;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::app::App;
use crate::exit::{Exit, Failure};

/// The largest answer that is taken from the daemon.
const MAX_MESSAGE: usize = 64 << 20;

/// The client of the admin service.
pub type Client = AdminClient<Channel>;

/// How long a daemon that is starting or restarting may take to open its socket.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long an answer about itself may take.
const ANSWER: Duration = Duration::from_secs(2);

/// Connects to the daemon of this state folder. One that is just starting or restarting gets a moment.
pub async fn connect(app: &App) -> Result<Client, connect::Error> {
    let endpoint = Endpoint::find(&app.paths.state);
    // Only a hint how long to be patient, where none has ever run: whether one runs is asked by connecting.
    let ran_before = default_socket(&app.paths.state).parent().is_some_and(|folder| folder.exists());
    let wait = if ran_before { PATIENCE } else { Duration::ZERO };
    let channel = connect::connect(&endpoint, ConnectOptions { wait }).await?;
    Ok(AdminClient::new(channel).max_decoding_message_size(MAX_MESSAGE))
}

/// What the daemon of this state folder says of itself, if it answers at once.
pub async fn status_of(paths: &Paths) -> Option<StatusResponse> {
    let options = ConnectOptions { wait: Duration::ZERO };
    let channel = connect::connect(&Endpoint::find(&paths.state), options).await.ok()?;
    let asked = AdminClient::new(channel).status(within(StatusRequest {}, ANSWER)).await;
    asked.ok().map(tonic::Response::into_inner)
}

/// Connects, or says what to do.
pub async fn require(app: &App) -> Result<Client, Failure> {
    app.out
        .during("waiting for the gateway", connect(app))
        .await
        .map_err(|error| connect_failure(app, &error))
}

/// A request with a time limit, which the daemon is told too.
pub fn within<T>(message: T, limit: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

/// What the daemon answers to `ask`, unless it takes longer than `limit`: a stream has no limit of its own, and a frozen
/// daemon would be waited for without end.
pub async fn in_time<T>(
    app: &App,
    limit: Duration,
    ask: impl Future<Output = Result<T, Status>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, ask).await {
        Ok(answer) => answer.map_err(|status| call_failure(app, &status)),
        Err(_) => Err(late(app)),
    }
}

/// A daemon that took too long.
pub fn late(app: &App) -> Failure {
    let failure = Failure::failed("The gateway did not answer in time.");
    failure.hint(format!("How it is: {}", app.suggest("status")))
}

/// Why the socket could not be used.
pub fn connect_failure(app: &App, error: &connect::Error) -> Failure {
    use connect::Error;
    match error {
        Error::NotRunning { .. } => not_running(app),
        Error::Refused { .. } | Error::Foreign { .. } => Failure::new(Exit::Refused, error.to_string()),
        Error::Timeout { .. } => {
            Failure::failed(error.to_string()).hint(format!("Its log may say why: {}", app.suggest("logs")))
        }
        Error::Other { source, .. } => Failure::failed(format!("{error}: {source}")),
    }
}

/// The one sentence for a daemon that is not there.
pub fn not_running(app: &App) -> Failure {
    Failure::new(
        Exit::NotRunning,
        format!("The gateway is not running; start it with: {}", app.suggest_start()),
    )
}

/// Why a call on the open socket failed.
pub fn call_failure(app: &App, status: &Status) -> Failure {
    let text = status.message();
    let said = if text.is_empty() { status.code().description() } else { text };
    let failure = |exit| Failure::new(exit, said.to_owned());
    match Reason::of(status) {
        Some(Reason::PeerRefused) => failure(Exit::Refused),
        Some(Reason::ConfigInvalid) => {
            failure(Exit::BadConfig).hint(format!("Check it with: {}", app.suggest("config validate")))
        }
        Some(Reason::Starting | Reason::Draining | Reason::Overloaded) => {
            let wait = details::retry_after(status).unwrap_or(Duration::from_secs(1));
            failure(Exit::Failed).hint(format!("Try again in {} ms.", wait.as_millis()))
        }
        Some(_) => failure(Exit::Failed),
        None => match status.code() {
            Code::PermissionDenied | Code::Unauthenticated => failure(Exit::Refused),
            Code::DeadlineExceeded | Code::Cancelled => late(app),
            Code::Unavailable => Failure::failed("The gateway closed the connection before it answered."),
            _ => failure(Exit::Failed),
        },
    }
}
