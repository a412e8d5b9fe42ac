//! Tries a key with one request that costs nothing. What comes of it is told apart, because each wants something else:
//! a key that is refused is not stored, a machine without a network is no reason to stop.

use std::time::Duration;

use gateway_base::secret::Secret;
use gateway_config::path::Segment;
use gateway_onboard::facts::Facts;
use gateway_onboard::providers::{Check, Choice};
use serde_json::Value;

use crate::http::{Answer, Error, Request};

/// How long a provider may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What became of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider takes it.
    Good(String),
    /// The provider does not take it.
    Refused(String),
    /// The provider takes it and has nothing left for it.
    Exhausted(String),
    /// It could not be tried.
    Unknown(String),
}

impl Verdict {
    /// The sentence for people.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Good(text) | Self::Refused(text) | Self::Exhausted(text) | Self::Unknown(text) => text,
        }
    }

    /// The word for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Good(_) => "good",
            Self::Refused(_) => "refused",
            Self::Exhausted(_) => "exhausted",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Tries `key` at the address that the configuration has for the provider, or at the usual one.
pub async fn check(facts: &Facts, choice: &Choice, key: &Secret) -> Verdict {
    let base = base_url(facts, choice);
    let name = choice.key;
    let get = |path: &str| Request::get(&format!("{base}{path}")).within(LIMIT);
    let request = match choice.check {
        Check::None => {
            return Verdict::Unknown(format!(
                "The {name} was not tried: this provider has no request for that."
            ));
        }
        Check::Anthropic => get("/v1/models").header("x-api-key", key.expose().trim()),
        Check::AnthropicToken => get("/v1/models").bearer(key).header("anthropic-beta", "oauth-2025-04-20"),
        Check::Bearer(path) => get(path).bearer(key),
        Check::Google => get("/models").header("x-goog-api-key", key.expose().trim()),
    };
    let request = match choice.check {
        Check::Anthropic | Check::AnthropicToken => request.header("anthropic-version", "2023-06-01"),
        _ => request,
    };
    judge(name, host(&base), request.send().await)
}

fn judge(name: &str, host: &str, answer: Result<Answer, Error>) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Verdict::Unknown(format!("The {name} could not be tried: {error}.")),
    };
    let status = answer.status.as_u16();
    // Google says so with another code.
    let invalid = status == 400 && answer.text().contains("API_KEY_INVALID");
    match status {
        200..300 => Verdict::Good(format!("{host} takes the {name}.")),
        401 | 403 => Verdict::Refused(format!("{host} refuses the {name} ({}).", answer.status)),
        _ if invalid => Verdict::Refused(format!("{host} refuses the {name} ({}).", answer.status)),
        402 | 429 => Verdict::Exhausted(format!(
            "{host} takes the {name}, and has no quota left for it now ({}).",
            answer.status
        )),
        _ => Verdict::Unknown(format!("The {name} could not be tried: {host} answered {}.", answer.status)),
    }
}

fn base_url(facts: &Facts, choice: &Choice) -> String {
    let path = ["models", "providers", choice.provider, "baseUrl"].map(|name| Segment::Key(name.to_owned()));
    let configured = facts.get(&path).and_then(Value::as_str).map(str::trim).filter(|url| !url.is_empty());
    configured.unwrap_or(choice.base_url).trim_end_matches('/').to_owned()
}

/// The host in an address, without what could be a secret around it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    rest.rsplit_once('@').map_or(rest, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_an_address_is_named() {
        for (url, name) in [
            ("https://api.anthropic.com", "api.anthropic.com"),
            ("http://127.0.0.1:8080/v1?x=secret", "127.0.0.1:8080"),
            ("https://user:secret@host/", "host"),
        ] {
            assert_eq!(host(url), name);
        }
    }

    #[test]
    fn what_cannot_be_asked_is_no_refusal() {
        let late = Error::Late { host: "h".to_owned(), limit: LIMIT };
        let verdict = judge("key", "h", Err(late));
        assert_eq!(verdict.word(), "unknown");
        assert!(verdict.sentence().contains("h did not answer within 10 s"), "{verdict:?}");
    }
}
