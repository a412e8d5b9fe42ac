//! The configuration at start: the file, or the last good copy when the file is broken, or an explanation
//! (operations 2.1, rule R8).

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::profile;
use gateway_config::load::{Start, load_or_last_good};
use gateway_config::{Issue, Snapshot, redact};

use crate::exit::{Exit, Refusal};

/// The configuration to run on.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the gateway runs on.
    pub snapshot: Snapshot,
    /// The file as it is, when it is broken and the gateway runs on the last good copy.
    pub bad: Option<Box<Snapshot>>,
}

impl Loaded {
    /// Why the file itself is not used, in one line.
    #[must_use]
    pub fn degraded(&self) -> Option<String> {
        let issues = self.bad.as_ref()?.issues.iter().map(item);
        Some(format!("invalid config: {}", issues.collect::<Vec<_>>().join(", ")))
    }
}

/// Loads the configuration, or explains what is wrong with it.
pub fn load(paths: &Paths, env: &Env) -> Result<Loaded, Refusal> {
    match load_or_last_good(paths, env) {
        Start::Ok(snapshot) => Ok(Loaded { snapshot, bad: None }),
        Start::Degraded { bad, good } => Ok(Loaded { snapshot: good, bad: Some(Box::new(bad)) }),
        Start::Broken(snapshot) => Err(explain(&snapshot, paths)),
    }
}

/// The effective configuration as JSON, secrets masked.
#[must_use]
pub fn print(loaded: &Loaded) -> String {
    let shown = redact::redact(&loaded.snapshot.value);
    format!("{}\n", serde_json::to_string_pretty(&shown).unwrap_or_default())
}

fn explain(snapshot: &Snapshot, paths: &Paths) -> Refusal {
    let mut lines = vec!["Config invalid".to_owned(), format!("File: {}", paths.tilde(&snapshot.path))];
    let list =
        |issues: &[Issue]| issues.iter().map(|issue| format!("  - {}", item(issue))).collect::<Vec<_>>();
    lines.push("Problem:".to_owned());
    lines.extend(list(&snapshot.issues));
    if !snapshot.legacy_issues.is_empty() {
        lines.push("Legacy config keys detected:".to_owned());
        lines.extend(list(&snapshot.legacy_issues));
    }
    lines.push(String::new());
    lines.push(format!("Run: {}", profile::hint(paths.profile.as_ref(), "clawdbot doctor --fix")));
    Refusal::new(Exit::Refused, lines)
}

fn item(issue: &Issue) -> String {
    let path = if issue.path.is_empty() { "<root>" } else { &issue.path };
    format!("{path}: {}", issue.message)
}
