//! How a service manager's tool is called and what came of it. Tests put a recording stand-in in the place of
//! [`System`].

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::program::{self, End, Variables};

/// How long a tool may take, unless the call says otherwise.
const LIMIT: Duration = Duration::from_secs(10);
/// How much of what a tool says is read. The status of Tailscale names every device of the tailnet.
const MAX_SAID: usize = 8 * 1024 * 1024;
/// How much of one line of it is repeated.
const MAX_LINE: usize = 400;

/// A tool with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The program.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What is added to its environment.
    pub variables: Vec<(&'static str, String)>,
    /// How long it may take.
    pub limit: Duration,
}

impl Call {
    /// A call with the usual limit.
    pub fn new<'a>(program: &'static str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Self { program, arguments, variables: Vec::new(), limit: LIMIT }
    }

    /// The same call with these variables.
    #[must_use]
    pub fn with(mut self, variables: &[(&'static str, String)]) -> Self {
        self.variables.extend_from_slice(variables);
        self
    }

    /// The same call with this limit.
    #[must_use]
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// As it could be typed.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for argument in &self.arguments {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@,+".contains(c);
            if !argument.is_empty() && argument.chars().all(plain) {
                write!(f, " {argument}")?;
            } else {
                write!(f, " '{}'", argument.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// What a tool answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Whether it ended with 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ran {
    /// What it has to say about a failure, in at most a few lines.
    #[must_use]
    pub fn said(&self) -> String {
        let text = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<Cow<'_, str>> = text.trim().lines().take(5).map(|line| cut(line, MAX_LINE)).collect();
        if lines.is_empty() { "unknown error".to_owned() } else { lines.join("\n") }
    }

    /// Whether one of these words, in lower case, is in what it said.
    #[must_use]
    pub fn says(&self, words: &[&str]) -> bool {
        let (out, err) = (self.stdout.to_ascii_lowercase(), self.stderr.to_ascii_lowercase());
        words.iter().any(|word| out.contains(word) || err.contains(word))
    }
}

/// A line as it is, or its beginning with a mark.
#[must_use]
pub fn cut(line: &str, most: usize) -> Cow<'_, str> {
    match line.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{} …", &line[..end])),
        None => Cow::Borrowed(line),
    }
}

/// Why a tool gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// There is no such program.
    #[error("{0} not found")]
    Missing(String),
    /// It did not end in time and was killed.
    #[error("{0} did not answer within {1} s")]
    Late(String, u64),
    /// It could not be started.
    #[error("{0}")]
    Failed(String),
}

/// Runs programs.
pub trait Runner {
    /// Runs `call` to its end.
    fn run(&self, call: &Call) -> impl Future<Output = Result<Ran, RunError>>;
}

/// Runs the system's own programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Runner for System {
    async fn run(&self, call: &Call) -> Result<Ran, RunError> {
        let name = call.program;
        // Answers are compared with words, so they must not be translated.
        let mut variables = Env::from_pairs([("LC_ALL", "C"), ("SYSTEMD_COLORS", "0")]);
        for (name, value) in &call.variables {
            variables.set(name, value);
        }
        let tool = program::Call {
            variables: Variables::Added(variables),
            // Who presses ctrl-c at a tool that hangs wants both to end.
            apart: false,
            time: call.limit,
            size: MAX_SAID,
            ..program::Call::new(name, call.arguments.clone())
        };
        let ran = program::run(&tool).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => RunError::Missing(name.to_owned()),
            _ => RunError::Failed(format!("{name}: {error}")),
        })?;
        match ran.end {
            End::TooLate => Err(RunError::Late(name.to_owned(), call.limit.as_secs())),
            end => Ok(Ran { success: end == End::Success, stdout: ran.stdout, stderr: ran.stderr }),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tool_that_is_not_there_is_its_own_answer() {
        let none = System.run(&Call::new("no-such-tool-on-any-machine", [])).await;
        assert_eq!(none, Err(RunError::Missing("no-such-tool-on-any-machine".to_owned())));
        let call = Call::new("env", []).with(&[("CTL_TEST", "yes".to_owned())]);
        let env = System.run(&call).await.expect("env runs");
        assert!(env.success && env.stdout.lines().any(|line| line == "CTL_TEST=yes"));
    }

    #[tokio::test]
    async fn a_tool_that_never_stops_talking_is_cut_off() {
        let ran = System.run(&Call::new("yes", ["\u{1b}[2J"])).await.expect("it is killed");
        assert_eq!((ran.success, ran.stdout.len()), (false, MAX_SAID));
        assert_eq!(ran.said().lines().count(), 5);
    }

    #[tokio::test]
    async fn a_long_line_is_not_repeated_as_a_whole() {
        let ran = System.run(&Call::new("printf", ["%0300000d"])).await.expect("it runs");
        assert_eq!((ran.stdout.len(), ran.said().chars().count()), (300_000, MAX_LINE + 2));
    }

    #[tokio::test]
    async fn arguments_arrive_as_they_are() {
        let odd = [
            "a;touch x",
            "$(touch x)`touch x`",
            "a&b|c>x<y",
            "${HOME} $1 %PATH% !x! ^",
            "'q\"q\\",
            "*?[a]~ #",
            "two\nlines",
            "",
            " ",
            "é \u{1f600}",
            "--version",
        ];
        let call = Call::new("printf", ["<%s>"].into_iter().chain(odd));
        let ran = System.run(&call).await.expect("it runs");
        assert_eq!(ran.stdout, odd.map(|word| format!("<{word}>")).concat());
    }

    #[tokio::test]
    async fn a_tool_that_hangs_is_given_up() {
        let call = Call::new("sleep", ["60"]).within(Duration::from_millis(50));
        assert_eq!(System.run(&call).await, Err(RunError::Late("sleep".to_owned(), 0)));
    }

    #[test]
    fn a_call_is_shown_as_it_could_be_typed() {
        let call = Call::new("systemctl", ["--user", "start", "it's a unit", ""]);
        assert_eq!(call.to_string(), r"systemctl --user start 'it'\''s a unit' ''");
    }
}
