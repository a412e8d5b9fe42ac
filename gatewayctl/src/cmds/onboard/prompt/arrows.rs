//! Prompts with arrow keys. They are drawn by `dialoguer` on standard error; whatever ends them, the cursor comes back.

use console::Term;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Select};
use gateway_onboard::step::{Kind, Step};
use serde_json::Value;

use super::hidden;
use super::stop::Stop;
use crate::app::App;

/// Asks once.
pub fn ask(app: &App, step: &Step) -> Result<Value, Stop> {
    let term = Term::stderr();
    let answer = prompt(app, step, &term);
    if answer.is_err() {
        // A prompt that was interrupted leaves the cursor hidden.
        let _ = term.show_cursor();
    }
    answer
}

fn prompt(app: &App, step: &Step, term: &Term) -> Result<Value, Stop> {
    let theme: &dyn Theme = if app.out.has_colour() { &ColorfulTheme::default() } else { &SimpleTheme };
    let initial = step.initial.as_ref();
    match step.kind {
        Kind::Select => {
            let labels: Vec<String> = step.options.iter().map(label).collect();
            let proposed = initial.and_then(Value::as_str);
            let at = step.options.iter().position(|choice| Some(choice.value.as_str()) == proposed);
            let select = Select::with_theme(theme).with_prompt(&step.message).items(&labels);
            let picked = select.default(at.unwrap_or(0)).report(true).interact_on(term).map_err(stop)?;
            Ok(step.options.get(picked).map(|choice| choice.value.clone().into()).unwrap_or_default())
        }
        Kind::Confirm => {
            let proposed = initial.and_then(Value::as_bool).unwrap_or(false);
            let confirm = Confirm::with_theme(theme).with_prompt(&step.message).default(proposed);
            confirm.interact_on(term).map(Value::Bool).map_err(stop)
        }
        Kind::Text if step.sensitive => hidden::read(app, &format!("{}:", step.message)).map(Value::String),
        Kind::Text | Kind::Note => {
            let proposed = initial.and_then(Value::as_str).unwrap_or_default().to_owned();
            let input = Input::<String>::with_theme(theme).with_prompt(question(step)).allow_empty(true);
            let input = if proposed.is_empty() { input } else { input.default(proposed) };
            input.interact_text_on(term).map(Value::String).map_err(stop)
        }
    }
}

fn label(choice: &gateway_onboard::step::Choice) -> String {
    match &choice.hint {
        Some(hint) => format!("{} ({hint})", choice.label),
        None => choice.label.clone(),
    }
}

fn question(step: &Step) -> String {
    match step.placeholder {
        Some(example) => format!("{} ({example})", step.message),
        None => step.message.clone(),
    }
}

fn stop(error: dialoguer::Error) -> Stop {
    let dialoguer::Error::IO(error) = error;
    Stop::from(error)
}
