//! Plays a person who answers some steps in their own way and the others as proposed.

use gateway_config::path;
use serde_json::{Value, json};

use crate::answers::Answers;
use crate::facts::{Facts, Host, Service};
use crate::plan::{Change, Edit};
use crate::step::Kind;
use crate::wizard::{Next, Wizard};

/// A terminal on a machine that has no service yet.
pub const NEW: Host = Host::Terminal(Service::Absent);

/// Answers the steps whose message is named, everything else as proposed, and tells what was asked.
pub fn run(facts: &Facts, answers: Answers, said: &[(&str, Value)]) -> (Vec<String>, Next) {
    let mut wizard = Wizard::new(facts.clone(), answers);
    let mut asked = Vec::new();
    for _ in 0..100 {
        let step = match wizard.next() {
            Next::Ask(step) => step,
            end => return (asked, end),
        };
        let name = if step.kind == Kind::Note { step.title.clone() } else { Some(step.message.clone()) };
        let name = name.unwrap_or_default();
        asked.push(name.clone());
        let own = said.iter().find(|(message, _)| *message == name).map(|(_, answer)| answer.clone());
        let risk = name.starts_with("I understand").then(|| json!(true));
        let answer = own.or(risk).or(step.initial).unwrap_or(Value::Null);
        wizard.answer(&answer).unwrap_or_else(|error| panic!("{name}: {answer}: {error}"));
    }
    panic!("it does not end: {asked:#?}")
}

pub fn edits(next: &Next) -> Vec<String> {
    let Next::Apply(plan) = next else { panic!("{next:?}") };
    let line = |edit: &Edit| {
        let path = path::show(&edit.path);
        match &edit.change {
            Change::Set(value) => format!("{path} = {value}"),
            Change::Secret(secret) => format!("{path} is {}", secret.expose()),
            Change::Unset => format!("no {path}"),
        }
    };
    plan.edits.iter().map(line).collect()
}
