//! Which of the two ways, and what they share: a step is asked until its answer is taken.

use std::io::IsTerminal;

use gateway_onboard::step::{Kind, Step};
use serde_json::Value;

use super::stop::Stop;
use super::{arrows, lines};
use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::text::{Style, Text};

/// How is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompts {
    /// With arrow keys.
    Arrows,
    /// With numbered lines.
    Lines {
        /// Whether a person types them.
        person: bool,
    },
}

impl Prompts {
    /// Arrow keys on a terminal that has them. Lines that come from a file or a pipe have to be asked for with
    /// `--plain`, so that a script that forgot `--non-interactive` does not answer by accident.
    pub fn choose(app: &App, plain: bool) -> Result<Self, Failure> {
        let person = std::io::stdin().is_terminal();
        let capable = std::io::stderr().is_terminal() && app.env.get("TERM") != Some("dumb");
        match (person, plain) {
            (true, false) if capable => Ok(Self::Arrows),
            (true, _) | (false, true) => Ok(Self::Lines { person }),
            (false, false) => {
                let why = "onboard asks questions, and standard input is no terminal";
                let scripted = app.suggest("onboard --non-interactive --accept-risk");
                Err(Failure::new(Exit::Usage, why)
                    .hint(format!("With flags: {scripted}\nWith lines of answers: --plain")))
            }
        }
    }

    /// Asks until `take` takes the answer.
    pub fn ask(
        self,
        app: &App,
        step: &Step,
        mut take: impl FnMut(&Value) -> Result<(), String>,
    ) -> Result<(), Stop> {
        if step.kind == Kind::Note {
            note(app, step);
            return take(&Value::Null).map_err(|why| Stop::Failed(Failure::failed(why)));
        }
        loop {
            let answer = match self {
                Self::Arrows => arrows::ask(app, step),
                Self::Lines { person } => lines::ask(app, step, person),
            }?;
            let Err(why) = take(&answer) else { return Ok(()) };
            // The next line of a script answers another question.
            if self == (Self::Lines { person: false }) {
                return Err(Stop::Failed(Failure::failed(format!("{}: {why}", step.message))));
            }
            let mut text = Text::default();
            text.styled(Style::Bad, why);
            app.out.note(&text);
        }
    }
}

/// The question about a key that its provider refuses.
pub fn keep_anyway(said: &str) -> Step {
    Step::confirm(format!("{said} Store it all the same?"), false)
}

fn note(app: &App, step: &Step) {
    let mut text = Text::default();
    text.say("");
    if let Some(title) = &step.title {
        text.styled(Style::Strong, title);
    }
    if !step.message.is_empty() {
        text.say(&step.message);
    }
    app.out.note(&text);
}
