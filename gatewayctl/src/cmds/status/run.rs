//! Runs `status` and decides its exit code.

use super::gather::gather;
use super::render::{notes, render};
use crate::app::App;
use crate::args::StatusArgs;
use crate::exit::{Exit, Failure};

/// Gathers, prints, and ends with 0 when the report could be made, unless the configuration is broken or
/// `--require-rpc` asks for more.
pub async fn run(app: &App, args: &StatusArgs) -> Result<Exit, Failure> {
    let (report, target) =
        gather(app, args).await.map_err(|failure| failure.context("Gateway status failed"))?;
    if app.out.is_json() {
        app.out.json(&report)?;
    } else {
        app.out.print(&render(&report, &target, app))?;
        app.out.note(&notes(&report, app));
    }
    let rpc = report.verdict.state.exit();
    if args.require_rpc && rpc != Exit::Ok {
        return Ok(rpc);
    }
    let degraded = report.daemon.as_ref().is_some_and(|daemon| !daemon.config_degraded.is_empty());
    if args.client.url.is_none() && (degraded || !report.config.daemon.valid) {
        return Ok(Exit::BadConfig);
    }
    Ok(Exit::Ok)
}
