//! What is in the way of a gateway: who has its port, its locks, its state folder.

use std::fs;
use std::path::Path;

#[cfg(target_os = "linux")]
use gateway_base::env::Env;
use gateway_base::lock_file::{self, Places, Record};
use gateway_base::paths::{DEFAULT_PORT, Paths};
#[cfg(target_os = "linux")]
use gateway_base::process;

use crate::app::App;
use crate::doctor::facts::{ConfigFacts, Process, WayFacts};
use crate::ports;

/// Ticks a second in which Linux tells when a process started.
#[cfg(target_os = "linux")]
const TICKS: u64 = 100;

/// The port that a gateway started from here would take.
pub fn port(app: &App, config: &ConfigFacts) -> u16 {
    let variable = app.env.get("CLAWDBOT_GATEWAY_PORT").and_then(|text| text.trim().parse().ok());
    let configured = config.effective.as_ref().map(|config| config.gateway.port);
    variable.filter(|port| *port != 0).or(configured).unwrap_or(DEFAULT_PORT)
}

/// Looks at all of it.
pub fn gather(app: &App, port: u16) -> WayFacts {
    let places = Places::new(&app.env);
    let gateway = places.gateway(&app.paths.config);
    let locks = gateway.parent().map(Path::to_path_buf).unwrap_or_default();
    WayFacts {
        port: ports::inspect(port, &app.env, &app.suggest("shutdown")),
        processes: processes(&app.paths),
        locks_unsafe: why_unsafe(&locks),
        gateway_lock: lock_file::owner(&gateway),
        state_lock: lock_file::owner(&places.state(&app.paths.state)),
        other_locks: others(&locks, &app.paths.config),
        locks,
    }
}

/// The locks of further gateways of this configuration, and of nobody else.
fn others(folder: &Path, config: &Path) -> Vec<Record> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let owners = entries.filter_map(|entry| lock_file::owner(&entry.path()));
    owners.filter(|owner| Path::new(&owner.config_path) == config).collect()
}

#[cfg(unix)]
fn why_unsafe(folder: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::symlink_metadata(folder).ok()?;
    if !meta.is_dir() {
        return Some("it is no folder".to_owned());
    }
    (meta.uid() != rustix::process::getuid().as_raw()).then(|| format!("it belongs to user {}", meta.uid()))
}

#[cfg(not(unix))]
fn why_unsafe(_: &Path) -> Option<String> {
    None
}

/// This user's gateways that have the same state folder or configuration file, by their own environment.
#[cfg(target_os = "linux")]
fn processes(ours: &Paths) -> Option<Vec<Process>> {
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let found = pids.filter(|pid| *pid != std::process::id()).filter_map(|pid| {
        let words = process::command_line(pid).filter(|words| is_gateway(words))?;
        let theirs = Paths::resolve(&environment(pid)?, super::profile_of(&words)?).ok()?;
        (theirs.state == ours.state || theirs.config == ours.config).then(|| Process {
            pid,
            command: ports::without_secrets(&words).join(" "),
            age_seconds: age(pid),
        })
    });
    Some(found.collect())
}

#[cfg(not(target_os = "linux"))]
fn processes(_: &Paths) -> Option<Vec<Process>> {
    None
}

/// Called under the name `clawdbot`, this very program looks like a gateway until its words are read.
#[cfg(target_os = "linux")]
fn is_gateway(words: &[String]) -> bool {
    let is_controller = words.first().is_some_and(|word| word.ends_with("clawdbot"))
        && !words.iter().any(|word| word == "gateway");
    // The supervisor holds nothing itself; its child is the gateway.
    let is_supervisor = words.iter().any(|word| word == "--supervise");
    process::is_gateway_command(words) && !is_controller && !is_supervisor
}

#[cfg(target_os = "linux")]
fn environment(pid: u32) -> Option<Env> {
    let raw = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let pairs = raw.split(|byte| *byte == 0).filter_map(|pair| {
        let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Some(Env::from_pairs(pairs))
}

#[cfg(target_os = "linux")]
fn age(pid: u32) -> Option<u64> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let seconds: u64 = uptime.split(['.', ' ']).next()?.parse().ok()?;
    Some(seconds.saturating_sub(process::start_time(pid)? / TICKS))
}
