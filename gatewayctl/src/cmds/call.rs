//! `call`: any method of the control plane.

use serde_json::Value;

use crate::app::App;
use crate::args::CallArgs;
use crate::exit::{Exit, Failure};
use crate::gateway;
use crate::text::clean_json;

/// Calls the method and prints its result.
pub async fn run(app: &App, args: &CallArgs) -> Result<Exit, Failure> {
    let params: Value = serde_json::from_str(&args.params).map_err(|error| {
        Failure::new(Exit::Usage, format!("Gateway call failed: --params is not JSON: {error}"))
    })?;
    let answer = gateway::call(app, &args.client, &args.method, params, args.expect_final)
        .await
        .map_err(|failure| failure.context("Gateway call failed"))?;
    if app.out.is_json() {
        app.out.json(&answer)?;
        return Ok(Exit::Ok);
    }
    app.out.say(format!("Gateway call: {}", args.method))?;
    let text = serde_json::to_string_pretty(&answer).unwrap_or_default();
    app.out.verbatim(&format!("{}\n", clean_json(&text)))?;
    Ok(Exit::Ok)
}
