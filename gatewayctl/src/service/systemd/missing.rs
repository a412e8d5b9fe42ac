//! Names the piece that is missing when systemd cannot be asked, and the command that mends it (operations 6.3.5).

use std::path::Path;

use gateway_base::account::{self, Account};
use gateway_base::env::Env;

use super::manager::Manager;
use crate::service::scope::Scope;

/// What matters about the machine and the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// In a container.
    pub container: bool,
    /// In the Linux of Windows.
    pub wsl: bool,
    /// systemd is what the machine was started with.
    pub booted: bool,
    /// The user has a bus folder.
    pub session: bool,
    /// The user's number.
    pub uid: u32,
    /// The user's name.
    pub user: String,
    /// Who called `sudo`, if that is how this user came to be root.
    pub sudo_user: Option<String>,
}

impl Surroundings {
    /// Looks around.
    #[must_use]
    pub fn look(env: &Env) -> Self {
        let uid = account::own_uid().unwrap_or(u32::MAX);
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release = release.to_ascii_lowercase();
        let named = || env.get("USER").or_else(|| env.get("LOGNAME")).map(str::to_owned);
        Self {
            container: ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists())
                || env.get("container").is_some(),
            wsl: ["WSL_DISTRO_NAME", "WSL_INTEROP", "WSLENV"].iter().any(|name| env.get(name).is_some())
                || release.contains("microsoft")
                || release.contains("wsl"),
            booted: Path::new("/run/systemd/system").is_dir(),
            session: Manager::new(Scope::User, env).runtime().is_some(),
            uid,
            user: Account::by_uid(uid).map(|own| own.name).or_else(named).unwrap_or_else(|| uid.to_string()),
            sudo_user: env.get("SUDO_USER").filter(|name| uid == 0 && *name != "root").map(str::to_owned),
        }
    }
}

/// The words of this program for what it can do about it.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    /// The command that was typed, to type again.
    pub again: &'a str,
    /// Installs with a session that stays, if that is what is being done.
    pub linger: Option<&'a str>,
    /// Does the same with a service of the machine.
    pub system: &'a str,
    /// Runs the daemon without a service manager.
    pub supervise: &'a str,
}

/// Whether an error of a tool means that the manager cannot be reached, or not by this user.
#[must_use]
pub fn is_missing(said: &str) -> bool {
    let lower = said.to_ascii_lowercase();
    let known = [
        "failed to connect to bus",
        "not been booted with systemd",
        "not available",
        "systemctl not found",
        "interactive authentication required",
        "access denied",
        "permission denied",
    ];
    known.iter().any(|words| lower.contains(words))
}

/// What to do about a manager that could not be asked.
#[must_use]
pub fn mend(scope: Scope, said: &str, around: &Surroundings, commands: Commands<'_>) -> Vec<String> {
    let Commands { again, linger, system, supervise } = commands;
    let alone =
        format!("Without a service manager, this starts the gateway again when it fails: {supervise}");
    let lower = said.to_ascii_lowercase();
    if !around.booted || lower.contains("not available") || lower.contains("not been booted with systemd") {
        if around.wsl {
            return vec![
                "WSL2 needs systemd enabled: edit /etc/wsl.conf with [boot]\nsystemd=true".to_owned(),
                "Then run: wsl --shutdown (from PowerShell) and reopen your distro.".to_owned(),
                "Verify: systemctl --user status".to_owned(),
                alone,
            ];
        }
        let why = if around.container {
            "This is a container without systemd."
        } else {
            "systemd does not run on this machine."
        };
        return vec![why.to_owned(), alone];
    }
    if ["interactive authentication required", "access denied", "permission denied"]
        .iter()
        .any(|words| lower.contains(words))
        && scope == Scope::System
    {
        return vec![format!("A service of the machine takes root. Run: sudo {again}")];
    }
    if scope == Scope::System {
        return vec!["Verify: systemctl status".to_owned(), alone];
    }
    if around.uid == 0 {
        let mut lines =
            vec![format!("root has no session of its own here. For a service of the machine, run: {system}")];
        lines.extend(linger.map(|linger| format!("Or give root one that stays, and install: {linger}")));
        return lines;
    }
    let user = &around.user;
    if around.session {
        return vec![
            format!(
                "The service manager of {user} does not run. Start it: sudo systemctl start user@{}",
                around.uid
            ),
            format!("Then run: {again}"),
        ];
    }
    let why = format!("{user} has no session with a user bus, as after su.");
    let as_root = format!("s root: sudo loginctl enable-linger {user}, then as {user}: {again}");
    let [first, second] = match linger {
        Some(linger) => {
            [format!("{why} Give it one that stays and install: {linger}"), format!("Or a{as_root}")]
        }
        None => [why, format!("A{as_root}")],
    };
    vec![first, second, format!("Or log in as {user} directly, over ssh or at the console, and run: {again}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: Commands<'static> = Commands {
        again: "gatewayctl install",
        linger: Some("gatewayctl install --linger"),
        system: "gatewayctl install --system",
        supervise: "gatewayd --supervise",
    };

    fn around() -> Surroundings {
        Surroundings { booted: true, uid: 1000, user: "you".to_owned(), ..Surroundings::default() }
    }

    fn said(scope: Scope, text: &str, around: &Surroundings) -> String {
        mend(scope, text, around, COMMANDS).join("\n")
    }

    const NO_BUS: &str = "systemctl --user unavailable: Failed to connect to bus: No medium found";

    #[test]
    fn every_missing_piece_has_its_command() {
        let su = around();
        let root = Surroundings { uid: 0, user: "root".to_owned(), ..around() };
        let stopped = Surroundings { session: true, ..around() };
        let container = Surroundings { container: true, booted: false, ..around() };
        let wsl = Surroundings { wsl: true, booted: false, ..around() };
        let bare = Surroundings { booted: false, ..around() };
        for (scope, text, around, command) in [
            (Scope::User, NO_BUS, &su, "and install: gatewayctl install --linger"),
            (Scope::User, NO_BUS, &root, "run: gatewayctl install --system"),
            (Scope::User, NO_BUS, &stopped, "sudo systemctl start user@1000"),
            (Scope::User, NO_BUS, &container, "gatewayd --supervise"),
            (Scope::User, NO_BUS, &wsl, "systemd=true"),
            (Scope::User, "systemctl not available", &bare, "gatewayd --supervise"),
            (Scope::System, "Interactive authentication required.", &su, "Run: sudo gatewayctl install"),
            (Scope::System, "Access denied", &su, "Run: sudo gatewayctl install"),
            (Scope::System, "Connection timed out", &su, "Verify: systemctl status"),
        ] {
            let text = said(scope, text, around);
            assert!(text.contains(command), "{text}");
        }
    }
}
