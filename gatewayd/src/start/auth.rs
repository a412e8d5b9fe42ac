//! The shared secret the gateway asks of its clients: flag, then configuration, then environment. Values are taken
//! field by field, so that a flag never erases what the file says about something else. A blank secret is none.

use gateway_base::env::Env;
use gateway_base::secret::Secret;
use gateway_config::sections::{AuthMode, Gateway};

use crate::args::Args;
use crate::exit::{Exit, Refusal};

/// What a client has to present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Nothing; only ever on loopback.
    #[default]
    None,
    /// This token.
    Token(Secret),
    /// This password.
    Password(Secret),
}

impl Auth {
    /// Whether there is no secret.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// `none`, `token` or `password`.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token(_) => "token",
            Self::Password(_) => "password",
        }
    }
}

/// Finds the secret, or says why there is none where one is demanded.
pub fn resolve(args: &Args, config: &Gateway, env: &Env) -> Result<Auth, Refusal> {
    let token = first(args.token.as_ref(), config.auth.token.as_ref(), env, "CLAWDBOT_GATEWAY_TOKEN");
    let password =
        first(args.password.as_ref(), config.auth.password.as_ref(), env, "CLAWDBOT_GATEWAY_PASSWORD");
    let configured = config.auth.mode.map(|mode| match mode {
        AuthMode::Token => "token",
        AuthMode::Password => "password",
    });
    let mode = args.auth.as_deref().or(configured);
    match (mode, token, password) {
        (Some("token"), Some(token), _) | (None, Some(token), None) => Ok(Auth::Token(token)),
        (Some("password") | None, _, Some(password)) => Ok(Auth::Password(password)),
        (None, None, None) => Ok(Auth::None),
        (Some("password"), _, None) => Err(refuse(
            [
                "Gateway auth is set to password, but no password is configured.",
                "Set gateway.auth.password (or CLAWDBOT_GATEWAY_PASSWORD), or pass --password.",
            ],
            config,
        )),
        (Some(_), _, _) => Err(refuse(
            [
                "Gateway auth is set to token, but no token is configured.",
                "Set gateway.auth.token (or CLAWDBOT_GATEWAY_TOKEN), or pass --token.",
            ],
            config,
        )),
    }
}

/// A refusal for want of a secret, with a hint about a secret in the wrong place.
pub fn refuse<L: Into<String>>(lines: impl IntoIterator<Item = L>, config: &Gateway) -> Refusal {
    let mut refusal = Refusal::new(Exit::Refused, lines);
    if config.remote.token.is_some() {
        refusal.lines.push(
            "\"gateway.remote.token\" is for remote CLI calls; it does not enable local gateway auth.".into(),
        );
    }
    refusal
}

fn first(flag: Option<&Secret>, file: Option<&Secret>, env: &Env, name: &str) -> Option<Secret> {
    let given = [flag, file].into_iter().flatten().find(|secret| !secret.is_blank()).cloned();
    given.or_else(|| env.get(name).map(Secret::new))
}
