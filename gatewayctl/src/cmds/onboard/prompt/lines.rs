//! Prompts as numbered lines, for dumb terminals, screen readers and scripts that send lines.

use gateway_onboard::step::{Kind, Step};
use serde_json::Value;

use super::hidden;
use super::stop::Stop;
use crate::app::App;
use crate::text::Text;

/// Asks once. Secrets are not shown where a person types them.
pub fn ask(app: &App, step: &Step, person: bool) -> Result<Value, Stop> {
    if step.sensitive && person {
        return hidden::read(app, &format!("{}:", step.message)).map(Value::String);
    }
    let mut text = Text::default();
    text.say("");
    if step.kind == Kind::Select {
        text.say(&step.message);
        for (number, choice) in (1..).zip(&step.options) {
            let hint = choice.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            text.say(format!("  {number}) {}{hint}", choice.label));
        }
    }
    app.out.note(&text);
    let Some(line) = app.out.line(&question(step))? else {
        // Nobody has ended the line of the question.
        let mut end = Text::default();
        end.say("");
        app.out.note(&end);
        return Err(Stop::Cancelled);
    };
    Ok(read(step, line.trim()))
}

fn question(step: &Step) -> String {
    let initial = step.initial.as_ref();
    match step.kind {
        Kind::Select => {
            let proposed = initial.and_then(Value::as_str);
            let at = step.options.iter().position(|choice| Some(choice.value.as_str()) == proposed);
            format!("Number [{}]:", at.unwrap_or(0) + 1)
        }
        Kind::Confirm => {
            let yes = initial.and_then(Value::as_bool).unwrap_or(false);
            format!("{} {}", step.message, if yes { "[Y/n]" } else { "[y/N]" })
        }
        Kind::Text | Kind::Note => match initial.and_then(Value::as_str).filter(|text| !text.is_empty()) {
            Some(proposed) => format!("{} [{proposed}]:", step.message),
            None => format!("{}:", step.message),
        },
    }
}

/// What a line means: nothing is what is proposed, a number one of the options, and the value itself always works.
fn read(step: &Step, line: &str) -> Value {
    if line.is_empty() {
        let first = || step.options.first().map(|choice| Value::String(choice.value.clone()));
        return step.initial.clone().or_else(first).unwrap_or_default();
    }
    match step.kind {
        Kind::Select => {
            let number = line.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let picked = number.and_then(|at| step.options.get(at)).map(|choice| choice.value.clone());
            Value::String(picked.unwrap_or_else(|| line.to_owned()))
        }
        Kind::Confirm => Value::Bool(matches!(line.to_ascii_lowercase().as_str(), "y" | "yes" | "true")),
        Kind::Text | Kind::Note => Value::String(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use gateway_onboard::step::Choice;
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_mean_what_people_type() {
        let select = Step::select("Which", vec![Choice::new("a", "A"), Choice::new("b", "B").hint("h")], "b");
        assert_eq!(question(&select), "Number [2]:");
        for (line, answer) in [("", "b"), ("1", "a"), ("b", "b"), ("0", "0"), ("3", "3"), ("x", "x")] {
            assert_eq!(read(&select, line), json!(answer), "{line}");
        }
        let confirm = Step::confirm("Sure?", true);
        assert_eq!(question(&confirm), "Sure? [Y/n]");
        for (line, answer) in [("", true), ("y", true), ("YES", true), ("n", false), ("what", false)] {
            assert_eq!(read(&confirm, line), json!(answer), "{line}");
        }
        let text = Step::text("Port", "18789");
        assert_eq!(question(&text), "Port [18789]:");
        assert_eq!((read(&text, ""), read(&text, "1")), (json!("18789"), json!("1")));
        assert_eq!(read(&Step::secret("Key"), ""), Value::Null);
    }
}
