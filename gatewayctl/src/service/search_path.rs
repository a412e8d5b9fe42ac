//! The search path of a service (operations 6.2.4): short, the same whatever shell installs it, and without folders
//! that a version manager moves under the daemon's feet.

use std::path::Path;

use gateway_base::env::Env;

use super::audit::is_unstable;
use super::status::Manager;

/// Variables that name the root of a tool's own folder, and what is searched below it.
const ROOTS: [(&str, &str); 7] = [
    ("PNPM_HOME", ""),
    ("NPM_CONFIG_PREFIX", "/bin"),
    ("BUN_INSTALL", "/bin"),
    ("VOLTA_HOME", "/bin"),
    ("ASDF_DATA_DIR", "/shims"),
    ("NVM_DIR", "/current/bin"),
    ("FNM_DIR", "/current/bin"),
];

/// Folders of the user that never change their meaning.
const OF_USER: [&str; 3] = [".local/bin", ".npm-global/bin", "bin"];

/// Folders of the machine.
const OF_MACHINE: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// On a Mac the folders of the machine are enough, with that of the package manager that nearly everybody has.
const OF_MAC: &str = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin";

/// The folders, joined by colons, each once. A folder whose name holds a colon cannot be among them.
#[must_use]
pub fn minimal(manager: Manager, home: &Path, env: &Env) -> String {
    if manager == Manager::Launchd {
        return OF_MAC.to_owned();
    }
    let roots = ROOTS.iter().filter_map(|(name, below)| {
        env.get(name).map(|root| format!("{}{below}", root.trim().trim_end_matches('/')))
    });
    let user = OF_USER.iter().map(|folder| home.join(folder).display().to_string());
    let machine = OF_MACHINE.iter().map(|folder| (*folder).to_owned());
    let mut folders: Vec<String> = Vec::new();
    for folder in roots.chain(user).chain(machine) {
        if folder.starts_with('/')
            && !folder.contains(':')
            && !is_unstable(&folder)
            && !folders.contains(&folder)
        {
            folders.push(folder);
        }
    }
    folders.join(":")
}

// Folders are joined by colons where there are no drives.
#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_short_and_in_order() {
        let env = Env::from_pairs([
            ("PATH", "/home/you/.nvm/versions/node/v22/bin:/usr/bin"),
            ("PNPM_HOME", "/home/you/tools/"),
            ("NVM_DIR", "/home/you/.nvm"),
            ("BUN_INSTALL", "relative"),
            ("VOLTA_HOME", "/a:b"),
            ("NPM_CONFIG_PREFIX", "/usr/local"),
        ]);
        assert_eq!(
            minimal(Manager::Systemd, Path::new("/home/you"), &env),
            "/home/you/tools:/usr/local/bin:/home/you/.local/bin:/home/you/.npm-global/bin:/home/you/bin:/usr/bin:/bin"
        );
        assert_eq!(
            minimal(Manager::Systemd, Path::new("/h"), &Env::default()),
            "/h/.local/bin:/h/.npm-global/bin:/h/bin:/usr/local/bin:/usr/bin:/bin"
        );
        assert_eq!(minimal(Manager::Launchd, Path::new("/h"), &env), OF_MAC);
    }
}
