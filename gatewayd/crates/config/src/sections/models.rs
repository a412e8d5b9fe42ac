//! The `models` section.

use gateway_base::secret::Secret;
use indexmap::IndexMap;
use serde_json::Value;

use super::view::{View, texts, whole};

/// The `models` section.
#[derive(Clone, Debug)]
pub struct Models {
    /// Whether the configured providers replace the built-in list.
    pub replace: bool,
    /// Providers by name.
    pub providers: IndexMap<String, Provider>,
}

/// One provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Address of the API.
    pub base_url: String,
    /// Key, or the name of a variable that holds it.
    pub api_key: Option<Secret>,
    /// Kind of API.
    pub api: Option<String>,
    /// Its models.
    pub models: Vec<Model>,
}

/// One model of a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Name the API knows.
    pub id: String,
    /// Name shown to people.
    pub name: String,
    /// Whether it can think.
    pub reasoning: bool,
    /// What it takes.
    pub input: Vec<String>,
    /// Context window in tokens.
    pub context_window: Option<u64>,
    /// Longest answer in tokens.
    pub max_tokens: Option<u64>,
    /// Prices.
    pub cost: Cost,
}

/// Prices in dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Input.
    pub input: f64,
    /// Output.
    pub output: f64,
    /// Cached input.
    pub cache_read: f64,
    /// Writing the cache.
    pub cache_write: f64,
}

impl Models {
    pub(super) fn read(view: &View<'_>) -> Self {
        let providers = view.raw("models.providers").and_then(Value::as_object);
        Self {
            replace: view.text("models.mode").as_deref() == Some("replace"),
            providers: providers
                .into_iter()
                .flatten()
                .map(|(id, p)| (id.clone(), Provider::read(p)))
                .collect(),
        }
    }
}

impl Provider {
    fn read(value: &Value) -> Self {
        let models = value.get("models").and_then(Value::as_array);
        Self {
            base_url: text(value, "baseUrl").unwrap_or_default(),
            api_key: text(value, "apiKey").filter(|key| !key.is_empty()).map(Secret::new),
            api: text(value, "api"),
            models: models.into_iter().flatten().map(Model::read).collect(),
        }
    }
}

impl Model {
    fn read(value: &Value) -> Self {
        let price =
            |key: &str| value.get("cost").and_then(|c| c.get(key)).and_then(Value::as_f64).unwrap_or(0.0);
        Self {
            id: text(value, "id").unwrap_or_default(),
            name: text(value, "name").unwrap_or_default(),
            reasoning: value.get("reasoning").and_then(Value::as_bool).unwrap_or(false),
            input: texts(value.get("input")),
            context_window: value.get("contextWindow").and_then(whole),
            max_tokens: value.get("maxTokens").and_then(whole),
            cost: Cost {
                input: price("input"),
                output: price("output"),
                cache_read: price("cacheRead"),
                cache_write: price("cacheWrite"),
            },
        }
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}
