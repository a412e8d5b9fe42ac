//! `<state>/identity/device-auth.json`: the tokens that gateways issued to this device, one per role, in the
//! original's format. They are used only when no shared secret is known, and never instead of one that was given.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use gateway_base::{atomic_file, clock::Clock, secret::Secret};
use serde::{Deserialize, Serialize};

/// The file with the issued tokens.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    version: u32,
    device_id: String,
    tokens: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    token: String,
    role: String,
    #[serde(default)]
    scopes: Vec<String>,
    updated_at_ms: i64,
}

impl TokenFile {
    /// The file at `path`, which need not exist.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The token for `role`, if one was issued to this very device.
    #[must_use]
    pub fn get(&self, device_id: &str, role: &str) -> Option<Secret> {
        let file = self.read().filter(|file| file.device_id == device_id)?;
        file.tokens.get(role).map(|entry| Secret::new(entry.token.clone())).filter(|token| !token.is_blank())
    }

    /// What the token for `role` was issued for.
    #[must_use]
    pub fn scopes(&self, device_id: &str, role: &str) -> Vec<String> {
        let file = self.read().filter(|file| file.device_id == device_id);
        file.and_then(|mut file| file.tokens.remove(role)).map(|entry| entry.scopes).unwrap_or_default()
    }

    /// Keeps a token. A file that cannot be read or belongs to another device is replaced: its tokens are of no use.
    /// Nothing is written when the token is the one already kept.
    pub fn keep(
        &self,
        device_id: &str,
        role: &str,
        token: &str,
        scopes: &[String],
        clock: &Clock,
    ) -> std::io::Result<()> {
        if self.get(device_id, role).is_some_and(|known| known.matches(token)) {
            return Ok(());
        }
        let known = self.read().filter(|file| file.device_id == device_id);
        let mut tokens = known.map(|file| file.tokens).unwrap_or_default();
        let entry = Entry {
            token: token.to_owned(),
            role: role.to_owned(),
            scopes: scopes.to_vec(),
            updated_at_ms: clock.now(),
        };
        tokens.insert(role.to_owned(), entry);
        let file = File { version: 1, device_id: device_id.to_owned(), tokens };
        let text = serde_json::to_string_pretty(&file)?;
        atomic_file::replace(&self.path, format!("{text}\n").as_bytes())
    }

    fn read(&self) -> Option<File> {
        let text = fs::read_to_string(&self.path).ok()?;
        serde_json::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_belong_to_one_device() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let file = TokenFile::new(dir.path().join("device-auth.json"));
        let clock = Clock::manual(7);
        file.keep("dev1", "operator", "t1", &["operator.admin".to_owned()], &clock).expect("is written");
        file.keep("dev1", "operator", "t1", &[], &Clock::manual(8)).expect("is there already");
        file.keep("dev1", "node", "t2", &[], &clock).expect("is written");
        assert!(file.get("dev1", "operator").is_some_and(|t| t.matches("t1")));
        assert_eq!(file.scopes("dev1", "operator"), ["operator.admin"]);
        assert!(file.get("dev2", "operator").is_none() && file.scopes("dev2", "operator").is_empty());
        let text = fs::read_to_string(dir.path().join("device-auth.json")).expect("is there");
        assert!(!text.contains("\"updatedAtMs\": 8"), "a token that is known is not written again: {text}");
        file.keep("dev2", "operator", "t3", &[], &clock).expect("is written");
        assert!(file.get("dev1", "node").is_none());
        let text = fs::read_to_string(dir.path().join("device-auth.json")).expect("is there");
        let json: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(json["tokens"]["operator"]["updatedAtMs"], 7);
    }
}
