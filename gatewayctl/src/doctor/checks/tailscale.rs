//! Whether the Tailscale settings can work together. Only the configuration is judged, and whether the program is
//! there: what Tailscale itself serves is its own business.

use gateway_config::Config;
use gateway_config::sections::{AuthMode, TailscaleMode};

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Auth, Facts, goes_beyond};

/// The check.
pub const CHECK: Check = Check { id: "tailscale", group: Group::Access, title: "Tailscale settings", judge };

const NO_START: &str = "The gateway does not start with both.";

fn judge(facts: &Facts) -> Judged {
    let config = facts.effective()?;
    let tailscale = config.gateway.tailscale.mode;
    let allowed = config.gateway.auth.allow_tailscale == Some(true);
    let off = facts.command("config set gateway.tailscale.mode off");
    let mut findings = Vec::new();
    if tailscale == TailscaleMode::Off {
        if allowed {
            findings.push(Finding::warning(
                "gateway.auth.allowTailscale is on, and gateway.tailscale.mode is off",
                "Nobody arrives by Tailscale's proxy, so nobody is let in that way.",
                facts.command("config set gateway.tailscale.mode serve"),
            ));
        }
        return Ok(findings);
    }
    if facts.access.tailscale.is_none() {
        findings.push(Finding::error(
            "gateway.tailscale.mode is on, and there is no tailscale program",
            "The gateway is not published.",
            format!("Install it (https://tailscale.com/download), or {off}"),
        ));
    }
    if goes_beyond(&config.gateway, facts.auth(config).is_set()) {
        findings.push(Finding::error(
            format!("gateway.tailscale.mode needs gateway.bind loopback, and it is {}", config.gateway.bind),
            NO_START,
            facts.command("config set gateway.bind loopback"),
        ));
    }
    if tailscale == TailscaleMode::Funnel {
        findings.extend(funnel(facts, config, allowed));
    }
    Ok(findings)
}

/// On the internet only a password counts, and nobody has a Tailscale name.
fn funnel(facts: &Facts, config: &Config, allowed: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_password = matches!(facts.auth(config), Auth::Password(_));
    if !has_password || config.gateway.auth.mode == Some(AuthMode::Token) {
        findings.push(Finding::error(
            "gateway.tailscale.mode is funnel, and gateway.auth.mode is not password",
            NO_START,
            format!(
                "{}, and set gateway.auth.password",
                facts.command("config set gateway.auth.mode password")
            ),
        ));
    }
    if allowed {
        findings.push(Finding::warning(
            "gateway.auth.allowTailscale is on, and gateway.tailscale.mode is funnel",
            "Who comes from the internet has no Tailscale name; only the password lets anybody in.",
            facts.command("config unset gateway.auth.allowTailscale"),
        ));
    }
    findings
}
