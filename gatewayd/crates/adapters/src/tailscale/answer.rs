//! Reads what the program says. Versions differ in spelling and in what is null, so only what is needed is asked for and
//! anything may be missing.

use std::net::IpAddr;

use gateway_base::net;
use gateway_domain::ports::tailnet::User;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How this machine's Tailscale is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether it is connected, and if not, why.
    pub backend: Backend,
    /// The machine's name in the tailnet.
    pub name: Option<String>,
    /// Its first address there.
    pub address: Option<IpAddr>,
    /// Whether the tailnet gives its machines certificates; absent when the answer does not tell.
    pub https: Option<bool>,
    /// Whether this machine may be published on the internet; absent when the answer does not tell.
    pub funnel: Option<bool>,
}

/// The states of the service behind the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Connected, or in a state that this version does not know.
    #[default]
    Running,
    /// Nobody is logged in; the page to do it on, when there is one already.
    LoggedOut(Option<String>),
    /// Switched off.
    Stopped,
    /// An administrator has to approve this machine.
    Unapproved,
    /// Not connected yet.
    Starting,
    /// Another user of this machine is logged in.
    OtherUser,
}

impl Status {
    /// The host to reach this machine by.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        self.name.clone().or_else(|| self.address.map(net::url_host))
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Raw {
    backend_state: Option<String>,
    #[serde(rename = "AuthURL")]
    auth_url: Option<String>,
    #[serde(rename = "Self")]
    own: Option<RawSelf>,
    cert_domains: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSelf {
    #[serde(rename = "DNSName")]
    dns_name: Option<String>,
    #[serde(rename = "TailscaleIPs")]
    addresses: Option<Vec<String>>,
    #[serde(rename = "CapMap")]
    capabilities: Option<Map<String, Value>>,
}

/// The answer of `status --json`.
pub(super) fn status(text: &str) -> Option<Status> {
    let raw: Raw = serde_json::from_str(object(text)?).ok()?;
    let own = raw.own.unwrap_or_default();
    let auth_url = raw.auth_url.filter(|url| url.starts_with("https://"));
    let backend = match raw.backend_state.as_deref() {
        Some("NeedsLogin") => Backend::LoggedOut(auth_url),
        Some("Stopped") => Backend::Stopped,
        Some("NeedsMachineAuth") => Backend::Unapproved,
        Some("NoState" | "Starting") => Backend::Starting,
        Some("InUseOtherUser") => Backend::OtherUser,
        _ => Backend::Running,
    };
    let certificates = raw.cert_domains.is_some_and(|domains| !domains.is_empty());
    let capabilities = own.capabilities.filter(|map| !map.is_empty());
    let can = |name: &str| capabilities.as_ref().map(|map| map.contains_key(name));
    Some(Status {
        backend,
        name: own.dns_name.as_deref().and_then(host_name),
        address: own.addresses.unwrap_or_default().first().and_then(|text| text.parse().ok()),
        https: if certificates { Some(true) } else { can("https") },
        funnel: can("funnel"),
    })
}

/// The answer of `whois --json`: `Err` when it names nobody because it makes no sense.
pub(super) fn whois(text: &str) -> Result<Option<User>, ()> {
    let value: Value = object(text).and_then(|text| serde_json::from_str(text).ok()).ok_or(())?;
    // A tagged device belongs to its tags and not to the person who set it up.
    if value["Node"]["Tags"].as_array().is_some_and(|tags| !tags.is_empty()) {
        return Ok(None);
    }
    let profiles = [&value["UserProfile"], &value["userProfile"], &value["User"], &value];
    let logins = profiles.iter().flat_map(|profile| ["LoginName", "Login", "login"].map(|key| &profile[key]));
    let login = logins.filter_map(Value::as_str).map(str::trim).find(|login| !login.is_empty());
    login.map(|login| Some(User { login: login.to_owned() })).ok_or(())
}

/// The JSON in an answer that may have other text around it.
fn object(text: &str) -> Option<&str> {
    text.get(text.find('{')?..=text.rfind('}')?)
}

/// A DNS name without its last dot. Anything else would end up in an address that people click on.
fn host_name(text: &str) -> Option<String> {
    let name = text.trim().trim_end_matches('.');
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!name.is_empty() && name.len() < 254 && name.chars().all(fits)).then(|| name.to_owned())
}
