//! The few defaults that the resolved value itself carries, because clients read them there. All others are in the
//! key table and in the typed view. They are the same for every reading, so that two readings can be compared.

use gateway_base::env::Env;
use serde_json::{Map, Value, json};

/// Names that a listed model gets as its alias when it has none.
pub const ALIASES: [(&str, &str); 6] = [
    ("opus", "anthropic/claude-opus-4-5"),
    ("sonnet", "anthropic/claude-sonnet-4-5"),
    ("gpt", "openai/gpt-5.2"),
    ("gpt-mini", "openai/gpt-5-mini"),
    ("gemini", "google/gemini-3-pro-preview"),
    ("gemini-flash", "google/gemini-3-flash-preview"),
];

/// Puts the defaults into a valid value.
pub(super) fn apply(value: &mut Value, env: &Env) {
    let anthropic = anthropic_auth(value, env);
    let Value::Object(root) = value else { return };
    inside(root, "messages", |messages| fill(messages, "ackReactionScope", json!("group-mentions")));
    if let Some(Value::Object(logging)) = root.get_mut("logging") {
        fill(logging, "redactSensitive", json!("tools"));
    }
    if let Some(main_key) = root.get_mut("session").and_then(|session| session.get_mut("mainKey")) {
        *main_key = json!("main");
    }
    inside(root, "agents", |agents| {
        inside(agents, "defaults", |defaults| agent_defaults(defaults, anthropic))
    });
    if let Some(Value::Object(providers)) =
        root.get_mut("models").and_then(|models| models.get_mut("providers"))
    {
        providers.values_mut().for_each(provider_models);
    }
    if let Some(key) = env.get("ELEVENLABS_API_KEY") {
        inside(root, "talk", |talk| fill(talk, "apiKey", json!(key.trim())));
    }
}

fn agent_defaults(defaults: &mut Map<String, Value>, anthropic: Option<Auth>) {
    fill(defaults, "maxConcurrent", json!(4));
    inside(defaults, "subagents", |subagents| fill(subagents, "maxConcurrent", json!(8)));
    if let Some(auth) = anthropic {
        anthropic_defaults(defaults, auth);
    }
    inside(defaults, "compaction", |compaction| fill(compaction, "mode", json!("safeguard")));
    if let Some(Value::Object(models)) = defaults.get_mut("models") {
        aliases(models);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Auth {
    ApiKey,
    OAuth,
}

/// How Anthropic is paid for, as far as the configuration and the environment say it in one voice.
fn anthropic_auth(value: &Value, env: &Env) -> Option<Auth> {
    let profiles = value.pointer("/auth/profiles").and_then(Value::as_object);
    let mode_of = |profile: &Value| {
        (profile.get("provider")?.as_str()? == "anthropic").then_some(())?;
        Some(if profile.get("mode")?.as_str()? == "api_key" { Auth::ApiKey } else { Auth::OAuth })
    };
    let order = value.pointer("/auth/order/anthropic").and_then(Value::as_array);
    let first =
        order.into_iter().flatten().filter_map(Value::as_str).find_map(|id| mode_of(profiles?.get(id)?));
    if first.is_some() {
        return first;
    }
    let modes: Vec<Auth> = profiles.into_iter().flat_map(Map::values).filter_map(mode_of).collect();
    match (modes.contains(&Auth::ApiKey), modes.contains(&Auth::OAuth)) {
        (true, false) => Some(Auth::ApiKey),
        (false, true) => Some(Auth::OAuth),
        _ if env.get("ANTHROPIC_OAUTH_TOKEN").is_some() => Some(Auth::OAuth),
        _ if env.get("ANTHROPIC_API_KEY").is_some() => Some(Auth::ApiKey),
        _ => None,
    }
}

fn anthropic_defaults(defaults: &mut Map<String, Value>, auth: Auth) {
    inside(defaults, "contextPruning", |pruning| {
        if !pruning.contains_key("mode") {
            pruning.insert("mode".to_owned(), json!("cache-ttl"));
            fill(pruning, "ttl", json!("1h"));
        }
    });
    let every = if auth == Auth::OAuth { "1h" } else { "30m" };
    inside(defaults, "heartbeat", |heartbeat| fill(heartbeat, "every", json!(every)));
    let models = defaults.get_mut("models").and_then(Value::as_object_mut).filter(|_| auth == Auth::ApiKey);
    for (name, entry) in models.into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut().filter(|_| name.starts_with("anthropic/")) {
            inside(entry, "params", |params| fill(params, "cacheControlTtl", json!("1h")));
        }
    }
}

fn aliases(models: &mut Map<String, Value>) {
    for (alias, model) in ALIASES {
        if let Some(Value::Object(entry)) = models.get_mut(model) {
            fill(entry, "alias", json!(alias));
        }
    }
}

fn provider_models(provider: &mut Value) {
    let models = provider.get_mut("models").and_then(Value::as_array_mut);
    for model in models.into_iter().flatten().filter_map(Value::as_object_mut) {
        fill(model, "reasoning", json!(false));
        fill(model, "input", json!(["text"]));
        inside(model, "cost", |cost| {
            for key in ["input", "output", "cacheRead", "cacheWrite"] {
                fill(cost, key, json!(0));
            }
        });
        fill(model, "contextWindow", json!(200_000));
        let window = model.get("contextWindow").and_then(Value::as_f64).unwrap_or(200_000.0);
        let most = if window < 8192.0 { model["contextWindow"].clone() } else { json!(8192) };
        fill(model, "maxTokens", most);
    }
}

/// Works inside the object under `key`, made when it is missing; validation has seen to it that nothing else
/// stands there.
fn inside(map: &mut Map<String, Value>, key: &str, work: impl FnOnce(&mut Map<String, Value>)) {
    if let Value::Object(inner) = map.entry(key).or_insert_with(|| Value::Object(Map::new())) {
        work(inner);
    }
}

fn fill(map: &mut Map<String, Value>, key: &str, default: Value) {
    map.entry(key).or_insert(default);
}
