//! Other services that look like a gateway (operations 6.8). They are only named; this program never touches them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::names::Names;
use super::scope::Scope;

/// A service that looks like a gateway and is not this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Extra {
    /// `linux`.
    pub platform: &'static str,
    /// Its name.
    pub label: String,
    /// Where it is.
    pub detail: String,
    /// Whose it is.
    pub scope: Scope,
}

/// The folders of units that belong to the machine.
const SYSTEM_FOLDERS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
/// A unit file larger than this is no unit file.
const MAX_UNIT: u64 = 256 * 1024;

/// Looks through this user's units, and with `deep` through the machine's.
#[must_use]
pub fn find(names: &Names, deep: bool) -> Vec<Extra> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let mut found =
        names.unit_file.parent().map(|dir| in_folder(dir, Scope::User, names)).unwrap_or_default();
    if deep {
        for folder in SYSTEM_FOLDERS {
            // One folder is often a link to another.
            for extra in in_folder(Path::new(folder), Scope::System, names) {
                if !found.iter().any(|known| known.label == extra.label && known.scope == extra.scope) {
                    found.push(extra);
                }
            }
        }
    }
    found
}

fn in_folder(folder: &Path, scope: Scope, names: &Names) -> Vec<Extra> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let units = paths.into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "service"));
    units
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            let small =
                fs::metadata(&path).ok().filter(|meta| meta.is_file() && meta.len() <= MAX_UNIT).is_some();
            let text = small.then(|| fs::read_to_string(&path).ok()).flatten()?;
            (is_foreign(&name, &text) && !(scope == Scope::User && name == names.unit)).then(|| Extra {
                platform: "linux",
                label: name,
                detail: format!("unit: {}", path.display()),
                scope,
            })
        })
        .collect()
}

/// Whether a unit speaks of the gateway without being one that this family of programs wrote.
fn is_foreign(name: &str, text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let ours = text.contains("CLAWDBOT_SERVICE_MARKER=clawdbot")
        || (name.starts_with("clawdbot-gateway") && lower.contains("gateway"))
        || name.starts_with("clawdbot-node");
    (lower.contains("clawdbot") || lower.contains("gatewayd")) && !ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strangers_are_named() {
        assert!(is_foreign("my-bot.service", "ExecStart=/usr/bin/clawdbot gateway\n"));
        assert!(is_foreign("my-bot.service", "ExecStart=/usr/bin/gatewayd\n"));
        assert!(!is_foreign("my-bot.service", "Environment=CLAWDBOT_SERVICE_MARKER=clawdbot\n"));
        assert!(!is_foreign("clawdbot-gateway-work.service", "ExecStart=/x/clawdbot gateway\n"));
        assert!(!is_foreign("nginx.service", "ExecStart=/usr/sbin/nginx\n"));
    }
}
