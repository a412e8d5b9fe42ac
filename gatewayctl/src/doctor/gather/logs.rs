//! The log files with their sizes: the folder of logs, and the file that is configured, wherever it is.

use std::fs;
use std::path::PathBuf;

use gateway_base::paths::Paths;

use crate::doctor::facts::ConfigFacts;

/// Lists them.
pub fn gather(paths: &Paths, config: &ConfigFacts) -> Vec<(PathBuf, u64)> {
    let entries = fs::read_dir(paths.state.join("logs")).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.extend(config.effective.as_ref().map(|config| config.logging.file.clone()));
    files.sort();
    files.dedup();
    let sizes = files.into_iter().filter_map(|path| {
        let meta = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        Some((path, meta.len()))
    });
    sizes.collect()
}
