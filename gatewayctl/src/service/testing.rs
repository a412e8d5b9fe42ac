//! A stand-in for the tools of a service manager: it records what it was asked and answers as the test says.

use std::cell::RefCell;

use super::runner::{Call, Ran, RunError, Runner};

type Answer = Box<dyn FnMut(&Call) -> Result<Ran, RunError>>;

/// The stand-in.
pub struct Fake {
    answer: RefCell<Answer>,
    calls: RefCell<Vec<String>>,
}

impl Fake {
    /// Answers every call with what `answer` makes of it.
    pub fn answering(answer: impl FnMut(&Call) -> Result<Ran, RunError> + 'static) -> Self {
        Self { answer: RefCell::new(Box::new(answer)), calls: RefCell::default() }
    }

    /// What it was asked, as it could be typed.
    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }
}

impl Runner for Fake {
    async fn run(&self, call: &Call) -> Result<Ran, RunError> {
        self.calls.borrow_mut().push(call.to_string());
        (self.answer.borrow_mut())(call)
    }
}
