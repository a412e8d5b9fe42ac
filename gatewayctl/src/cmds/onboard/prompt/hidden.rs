//! A secret that is typed or pasted on a terminal and not shown. It is read key by key, so that ctrl-c ends it with the
//! terminal as it was.

use std::io;

use console::{Key, Term};

use super::choose::Stop;
use crate::app::App;

/// The longest secret that is taken.
const LONGEST: usize = 8 * 1024;

/// Reads a line of keys. Escape is no end: it may be the beginning of a paste.
pub fn read(app: &App, question: &str) -> Result<String, Stop> {
    let term = Term::stderr();
    app.out.prompt(question)?;
    let mut typed = String::new();
    let answer = loop {
        match term.read_key_raw() {
            Ok(Key::Enter) => break Ok(typed),
            Ok(Key::CtrlC | Key::Char('\u{3}' | '\u{4}')) => break Err(Stop::Cancelled),
            Ok(Key::Backspace) => drop(typed.pop()),
            Ok(Key::Char('\u{15}')) => typed.clear(),
            Ok(Key::Char(c)) if !c.is_control() && typed.len() < LONGEST => typed.push(c),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => break Err(Stop::Cancelled),
            Err(error) => break Err(error.into()),
        }
    };
    app.out.prompt("\n")?;
    answer
}
