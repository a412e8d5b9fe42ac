//! How an installed service file differs from the one that would be written. Older files hold the token; it is never
//! shown.

use gateway_base::redact::is_secret_name;

/// The lines that only one of the two has: `- ` in front of the old ones, `+ ` in front of the new ones.
#[must_use]
pub fn difference(old: &str, new: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let (old, new) = (lines(old), lines(new));
    let only = |mark: &str, these: &[String], those: &[String]| -> Vec<String> {
        these
            .iter()
            .filter(|line| !those.contains(line))
            .map(|line| format!("{mark} {}", masked(line)))
            .collect()
    };
    let mut found = only("-", &old, &new);
    found.extend(only("+", &new, &old));
    found
}

/// The line up to the first name that sounds secret; what follows is hidden, however it is quoted.
fn masked(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut start = 0;
    while let Some(at) = line[start..].find(is_part) {
        let begin = start + at;
        let end = line[begin..].find(|c| !is_part(c)).map_or(line.len(), |length| begin + length);
        if is_secret_name(&line[begin..end]) && end < line.len() {
            return format!("{}=***", &line[..end]);
        }
        start = end;
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_and_no_secret() {
        let old = "[Service]\nRestart=always\nEnvironment=CLAWDBOT_GATEWAY_TOKEN=canary\n";
        let new = "[Service]\n\nRestart=on-failure\n";
        assert_eq!(
            difference(old, new),
            ["- Restart=always", "- Environment=CLAWDBOT_GATEWAY_TOKEN=***", "+ Restart=on-failure"]
        );
        assert!(difference(old, old).is_empty());
    }

    #[test]
    fn secrets_are_hidden_in_every_spelling() {
        for line in [
            "Environment=\"OPENAI_API_KEY=canary canary\" B=canary",
            "Environment='X_SECRET=canary'",
            "ExecStart=/usr/bin/node gateway --token canary --port 1",
            "ExecStart=/usr/bin/node gateway --password=canary",
        ] {
            assert!(!masked(line).contains("canary"), "{line}");
        }
        assert_eq!(masked("Environment=é=1 TOKEN"), "Environment=é=1 TOKEN");
    }
}
