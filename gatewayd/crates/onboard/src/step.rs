//! A question as it is shown: in a terminal, as numbered lines, or as the step of `wizard.*`.

use serde_json::Value;

/// What kind of answer a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// None; it is only read.
    Note,
    /// One of its options.
    Select,
    /// A line.
    Text,
    /// Yes or no.
    Confirm,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What kind of answer it takes.
    pub kind: Kind,
    /// A heading, for notes.
    pub title: Option<String>,
    /// The question, or the note itself.
    pub message: String,
    /// What can be chosen.
    pub options: Vec<Choice>,
    /// What is proposed.
    pub initial: Option<Value>,
    /// What an answer looks like.
    pub placeholder: Option<&'static str>,
    /// Whether the answer is a secret.
    pub sensitive: bool,
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The answer that means it.
    pub value: String,
    /// Its name for people.
    pub label: String,
    /// More about it.
    pub hint: Option<String>,
}

impl Choice {
    /// A choice without a hint.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Step {
    fn of(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        let (title, options, initial, placeholder) = (None, Vec::new(), None, None);
        Self { kind, title, message, options, initial, placeholder, sensitive: false }
    }

    /// Something to read.
    pub fn note(title: &str, message: impl Into<String>) -> Self {
        Self { title: Some(title.to_owned()), ..Self::of(Kind::Note, message) }
    }

    /// A line to type.
    pub fn text(message: impl Into<String>, initial: impl Into<String>) -> Self {
        Self { initial: Some(Value::String(initial.into())), ..Self::of(Kind::Text, message) }
    }

    /// A secret to type. There is never one to begin with.
    pub fn secret(message: impl Into<String>) -> Self {
        Self { sensitive: true, ..Self::of(Kind::Text, message) }
    }

    /// Yes or no.
    pub fn confirm(message: impl Into<String>, initial: bool) -> Self {
        Self { initial: Some(Value::Bool(initial)), ..Self::of(Kind::Confirm, message) }
    }

    /// A choice; `initial` is proposed.
    pub fn select(message: impl Into<String>, options: Vec<Choice>, initial: &str) -> Self {
        let initial = Some(Value::String(initial.to_owned()));
        Self { options, initial, ..Self::of(Kind::Select, message) }
    }

    /// The same with an example of an answer.
    #[must_use]
    pub const fn placeholder(mut self, text: &'static str) -> Self {
        self.placeholder = Some(text);
        self
    }
}

/// The line in an answer, read as generously as the original reads it.
#[must_use]
pub fn line(answer: &Value) -> String {
    match answer {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// Whether an answer means yes, in the way of the original: everything that is not empty does.
#[must_use]
pub fn yes(answer: &Value) -> bool {
    match answer {
        Value::Bool(flag) => *flag,
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::Array(_) | Value::Object(_) => true,
    }
}
