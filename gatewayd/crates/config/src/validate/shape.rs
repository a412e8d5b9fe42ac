//! The shape of a value against the key table, with the messages of the original's validator.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::suggest;
use crate::issue::Issue;
use crate::keys::{Bounds, Check, Key, Type, tree};

/// More findings than this help nobody and would only fill the log.
const MAX_ISSUES: usize = 200;

/// The words `gateway.bind` accepts beside addresses.
pub(crate) const BIND_WORDS: [&str; 5] = ["auto", "lan", "loopback", "custom", "tailnet"];

/// Findings of `value` as a whole configuration.
#[must_use]
pub fn shape(value: &Value) -> Vec<Issue> {
    Walk::over(value).issues
}

/// The paths of the keys in `value` that the table does not know, positions of lists as digits.
#[must_use]
pub fn unknown_keys(value: &Value) -> Vec<Vec<String>> {
    Walk::over(value).unknown
}

struct Walk {
    issues: Vec<Issue>,
    unknown: Vec<Vec<String>>,
    path: Vec<String>,
}

impl Walk {
    fn over(value: &Value) -> Self {
        let mut walk = Self { issues: Vec::new(), unknown: Vec::new(), path: Vec::new() };
        walk.check(tree(), tree().ty, value);
        walk
    }

    fn report(&mut self, message: impl Into<String>) {
        self.report_with(message, None);
    }

    fn report_with(&mut self, message: impl Into<String>, hint: Option<String>) {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(Issue { path: self.path.join("."), message: message.into(), hint });
        }
    }

    fn within(&mut self, step: &str, inner: impl FnOnce(&mut Self)) {
        self.path.push(step.to_owned());
        inner(self);
        self.path.pop();
    }

    fn check(&mut self, key: &Key, ty: Type, value: &Value) {
        match (ty, value) {
            (Type::Any | Type::Like(_), _) | (Type::Bool, Value::Bool(_)) => {}
            (Type::Int(bounds), Value::Number(n)) => {
                let n = n.as_f64().unwrap_or(f64::NAN);
                if n.fract() == 0.0 {
                    self.bounds(bounds, n)
                } else {
                    self.report("Invalid input: expected int, received number")
                }
            }
            (Type::Number(bounds), Value::Number(n)) => self.bounds(bounds, n.as_f64().unwrap_or(f64::NAN)),
            (Type::Text(min, max, check), Value::String(text)) => self.text(min, max, check, text),
            (Type::Choice(choices), Value::String(text)) if choices.contains(&text.as_str()) => {}
            (Type::Choice(choices), value) => self.choice(choices, value),
            (Type::List(item), Value::Array(items)) => {
                for (i, value) in items.iter().enumerate() {
                    self.within(&i.to_string(), |w| match key.item() {
                        Some(key) => w.check(key, key.ty, value),
                        None => w.check(key, *item, value),
                    });
                }
            }
            (Type::Map(item), Value::Object(map)) => {
                for (name, value) in map {
                    self.within(name, |w| match key.named(name) {
                        Some(known) => w.check(known, known.ty, value),
                        None => w.check(key, *item, value),
                    });
                }
            }
            (Type::Object, Value::Object(map)) => self.object(key, map),
            (Type::OneOf(types), value) => match types.iter().find(|ty| takes(**ty, value)) {
                Some(ty) => self.check(key, *ty, value),
                None => self.wrong(ty, value),
            },
            (ty, value) => self.wrong(ty, value),
        }
    }

    fn object(&mut self, key: &Key, map: &Map<String, Value>) {
        for (name, known) in key.fields() {
            match map.get(*name) {
                Some(value) => self.within(name, |w| w.check(known, known.ty, value)),
                None if known.row.is_some_and(|row| row.required) => {
                    self.within(name, |w| w.missing(known.ty))
                }
                None => {}
            }
        }
        let mut unknown = Vec::new();
        for (name, value) in map.iter().filter(|(name, _)| !key.fields().contains_key(name.as_str())) {
            match key.other() {
                Some(other) => self.within(name, |w| w.check(other, other.ty, value)),
                None => unknown.push(name.as_str()),
            }
        }
        if !unknown.is_empty() {
            let path = |name: &&str| {
                self.path.iter().map(String::as_str).chain([*name]).map(str::to_owned).collect()
            };
            self.unknown.extend(unknown.iter().map(path).collect::<Vec<_>>());
            let names = unknown.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            let plural = if unknown.len() == 1 { "" } else { "s" };
            let hint = suggest::hint(key, &unknown);
            self.report_with(format!("Unrecognized key{plural}: {names}"), hint);
        }
    }

    fn missing(&mut self, ty: Type) {
        match ty {
            Type::Choice(choices) => self.report(invalid_option(choices)),
            ty => self.report(format!("Invalid input: expected {}, received undefined", expected(ty))),
        }
    }

    fn wrong(&mut self, ty: Type, value: &Value) {
        self.report(format!("Invalid input: expected {}, received {}", expected(ty), received(value)));
    }

    fn choice(&mut self, choices: &'static [&'static str], value: &Value) {
        let hint = value.as_str().and_then(|text| suggest::closest(text, choices.iter().copied()));
        self.report_with(invalid_option(choices), hint.map(|found| format!("did you mean \"{found}\"?")));
    }

    fn bounds(&mut self, bounds: Bounds, n: f64) {
        if let Some(min) = bounds.min
            && (n < min || (bounds.above_min && n <= min))
        {
            let sign = if bounds.above_min { ">" } else { ">=" };
            self.report(format!("Too small: expected number to be {sign}{min}"));
        }
        if let Some(max) = bounds.max.filter(|max| n > *max) {
            self.report(format!("Too big: expected number to be <={max}"));
        }
    }

    fn text(&mut self, min: usize, max: usize, check: Check, text: &str) {
        let length = text.encode_utf16().count();
        if length < min {
            self.report(format!("Too small: expected string to have >={min} characters"));
        }
        if length > max {
            self.report(format!("Too big: expected string to have <={max} characters"));
        }
        match check {
            Check::HexColor if !is_hex_color(text) => {
                self.report("Invalid string: must match pattern /^#?[0-9a-fA-F]{6}$/");
            }
            Check::Bind if !BIND_WORDS.contains(&text) && bind_address(text).is_none() => {
                let hint = suggest::closest(text, BIND_WORDS.iter().copied());
                let hint = hint.map_or_else(
                    || "an IP address works too".to_owned(),
                    |w| format!("did you mean \"{w}\"?"),
                );
                self.report_with(invalid_option(&BIND_WORDS), Some(hint));
            }
            _ => {}
        }
    }
}

/// The address in a bind setting: IPv4 or IPv6, brackets allowed.
pub(crate) fn bind_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn invalid_option(choices: &[&str]) -> String {
    if let [only] = choices {
        return format!("Invalid input: expected \"{only}\"");
    }
    let list = choices.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join("|");
    format!("Invalid option: expected one of {list}")
}

/// Whether the kind of `value` is one that `ty` is about.
fn takes(ty: Type, value: &Value) -> bool {
    match ty {
        Type::Any | Type::Like(_) => true,
        Type::Bool => value.is_boolean(),
        Type::Int(_) | Type::Number(_) => value.is_number(),
        Type::Text(..) | Type::Choice(_) => value.is_string(),
        Type::List(_) => value.is_array(),
        Type::Map(_) | Type::Object => value.is_object(),
        Type::OneOf(types) => types.iter().any(|ty| takes(*ty, value)),
    }
}

fn expected(ty: Type) -> String {
    match ty {
        Type::Any | Type::Like(_) => "any".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Int(_) | Type::Number(_) => "number".to_owned(),
        Type::Text(..) => "string".to_owned(),
        Type::Choice(choices) => choices.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join("|"),
        Type::List(_) => "array".to_owned(),
        Type::Map(_) | Type::Object => "object".to_owned(),
        Type::OneOf(types) => types.iter().map(|ty| expected(*ty)).collect::<Vec<_>>().join(" or "),
    }
}

fn received(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
