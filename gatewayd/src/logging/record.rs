//! One entry of the log, made once from an event and shared by the sinks. Foreign text is made printable and cut
//! here, so that no sink can forget it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use gateway_base::clock::UnixMs;
use gateway_base::error_chain::Chain;
use gateway_base::printable::printable;
use gateway_config::sections::Level;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

use super::level;

const MESSAGE_LIMIT: usize = 8 * 1024;
const FIELD_LIMIT: usize = 2 * 1024;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) at: UnixMs,
    pub(super) level: Level,
    pub(super) subsystem: Cow<'static, str>,
    pub(super) message: String,
    pub(super) fields: Map<String, Value>,
    /// The console shows this in another way already.
    pub(super) file_only: bool,
}

impl Record {
    /// Whether this says the same as `other`, whenever it was said.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.level == other.level
            && self.message == other.message
            && self.subsystem == other.subsystem
            && self.fields == other.fields
    }

    pub(super) fn of_event(event: &tracing::Event<'_>, at: UnixMs) -> Self {
        let meta = event.metadata();
        let mut record = Self {
            at,
            level: level::of(*meta.level()),
            subsystem: subsystem_of_target(meta.target()),
            message: String::new(),
            fields: Map::new(),
            file_only: false,
        };
        event.record(&mut Visitor(&mut record));
        record
    }
}

/// Modules of our own crates without a subsystem of their own belong to `gateway`; of other crates the name of the
/// crate is kept; a target that is no module path is a subsystem already.
fn subsystem_of_target(target: &'static str) -> Cow<'static, str> {
    let root = target.split("::").next().unwrap_or(target);
    Cow::Borrowed(if is_ours(root) { "gateway" } else { root })
}

/// Whether `root`, the first segment of a target, is one of our crates.
fn is_ours(root: &str) -> bool {
    root == "gatewayd" || root.starts_with("gateway_")
}

/// Libraries speak up only when something is wrong; our own code and named subsystems follow the levels.
pub(super) fn is_wanted(meta: &tracing::Metadata<'_>) -> bool {
    let root = meta.target().split("::").next().unwrap_or_default();
    let is_subsystem = root.contains('/') || SUBSYSTEMS.contains(&root);
    is_ours(root) || is_subsystem || *meta.level() <= tracing::Level::WARN
}

/// Names of operations 10.8 that hold no slash.
const SUBSYSTEMS: &[&str] = &[
    "gateway",
    "browser",
    "plugins",
    "gmail-watcher",
    "memory",
    "skills",
    "env",
    "diagnostic",
    "state-migrations",
    "dev",
];

struct Visitor<'a>(&'a mut Record);

impl Visitor<'_> {
    fn text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => self.0.message = printable(text, MESSAGE_LIMIT).into_owned(),
            "subsystem" => self.0.subsystem = Cow::Owned(printable(text, 64).into_owned()),
            _ => self.value(field, Value::String(printable(text, FIELD_LIMIT).into_owned())),
        }
    }

    fn value(&mut self, field: &Field, value: Value) {
        self.0.fields.insert(field.name().to_owned(), value);
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, &Chain(value).to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "file_only" => self.0.file_only = value,
            _ => self.value(field, value.into()),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, value.into());
    }
}
