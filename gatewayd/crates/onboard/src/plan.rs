//! From facts and answers to what has to be done. A value that was not answered stays as it is, and a value that is
//! what was answered is not written again; so the same answers twice change nothing the second time.

use std::path::PathBuf;

use gateway_base::secret::Secret;
use gateway_config::path::Segment;
use gateway_config::sections::{DEFAULT_MODEL, ModelRef};
use serde_json::{Value, json};

use crate::answers::{Answers, Auth, Bind, Key, Mode, Provider, TailscaleMode, Wish, Word};
use crate::credentials::{Credential, Kind};
use crate::facts::Facts;
use crate::providers::{CHOICES, Choice, Store};
use crate::reset::Scope;

/// What has to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Local or remote.
    pub mode: Mode,
    /// What is thrown away first, and the workspace that may be among it.
    pub reset: Option<(Scope, PathBuf)>,
    /// Keys to keep.
    pub credentials: Vec<Credential>,
    /// Changes of the configuration.
    pub edits: Vec<Edit>,
    /// The workspace, and whether it gets files.
    pub workspace: Option<(PathBuf, bool)>,
    /// What becomes of the service.
    pub service: Wish,
    /// How the gateway will be reached.
    pub gateway: Gateway,
    /// What to say when nothing pays for the model that answers.
    pub missing_key: Option<String>,
}

/// One change of the configuration.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Where.
    pub path: Vec<Segment>,
    /// What.
    pub change: Change,
}

/// What becomes of a value.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is this.
    Set(Value),
    /// It is this and must not be shown.
    Secret(Secret),
    /// It is removed.
    Unset,
}

/// How the gateway will be reached, after everything that cannot be has been corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// `gateway.port`
    pub port: u16,
    /// `gateway.bind`
    pub bind: Bind,
    /// `gateway.customBindHost`
    pub custom_host: Option<String>,
    /// How clients prove that they may connect.
    pub auth: Auth,
    /// `gateway.tailscale.mode`
    pub tailscale: TailscaleMode,
    /// `gateway.tailscale.resetOnExit`
    pub reset_on_exit: bool,
    /// What was corrected.
    pub corrections: Vec<&'static str>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Password mode without a password.
    #[error("Missing --gateway-password for password auth.")]
    NoPassword,
    /// Custom bind mode without an address.
    #[error("Missing gateway.customBindHost for bind custom. Set it first, or choose another bind mode.")]
    NoCustomHost,
    /// Remote mode without an address.
    #[error("Missing --remote-url for remote mode.")]
    NoRemoteUrl,
    /// Remote mode with something else than an address.
    #[error("{0} is no address of a gateway: URL must start with ws:// or wss://")]
    BadRemoteUrl(String),
}

impl Gateway {
    /// What the answers mean on top of the facts.
    #[must_use]
    pub fn of(facts: &Facts, answers: &Answers) -> Self {
        let mut corrections = Vec::new();
        let tailscale = answers.tailscale.unwrap_or_else(|| facts.tailscale_mode());
        let mut bind = answers.bind.unwrap_or_else(|| facts.bind());
        let mut auth = answers.auth.unwrap_or_else(|| facts.auth());
        if tailscale != TailscaleMode::Off && bind != Bind::Loopback {
            corrections.push("Tailscale requires bind=loopback. Adjusting bind to loopback.");
            bind = Bind::Loopback;
        }
        if auth == Auth::Off && bind != Bind::Loopback {
            corrections.push("Non-loopback bind requires auth. Switching to token auth.");
            auth = Auth::Token;
        }
        if tailscale == TailscaleMode::Funnel && auth != Auth::Password {
            corrections.push("Tailscale funnel requires password auth.");
            auth = Auth::Password;
        }
        let custom_host =
            answers.custom_host.clone().or_else(|| facts.text("gateway.customBindHost").map(str::to_owned));
        Self {
            port: answers.port.unwrap_or_else(|| facts.port()),
            bind,
            custom_host: custom_host.filter(|_| bind == Bind::Custom),
            auth,
            tailscale,
            reset_on_exit: answers.reset_on_exit.unwrap_or_else(|| facts.reset_on_exit()),
            corrections,
        }
    }

    /// Whether a password has to be asked for.
    #[must_use]
    pub fn lacks_password(&self, facts: &Facts, answers: &Answers) -> bool {
        self.auth == Auth::Password
            && answers.password.is_none()
            && facts.text("gateway.auth.password").is_none()
    }
}

impl Plan {
    /// The plan for these answers.
    pub fn new(facts: &Facts, answers: &Answers) -> Result<Self, Error> {
        let after = match answers.reset {
            None => facts.clone(),
            Some(Scope::Config) => facts.afresh(),
            Some(Scope::Sessions | Scope::Full) => facts.afresh().without_keys(),
        };
        let reset = answers.reset.map(|scope| (scope, facts.paths.expand(&facts.workspace())));
        let mode = answers.mode.or_else(|| after.mode()).unwrap_or(Mode::Local);
        let gateway = Gateway::of(&after, answers);
        let mut edits = Edits { facts: &after, list: Vec::new() };
        if mode == Mode::Remote {
            edits.remote(answers)?;
            let (credentials, edits) = (Vec::new(), edits.list);
            let (workspace, service, missing_key) = (None, Wish::Leave, None);
            return Ok(Self { mode, reset, credentials, edits, workspace, service, gateway, missing_key });
        }
        let workspace = folder(&after, answers.workspace.as_deref());
        edits.set("agents.defaults.workspace", json!(workspace.display().to_string()));
        let credentials = edits.provider(answers);
        if let Some(model) = &answers.model {
            edits.model(model);
        }
        edits.gateway(&gateway, answers)?;
        if let Some(manager) = &answers.node_manager {
            edits.set("skills.install.nodeManager", json!(manager));
        }
        let edits = edits.list;
        let bare = after.dotted("agents.defaults.skipBootstrap") == Some(&Value::Bool(true));
        let service = answers.service.unwrap_or(Wish::Leave);
        let (workspace, missing_key) = (Some((workspace, !bare)), missing_key(&after, answers));
        Ok(Self { mode, reset, credentials, edits, workspace, service, gateway, missing_key })
    }
}

impl Plan {
    /// The least that makes a gateway start: its mode, and a workspace. A file that is there keeps its mode.
    #[must_use]
    pub fn setup(facts: &Facts, workspace: Option<&str>) -> Self {
        let folder = folder(facts, workspace);
        let mut edits = Edits { facts, list: Vec::new() };
        if workspace.is_some() || !facts.exists {
            edits.set("agents.defaults.workspace", json!(folder.display().to_string()));
        }
        if !facts.exists {
            edits.set("gateway.mode", json!("local"));
        }
        let edits = edits.list;
        let bare = facts.dotted("agents.defaults.skipBootstrap") == Some(&Value::Bool(true));
        Self {
            mode: facts.mode().unwrap_or(Mode::Local),
            reset: None,
            credentials: Vec::new(),
            edits,
            workspace: Some((folder, !bare)),
            service: Wish::Leave,
            gateway: Gateway::of(facts, &Answers::default()),
            missing_key: None,
        }
    }
}

/// Collects what differs.
struct Edits<'a> {
    facts: &'a Facts,
    list: Vec<Edit>,
}

impl Edits<'_> {
    fn set(&mut self, key: &str, value: Value) {
        self.set_at(keys(key), value);
    }

    fn set_at(&mut self, path: Vec<Segment>, value: Value) {
        if self.facts.get(&path) != Some(&value) {
            self.list.push(Edit { path, change: Change::Set(value) });
        }
    }

    fn secret(&mut self, key: &str, secret: &Secret) {
        let is_same = |text: &str| secret.matches(text);
        if !self.facts.text(key).is_some_and(is_same) {
            self.list.push(Edit { path: keys(key), change: Change::Secret(secret.clone()) });
        }
    }

    fn unset(&mut self, key: &str) {
        if self.facts.dotted(key).is_some() {
            self.list.push(Edit { path: keys(key), change: Change::Unset });
        }
    }

    fn remote(&mut self, answers: &Answers) -> Result<(), Error> {
        let url = answers.remote_url.as_deref().or_else(|| self.facts.text("gateway.remote.url"));
        let url = url.map(str::trim).filter(|url| !url.is_empty()).ok_or(Error::NoRemoteUrl)?.to_owned();
        if !["ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(Error::BadRemoteUrl(url));
        }
        self.set("gateway.mode", json!("remote"));
        self.set("gateway.remote.url", json!(url));
        match &answers.remote_token {
            Some(token) if token.is_blank() => self.unset("gateway.remote.token"),
            Some(token) => self.secret("gateway.remote.token", token),
            None => {}
        }
        Ok(())
    }

    fn gateway(&mut self, gateway: &Gateway, answers: &Answers) -> Result<(), Error> {
        self.set("gateway.mode", json!("local"));
        match gateway.auth {
            // Without a mode the gateway would take what is left for one.
            Auth::Off => ["mode", "token", "password"]
                .iter()
                .for_each(|key| self.unset(&format!("gateway.auth.{key}"))),
            Auth::Token => {
                self.set("gateway.auth.mode", json!("token"));
                match &answers.token {
                    Some(token) => self.secret("gateway.auth.token", token),
                    None if self.facts.text("gateway.auth.token").is_some() => {}
                    None => self.secret("gateway.auth.token", &self.token()),
                }
            }
            Auth::Password if gateway.lacks_password(self.facts, answers) => return Err(Error::NoPassword),
            Auth::Password => {
                self.set("gateway.auth.mode", json!("password"));
                if let Some(password) = &answers.password {
                    self.secret("gateway.auth.password", password);
                }
            }
        }
        self.set("gateway.port", json!(gateway.port));
        // An address in `gateway.bind` is no word that is asked about; it stays unless it was answered otherwise.
        let is_address = self.facts.text("gateway.bind").is_some_and(|text| Bind::of(text).is_none());
        if !is_address || answers.bind.is_some() {
            self.set("gateway.bind", json!(gateway.bind.word()));
        }
        match &gateway.custom_host {
            Some(host) => self.set("gateway.customBindHost", json!(host)),
            None if gateway.bind == Bind::Custom => return Err(Error::NoCustomHost),
            None => {}
        }
        self.set("gateway.tailscale.mode", json!(gateway.tailscale.word()));
        self.set("gateway.tailscale.resetOnExit", json!(gateway.reset_on_exit));
        Ok(())
    }

    /// The token that this shell's clients use already, else a new one.
    fn token(&self) -> Secret {
        let from_env = self.facts.env.get("CLAWDBOT_GATEWAY_TOKEN").map(str::trim);
        from_env.map_or_else(|| self.facts.fresh_token.clone(), Secret::new)
    }

    fn provider(&mut self, answers: &Answers) -> Vec<Credential> {
        match &answers.provider {
            None | Some(Provider::Skip) => Vec::new(),
            Some(Provider::Borrowed(profile, provider)) => {
                self.profile(profile, provider, "oauth");
                Vec::new()
            }
            Some(Provider::Stored(choice)) => {
                self.choice(choice, &choice.profile(), answers);
                Vec::new()
            }
            Some(Provider::Key(key)) => {
                let id = key.profile.clone().unwrap_or_else(|| key.choice.profile());
                self.choice(key.choice, &id, answers);
                vec![credential(key, id)]
            }
        }
    }

    /// What a choice writes into the configuration.
    fn choice(&mut self, choice: &Choice, profile: &str, answers: &Answers) {
        match choice.store {
            Store::Profile => self.profile(profile, choice.provider, "api_key"),
            Store::Token => self.profile(profile, choice.provider, "token"),
            Store::DotEnv => {}
        }
        if let Some(entry) = choice.provider_entry() {
            self.provider_entry(choice.provider, &entry);
        }
        let Some((model, alias)) = choice.model else { return };
        self.allow(model, json!({ "alias": alias }));
        if answers.model.is_none() {
            self.set("agents.defaults.model.primary", json!(model));
        }
    }

    /// The model that answers. The default one is not written down where nothing was, so that it stays the default.
    fn model(&mut self, model: &str) {
        if self.facts.model().unwrap_or(DEFAULT_MODEL) != model {
            self.set("agents.defaults.model.primary", json!(model));
            self.allow(model, json!({}));
        }
    }

    /// A list of allowed models that is there must have it; where there is none, everything is allowed.
    fn allow(&mut self, model: &str, entry: Value) {
        let allowed = ["agents", "defaults", "models"].map(key).to_vec();
        let new = [allowed.clone(), vec![key(model)]].concat();
        let is_set = self.list.iter().any(|edit| edit.path == new);
        if !is_set
            && self
                .facts
                .get(&allowed)
                .and_then(Value::as_object)
                .is_some_and(|list| !list.contains_key(model))
        {
            self.set_at(new, entry);
        }
    }

    fn profile(&mut self, id: &str, provider: &str, mode: &str) {
        let at = |field: &str| ["auth", "profiles", id, field].map(key).to_vec();
        self.set_at(at("provider"), json!(provider));
        self.set_at(at("mode"), json!(mode));
        let order = ["auth", "order", provider].map(key).to_vec();
        let Some(Value::Array(ids)) = self.facts.get(&order) else { return };
        if !ids.contains(&json!(id)) {
            let ids: Vec<Value> = std::iter::once(json!(id)).chain(ids.iter().cloned()).collect();
            self.set_at(order, Value::Array(ids));
        }
    }

    /// A provider's entry that is there keeps its address and its models, and gets the one it lacks.
    fn provider_entry(&mut self, provider: &str, entry: &Value) {
        let at = ["models", "providers", provider].map(key).to_vec();
        let models = [at.clone(), vec![key("models")]].concat();
        let Some(there) = self.facts.get(&models).and_then(Value::as_array) else {
            self.set_at(at, entry.clone());
            return;
        };
        let (count, wanted) = (there.len(), &entry["models"][0]);
        if there.iter().all(|model| model["id"] != wanted["id"]) {
            self.set_at([models, vec![Segment::Index(count)]].concat(), wanted.clone());
        }
    }
}

/// A workspace as it was typed; blank is the present one.
fn folder(facts: &Facts, typed: Option<&str>) -> PathBuf {
    let typed = typed.filter(|typed| !typed.trim().is_empty());
    facts.paths.expand(typed.unwrap_or(&facts.workspace()))
}

/// The sentence about a model that nothing pays for, as far as can be seen from here.
fn missing_key(facts: &Facts, answers: &Answers) -> Option<String> {
    let (given, default) = match &answers.provider {
        Some(Provider::Key(Key { choice, .. }) | Provider::Stored(choice)) => {
            (Some(choice.provider), choice.model.map(|(model, _)| model))
        }
        Some(Provider::Borrowed(_, provider)) => (Some(*provider), None),
        Some(Provider::Skip) | None => (None, None),
    };
    let model = answers.model.as_deref().or(default).or_else(|| facts.model()).unwrap_or(DEFAULT_MODEL);
    let provider = ModelRef::parse(model).provider;
    let rows = || CHOICES.iter().filter(|choice| choice.provider == provider);
    let configured = ["models", "providers", &provider, "apiKey"].map(key).to_vec();
    let is_paid = given == Some(provider.as_str())
        || facts.stored.contains(&provider)
        || facts.get(&configured).is_some()
        || rows().any(|choice| facts.variable(choice).is_some());
    // A provider that has no row may need no key at all.
    let is_known = rows().next().is_some();
    (is_known && !is_paid).then(|| {
        format!("No key is stored for {provider}, whose {model} answers; turns will fail until there is one.")
    })
}

fn credential(from: &Key, id: String) -> Credential {
    let Key { choice, secret, expires, .. } = from;
    let profile = |kind| Credential::Profile {
        id,
        provider: choice.provider,
        kind,
        secret: secret.clone(),
        expires: *expires,
    };
    match choice.store {
        Store::Profile => profile(Kind::Key),
        Store::Token => profile(Kind::Token),
        Store::DotEnv => Credential::Variable {
            name: choice.variables.first().copied().unwrap_or_default(),
            secret: secret.clone(),
        },
    }
}

fn key(name: &str) -> Segment {
    Segment::Key(name.to_owned())
}

fn keys(dotted: &str) -> Vec<Segment> {
    dotted.split('.').map(key).collect()
}

#[cfg(test)]
mod tests;
