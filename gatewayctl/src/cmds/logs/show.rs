//! How a log line is printed: whole times in a pipe, short ones and colours for a person, documents with `--json`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::LogsArgs;
use crate::exit::Failure;
use crate::logfile::Record;
use crate::output::Output;
use crate::text::{Line, Style, Text};

/// Prints one log, its name first.
pub struct Printer {
    out: Output,
    zone: Option<TimeZone>,
    file: Option<String>,
}

impl Printer {
    /// A printer that has not printed anything yet.
    pub fn new(app: &App, args: &LogsArgs) -> Self {
        let short = app.out.is_terminal() && !args.plain && !app.out.is_json();
        Self { out: app.out, zone: short.then(TimeZone::system), file: None }
    }

    /// Names the file, once per file.
    pub fn head(&mut self, file: &str, cursor: u64, size: u64) -> Result<(), Failure> {
        if self.file.as_deref() == Some(file) || file.is_empty() {
            return Ok(());
        }
        self.file = Some(file.to_owned());
        if self.out.is_json() {
            return self
                .out
                .json_line(&json!({"type": "meta", "file": file, "cursor": cursor, "size": size}));
        }
        self.out.say(format!("Log file: {file}"))
    }

    /// Prints one line; `record` is what was read from it.
    pub fn line(&self, record: Option<&Record>, raw: &str) -> Result<(), Failure> {
        if !self.out.is_json() {
            return self.out.say(render(record, raw, self.zone.as_ref()));
        }
        self.out.json_line(&document(record, raw))
    }

    /// Says something about the log itself.
    pub fn notice(&self, message: &str) -> Result<(), Failure> {
        if self.out.is_json() {
            return self.out.json_line(&json!({"type": "notice", "message": message}));
        }
        let mut text = Text::default();
        text.styled(Style::Warn, message);
        self.out.note(&text);
        Ok(())
    }

    /// Says that lines are missing.
    pub fn gaps(&self, reset: bool, truncated: bool) -> Result<(), Failure> {
        if reset {
            self.notice("Log cursor reset (file rotated).")?;
        }
        if truncated {
            self.notice("Log tail truncated (increase --max-bytes).")?;
        }
        Ok(())
    }
}

fn document(record: Option<&Record>, raw: &str) -> Value {
    let Some(record) = record else { return json!({"type": "raw", "raw": raw}) };
    let mut document = json!({"type": "log", "time": record.time, "level": record.level});
    if let Some(subsystem) = &record.subsystem {
        document["subsystem"] = subsystem.as_str().into();
    }
    document["message"] = record.message.as_str().into();
    document["raw"] = raw.into();
    document
}

fn render(record: Option<&Record>, raw: &str, zone: Option<&TimeZone>) -> Line {
    let Some(record) = record else { return Line::from(raw) };
    let level = record.level.as_deref().unwrap_or("info");
    let style = match level {
        "fatal" | "error" => Style::Bad,
        "warn" => Style::Warn,
        "debug" | "trace" => Style::Faint,
        _ => Style::Plain,
    };
    let time = record.time.as_deref().unwrap_or("-");
    let subsystem = record.subsystem.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    Line::default()
        .with(Style::Faint, zone.map_or_else(|| time.to_owned(), |zone| short_time(time, zone)))
        .with(style, format!(" {level}"))
        .with(Style::Plain, subsystem)
        .with(style, format!(" {}", record.message))
}

fn short_time(time: &str, zone: &TimeZone) -> String {
    let parsed: Result<Timestamp, _> = time.parse();
    parsed.map_or_else(
        |_| time.to_owned(),
        |at| at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    fn plain(line: &Line) -> String {
        line.pieces().map(|(_, text)| text).collect()
    }

    #[test]
    fn lines_are_whole_in_a_pipe_and_short_for_a_person() {
        let record = Record {
            time: Some("2026-01-29T11:25:37.869Z".to_owned()),
            level: Some("warn".to_owned()),
            subsystem: Some("gateway/ws".to_owned()),
            message: "slow\u{1b}[2J".to_owned(),
        };
        assert_eq!(
            plain(&render(Some(&record), "raw", None)),
            r"2026-01-29T11:25:37.869Z warn gateway/ws slow\u{1b}[2J"
        );
        assert_eq!(
            plain(&render(Some(&record), "raw", Some(&TimeZone::UTC))),
            r"11:25:37 warn gateway/ws slow\u{1b}[2J"
        );
        assert_schema("logs-line", &document(Some(&record), "raw"));
        assert_schema("logs-line", &document(Some(&Record::default()), ""));
        assert_schema("logs-line", &document(None, "raw"));
        assert_eq!(plain(&render(None, "not a record\u{7}", None)), r"not a record\u{7}");
    }
}
