//! One method call, by whichever way leads to the gateway that is meant: the private socket for the gateway of this
//! machine, the control plane for every other, and for this one too when a secret was given or the socket is not
//! ours.

use std::io;
use std::time::Duration;

use gateway_admin::connect::Error as SocketError;
use gateway_admin::v1::{CallRequest, CallResponse, StatusRequest};
use serde_json::Value;
use tonic::Code;

use crate::admin;
use crate::app::App;
use crate::args::ClientOptions;
use crate::exit::{Exit, Failure};
use crate::identity::{Identity, TokenFile};
use crate::target::Target;
use crate::ws::{self, Connection, Mode};

/// How long the daemon may take to say where it listens.
const ANSWER: Duration = Duration::from_secs(3);

/// Calls `method` and returns its result.
pub async fn call(
    app: &App,
    options: &ClientOptions,
    method: &str,
    params: Value,
    expect_final: bool,
) -> Result<Value, Failure> {
    let (settings, env) = app.settings();
    let target = Target::resolve(options, &settings, &env, &app.paths)?;
    let ask = async {
        if options.is_explicit() || !target.local {
            let target = where_it_listens(app, target, options.timeout).await?;
            return over_websocket(app, &target, options.timeout, method, params, expect_final).await;
        }
        match admin::connect(app).await {
            Ok(client) => over_socket(app, client, options.timeout, method, &params, expect_final).await,
            Err(
                SocketError::NotRunning { .. } | SocketError::Refused { .. } | SocketError::Foreign { .. },
            ) => {
                // It may still be a gateway that has no such socket, or another user's.
                over_websocket(app, &target, options.timeout, method, params, expect_final).await
            }
            Err(error) => Err(admin::connect_failure(app, &error)),
        }
    };
    app.out.during(&format!("waiting for {method}"), ask).await
}

async fn over_socket(
    app: &App,
    mut client: admin::Client,
    timeout: Duration,
    method: &str,
    params: &Value,
    expect_final: bool,
) -> Result<Value, Failure> {
    let request = CallRequest { method: method.to_owned(), params_json: params.to_string(), expect_final };
    let answer = client.call(admin::within(request, timeout)).await;
    let answer = answer.map_err(|status| admin::call_failure(app, &status))?.into_inner();
    result_of(answer).map_err(|error| failure(app, None, &error))
}

fn result_of(answer: CallResponse) -> Result<Value, ws::Error> {
    let parse = |text: &str| match text {
        "" => Ok(Value::Null),
        text => serde_json::from_str(text).map_err(|e| ws::Error::Protocol(e.to_string())),
    };
    if answer.ok {
        return parse(&answer.payload_json);
    }
    let error = answer.error.unwrap_or_default();
    let message = if error.message.is_empty() { "unknown error".to_owned() } else { error.message };
    Err(ws::Error::Method { code: error.code, message, details: parse(&error.details_json)? })
}

/// Calls `method` on a connection of its own to the control plane.
pub async fn over_websocket(
    app: &App,
    target: &Target,
    timeout: Duration,
    method: &str,
    params: Value,
    expect_final: bool,
) -> Result<Value, Failure> {
    let answer = ask(app, target, timeout, method, params, expect_final).await?;
    answer.map_err(|error| failure(app, Some(target), &error))
}

/// As [`over_websocket`], with the failure of the conversation as it is. The outer error is about this machine's key.
pub async fn ask(
    app: &App,
    target: &Target,
    timeout: Duration,
    method: &str,
    params: Value,
    expect_final: bool,
) -> Result<Result<Value, ws::Error>, Failure> {
    let (identity, tokens) = device(app)?;
    let options =
        ws::Options { identity: &identity, tokens: &tokens, mode: Mode::Cli, timeout, clock: &app.clock };
    let answer = async {
        let mut connection = Connection::open(target, options).await?;
        let answer = connection.call(method, params, expect_final).await;
        connection.close().await;
        answer
    };
    Ok(answer.await)
}

/// `target`, but where the running daemon says that it listens, when it is the one of this machine: its port may
/// have come from a flag. It is waited for no longer than for anything else. One that is there and does not say is an
/// error: that nobody listens on the configured port would mean nothing.
pub async fn where_it_listens(app: &App, target: Target, limit: Duration) -> Result<Target, Failure> {
    if !target.local {
        return Ok(target);
    }
    let Ok(mut client) = admin::connect(app).await else { return Ok(target) };
    match client.status(admin::within(StatusRequest {}, limit.min(ANSWER))).await {
        Ok(status) => Ok(target.at(&status.into_inner().listeners)),
        Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => {
            Err(admin::late(app))
        }
        Err(_) => Ok(target),
    }
}

/// This machine's key and the tokens issued to it.
pub fn device(app: &App) -> Result<(Identity, TokenFile), Failure> {
    let folder = app.paths.state.join("identity");
    let identity = Identity::load_or_create(&folder.join("device.json"), &app.clock);
    let identity = identity.map_err(|error| Failure::failed(with_cause(&error)))?;
    Ok((identity, TokenFile::new(folder.join("device-auth.json"))))
}

fn with_cause(error: &(dyn std::error::Error + 'static)) -> String {
    gateway_base::error_chain::Chain(error).to_string()
}

/// What a failed conversation means for the person at the terminal.
pub fn failure(app: &App, target: Option<&Target>, error: &ws::Error) -> Failure {
    let exit = if error.is_refusal() { Exit::Refused } else { Exit::Failed };
    if let ws::Error::Method { message, .. } = error {
        return Failure::new(exit, message.clone());
    }
    let Some(target) = target else { return Failure::new(exit, error.to_string()) };
    if error.is_nobody_there() && target.local {
        return admin::not_running(app);
    }
    let text = format!("{error}\n{}", target.details().plain().trim_end());
    let failure = Failure::new(exit, text);
    if let Some(request) = error.pairing_request() {
        return failure.hint(format!(
            "Let this device in, on the gateway's machine: {} devices approve {request}",
            app.words.control
        ));
    }
    match error {
        ws::Error::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
            failure.hint("Nothing listens there: start the gateway, or check the address.")
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use gateway_admin::v1::CallError;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sockets_answers_read_like_the_control_planes() {
        let ok = CallResponse { ok: true, payload_json: "{\"a\":1}".to_owned(), ..CallResponse::default() };
        assert_eq!(result_of(ok).ok(), Some(json!({"a": 1})));
        let null = CallResponse { ok: true, ..CallResponse::default() };
        assert_eq!(result_of(null).ok(), Some(Value::Null));
        let error = CallError {
            code: "INVALID_REQUEST".to_owned(),
            message: "missing scope: x".to_owned(),
            ..CallError::default()
        };
        let no = CallResponse { ok: false, error: Some(error), ..CallResponse::default() };
        assert!(result_of(no).expect_err("failed").is_refusal());
        let broken = CallResponse { ok: true, payload_json: "{".to_owned(), ..CallResponse::default() };
        assert!(matches!(result_of(broken), Err(ws::Error::Protocol(_))));
    }
}
