//! The loop: news and keys into the model, the model onto the screen.

use std::pin::pin;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::feed::follow;
use super::model::{Flow, Key, Model};
use super::once::once;
use super::screen::Screen;
use crate::app::App;
use crate::args::TopArgs;
use crate::exit::{Exit, Failure};
use crate::text::Text;

/// News that may wait while a frame is drawn.
const NEWS: usize = 64;

/// Shows the dashboard, or one snapshot where there is no terminal for it.
pub async fn run(app: &App, args: &TopArgs) -> Result<Exit, Failure> {
    if args.once || args.json {
        return once(app, args.interval).await;
    }
    if !app.out.is_interactive() {
        let mut note = Text::default();
        note.say("There is no terminal to draw on, so this is one snapshot, as with --once.");
        app.out.note(&note);
        return once(app, args.interval).await;
    }
    let (to, mut news) = mpsc::channel(NEWS);
    let mut feed = pin!(follow(app, args.interval, to));
    let mut screen = Screen::take(&app.out)?;
    let (mut model, mut events) = (Model::default(), EventStream::new());
    let mut asked_to_end = pin!(asked_to_end());
    loop {
        screen.show(&model)?;
        tokio::select! {
            // It ends only when nobody wants news.
            () = &mut feed => return Ok(Exit::Ok),
            Some(one) = news.recv() => {
                model.news(one);
                // What has come meanwhile belongs in the same frame.
                while let Ok(one) = news.try_recv() {
                    model.news(one);
                }
            }
            event = events.next() => match event {
                Some(Ok(event)) => {
                    if key(&event).is_some_and(|key| model.key(key) == Flow::End) {
                        return Ok(Exit::Ok);
                    }
                }
                // The terminal is gone.
                Some(Err(_)) | None => return Ok(Exit::Ok),
            },
            () = &mut asked_to_end => return Ok(Exit::Ok),
        }
    }
}

/// What a key means; in this mode of the terminal ctrl-c is a key too.
fn key(event: &Event) -> Option<Key> {
    let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return None };
    if *kind == KeyEventKind::Release {
        return None;
    }
    match code {
        KeyCode::Char('c' | 'd') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Quit),
        KeyCode::Char('q' | 'Q') => Some(Key::Quit),
        KeyCode::Esc => Some(Key::Back),
        KeyCode::Char('p' | 'P' | ' ') => Some(Key::Pause),
        KeyCode::Char('?' | 'h') => Some(Key::Help),
        KeyCode::Tab => Some(Key::Next),
        KeyCode::Up | KeyCode::Char('k') => Some(Key::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Key::Down),
        _ => None,
    }
}

/// Ends when somebody sends a signal that asks this process to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{Signal, SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let mut signals: Vec<Signal> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
        if signals.is_empty() {
            return std::future::pending().await;
        }
        let received = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(received).await;
    }
    #[cfg(not(unix))]
    {
        // One that cannot be waited for never comes.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_meaning() {
        let of = |code, modifiers| key(&Event::Key(KeyEvent::new(code, modifiers)));
        let plain = KeyModifiers::NONE;
        assert_eq!(of(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Quit));
        assert_eq!(of(KeyCode::Char('c'), plain), None);
        assert_eq!(of(KeyCode::Char('q'), plain), Some(Key::Quit));
        assert_eq!(of(KeyCode::Esc, plain), Some(Key::Back));
        assert_eq!(of(KeyCode::Tab, plain), Some(Key::Next));
        assert_eq!(key(&Event::Resize(1, 1)), None);
    }
}
