//! Takes what only one gateway can have: the port, freed first if asked for, and the lock.

use std::net::IpAddr;

use gateway_base::clock::Clock;
use gateway_base::error_chain::Chain;
use gateway_base::lock_file::{Places, Record};
use gateway_base::{net, profile};
use gateway_config::sections::Gateway;

use super::checks::Allowed;
use super::identity::Identity;
use super::ownership::{self, Claim, Locks, Ownership};
use super::taken::{self, Scene};
use crate::bind::{self, Bound, Facts, Listener};
use crate::exit::{Exit, Refusal};
use crate::handover::Inherited;
use crate::{force, print};

/// What is ours from here on.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) locks: Locks,
    pub(super) ownership: Ownership,
    pub(super) bound: Bound,
}

/// Frees the port if `force` says so, then takes the lock, then the port.
pub(super) async fn claim(
    who: &Identity,
    allowed: &Allowed,
    config: &Gateway,
    clock: &Clock,
    force: bool,
    inherited: &mut Inherited,
) -> Result<Claimed, Refusal> {
    let port = allowed.port.number;
    // A port that was handed over is ours already; the only holders are this process and the service manager.
    if force && !inherited.tcp.iter().any(|listener| listener.address.port() == port) {
        free(port).await?;
    }
    let scene = Scene { port, paths: &who.paths, env: &who.env };
    let places = Places::new(&who.env);
    let record = Record::of_this_process(clock, &who.paths.config, port, &allowed.bind.to_string());
    let claim = Claim {
        places: &places,
        paths: &who.paths,
        port: allowed.port,
        allows_many: who.env.is_one("CLAWDBOT_ALLOW_MULTI_GATEWAY"),
        is_restart: inherited.tcp.iter().any(Listener::is_ours),
    };
    let (locks, ownership) =
        ownership::claim(claim, &record).await.map_err(|error| taken::lock(&error, scene))?;
    let interfaces = interfaces(allowed);
    let facts = Facts {
        custom_host: config.custom_bind_host.as_deref(),
        interfaces: &interfaces,
        has_auth: !allowed.auth.is_none(),
    };
    let bound = bind::open(allowed.bind, port, facts, &mut inherited.tcp)
        .map_err(|error| taken::listener(&error, scene))?;
    Ok(Claimed { locks, ownership, bound })
}

async fn free(port: u16) -> Result<(), Refusal> {
    match force::free(port).await {
        Ok(lines) => {
            lines.iter().for_each(|line| print::success(line));
            Ok(())
        }
        Err(error) => Err(Refusal::new(Exit::Taken, [format!("Force: Error: {}", Chain(&error))])),
    }
}

/// Loopback needs no look at the interfaces.
pub(super) fn interfaces(allowed: &Allowed) -> Vec<IpAddr> {
    if bind::is_loopback_only(allowed.bind) {
        return Vec::new();
    }
    net::interface_addresses().unwrap_or_else(|error| {
        tracing::warn!(subsystem = "gateway", %error, "the network interfaces cannot be listed");
        Vec::new()
    })
}

/// What a person should know about what was claimed, for the log.
pub(super) fn report(who: &Identity, allowed: &Allowed, claimed: &Claimed) {
    for note in &claimed.bound.notes {
        tracing::warn!(subsystem = "gateway", "{note}");
    }
    if let Ownership::Secondary { owner_pid, owner_port } = &claimed.ownership {
        let number = |n: Option<u32>| n.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
        tracing::warn!(
            subsystem = "gateway",
            "another gateway owns {} (pid {}, port {}); starting without channels, cron and heartbeat",
            who.paths.tilde(&who.paths.state),
            number(*owner_pid),
            number(owner_port.map(u32::from)),
        );
    }
    let on_loopback_only = claimed.bound.listeners.iter().all(|l| net::is_loopback(l.address.ip()));
    // Tailscale publishes what is on loopback, and nothing else.
    if on_loopback_only && allowed.exposure.reach.is_none() && net::in_container(&who.env) {
        let port = allowed.port.number;
        tracing::warn!(
            subsystem = "gateway",
            "running in a container and listening on loopback only: a published port {port} does not reach the \
             gateway; start it with --bind lan and a token"
        );
    }
    if allowed.auth.is_none() && !who.is_dev {
        let command = profile::hint(who.paths.profile.as_ref(), "gatewayd --token <token>");
        tracing::warn!(
            subsystem = "gateway",
            "no gateway auth configured: every program on this machine may connect (set gateway.auth.token, or: {command})"
        );
    }
}
