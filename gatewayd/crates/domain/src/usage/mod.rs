//! What was spent per day, added up from the transcripts of the default agent.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_base::clock::{Clock, UnixMs};
use gateway_base::local_time;
use gateway_config::live::Live;
use gateway_wire::types::usage::{CostTotals, DailyCost, UsageCostResult};

use crate::ports::usage::{Spent, Transcripts};
use crate::time::to_wire;

/// How long an answer is given again.
const FRESH_MS: UnixMs = 30_000;
/// Answers kept, one per number of days.
const MAX_KEPT: usize = 16;
/// Most days that are added up.
const MAX_DAYS: u64 = 3_660;
const DAY_MS: UnixMs = 86_400_000;

/// Answers `usage.cost`. Clones share what was added up.
#[derive(Clone)]
pub struct Usage {
    live: Live,
    transcripts: Arc<dyn Transcripts>,
    clock: Clock,
    kept: Arc<Mutex<HashMap<u64, (UnixMs, Bytes)>>>,
}

impl Usage {
    /// Adds up what `transcripts` tell.
    #[must_use]
    pub fn new(live: Live, transcripts: Arc<dyn Transcripts>, clock: Clock) -> Self {
        Self { live, transcripts, clock, kept: Arc::default() }
    }

    /// The result of `usage.cost` for the last `days` days, today included.
    pub async fn cost(&self, days: u64) -> std::io::Result<Bytes> {
        let (now, days) = (self.clock.now(), days.clamp(1, MAX_DAYS));
        if let Some(json) = self.kept(days, now) {
            return Ok(json);
        }
        let back = UnixMs::try_from(days - 1).unwrap_or_default() * DAY_MS;
        let since = local_time::start_of_day(now.saturating_sub(back));
        let agent = self.live.config().default_agent_id().to_owned();
        let spent = self.transcripts.spent(agent, since).await?;
        let json: Bytes = serde_json::to_vec(&add_up(&spent, since, days, now))?.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| is_fresh(*at, now));
        if kept.len() < MAX_KEPT {
            kept.insert(days, (now, json.clone()));
        }
        Ok(json)
    }

    fn kept(&self, days: u64, now: UnixMs) -> Option<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&days).filter(|(at, _)| is_fresh(*at, now)).map(|(_, json)| json.clone())
    }
}

fn is_fresh(at: UnixMs, now: UnixMs) -> bool {
    (0..FRESH_MS).contains(&now.saturating_sub(at))
}

fn add_up(spent: &[Spent], since: UnixMs, days: u64, now: UnixMs) -> UsageCostResult {
    let mut daily: BTreeMap<String, CostTotals> = BTreeMap::new();
    let mut totals = CostTotals::default();
    for one in spent.iter().filter(|one| one.at >= since) {
        let day = daily.entry(local_time::date(one.at)).or_default();
        for sum in [day, &mut totals] {
            sum.input = sum.input.saturating_add(one.input);
            sum.output = sum.output.saturating_add(one.output);
            sum.cache_read = sum.cache_read.saturating_add(one.cache_read);
            sum.cache_write = sum.cache_write.saturating_add(one.cache_write);
            sum.total_tokens = sum.total_tokens.saturating_add(one.total);
            sum.total_cost += one.cost.unwrap_or_default();
            sum.missing_cost_entries += u64::from(one.cost.is_none());
        }
    }
    let daily = daily.into_iter().map(|(date, totals)| DailyCost { date, totals }).collect();
    UsageCostResult { updated_at: to_wire(now), days, daily, totals }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_added_up_apart_and_together() {
        let now = 1_769_685_937_869;
        let one = Spent { at: now, input: 3, total: 5, cost: Some(0.5), ..Spent::default() };
        let before = Spent { at: now - 2 * DAY_MS, cost: None, ..one };
        let too_old = Spent { at: 5, ..one };
        let result = add_up(&[one, one, before, too_old], now - 3 * DAY_MS, 4, now);
        assert_eq!(result.daily.len(), 2);
        assert_eq!((result.totals.input, result.totals.total_tokens), (9, 15));
        assert_eq!((result.totals.total_cost, result.totals.missing_cost_entries), (1.0, 1));
        assert_eq!(result.daily[1].totals.input, 6);
    }
}
