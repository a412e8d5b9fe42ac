//! Chooses the way to the log.

use gateway_admin::connect::Error as SocketError;

use super::{file, remote, show::Printer, socket};
use crate::admin;
use crate::app::App;
use crate::args::LogsArgs;
use crate::exit::{Exit, Failure};
use crate::gateway;
use crate::target::Target;

/// Prints the log.
pub async fn run(app: &App, args: &LogsArgs) -> Result<Exit, Failure> {
    let (settings, env) = app.settings();
    let target = Target::resolve(&args.client, &settings, &env, &app.paths)?;
    let mut printer = Printer::new(app, args);
    if args.client.is_explicit() || !target.local {
        let target = gateway::where_it_listens(app, target, args.client.timeout).await?;
        return remote::run(app, args, &target, &mut printer).await;
    }
    match app.out.during("waiting for the gateway", admin::connect(app)).await {
        Ok(client) => socket::run(app, args, client, &mut printer).await,
        Err(SocketError::NotRunning { .. }) => {
            file::run(app, args, &settings.log_file(&app.paths), &mut printer).await
        }
        Err(error) => Err(admin::connect_failure(app, &error)),
    }
}
