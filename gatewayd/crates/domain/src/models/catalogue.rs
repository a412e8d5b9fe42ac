//! The list itself. It is serialised once per configuration, since it is long and hardly changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_config::Config;
use gateway_config::live::Live;
use gateway_wire::types::models::{ModelChoice, ModelsListResult};

/// Provider, id, name, context window, `yes` when it reasons, and what it takes; one model a line.
const CATALOGUE: &str = include_str!("catalogue.tsv");

/// The models. Clones share them.
#[derive(Clone)]
pub struct Models {
    live: Live,
    kept: Arc<Mutex<Option<Kept>>>,
}

struct Kept {
    config: Arc<Config>,
    json: Bytes,
}

impl Models {
    /// The models of `live`.
    #[must_use]
    pub fn new(live: Live) -> Self {
        Self { live, kept: Arc::default() }
    }

    /// The result of `models.list`, serialised once per configuration.
    #[must_use]
    pub fn json(&self) -> Bytes {
        let config = self.live.config();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*kept
            && Arc::ptr_eq(&kept.config, &config)
        {
            return kept.json.clone();
        }
        let json: Bytes = serde_json::to_vec(&list(&config)).unwrap_or_default().into();
        *kept = Some(Kept { config, json: json.clone() });
        json
    }
}

/// The context window of a model, when the list knows it.
pub(crate) fn context_window(config: &Config, provider: &str, model: &str) -> Option<u64> {
    let found =
        list(config).models.into_iter().find(|choice| choice.provider == provider && choice.id == model);
    found?.context_window
}

/// Sorted by provider, then by name.
fn list(config: &Config) -> ModelsListResult {
    let mut models = BTreeMap::new();
    if !config.models.replace {
        for model in CATALOGUE.lines().filter_map(read) {
            models.insert((model.provider.clone(), model.id.clone()), model);
        }
    }
    for (provider, settings) in &config.models.providers {
        for model in &settings.models {
            let choice = ModelChoice {
                id: model.id.clone(),
                // Clients refuse an empty name and a window of nothing.
                name: if model.name.is_empty() { model.id.clone() } else { model.name.clone() },
                provider: provider.clone(),
                context_window: model.context_window.filter(|window| *window > 0),
                reasoning: Some(model.reasoning),
                input: Some(model.input.clone()),
            };
            models.insert((provider.clone(), model.id.clone()), choice);
        }
    }
    let mut models: Vec<_> = models.into_values().collect();
    models.sort_by_cached_key(|model| (model.provider.clone(), model.name.to_lowercase(), model.id.clone()));
    ModelsListResult { models }
}

fn read(line: &str) -> Option<ModelChoice> {
    let mut columns = line.split('\t');
    let provider = columns.next()?.to_owned();
    let id = columns.next()?.to_owned();
    let name = columns.next()?.to_owned();
    let context_window = columns.next()?.parse().ok()?;
    let reasoning = columns.next()? == "yes";
    let input = columns.next()?.split(',').map(str::to_owned).collect();
    Some(ModelChoice {
        id,
        name,
        provider,
        context_window: Some(context_window),
        reasoning: Some(reasoning),
        input: Some(input),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::live;

    fn listed(config: serde_json::Value) -> Vec<ModelChoice> {
        list(&live(config).config()).models
    }

    #[test]
    fn every_line_of_the_catalogue_is_read_and_none_twice() {
        let listed = listed(json!({}));
        assert_eq!(listed.len(), CATALOGUE.lines().count());
        let names = |m: &ModelChoice| (m.provider.clone(), m.name.to_lowercase());
        assert!(listed.iter().map(names).collect::<Vec<_>>().is_sorted());
        for model in &listed {
            assert!(model.context_window.is_some_and(|window| window > 0), "{model:?}");
            let input = model.input.as_deref().unwrap_or_default();
            assert!(input.contains(&"text".to_owned()) && input.iter().all(|i| i == "text" || i == "image"));
            assert!(
                !model.id.is_empty() && model.id.trim() == model.id && !model.name.is_empty(),
                "{model:?}"
            );
        }
    }

    #[test]
    fn configured_models_win_and_are_sorted_in() {
        let provider = json!({"baseUrl": "http://x", "models": [
            {"id": "claude-opus-4-5", "name": "Mine", "contextWindow": 1000, "reasoning": false, "input": ["text"]},
            {"id": "new", "name": "", "contextWindow": 0},
        ]});
        let config = json!({"models": {"providers": {"anthropic": provider}}});
        let got = listed(config.clone());
        let own: Vec<_> =
            got.iter().filter(|m| m.id == "claude-opus-4-5" && m.provider == "anthropic").collect();
        assert_eq!((own.len(), own[0].name.as_str(), own[0].context_window), (1, "Mine", Some(1000)));
        let new = got.iter().find(|m| m.id == "new").expect("added");
        assert_eq!((new.name.as_str(), new.context_window), ("new", None));
        assert_eq!(context_window(&live(config).config(), "anthropic", "claude-opus-4-5"), Some(1000));
        assert_eq!(context_window(&Config::default(), "openai", "gpt-5"), Some(400_000));
        assert_eq!(context_window(&Config::default(), "x", "y"), None);
    }

    #[test]
    fn a_replacing_configuration_stands_alone() {
        let provider = json!({"baseUrl": "http://x", "models": [{"id": "m", "name": "M"}]});
        let got = listed(json!({"models": {"mode": "replace", "providers": {"p": provider}}}));
        assert_eq!(got.iter().map(|m| m.id.as_str()).collect::<Vec<_>>(), ["m"]);
    }

    #[test]
    fn the_answer_is_made_once_per_configuration() {
        let live = live(json!({}));
        let models = Models::new(live.clone());
        let first = models.json();
        assert_eq!(first.as_ptr(), models.json().as_ptr());
        live.replace((*live.current()).clone());
        assert_eq!(first.as_ptr(), models.json().as_ptr(), "the same typed view is the same configuration");
        live.replace((*crate::testing::live(json!({"models": {"mode": "replace"}})).current()).clone());
        assert_eq!(models.json(), r#"{"models":[]}"#.as_bytes());
    }
}
