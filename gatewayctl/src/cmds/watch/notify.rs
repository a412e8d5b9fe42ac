//! Shows an alarm on the desktop with the program that the system has for it. The words go as arguments, never as
//! part of a script.

use super::exec::{Task, run};
use super::message::Message;
use super::record::Event;

/// The script that shows its two arguments.
const APPLE_SCRIPT: [&str; 3] =
    ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"];

/// The systems that have a desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Desktop {
    Free,
    Apple,
    Windows,
}

/// Shows it.
pub async fn show(message: &Message) -> Result<(), String> {
    let desktop = if cfg!(target_os = "macos") {
        Desktop::Apple
    } else if cfg!(windows) {
        Desktop::Windows
    } else {
        Desktop::Free
    };
    let words = words(desktop, message);
    let shown = run(Task { words: &words, variables: &[], input: Vec::new() }).await;
    shown.map_err(
        |error| if error.contains("could not be started") { missing(desktop).to_owned() } else { error },
    )
}

fn words(desktop: Desktop, message: &Message) -> Vec<String> {
    let urgency = if message.event == Event::Alarm { "critical" } else { "normal" };
    // The title says what is in the first line of the text already.
    let body = message.text.split_once('\n').map_or("", |(_, rest)| rest);
    let body =
        if message.event == Event::Alarm { format!("{}\n{body}", message.summary) } else { body.to_owned() };
    let words: Vec<&str> = match desktop {
        Desktop::Free => {
            vec!["notify-send", "--app-name", "gatewayctl", "--urgency", urgency, "--", &message.title, &body]
        }
        Desktop::Apple => {
            let script = APPLE_SCRIPT.iter().flat_map(|line| ["-e", line]);
            ["osascript"].into_iter().chain(script).chain([message.title.as_str(), &body]).collect()
        }
        Desktop::Windows => vec!["msg.exe", "*", "/TIME:86400", &message.text],
    };
    words.into_iter().map(str::to_owned).collect()
}

const fn missing(desktop: Desktop) -> &'static str {
    match desktop {
        Desktop::Free => {
            "there is no notify-send to show a notification with; install it (package libnotify-bin or libnotify)"
        }
        Desktop::Apple => {
            "there is no osascript to show a notification with; it belongs to macOS, in /usr/bin"
        }
        Desktop::Windows => {
            "there is no msg.exe to show a notification with; the Home editions of Windows have none, so use --exec or --webhook"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::watch::record::Kind;

    fn message(event: Event) -> Message {
        let text = |text: &str| text.to_owned();
        Message {
            event,
            incident: text("1-1"),
            kind: Kind::Dead,
            title: text("Gateway on \"x\" is dead"),
            summary: text("$(touch /x) -e quit"),
            since: text("2026"),
            at: text("2026"),
            last_error: None,
            next: None,
            host: text("x"),
            profile: text("default"),
            restarts: 0,
            text: text("Gateway on \"x\" is dead: $(touch /x) -e quit.\nSince: 2026"),
            content: String::new(),
        }
    }

    #[test]
    fn the_words_are_arguments_and_no_part_of_a_script() {
        for desktop in [Desktop::Free, Desktop::Apple, Desktop::Windows] {
            let words = words(desktop, &message(Event::Alarm));
            assert!(words.last().is_some_and(|last| last.contains("$(touch /x) -e quit")), "{words:?}");
            let script = words.iter().filter(|word| word.contains("argv"));
            assert!(script.into_iter().all(|line| !line.contains("dead")), "{words:?}");
            assert!(!missing(desktop).is_empty());
        }
        let free = words(Desktop::Free, &message(Event::Alarm));
        assert_eq!(free[5..7], ["--", "Gateway on \"x\" is dead"]);
        assert_eq!(words(Desktop::Free, &message(Event::Recovery))[4], "normal");
    }
}
