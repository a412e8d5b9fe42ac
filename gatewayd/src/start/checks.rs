//! The checks between the command line and the first listener, in the order and the words of the original
//! (operations 2.2), except that freeing the port comes after all of them. Each is a pure function.

use gateway_base::env::Env;
use gateway_config::sections::{Bind, Gateway, Mode};

use super::auth::{self, Auth};
use super::exposure::Exposure;
use crate::args::Args;
use crate::bind;
use crate::exit::{Exit, Refusal};

/// What the checks allowed.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// The port to listen on.
    pub port: Port,
    /// Where to listen.
    pub bind: Bind,
    /// What clients must present.
    pub auth: Auth,
    /// To whom Tailscale publishes it.
    pub exposure: Exposure,
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

/// The checks of flags and configuration together. `present` tells whether there is a configuration file.
pub fn with_config(args: &Args, present: bool, config: &Gateway, env: &Env) -> Result<Allowed, Refusal> {
    let named = named_port(args, env)?;
    let configured = config.port;
    let port = Port { number: named.unwrap_or(configured), is_explicit: named.is_some(), configured };
    auth_word(args)?;
    tailscale_word(args)?;
    mode_is_local(args, present, config)?;
    let bind = bind_flag(args)?.unwrap_or(config.bind);
    let auth = auth::resolve(args, config, env)?;
    reachable_needs_auth(bind, &auth, config)?;
    let exposure = Exposure::resolve(args, config);
    exposure.check(bind, &auth, config)?;
    Ok(Allowed { port, bind, auth, exposure })
}

/// The port of the flag or the environment. A wrong flag is refused; a wrong variable is as good as none.
pub fn named_port(args: &Args, env: &Env) -> Result<Option<u16>, Refusal> {
    if let Some(text) = &args.port {
        return whole_port(text).map(Some).ok_or_else(|| refused(["Invalid port"]));
    }
    Ok(env.get("CLAWDBOT_GATEWAY_PORT").and_then(|text| whole_port(text.trim())))
}

/// Whether the flags alone are in order.
#[must_use]
pub fn flags_are_sound(args: &Args) -> bool {
    before_config(args).is_ok()
        && auth_word(args).is_ok()
        && tailscale_word(args).is_ok()
        && bind_flag(args).is_ok()
}

fn auth_word(args: &Args) -> Result<(), Refusal> {
    match args.auth.as_deref() {
        None | Some("token" | "password") => Ok(()),
        Some(_) => Err(refused(["Invalid --auth (use \"token\" or \"password\")"])),
    }
}

fn tailscale_word(args: &Args) -> Result<(), Refusal> {
    match args.tailscale.as_deref() {
        None | Some("off" | "serve" | "funnel") => Ok(()),
        Some(_) => Err(refused(["Invalid --tailscale (use \"off\", \"serve\", or \"funnel\")"])),
    }
}

/// 1 to 65535, digits only.
fn whole_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn mode_is_local(args: &Args, present: bool, config: &Gateway) -> Result<(), Refusal> {
    let current = match config.mode {
        Some(Mode::Local) => return Ok(()),
        _ if args.allow_unconfigured => return Ok(()),
        Some(Mode::Remote) => "remote",
        None => "unset",
    };
    let blocked = format!(
        "Gateway start blocked: set gateway.mode=local (current: {current}) or pass --allow-unconfigured."
    );
    if present {
        return Err(refused([blocked]));
    }
    // The tutorial shows the line above for a mode that is not set, and a missing file is the first such case.
    let missing =
        "Missing config. Run `clawdbot setup` or set gateway.mode=local (or pass --allow-unconfigured).";
    Err(refused([missing.to_owned(), blocked]))
}

fn bind_flag(args: &Args) -> Result<Option<Bind>, Refusal> {
    let Some(text) = &args.bind else { return Ok(None) };
    let refused =
        |_| refused(["Invalid --bind (use \"loopback\", \"lan\", \"tailnet\", \"auto\", or \"custom\")"]);
    text.trim().parse().map(Some).map_err(refused)
}

/// Nothing but loopback is ever served without a secret; `auto` stays on loopback instead.
fn reachable_needs_auth(bind: Bind, auth: &Auth, config: &Gateway) -> Result<(), Refusal> {
    if !auth.is_none() || bind::is_loopback_only(bind) || bind == Bind::Auto {
        return Ok(());
    }
    Err(auth::refuse(
        [
            format!("Refusing to bind gateway to {bind} without auth."),
            "Set gateway.auth.token/password (or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD) or pass --token/--password.".to_owned(),
        ],
        config,
    ))
}

fn refused<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Refusal {
    Refusal::new(Exit::Refused, lines)
}
