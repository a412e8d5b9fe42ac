//! The terminal while the dashboard has it: the other screen, no echo, no cursor. However the dashboard ends, the
//! terminal is given back as it was; also before a panic is told, or its text would go with the other screen.

use std::io::{self, Stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::draw::{Theme, draw};
use super::model::Model;
use crate::exit::Failure;
use crate::output::{Output, canvas};

/// Whether the terminal is ours just now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, until this is dropped.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    theme: Theme,
}

impl Screen {
    /// Takes the terminal.
    pub fn take(out: &Output) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::failed(format!("the terminal cannot be used: {error}"));
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        TAKEN.store(true, Ordering::SeqCst);
        let taken = (|| {
            enable_raw_mode()?;
            execute!(canvas(), EnterAlternateScreen, Hide)?;
            Terminal::new(CrosstermBackend::new(canvas()))
        })();
        match taken {
            Ok(terminal) => Ok(Self { terminal, theme: Theme { colour: out.uses_colour() } }),
            Err(error) => {
                give_back();
                Err(failed(error))
            }
        }
    }

    /// Draws the model.
    pub fn show(&mut self, model: &Model) -> Result<(), Failure> {
        let theme = self.theme;
        let drawn = self.terminal.draw(|frame| draw(frame, model, theme));
        drawn.map(drop).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::failed(format!("the terminal cannot be drawn on: {error}")),
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, once. A terminal that is gone cannot be given back, which harms nobody.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(canvas(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}
