//! The names of a gateway in the network, made of the machine's (operations 9.1, 9.2).

/// The name of a machine that has none.
const NAMELESS: &str = "clawdbot";
/// What is appended to the machine's name.
const SUFFIX: &str = " (Clawdbot)";
/// The longest label of DNS.
const LABEL: usize = 63;
/// The longest instance name: it may become longer by a number when the name is taken.
const INSTANCE: usize = LABEL - " (999)".len();
/// The longest host name, for the same reason.
const HOST: usize = LABEL - "-999".len();

/// The names that are announced. They change when somebody else in the network has them already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// The instance.
    pub instance: String,
    /// The host, without its domain.
    pub host: String,
}

/// The host part of a machine's name: its first label.
pub(crate) fn host(machine: &str) -> String {
    let first = machine.trim().split('.').next().unwrap_or_default();
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let label: String = first.chars().map(fits).collect();
    let label = cut(label.trim_matches('-'), HOST);
    if label.is_empty() { NAMELESS.to_owned() } else { label.to_owned() }
}

/// The instance name of a machine that people call `display`.
pub(crate) fn instance(display: &str) -> String {
    let display = single_spaced(display);
    if display.is_empty() {
        return "Clawdbot".to_owned();
    }
    if display.to_lowercase().contains(NAMELESS) {
        return cut(&display, INSTANCE).to_owned();
    }
    format!("{}{SUFFIX}", cut(&display, INSTANCE - SUFFIX.len()).trim_end())
}

/// The instance as a label of DNS-SD. Programs disagree on how a dot within a label is written.
pub(crate) fn instance_label(instance: &str) -> String {
    instance.replace(['.', '\\'], " ").trim().to_owned()
}

/// An instance name for people.
pub(crate) fn without_suffix(instance: &str) -> &str {
    let bare = instance.strip_suffix(SUFFIX).unwrap_or(instance).trim_end();
    if bare.is_empty() { instance } else { bare }
}

/// A label of the zone: lower case, and only what every DNS server takes.
pub(crate) fn label(text: &str, otherwise: &str) -> String {
    let fits = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let label: String = text.to_lowercase().chars().map(fits).collect();
    let label = cut(label.trim_matches('-'), LABEL).trim_end_matches('-');
    if label.is_empty() { otherwise.to_owned() } else { label.to_owned() }
}

fn single_spaced(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `bytes` of `text`, cut between characters.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_first_label_of_the_machine() {
        for (machine, expected) in [
            ("studio", "studio"),
            ("studio.local", "studio"),
            ("studio.example.com", "studio"),
            ("", "clawdbot"),
            (".local", "clawdbot"),
            ("Ada's Mac", "Ada-s-Mac"),
            ("--", "clawdbot"),
        ] {
            assert_eq!(host(machine), expected, "{machine}");
        }
        assert_eq!(host(&"x".repeat(200)).len(), HOST);
    }

    #[test]
    fn an_instance_says_what_it_is_once() {
        for (display, expected, bare) in [
            ("Studio", "Studio (Clawdbot)", "Studio"),
            (" Ada's \n Studio ", "Ada's Studio (Clawdbot)", "Ada's Studio"),
            ("My CLAWDBOT box", "My CLAWDBOT box", "My CLAWDBOT box"),
            ("", "Clawdbot", "Clawdbot"),
            ("\u{1b}", "Clawdbot", "Clawdbot"),
        ] {
            let instance = instance(display);
            assert_eq!((instance.as_str(), without_suffix(&instance)), (expected, bare), "{display}");
        }
        let long = instance(&"\u{e9}".repeat(100));
        assert!(long.len() <= INSTANCE && long.ends_with(SUFFIX), "{long}");
        assert_eq!(instance_label("box.lan (Clawdbot)"), "box lan (Clawdbot)");
    }

    #[test]
    fn a_label_of_the_zone_is_plain() {
        for (text, expected) in [
            ("Studio", "studio"),
            ("Ada's Mac", "ada-s-mac"),
            ("-x.y-", "x-y"),
            ("\u{c4}", "none"),
            ("", "none"),
        ] {
            assert_eq!(label(text, "none"), expected, "{text}");
        }
        assert_eq!(label(&format!("{}-x", "a".repeat(62)), "none"), "a".repeat(62));
    }
}
