//! What a fresh development profile holds. Files of the workspace that are already there are never overwritten.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use gateway_base::atomic_file;
use gateway_base::clock::{Clock, iso_utc};
use gateway_base::paths::Paths;
use gateway_config::load::RELEASE;
use serde_json::json;

const FILES: [(&str, &str); 5] = [
    ("AGENTS.md", include_str!("templates/AGENTS.md")),
    ("SOUL.md", include_str!("templates/SOUL.md")),
    ("TOOLS.md", include_str!("templates/TOOLS.md")),
    ("IDENTITY.md", include_str!("templates/IDENTITY.md")),
    ("USER.md", include_str!("templates/USER.md")),
];

/// Writes the configuration. It names no secret: loopback needs none.
pub(super) fn config(paths: &Paths, clock: &Clock) -> io::Result<()> {
    let workspace = paths.workspace();
    let config = json!({
        "meta": { "lastTouchedVersion": RELEASE, "lastTouchedAt": iso_utc(clock.now()) },
        "gateway": { "mode": "local", "bind": "loopback" },
        "agents": {
            "defaults": { "workspace": workspace, "skipBootstrap": true },
            "list": [{
                "id": "dev",
                "default": true,
                "workspace": workspace,
                "identity": { "name": "C3-PO", "theme": "protocol droid", "emoji": "🤖" },
            }],
        },
    });
    let text = format!("{}\n", serde_json::to_string_pretty(&config)?);
    atomic_file::replace(&paths.config, text.as_bytes())
}

/// Makes the folder and each file that is missing.
pub(super) fn workspace(folder: &Path) -> io::Result<()> {
    atomic_file::create_private_dir(folder)?;
    for (name, text) in FILES {
        match OpenOptions::new().write(true).create_new(true).open(folder.join(name)) {
            Ok(mut file) => file.write_all(text.as_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
