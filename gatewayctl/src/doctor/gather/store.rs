//! The store's file from outside: its size and its first bytes, and those only while no daemon has it (rule R3).

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use gateway_base::paths::Paths;

use crate::doctor::facts::StoreFacts;

const HEADER: u64 = 100;

/// Looks at it; only at its name when somebody has it.
pub fn gather(paths: &Paths, has_no_owner: bool) -> StoreFacts {
    let path = paths.store_file();
    let mut facts = StoreFacts { path, ..StoreFacts::default() };
    if !has_no_owner {
        return facts;
    }
    facts.has_log = paths.state.join("gateway.sqlite-wal").exists();
    match fs::metadata(&facts.path) {
        Ok(meta) => facts.size = Some(meta.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => return facts,
        Err(error) => facts.unreadable = Some(error.to_string()),
    }
    match header(&facts.path) {
        Ok(header) => facts.header = header,
        Err(error) => facts.unreadable = Some(error.to_string()),
    }
    facts
}

fn header(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut header = Vec::new();
    File::open(path)?.take(HEADER).read_to_end(&mut header)?;
    Ok(header)
}
