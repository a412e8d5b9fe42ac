//! The only place of the daemon that writes to a terminal: the `✓` and `✗` lines of a start, the refusals, and the lines of
//! the console log. A reader that went away never disturbs the daemon.

use std::io::{self, IsTerminal, Write};

use crate::exit::Refusal;

/// One of the two streams of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// Whether a person is looking.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }

    /// Writes `text` in one piece and flushes it.
    pub fn write(self, text: &str) {
        // Nobody is left to tell when the stream is closed.
        let _ = match self {
            Self::Out => whole(&mut io::stdout().lock(), text),
            Self::Err => whole(&mut io::stderr().lock(), text),
        };
    }
}

/// A line of success: `✓ <body>`.
pub fn success(body: &str) {
    Stream::Out.write(&format!("✓ {body}\n"));
}

/// A line of failure that does not end the daemon: `✗ <body>`.
pub fn failure(body: &str) {
    Stream::Err.write(&format!("✗ {body}\n"));
}

/// A plain line on stdout.
pub fn line(text: &str) {
    Stream::Out.write(&format!("{text}\n"));
}

/// A refusal on stderr, in one write.
pub fn refusal(refusal: &Refusal) {
    let text: String = refusal.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    Stream::Err.write(&text);
}

fn whole(stream: &mut impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
