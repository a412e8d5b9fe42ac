//! Masks secrets in text that is about to be written to a log or a terminal. Most lines hold nothing that could be
//! a secret, so each pattern names short marks, and its expression runs only on text that has one of them.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use regex_lite::{Captures, Regex};

/// Masks what its patterns match. Cheap to share; replaced as a whole when the configuration changes.
#[derive(Debug, Default)]
pub struct Redactor {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    expression: Expression,
    mark: Mark,
    pem: bool,
}

/// A built-in expression is compiled when its mark is first seen: most processes never need most of them.
#[derive(Debug)]
enum Expression {
    BuiltIn(&'static str, OnceLock<Regex>),
    Custom(Regex),
}

/// What a text must hold for the expression to be worth a try.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// One of these, in lower case.
    Any(&'static [&'static str]),
    /// A colon between a digit and a letter or digit.
    Colon,
    /// Nothing in particular.
    None,
}

/// A custom pattern that is not a usable regular expression.
#[derive(Debug, thiserror::Error)]
#[error("logging.redactPatterns: {pattern:?} is not a usable regular expression")]
pub struct Error {
    /// The pattern as configured.
    pub pattern: String,
    #[source]
    source: regex_lite::Error,
}

const NAMES: Mark = Mark::Any(&["key", "token", "secret", "passw"]);

/// Expression and mark. The last group that took part in a match is the secret.
const BUILT_IN: &[(&str, Mark)] = &[
    (
        r#"(?i)\b[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)\b\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|([^\s"',;]+))"#,
        NAMES,
    ),
    (
        r#"(?i)"(?:apiKey|token|secret|password|passwd|accessToken|refreshToken)"\s*:\s*"((?:[^"\\]|\\.)+)""#,
        NAMES,
    ),
    (r#"(?i)--(?:api-key|token|secret|password|passwd)[\s=]+(?:"([^"]+)"|'([^']+)'|([^\s"']+))"#, NAMES),
    (r"(?i)\bauthorization\s*[:=]\s*bearer\s+([A-Za-z0-9._\-+/=]+)", Mark::Any(&["bearer"])),
    (r"(?i)\bbearer\s+([A-Za-z0-9._\-+/=]{18,})", Mark::Any(&["bearer"])),
    (r"(?i)\b(sk-[A-Za-z0-9_-]{8,})\b", Mark::Any(&["sk-"])),
    (r"(?i)\b(ghp_[A-Za-z0-9]{20,})\b", Mark::Any(&["ghp_"])),
    (r"(?i)\b(github_pat_[A-Za-z0-9_]{20,})\b", Mark::Any(&["github_pat_"])),
    (r"(?i)\b(xox[baprs]-[A-Za-z0-9-]{10,})\b", Mark::Any(&["xox"])),
    (r"(?i)\b(xapp-[A-Za-z0-9-]{10,})\b", Mark::Any(&["xapp-"])),
    (r"(?i)\b(gsk_[A-Za-z0-9_-]{10,})\b", Mark::Any(&["gsk_"])),
    (r"(?i)\b(AIza[0-9A-Za-z_-]{20,})", Mark::Any(&["aiza"])),
    (r"(?i)\b(pplx-[A-Za-z0-9_-]{10,})\b", Mark::Any(&["pplx-"])),
    (r"(?i)\b(npm_[A-Za-z0-9]{10,})\b", Mark::Any(&["npm_"])),
    (r"(?i)\b(\d{6,}:[A-Za-z0-9_-]{20,})", Mark::Colon),
];

const PEM: &str = r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----";

impl Redactor {
    /// Masks nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// The built-in patterns of operations 10.5.
    #[must_use]
    pub fn built_in() -> Self {
        let pattern =
            |text, mark, pem| Pattern { expression: Expression::BuiltIn(text, OnceLock::new()), mark, pem };
        let pem = pattern(PEM, Mark::Any(&["-----begin"]), true);
        Self {
            patterns: std::iter::once(pem)
                .chain(BUILT_IN.iter().map(|(text, mark)| pattern(text, *mark, false)))
                .collect(),
        }
    }

    /// The built-in patterns, once for the process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Redactor> = LazyLock::new(Redactor::built_in);
        &SHARED
    }

    /// Only `custom` patterns: a regular expression, or `/body/flags`. They replace the built-in ones.
    pub fn custom<'a>(custom: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let compile = |text: &'a str| {
            let body = slashed(text).unwrap_or(text);
            let pem = body.contains("-----BEGIN");
            match Regex::new(&format!("(?i){body}")) {
                Ok(regex) => Ok(Pattern { expression: Expression::Custom(regex), mark: Mark::None, pem }),
                Err(source) => Err(Error { pattern: text.to_owned(), source }),
            }
        };
        Ok(Self { patterns: custom.into_iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether nothing is masked.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.patterns.is_empty()
    }

    /// `text` with every secret masked. Text without one is returned as it is.
    #[must_use]
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        for pattern in &self.patterns {
            if !pattern.mark.is_in(&out) {
                continue;
            }
            let masked = match pattern
                .expression
                .get()
                .replace_all(&out, |found: &Captures<'_>| pattern.mask(found))
            {
                Cow::Borrowed(_) => continue,
                Cow::Owned(masked) => masked,
            };
            out = Cow::Owned(masked);
        }
        out
    }
}

impl Expression {
    fn get(&self) -> &Regex {
        match self {
            Self::BuiltIn(text, regex) => regex.get_or_init(|| built_in_regex(text)),
            Self::Custom(regex) => regex,
        }
    }
}

impl Mark {
    fn is_in(self, text: &str) -> bool {
        match self {
            Self::Any(marks) => marks.iter().any(|mark| contains_ignore_case(text, mark)),
            Self::Colon => text.as_bytes().windows(3).any(|at| {
                at[0].is_ascii_digit()
                    && at[1] == b':'
                    && (at[2].is_ascii_alphanumeric() || matches!(at[2], b'_' | b'-'))
            }),
            Self::None => true,
        }
    }
}

impl Pattern {
    fn mask(&self, found: &Captures<'_>) -> String {
        let whole = found.get(0).map_or("", |m| m.as_str());
        if self.pem {
            return mask_pem(whole);
        }
        let secret = found.iter().skip(1).flatten().filter(|m| !m.as_str().is_empty()).last();
        let (Some(secret), Some(all)) = (secret, found.get(0)) else { return mask(whole) };
        // What somebody configured as a secret is one, whatever it looks like.
        if matches!(self.expression, Expression::BuiltIn(..)) && is_placeholder(secret.as_str()) {
            return whole.to_owned();
        }
        let (start, end) = (secret.start() - all.start(), secret.end() - all.start());
        format!("{}{}{}", &whole[..start], mask(secret.as_str()), &whole[end..])
    }
}

/// Whether `text` only says what belongs there, as `<token>` in a hint does. Nothing but these words counts, since a
/// real secret may have angle brackets too; the sentence around the hint may go on after it.
fn is_placeholder(text: &str) -> bool {
    const WORDS: &[&str] =
        &["your", "the", "new", "gateway", "auth", "device", "token", "password", "secret", "api", "key"];
    let text = text.trim_end_matches([')', '.', ',', ';', ':']);
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| inner.split(['-', '_', ' ']).all(|word| WORDS.contains(&word)))
}

/// A secret for display: `***`, or first six and last four characters when it is 18 or longer.
#[must_use]
pub fn mask(secret: &str) -> String {
    let count = secret.chars().count();
    if count < 18 {
        return "***".to_owned();
    }
    let head: String = secret.chars().take(6).collect();
    let tail: String = secret.chars().skip(count - 4).collect();
    format!("{head}…{tail}")
}

/// Whether a field of this name holds a secret, so that its whole value is masked.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    ["apikey", "api_key", "token", "secret", "password", "passwd", "authorization"].iter().any(|end| {
        name.len() >= end.len()
            && name.is_char_boundary(name.len() - end.len())
            && name[name.len() - end.len()..].eq_ignore_ascii_case(end)
    })
}

fn mask_pem(block: &str) -> String {
    let mut lines = block.lines().filter(|l| !l.is_empty());
    match (lines.next(), lines.next_back()) {
        (Some(first), Some(last)) => format!("{first}\n…redacted…\n{last}"),
        _ => "***".to_owned(),
    }
}

/// The body of `/body/flags`.
fn slashed(text: &str) -> Option<&str> {
    let (body, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    flags.bytes().all(|b| b.is_ascii_lowercase()).then_some(body)
}

/// Whether `needle`, which is lower-case ASCII, occurs in `text` in any case.
fn contains_ignore_case(text: &str, needle: &str) -> bool {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some(first) = needle.first() else { return true };
    text.iter().enumerate().any(|(at, b)| {
        b.to_ascii_lowercase() == *first
            && text.get(at..at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle))
    })
}

#[allow(clippy::expect_used, reason = "the expressions are constants, and a test compiles every one")]
fn built_in_regex(text: &str) -> Regex {
    Regex::new(text).expect("a constant expression")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(text: &str) -> String {
        Redactor::built_in().apply(text).into_owned()
    }

    #[test]
    fn every_built_in_target_is_masked() {
        let cases = [
            ("OPENAI_API_KEY=abc123", "OPENAI_API_KEY=***"),
            ("my_token: 'short one'", "my_token: '***'"),
            (r#"{"apiKey":"a\"b","x":1}"#, r#"{"apiKey":"***","x":1}"#),
            ("gatewayd --token hunter2 --port 1", "gatewayd --token *** --port 1"),
            ("gatewayd --password=hunter2", "gatewayd --password=***"),
            ("Authorization: Bearer abcdef", "Authorization: Bearer ***"),
            ("got bearer abcdefghijklmnopqrstuvwxyz!", "got bearer abcdef…wxyz!"),
            ("key sk-ant-api03-aaaaaaaaaa-zz9Z end", "key sk-ant…zz9Z end"),
            ("ghp_0123456789012345678901", "ghp_01…8901"),
            ("github_pat_0123456789012345678901", "github…8901"),
            ("xoxb-1234567890", "***"),
            ("xapp-1-1234567890", "***"),
            ("gsk_1234567890", "***"),
            ("AIzaSyA-0123456789012345678", "AIzaSy…5678"),
            ("pplx-1234567890", "***"),
            ("npm_1234567890", "***"),
            ("bot 123456789:AAF_abcdefghijklmnopqrst", "bot 123456…qrst"),
        ];
        for (text, expected) in cases {
            assert_eq!(built_in(text), expected, "{text}");
        }
    }

    #[test]
    fn a_private_key_keeps_its_first_and_last_line() {
        let pem = "x -----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY----- y";
        let expected = "x -----BEGIN RSA PRIVATE KEY-----\n…redacted…\n-----END RSA PRIVATE KEY----- y";
        assert_eq!(built_in(pem), expected);
    }

    #[test]
    fn a_placeholder_is_no_secret_and_nothing_else_passes_for_one() {
        for hint in [
            "set gateway.auth.token, or: gatewayd --token <token>)",
            "clawdbot gateway --token '<your-token>'.",
            "CLAWDBOT_GATEWAY_PASSWORD=<password>",
            "gateway.auth.token: \"<the gateway token>\"",
        ] {
            assert_eq!(built_in(hint), hint);
        }
        for (text, expected) in [
            ("gatewayd --token <hunter2>", "gatewayd --token ***"),
            ("gatewayd --token <token>hunter2", "gatewayd --token ***"),
            ("gatewayd --token hunter2<token>", "gatewayd --token ***"),
            ("gatewayd --token <token", "gatewayd --token ***"),
            ("gatewayd --token <>", "gatewayd --token ***"),
            ("gatewayd --token <token-7f3a>", "gatewayd --token ***"),
            ("gatewayd --token <TOKEN>", "gatewayd --token ***"),
            ("--token <token> --password hunter2", "--token <token> --password ***"),
        ] {
            assert_eq!(built_in(text), expected, "{text}");
        }
        let custom = Redactor::custom(["--token (\\S+)"]).expect("it compiles");
        assert_eq!(custom.apply("--token <token>"), "--token ***");
    }

    #[test]
    fn ordinary_lines_are_returned_as_they_are() {
        let redactor = Redactor::built_in();
        for line in ["listening on ws://127.0.0.1:18789 (PID 12345)", "received SIGTERM; shutting down", ""] {
            assert!(matches!(redactor.apply(line), Cow::Borrowed(_)), "{line}");
        }
    }

    #[test]
    fn custom_patterns_replace_the_built_in_ones() {
        let redactor = Redactor::custom(["/pin=(\\d+)/gi", "code-(x+)"]).expect("both compile");
        assert_eq!(redactor.apply("PIN=1234 code-xxx token=abc"), "PIN=*** code-*** token=abc");
        assert!(Redactor::custom(["("]).is_err());
        assert_eq!(Redactor::off().apply("token=abc"), "token=abc");
    }

    #[test]
    fn secret_names_are_known_by_their_end() {
        for (name, expected) in [
            ("authToken", true),
            ("apiKey", true),
            ("password", true),
            ("tokens", false),
            ("key", false),
            ("é", false),
        ] {
            assert_eq!(is_secret_name(name), expected, "{name}");
        }
    }
}
