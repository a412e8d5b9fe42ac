//! Services under names that this product had or has elsewhere, and this gateway's own service in the other scope.
//! Two of them on one port keep throwing each other out, so an install refuses to become the second.

use std::fs;
use std::path::PathBuf;

use gateway_base::paths::DEFAULT_PORT;
use gateway_base::profile::Profile;

use super::foreign::Extra;
use super::names::Names;
use super::scope::Scope;
use super::systemd;

/// The names, without profile and `.service`.
const NAMES: [&str; 3] = ["clawdis-gateway", "moltbot-gateway", "openclaw-gateway"];

/// A service that may stand in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// Its unit.
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
        let detail = format!("unit: {}", self.file.display());
        Extra { platform: "linux", label: self.unit.clone(), detail, scope: self.scope }
    }
}

/// All that are there beside the unit of `scope`.
#[must_use]
pub fn find(names: &Names, scope: Scope, profile: Option<&Profile>) -> Vec<Old> {
    let suffix = profile.map(Profile::suffix).unwrap_or_default();
    let units = NAMES.iter().map(|name| format!("{name}{suffix}.service"));
    let mut found = Vec::new();
    for unit in units.chain([names.unit.clone()]) {
        for whose in [Scope::User, Scope::System] {
            let file = names.unit_path(whose).with_file_name(&unit);
            if unit == names.unit && whose == scope {
                continue;
            }
            if let Ok(text) = fs::read_to_string(&file) {
                let command = systemd::read_unit(&text, &file);
                let port = command.port().unwrap_or(DEFAULT_PORT);
                found.push(Old { unit: unit.clone(), file, scope: whose, port });
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
        let found = find(&names, Scope::User, paths.profile.as_ref());
        let seen: Vec<_> = found.iter().map(|old| (old.unit.as_str(), old.port, old.scope)).collect();
        assert_eq!(seen, [("moltbot-gateway-work.service", 19001, Scope::User)]);
        let found = find(&names, Scope::System, paths.profile.as_ref());
        assert!(found.iter().any(|old| old.unit == names.unit && old.scope == Scope::User), "{found:?}");
    }
}
