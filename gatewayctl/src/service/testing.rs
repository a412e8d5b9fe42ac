//! A stand-in for the tools of a service manager: it records what it was asked and answers as the test says. And
//! Python's parsers, which have nothing in common with ours.

use std::cell::RefCell;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

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

/// What the Python function `read`, which `program` defines, makes of each of these texts.
pub fn read_by_python(program: &str, texts: &[String]) -> Vec<Value> {
    let all = "import sys, json\njson.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)";
    let mut python = Command::new("python3")
        .args(["-c", &format!("{program}\n{all}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    let texts = serde_json::to_vec(texts).expect("JSON");
    python.stdin.take().expect("a pipe").write_all(&texts).expect("it reads");
    let done = python.wait_with_output().expect("it ends");
    assert!(done.status.success(), "Python refuses a text");
    serde_json::from_slice(&done.stdout).expect("JSON")
}
