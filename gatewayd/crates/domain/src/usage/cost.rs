//! `usage.cost` and `usage.status`. A transcript is read again only after it changed, away from the workers, and an
//! answer is kept for half a minute.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway_base::clock::{Clock, UnixMs};
use gateway_config::live::Live;
use gateway_wire::types::usage::{CostTotals, DailyCost, UsageCostResult, UsageStatusResult};
use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::totals::{self, Days};
use crate::ports::files::{AgentFiles, Transcript};
use crate::time::to_wire;

const KEEP: Duration = Duration::from_secs(30);
/// Answers for different numbers of days that are kept.
const MAX_KEPT: usize = 8;
/// More days than any transcript is old.
const MAX_DAYS: u64 = 366 * 100;
const DAY_MS: UnixMs = 24 * 60 * 60 * 1_000;

/// What adding up needs.
pub struct UsageOptions {
    /// The transcripts.
    pub files: Arc<dyn AgentFiles>,
    /// The configuration in force: the default agent, and prices.
    pub config: Live,
    /// The time.
    pub clock: Clock,
}

/// Adds up usage. Clones share everything.
#[derive(Clone)]
pub struct Usage {
    files: Arc<dyn AgentFiles>,
    config: Live,
    clock: Clock,
    kept: Arc<Mutex<HashMap<u64, (Instant, UsageCostResult)>>>,
    index: Arc<Mutex<Index>>,
}

/// Why usage could not be added up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the transcripts cannot be listed.
    #[error("the transcripts of agent \"{agent}\" cannot be listed")]
    List {
        /// The agent.
        agent: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The work was cut off.
    #[error("adding up the usage was interrupted")]
    Interrupted,
}

/// What is known of each transcript of one agent.
#[derive(Default)]
struct Index {
    agent: String,
    files: HashMap<String, (Transcript, Days)>,
}

impl Usage {
    /// Usage of the default agent.
    #[must_use]
    pub fn new(options: UsageOptions) -> Self {
        let UsageOptions { files, config, clock } = options;
        Self { files, config, clock, kept: Arc::default(), index: Arc::default() }
    }

    /// The limits that providers report: none, as long as no provider is asked.
    #[must_use]
    pub fn status(&self) -> UsageStatusResult {
        UsageStatusResult { updated_at: to_wire(self.clock.now()), providers: Vec::new() }
    }

    /// Tokens and money of the last `days` days, today included.
    pub async fn cost(&self, days: u64) -> Result<UsageCostResult, Error> {
        if let Some(result) = self.kept(days) {
            return Ok(result);
        }
        let work = self.clone();
        let result = tokio::task::spawn_blocking(move || work.add_up(days))
            .await
            .map_err(|_| Error::Interrupted)??;
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (until, _)| *until > now);
        if kept.len() < MAX_KEPT {
            kept.insert(days, (now + KEEP, result.clone()));
        }
        Ok(result)
    }

    fn kept(&self, days: u64) -> Option<UsageCostResult> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&days).filter(|(until, _)| *until > Instant::now()).map(|(_, result)| result.clone())
    }

    fn add_up(&self, days: u64) -> Result<UsageCostResult, Error> {
        let config = self.config.config();
        let agent = config.default_agent_id();
        let zone = TimeZone::system();
        let now = self.clock.now();
        let back = UnixMs::try_from(days.clamp(1, MAX_DAYS) - 1).unwrap_or(0) * DAY_MS;
        let first = totals::date(now - back, &zone).unwrap_or_default();
        let files = self
            .files
            .transcripts(agent)
            .map_err(|source| Error::List { agent: agent.to_owned(), source })?;

        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if index.agent != agent {
            *index = Index { agent: agent.to_owned(), files: HashMap::new() };
        }
        index.files.retain(|name, _| files.iter().any(|file| file.name == *name));
        let mut sum: Days = Days::new();
        // A file that did not change since before the first day, give or take a zone, has nothing in it.
        for file in files.into_iter().filter(|file| file.modified >= now - back - 2 * DAY_MS) {
            if index.files.get(&file.name).is_none_or(|(known, _)| *known != file) {
                let days = self.read(agent, &file.name, &zone);
                index.files.insert(file.name.clone(), (file.clone(), days));
            }
            let found = index.files.get(&file.name).into_iter().flat_map(|(_, days)| days);
            for (date, more) in found.filter(|(date, _)| **date >= first) {
                totals::add(sum.entry(date.clone()).or_default(), more);
            }
        }
        let mut all = CostTotals::default();
        sum.values().for_each(|day| totals::add(&mut all, day));
        let daily = sum.into_iter().map(|(date, totals)| DailyCost { date, totals }).collect();
        Ok(UsageCostResult { updated_at: to_wire(now), days, daily, totals: all })
    }

    /// One transcript that cannot be read should not hide the others.
    fn read(&self, agent: &str, name: &str, zone: &TimeZone) -> Days {
        let mut days = Days::new();
        let config = self.config.config();
        let mut line = |line: &[u8]| totals::add_line(&mut days, line, zone, &config);
        if let Err(error) = self.files.transcript_lines(agent, name, &mut line) {
            tracing::warn!(agent, name, %error, "a transcript cannot be read; its usage is not counted");
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{MemoryFiles, live};

    const NOON: UnixMs = 1_795_348_800_000;

    fn line(at: UnixMs, output: u64) -> String {
        json!({"message": {"role": "assistant", "timestamp": at,
            "usage": {"input": 1, "output": output, "cost": {"total": 0.25}}}})
        .to_string()
    }

    fn usage(files: &MemoryFiles) -> Usage {
        let clock = Clock::manual(NOON);
        Usage::new(UsageOptions { files: Arc::new(files.clone()), config: live(json!({})), clock })
    }

    #[tokio::test(start_paused = true)]
    async fn days_in_range_are_added_up_and_kept_half_a_minute() {
        let files = MemoryFiles::default();
        let lines = [line(NOON, 10), line(NOON - DAY_MS, 20), line(NOON - 40 * DAY_MS, 40)];
        files.put_transcript("main", "a.jsonl", NOON, &lines.join("\n"));
        files.put_transcript("main", "old.jsonl", NOON - 40 * DAY_MS, &line(NOON - 40 * DAY_MS, 1));
        files.put_transcript("other", "b.jsonl", NOON, &line(NOON, 80));
        let usage = usage(&files);
        let month = usage.cost(30).await.expect("added up");
        assert_eq!((month.days, month.daily.len()), (30, 2));
        assert_eq!((month.totals.input, month.totals.output, month.totals.total_tokens), (2, 30, 32));
        assert_eq!(month.totals.total_cost, 0.5);
        assert!(month.daily[0].date < month.daily[1].date);
        assert_eq!(usage.cost(1).await.expect("added up").totals.output, 10);
        assert_eq!(usage.cost(u64::MAX).await.expect("added up").totals.output, 71);
        assert_eq!(files.reads(), 2, "each file once");

        files.put_transcript("main", "a.jsonl", NOON + 1, &line(NOON, 5));
        assert_eq!(usage.cost(30).await.expect("kept"), month);
        tokio::time::sleep(KEEP).await;
        assert_eq!(usage.cost(30).await.expect("new").totals.output, 5);
        assert_eq!(files.reads(), 3, "only what changed");
    }

    #[tokio::test]
    async fn no_transcripts_are_no_error_and_no_provider_reports() {
        let usage = usage(&MemoryFiles::default());
        let result = usage.cost(30).await.expect("empty");
        assert!(result.daily.is_empty() && result.totals == CostTotals::default());
        assert!(usage.status().providers.is_empty());
    }
}
