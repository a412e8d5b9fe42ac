//! What `gatewayctl status` said of a state of the machine, as a row of a table that can be compared.

use anyhow::{Context, Result, ensure};
use regex_lite::Regex;
use serde_json::Value;

use crate::golden::normalise_text;
use crate::program::Finished;

/// The columns, by their names in the JSON form.
const COLUMNS: [&str; 13] = [
    "state",
    "exitCode",
    "summary",
    "fix",
    "service",
    "process",
    "port",
    "protocol",
    "authentication",
    "scope",
    "readiness",
    "config",
    "lastError",
];

/// One verdict, column by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Vec<String>);

impl Row {
    /// Reads it from the text and the JSON form. Both must say the same, and end with the code that is in it.
    pub fn read(text: &Finished, json: &Finished) -> Result<Self> {
        let report: Value =
            serde_json::from_str(&json.stdout).with_context(|| format!("one JSON document: {json:?}"))?;
        has_stable_keys(&report)?;
        let verdict = &report["verdict"];
        let value = |column: &str| match &verdict[column] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let code = verdict["exitCode"].as_i64();
        ensure!(json.code.map(i64::from) == code, "the code is {:?}: {verdict:#}", json.code);
        ensure!(text.code == json.code, "the text ends with {:?}: {text:?}", text.code);
        let mut lines = vec![format!("Verdict: {} - {}", value("state"), mask(&value("summary")))];
        lines.extend((!value("fix").is_empty()).then(|| format!("Fix: {}", mask(&value("fix")))));
        for (name, key) in [("service", "service"), ("scope", "scope"), ("last error", "lastError")] {
            lines.push(format!("  {:<15} {}", format!("{name}:"), mask(&value(key))));
        }
        let shown = mask(&text.stdout);
        for line in lines {
            ensure!(shown.lines().any(|one| one == line), "the text lacks {line:?}:\n{shown}");
        }
        // Whoever is asked must not be able to write such a line, nor to move the cursor.
        let claims = |line: &&str| line.trim_start_matches(['│', ' ']).starts_with("Verdict:");
        ensure!(text.stdout.lines().filter(claims).count() == 1, "one verdict: {text:?}");
        let obeyed = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
        ensure!(!text.stdout.contains(obeyed), "an order for a terminal: {text:?}");
        Ok(Self(COLUMNS.iter().map(|column| mask(&value(column))).collect()))
    }

    /// The word.
    #[must_use]
    pub fn state(&self) -> &str {
        self.0.first().map(String::as_str).unwrap_or_default()
    }
}

/// The keys of the document, which come in this order; those that do not apply are absent.
fn has_stable_keys(report: &Value) -> Result<()> {
    const KEYS: [&str; 11] = [
        "service",
        "config",
        "gateway",
        "port",
        "portCli",
        "lastError",
        "rpc",
        "legacyServices",
        "extraServices",
        "daemon",
        "verdict",
    ];
    let found: Vec<&str> = report.as_object().context("an object")?.keys().map(String::as_str).collect();
    let expected: Vec<&str> = KEYS.into_iter().filter(|key| report.get(key).is_some()).collect();
    ensure!(found == expected, "{found:?}");
    Ok(())
}

/// Rows with what they say of the machine.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<(String, Row)>);

impl Table {
    /// Adds a row.
    pub fn add(&mut self, state: &str, row: &Row) {
        self.0.push((state.to_owned(), row.clone()));
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table.
    #[must_use]
    pub fn render(&self) -> String {
        let line = |first: &str, rest: &[String]| {
            let cells: Vec<String> =
                rest.iter().map(|cell| cell.replace('|', "/").replace('\n', "; ")).collect();
            format!("| {first} | {} |\n", cells.join(" | "))
        };
        let heads = COLUMNS.map(str::to_owned);
        let mut text = line("state of the machine", &heads);
        text.push_str(&format!("|{}\n", "---|".repeat(heads.len() + 1)));
        for (state, Row(cells)) in &self.0 {
            text.push_str(&line(state, cells));
        }
        text
    }
}

/// Leaves out what differs from run to run.
fn mask(text: &str) -> String {
    const RULES: [(&str, &str); 6] = [
        (r"\bpid \d+", "pid <pid>"),
        (r"\bkill( -\w+)? \d+", "kill$1 <pid>"),
        (r"\b[2-6]\d{4}\b", "<port>"),
        (r"\b\d+ s are left", "<left> s are left"),
        (r"\bit-[0-9a-f]+", "<test>"),
        (r"[0-9a-f]{2}(:[0-9a-f]{2}){31}", "<fingerprint>"),
    ];
    let text = text.replace(env!("CARGO_PKG_VERSION"), "<version>");
    RULES.iter().fold(normalise_text(&text), |text, (pattern, mark)| match Regex::new(pattern) {
        Ok(rule) => rule.replace_all(&text, *mark).into_owned(),
        Err(_) => text,
    })
}
