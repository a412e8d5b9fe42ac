//! Services under names that this product had or has elsewhere, and this gateway's own service in the other scope.
//! Two of them on one port keep throwing each other out, so an install refuses to become the second.

use std::fs;
use std::path::PathBuf;

use gateway_base::paths::DEFAULT_PORT;
use gateway_base::profile::Profile;

use super::foreign::Extra;
use super::launchd;
use super::names::Names;
use super::scope::Scope;
use super::status::Manager;
use super::step::read;
use super::systemd;

/// The names of units, without profile and `.service`.
const NAMES: [&str; 3] = ["clawdis-gateway", "moltbot-gateway", "openclaw-gateway"];
/// What labels begin with; the profile or `gateway` follows.
const LABELS: [&str; 4] = ["com.steipete.clawdbot.", "com.clawdis.", "bot.molt.", "ai.openclaw."];

/// A service that may stand in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// Who manages it.
    pub manager: Manager,
    /// Its unit or label.
    pub unit: String,
    /// Its file.
    pub file: PathBuf,
    /// Whose it is.
    pub scope: Scope,
    /// The port it uses.
    pub port: u16,
}

impl Old {
    /// The same for the report of `status`.
    #[must_use]
    pub fn extra(&self) -> Extra {
        let (platform, kind) =
            if self.manager == Manager::Launchd { ("darwin", "plist") } else { ("linux", "unit") };
        let detail = format!("{kind}: {}", self.file.display());
        Extra { platform, label: self.unit.clone(), detail, scope: self.scope }
    }
}

/// All that are there beside the service of `scope`.
#[must_use]
pub fn find(manager: Manager, names: &Names, scope: Scope, profile: Option<&Profile>) -> Vec<Old> {
    match manager {
        Manager::Systemd => units(names, scope, profile),
        Manager::Launchd => agents(names, profile),
        Manager::Schtasks => Vec::new(),
    }
}

/// The services of other profiles. They have ports of their own, and are nobody's to remove.
#[must_use]
pub fn siblings(manager: Manager, names: &Names) -> Vec<Old> {
    let (own, start, end) = match manager {
        Manager::Systemd => (&names.unit, "clawdbot-gateway", ".service"),
        Manager::Launchd => (&names.label, "com.clawdbot.", ".plist"),
        Manager::Schtasks => return Vec::new(),
    };
    let scopes: &[Scope] =
        if manager == Manager::Systemd { &[Scope::User, Scope::System] } else { &[Scope::User] };
    let mut found = Vec::new();
    for scope in scopes {
        let file =
            if manager == Manager::Systemd { names.unit_path(*scope) } else { names.agent_file.clone() };
        let Some(Ok(entries)) = file.parent().map(fs::read_dir) else { continue };
        for file in entries.flatten().map(|entry| entry.path()) {
            let Some(name) = file.file_name().and_then(|name| name.to_str()) else { continue };
            if !name.starts_with(start) || !name.ends_with(end) || name.trim_end_matches(".plist") == own {
                continue;
            }
            let command = match manager {
                Manager::Systemd => systemd::read(&file).map(|text| systemd::read_unit(&text, &file)),
                _ => read(&file).map(|text| launchd::read_agent(&text, &file)),
            };
            let unit = name.trim_end_matches(".plist").to_owned();
            // What names no port is no gateway.
            if let Some(port) = command.and_then(|command| command.port()) {
                found.push(Old { manager, unit, file, scope: *scope, port });
            }
        }
    }
    found.sort_by(|one, other| one.unit.cmp(&other.unit));
    found
}

fn agents(names: &Names, profile: Option<&Profile>) -> Vec<Old> {
    let name = profile.filter(|profile| !profile.is_default()).map_or("gateway", Profile::name);
    let labels = LABELS.iter().map(|start| format!("{start}{name}"));
    let found = labels.filter(|label| *label != names.label).filter_map(|unit| {
        let file = names.agent_file.with_file_name(format!("{unit}.plist"));
        let port = launchd::read_agent(&read(&file)?, &file).port().unwrap_or(DEFAULT_PORT);
        Some(Old { manager: Manager::Launchd, unit, file, scope: Scope::User, port })
    });
    found.collect()
}

fn units(names: &Names, scope: Scope, profile: Option<&Profile>) -> Vec<Old> {
    let suffix = profile.map(Profile::suffix).unwrap_or_default();
    let units = NAMES.iter().map(|name| format!("{name}{suffix}.service"));
    let mut found = Vec::new();
    for unit in units.chain([names.unit.clone()]) {
        for whose in [Scope::User, Scope::System] {
            let file = names.unit_path(whose).with_file_name(&unit);
            if unit == names.unit && whose == scope {
                continue;
            }
            if let Some(text) = systemd::read(&file) {
                let command = systemd::read_unit(&text, &file);
                let port = command.port().unwrap_or(DEFAULT_PORT);
                let unit = unit.clone();
                found.push(Old { manager: Manager::Systemd, unit, file, scope: whose, port });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use gateway_base::env::Env;
    use gateway_base::paths::Paths;

    use super::*;

    #[test]
    fn older_names_are_found_with_their_port() {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([("HOME", home.path().to_string_lossy())]);
        let paths = Paths::resolve(&env, Profile::parse("work").ok()).expect("HOME is set");
        let names = Names::new(&env, &paths);
        let folder = names.unit_file.parent().expect("folder");
        fs::create_dir_all(folder).expect("folder");
        fs::write(&names.unit_file, "ExecStart=/x gateway --port 5\n").expect("own");
        fs::write(folder.join("openclaw-gateway.service"), "ExecStart=/x\n").expect("of another profile");
        fs::write(folder.join("moltbot-gateway-work.service"), "ExecStart=/x gateway --port=19001\n")
            .expect("old");
        let found = find(Manager::Systemd, &names, Scope::User, paths.profile.as_ref());
        let seen: Vec<_> = found.iter().map(|old| (old.unit.as_str(), old.port, old.scope)).collect();
        assert_eq!(seen, [("moltbot-gateway-work.service", 19001, Scope::User)]);
        let found = find(Manager::Systemd, &names, Scope::System, paths.profile.as_ref());
        assert!(found.iter().any(|old| old.unit == names.unit && old.scope == Scope::User), "{found:?}");
    }

    #[test]
    fn services_of_other_profiles_are_found_with_the_port_of_their_owners_settings() {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([("HOME", home.path().to_string_lossy())]);
        let paths = Paths::resolve(&env, Profile::parse("work").ok()).expect("HOME is set");
        let names = Names::new(&env, &paths);
        let folder = names.unit_file.parent().expect("folder");
        fs::create_dir_all(folder.join("clawdbot-gateway-two.service.d")).expect("folder");
        for (unit, line) in [
            (names.unit.as_str(), "ExecStart=/x gateway --port 1"),
            ("clawdbot-gateway.service", "ExecStart=/x gateway --port 18789"),
            ("clawdbot-gateway-two.service", "ExecStart=/x gateway --port 2"),
            ("clawdbot-gateway-watch.service", "ExecStart=/x watch"),
            ("other.service", "ExecStart=/x gateway --port 3"),
        ] {
            fs::write(folder.join(unit), format!("{line}\n")).expect("unit");
        }
        let own = "[Service]\nExecStart=\nExecStart=/x gateway --port 4\n";
        fs::write(folder.join("clawdbot-gateway-two.service.d/a.conf"), own).expect("drop-in");
        let found = siblings(Manager::Systemd, &names);
        let seen: Vec<_> = found.iter().map(|old| (old.unit.as_str(), old.port)).collect();
        assert_eq!(seen, [("clawdbot-gateway-two.service", 4), ("clawdbot-gateway.service", 18789)]);
        let agents = names.agent_file.parent().expect("folder");
        fs::create_dir_all(agents).expect("folder");
        let list = "<plist><dict><key>ProgramArguments</key><array><string>x</string><string>--port</string>\
            <string>5</string></array></dict></plist>";
        for label in [names.label.as_str(), "com.clawdbot.gateway", "com.other"] {
            fs::write(agents.join(format!("{label}.plist")), list).expect("agent");
        }
        let found = siblings(Manager::Launchd, &names);
        let seen: Vec<_> = found.iter().map(|old| (old.unit.as_str(), old.port)).collect();
        assert_eq!(seen, [("com.clawdbot.gateway", 5)]);
    }

    #[test]
    fn older_labels_are_found_with_their_port() {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([("HOME", home.path().to_string_lossy())]);
        let names = Names::new(&env, &Paths::resolve(&env, None).expect("HOME is set"));
        let folder = names.agent_file.parent().expect("folder");
        fs::create_dir_all(folder).expect("folder");
        fs::write(&names.agent_file, "<plist><dict/></plist>").expect("own");
        let list = "<plist><dict><key>ProgramArguments</key><array><string>node</string><string>--port</string>\
            <string>19001</string></array></dict></plist>";
        fs::write(folder.join("ai.openclaw.gateway.plist"), list).expect("old");
        fs::write(folder.join("com.steipete.clawdbot.gateway.plist"), "damaged").expect("older");
        let found = find(Manager::Launchd, &names, Scope::User, None);
        let seen: Vec<_> = found.iter().map(|old| (old.unit.as_str(), old.port)).collect();
        assert_eq!(seen, [("com.steipete.clawdbot.gateway", 18789), ("ai.openclaw.gateway", 19001)]);
        assert!(found[0].extra().detail.starts_with("plist: "), "{:?}", found[0].extra());
    }
}
