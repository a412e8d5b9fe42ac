//! Hot reload. One task owns it: it reads the file when it changed or when somebody asks, compares it with what is in
//! force, and says per key what happens: applied live, or only a restart can (rule R9). A file that cannot be used
//! changes nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway_admin::{time, v1};
use gateway_api::context::Reloaded;
use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::diff::{self, Plan};
use gateway_config::live::{Current, Live};
use gateway_config::sections::ReloadMode;
use gateway_config::{Config, Snapshot, last_good, load};
use notify::{Config as WatchConfig, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How often files are looked at when the system cannot watch them.
const POLL: Duration = Duration::from_secs(2);
/// Requests that may wait.
const QUEUE: usize = 16;

/// Stands for the path when nothing of the file was taken over.
pub const WHOLE_FILE: &str = "<all>";

/// Puts a new configuration to work in the parts that hold a copy, or says why that would not be safe. Must not wait.
pub type Apply = Box<dyn Fn(&Config) -> Result<(), String> + Send + Sync>;

/// What only a restart of the daemon can do.
pub type Restart = Arc<dyn Fn(Duration, &'static str) + Send + Sync>;

/// Asks the owner of reloads. Clones share it.
#[derive(Clone, Debug)]
pub struct Reload {
    requests: mpsc::Sender<Request>,
    last: Last,
}

/// What the last reload did, for the status.
type Last = Arc<Mutex<Option<v1::LastReload>>>;

/// How to reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Only tell what would be done.
    DryRun,
    /// Do it; a restart that is needed comes after this time.
    Restart(Duration),
    /// Do it all at once, whatever `gateway.reload.mode` says.
    Force,
}

impl How {
    /// When a restart that is needed comes; never in a dry run.
    const fn restart_after(self) -> Option<Duration> {
        match self {
            Self::DryRun => None,
            Self::Restart(delay) => Some(delay),
            Self::Force => Some(Duration::ZERO),
        }
    }
}

#[derive(Debug)]
struct Request {
    how: How,
    reply: oneshot::Sender<Reloaded>,
}

impl Reload {
    /// Reads the file again and applies what changed.
    pub async fn now(&self, how: How) -> Reloaded {
        let (reply, answer) = oneshot::channel();
        let gone = || Reloaded {
            refused: vec![(WHOLE_FILE.to_owned(), "the gateway is stopping".to_owned())],
            ..Reloaded::default()
        };
        if self.requests.send(Request { how, reply }).await.is_err() {
            return gone();
        }
        answer.await.unwrap_or_else(|_| gone())
    }

    /// What the last reload did, if there was one.
    #[must_use]
    pub fn last(&self) -> Option<v1::LastReload> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The owner. It does nothing until it runs.
pub struct ReloadTask {
    live: Live,
    paths: Paths,
    env: Env,
    apply: Apply,
    restart: Restart,
    requests: mpsc::Receiver<Request>,
    last: Last,
    clock: Clock,
    /// Files that were read last time: the config and what it includes.
    files: Vec<PathBuf>,
}

/// What the owner needs.
pub struct ReloadOptions {
    /// The configuration in force.
    pub live: Live,
    /// Where the file is.
    pub paths: Paths,
    /// For `${VAR}` and paths.
    pub env: Env,
    /// Stamps the last reload.
    pub clock: Clock,
    /// What happens with a new configuration.
    pub apply: Apply,
    /// What happens when only a restart helps.
    pub restart: Restart,
    /// The files of the configuration in force.
    pub files: Vec<PathBuf>,
}

/// Makes the handle and the owner.
#[must_use]
pub fn new(options: ReloadOptions) -> (Reload, ReloadTask) {
    let (sender, requests) = mpsc::channel(QUEUE);
    let ReloadOptions { live, paths, env, clock, apply, restart, files } = options;
    let last = Last::default();
    let handle = Reload { requests: sender, last: last.clone() };
    (handle, ReloadTask { live, paths, env, apply, restart, requests, last, clock, files })
}

impl ReloadTask {
    /// Serves requests and file changes until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let (touched, mut touches) = mpsc::channel(1);
        let mut watch = Watch::start(&self.files, touched.clone());
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                request = self.requests.recv() => {
                    let Some(Request { how, reply }) = request else { return };
                    let report = self.reload(how).await;
                    self.remember(&report, how);
                    // The asker may be gone; the reload happened all the same.
                    let _ = reply.send(report);
                }
                Some(()) = touches.recv() => {
                    // Somebody who asks does not wait for the file to be quiet.
                    let asked = self.quiet(&mut touches).await;
                    let (how, reply) = match asked {
                        Some(Request { how, reply }) => (how, Some(reply)),
                        None => (How::Restart(Duration::ZERO), None),
                    };
                    let report = self.reload(how).await;
                    self.remember(&report, how);
                    if let Some(reply) = reply {
                        let _ = reply.send(report);
                    }
                }
            }
            if watch.misses(&self.files) {
                watch = Watch::start(&self.files, touched.clone());
            }
        }
    }

    fn remember(&self, report: &Reloaded, how: How) {
        if how == How::DryRun || *report == Reloaded::default() {
            return;
        }
        let count = |what: &str, n: usize| (n > 0).then(|| format!("{n} {what}"));
        let parts = [
            count("applied", report.applied.len()),
            count("restarted", report.restarted.len()),
            count("refused", report.refused.len()),
            count("waiting for a restart", report.needs_restart.len()),
        ];
        let mut summary = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if let Some((_, reason)) = report.refused.first() {
            summary = format!("{summary}: {reason}");
        }
        let at = Some(time::timestamp(self.clock.now()));
        let last = v1::LastReload { at, ok: report.refused.is_empty(), summary };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }

    /// Waits until the file has not been touched for the debounce time, or until somebody asks.
    async fn quiet(&mut self, touches: &mut mpsc::Receiver<()>) -> Option<Request> {
        let debounce = Duration::from_millis(self.live.config().gateway.reload.debounce_ms);
        loop {
            tokio::select! {
                () = tokio::time::sleep(debounce) => return None,
                request = self.requests.recv() => return request,
                Some(()) = touches.recv() => {}
            }
        }
    }

    async fn reload(&mut self, how: How) -> Reloaded {
        let dry_run = how == How::DryRun;
        let (paths, env) = (self.paths.clone(), self.env.clone());
        let read = tokio::task::spawn_blocking(move || load::load(&paths, &env)).await;
        let snapshot = match read {
            Ok(snapshot) => snapshot,
            Err(error) => return refused(format!("the file could not be read: {error}")),
        };
        let before = self.live.current();
        if let Some(reason) = unusable(&snapshot) {
            tracing::warn!(subsystem = "gateway/reload", "config reload skipped ({reason})");
            if !dry_run && before.degraded.as_deref() != Some(reason.as_str()) {
                self.live.replace(Current { degraded: Some(reason.clone()), ..(*before).clone() });
            }
            return refused(reason);
        }
        if !dry_run {
            self.files.clone_from(&snapshot.files);
        }
        let changed = diff::changed(&before.value, &snapshot.value);
        if changed.is_empty() {
            if !dry_run && (before.degraded.is_some() || before.hash != snapshot.hash) {
                return self.put_in_force(&snapshot).map_or_else(refused, |()| Reloaded::default());
            }
            return Reloaded::default();
        }
        tracing::info!(
            subsystem = "gateway/reload",
            "config change detected; evaluating reload ({})",
            changed.join(", ")
        );
        self.act(&snapshot, diff::plan(&changed), how)
    }

    fn act(&self, snapshot: &Snapshot, plan: Plan, how: How) -> Reloaded {
        let mode = match how {
            How::Force => ReloadMode::Hybrid,
            How::DryRun | How::Restart(_) => snapshot.config.gateway.reload.mode,
        };
        let live: Vec<String> =
            plan.none.iter().chain(plan.hot.iter().map(|(_, path)| path)).cloned().collect();
        match mode {
            ReloadMode::Off => {
                tracing::info!(
                    subsystem = "gateway/reload",
                    "config reload disabled (gateway.reload.mode=off)"
                );
                let all = live.into_iter().chain(plan.restart);
                let why = "gateway.reload.mode is off; restart the gateway to apply it";
                Reloaded { refused: all.map(|path| (path, why.to_owned())).collect(), ..Reloaded::default() }
            }
            ReloadMode::Hot if !plan.restart.is_empty() => {
                tracing::warn!(
                    subsystem = "gateway/reload",
                    "config reload requires gateway restart; hot mode ignoring ({})",
                    plan.restart.join(", ")
                );
                let why = "gateway.reload.mode is hot and another change of the same edit needs a restart";
                Reloaded {
                    refused: live.into_iter().map(|path| (path, why.to_owned())).collect(),
                    needs_restart: plan.restart,
                    ..Reloaded::default()
                }
            }
            ReloadMode::Restart => self.restart(live.into_iter().chain(plan.restart).collect(), how),
            ReloadMode::Hybrid if !plan.restart.is_empty() => {
                let mut report = self.restart(plan.restart, how);
                report.applied = live;
                report
            }
            ReloadMode::Hot | ReloadMode::Hybrid => {
                if how != How::DryRun {
                    if let Err(reason) = self.put_in_force(snapshot) {
                        tracing::error!(subsystem = "gateway/reload", "config reload failed: {reason}");
                        return refused(reason);
                    }
                    tracing::info!(
                        subsystem = "gateway/reload",
                        "config hot reload applied ({})",
                        live.join(", ")
                    );
                }
                Reloaded { applied: live, ..Reloaded::default() }
            }
        }
    }

    fn restart(&self, paths: Vec<String>, how: How) -> Reloaded {
        let delay = how.restart_after();
        if let Some(delay) = delay {
            tracing::info!(
                subsystem = "gateway/reload",
                "config change requires gateway restart ({})",
                paths.join(", ")
            );
            (self.restart)(delay, "config reload");
        }
        Reloaded { needs_restart: paths, restarts: delay.is_some(), ..Reloaded::default() }
    }

    fn put_in_force(&self, snapshot: &Snapshot) -> Result<(), String> {
        (self.apply)(&snapshot.config)?;
        self.live.replace(Current::of(snapshot, None));
        if let Err(error) = last_good::save(&self.paths, snapshot) {
            tracing::warn!(subsystem = "gateway/reload", %error, "the last good config could not be kept");
        }
        Ok(())
    }
}

fn refused(reason: String) -> Reloaded {
    Reloaded { refused: vec![(WHOLE_FILE.to_owned(), reason)], ..Reloaded::default() }
}

/// Why a file that was read changes nothing.
fn unusable(snapshot: &Snapshot) -> Option<String> {
    if !snapshot.exists {
        return Some(format!("{} is gone", snapshot.path.display()));
    }
    if snapshot.valid {
        return None;
    }
    let issues = snapshot.issues.iter().chain(&snapshot.legacy_issues);
    let texts: Vec<String> = issues
        .map(|issue| {
            let path = if issue.path.is_empty() { "<root>" } else { &issue.path };
            format!("{path}: {}", issue.message)
        })
        .collect();
    Some(format!("invalid config: {}", texts.join(", ")))
}

/// Watches the folders of some files; files are replaced by renames, so watching them would lose them.
struct Watch {
    folders: BTreeSet<PathBuf>,
    /// Kept alive; dropping it ends the watch.
    _watcher: Option<Box<dyn Watcher + Send>>,
}

impl Watch {
    fn start(files: &[PathBuf], touched: mpsc::Sender<()>) -> Self {
        let folders = folders(files);
        let watched: BTreeSet<PathBuf> = files.iter().cloned().collect();
        let watcher = Self::native(&folders, &watched, touched.clone())
            .map(|watcher| Box::new(watcher) as Box<dyn Watcher + Send>)
            .or_else(|error| {
                tracing::warn!(subsystem = "gateway/reload", %error, "config watcher error; looking every {POLL:?} instead");
                Self::polling(files, touched).map(|watcher| Box::new(watcher) as Box<dyn Watcher + Send>)
            })
            .inspect_err(|error| {
                tracing::error!(subsystem = "gateway/reload", %error, "config watcher error; use `gatewayctl reload` after a change");
            });
        Self { folders, _watcher: watcher.ok() }
    }

    fn native(
        folders: &BTreeSet<PathBuf>,
        files: &BTreeSet<PathBuf>,
        touched: mpsc::Sender<()>,
    ) -> notify::Result<RecommendedWatcher> {
        let names: BTreeSet<_> =
            files.iter().filter_map(|file| file.file_name().map(ToOwned::to_owned)).collect();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let ours = match &event {
                Ok(event) if event.kind.is_access() => false,
                Ok(event) => {
                    event.paths.iter().any(|p| p.file_name().is_some_and(|name| names.contains(name)))
                }
                // A lost event may have been ours.
                Err(_) => true,
            };
            if ours {
                // A full queue means that a look is due already.
                let _ = touched.try_send(());
            }
        })?;
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }

    fn polling(files: &[PathBuf], touched: mpsc::Sender<()>) -> notify::Result<PollWatcher> {
        let config = WatchConfig::default().with_poll_interval(POLL).with_compare_contents(true);
        let mut watcher = PollWatcher::new(
            move |_| {
                let _ = touched.try_send(());
            },
            config,
        )?;
        for file in files {
            watcher.watch(file, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }

    fn misses(&self, files: &[PathBuf]) -> bool {
        self.folders != folders(files)
    }
}

fn folders(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    files.iter().filter_map(|file| file.parent().map(ToOwned::to_owned)).collect()
}
