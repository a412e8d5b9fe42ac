//! Whether there is a configuration at all, and whether it lets a gateway run here: the two refusals that a first
//! start ends in.

use gateway_config::sections::Mode;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::Facts;

/// The check.
pub const CHECK: Check = Check { id: "mode", group: Group::Configuration, title: "gateway mode", judge };

fn judge(facts: &Facts) -> Judged {
    let config = facts.effective()?;
    // A daemon that runs was allowed to, by a flag or in development mode.
    if facts.answers().is_some() {
        return Ok(Vec::new());
    }
    let set_local = facts.command("config set gateway.mode local");
    let found = match config.gateway.mode {
        Some(Mode::Local) => return Ok(Vec::new()),
        Some(Mode::Remote) if config.gateway.remote.url.is_none() => Finding::error(
            "gateway.mode is remote and gateway.remote.url is not set",
            "Commands on this machine find no gateway, and none starts here.",
            format!("{}, or {set_local}", facts.command("config set gateway.remote.url wss://HOST:18789")),
        ),
        // This machine uses a gateway elsewhere; that is a choice, not a fault.
        Some(Mode::Remote) => return Ok(Vec::new()),
        None if !facts.config.snapshot.exists => Finding::error(
            format!("there is no configuration file ({})", facts.shown(&facts.paths.config)),
            "The gateway does not start.",
            set_local,
        ),
        None => Finding::error("gateway.mode is not set", "The gateway does not start.", set_local),
    };
    Ok(vec![found])
}
