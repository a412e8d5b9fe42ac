//! The models that can be chosen: a built-in list of well-known ones and those of the configuration, which win.

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
    cached: Arc<Mutex<Option<(Arc<Config>, Bytes)>>>,
}

impl Models {
    /// The models of `live`.
    #[must_use]
    pub fn new(live: Live) -> Self {
        Self { live, cached: Arc::default() }
    }

    /// The result of `models.list`, serialised once per configuration.
    #[must_use]
    pub fn json(&self) -> Bytes {
        let config = self.live.config();
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, json)) = &*cached
            && Arc::ptr_eq(of, &config)
        {
            return json.clone();
        }
        let json: Bytes = serde_json::to_vec(&list(&config)).unwrap_or_default().into();
        *cached = Some((config, json.clone()));
        json
    }
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
                name: model.name.clone(),
                provider: provider.clone(),
                context_window: model.context_window,
                reasoning: Some(model.reasoning),
                input: Some(model.input.clone()),
            };
            models.insert((provider.clone(), model.id.clone()), choice);
        }
    }
    let mut models: Vec<_> = models.into_values().collect();
    models.sort_by(|a, b| (&a.provider, &a.name).cmp(&(&b.provider, &b.name)));
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
    use super::*;

    #[test]
    fn every_line_of_the_catalogue_is_read_and_none_twice() {
        let config = Config::default();
        let listed = list(&config).models;
        assert_eq!(listed.len(), CATALOGUE.lines().count());
        assert!(listed.iter().any(|m| m.provider == "anthropic" && m.id == "claude-opus-4-5"));
        assert!(listed.is_sorted_by(|a, b| (&a.provider, &a.name) <= (&b.provider, &b.name)));
    }
}
