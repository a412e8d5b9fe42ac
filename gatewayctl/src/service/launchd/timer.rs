//! A LaunchAgent that runs for a moment, again and again.

use std::time::Duration;

use plist::{Dictionary, Value, XmlWriteOptions};

use super::control::{load, unload};
use super::manager::Manager;
use super::render::{Error, MAX_VALUE, UMASK, checked, program, table};
use crate::service::names::Names;
use crate::service::spec::Spec;
use crate::service::step::{Form, Step};

/// The text of the property list. What the program says goes nowhere: what it found is in its own record.
pub fn agent(label: &str, spec: &Spec, every: Duration) -> Result<String, Error> {
    let mut arguments = vec![Value::from(program(&spec.program)?)];
    for argument in &spec.arguments {
        arguments.push(Value::from(checked("an argument", argument, MAX_VALUE)?));
    }
    let mut variables = Dictionary::new();
    for (name, value) in &spec.environment {
        variables.insert(name.clone(), Value::from(checked(name, value, MAX_VALUE)?));
    }
    let list = [
        ("Label", Value::from(checked("the label", label, MAX_VALUE)?)),
        ("Comment", Value::from(checked("the description", &spec.description, MAX_VALUE)?)),
        ("RunAtLoad", Value::from(true)),
        ("StartInterval", Value::from(every.as_secs().max(1))),
        ("ProcessType", Value::from("Background")),
        ("ProgramArguments", Value::Array(arguments)),
        ("StandardOutPath", Value::from("/dev/null")),
        ("StandardErrorPath", Value::from("/dev/null")),
        ("EnvironmentVariables", Value::Dictionary(variables)),
        ("Umask", Value::from(UMASK)),
        ("HardResourceLimits", table([("Core", Value::from(0_u64))])),
    ];
    let mut xml = Vec::new();
    table(list).to_writer_xml_with_options(&mut xml, &XmlWriteOptions::default())?;
    let mut text = String::from_utf8_lossy(&xml).into_owned();
    text.push('\n');
    Ok(text)
}

/// Writes the property list and loads it anew.
#[must_use]
pub fn install(manager: &Manager, names: &Names, text: String) -> Vec<Step> {
    let mut steps = vec![Step::Write { path: names.agent_file.clone(), text, form: Form::Private }];
    steps.extend(unload(manager, names));
    steps.extend(load(manager, names));
    steps
}

/// Ends it and forgets it.
#[must_use]
pub fn remove(manager: &Manager, names: &Names) -> Vec<Step> {
    let mut steps = unload(manager, names);
    steps.push(Step::Remove(names.agent_file.clone()));
    steps
}
