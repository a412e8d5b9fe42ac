//! Where keys are kept, in the files of the original: `auth-profiles.json` of the main agent, and `.env` in the state
//! folder. Both are read with everything in them that is not known here, and written back with it, mode 0600.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;
use gateway_base::paths::Paths;
use gateway_base::secret::Secret;
use gateway_config::environment::parse_dotenv;
use serde_json::{Map, Value, json};

/// Something to keep.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A profile of a provider.
    Profile {
        /// Its id, such as `anthropic:default`.
        id: String,
        /// The provider.
        provider: &'static str,
        /// What kind it is.
        kind: Kind,
        /// The key.
        secret: Secret,
        /// When it ends, in milliseconds since 1970.
        expires: Option<i64>,
    },
    /// A variable.
    Variable {
        /// Its name.
        name: &'static str,
        /// The key.
        secret: Secret,
    },
}

/// What kind of profile it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An API key.
    Key,
    /// A token.
    Token,
}

/// Why a file of credentials was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read or written.
    #[error("cannot {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{0} is not a file of credentials; move it out of the way and try again")]
    Foreign(String),
}

/// `<state>/agents/main/agent/auth-profiles.json`
#[must_use]
pub fn profiles_file(paths: &Paths) -> PathBuf {
    paths.state.join("agents").join("main").join("agent").join("auth-profiles.json")
}

/// `<state>/.env`
#[must_use]
pub fn variables_file(paths: &Paths) -> PathBuf {
    paths.state.join(".env")
}

/// Providers of which a profile with a key or a token is kept.
#[must_use]
pub fn stored(paths: &Paths) -> BTreeSet<String> {
    let Ok(Some(file)) = read_profiles(&profiles_file(paths)) else { return BTreeSet::new() };
    let profiles = file.get("profiles").and_then(Value::as_object);
    let is_kept = |profile: &&Value| {
        let secret = profile.get("key").or_else(|| profile.get("token")).and_then(Value::as_str);
        secret.is_some_and(|secret| !secret.trim().is_empty())
    };
    let kept = profiles.into_iter().flat_map(Map::values).filter(is_kept);
    kept.filter_map(|profile| profile.get("provider").and_then(Value::as_str).map(str::to_owned)).collect()
}

/// The key that is kept for `provider`, to try it.
#[must_use]
pub fn kept_key(paths: &Paths, provider: &str) -> Option<Secret> {
    let file = read_profiles(&profiles_file(paths)).ok()??;
    let profiles = file.get("profiles")?.as_object()?;
    let of_provider = |profile: &&Value| profile.get("provider").and_then(Value::as_str) == Some(provider);
    let key = |profile: &Value| profile.get("key").and_then(Value::as_str).map(Secret::new);
    profiles.values().filter(of_provider).find_map(key).filter(|key| !key.is_blank())
}

/// Keeps it. Returns whether the file is another one now.
pub fn keep(paths: &Paths, credential: &Credential) -> Result<bool, Error> {
    match credential {
        Credential::Profile { id, provider, kind, secret, expires } => {
            let secret = secret.expose().trim();
            let mut profile = match kind {
                Kind::Key => json!({ "type": "api_key", "provider": provider, "key": secret }),
                Kind::Token => json!({ "type": "token", "provider": provider, "token": secret }),
            };
            if let Some(expires) = expires {
                profile["expires"] = json!(expires);
            }
            keep_profile(&profiles_file(paths), id, profile)
        }
        Credential::Variable { name, secret } => {
            keep_variable(&variables_file(paths), name, secret.expose().trim())
        }
    }
}

fn keep_profile(path: &Path, id: &str, profile: Value) -> Result<bool, Error> {
    let mut file = read_profiles(path)?.unwrap_or_else(|| json!({ "version": 1, "profiles": {} }));
    let foreign = || Error::Foreign(path.display().to_string());
    let root = file.as_object_mut().ok_or_else(foreign)?;
    let profiles = root.entry("profiles").or_insert_with(|| json!({})).as_object_mut().ok_or_else(foreign)?;
    if profiles.get(id) == Some(&profile) {
        return Ok(false);
    }
    profiles.insert(id.to_owned(), profile);
    let text = format!("{file:#}\n");
    write(path, &text).map(|()| true)
}

/// `None` when there is no such file.
fn read_profiles(path: &Path) -> Result<Option<Value>, Error> {
    let Some(text) = read(path)? else { return Ok(None) };
    let foreign = || Error::Foreign(path.display().to_string());
    let value: Value = serde_json::from_str(&text).map_err(|_| foreign())?;
    if value.is_object() { Ok(Some(value)) } else { Err(foreign()) }
}

/// Replaces the first line that sets `name`, or adds one.
fn keep_variable(path: &Path, name: &str, value: &str) -> Result<bool, Error> {
    let text = read(path)?.unwrap_or_default();
    if parse_dotenv(&text).iter().find(|(known, _)| known == name).is_some_and(|(_, old)| old == value) {
        return Ok(false);
    }
    let line = format!("{name}={}", quoted(value));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let sets = |line: &String| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.split_once('=').is_some_and(|(known, _)| known.trim() == name)
    };
    match lines.iter().position(sets) {
        Some(at) => lines[at] = line,
        None => lines.push(line),
    }
    write(path, &format!("{}\n", lines.join("\n"))).map(|()| true)
}

/// A value as `.env` files take it.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+=,".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("'{value}'") }
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { what: "read", path: path.display().to_string(), source }),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    atomic_file::replace(path, text.as_bytes()).map_err(|source| Error::Io {
        what: "write",
        path: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use gateway_base::env::Env;

    use super::*;

    fn home() -> (tempfile::TempDir, Paths) {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([("HOME", home.path().display().to_string())]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        (home, paths)
    }

    fn key(secret: &str) -> Credential {
        let (id, provider, kind) = ("anthropic:default".to_owned(), "anthropic", Kind::Key);
        Credential::Profile { id, provider, kind, secret: Secret::new(secret), expires: None }
    }

    #[test]
    fn a_profile_is_added_to_what_is_there() {
        let (_home, paths) = home();
        assert!(stored(&paths).is_empty());
        assert!(keep(&paths, &key("sk-1")).expect("written"));
        assert!(!keep(&paths, &key(" sk-1 ")).expect("the same"), "nothing is written twice");
        let file = profiles_file(&paths);
        let mut value: Value = serde_json::from_str(&fs::read_to_string(&file).expect("text")).expect("JSON");
        value["lastGood"] = json!({"x": "y"});
        value["profiles"]["x:me"] = json!({"type": "oauth", "provider": "x", "access": "a"});
        fs::write(&file, value.to_string()).expect("write");
        assert!(keep(&paths, &key("sk-2")).expect("written"));
        let value: Value = serde_json::from_str(&fs::read_to_string(&file).expect("text")).expect("JSON");
        assert_eq!(value["profiles"]["anthropic:default"]["key"], "sk-2");
        assert!(value["lastGood"]["x"] == "y" && value["profiles"]["x:me"]["access"] == "a", "{value}");
        assert_eq!(stored(&paths).into_iter().collect::<Vec<_>>(), ["anthropic"]);
        assert!(kept_key(&paths, "anthropic").expect("kept").matches("sk-2"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).expect("file").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_of_something_else_is_not_written_over() {
        let (_home, paths) = home();
        let file = profiles_file(&paths);
        fs::create_dir_all(file.parent().expect("folder")).expect("folder");
        for text in ["[]", "{", "{\"profiles\": 7}"] {
            fs::write(&file, text).expect("write");
            let error = keep(&paths, &key("sk-1")).expect_err(text);
            assert!(error.to_string().contains("move it out of the way"), "{error}");
            assert_eq!(fs::read_to_string(&file).expect("text"), text);
        }
    }

    #[test]
    fn a_variable_replaces_its_line_only() {
        let (_home, paths) = home();
        let file = variables_file(&paths);
        let keep = |value: &str| {
            let secret = Secret::new(value);
            keep(&paths, &Credential::Variable { name: "OPENAI_API_KEY", secret }).expect("written")
        };
        assert!(keep("sk-1"));
        assert_eq!(fs::read_to_string(&file).expect("text"), "OPENAI_API_KEY=sk-1\n");
        fs::write(&file, "# mine\nA=1\nexport OPENAI_API_KEY = 'old'\nB=2").expect("write");
        assert!(keep("sk 2#"));
        let text = fs::read_to_string(&file).expect("text");
        assert_eq!(text, "# mine\nA=1\nOPENAI_API_KEY='sk 2#'\nB=2\n");
        assert_eq!(parse_dotenv(&text)[1].1, "sk 2#");
        assert!(!keep("sk 2#"));
    }
}
