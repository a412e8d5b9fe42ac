//! THE TABLE of ways to pay for a model: one row per `--auth-choice` that stores a key, with where the key is kept, which
//! model comes with it, and how it can be tried at no cost.

use gateway_base::secret::Secret;
use serde_json::{Value, json};

/// One way.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The value of `--auth-choice`.
    pub value: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// More about it.
    pub hint: Option<&'static str>,
    /// What its key is called.
    pub key: &'static str,
    /// The company, which the first of the two questions asks for.
    pub group: Group,
    /// The provider's id in the configuration.
    pub provider: &'static str,
    /// The flag that carries the key.
    pub flag: &'static str,
    /// Variables that may hold the key, the preferred one first.
    pub variables: &'static [&'static str],
    /// Where the key is kept.
    pub store: Store,
    /// The model to use with it, when nothing says otherwise: `provider/model`, and a short name.
    pub model: Option<(&'static str, &'static str)>,
    /// The provider's address.
    pub base_url: &'static str,
    /// How a key is tried.
    pub check: Check,
    /// The API and its one model, for providers that the gateway does not know by itself.
    pub api: Option<(&'static str, Model)>,
}

/// A company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The answer that means it.
    pub id: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What can be used.
    pub hint: &'static str,
}

/// Where a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// As an API key in `auth-profiles.json`.
    Profile,
    /// As a token in `auth-profiles.json`.
    Token,
    /// As a variable in `<state>/.env`.
    DotEnv,
}

/// How a key is tried: a request that costs nothing and needs a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// `GET <base>/v1/models` with `x-api-key`.
    Anthropic,
    /// The same with the token as bearer.
    AnthropicToken,
    /// This path below the base address, with the key as bearer.
    Bearer(&'static str),
    /// `GET <base>/models` with `x-goog-api-key`.
    Google,
    /// The provider has no request that is known to need a key and to cost nothing.
    None,
}

/// A model to write into `models.providers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    id: &'static str,
    name: &'static str,
    reasoning: bool,
    window: u32,
    output: u32,
}

impl Choice {
    /// The profile that holds the key.
    #[must_use]
    pub fn profile(&self) -> String {
        format!("{}:default", self.provider)
    }

    /// The value of `models.providers.<provider>`, for providers that need one.
    #[must_use]
    pub fn provider_entry(&self) -> Option<Value> {
        let (api, model) = self.api?;
        let Model { id, name, reasoning, window, output } = model;
        let model = json!({
            "id": id, "name": name, "reasoning": reasoning, "input": ["text"],
            "contextWindow": window, "maxTokens": output,
        });
        Some(json!({ "baseUrl": self.base_url, "api": api, "models": [model] }))
    }

    /// What is wrong with `key` at first sight.
    pub fn look_at(&self, key: &Secret) -> Result<(), String> {
        let text = key.expose().trim();
        if text.is_empty() {
            return Err("Required".to_owned());
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("A key is one word; paste it without line breaks and spaces".to_owned());
        }
        if self.store == Store::Token && !text.starts_with(SETUP_TOKEN) {
            return Err(format!("Expected token starting with {SETUP_TOKEN}"));
        }
        if self.store == Store::Token && text.len() < SETUP_TOKEN_LENGTH {
            return Err("Token looks too short; paste the full setup-token".to_owned());
        }
        Ok(())
    }
}

/// How a token of `claude setup-token` begins, and how long it is at least.
const SETUP_TOKEN: &str = "sk-ant-oat01-";
const SETUP_TOKEN_LENGTH: usize = 80;

/// Ways to sign in that need a browser or another program's store, which this version does not have.
pub const NOT_BUILT: [&str; 2] = ["chutes", "openai-codex"];

/// Logins of other programs that are used where they are: choice, profile, provider, the program, its file under the
/// home folder.
pub const BORROWED: [(&str, &str, &str, &str, &str); 2] = [
    ("claude-cli", "anthropic:claude-cli", "anthropic", "Claude Code CLI", ".claude/.credentials.json"),
    ("codex-cli", "openai-codex:codex-cli", "openai-codex", "Codex CLI", ".codex/auth.json"),
];

/// Finds a row by the value of `--auth-choice`.
#[must_use]
pub fn find(value: &str) -> Option<&'static Choice> {
    let value = if matches!(value, "setup-token" | "oauth") { "token" } else { value };
    CHOICES.iter().find(|choice| choice.value == value)
}

/// The companies in the order of the table.
pub fn groups() -> impl Iterator<Item = Group> {
    let mut seen = Vec::new();
    CHOICES.iter().map(|choice| choice.group).filter(move |group| {
        let new = !seen.contains(group);
        seen.push(*group);
        new
    })
}

const fn model(id: &'static str, name: &'static str, window: u32, output: u32) -> Model {
    Model { id, name, reasoning: false, window, output }
}

const KEY: Choice = Choice {
    value: "",
    label: "",
    hint: None,
    key: "",
    group: Group { id: "", label: "", hint: "" },
    provider: "",
    flag: "",
    variables: &[],
    store: Store::Profile,
    model: None,
    base_url: "",
    check: Check::None,
    api: None,
};

const MINIMAX: Choice = Choice {
    key: "MiniMax API key",
    group: Group { id: "minimax", label: "MiniMax", hint: "M2.1 and M2.1 Lightning" },
    provider: "minimax",
    flag: "--minimax-api-key",
    variables: &["MINIMAX_API_KEY"],
    base_url: "https://api.minimax.io/anthropic",
    ..KEY
};

/// Every way that stores a key.
pub static CHOICES: &[Choice] = &[
    Choice {
        value: "apiKey",
        label: "Anthropic API key",
        key: "Anthropic API key",
        group: Group { id: "anthropic", label: "Anthropic", hint: "API key or setup-token" },
        provider: "anthropic",
        flag: "--anthropic-api-key",
        variables: &["ANTHROPIC_API_KEY"],
        base_url: "https://api.anthropic.com",
        check: Check::Anthropic,
        ..KEY
    },
    Choice {
        value: "token",
        label: "Anthropic token (paste setup-token)",
        hint: Some("run `claude setup-token` elsewhere, then paste the token here"),
        key: "Anthropic setup-token",
        group: Group { id: "anthropic", label: "Anthropic", hint: "API key or setup-token" },
        provider: "anthropic",
        flag: "--token",
        store: Store::Token,
        base_url: "https://api.anthropic.com",
        check: Check::AnthropicToken,
        ..KEY
    },
    Choice {
        value: "openai-api-key",
        label: "OpenAI API key",
        key: "OpenAI API key",
        group: Group { id: "openai", label: "OpenAI", hint: "API key" },
        provider: "openai",
        flag: "--openai-api-key",
        variables: &["OPENAI_API_KEY"],
        store: Store::DotEnv,
        base_url: "https://api.openai.com/v1",
        check: Check::Bearer("/models"),
        ..KEY
    },
    Choice {
        value: "minimax-api",
        label: "MiniMax M2.1",
        model: Some(("minimax/MiniMax-M2.1", "Minimax")),
        api: Some(("anthropic-messages", model("MiniMax-M2.1", "MiniMax M2.1", 200_000, 8192))),
        ..MINIMAX
    },
    Choice {
        value: "minimax-api-lightning",
        label: "MiniMax M2.1 Lightning",
        hint: Some("Faster, higher output cost"),
        model: Some(("minimax/MiniMax-M2.1-lightning", "Minimax")),
        api: Some((
            "anthropic-messages",
            model("MiniMax-M2.1-lightning", "MiniMax M2.1 Lightning", 200_000, 8192),
        )),
        ..MINIMAX
    },
    Choice {
        value: "synthetic-api-key",
        label: "Synthetic API key",
        key: "Synthetic API key",
        group: Group { id: "synthetic", label: "Synthetic", hint: "Anthropic-compatible (multi-model)" },
        provider: "synthetic",
        flag: "--synthetic-api-key",
        variables: &["SYNTHETIC_API_KEY"],
        model: Some(("synthetic/hf:MiniMaxAI/MiniMax-M2.1", "MiniMax M2.1")),
        base_url: "https://api.synthetic.new/anthropic",
        api: Some((
            "anthropic-messages",
            model("hf:MiniMaxAI/MiniMax-M2.1", "MiniMax M2.1", 192_000, 65_536),
        )),
        ..KEY
    },
    Choice {
        value: "gemini-api-key",
        label: "Google Gemini API key",
        key: "Gemini API key",
        group: Group { id: "google", label: "Google", hint: "Gemini API key" },
        provider: "google",
        flag: "--gemini-api-key",
        variables: &["GEMINI_API_KEY"],
        model: Some(("google/gemini-3-pro-preview", "gemini")),
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        check: Check::Google,
        ..KEY
    },
    Choice {
        value: "openrouter-api-key",
        label: "OpenRouter API key",
        key: "OpenRouter API key",
        group: Group { id: "openrouter", label: "OpenRouter", hint: "API key" },
        provider: "openrouter",
        flag: "--openrouter-api-key",
        variables: &["OPENROUTER_API_KEY"],
        model: Some(("openrouter/auto", "OpenRouter")),
        base_url: "https://openrouter.ai/api/v1",
        // Its list of models is open to everybody, so it would prove nothing.
        check: Check::Bearer("/key"),
        ..KEY
    },
    Choice {
        value: "ai-gateway-api-key",
        label: "Vercel AI Gateway API key",
        key: "Vercel AI Gateway API key",
        group: Group { id: "ai-gateway", label: "Vercel AI Gateway", hint: "API key" },
        provider: "vercel-ai-gateway",
        flag: "--ai-gateway-api-key",
        variables: &["AI_GATEWAY_API_KEY"],
        model: Some(("vercel-ai-gateway/anthropic/claude-opus-4.5", "Vercel AI Gateway")),
        base_url: "https://ai-gateway.vercel.sh",
        check: Check::Bearer("/v1/credits"),
        ..KEY
    },
    Choice {
        value: "moonshot-api-key",
        label: "Moonshot AI API key",
        key: "Moonshot API key",
        group: Group { id: "moonshot", label: "Moonshot AI", hint: "Kimi K2 and Kimi Code" },
        provider: "moonshot",
        flag: "--moonshot-api-key",
        variables: &["MOONSHOT_API_KEY"],
        model: Some(("moonshot/kimi-k2-0905-preview", "Kimi K2")),
        base_url: "https://api.moonshot.ai/v1",
        check: Check::Bearer("/models"),
        api: Some((
            "openai-completions",
            model("kimi-k2-0905-preview", "Kimi K2 0905 Preview", 256_000, 8192),
        )),
        ..KEY
    },
    Choice {
        value: "kimi-code-api-key",
        label: "Kimi Code API key",
        key: "Kimi Code API key",
        group: Group { id: "moonshot", label: "Moonshot AI", hint: "Kimi K2 and Kimi Code" },
        provider: "kimi-code",
        flag: "--kimi-code-api-key",
        variables: &["KIMICODE_API_KEY"],
        model: Some(("kimi-code/kimi-for-coding", "Kimi Code")),
        base_url: "https://api.kimi.com/coding/v1",
        check: Check::Bearer("/models"),
        api: Some((
            "openai-completions",
            Model { reasoning: true, ..model("kimi-for-coding", "Kimi For Coding", 262_144, 32_768) },
        )),
        ..KEY
    },
    Choice {
        value: "zai-api-key",
        label: "Z.AI (GLM 4.7) API key",
        key: "Z.AI API key",
        group: Group { id: "zai", label: "Z.AI (GLM 4.7)", hint: "API key" },
        provider: "zai",
        flag: "--zai-api-key",
        variables: &["ZAI_API_KEY", "Z_AI_API_KEY"],
        model: Some(("zai/glm-4.7", "GLM")),
        base_url: "https://api.z.ai/api/coding/paas/v4",
        check: Check::Bearer("/models"),
        ..KEY
    },
    Choice {
        value: "opencode-zen",
        label: "OpenCode Zen (multi-model proxy)",
        hint: Some("Claude, GPT, Gemini via opencode.ai/zen"),
        key: "OpenCode Zen API key",
        group: Group { id: "opencode-zen", label: "OpenCode Zen", hint: "API key" },
        provider: "opencode",
        flag: "--opencode-zen-api-key",
        variables: &["OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY"],
        model: Some(("opencode/claude-opus-4-5", "Opus")),
        base_url: "https://opencode.ai/zen/v1",
        ..KEY
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_the_reference_are_all_known() {
        for value in [
            "setup-token",
            "oauth",
            "token",
            "openai-api-key",
            "openrouter-api-key",
            "ai-gateway-api-key",
            "moonshot-api-key",
            "kimi-code-api-key",
            "synthetic-api-key",
            "gemini-api-key",
            "zai-api-key",
            "apiKey",
            "minimax-api",
            "minimax-api-lightning",
            "opencode-zen",
        ] {
            assert!(find(value).is_some(), "{value}");
        }
        assert_eq!(find("skip"), None);
        assert_eq!(groups().count(), 10);
    }

    #[test]
    fn every_row_is_whole() {
        for choice in CHOICES {
            assert!(choice.base_url.starts_with("https://") && !choice.base_url.ends_with('/'), "{choice:?}");
            assert!(choice.flag.starts_with("--") && !choice.label.is_empty(), "{choice:?}");
            assert!(choice.key.ends_with("API key") || choice.store == Store::Token, "{choice:?}");
            assert!(!choice.variables.is_empty() || choice.store == Store::Token, "{choice:?}");
            if let Some((name, _)) = choice.model {
                assert!(name.starts_with(&format!("{}/", choice.provider)), "{choice:?}");
            }
            let same = CHOICES.iter().filter(|other| other.value == choice.value).count();
            assert_eq!(same, 1, "{choice:?}");
        }
    }

    #[test]
    fn a_key_is_looked_at() {
        let look = |value: &str, key: &str| find(value).expect("a row").look_at(&Secret::new(key));
        let long = format!("{SETUP_TOKEN}{}", "x".repeat(70));
        assert_eq!(look("apiKey", " sk-1 "), Ok(()));
        assert_eq!(look("apiKey", " ").expect_err("blank"), "Required");
        assert!(look("apiKey", "a\nb").is_err());
        assert_eq!(look("token", &long), Ok(()));
        assert!(look("token", "sk-ant-api03").expect_err("another kind").contains("sk-ant-oat01-"));
        assert!(look("token", "sk-ant-oat01-x").expect_err("short").contains("too short"));
    }
}
