//! Disks, clock, limits and time zones.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use gateway_base::clock::UnixMs;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::path;
use serde_json::Value;

use crate::doctor::facts::{ConfigFacts, Descriptors, Disk, MachineFacts, Watches, Zone};

/// Looks at all of it.
pub fn gather(paths: &Paths, env: &Env, config: &ConfigFacts) -> MachineFacts {
    MachineFacts {
        disks: disks(paths, config),
        built: built(),
        newest: newest(paths),
        descriptors: descriptors(),
        watches: watches(&paths.state),
        has_zones: jiff::tz::TimeZone::get("Europe/Berlin").is_ok(),
        zones: zones(env, config),
    }
}

#[cfg(unix)]
fn disks(paths: &Paths, config: &ConfigFacts) -> Option<Vec<Disk>> {
    let log =
        config.effective.as_ref().map_or_else(|| paths.log_file(), |config| config.logging.file.clone());
    let mut disks: Vec<Disk> = Vec::new();
    for folder in [Some(paths.state.as_path()), log.parent()].into_iter().flatten() {
        // What is not there yet is made on the file system of what it will lie in.
        let folder = folder.ancestors().find(|folder| folder.is_dir())?;
        let space = rustix::fs::statvfs(folder).ok()?;
        let disk = Disk {
            folder: folder.to_path_buf(),
            free: space.f_bavail.saturating_mul(space.f_frsize),
            total: space.f_blocks.saturating_mul(space.f_frsize),
            files: (space.f_files > 0).then_some(space.f_favail),
        };
        let is_same = |known: &Disk| (known.free, known.total) == (disk.free, disk.total);
        if !disks.iter().any(is_same) {
            disks.push(disk);
        }
    }
    Some(disks)
}

#[cfg(not(unix))]
fn disks(_: &Paths, _: &ConfigFacts) -> Option<Vec<Disk>> {
    None
}

/// Midnight of the day of the build.
fn built() -> Option<UnixMs> {
    let day: jiff::civil::Date = env!("GATEWAYD_BUILD_DATE").parse().ok()?;
    Some(day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn newest(paths: &Paths) -> Option<(PathBuf, UnixMs)> {
    let names = [paths.config.clone(), paths.last_good_config(), paths.log_file(), paths.store_file()];
    let times = names.into_iter().filter_map(|path| {
        let at = fs::metadata(&path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some((path, UnixMs::try_from(at.as_millis()).ok()?))
    });
    times.max_by_key(|(_, at)| *at)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems have no such limit")]
fn descriptors() -> Option<Descriptors> {
    Some(Descriptors { hard: rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum })
}

#[cfg(not(unix))]
fn descriptors() -> Option<Descriptors> {
    None
}

/// Tries one watch and gives it back: that alone tells whether another one can be had.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps, reason = "other systems do not tell")]
fn watches(state: &Path) -> Option<Watches> {
    use rustix::fs::inotify;
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").ok();
    let folder = state.ancestors().find(|folder| folder.is_dir());
    let tried = inotify::init(inotify::CreateFlags::CLOEXEC).and_then(|watcher| match folder {
        Some(folder) => inotify::add_watch(&watcher, folder, inotify::WatchFlags::DELETE_SELF).map(drop),
        None => Ok(()),
    });
    Some(Watches {
        limit: limit.and_then(|text| text.trim().parse().ok()),
        refused: tried.err().map(|error| error.to_string()),
    })
}

#[cfg(not(target_os = "linux"))]
fn watches(_: &Path) -> Option<Watches> {
    None
}

fn zones(env: &Env, config: &ConfigFacts) -> Vec<Zone> {
    let user =
        path::get_dotted(&config.snapshot.value, "agents.defaults.userTimezone").and_then(Value::as_str);
    let variable = env.get("TZ").filter(|name| is_name(name));
    let named = [("TZ", variable), ("agents.defaults.userTimezone", user.filter(|name| *name != "host"))];
    let zones = named.into_iter().filter_map(|(of, name)| {
        let name = name?.trim();
        let is_known = jiff::tz::TimeZone::get(name).is_ok();
        Some(Zone { of, name: name.to_owned(), is_known })
    });
    zones.collect()
}

/// `TZ` may also hold a file or the rules themselves, which need no data.
fn is_name(text: &str) -> bool {
    !text.starts_with([':', '/', '<'])
        && !text.contains([',', '<'])
        && !text.chars().any(|c| c.is_ascii_digit())
}
