//! From the parsed command line to the command.

use crate::app::App;
use crate::args::{Cli, Command, WatchAction};
use crate::cmds;
use crate::cmds::service::Request;
use crate::exit::{Exit, Failure};

/// Runs the command.
pub async fn run(app: &App, cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Status(args) => cmds::status::run(app, &args).await,
        Command::Health(args) => cmds::health::run(app, &args).await,
        Command::Probe(args) => cmds::probe::run(app, &args).await,
        Command::Discover(args) => cmds::discover::run(app, &args).await,
        Command::Onboard(args) => cmds::onboard::run(app, &args).await,
        Command::Setup(args) => cmds::setup::run(app, &args).await,
        Command::Dashboard(args) => cmds::dashboard::run(app, &args).await,
        Command::Doctor(args) => crate::doctor::run(app, &args).await,
        Command::Call(args) => cmds::call::run(app, &args).await,
        Command::Reload(args) => cmds::reload::run(app, &args).await,
        Command::Shutdown(args) => cmds::shutdown::run(app, &args).await,
        Command::Install(args) => cmds::service::run(app, Request::Install(&args)).await,
        Command::Start(args) => cmds::service::run(app, Request::Start(&args)).await,
        Command::Stop(args) => cmds::service::run(app, Request::Stop(&args)).await,
        Command::Restart(args) => cmds::service::run(app, Request::Restart(&args)).await,
        Command::Upgrade(args) => cmds::upgrade::run(app, &args).await,
        Command::Uninstall(args) => cmds::service::run(app, Request::Uninstall(&args)).await,
        Command::Top(args) => Box::pin(cmds::top::run(app, &args)).await,
        Command::Watch(args) => match &args.action {
            Some(WatchAction::Install(args)) => cmds::service::run(app, Request::WatchInstall(args)).await,
            Some(WatchAction::Uninstall(args)) => {
                cmds::service::run(app, Request::WatchUninstall(args)).await
            }
            Some(WatchAction::Status(_)) => cmds::watch::status(app).await,
            None => cmds::watch::run(app, &args).await,
        },
        Command::Logs(args) => cmds::logs::run(app, &args).await,
        Command::Config(command) => cmds::config::run(app, &command).await,
        Command::Devices(command) => cmds::devices::run(app, &command).await,
        Command::UsageCost(args) => cmds::usage_cost::run(app, &args).await,
        Command::Completions { shell } => cmds::offline::completions(&app.out, app.words, shell),
        Command::Man { to } => cmds::offline::man(&app.out, to.as_deref()),
        Command::Version(_) => cmds::offline::version(&app.out),
    }
}
