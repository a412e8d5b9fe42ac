//! Whether anything listens beyond this machine without a secret, or sends the secret in clear (rule R23). A running
//! daemon is judged by the listeners it really has, a stopped one by what it would open.

use gateway_base::net;
use gateway_config::Config;
use gateway_config::sections::{Bind, Gateway};

use crate::doctor::check::{Check, Finding, Group, Judged, Level};
use crate::doctor::facts::{Answers, Facts, goes_beyond, host, is_local};

/// The check.
pub const CHECK: Check =
    Check { id: "exposure", group: Group::Access, title: "exposure of the listeners", judge };

const OPEN: &str = "Whoever reaches it can read every conversation and run every tool.";
const IN_CLEAR: &str = "The token and every conversation cross the network readable.";

fn judge(facts: &Facts) -> Judged {
    let config = facts.effective()?;
    let mut findings = match facts.answers() {
        Some(answers) => running(facts, answers),
        None => planned(facts, config),
    };
    findings.extend(page(facts, config));
    Ok(findings)
}

fn running(facts: &Facts, answers: &Answers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for listener in answers.status.listeners.iter().filter(|listener| !is_local(&listener.url)) {
        let url = &listener.url;
        if answers.status.auth_mode == "none" {
            findings.push(Finding::error(
                format!("{url} takes everybody without a secret"),
                OPEN,
                close(facts),
            ));
        } else if listener.tls_fingerprint.is_empty() && !host(url).is_some_and(net::is_tailnet) {
            findings.push(Finding::warning(format!("{url} is not encrypted"), IN_CLEAR, encrypt(facts)));
        }
    }
    findings
}

fn planned(facts: &Facts, config: &Config) -> Vec<Finding> {
    let gateway = &config.gateway;
    let has_auth = facts.auth(config).is_set();
    if !goes_beyond(gateway, has_auth) {
        return Vec::new();
    }
    let bind = gateway.bind;
    if !has_auth {
        let finding = format!("gateway.bind is {bind}, and there is no token or password");
        return vec![Finding::error(finding, "The gateway does not start.", close(facts))];
    }
    if gateway.tls.enabled || is_private_network(gateway) {
        return Vec::new();
    }
    vec![Finding::warning(format!("gateway.bind is {bind}, without encryption"), IN_CLEAR, encrypt(facts))]
}

/// A tailnet encrypts by itself.
fn is_private_network(gateway: &Gateway) -> bool {
    match gateway.bind {
        Bind::Tailnet => true,
        Bind::Address(address) => net::is_tailnet(address),
        Bind::Custom => {
            let address = gateway.custom_bind_host.as_deref().and_then(net::parse_address);
            address.is_some_and(net::is_tailnet)
        }
        Bind::Auto | Bind::Lan | Bind::Loopback => false,
    }
}

/// The switches of the control page that take checks away.
fn page(facts: &Facts, config: &Config) -> Vec<Finding> {
    let page = &config.gateway.control_ui;
    let level = if facts.is_reachable(config) { Level::Error } else { Level::Warning };
    let switches = [
        (
            page.dangerously_disable_device_auth,
            "gateway.controlUi.dangerouslyDisableDeviceAuth",
            "The secret alone opens the control page, from any browser that knows it.",
        ),
        (
            page.allow_insecure_auth,
            "gateway.controlUi.allowInsecureAuth",
            "The control page takes the secret over plain HTTP, where it can be read on the way.",
        ),
    ];
    let on = switches.into_iter().filter(|(is_on, ..)| *is_on && page.enabled);
    let found = on.map(|(_, key, consequence)| {
        Finding::new(
            level,
            format!("{key} is on"),
            consequence,
            facts.command(&format!("config unset {key}")),
        )
    });
    found.collect()
}

fn close(facts: &Facts) -> String {
    format!(
        "{}, or stay on this machine: {}",
        facts.command("config set gateway.auth.token \"$(openssl rand -hex 24)\""),
        facts.command("config set gateway.bind loopback")
    )
}

fn encrypt(facts: &Facts) -> String {
    format!(
        "{}, or put a proxy with TLS in front and bind to loopback",
        facts.command("config set gateway.tls.enabled true")
    )
}
