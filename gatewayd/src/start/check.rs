//! `--check`: everything that can refuse a start, without a lock, a port or a changed file, so that it can be asked of a
//! new version while the old one serves. What only a start itself finds out, such as a port that is taken, is left out.

use std::path::{Path, PathBuf};

use gateway_adapters::store;
use gateway_base::env::Env;
use gateway_config::environment;
use gateway_config::sections::Gateway;
use gateway_server::tls;

use super::checks::Allowed;
use super::identity::Identity;
use super::taken::{self, Scene};
use super::{checks, claim, configuration};
use crate::args::Args;
use crate::bind::{self, Facts};
use crate::exit::{Exit, Refusal};

/// Goes through the refusals in the order of a start. Returns what a start would do, in a sentence.
pub fn check(args: &Args, process: &Env, working_folder: &Path) -> Result<String, Refusal> {
    checks::before_config(args)?;
    let who = Identity::new(args, process, working_folder)?;
    let config_path = who.paths.tilde(&who.paths.config);
    if who.is_dev && !who.paths.config.exists() {
        return Ok(format!("The gateway can start: it would make {config_path} first."));
    }
    let loaded = configuration::load(&who.paths, &who.env)?;
    let config = &loaded.snapshot.config;
    let env = environment::with_section(&who.env, &loaded.snapshot.value);
    let allowed = checks::with_config(args, loaded.snapshot.exists, &config.gateway, &env)?;
    let port = allowed.port.number;
    let scene = Scene { port, paths: &who.paths, env: &env };
    addresses(&allowed, &config.gateway).map_err(|error| taken::listener(&error, scene))?;
    certificate(&config.gateway)?;
    if let Some(error) = store::newer_format(&who.paths.state.join("gateway.sqlite")) {
        return Err(failed(Exit::Failed, &error));
    }
    let degraded = loaded.degraded().map(|why| format!(" on the last good configuration ({why})"));
    Ok(format!(
        "The gateway can start{}: config {config_path}, bind {}, port {port}.",
        degraded.unwrap_or_default(),
        allowed.bind
    ))
}

fn addresses(allowed: &Allowed, config: &Gateway) -> Result<(), bind::Error> {
    let interfaces = claim::interfaces(allowed);
    let custom_host = config.custom_bind_host.as_deref();
    let facts = Facts { custom_host, interfaces: &interfaces, has_auth: !allowed.auth.is_none() };
    bind::allowed(allowed.bind, allowed.port.number, facts).map(drop)
}

/// A certificate that would be made now is not made.
fn certificate(config: &Gateway) -> Result<(), Refusal> {
    let wanted = &config.tls;
    let (cert, key): (PathBuf, PathBuf) = (wanted.cert_path.clone(), wanted.key_path.clone());
    let is_made = wanted.auto_generate && !cert.exists() && !key.exists();
    if !wanted.enabled || is_made {
        return Ok(());
    }
    let files = tls::Files { cert, key, generate: false };
    tls::load(&files).map(drop).map_err(|error| failed(Exit::Refused, &error))
}

fn failed(exit: Exit, error: &dyn std::error::Error) -> Refusal {
    Refusal::new(exit, [format!("Gateway failed to start: Error: {error}")])
}
