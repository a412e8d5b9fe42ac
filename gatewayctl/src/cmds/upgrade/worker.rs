//! The upgrade runs in a process of its own, out of reach of the terminal: ending the command that was typed, even by
//! force, never leaves a version in place that nobody watches.

use std::ffi::OsString;
use std::process::Stdio;

use tokio::process::Command;

use crate::app::App;
use crate::args::UpgradeArgs;
use crate::exit::{Exit, Failure};
use crate::text::Text;

/// Marks the process that does the work.
const MARK: &str = "CLAWDBOT_UPGRADE_WORKER";

/// Whether this is the process that does the work.
#[must_use]
pub fn is_one(app: &App) -> bool {
    app.env.is_one(MARK)
}

/// Lets another process do the work and ends as it does. What it prints goes where this one would print.
pub async fn employ(app: &App, args: &UpgradeArgs) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("the upgrade cannot be started: {error}"));
    let own = app.own.clone().ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    let mut command = Command::new(own);
    command.args(words(app, args)).env(MARK, "1").stdin(Stdio::null());
    // The commands that it suggests are spelled as this one was.
    #[cfg(unix)]
    command.process_group(0).arg0(app.words.program());
    let mut child = command.spawn().map_err(failed)?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(failed)?,
            _ = tokio::signal::ctrl_c() => {
                let mut text = Text::default();
                text.say("The upgrade ends by itself, one way or the other.");
                app.out.note(&text);
            }
        }
    };
    match status.code().and_then(Exit::of_code).unwrap_or(Exit::Failed) {
        Exit::Ok => Ok(Exit::Ok),
        exit => Err(Failure::Told(exit)),
    }
}

fn words(app: &App, args: &UpgradeArgs) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if let Some(profile) = &app.paths.profile {
        words.extend(["--profile".into(), profile.name().into()]);
    }
    if !app.out.uses_colour() && !app.out.has_colour() {
        words.push("--no-color".into());
    }
    words.push("upgrade".into());
    if let Some(binary) = &args.binary {
        words.extend(["--binary".into(), binary.into()]);
    }
    let flags =
        [("--rollback", args.rollback), ("--system", args.options.system), ("--json", args.options.json)];
    words.extend(flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.into()));
    words.extend(["--wait".into(), format!("{}ms", args.wait.as_millis()).into()]);
    words
}
