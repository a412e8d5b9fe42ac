//! What the daemon of this state folder says, over its private socket.

use std::time::Duration;

use gateway_admin::connect::Error as SocketError;
use gateway_admin::v1::{CallRequest, HealthRequest, StatusRequest};
use gateway_wire::types::devices::DevicePairListResult;

use crate::admin;
use crate::app::App;
use crate::doctor::facts::{Answers, DaemonFacts};

const LIMIT: Duration = Duration::from_secs(5);

/// Asks it.
pub async fn ask(app: &App) -> DaemonFacts {
    let mut client = match admin::connect(app).await {
        Ok(client) => client,
        Err(SocketError::NotRunning { .. }) => return DaemonFacts::NotRunning,
        Err(error @ (SocketError::Refused { .. } | SocketError::Foreign { .. })) => {
            return DaemonFacts::Refused(error.to_string());
        }
        Err(error) => return DaemonFacts::Silent(error.to_string()),
    };
    let status = match client.status(admin::within(StatusRequest {}, LIMIT)).await {
        Ok(status) => status.into_inner(),
        Err(status) if status.code() == tonic::Code::PermissionDenied => {
            return DaemonFacts::Refused(status.message().to_owned());
        }
        Err(status) => return DaemonFacts::Silent(status.message().to_owned()),
    };
    let health = client.health(admin::within(HealthRequest {}, LIMIT)).await;
    let health = health.map(tonic::Response::into_inner).unwrap_or_default();
    let devices = devices(&mut client).await;
    DaemonFacts::Answered(Box::new(Answers { status, health, devices }))
}

async fn devices(client: &mut admin::Client) -> Result<DevicePairListResult, String> {
    let method = "device.pair.list".to_owned();
    let request = CallRequest { method, params_json: "{}".to_owned(), expect_final: false };
    let answer = client.call(admin::within(request, LIMIT)).await;
    let answer = answer.map_err(|status| status.message().to_owned())?.into_inner();
    if !answer.ok {
        return Err(answer.error.unwrap_or_default().message);
    }
    serde_json::from_str(&answer.payload_json).map_err(|error| error.to_string())
}
