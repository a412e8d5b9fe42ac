//! Whether the service outlives the log-out of its user.

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, Unknown};
use crate::service::{Installed, Manager, Scope};

/// The check.
pub const CHECK: Check = Check { id: "linger", group: Group::Service, title: "service after log-out", judge };

fn judge(facts: &Facts) -> Judged {
    let service = &facts.service.service;
    if service.manager != Manager::Systemd {
        return Err(Unknown("only systemd ties services to a log-in".to_owned()));
    }
    let is_ours = service.command.is_some() && service.scope == Scope::User;
    if !is_ours || service.installed == Installed::No {
        return Ok(Vec::new());
    }
    match facts.service.lingers {
        None => Err(Unknown("the log-in manager cannot be asked".to_owned())),
        Some(true) => Ok(Vec::new()),
        Some(false) => Ok(vec![Finding::warning(
            "the service ends when its user logs out (linger is off)",
            "The gateway is gone with the last ssh session.",
            facts.command("install --linger"),
        )]),
    }
}
