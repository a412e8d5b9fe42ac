//! What providers report as used, and what the transcripts add up to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::integer;

/// The result of `usage.status`; without usable credentials the list is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageStatusResult {
    /// When it was asked.
    pub updated_at: u64,
    /// Every provider with credentials.
    pub providers: Vec<ProviderUsage>,
}

/// What one provider reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderUsage {
    /// The provider.
    pub provider: String,
    /// Its name for people.
    pub display_name: String,
    /// Its limits.
    pub windows: Vec<UsageWindow>,
    /// The plan in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Why it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One limit of a provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageWindow {
    /// Which limit, such as `5h` or `Week`.
    pub label: String,
    /// How much of it is used.
    pub used_percent: f64,
    /// When it starts anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<u64>,
}

/// The parameters of `usage.cost`. There is no schema: a number or a numeric text counts, anything else is 30.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct UsageCostParams {
    /// How many days to add up; at least 1.
    pub days: u64,
}

/// Days added up when the caller names no number.
const DAYS_DEFAULT: u64 = 30;

impl From<Value> for UsageCostParams {
    fn from(params: Value) -> Self {
        let days = match params.get("days") {
            Some(Value::Number(days)) => days.as_f64(),
            Some(Value::String(days)) => days.trim().parse().ok(),
            _ => None,
        };
        let days = days.filter(|days| days.is_finite()).and_then(|days| integer::from_float(days.floor()));
        Self { days: days.unwrap_or(DAYS_DEFAULT).max(1) }
    }
}

/// The result of `usage.cost`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageCostResult {
    /// When it was added up.
    pub updated_at: u64,
    /// How many days.
    pub days: u64,
    /// Every day with entries.
    pub daily: Vec<DailyCost>,
    /// All days together.
    pub totals: CostTotals,
}

/// One day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DailyCost {
    /// The day, `YYYY-MM-DD`, in the host's zone.
    pub date: String,
    /// What it adds up to.
    #[serde(flatten)]
    pub totals: CostTotals,
}

/// Tokens and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CostTotals {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Tokens read from the provider's cache.
    pub cache_read: u64,
    /// Tokens written to it.
    pub cache_write: u64,
    /// All of them.
    pub total_tokens: u64,
    /// Money, in US dollars.
    pub total_cost: f64,
    /// Messages whose price is not known.
    pub missing_cost_entries: u64,
}
