//! Whether the bind mode means an address that this machine has (rule R30).

use gateway_base::net;
use gateway_config::sections::{Bind, TailscaleMode};

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::Facts;

/// The check.
pub const CHECK: Check = Check { id: "bind", group: Group::Access, title: "bind address", judge };

fn judge(facts: &Facts) -> Judged {
    let gateway = &facts.effective()?.gateway;
    let here = &facts.access.interfaces;
    let is_missing = |address| {
        !net::is_loopback(address)
            && !address.is_unspecified()
            && !here.is_empty()
            && !here.contains(&address)
    };
    let not_here = |what: &str, address| {
        let finding = format!("{what} is {address}, which this machine does not have");
        let fix = facts.command("config set gateway.bind loopback");
        Finding::error(finding, "The gateway does not start until the address is there.", fix)
    };
    let found = match gateway.bind {
        Bind::Address(address) if is_missing(address) => not_here("gateway.bind", address),
        Bind::Custom => match gateway.custom_bind_host.as_deref().and_then(net::parse_address) {
            Some(address) if is_missing(address) => not_here("gateway.customBindHost", address),
            Some(_) => return Ok(Vec::new()),
            None => Finding::error(
                "gateway.bind is custom, and gateway.customBindHost is no address",
                "The gateway does not start.",
                facts.command("config set gateway.customBindHost ADDRESS"),
            ),
        },
        Bind::Tailnet if !here.iter().copied().any(net::is_tailnet) => Finding::warning(
            "gateway.bind is tailnet, and this machine has no tailnet address",
            "The gateway listens on this machine only.",
            "tailscale up",
        ),
        // Tailscale takes nothing else, and reaches it there.
        Bind::Loopback if gateway.tailscale.mode != TailscaleMode::Off => return Ok(Vec::new()),
        Bind::Loopback if facts.access.in_container => Finding::warning(
            "the gateway listens on loopback inside a container",
            "A published port does not reach it.",
            format!("{} (with a token)", facts.command("config set gateway.bind lan")),
        ),
        Bind::Auto | Bind::Lan | Bind::Loopback | Bind::Tailnet | Bind::Address(_) => return Ok(Vec::new()),
    };
    Ok(vec![found])
}
