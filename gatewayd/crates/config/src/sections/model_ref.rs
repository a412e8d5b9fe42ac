//! Names of models: `provider/model`, an alias, or a bare name, which means Anthropic.

use std::fmt;

/// The model when nothing is configured.
pub const DEFAULT_MODEL: &str = "anthropic/claude-opus-4-5";

/// A provider and a model of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelRef {
    /// Provider id, normalised.
    pub provider: String,
    /// Model name, normalised.
    pub model: String,
}

impl ModelRef {
    /// What `text` means; `aliases` are pairs of alias and `provider/model`. Blank means the default model.
    pub fn resolve<'a>(text: &str, aliases: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::parse(DEFAULT_MODEL);
        }
        if text.contains('/') {
            return Self::parse(text);
        }
        let mut aliases = aliases;
        match aliases.find(|(alias, _)| alias.trim().eq_ignore_ascii_case(text)) {
            Some((_, name)) => Self::parse(name),
            None => Self::parse(text),
        }
    }

    /// Splits at the first slash; without one the provider is `anthropic`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (provider, model) = text.trim().split_once('/').unwrap_or(("anthropic", text));
        let provider = normal_provider(provider);
        let model = normal_model(&provider, model.trim());
        Self { provider, model }
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

fn normal_provider(provider: &str) -> String {
    let lower = provider.trim().to_ascii_lowercase();
    match lower.as_str() {
        "z.ai" | "z-ai" => "zai".to_owned(),
        "opencode-zen" => "opencode".to_owned(),
        "qwen" => "qwen-portal".to_owned(),
        _ => lower,
    }
}

fn normal_model(provider: &str, model: &str) -> String {
    match (provider, model.to_ascii_lowercase().as_str()) {
        ("anthropic", "opus-4.5") => "claude-opus-4-5".to_owned(),
        ("anthropic", "sonnet-4.5") => "claude-sonnet-4-5".to_owned(),
        ("google", "gemini-3-pro") => "gemini-3-pro-preview".to_owned(),
        ("google", "gemini-3-flash") => "gemini-3-flash-preview".to_owned(),
        _ => model.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        let aliases = [("opus", "anthropic/claude-opus-4-5"), ("Fast", "groq/llama/x")];
        for (text, meant) in [
            ("", DEFAULT_MODEL),
            ("openai/gpt-5.2", "openai/gpt-5.2"),
            ("OPUS", "anthropic/claude-opus-4-5"),
            ("fast", "groq/llama/x"),
            ("claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
            ("Z.AI/glm", "zai/glm"),
            ("opus-4.5", "anthropic/claude-opus-4-5"),
            ("google/gemini-3-pro", "google/gemini-3-pro-preview"),
            ("openrouter/anthropic/claude", "openrouter/anthropic/claude"),
        ] {
            assert_eq!(ModelRef::resolve(text, aliases.into_iter()).to_string(), meant, "{text}");
        }
    }
}
