//! A run through the questions, from the outside.

use gateway_base::secret::Secret;
use serde_json::Value;

use super::questions::first_open;
use super::show::show;
use super::state::{Aside, Question, State};
use super::take::{settle, take};
use crate::answers::{Answers, Provider};
use crate::facts::Facts;
use crate::plan::Plan;
use crate::providers::Choice;
use crate::step::Step;

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
pub struct Wizard(State);

impl Wizard {
    /// Begins; what `answers` holds already is not asked.
    #[must_use]
    pub fn new(facts: Facts, answers: Answers) -> Self {
        let mut state = State { facts, answers, asked: Vec::new(), aside: Aside::default() };
        settle(&mut state);
        Self(state)
    }

    /// What comes next. The same until the next answer.
    #[must_use]
    pub fn next(&self) -> Next {
        let state = &self.0;
        if state.aside.declined {
            return Next::Cancelled("risk not accepted");
        }
        if let Some(question) = first_open(state) {
            return Next::Ask(show(state, question));
        }
        if !state.facts.issues.is_empty() {
            return Next::Failed(format!(
                "Config invalid. Run `{}` to repair it, then re-run onboarding.",
                state.facts.doctor
            ));
        }
        match Plan::new(&state.facts, &state.answers) {
            Ok(plan) => Next::Apply(Box::new(plan)),
            Err(error) => Next::Failed(error.to_string()),
        }
    }

    /// Takes the answer to the question that [`Wizard::next`] asks. An answer that cannot be taken changes nothing and
    /// is told why.
    pub fn answer(&mut self, answer: &Value) -> Result<(), String> {
        let state = &mut self.0;
        let Some(question) = first_open(state) else { return Err("nothing is asked".to_owned()) };
        take(state, question, answer)?;
        settle(state);
        state.asked.push(question);
        if question == Question::Choice && state.aside.choice.is_none() {
            state.asked.retain(|question| !matches!(question, Question::Group | Question::Choice));
        }
        Ok(())
    }

    /// The key that the last answer gave, to be tried by a host that can.
    #[must_use]
    pub fn fresh_key(&self) -> Option<(&'static Choice, &Secret)> {
        match (&self.0.answers.provider, self.0.asked.last()) {
            (Some(Provider::Key(key)), Some(Question::Key | Question::UseVariable)) => {
                Some((key.choice, &key.secret))
            }
            _ => None,
        }
    }

    /// Forgets the key that the last answer gave, so that one is asked.
    pub fn forget_key(&mut self) {
        if self.fresh_key().is_some() {
            self.0.asked.retain(|question| *question != Question::Key);
            self.0.answers.provider = None;
        }
    }
}
