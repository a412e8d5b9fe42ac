//! The console: one short line per record for people, or one JSON object. Warnings and worse go to stderr, the rest
//! to stdout (operations 10.4).

use std::fmt::Write;
use std::sync::Arc;

use gateway_base::clock::iso_utc;
use gateway_base::env::Env;
use gateway_base::local_time;
use gateway_base::redact::{self, Redactor};
use gateway_config::sections::{ConsoleStyle as Style, Level};
use serde_json::{Map, Value};

use super::handle::Shared;
use super::level;
use super::queue::Sink;
use super::record::Record;
use crate::print::Stream;

/// Which streams get colours.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Colours {
    out: bool,
    err: bool,
}

impl Colours {
    /// `FORCE_COLOR` other than 0, else not with `NO_COLOR`, else on a terminal that can.
    fn new(env: &Env) -> Self {
        let by_terminal = |stream: Stream| stream.is_terminal() && env.get("TERM") != Some("dumb");
        let choose = |stream| match (env.get("FORCE_COLOR"), env.get("NO_COLOR")) {
            (Some(force), _) if force != "0" => true,
            (Some(_), _) | (_, Some(_)) => false,
            (None, None) => by_terminal(stream),
        };
        Self { out: choose(Stream::Out), err: choose(Stream::Err) }
    }

    fn on(self, stream: Stream) -> bool {
        match stream {
            Stream::Out => self.out,
            Stream::Err => self.err,
        }
    }
}

pub(super) struct ConsoleSink {
    shared: Arc<Shared>,
    seen: u64,
    style: Style,
    default_style: Style,
    redactor: Arc<Redactor>,
    colours: Colours,
    only: Option<&'static str>,
    buffer: String,
    stream: Stream,
}

impl ConsoleSink {
    pub(super) fn new(shared: Arc<Shared>, env: &Env, only: Option<&'static str>) -> Self {
        let default_style = if Stream::Out.is_terminal() { Style::Pretty } else { Style::Compact };
        Self {
            shared,
            seen: 0,
            style: default_style,
            default_style,
            redactor: Arc::new(Redactor::off()),
            colours: Colours::new(env),
            only,
            buffer: String::new(),
            stream: Stream::Out,
        }
    }
}

impl Sink for ConsoleSink {
    fn write(&mut self, record: &Arc<Record>) {
        if let Some(texts) = self.shared.newer(&mut self.seen) {
            self.style = texts.style.unwrap_or(self.default_style);
            self.redactor = texts.redactor;
        }
        if self.only.is_some_and(|only| !is_within(&record.subsystem, only)) {
            return;
        }
        let stream = stream_of(record.level);
        if stream != self.stream {
            self.flush();
            self.stream = stream;
        }
        line(&mut self.buffer, record, self.style, &self.redactor, self.colours.on(stream));
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            self.stream.write(&self.buffer);
            self.buffer.clear();
        }
    }
}

/// Where a person looks for trouble.
fn stream_of(level: Level) -> Stream {
    if level <= Level::Warn { Stream::Err } else { Stream::Out }
}

/// Appends the line for `record`.
pub(super) fn line(out: &mut String, record: &Record, style: Style, redactor: &Redactor, colour: bool) {
    let message = redactor.apply(&record.message);
    if style == Style::Json {
        json(out, record, &message, redactor);
        return;
    }
    let name = display_name(&record.subsystem);
    let message = without_repeated_name(&message, &name);
    let time = if style == Style::Pretty { local_time::hms(record.at) } else { iso_utc(record.at) };
    let mut text = message.to_owned();
    for (key, value) in &record.fields {
        let value = masked(key, value, redactor);
        // Writing to a String cannot fail, here and below.
        let _ = match value {
            Value::String(value) => write!(text, " {key}={value}"),
            other => write!(text, " {key}={other}"),
        };
    }
    let _ = if colour {
        writeln!(
            out,
            "\u{1b}[90m{time}\u{1b}[0m \u{1b}[{}m[{name}]\u{1b}[0m \u{1b}[{}m{text}\u{1b}[0m",
            subsystem_colour(&record.subsystem),
            level_colour(record.level)
        )
    } else {
        writeln!(out, "{time} [{name}] {text}")
    };
}

fn json(out: &mut String, record: &Record, message: &str, redactor: &Redactor) {
    let mut object = Map::new();
    object.insert("time".into(), iso_utc(record.at).into());
    object.insert("level".into(), level::word(record.level).into());
    object.insert("subsystem".into(), record.subsystem.as_ref().into());
    object.insert("message".into(), message.into());
    for (key, value) in &record.fields {
        object.entry(key.clone()).or_insert_with(|| masked(key, value, redactor));
    }
    let _ = writeln!(out, "{}", Value::Object(object));
}

/// A field value without its secrets: all of it when the name says so, else what the patterns find.
pub(super) fn masked(name: &str, value: &Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) if redactor.is_off() => Value::String(text.clone()),
        Value::String(text) if redact::is_secret_name(name) => Value::String(redact::mask(text)),
        Value::String(text) => Value::String(redactor.apply(text).into_owned()),
        other => other.clone(),
    }
}

fn is_within(subsystem: &str, root: &str) -> bool {
    subsystem.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The short name people see: without leading `gateway`, `channels` and `providers`, at most two segments; a
/// channel's own name stands alone.
fn display_name(subsystem: &str) -> String {
    const CHANNELS: &[&str] =
        &["telegram", "whatsapp", "discord", "slack", "signal", "imessage", "googlechat", "msteams"];
    let segments: Vec<_> =
        subsystem.split('/').skip_while(|s| matches!(*s, "gateway" | "channels" | "providers")).collect();
    match segments.as_slice() {
        [] => subsystem.to_owned(),
        [first, ..] if CHANNELS.contains(first) => (*first).to_owned(),
        [.., a, b] => format!("{a}/{b}"),
        [one] => (*one).to_owned(),
    }
}

/// `cron: started` of the subsystem `cron` reads `started`.
fn without_repeated_name<'a>(message: &'a str, name: &str) -> &'a str {
    let rest = match message.get(..name.len()) {
        Some(head) if head.eq_ignore_ascii_case(name) => &message[name.len()..],
        _ => return message,
    };
    match rest.strip_prefix(": ").map(str::trim_start) {
        Some(rest) if !rest.is_empty() => rest,
        _ => message,
    }
}

fn subsystem_colour(subsystem: &str) -> u8 {
    const COLOURS: [u8; 6] = [36, 32, 33, 34, 35, 31];
    if subsystem == "gmail-watcher" {
        return 34;
    }
    let hash = subsystem.bytes().fold(0_u32, |hash, b| hash.wrapping_mul(31).wrapping_add(u32::from(b)));
    COLOURS[hash as usize % COLOURS.len()]
}

fn level_colour(level: Level) -> u8 {
    match level {
        Level::Silent | Level::Fatal | Level::Error => 31,
        Level::Warn => 33,
        Level::Info => 36,
        Level::Debug | Level::Trace => 90,
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::note;
    use super::*;

    fn record(subsystem: &'static str, message: &str) -> Record {
        let mut record = (*note(1_769_685_937_869, message.to_owned())).clone();
        record.subsystem = subsystem.into();
        record.fields.insert("authToken".into(), "hunter2".into());
        record.fields.insert("n".into(), 3.into());
        record
    }

    fn shown(style: Style, colour: bool) -> String {
        let mut out = String::new();
        line(
            &mut out,
            &record("gateway/cron", "Cron: started OPENAI_API_KEY=abc"),
            style,
            &Redactor::built_in(),
            colour,
        );
        out
    }

    #[test]
    fn compact_and_json_lines_have_their_form_and_no_secret() {
        assert_eq!(
            shown(Style::Compact, false),
            "2026-01-29T11:25:37.869Z [cron] started OPENAI_API_KEY=*** authToken=*** n=3\n"
        );
        assert_eq!(
            shown(Style::Json, true),
            "{\"time\":\"2026-01-29T11:25:37.869Z\",\"level\":\"warn\",\"subsystem\":\"gateway/cron\",\
             \"message\":\"Cron: started OPENAI_API_KEY=***\",\"authToken\":\"***\",\"n\":3}\n"
        );
        assert!(shown(Style::Pretty, false)[8..].starts_with(" [cron] started"));
        assert!(shown(Style::Pretty, true).contains("\u{1b}[33mstarted"));
    }

    #[test]
    fn warnings_and_worse_are_trouble() {
        for level in [Level::Fatal, Level::Error, Level::Warn] {
            assert_eq!(stream_of(level), Stream::Err, "{level:?}");
        }
        for level in [Level::Info, Level::Debug, Level::Trace] {
            assert_eq!(stream_of(level), Stream::Out, "{level:?}");
        }
    }

    #[test]
    fn names_are_shortened_as_the_original_does() {
        for (subsystem, expected) in [
            ("gateway", "gateway"),
            ("gateway/ws", "ws"),
            ("gateway/channels/telegram", "telegram"),
            ("telegram/diagnostic", "telegram"),
            ("browser/server", "browser/server"),
            ("agents/a/b/c", "b/c"),
        ] {
            assert_eq!(display_name(subsystem), expected);
        }
        assert_eq!(without_repeated_name("cronjob: x", "cron"), "cronjob: x");
        assert_eq!(without_repeated_name("é", "cr"), "é");
    }

    #[test]
    fn only_one_branch_can_be_shown() {
        assert!(is_within("agent/claude-cli/x", "agent/claude-cli"));
        assert!(!is_within("agent/claude-client", "agent/claude-cli"));
    }

    #[test]
    fn colours_follow_the_environment() {
        for (force, no, expected) in [
            (Some("1"), Some("1"), true),
            (Some("0"), None, false),
            (None, Some("1"), false),
            (None, None, false),
        ] {
            let mut env = Env::default();
            for (name, value) in [("FORCE_COLOR", force), ("NO_COLOR", no), ("TERM", Some("dumb"))] {
                if let Some(value) = value {
                    env.set(name, value);
                }
            }
            assert_eq!(Colours::new(&env).on(Stream::Out), expected, "{force:?} {no:?}");
        }
    }
}
