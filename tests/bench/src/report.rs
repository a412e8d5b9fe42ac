//! Collects what was measured, compares it with the goals and lays it out as one table, which reads well in a
//! terminal and is Markdown at the same time.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

use crate::server::Kind;
use crate::stats::median;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Something per second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// A plain number.
    Count,
}

impl Unit {
    /// The number with the unit in which it reads best.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        let (value, unit) = match self {
            Self::Millis => (value, " ms"),
            Self::Micros => (value, " us"),
            Self::PerSecond if value >= 1e6 => (value / 1e6, " M/s"),
            Self::PerSecond if value >= 1e3 => (value / 1e3, " k/s"),
            Self::PerSecond => (value, " /s"),
            Self::Bytes if value.abs() >= 1_048_576.0 => (value / 1_048_576.0, " MB"),
            Self::Bytes if value.abs() >= 1024.0 => (value / 1024.0, " KB"),
            Self::Bytes => (value, " B"),
            Self::Count => (value, ""),
        };
        let digits = match value.abs() {
            whole if self == Self::Count && whole.fract() == 0.0 => 0,
            0.0..10.0 => 2,
            10.0..100.0 => 1,
            _ => 0,
        };
        format!("{value:.digits$}{unit}")
    }
}

/// One quantity of every server, over all repetitions.
#[derive(Clone, Debug, Default)]
pub struct Samples(BTreeMap<Kind, Vec<f64>>);

impl Samples {
    /// Adds what one repetition gave.
    pub fn add(&mut self, kind: Kind, value: f64) {
        self.0.entry(kind).or_default().push(value);
    }

    /// The median of the repetitions.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<f64> {
        median(self.0.get(&kind)?)
    }

    /// The subject's share of `against`. Where both took turns, repetition by repetition, because what the machine
    /// did meanwhile then hit both.
    fn ratio(&self, against: Kind) -> Option<f64> {
        let (subject, other) = (self.0.get(&Kind::Subject)?, self.0.get(&against)?);
        if subject.len() == other.len() {
            let pairs = subject.iter().zip(other).map(|(subject, other)| subject / other);
            return median(&pairs.collect::<Vec<_>>()).filter(|ratio| ratio.is_finite());
        }
        Some(median(subject)? / median(other)?).filter(|ratio| ratio.is_finite())
    }
}

#[derive(Clone, Debug)]
struct Goal {
    text: String,
    reached: bool,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Line {
    row: &'static str,
    measure: String,
    unit: Unit,
    samples: Samples,
    goals: Vec<Goal>,
    note: Option<String>,
}

impl Line {
    /// A line of row `row` with the medians of `samples`.
    #[must_use]
    pub fn new(row: &'static str, measure: impl Into<String>, unit: Unit, samples: &Samples) -> Self {
        Self { row, measure: measure.into(), unit, samples: samples.clone(), goals: Vec::new(), note: None }
    }

    /// A line without numbers, and why.
    #[must_use]
    pub fn missing(row: &'static str, measure: impl Into<String>, why: impl Into<String>) -> Self {
        Self { note: Some(why.into()), ..Self::new(row, measure, Unit::Count, &Samples::default()) }
    }

    /// The subject's value should be at most `factor` times that of `against`.
    #[must_use]
    pub fn at_most(self, factor: f64, against: Kind) -> Self {
        self.ratio(factor, against, false)
    }

    /// The subject's value should be at least `factor` times that of `against`.
    #[must_use]
    pub fn at_least(self, factor: f64, against: Kind) -> Self {
        self.ratio(factor, against, true)
    }

    fn ratio(mut self, factor: f64, against: Kind, at_least: bool) -> Self {
        if let Some(ratio) = self.samples.ratio(against) {
            let word = if at_least { "at least" } else { "at most" };
            let text = format!("{} {} ({word} {})", short(ratio), against.name(), short(factor));
            self.goals.push(Goal { text, reached: if at_least { ratio >= factor } else { ratio <= factor } });
        }
        self
    }

    /// The subject's value should be at most `limit`, which is `what`.
    #[must_use]
    pub fn limit(mut self, limit: Option<f64>, what: &str) -> Self {
        if let (Some(subject), Some(limit)) = (self.subject(), limit) {
            let text = format!("at most {}: {what}", self.unit.show(limit));
            self.goals.push(Goal { text, reached: subject <= limit });
        }
        self
    }

    /// The subject's value should be at least `limit`, which is `what`.
    #[must_use]
    pub fn floor(mut self, limit: f64, what: &str) -> Self {
        if let Some(subject) = self.subject() {
            let text = format!("at least {}: {what}", self.unit.show(limit));
            self.goals.push(Goal { text, reached: subject >= limit });
        }
        self
    }

    fn subject(&self) -> Option<f64> {
        self.samples.of(Kind::Subject)
    }

    fn verdict(&self) -> &'static str {
        match (self.subject(), self.goals.as_slice()) {
            (None, _) => "not measured",
            (Some(_), []) => "",
            (Some(_), goals) if goals.iter().all(|goal| goal.reached) => "reached",
            (Some(_), _) => "MISSED",
        }
    }

    fn goals_text(&self) -> String {
        let goals =
            self.goals.iter().map(|goal| format!("{}{}", if goal.reached { "" } else { "! " }, goal.text));
        goals.chain(self.note.clone()).collect::<Vec<_>>().join("; ")
    }
}

/// Everything that was measured in one run.
#[derive(Clone, Debug)]
pub struct Report {
    kinds: Vec<Kind>,
    lines: Vec<Line>,
    failures: Vec<String>,
}

impl Report {
    /// An empty report with a column for each of `kinds`.
    #[must_use]
    pub const fn new(kinds: Vec<Kind>) -> Self {
        Self { kinds, lines: Vec::new(), failures: Vec::new() }
    }

    /// Adds a line.
    pub fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Notes that a server could not be measured in a row.
    pub fn failed(&mut self, kind: Kind, what: &str, error: &anyhow::Error) {
        self.failures.push(format!("{} in {what}: {error:#}", kind.name()));
    }

    /// Keeps the lines of `rows` in the order given; rows that were measured only because others need them go.
    pub fn arrange(&mut self, rows: &[&str]) {
        let place = |line: &Line| rows.iter().position(|row| *row == line.row);
        self.lines.retain(|line| place(line).is_some());
        self.lines.sort_by_key(place);
    }

    /// Whether every server stayed measurable.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failures.is_empty()
    }

    /// The table, the failures and the sum.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut head = vec!["row".to_owned(), "measure".to_owned()];
        head.extend(self.kinds.iter().map(|kind| kind.name().to_owned()));
        head.extend(["against the goals".to_owned(), "verdict".to_owned()]);
        let body = self.lines.iter().map(|line| {
            let mut cells = vec![line.row.to_owned(), line.measure.clone()];
            let values = self.kinds.iter().map(|kind| line.samples.of(*kind));
            cells.extend(values.map(|value| value.map_or_else(String::new, |value| line.unit.show(value))));
            cells.extend([line.goals_text(), line.verdict().to_owned()]);
            cells
        });
        let mut text = table(&head, &body.collect::<Vec<_>>());
        let count = |verdict| self.lines.iter().filter(|line| line.verdict() == verdict).count();
        let _ = write!(
            text,
            "\n{} reached, {} missed, {} not measured.\n",
            count("reached"),
            count("MISSED"),
            count("not measured")
        );
        for failure in &self.failures {
            let _ = writeln!(text, "- Failed: {failure}");
        }
        text
    }

    /// The same as one JSON document.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let lines = self.lines.iter().map(|line| {
            let values = line.samples.0.keys().map(|kind| (kind.name(), line.samples.of(*kind)));
            let values: BTreeMap<_, _> = values.collect();
            let goals = line.goals.iter().map(|goal| json!({"goal": goal.text, "reached": goal.reached}));
            json!({
                "row": line.row, "measure": line.measure, "unit": format!("{:?}", line.unit).to_lowercase(),
                "values": values, "goals": goals.collect::<Vec<_>>(), "note": line.note, "verdict": line.verdict(),
            })
        });
        json!({"lines": lines.collect::<Vec<_>>(), "failures": self.failures})
    }
}

/// A factor as people read it: `0.61x`, or `1/60` of something much larger.
fn short(factor: f64) -> String {
    match factor {
        tiny if tiny > 0.0 && tiny < 0.1 => format!("1/{:.0} of", 1.0 / tiny),
        small if small < 10.0 => format!("{small:.2}x"),
        large => format!("{large:.0}x"),
    }
}

fn table(head: &[String], body: &[Vec<String>]) -> String {
    let rows = || std::iter::once(head).chain(body.iter().map(Vec::as_slice));
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            rows().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (number, row) in rows().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "|{:-<1$}", "", width + 2);
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(subject: f64, bare: f64) -> Samples {
        let mut samples = Samples::default();
        samples.add(Kind::Subject, subject);
        samples.add(Kind::Bare, bare);
        samples
    }

    #[test]
    fn units_choose_their_size() {
        assert_eq!(Unit::Bytes.show(1536.0), "1.50 KB");
        assert_eq!(Unit::PerSecond.show(812_345.0), "812 k/s");
        assert_eq!(Unit::PerSecond.show(1_234_567.0), "1.23 M/s");
        assert_eq!(Unit::Count.show(0.0), "0");
        assert_eq!(Unit::Micros.show(12.34), "12.3 us");
    }

    #[test]
    fn a_line_is_reached_when_all_its_goals_are() {
        let line = Line::new("r", "m", Unit::Micros, &samples(2.0, 4.0));
        assert_eq!(line.verdict(), "");
        let line = line.at_most(0.6, Kind::Bare);
        assert_eq!((line.verdict(), line.goals_text().as_str()), ("reached", "0.50x B (at most 0.60x)"));
        let line = line.at_least(1.0, Kind::Bare).at_most(1.0, Kind::Original);
        assert_eq!((line.verdict(), line.goals.len()), ("MISSED", 2));
    }

    #[test]
    fn limits_and_floors() {
        let line = Line::new("r", "m", Unit::Millis, &samples(2.0, 4.0));
        assert_eq!(line.clone().limit(Some(2.0), "x").verdict(), "reached");
        assert_eq!(line.clone().limit(Some(1.9), "x").verdict(), "MISSED");
        assert_eq!(line.clone().limit(None, "x").verdict(), "");
        assert_eq!(line.floor(2.1, "x").verdict(), "MISSED");
        assert_eq!(Line::missing("r", "m", "not built").verdict(), "not measured");
    }

    #[test]
    fn the_table_lines_up_and_counts() {
        let mut report = Report::new(vec![Kind::Subject, Kind::Bare]);
        report
            .push(Line::new("r", "a long measure", Unit::Count, &samples(1.0, 2.0)).at_most(1.0, Kind::Bare));
        report.push(Line::missing("s", "b", "not built"));
        report.failed(Kind::Bare, "r", &anyhow::anyhow!("gone"));
        let text = report.markdown();
        let widths: Vec<usize> = text.lines().take(4).map(str::len).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
        assert!(text.contains("1 reached, 0 missed, 1 not measured.\n- Failed: B in r: gone\n"), "{text}");
        assert_eq!(report.json()["lines"][0]["values"]["gatewayd"], 1.0);
        assert!(!report.is_whole());
    }

    #[test]
    fn arranging_orders_and_drops_rows() {
        let mut report = Report::new(Vec::new());
        for (row, measure) in [("a", "1"), ("b", "2"), ("c", "3"), ("b", "4")] {
            report.push(Line::missing(row, measure, ""));
        }
        report.arrange(&["c", "b"]);
        assert_eq!(
            report.lines.iter().map(|line| line.measure.as_str()).collect::<Vec<_>>(),
            ["3", "2", "4"]
        );
    }

    #[test]
    fn samples_give_medians() {
        let mut samples = samples(1.0, 5.0);
        samples.add(Kind::Subject, 9.0);
        samples.add(Kind::Subject, 2.0);
        assert_eq!((samples.of(Kind::Subject), samples.of(Kind::Epoll)), (Some(2.0), None));
        assert_eq!((samples.ratio(Kind::Bare), samples.ratio(Kind::Epoll)), (Some(0.4), None));
    }

    #[test]
    fn turns_are_compared_one_by_one() {
        let mut both = samples(1.0, 2.0);
        for (subject, bare) in [(100.0, 100.0), (30.0, 60.0)] {
            both.add(Kind::Subject, subject);
            both.add(Kind::Bare, bare);
        }
        assert_eq!(both.ratio(Kind::Bare), Some(0.5));
        assert_eq!(samples(1.0, 0.0).ratio(Kind::Bare), None);
    }
}
