//! The files and folders that are nobody else's business, with their modes and owners.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_admin::endpoint::Endpoint;
use gateway_base::paths::Paths;
use gateway_config::write;

use crate::doctor::facts::{ConfigFacts, FileFact, FileKind};

/// Deeper or longer than this is no folder of ours.
const MAX_DEPTH: usize = 6;
const MAX_FILES: usize = 2_000;

/// The user this process runs as.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems have no such number")]
pub fn own_user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// The user this process runs as.
#[cfg(not(unix))]
pub fn own_user() -> Option<u32> {
    None
}

/// Every such file that is there.
pub fn gather(paths: &Paths, config: &ConfigFacts) -> Option<Vec<FileFact>> {
    if !cfg!(unix) {
        return None;
    }
    let mut wanted: BTreeMap<PathBuf, FileKind> = BTreeMap::new();
    let mut add = |path: PathBuf, kind| {
        wanted.insert(path, kind);
    };
    let state = &paths.state;
    add(state.clone(), FileKind::Folder);
    for folder in ["run", "identity", "logs", "credentials", "agents", "gateway", "instances", "doctor"] {
        add(state.join(folder), FileKind::Folder);
    }
    for path in config.snapshot.files.iter().cloned() {
        add(path, FileKind::Secret);
    }
    add(paths.config.clone(), FileKind::Secret);
    add(paths.last_good_config(), FileKind::Secret);
    for copy in write::history(paths) {
        add(copy.path, FileKind::Secret);
    }
    add(state.join(".env"), FileKind::Secret);
    for name in ["gateway.sqlite", "gateway.sqlite-wal", "gateway.sqlite-shm"] {
        add(state.join(name), FileKind::Secret);
    }
    for name in ["device.json", "device-auth.json"] {
        add(state.join("identity").join(name), FileKind::Secret);
    }
    add(Endpoint::find(state).path().to_path_buf(), FileKind::Secret);
    if let Some(config) = config.effective.as_ref().filter(|config| config.gateway.tls.enabled) {
        add(config.gateway.tls.key_path.clone(), FileKind::Secret);
    }
    for folder in ["credentials", "gateway", "instances", "doctor"] {
        below(&state.join(folder), MAX_DEPTH, FileKind::Secret, &mut add);
    }
    below(&state.join("agents"), MAX_DEPTH, FileKind::Private, &mut add);
    below(&state.join("logs"), 1, FileKind::Private, &mut add);
    // A certificate is made to be shown.
    wanted.retain(|path, _| path.file_name().is_none_or(|name| name != "gateway-cert.pem"));
    Some(wanted.into_iter().filter_map(|(path, kind)| fact(path, kind)).collect())
}

fn below(folder: &Path, depth: usize, kind: FileKind, add: &mut impl FnMut(PathBuf, FileKind)) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_FILES) {
        let Ok(what) = entry.file_type() else { continue };
        if what.is_dir() {
            add(entry.path(), FileKind::Folder);
            below(&entry.path(), depth, kind, add);
        } else if what.is_file() {
            let name = entry.file_name();
            let is_secret = name.to_str().is_some_and(|name| name.starts_with("auth"));
            add(entry.path(), if is_secret { FileKind::Secret } else { kind });
        }
    }
}

#[cfg(unix)]
fn fact(path: PathBuf, kind: FileKind) -> Option<FileFact> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(&path).ok()?;
    Some(FileFact { path, kind, mode: meta.mode() & 0o7777, uid: meta.uid() })
}

#[cfg(not(unix))]
fn fact(_: PathBuf, _: FileKind) -> Option<FileFact> {
    None
}
