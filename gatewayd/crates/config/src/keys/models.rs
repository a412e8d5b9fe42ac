//! Model providers and the order of credentials.

use super::row::{
    BOOL, NAME, NAT, NUMBER, OBJECT, OBJECT_MAP, OBJECTS, POS, POS_NUMBER, TEXT, TEXT_MAP, TEXTS, Type, keys,
    one,
};

const API_KIND: Type = one(&[
    "openai-completions",
    "openai-responses",
    "anthropic-messages",
    "google-generative-ai",
    "github-copilot",
    "bedrock-converse-stream",
]);

keys! {
    "models": OBJECT, "-", "Model providers beyond the built-in ones.";
    "models.mode": one(&["merge", "replace"]), "\"merge\"", "Add to the built-in list, or replace it.";
    "models.providers": OBJECT_MAP, "-", "Providers by name.";
    "models.providers.<key>.baseUrl": NAME, "-", "Address of the API.", required;
    "models.providers.<key>.apiKey": TEXT, "-", "API key, or the name of an environment variable that holds it.", secret;
    "models.providers.<key>.auth": one(&["api-key", "aws-sdk", "oauth", "token"]), "-", "Kind of credential.";
    "models.providers.<key>.api": API_KIND, "-", "Kind of API.";
    "models.providers.<key>.headers": TEXT_MAP, "-", "Headers sent with each request.", secret;
    "models.providers.<key>.authHeader": BOOL, "-", "Send the key as a bearer token.";
    "models.providers.<key>.models": OBJECTS, "-", "Models of this provider.", required;
    "models.providers.<key>.models[].id": NAME, "-", "Name the API knows.", required;
    "models.providers.<key>.models[].name": NAME, "-", "Name shown to people.", required;
    "models.providers.<key>.models[].api": API_KIND, "-", "Kind of API of this model.";
    "models.providers.<key>.models[].reasoning": BOOL, "false", "The model can think.";
    "models.providers.<key>.models[].input": Type::List(&one(&["text", "image"])), "[\"text\"]", "What the model takes.";
    "models.providers.<key>.models[].cost.input": NUMBER, "0", "Price of input, in dollars per million tokens.";
    "models.providers.<key>.models[].cost.output": NUMBER, "0", "Price of output, in dollars per million tokens.";
    "models.providers.<key>.models[].cost.cacheRead": NUMBER, "0", "Price of cached input, in dollars per million tokens.";
    "models.providers.<key>.models[].cost.cacheWrite": NUMBER, "0", "Price of writing the cache, in dollars per million tokens.";
    "models.providers.<key>.models[].contextWindow": POS_NUMBER, "200000", "Context window, in tokens.";
    "models.providers.<key>.models[].maxTokens": POS_NUMBER, "min(8192, contextWindow)", "Longest answer, in tokens.";
    "models.providers.<key>.models[].headers": TEXT_MAP, "-", "Headers sent with each request.", secret;
    "models.providers.<key>.models[].compat.supportsStore": BOOL, "-", "The API takes `store`.";
    "models.providers.<key>.models[].compat.supportsDeveloperRole": BOOL, "-", "The API takes the developer role.";
    "models.providers.<key>.models[].compat.supportsReasoningEffort": BOOL, "-", "The API takes `reasoning_effort`.";
    "models.providers.<key>.models[].compat.maxTokensField": one(&["max_completion_tokens", "max_tokens"]), "-", "Name of the field that limits the answer.";
    "models.bedrockDiscovery.enabled": BOOL, "-", "Ask AWS for its models.";
    "models.bedrockDiscovery.region": TEXT, "-", "AWS region.";
    "models.bedrockDiscovery.providerFilter": TEXTS, "-", "Makers whose models are taken.";
    "models.bedrockDiscovery.refreshInterval": NAT, "3600", "How often AWS is asked, in seconds.";
    "models.bedrockDiscovery.defaultContextWindow": POS, "32000", "Context window to assume, in tokens.";
    "models.bedrockDiscovery.defaultMaxTokens": POS, "4096", "Longest answer to assume, in tokens.";
    "auth": OBJECT, "-", "Credential profiles; the secrets themselves are kept elsewhere.";
    "auth.profiles": OBJECT_MAP, "-", "Known profiles.";
    "auth.profiles.<key>.provider": TEXT, "-", "Provider of the profile.", required;
    "auth.profiles.<key>.mode": one(&["api_key", "oauth", "token"]), "-", "Kind of credential.", required;
    "auth.profiles.<key>.email": TEXT, "-", "Account it belongs to.";
    "auth.order": Type::Map(&TEXTS), "-", "Order in which profiles are tried, per provider.";
    "auth.cooldowns.billingBackoffHours": POS_NUMBER, "5", "First pause after a billing error, in hours.";
    "auth.cooldowns.billingBackoffHoursByProvider": Type::Map(&POS_NUMBER), "-", "The same per provider.";
    "auth.cooldowns.billingMaxHours": POS_NUMBER, "24", "Longest pause after billing errors, in hours.";
    "auth.cooldowns.failureWindowHours": POS_NUMBER, "24", "How long failures count, in hours.";
}
