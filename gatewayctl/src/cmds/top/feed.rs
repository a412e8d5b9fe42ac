//! What the daemon says, as news for the model. A daemon that goes away is looked for until it is back.

use std::time::Duration;

use gateway_admin::time;
use gateway_admin::v1::{LogLevel, LogsRequest, MetricsRequest, StatusRequest};
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::model::News;
use crate::admin;
use crate::app::App;
use crate::exit::Failure;

/// How often a daemon that went away is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a daemon may take for an answer, and for a snapshot beyond its time.
const LIMIT: Duration = Duration::from_secs(5);
/// How many lines of the log there are to begin with.
const TAIL: u32 = 50;

/// Sends news until nobody wants them.
pub async fn follow(app: &App, interval: Duration, to: Sender<News>) {
    while !to.is_closed() {
        let why = match Box::pin(session(app, interval, &to)).await {
            Ok(()) => "the gateway went away".to_owned(),
            Err(failure) => failure.to_string(),
        };
        if to.send(News::Gone(why)).await.is_err() {
            return;
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// One connection, until it ends or nobody wants to know.
async fn session(app: &App, interval: Duration, to: &Sender<News>) -> Result<(), Failure> {
    let mut client = admin::connect(app).await.map_err(|error| admin::connect_failure(app, &error))?;
    let failed = |status: tonic::Status| admin::call_failure(app, &status);
    let status = client.status(admin::within(StatusRequest {}, LIMIT)).await.map_err(failed)?;
    let _ = to.send(News::Connected(Box::new(status.into_inner()))).await;
    let request = MetricsRequest { interval: Some(time::duration(interval)) };
    let mut snapshots = client.metrics(request).await.map_err(failed)?.into_inner();
    let request = LogsRequest { cursor: None, tail: TAIL, follow: true, min_level: LogLevel::Warn.into() };
    let mut lines = client.logs(request).await.map_err(failed)?.into_inner();
    loop {
        let news = tokio::select! {
            // A daemon that is frozen keeps its socket open and says nothing.
            snapshot = timeout(interval + LIMIT, snapshots.message()) => match snapshot {
                Ok(snapshot) => snapshot.map_err(failed)?.map(|snapshot| News::Snapshot(Box::new(snapshot))),
                Err(_) => return Err(Failure::failed("the gateway does not answer")),
            },
            batch = lines.message() => batch.map_err(failed)?.map(|batch| News::Lines(batch.lines)),
        };
        let Some(news) = news else { return Ok(()) };
        if to.send(news).await.is_err() {
            return Ok(());
        }
    }
}
