//! The checks between the command line and the first listener, in the order and the words of the original
//! (operations 2.2), except that freeing the port comes after all of them. Each is a pure function.

use gateway_base::env::Env;
use gateway_base::paths::DEFAULT_PORT;

use super::auth::{self, Auth};
use super::settings::Settings;
use crate::args::Args;
use crate::bind::Mode;
use crate::exit::{Exit, Refusal};

/// What the checks allowed.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// The port to listen on.
    pub port: Port,
    /// Where to listen.
    pub bind: Mode,
    /// What clients must present.
    pub auth: Auth,
}

/// The port and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The number.
    pub number: u16,
    /// A flag or the environment named it.
    pub is_explicit: bool,
    /// What it would be without the flag and the environment.
    pub configured: u16,
}

/// The checks that need no configuration.
pub fn before_config(args: &Args) -> Result<(), Refusal> {
    if args.reset && !args.dev && !args.has_dev_port() {
        return Err(refused(["Use --reset with --dev."]));
    }
    if !args.compact && !matches!(args.ws_log.as_str(), "auto" | "full" | "compact") {
        return Err(refused(["Invalid --ws-log (use \"auto\", \"full\", \"compact\")"]));
    }
    Ok(())
}

/// The checks of flags and configuration together.
pub fn with_config(args: &Args, settings: &Settings, env: &Env) -> Result<Allowed, Refusal> {
    let port = port(args, settings, env)?;
    if args.auth.as_deref().is_some_and(|mode| !matches!(mode, "token" | "password")) {
        return Err(refused(["Invalid --auth (use \"token\" or \"password\")"]));
    }
    mode_is_local(args, settings)?;
    let bind = bind_mode(args, settings)?;
    let auth = auth::resolve(args, settings, env)?;
    reachable_needs_auth(&bind, &auth, settings)?;
    Ok(Allowed { port, bind, auth })
}

fn port(args: &Args, settings: &Settings, env: &Env) -> Result<Port, Refusal> {
    let configured = settings.port.filter(|port| *port != 0).unwrap_or(DEFAULT_PORT);
    if let Some(text) = &args.port {
        let number = whole_port(text).ok_or_else(|| refused(["Invalid port"]))?;
        return Ok(Port { number, is_explicit: true, configured });
    }
    let from_env = env.get("CLAWDBOT_GATEWAY_PORT").and_then(|text| whole_port(text.trim()));
    Ok(Port { number: from_env.unwrap_or(configured), is_explicit: from_env.is_some(), configured })
}

/// 1 to 65535, digits only.
fn whole_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn mode_is_local(args: &Args, settings: &Settings) -> Result<(), Refusal> {
    if args.allow_unconfigured || settings.mode.as_deref() == Some("local") {
        return Ok(());
    }
    let blocked = |current: &str| {
        format!("Gateway start blocked: set gateway.mode=local (current: {current}) or pass --allow-unconfigured.")
    };
    let missing =
        "Missing config. Run `clawdbot setup` or set gateway.mode=local (or pass --allow-unconfigured).".to_owned();
    Err(match (settings.present, settings.mode.as_deref()) {
        // The tutorial shows the second line for a mode that is not set, and a missing file is the first such case.
        (false, _) => refused([missing, blocked("unset")]),
        (true, mode) => refused([blocked(mode.unwrap_or("unset"))]),
    })
}

fn bind_mode(args: &Args, settings: &Settings) -> Result<Mode, Refusal> {
    let text = args.bind.as_deref().or(settings.bind.as_deref()).unwrap_or("loopback");
    Mode::parse(text).ok_or_else(|| {
        refused(["Invalid --bind (use \"loopback\", \"lan\", \"tailnet\", \"auto\", or \"custom\")"])
    })
}

/// Nothing but loopback is ever served without a secret; `auto` stays on loopback instead.
fn reachable_needs_auth(bind: &Mode, auth: &Auth, settings: &Settings) -> Result<(), Refusal> {
    if !auth.is_none() || bind.is_loopback_only() || *bind == Mode::Auto {
        return Ok(());
    }
    Err(auth::refuse(
        [
            format!("Refusing to bind gateway to {bind} without auth."),
            "Set gateway.auth.token/password (or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD) or pass --token/--password.".to_owned(),
        ],
        settings,
    ))
}

fn refused<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Refusal {
    Refusal::new(Exit::Refused, lines)
}
