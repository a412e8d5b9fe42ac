//! The words for a port or a lock that somebody else has: the line of the tutorial, the line of the original, who
//! it is, and what to do about it (operations 2.5 and 4.4).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use gateway_base::env::Env;
use gateway_base::error_chain::Chain;
use gateway_base::listeners::{self, Usage};
use gateway_base::lock_file::Record;
use gateway_base::net;
use gateway_base::paths::Paths;
use gateway_base::profile::{self, Profile};

use super::ownership;
use crate::bind;
use crate::exit::{Exit, Refusal};

/// Where this start takes place, for the words.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The port that was wanted.
    pub port: u16,
    /// The paths, and with them the profile.
    pub paths: &'a Paths,
    /// The environment.
    pub env: &'a Env,
}

impl<'a> Scene<'a> {
    fn profile(&self) -> Option<&'a Profile> {
        self.paths.profile.as_ref()
    }

    fn stop_hint(&self) -> String {
        profile::hint(self.profile(), "clawdbot gateway stop")
    }
}

/// The refusal for a lock that was not taken.
#[must_use]
pub fn lock(error: &ownership::Error, scene: Scene<'_>) -> Refusal {
    let (owner, waited) = match error {
        ownership::Error::Running { owner, waited } => (owner.as_ref(), *waited),
        ownership::Error::Lock(error) => {
            let text = format!("Gateway failed to start: {}", Chain(error));
            return Refusal::new(Exit::Failed, [text, supervised(scene)]);
        }
    };
    let same_port = owner.and_then(|record| record.port) == Some(scene.port);
    let mut lines = Vec::new();
    if same_port {
        lines.push(address_in_use(scene.port));
    }
    let pid = owner.map(|record| format!(" (pid {})", record.pid)).unwrap_or_default();
    let limit = if waited { "; lock timeout after 5000ms" } else { "" };
    lines.push(format!("Gateway failed to start: gateway already running{pid}{limit}"));
    lines.push(supervised(scene));
    match owner.filter(|_| same_port) {
        // The record says what a search through all processes would, and at once.
        Some(owner) => lines.extend(owner_usage(owner, scene.port).lines(scene.port, scene.profile())),
        None => lines.push(listeners::already_running(scene.profile())),
    }
    lines.extend(service_lines(scene));
    Refusal::new(Exit::Taken, lines)
}

/// The refusal for a listener that could not be opened.
#[must_use]
pub fn listener(error: &bind::Error, scene: Scene<'_>) -> Refusal {
    match error {
        bind::Error::Taken(_) => {
            let mut lines = vec![address_in_use(scene.port), format!("Gateway failed to start: {error}")];
            lines.push(supervised(scene));
            lines.extend(Usage::of(scene.port).lines(scene.port, scene.profile()));
            lines.extend(service_lines(scene));
            Refusal::new(Exit::Taken, lines)
        }
        bind::Error::Other { .. } => {
            Refusal::new(Exit::Failed, [format!("Gateway failed to start: {error}")])
        }
        // The address may come later, with the network; whoever supervises may try again.
        bind::Error::NotHere { .. } => {
            Refusal::new(Exit::Failed, [format!("Gateway failed to start: Error: {error}")])
        }
        bind::Error::Setting(_) | bind::Error::NoAuth(_) | bind::Error::Misfit { .. } => {
            Refusal::new(Exit::Refused, [format!("Gateway failed to start: Error: {error}")])
        }
    }
}

/// The line the tutorial shows, whatever address was really tried.
fn address_in_use(port: u16) -> String {
    format!("Error: listen EADDRINUSE: address already in use :::{port}")
}

fn supervised(scene: Scene<'_>) -> String {
    format!("If the gateway is supervised, stop it with: {}", scene.stop_hint())
}

fn owner_usage(owner: &Record, port: u16) -> Usage {
    let host = owner.bind.as_deref().and_then(net::parse_address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut holder = listeners::describe(owner.pid, SocketAddr::new(host, port));
    if holder.command.is_none() {
        holder.command = Some("gatewayd".to_owned());
    }
    Usage::Busy(vec![holder])
}

/// What is known about a service of this gateway, from its files alone: no manager is asked, so it costs nothing.
fn service_lines(scene: Scene<'_>) -> Vec<String> {
    // The service that says this need not be stopped; it is ending.
    if scene.env.get("CLAWDBOT_SERVICE_MARKER").is_some() {
        return Vec::new();
    }
    let names = ServiceNames::new(scene);
    let home = &scene.paths.home;
    let (state, stop) = if cfg!(target_os = "macos") {
        let plist = home.join("Library/LaunchAgents").join(format!("{}.plist", names.label));
        (registered(&plist, &plist, "loaded"), format!("launchctl bootout gui/$UID/{}", names.label))
    } else if cfg!(windows) {
        (Service::Unknown, format!("schtasks /End /TN \"{}\"", names.task))
    } else {
        let folder = home.join(".config/systemd/user");
        let wanted = folder.join("default.target.wants").join(&names.unit);
        (
            registered(&folder.join(&names.unit), &wanted, "enabled"),
            format!("systemctl --user stop {}", names.unit),
        )
    };
    let first = match state {
        Service::Absent => return Vec::new(),
        Service::Present(word) => format!("Gateway service appears {word}. Stop it first."),
        Service::Unknown => "Gateway service status unknown; if supervised, stop it first.".to_owned(),
    };
    vec![first, format!("Tip: {}", scene.stop_hint()), format!("Or: {stop}")]
}

enum Service {
    Absent,
    Present(&'static str),
    Unknown,
}

fn registered(definition: &Path, mark: &Path, word: &'static str) -> Service {
    match (definition.exists(), mark.exists()) {
        (_, true) => Service::Present(word),
        (true, false) => Service::Unknown,
        (false, false) => Service::Absent,
    }
}

struct ServiceNames {
    label: String,
    unit: String,
    task: String,
}

impl ServiceNames {
    fn new(scene: Scene<'_>) -> Self {
        let profile = scene.profile().filter(|profile| !profile.is_default()).map(Profile::name);
        let given = |name: &str| scene.env.get(name).map(|value| value.trim().to_owned());
        let unit = given("CLAWDBOT_SYSTEMD_UNIT").unwrap_or_else(|| match profile {
            Some(name) => format!("clawdbot-gateway-{name}"),
            None => "clawdbot-gateway".to_owned(),
        });
        Self {
            label: given("CLAWDBOT_LAUNCHD_LABEL")
                .unwrap_or_else(|| format!("com.clawdbot.{}", profile.unwrap_or("gateway"))),
            unit: format!("{}.service", unit.trim_end_matches(".service")),
            task: given("CLAWDBOT_WINDOWS_TASK_NAME").unwrap_or_else(|| match profile {
                Some(name) => format!("Clawdbot Gateway ({name})"),
                None => "Clawdbot Gateway".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(home: &Path) -> Paths {
        let env = Env::from_pairs([("HOME", home.display().to_string())]);
        Paths::resolve(&env, None).expect("paths")
    }

    fn running(port: Option<u16>, waited: bool) -> ownership::Error {
        let owner = Record { pid: 4_000_000_000, port, ..Record::default() };
        ownership::Error::Running { owner: Some(owner), waited }
    }

    fn said(error: &ownership::Error, home: &Path) -> Vec<String> {
        let (paths, env) = (paths(home), Env::default());
        let refusal = lock(error, Scene { port: 18789, paths: &paths, env: &env });
        assert_eq!(refusal.exit, Exit::Taken);
        refusal.lines
    }

    #[test]
    fn a_gateway_on_the_same_port_gets_the_line_of_the_tutorial_first() {
        let home = tempfile::tempdir().expect("folder");
        assert_eq!(
            said(&running(Some(18789), false), home.path()),
            [
                "Error: listen EADDRINUSE: address already in use :::18789",
                "Gateway failed to start: gateway already running (pid 4000000000)",
                "If the gateway is supervised, stop it with: clawdbot gateway stop",
                "Port 18789 is already in use.",
                "- pid 4000000000: gatewayd (127.0.0.1:18789)",
                "- Gateway already running locally. Stop it (clawdbot gateway stop) or use a different port.",
            ]
        );
    }

    #[test]
    fn a_lock_alone_still_says_that_a_gateway_runs() {
        let home = tempfile::tempdir().expect("folder");
        assert_eq!(
            said(&running(None, true), home.path()),
            [
                "Gateway failed to start: gateway already running (pid 4000000000); lock timeout after 5000ms",
                "If the gateway is supervised, stop it with: clawdbot gateway stop",
                "- Gateway already running locally. Stop it (clawdbot gateway stop) or use a different port.",
            ]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_service_is_told_from_its_files() {
        let home = tempfile::tempdir().expect("folder");
        let folder = home.path().join(".config/systemd/user");
        std::fs::create_dir_all(folder.join("default.target.wants")).expect("folders");
        std::fs::write(folder.join("clawdbot-gateway.service"), "").expect("unit");
        let lines = said(&running(None, false), home.path());
        assert_eq!(lines[3], "Gateway service status unknown; if supervised, stop it first.");
        std::fs::write(folder.join("default.target.wants/clawdbot-gateway.service"), "").expect("mark");
        let lines = said(&running(None, false), home.path());
        assert_eq!(
            lines[3..],
            [
                "Gateway service appears enabled. Stop it first.",
                "Tip: clawdbot gateway stop",
                "Or: systemctl --user stop clawdbot-gateway.service",
            ]
        );
    }

    #[test]
    fn a_foreign_listener_is_named() {
        let home = tempfile::tempdir().expect("folder");
        let (paths, env) = (paths(home.path()), Env::default());
        let listener_here = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener_here.local_addr().expect("its address");
        let scene = Scene { port: address.port(), paths: &paths, env: &env };
        let refusal = listener(&bind::Error::Taken(address), scene);
        assert_eq!(refusal.exit, Exit::Taken);
        assert_eq!(
            refusal.lines[0],
            format!("Error: listen EADDRINUSE: address already in use :::{}", address.port())
        );
        assert_eq!(
            refusal.lines[1],
            format!(
                "Gateway failed to start: another gateway instance is already listening on ws://{address}"
            )
        );
        assert!(
            refusal.lines[4].starts_with(&format!("- pid {}", std::process::id())),
            "{:?}",
            refusal.lines
        );
    }
}
