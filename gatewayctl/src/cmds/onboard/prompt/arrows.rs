//! Prompts with arrow keys. They are drawn by `dialoguer` on standard error; whatever ends them, the cursor comes back.
//! Escape ends them too.

use console::{Term, measure_text_width, truncate_str};
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Select};
use gateway_onboard::step::{Choice, Kind, Step};
use serde_json::Value;

use super::hidden;
use super::stop::Stop;
use crate::app::App;
use crate::text::Text;

/// What stands before a choice, and the last column, which some terminals wrap at.
const MARK: usize = 3;

/// What stands around a question that is answered with a key.
const KEYS: usize = "? ".len() + " (y/n) > yes".len();

/// Asks once.
pub fn ask(app: &App, step: &Step) -> Result<Value, Stop> {
    let term = Term::stderr();
    let answer = prompt(app, step, &term);
    if answer.is_err() {
        // A prompt that was interrupted leaves the cursor hidden, and within its line.
        let _ = term.show_cursor();
        if step.kind != Kind::Select {
            let _ = term.write_line("");
        }
    }
    answer
}

fn prompt(app: &App, step: &Step, term: &Term) -> Result<Value, Stop> {
    let theme: &dyn Theme = if app.out.has_colour() { &ColorfulTheme::default() } else { &SimpleTheme };
    let initial = step.initial.as_ref();
    match step.kind {
        Kind::Select => {
            let width = usize::from(term.size().1);
            let labels: Vec<String> = step.options.iter().map(|choice| label(choice, width)).collect();
            let proposed = initial.and_then(Value::as_str);
            let at = step.options.iter().position(|choice| Some(choice.value.as_str()) == proposed);
            let select = Select::with_theme(theme).with_prompt(&step.message).items(&labels);
            let picked = select.default(at.unwrap_or(0)).report(true).interact_on_opt(term).map_err(stop)?;
            let picked = picked.ok_or(Stop::Cancelled)?;
            Ok(step.options.get(picked).map(|choice| choice.value.clone().into()).unwrap_or_default())
        }
        Kind::Confirm => {
            let proposed = initial.and_then(Value::as_bool).unwrap_or(false);
            let (before, question) = fitting(&step.message, usize::from(term.size().1));
            if let Some(before) = before {
                let mut text = Text::default();
                text.say(before);
                app.out.note(&text);
            }
            let confirm = Confirm::with_theme(theme).with_prompt(question).default(proposed);
            confirm.interact_on_opt(term).map_err(stop)?.map(Value::Bool).ok_or(Stop::Cancelled)
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

/// A question that is answered with a key is drawn anew in one row; where it does not fit, what leads to it is said before.
fn fitting(message: &str, width: usize) -> (Option<&str>, &str) {
    if measure_text_width(message) + KEYS <= width {
        return (None, message);
    }
    match message.rfind(". ") {
        Some(at) => (message.get(..=at), message.get(at + 2..).unwrap_or(message)),
        None => (None, message),
    }
}

/// A choice on one row: a list with rows that wrap is drawn over itself. Where the hint does not fit, it is left out.
fn label(choice: &Choice, width: usize) -> String {
    let room = width.saturating_sub(MARK);
    let with_hint = choice.hint.as_ref().map(|hint| format!("{} ({hint})", choice.label));
    match with_hint.filter(|text| measure_text_width(text) <= room) {
        Some(text) => text,
        None => truncate_str(&choice.label, room, "…").into_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_does_not_fit_is_cut_at_its_last_sentence() {
        let message = "I understand the risk. It is mine. Continue?";
        assert_eq!(fitting(message, 80), (None, message));
        assert_eq!(fitting(message, 40), (Some("I understand the risk. It is mine."), "Continue?"));
        assert_eq!(fitting("One long question?", 5), (None, "One long question?"));
    }

    #[test]
    fn a_choice_is_one_row_of_any_terminal() {
        let choice = Choice::new("v", "Manual").hint("Configure port, network, and more.");
        assert_eq!(label(&choice, 80), "Manual (Configure port, network, and more.)");
        assert_eq!(label(&choice, 40), "Manual");
        for width in 0..80 {
            let shown = measure_text_width(&label(&choice, width));
            assert!(shown <= width.saturating_sub(MARK).max(1), "{width}: {shown}");
        }
        assert_eq!(label(&choice, 7), "Man…");
    }
}
