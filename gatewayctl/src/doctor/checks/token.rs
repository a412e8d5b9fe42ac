//! Whether there is a secret, whether it can be guessed, and whether clients of this machine would send another one
//! than the gateway asks for.

use gateway_base::secret::Secret;

use crate::doctor::check::{Check, Finding, Group, Judged, Level};
use crate::doctor::facts::{Auth, Facts};

/// The check.
pub const CHECK: Check = Check { id: "token", group: Group::Access, title: "strength of the secret", judge };

/// Guesses are counted and slowed down, but a token is never typed, so it may as well be long.
const TOKEN_BITS: f64 = 64.0;
/// A password is typed by people.
const PASSWORD_BITS: f64 = 40.0;
/// What a guesser tries first.
const KNOWN: [&str; 9] =
    ["changeme", "password", "passw0rd", "secret", "clawdbot", "letmein", "123456", "qwerty", "example"];

fn judge(facts: &Facts) -> Judged {
    let config = facts.effective()?;
    let mut findings = Vec::new();
    let fresh = facts.command("config set gateway.auth.token \"$(openssl rand -hex 24)\"");
    let level = if facts.is_reachable(config) { Level::Error } else { Level::Warning };
    let weak = |key: &str, fix: String| {
        let consequence = "Whoever guesses it is let in with every right.";
        Finding::new(level, format!("{key} is easy to guess"), consequence, fix)
    };
    match facts.auth(config) {
        Auth::None => findings.push(Finding::warning(
            "there is no gateway token",
            "Every program and every user of this machine can use the gateway.",
            fresh,
        )),
        Auth::Missing(mode) => findings.push(Finding::error(
            format!("gateway.auth.mode is {mode}, but no {mode} is set"),
            "The gateway does not start.",
            if mode == "token" { fresh } else { facts.command("config set gateway.auth.password PASSWORD") },
        )),
        Auth::Token(token) if bits(token.expose()) < TOKEN_BITS => {
            findings.push(weak("the gateway token", fresh))
        }
        Auth::Password(password) if bits(password.expose()) < PASSWORD_BITS => {
            let fix = facts.command("config set gateway.auth.password PASSWORD");
            findings.push(weak("the gateway password", fix));
        }
        Auth::Token(_) | Auth::Password(_) => {}
    }
    let auth = &config.gateway.auth;
    let access = &facts.access;
    findings.extend(differs("CLAWDBOT_GATEWAY_TOKEN", &access.env_token, "gateway.auth.token", &auth.token));
    findings.extend(differs(
        "CLAWDBOT_GATEWAY_PASSWORD",
        &access.env_password,
        "gateway.auth.password",
        &auth.password,
    ));
    Ok(findings)
}

/// The gateway takes the file first, clients take the variable first.
fn differs(variable: &str, env: &Option<Secret>, key: &str, file: &Option<Secret>) -> Option<Finding> {
    let (Some(env), Some(file)) = (env, file) else { return None };
    (env != file).then(|| {
        Finding::warning(
            format!("{variable} is set and is not {key}"),
            "Commands from this shell send the variable, and the gateway refuses it.",
            format!("unset {variable}"),
        )
    })
}

/// A rough measure of how many guesses a secret takes, as a power of two: its length and its alphabet, but no more
/// than its different characters allow, and nothing for the words everybody tries.
fn bits(secret: &str) -> f64 {
    let mut rest = secret.trim().to_ascii_lowercase();
    for word in KNOWN {
        rest = rest.replace(word, "");
    }
    let has = |test: fn(char) -> bool| secret.chars().any(test);
    let mut alphabet: f64 = 1.0;
    alphabet += if has(|c| c.is_ascii_digit()) { 10.0 } else { 0.0 };
    alphabet += if has(|c| c.is_ascii_lowercase()) { 26.0 } else { 0.0 };
    alphabet += if has(|c| c.is_ascii_uppercase()) { 26.0 } else { 0.0 };
    alphabet += if has(|c| !c.is_ascii_alphanumeric()) { 32.0 } else { 0.0 };
    let mut different: Vec<char> = rest.chars().collect();
    different.sort_unstable();
    different.dedup();
    let length = f64::from(u32::try_from(rest.chars().count()).unwrap_or(u32::MAX));
    let variety = f64::from(u32::try_from(different.len()).unwrap_or(u32::MAX));
    (length * alphabet.log2()).min(variety * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_apart() {
        for weak in [
            "",
            "x",
            "changeme",
            "clawdbot-secret",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "1234567890",
            "hunter2",
        ] {
            assert!(bits(weak) < TOKEN_BITS, "{weak}: {}", bits(weak));
        }
        for strong in ["8c1f02d97ae34b56a0d1c9e47b3f6258", "correct horse battery staple", "Tq9-vK2_mZ7xLw"] {
            assert!(bits(strong) >= TOKEN_BITS, "{strong}: {}", bits(strong));
        }
    }
}
