//! Takes a plan: throws away, keeps keys, edits the configuration, makes the workspace. Each part is whole or not
//! there; the configuration is written by its one writer, which keeps a copy.

use std::path::{Path, PathBuf};

use gateway_base::clock::{UnixMs, iso_utc};
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::edit::{self, Document};
use gateway_config::load::RELEASE;
use gateway_config::path::{Segment, show};
use gateway_config::write as config;
use gateway_config::write::{Drops, Writer, stamp};
use serde_json::Value;

use crate::answers::Word;
use crate::credentials::{self, Credential};
use crate::plan::{Change, Edit, Plan};
use crate::{reset, workspace};

/// Where a plan is taken.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where things are.
    pub paths: Paths,
    /// The environment.
    pub env: Env,
    /// The time.
    pub now: UnixMs,
    /// The command that is noted as the last to have set things up.
    pub command: &'static str,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Lines for people, in the words of the original.
    pub lines: Vec<String>,
    /// Whether the configuration is another one now.
    pub changed: bool,
}

/// Why a plan was not taken, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing could be thrown away.
    #[error(transparent)]
    Reset(#[from] reset::Error),
    /// A key could not be kept.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// The configuration cannot be edited there.
    #[error(transparent)]
    Edit(#[from] edit::Error),
    /// The configuration was not written.
    #[error(transparent)]
    Write(#[from] config::Error),
    /// A folder could not be made.
    #[error("cannot make {path}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The work was stopped.
    #[error("the work was stopped before its end")]
    Stopped,
}

/// Takes the plan. The files are written where that may block.
pub async fn apply(plan: Plan, place: Place) -> Result<Done, Error> {
    let env = place.env.clone();
    let folder = plan.workspace.as_ref().filter(|(_, files)| *files).map(|(folder, _)| folder.clone());
    let done =
        tokio::task::spawn_blocking(move || write(&plan, &place)).await.map_err(|_| Error::Stopped)??;
    if let Some(folder) = folder {
        workspace::under_git(&folder, &env).await;
    }
    Ok(done)
}

/// The part of it that is files. Blocks.
pub fn write(plan: &Plan, place: &Place) -> Result<Done, Error> {
    let Place { paths, env, now, .. } = place;
    let mut done = Done::default();
    if let Some((scope, workspace)) = &plan.reset {
        let moved = reset::reset(paths, env, *scope, workspace, *now)?;
        done.lines.extend(moved.iter().map(|path| format!("Moved to Trash: {}", paths.tilde(path))));
    }
    // What cannot be edited is refused before a key is kept that nothing would use.
    let edited = Edited::of(plan, place)?;
    for credential in &plan.credentials {
        let (what, file) = match credential {
            Credential::Profile { id, .. } => (id.as_str(), credentials::profiles_file(paths)),
            Credential::Variable { name, .. } => (*name, credentials::variables_file(paths)),
        };
        let word = if credentials::keep(paths, credential)? { "Saved" } else { "Unchanged:" };
        let place = if word == "Saved" { "to" } else { "in" };
        done.lines.push(format!("{word} {what} {place} {}", paths.tilde(&file)));
    }
    done.changed = edited.commit(plan, place)?;
    let word = if done.changed { "Updated" } else { "Unchanged:" };
    done.lines.push(format!("{word} {}", paths.tilde(&paths.config)));
    if let Some((folder, with_files)) = &plan.workspace {
        make(folder, paths, || workspace::make(folder, *with_files))?;
        done.lines.push(format!("Workspace OK: {}", paths.tilde(folder)));
        let sessions = sessions(paths);
        make(&sessions, paths, || gateway_base::atomic_file::create_private_dir(&sessions))?;
        done.lines.push(format!("Sessions OK: {}", paths.tilde(&sessions)));
    }
    Ok(done)
}

/// The folder of the main agent's sessions.
fn sessions(paths: &Paths) -> PathBuf {
    paths.state.join("agents").join("main").join("sessions")
}

fn make(folder: &Path, paths: &Paths, make: impl FnOnce() -> std::io::Result<()>) -> Result<(), Error> {
    make().map_err(|source| Error::Folder { path: paths.tilde(folder), source })
}

/// The configuration with the plan's changes in it.
struct Edited {
    writer: Writer,
    document: Document,
    /// What the file was when it was read.
    hash: Option<String>,
    removed: Vec<String>,
    differs: bool,
}

impl Edited {
    fn of(plan: &Plan, place: &Place) -> Result<Self, Error> {
        let writer = Writer::new(place.paths.clone(), place.env.clone());
        let (mut document, hash) = writer.open()?;
        let before = document.to_string();
        let mut removed = Vec::new();
        for Edit { path, change } in &plan.edits {
            match change {
                Change::Set(value) => document.set(path, value)?,
                Change::Secret(secret) => document.set(path, &Value::String(secret.expose().to_owned()))?,
                Change::Unset => {
                    document.unset(path)?;
                    removed.push(show(path));
                }
            }
        }
        let differs = document.to_string() != before || hash.is_none();
        Ok(Self { writer, document, hash, removed, differs })
    }

    /// Writes it. Returns whether anything in it is different; if nothing is, the file is not touched.
    fn commit(mut self, plan: &Plan, place: &Place) -> Result<bool, Error> {
        if !self.differs {
            return Ok(false);
        }
        let wizard = |key: &str| ["wizard", key].map(|name| Segment::Key(name.to_owned()));
        for (key, value) in [
            ("lastRunAt", iso_utc(place.now)),
            ("lastRunVersion", RELEASE.to_owned()),
            ("lastRunCommand", place.command.to_owned()),
            ("lastRunMode", plan.mode.word().to_owned()),
        ] {
            self.document.set(&wizard(key), &Value::String(value))?;
        }
        stamp(&mut self.document, RELEASE, place.now)?;
        let drops = Drops::Paths(self.removed);
        self.writer.commit(&self.document.to_string(), self.hash.as_deref(), &drops)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
