//! The only file that prints. Standard output carries the answer (with `--json`: one document and nothing else);
//! notes, progress and errors go to standard error. A reader that goes away ends the command quietly.

use std::future::Future;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::time::Duration;

use gateway_base::env::Env;
use serde::Serialize;

use crate::exit::{ErrorDocument, Exit, Failure, Reason};
use crate::text::{Line, Style, Text, clean_block, clean_json};

/// How long a step may take before it is named on the terminal.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much of an answer to a question is read.
const MAX_ANSWER: u64 = 64 * 1024;

/// Where a command prints, and whether it may use colours there.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    colour: bool,
    colour_notes: bool,
    terminal: bool,
    notes_terminal: bool,
}

impl Output {
    /// Looks at the terminal and the environment. Colours need a terminal and are off with `NO_COLOR`,
    /// `--no-color` and `TERM=dumb`; `FORCE_COLOR` puts them on where there is no terminal.
    #[must_use]
    pub fn new(env: &Env, no_color: bool, json: bool) -> Self {
        let (terminal, notes_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let off = no_color || env.get("NO_COLOR").is_some() || env.get("TERM") == Some("dumb");
        let forced = env.get("FORCE_COLOR").is_some_and(|v| v != "0");
        let colour = |terminal: bool| !off && (terminal || forced);
        Self {
            json,
            colour: colour(terminal),
            colour_notes: colour(notes_terminal),
            terminal,
            notes_terminal,
        }
    }

    /// Whether the answer is to be one JSON document.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard output may be coloured.
    #[must_use]
    pub const fn uses_colour(&self) -> bool {
        self.colour
    }

    /// Whether a person watches standard output and has keys to press.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.terminal && io::stdin().is_terminal()
    }

    /// Whether a person reads standard output directly.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How wide the terminal is that a person reads standard output on.
    #[must_use]
    pub fn columns(&self) -> Option<u16> {
        if !self.terminal {
            return None;
        }
        console::Term::stdout().size_checked().map(|(_, columns)| columns)
    }

    /// Whether remarks and questions may use colours.
    #[must_use]
    pub const fn has_colour(&self) -> bool {
        self.colour_notes
    }

    /// Prints the answer.
    pub fn print(&self, text: &Text) -> Result<(), Failure> {
        write_out(&paint(text, self.colour))
    }

    /// Prints one line of the answer.
    pub fn say(&self, line: impl Into<Line>) -> Result<(), Failure> {
        let mut text = Text::default();
        text.push(line.into());
        self.print(&text)
    }

    /// Prints the answer as one indented JSON document.
    pub fn json(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document)
            .map_err(|error| Failure::failed(format!("the answer cannot be written as JSON: {error}")))?;
        write_out(&format!("{}\n", clean_json(&text)))
    }

    /// Prints one line of a stream of JSON documents.
    pub fn json_line(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(document)
            .map_err(|error| Failure::failed(format!("the line cannot be written as JSON: {error}")))?;
        write_out(&format!("{}\n", clean_json(&text)))
    }

    /// Prints a value of the user's own as it is; on a terminal, control characters are still written out.
    pub fn verbatim(&self, value: &str) -> Result<(), Failure> {
        if self.terminal { write_out(&clean_block(value)) } else { write_out(value) }
    }

    /// Prints what is not text, such as a manual page.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        finish(io::stdout().lock().write_all(bytes))
    }

    /// Prints a remark on standard error. It is not the answer, so a closed standard error is no failure.
    pub fn note(&self, text: &Text) {
        let _ = io::stderr().lock().write_all(paint(text, self.colour_notes).as_bytes());
    }

    /// Prints why the command failed, and under `--json` the one error document too.
    pub fn failure(&self, failure: &Failure) -> Exit {
        if let Failure::Failed(reason) = failure {
            self.reason(reason);
            if self.json && self.json(&ErrorDocument::from(reason)) == Err(Failure::Closed) {
                return Exit::Ok;
            }
        }
        failure.exit()
    }

    /// Prints why the command failed on standard error.
    pub fn reason(&self, reason: &Reason) {
        self.note(&reason_text(reason));
    }

    /// Whether a person is there to answer a question.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        !self.json && self.notes_terminal && io::stdin().is_terminal()
    }

    /// Asks a question that is answered with yes or no. `otherwise` is what an empty line means; where nobody can
    /// answer, the answer is no.
    #[must_use]
    pub fn ask(&self, question: &str, otherwise: bool) -> bool {
        if !self.can_ask() {
            return false;
        }
        let choice = if otherwise { "[Y/n]" } else { "[y/N]" };
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{} {choice} ", clean_block(question)).and_then(|()| stderr.flush());
        let mut answer = String::new();
        match io::stdin().read_line(&mut answer) {
            Ok(read) if read > 0 => match answer.trim().to_ascii_lowercase().as_str() {
                "" => otherwise,
                word => matches!(word, "y" | "yes"),
            },
            _ => false,
        }
    }

    /// Asks for a line on standard input, which may be a file or a pipe. `None` is its end.
    pub fn line(&self, question: &str) -> io::Result<Option<String>> {
        self.prompt(question)?;
        let mut line = String::new();
        let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut line)?;
        if read as u64 == MAX_ANSWER && !line.ends_with('\n') {
            return Err(io::Error::other(format!("a line has more than {MAX_ANSWER} bytes")));
        }
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Prints a question on standard error and stays on its line.
    pub fn prompt(&self, question: &str) -> io::Result<()> {
        let mut stderr = io::stderr();
        write!(stderr, "{} ", clean_block(question))?;
        stderr.flush()
    }

    /// Waits for `work`; when it takes longer than a second and a person watches, says what is being waited for.
    pub async fn during<F: Future>(&self, what: &str, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        if !self.notes_terminal {
            return work.await;
        }
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let shown = clean_block(what);
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{shown} …").and_then(|()| stderr.flush());
        let done = work.await;
        let _ = write!(stderr, "\r\u{1b}[2K").and_then(|()| stderr.flush());
        done
    }
}

/// The terminal itself, for a command that draws on all of it.
#[must_use]
pub fn canvas() -> io::Stdout {
    io::stdout()
}

fn reason_text(reason: &Reason) -> Text {
    let mut text = Text::default();
    for (index, line) in reason.message.split('\n').enumerate() {
        text.styled(if index == 0 { Style::Bad } else { Style::Plain }, line);
    }
    if let Some(hint) = &reason.hint {
        text.say(hint);
    }
    text
}

fn paint(text: &Text, colour: bool) -> String {
    if !colour {
        return text.plain();
    }
    let mut out = String::new();
    for line in text.lines() {
        for (style, piece) in line.pieces() {
            let code = match style {
                Style::Plain => "",
                Style::Strong => "\u{1b}[1m",
                Style::Faint => "\u{1b}[2m",
                Style::Good => "\u{1b}[32m",
                Style::Warn => "\u{1b}[33m",
                Style::Bad => "\u{1b}[31m",
            };
            out.push_str(code);
            out.push_str(piece);
            out.push_str(if code.is_empty() { "" } else { "\u{1b}[0m" });
        }
        out.push('\n');
    }
    out
}

fn write_out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    finish(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

fn finish(written: io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::failed(format!("cannot write to standard output: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_a_quiet_end() {
        let closed = finish(Err(io::ErrorKind::BrokenPipe.into()));
        assert_eq!(closed, Err(Failure::Closed));
        assert_eq!(Failure::Closed.exit().code(), 0);
        assert_eq!(finish(Err(io::ErrorKind::StorageFull.into())).map_err(|f| f.exit()), Err(Exit::Failed));
    }

    #[test]
    fn colours_are_a_matter_of_the_environment() {
        let uses = |pairs: &[(&str, &str)], no_color| {
            Output::new(&Env::from_pairs(pairs.iter().copied()), no_color, false).uses_colour()
        };
        assert!(uses(&[("FORCE_COLOR", "1")], false));
        let off: [(&[(&str, &str)], bool); 4] = [
            (&[("FORCE_COLOR", "0"), ("TERM", "dumb")], false),
            (&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], false),
            (&[("FORCE_COLOR", "1"), ("TERM", "dumb")], false),
            (&[("FORCE_COLOR", "1")], true),
        ];
        for (pairs, no_color) in off {
            assert!(!uses(pairs, no_color), "{pairs:?}");
        }
        // Only where there is no terminal the answer is known.
        assert!(io::stdout().is_terminal() || !uses(&[("FORCE_COLOR", "0")], false));
    }

    #[test]
    fn colours_wrap_clean_pieces_only() {
        let mut text = Text::default();
        text.styled(Style::Good, "ok\u{1b}[5m");
        assert_eq!(paint(&text, true), "\u{1b}[32mok\\u{1b}[5m\u{1b}[0m\n");
        assert_eq!(paint(&text, false), "ok\\u{1b}[5m\n");
    }
}
