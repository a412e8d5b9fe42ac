//! `usage-cost`: what the assistant's turns have cost.

use serde_json::{Value, json};

use crate::app::App;
use crate::args::UsageCostArgs;
use crate::exit::{Exit, Failure};
use crate::gateway;
use crate::phrase::{money, tokens};
use crate::text::Text;

/// Asks for the cost and prints it.
pub async fn run(app: &App, args: &UsageCostArgs) -> Result<Exit, Failure> {
    let answer = gateway::call(app, &args.client, "usage.cost", json!({"days": args.days}), false)
        .await
        .map_err(|failure| failure.context("Gateway usage cost failed"))?;
    if app.out.is_json() {
        app.out.json(&answer)?;
    } else {
        app.out.print(&render(&answer, args.days))?;
    }
    Ok(Exit::Ok)
}

fn render(answer: &Value, asked: u32) -> Text {
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or_default();
    let line = |of: &Value| {
        format!("{} · {} tokens", money(number(of, "totalCost")), tokens(number(of, "totalTokens")))
    };
    let mut text = Text::default();
    text.say(format!("Usage cost ({} days)", answer["days"].as_u64().unwrap_or_else(|| asked.into())));
    text.say(format!("Total: {}", line(&answer["totals"])));
    let missing = number(&answer["totals"], "missingCostEntries");
    if missing > 0.0 {
        text.say(format!("Missing entries: {missing:.0}"));
    }
    if let Some(latest) = answer["daily"].as_array().and_then(|days| days.last()) {
        text.push(
            format!("Latest day: {} · {}", latest["date"].as_str().unwrap_or("?"), line(latest)).into(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    #[test]
    fn the_text_is_the_originals() {
        let totals = json!({"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 0,
            "totalCost": 0, "missingCostEntries": 0});
        let empty = json!({"updatedAt": 1, "days": 7, "daily": [], "totals": totals});
        assert_eq!(render(&empty, 7).plain(), "Usage cost (7 days)\nTotal: $0.0000 · 0 tokens\n");
        assert_schema("usage-cost", &empty);
        let mut full = empty;
        full["totals"]["missingCostEntries"] = 2.into();
        full["daily"] = json!([{"date": "2026-01-29", "input": 1, "output": 1, "cacheRead": 0, "cacheWrite": 0,
            "totalTokens": 1234, "totalCost": 0.5, "missingCostEntries": 2}]);
        let text = render(&full, 7).plain();
        assert!(
            text.ends_with("Missing entries: 2\nLatest day: 2026-01-29 · $0.50 · 1.2k tokens\n"),
            "{text}"
        );
        assert_schema("usage-cost", &full);
    }

    #[test]
    fn nonsense_is_no_panic() {
        let _ = render(&json!({"daily": [7], "totals": "x", "days": -1}), 30);
        let _ = render(&Value::Null, 30);
    }
}
