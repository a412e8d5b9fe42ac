//! The secrets of the environment, the addresses of this machine, and its own device key. The key is read only when
//! it is there: looking must not make one.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::net;
use gateway_base::paths::Paths;
use gateway_base::secret::Secret;
use serde_json::Value;

use crate::doctor::facts::{AccessFacts, Identity};
use crate::identity;

/// Looks at all of it.
pub fn gather(paths: &Paths, env: &Env, clock: &Clock) -> AccessFacts {
    AccessFacts {
        env_token: env.get("CLAWDBOT_GATEWAY_TOKEN").map(Secret::new),
        env_password: env.get("CLAWDBOT_GATEWAY_PASSWORD").map(Secret::new),
        interfaces: net::interface_addresses().unwrap_or_default(),
        in_container: net::in_container(env),
        tailscale: program("tailscale", env),
        identity: identity(&paths.state.join("identity"), clock),
    }
}

/// A program on the search path, or where the application for macOS keeps it.
fn program(name: &str, env: &Env) -> Option<PathBuf> {
    let searched = std::env::split_paths(env.get("PATH").unwrap_or_default()).map(|folder| folder.join(name));
    let application = PathBuf::from("/Applications/Tailscale.app/Contents/MacOS/Tailscale");
    searched.chain([application]).find(|path| path.is_file())
}

fn identity(folder: &Path, clock: &Clock) -> Identity {
    let key = folder.join("device.json");
    let loaded = key.exists().then(|| identity::Identity::load_or_create(&key, clock));
    let tokens = fs::read(folder.join("device-auth.json")).ok();
    let tokens: Option<Value> = tokens.and_then(|text| serde_json::from_slice(&text).ok());
    let of = tokens.as_ref().and_then(|tokens| tokens.get("deviceId")?.as_str());
    Identity {
        id: loaded.as_ref().and_then(|key| key.as_ref().ok()).map(|key| key.id().to_owned()),
        damaged: loaded.and_then(Result::err).map(|error| error.to_string()),
        tokens_of: of.map(str::to_owned),
    }
}
