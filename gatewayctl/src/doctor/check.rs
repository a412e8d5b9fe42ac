//! What a check is, and what it may say.

use serde::Serialize;

use super::facts::{Facts, Unknown};
use super::repair::Repair;

/// One thing that is looked at. `judge` decides from facts alone, so that tests can make any situation up.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The word for programs.
    pub id: &'static str,
    /// The heading it stands under.
    pub group: Group,
    /// What it looks at, for people.
    pub title: &'static str,
    /// The judgement.
    pub judge: fn(&Facts) -> Judged,
}

/// The findings, none when all is well; or why nothing could be said. "Not known" is never "well".
pub type Judged = Result<Vec<Finding>, Unknown>;

/// The headings of the report, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The configuration file.
    Configuration,
    /// Files and folders of the gateway.
    Files,
    /// The operating system's service.
    Service,
    /// The daemon and what is in its way.
    Gateway,
    /// Who can reach it, and with what.
    Access,
    /// What it runs on.
    Machine,
}

impl Group {
    /// The heading.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Files => "Files",
            Self::Service => "Service",
            Self::Gateway => "Gateway",
            Self::Access => "Access",
            Self::Machine => "Machine",
        }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It works, and it should be otherwise.
    Warning,
    /// It does not work, or somebody can get at what is not theirs.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What is wrong, with the values.
    pub finding: String,
    /// What comes of it.
    pub consequence: String,
    /// What to type or to change.
    pub fix: String,
    /// What `--fix` does about it.
    pub repair: Option<Repair>,
}

impl Finding {
    /// Something that does not work.
    pub fn error(finding: impl Into<String>, consequence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Level::Error, finding, consequence, fix)
    }

    /// Something that should be otherwise.
    pub fn warning(
        finding: impl Into<String>,
        consequence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(Level::Warning, finding, consequence, fix)
    }

    /// A finding of this level.
    pub fn new(
        level: Level,
        finding: impl Into<String>,
        consequence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            level,
            finding: finding.into(),
            consequence: consequence.into(),
            fix: fix.into(),
            repair: None,
        }
    }

    /// The same, with what `--fix` does about it.
    #[must_use]
    pub fn repaired_by(mut self, repair: Repair) -> Self {
        self.repair = Some(repair);
        self
    }
}

/// What one check said.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The check.
    pub check: &'static Check,
    /// What it said.
    pub judged: Judged,
}

/// Makes every check.
#[must_use]
pub fn judge_all(checks: &'static [Check], facts: &Facts) -> Vec<Checked> {
    checks.iter().map(|check| Checked { check, judged: (check.judge)(facts) }).collect()
}
