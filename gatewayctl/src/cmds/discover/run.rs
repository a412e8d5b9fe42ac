//! Looks and prints.

use super::render::render;
use super::report::Report;
use crate::app::App;
use crate::args::DiscoverArgs;
use crate::discovery;
use crate::exit::{Exit, Failure};

/// Looks for gateways. None is an answer too.
pub async fn run(app: &App, args: &DiscoverArgs) -> Result<Exit, Failure> {
    let looking = discovery::beacons(args.timeout);
    let found = app.out.during("looking for gateways", looking).await;
    let found = found.map_err(|error| Failure::failed(format!("gateway discover failed: Error: {error}")))?;
    let report = Report::new(args.timeout, found);
    if app.out.is_json() {
        app.out.json(&report)?;
    } else {
        app.out.print(&render(&report))?;
    }
    Ok(Exit::Ok)
}
