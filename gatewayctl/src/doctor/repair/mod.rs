//! The changes that `--fix` makes. Each is journalled with the state before it, and with a copy of what it replaces,
//! before it is made; whoever takes it back compares with the journal first, so that nothing newer is lost.

mod apply;
mod attributes;
mod config;
mod journal;

use std::path::PathBuf;

pub use apply::apply;
pub use attributes::Attributes;
pub use config::{ConfigRepair, plan};
#[cfg(test)]
pub use journal::{After, Before};
pub use journal::{Change, Error, Journal};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Give files and folders these permission bits.
    Modes(Vec<(PathBuf, u32)>),
    /// Give the configuration file another text.
    Config(Box<ConfigRepair>),
}

impl Repair {
    /// What will be done, one line each.
    #[must_use]
    pub fn lines(&self, shown: impl Fn(&std::path::Path) -> String) -> Vec<String> {
        match self {
            Self::Modes(files) => match files.as_slice() {
                [(path, mode)] => vec![format!("Set the mode of {} to {mode:o}.", shown(path))],
                files => {
                    let first = files.first().map(|(path, _)| shown(path)).unwrap_or_default();
                    vec![format!("Close {} files and folders to others, {first} among them.", files.len())]
                }
            },
            Self::Config(repair) => repair.changes.clone(),
        }
    }
}
