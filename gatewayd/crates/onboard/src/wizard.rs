//! The step machine. Given the facts and the answers so far, the first question that is still open is the next step;
//! when none is open, the answers make a plan. It knows nothing of terminals and sockets, keeps no time and waits for
//! nothing, so every host shows the same steps and every test can drive it.

mod questions;
mod show;
mod take;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::answers::{Answers, Provider};
use crate::facts::Facts;
use crate::plan::Plan;
use crate::providers::Choice;
use crate::step::Step;
use questions::{Question, first_open};

/// What comes next.
#[derive(Clone, Debug)]
pub enum Next {
    /// This is asked.
    Ask(Step),
    /// Everything is answered.
    Apply(Box<Plan>),
    /// The person does not want to go on.
    Cancelled(&'static str),
    /// It cannot go on.
    Failed(String),
}

/// One run through the questions.
#[derive(Clone, Debug)]
pub struct Wizard {
    facts: Facts,
    answers: Answers,
    /// Questions that were answered, in order.
    asked: Vec<Question>,
    /// What only leads to other questions.
    aside: Aside,
}

/// Answers that are no settings.
#[derive(Clone, Debug, Default)]
struct Aside {
    declined: bool,
    wants_reset: bool,
    group: Option<String>,
    choice: Option<&'static Choice>,
    other_model: bool,
}

impl Wizard {
    /// Begins; what `answers` holds already is not asked.
    #[must_use]
    pub fn new(facts: Facts, answers: Answers) -> Self {
        let mut wizard = Self { facts, answers, asked: Vec::new(), aside: Aside::default() };
        take::settle(&mut wizard);
        wizard
    }

    /// What comes next. The same until the next answer.
    #[must_use]
    pub fn next(&self) -> Next {
        if self.aside.declined {
            return Next::Cancelled("risk not accepted");
        }
        if let Some(question) = first_open(self) {
            return Next::Ask(show::show(self, question));
        }
        if !self.facts.issues.is_empty() {
            return Next::Failed(format!(
                "Config invalid. Run `{}` to repair it, then re-run onboarding.",
                self.facts.doctor
            ));
        }
        match Plan::new(&self.facts, &self.answers) {
            Ok(plan) => Next::Apply(Box::new(plan)),
            Err(error) => Next::Failed(error.to_string()),
        }
    }

    /// Takes the answer to the question that [`Wizard::next`] asks. An answer that cannot be taken changes nothing and
    /// is told why.
    pub fn answer(&mut self, answer: &Value) -> Result<(), String> {
        let Some(question) = first_open(self) else { return Err("nothing is asked".to_owned()) };
        take::take(self, question, answer)?;
        take::settle(self);
        self.asked.push(question);
        Ok(())
    }

    /// The key that the last answer gave, to be tried by a host that can.
    #[must_use]
    pub fn fresh_key(&self) -> Option<(&'static Choice, &gateway_base::secret::Secret)> {
        match (&self.answers.provider, self.asked.last()) {
            (Some(Provider::Key(key)), Some(Question::Key | Question::UseVariable)) => {
                Some((key.choice, &key.secret))
            }
            _ => None,
        }
    }

    /// Forgets the key that the last answer gave, so that one is asked.
    pub fn forget_key(&mut self) {
        if self.fresh_key().is_some() {
            self.asked.retain(|question| *question != Question::Key);
            self.answers.provider = None;
        }
    }

    /// The facts that hold once a chosen reset is done.
    fn after_reset(&self) -> Facts {
        use crate::reset::Scope;
        match self.answers.reset {
            None => self.facts.clone(),
            Some(Scope::Config) => self.facts.afresh(),
            Some(Scope::Sessions | Scope::Full) => self.facts.afresh().without_keys(),
        }
    }
}
