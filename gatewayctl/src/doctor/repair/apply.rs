//! Makes one change, after it was journalled.

use std::fs;
use std::path::PathBuf;

use gateway_base::id::sha256_hex;
use gateway_config::write::{Drops, Writer};

use super::Repair;
use super::attributes::{Attributes, set_mode};
use super::config::ConfigRepair;
use super::journal::{After, Before, Change, Error, Journal};

/// The mode of every file that is replaced as a whole.
const PRIVATE: u32 = 0o600;

/// Makes the change. `done` is what it comes to, for the journal.
pub fn apply(
    repair: &Repair,
    done: Vec<String>,
    journal: &mut Journal,
    writer: &Writer,
) -> Result<(), Error> {
    match repair {
        Repair::Modes(files) => close(files, &done, journal),
        Repair::Config(repair) => rewrite(repair, done, journal, writer),
    }
}

fn close(files: &[(PathBuf, u32)], done: &[String], journal: &mut Journal) -> Result<(), Error> {
    // A log that was rotated or a database part that was removed meanwhile is open to nobody.
    let there: Vec<_> = files.iter().filter(|(path, _)| path.exists()).collect();
    let change = |(path, mode): &&(PathBuf, u32)| {
        let attributes = Attributes::of(path).map_err(Error::io("look at", path))?;
        let before = Before { attributes, copy: None, sha256: None };
        Ok(Change {
            path: path.clone(),
            done: done.to_vec(),
            before,
            after: After { mode: *mode, sha256: None },
        })
    };
    journal.add(there.iter().map(change).collect::<Result<_, Error>>()?)?;
    for (path, mode) in there {
        set_mode(path, *mode).map_err(Error::io("change the mode of", path))?;
    }
    Ok(())
}

fn rewrite(
    repair: &ConfigRepair,
    done: Vec<String>,
    journal: &mut Journal,
    writer: &Writer,
) -> Result<(), Error> {
    // A link keeps leading where it did; what it leads to is replaced.
    let path = fs::canonicalize(&repair.path).map_err(Error::io("find", &repair.path))?;
    let attributes = Attributes::of(&path).map_err(Error::io("look at", &path))?;
    let (copy, sha256) = journal.copy(&path)?;
    let before = Before { attributes, copy: Some(copy), sha256: Some(sha256) };
    let after = After { mode: PRIVATE, sha256: Some(sha256_hex(repair.text.as_bytes())) };
    journal.add(vec![Change { path: path.clone(), done, before, after }])?;
    writer.commit(&repair.text, Some(&repair.base_hash), &Drops::Paths(repair.drops.clone()))?;
    // When root repairs somebody's file it must stay theirs.
    Attributes { mode: PRIVATE, ..attributes }.restore(&path).map_err(Error::io("set the owner of", &path))
}
