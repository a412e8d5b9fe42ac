//! Who this gateway is: its profile, its paths and its environment. They are settled once, before anything else,
//! and passed along; nothing below asks again.

use std::path::Path;

use gateway_base::env::Env;
use gateway_base::paths::{DEV_PORT, Paths};
use gateway_base::profile::Profile;
use gateway_config::environment;

use crate::args::{self, Args};
use crate::exit::{Exit, Refusal};

/// Profile, paths and environment of this gateway.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The environment, with what the profile, the flags and the `.env` files add.
    pub env: Env,
    /// Where everything is.
    pub paths: Paths,
    /// Development mode is on.
    pub is_dev: bool,
}

impl Identity {
    /// Settles the identity. What the environment says explicitly wins over the profile, and both over `.env` files.
    pub fn new(args: &Args, process: &Env, working_folder: &Path) -> Result<Self, Refusal> {
        let profile = args.profile().map_err(args::profile_refusal)?;
        let mut env = process.clone();
        if let Some(profile) = &profile {
            apply_profile(&mut env, profile, args.has_dev_port())?;
        }
        apply_flags(&mut env, args);
        let paths = resolve(&env, profile.clone())?;
        // A `.env` file of the working folder may move the paths of a gateway without a profile.
        let env = environment::with_files(&env, working_folder, &paths);
        let paths = resolve(&env, profile)?;
        let is_dev = args.dev || paths.profile.as_ref().is_some_and(|profile| profile.name() == "dev");
        Ok(Self { env, paths, is_dev })
    }
}

fn apply_profile(env: &mut Env, profile: &Profile, dev_port: bool) -> Result<(), Refusal> {
    env.set("CLAWDBOT_PROFILE", profile.name());
    let paths = resolve(env, Some(profile.clone()))?;
    env.set_if_absent("CLAWDBOT_STATE_DIR", paths.state.display().to_string());
    env.set_if_absent("CLAWDBOT_CONFIG_PATH", paths.config.display().to_string());
    if dev_port {
        env.set_if_absent("CLAWDBOT_GATEWAY_PORT", DEV_PORT.to_string());
    }
    Ok(())
}

fn apply_flags(env: &mut Env, args: &Args) {
    if args.no_color {
        env.set("NO_COLOR", "1");
        env.set("FORCE_COLOR", "0");
    }
    if args.claude_cli_logs {
        env.set("CLAWDBOT_CLAUDE_CLI_LOG_OUTPUT", "1");
    }
    if args.raw_stream {
        env.set("CLAWDBOT_RAW_STREAM", "1");
    }
    if let Some(path) = &args.raw_stream_path {
        env.set("CLAWDBOT_RAW_STREAM_PATH", path);
    }
}

fn resolve(env: &Env, profile: Option<Profile>) -> Result<Paths, Refusal> {
    Paths::resolve(env, profile)
        .map_err(|error| Refusal::new(Exit::Failed, [format!("Gateway failed to start: Error: {error}")]))
}
