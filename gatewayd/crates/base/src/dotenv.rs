//! Files of environment variables: `.env` in the working folder, then in the state folder. A variable that is
//! already set is never replaced. The syntax is the one the original reads; in particular a `$` in a value is just
//! a character, so that a secret arrives as it was written.

use std::path::Path;

use crate::env::Env;

/// Reads both files into `env`. A file that is missing or unreadable is skipped.
pub fn load(env: &mut Env, working_folder: &Path, state: &Path) {
    for folder in [working_folder, state] {
        if let Ok(text) = std::fs::read_to_string(folder.join(".env")) {
            for (name, value) in parse(&text) {
                env.set_if_absent(&name, value);
            }
        }
    }
}

/// Names and values in order; of two lines with one name the later counts.
fn parse(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line = rest.split_inclusive('\n').next().unwrap_or(rest);
        let taken = match assignment(rest, line) {
            Some((name, value, taken)) => {
                found.retain(|(known, _)| *known != name);
                found.push((name, value));
                taken
            }
            None => line.len(),
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    found
}

/// The assignment that `line` begins, and how many bytes of `rest` it takes: a quoted value may span lines.
fn assignment(rest: &str, line: &str) -> Option<(String, String, usize)> {
    let head = line.trim_start();
    let head = head.strip_prefix("export ").map_or(head, str::trim_start);
    let end = head.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))?;
    let (name, after) = head.split_at(end);
    let after = after.trim_start_matches([' ', '\t']);
    let value = after.strip_prefix('=').or_else(|| after.strip_prefix(": "))?;
    if name.is_empty() {
        return None;
    }
    let value = value.trim_start_matches([' ', '\t']);
    let begin = line.len() - value.len();
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) {
        let body = rest.get(begin + 1..)?;
        if let Some(close) = closing(body, quote) {
            let text = &body[..close];
            let text = if quote == '"' { text.replace("\\n", "\n").replace("\\r", "\r") } else { text.to_owned() };
            let tail = &body[close..];
            let taken = begin + 1 + close + tail.find('\n').map_or(tail.len(), |at| at + 1);
            return Some((name.to_owned(), text, taken));
        }
    }
    let bare = value.split('#').next().unwrap_or_default().trim();
    Some((name.to_owned(), bare.to_owned(), line.len()))
}

/// Where the quote ends: at the next one that no backslash precedes.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    body.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syntax_of_the_original_is_read() {
        let text = "# note\nA=1\nexport B = two words # note\nC: 3\nD='a # b'\nE=\"x\\ny\" # z\nF=pa$$word$X\n\
                    G=\"line one\nline two\"\nH=\nA=4\nnot an assignment\nI=`q`\r\nJ=\"open\n";
        let expected = [
            ("B", "two words"),
            ("C", "3"),
            ("D", "a # b"),
            ("E", "x\ny"),
            ("F", "pa$$word$X"),
            ("G", "line one\nline two"),
            ("H", ""),
            ("A", "4"),
            ("I", "q"),
            ("J", "\"open"),
        ];
        let parsed = parse(text);
        let parsed: Vec<_> = parsed.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(parsed, expected);
    }

    #[test]
    fn what_is_set_stays_and_the_working_folder_comes_first() {
        let (cwd, state) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        std::fs::write(cwd.path().join(".env"), "A=cwd\nB=cwd").expect("written");
        std::fs::write(state.path().join(".env"), "B=state\nC=state").expect("written");
        let mut env = Env::from_pairs([("A", "shell")]);
        load(&mut env, cwd.path(), state.path());
        assert_eq!((env.get("A"), env.get("B"), env.get("C")), (Some("shell"), Some("cwd"), Some("state")));
    }
}
