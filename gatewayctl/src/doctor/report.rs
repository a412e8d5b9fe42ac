//! The document of `doctor --json`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::attempt::Attempt;
use super::check::{Checked, Group, Level};
use super::facts::Facts;

/// The whole document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    /// Whether nothing is wrong that has to be repaired.
    pub ok: bool,
    /// The state folder.
    pub state_dir: &'a Path,
    /// The configuration file.
    pub config_path: &'a Path,
    /// How many of each.
    pub summary: Summary,
    /// The checks that could be made.
    pub checks: Vec<CheckReport<'a>>,
    /// Those that could not.
    pub skipped: Vec<Skipped<'a>>,
    /// What `--fix` did; absent without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repairs: Option<&'a [Attempt]>,
    /// Where the copies are, when something was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<PathBuf>,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Checks made.
    pub checked: usize,
    /// Checks that could not be made.
    pub skipped: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings that `--fix` repairs.
    pub fixable: usize,
}

/// One check.
#[derive(Debug, Serialize)]
pub struct CheckReport<'a> {
    id: &'static str,
    group: Group,
    title: &'static str,
    /// `ok`, or the worst level.
    status: &'static str,
    findings: Vec<FindingReport<'a>>,
}

#[derive(Debug, Serialize)]
struct FindingReport<'a> {
    level: Level,
    finding: &'a str,
    consequence: &'a str,
    fix: &'a str,
    fixable: bool,
}

/// A check that could not be made.
#[derive(Debug, Serialize)]
pub struct Skipped<'a> {
    id: &'static str,
    group: Group,
    title: &'static str,
    reason: &'a str,
}

impl Summary {
    /// Counts what was found.
    #[must_use]
    pub fn of(checked: &[Checked]) -> Self {
        let mut summary = Self::default();
        for one in checked {
            let Ok(findings) = &one.judged else {
                summary.skipped += 1;
                continue;
            };
            summary.checked += 1;
            for finding in findings {
                match finding.level {
                    Level::Error => summary.errors += 1,
                    Level::Warning => summary.warnings += 1,
                }
                summary.fixable += usize::from(finding.repair.is_some());
            }
        }
        summary
    }
}

impl<'a> Report<'a> {
    /// The document on what was found, and on what `--fix` did before.
    #[must_use]
    pub fn new(
        facts: &'a Facts,
        checked: &'a [Checked],
        repairs: Option<&'a [Attempt]>,
        copies: Option<PathBuf>,
    ) -> Self {
        let summary = Summary::of(checked);
        let skipped = checked.iter().filter_map(|one| {
            let reason = &one.judged.as_ref().err()?.0;
            Some(Skipped { id: one.check.id, group: one.check.group, title: one.check.title, reason })
        });
        Self {
            ok: summary.errors == 0,
            state_dir: &facts.paths.state,
            config_path: &facts.paths.config,
            summary,
            checks: checked.iter().filter_map(check_report).collect(),
            skipped: skipped.collect(),
            repairs,
            copies,
        }
    }
}

fn check_report(one: &Checked) -> Option<CheckReport<'_>> {
    let found = one.judged.as_ref().ok()?;
    let status = match found.iter().map(|finding| finding.level).max() {
        None => "ok",
        Some(Level::Warning) => "warning",
        Some(Level::Error) => "error",
    };
    let findings = found.iter().map(|finding| FindingReport {
        level: finding.level,
        finding: &finding.finding,
        consequence: &finding.consequence,
        fix: &finding.fix,
        fixable: finding.repair.is_some(),
    });
    let check = one.check;
    Some(CheckReport {
        id: check.id,
        group: check.group,
        title: check.title,
        status,
        findings: findings.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;
    use crate::doctor::attempt::Ended;
    use crate::doctor::check::judge_all;
    use crate::doctor::checks::ALL;
    use crate::doctor::facts::DaemonFacts;
    use crate::doctor::facts::testing::healthy;

    #[test]
    fn the_document_has_its_schema() {
        let mut facts = healthy();
        let checked = judge_all(ALL, &facts);
        let report = Report::new(&facts, &checked, None, None);
        assert_schema("doctor", &report);
        assert!(report.ok && report.summary.checked == ALL.len(), "{report:?}");
        facts.configured("{gateway: {prot: 1}}");
        facts.daemon = DaemonFacts::Silent("no answer".to_owned());
        let checked = judge_all(ALL, &facts);
        let attempt =
            Attempt { done: vec!["x".to_owned()], result: Ended::Failed, why: Some("why".to_owned()) };
        let attempts = [attempt];
        let report = Report::new(&facts, &checked, Some(&attempts), Some(PathBuf::from("/copies")));
        assert_schema("doctor", &report);
        assert!(!report.ok && report.summary.fixable == 1 && !report.skipped.is_empty(), "{report:?}");
    }
}
