//! Adding up one transcript, day by day in the zone of this machine. Pure, so that any line can be thrown at it.

use std::collections::BTreeMap;

use gateway_base::clock::UnixMs;
use gateway_config::Config;
use gateway_config::sections::Cost;
use gateway_wire::types::usage::CostTotals;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// Totals by day, `YYYY-MM-DD`.
pub type Days = BTreeMap<String, CostTotals>;

/// Adds what an assistant message in `line` used; other lines and broken ones say nothing.
pub fn add_line(days: &mut Days, line: &[u8], zone: &TimeZone, prices: &Config) {
    // Most lines are no assistant messages with usage, and looking is cheaper than parsing.
    if !contains(line, b"\"usage\"") {
        return;
    }
    let Ok(Line { message: Some(message), timestamp }) = serde_json::from_slice::<Line>(line) else { return };
    let (Some("assistant"), Some(usage)) = (message.role.as_deref(), &message.usage) else { return };
    let at = message.timestamp.as_ref().and_then(moment).or_else(|| timestamp.as_ref().and_then(moment));
    let Some(date) = at.and_then(|at| date(at, zone)) else { return };
    let totals = days.entry(date).or_default();
    let count = |given: Option<f64>| given.map_or(0, whole);
    let (input, output) = (count(usage.input), count(usage.output));
    let (cache_read, cache_write) = (count(usage.cache_read), count(usage.cache_write));
    let all = input.saturating_add(output).saturating_add(cache_read).saturating_add(cache_write);
    let one = CostTotals {
        input,
        output,
        cache_read,
        cache_write,
        total_tokens: usage.total_tokens.map_or(all, whole),
        ..CostTotals::default()
    };
    let cost = usage.cost.as_ref().and_then(|cost| cost.total).filter(|total| total.is_finite());
    let cost = cost.or_else(|| Some(priced(&one, price(prices, &message)?)));
    let one = CostTotals {
        total_cost: cost.unwrap_or(0.0),
        missing_cost_entries: u64::from(cost.is_none()),
        ..one
    };
    add(totals, &one);
}

/// Adds `more` to `sum`.
pub fn add(sum: &mut CostTotals, more: &CostTotals) {
    sum.input = sum.input.saturating_add(more.input);
    sum.output = sum.output.saturating_add(more.output);
    sum.cache_read = sum.cache_read.saturating_add(more.cache_read);
    sum.cache_write = sum.cache_write.saturating_add(more.cache_write);
    sum.total_tokens = sum.total_tokens.saturating_add(more.total_tokens);
    sum.total_cost += more.total_cost;
    sum.missing_cost_entries += more.missing_cost_entries;
}

/// The day of a moment.
pub fn date(at: UnixMs, zone: &TimeZone) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(at).ok()?;
    Some(zone.to_datetime(time).date().to_string())
}

#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
    timestamp: Option<Moment>,
}

#[derive(Deserialize)]
struct Message {
    role: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    timestamp: Option<Moment>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Used {
    input: Option<f64>,
    output: Option<f64>,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    total_tokens: Option<f64>,
    cost: Option<Paid>,
}

#[derive(Deserialize)]
struct Paid {
    total: Option<f64>,
}

/// Messages count in milliseconds, the lines around them carry text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Millis(f64),
    Text(String),
}

#[allow(clippy::cast_possible_truncation, reason = "out of range means no valid day, which is checked")]
fn moment(at: &Moment) -> Option<UnixMs> {
    match at {
        Moment::Millis(ms) => Some(*ms as UnixMs),
        Moment::Text(text) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
    }
}

fn price<'a>(config: &'a Config, message: &Message) -> Option<&'a Cost> {
    let provider = config.models.providers.get(message.provider.as_deref()?)?;
    let model = provider.models.iter().find(|model| Some(model.id.as_str()) == message.model.as_deref())?;
    Some(&model.cost)
}

#[allow(clippy::cast_precision_loss, reason = "money is approximate")]
fn priced(used: &CostTotals, price: &Cost) -> f64 {
    let parts = [
        (used.input, price.input),
        (used.output, price.output),
        (used.cache_read, price.cache_read),
        (used.cache_write, price.cache_write),
    ];
    parts.into_iter().map(|(tokens, per_million)| tokens as f64 * per_million / 1e6).sum()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast goes to the nearest value"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::live;

    fn days(lines: &[&str]) -> Days {
        let config = live(json!({"models": {"providers": {"mock": {"baseUrl": "http://x", "models": [
            {"id": "m1", "name": "M1", "cost": {"input": 1.0, "output": 2.0, "cacheRead": 0.5, "cacheWrite": 4.0}},
        ]}}}}));
        let mut days = Days::new();
        for line in lines {
            add_line(&mut days, line.as_bytes(), &TimeZone::UTC, &config.config());
        }
        days
    }

    #[test]
    fn only_assistant_messages_with_usage_count() {
        let got = days(&[
            r#"{"type":"session","version":3,"id":"x","timestamp":"2026-11-22T10:54:34.273Z"}"#,
            r#"{"type":"message","message":{"role":"user","content":"usage","timestamp":1795344874276}}"#,
            r#"{"type":"message","message":{"role":"user","usage":{"input":9},"timestamp":1795344874276}}"#,
            r#"{"type":"message","message":{"role":"assistant","usage":{"input":100,"output":7,"cacheRead":20,"cacheWrite":0,"totalTokens":127,"cost":{"total":0.5}},"timestamp":1795344874278}}"#,
            r#"{"message":{"role":"assistant","usage":{"input":1.0},"cost":{}},"timestamp":"2026-11-23T00:00:00Z"}"#,
            r#"{"message":{"role":"assistant","usage":{"input":1}}}"#,
            r#"{"message":{"role":"assistant","usage":{"input":-5,"output":1e300},"timestamp":1e300}}"#,
            r#"{"message":{"role":"assistant","usage":"#,
            "\u{0}\u{1}",
        ]);
        assert_eq!(got.keys().collect::<Vec<_>>(), ["2026-11-22", "2026-11-23"]);
        let first = CostTotals {
            input: 100,
            output: 7,
            cache_read: 20,
            total_tokens: 127,
            total_cost: 0.5,
            ..CostTotals::default()
        };
        assert_eq!(got["2026-11-22"], first);
        let second =
            CostTotals { input: 1, total_tokens: 1, missing_cost_entries: 1, ..CostTotals::default() };
        assert_eq!(got["2026-11-23"], second);
    }

    #[test]
    fn a_missing_cost_is_taken_from_the_price_list() {
        let line = r#"{"message":{"role":"assistant","provider":"mock","model":"m1","usage":{"input":1000000,"output":500000,"cacheRead":2000000,"cacheWrite":250000},"timestamp":0}}"#;
        let got = days(&[line, &line.replace("m1", "m2")]);
        let day = got["1970-01-01"];
        assert!((day.total_cost - 4.0).abs() < 1e-9, "{day:?}");
        assert_eq!(day.missing_cost_entries, 1);
    }

    #[test]
    fn days_follow_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(-8));
        assert_eq!(date(0, &zone).as_deref(), Some("1969-12-31"));
        assert_eq!(date(i64::MAX, &zone), None);
    }
}
