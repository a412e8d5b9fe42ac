//! The health summary. It is made anew at start, every minute, when the configuration or a problem changes, and when
//! somebody asks or connects; but at most once a second, and a summary that says nothing new is announced only by
//! the minute, because telling everybody costs as much as there are clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gateway_base::clock::Clock;
use gateway_base::paths::Paths;
use gateway_config::Config;
use gateway_config::live::{Current, Live};
use gateway_wire::limits::HEALTH_REFRESH_MS;
use gateway_wire::types::health::{AgentHealth, AgentHeartbeat, HealthSummary};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Heartbeats, sessions, status};
use crate::events::{Bus, Versions};
use crate::time::to_wire;

/// Shortest time between two refreshes that were asked for.
const PAUSE: Duration = Duration::from_secs(1);

/// What health is made of.
pub struct HealthOptions {
    /// The configuration in force.
    pub live: Live,
    /// Where session stores are.
    pub paths: Paths,
    /// Where the event goes.
    pub bus: Bus,
    /// Counts the refreshes.
    pub versions: Versions,
    /// The switch.
    pub heartbeats: Heartbeats,
    /// The time.
    pub clock: Clock,
}

/// Asks how everything is. Clones share the answer.
#[derive(Clone)]
pub struct Health(Arc<Shared>);

struct Shared {
    options: HealthOptions,
    asked: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    summary: Bytes,
    /// The summary without its times, to see whether it says anything new.
    gist: Option<HealthSummary>,
    problems: Vec<String>,
    /// Somebody was promised an event, whether or not there is news.
    owed: bool,
    status: Option<KeptStatus>,
}

/// A finished `status` and what it was made of.
struct KeptStatus {
    config: Arc<Config>,
    problems: Vec<String>,
    json: Bytes,
}

/// Refreshes until the daemon stops.
pub struct HealthTask(Arc<Shared>);

impl Health {
    /// The handle, with a first summary, and the task that keeps it fresh.
    #[must_use]
    pub fn new(options: HealthOptions) -> (Self, HealthTask) {
        let shared = Arc::new(Shared { options, asked: Notify::new(), state: Mutex::default() });
        shared.refresh();
        (Self(shared.clone()), HealthTask(shared))
    }

    /// The last summary, as JSON.
    #[must_use]
    pub fn json(&self) -> Bytes {
        self.0.lock().summary.clone()
    }

    /// Asks for a fresh summary soon; many askers share one.
    pub fn ask(&self) {
        self.0.asked.notify_one();
    }

    /// Makes a fresh summary now; it is announced soon, with others that are asked for meanwhile.
    pub fn now(&self) -> Bytes {
        self.0.refresh();
        self.0.lock().owed = true;
        self.ask();
        self.json()
    }

    /// Notes what is wrong with the gateway itself, in words for people.
    pub fn set_problems(&self, problems: Vec<String>) {
        let changed = {
            let mut state = self.0.lock();
            let changed = state.problems != problems;
            state.problems = problems;
            changed
        };
        if changed {
            self.ask();
        }
    }

    /// The result of `status`, as JSON, when nothing waits for the main session.
    #[must_use]
    pub fn status(&self) -> Bytes {
        self.status_with(Vec::new())
    }

    /// The result of `status`, as JSON. `queued` is what waits for the main session.
    #[must_use]
    pub fn status_with(&self, queued: Vec<String>) -> Bytes {
        let current = self.0.options.live.current();
        let mut state = self.0.lock();
        let keep = queued.is_empty();
        if let Some(kept) = state.status.as_ref().filter(|_| keep)
            && Arc::ptr_eq(&kept.config, &current.config)
            && kept.problems == state.problems
        {
            return kept.json.clone();
        }
        let problems = state.problems.clone();
        let result = status::result(&current, &self.0.options.paths, problems.clone(), queued);
        let json: Bytes = serde_json::to_vec(&result).unwrap_or_default().into();
        if keep {
            state.status = Some(KeptStatus { config: current.config.clone(), problems, json: json.clone() });
        }
        json
    }

    /// The heartbeat switch.
    #[must_use]
    pub fn heartbeats(&self) -> &Heartbeats {
        &self.0.options.heartbeats
    }
}

impl HealthTask {
    /// Refreshes by the minute, on every change of the configuration, and soon after being asked, until `stop`
    /// resolves.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = stop => {}
            () = self.refresh_for_ever() => {}
        }
    }

    async fn refresh_for_ever(self) {
        let mut changes = self.0.options.live.subscribe();
        let minute = Duration::from_millis(HEALTH_REFRESH_MS);
        let mut due = Instant::now() + minute;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {
                    self.0.refresh();
                    self.0.announce();
                    due = Instant::now() + minute;
                    continue;
                }
                changed = changes.changed() => if changed.is_err() { return },
                () = self.0.asked.notified() => {}
            }
            let news = self.0.refresh();
            let owed = std::mem::take(&mut self.0.lock().owed);
            if news || owed {
                self.0.announce();
                due = Instant::now() + minute;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Shared {
    /// Makes the summary anew; whether it says something new.
    fn refresh(&self) -> bool {
        let current = self.options.live.current();
        let problems = self.lock().problems.clone();
        let now = to_wire(self.options.clock.now());
        let gist = summary(&current, &self.options.paths, self.options.heartbeats.enabled(), problems);
        let fresh = HealthSummary { ts: now, ..gist.clone() };
        let json = serde_json::to_vec(&fresh).unwrap_or_default().into();
        let mut state = self.lock();
        let changed = state.gist.as_ref() != Some(&gist);
        state.summary = json;
        state.gist = Some(gist);
        changed
    }

    fn announce(&self) {
        let state = self.options.versions.bump_health();
        let payload = self.lock().summary.clone();
        self.options.bus.publish_json("health", payload, Some(state));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(current: &Current, paths: &Paths, heartbeats: bool, problems: Vec<String>) -> HealthSummary {
    let config = &*current.config;
    let default_agent_id = config.default_agent_id().to_owned();
    let agents = config.agents().iter().map(|agent| agent_health(current, paths, &agent.id)).collect();
    let every_ms = config.heartbeat(&default_agent_id).every_ms.filter(|_| heartbeats).unwrap_or(0);
    HealthSummary {
        ok: true,
        ts: 0,
        duration_ms: 0,
        channels: serde_json::Map::new(),
        channel_order: Vec::new(),
        channel_labels: serde_json::Map::new(),
        heartbeat_seconds: every_ms / 1_000,
        sessions: sessions::health(current, paths, &default_agent_id),
        default_agent_id,
        agents,
        problems,
    }
}

fn agent_health(current: &Current, paths: &Paths, id: &str) -> AgentHealth {
    let config = &*current.config;
    let heartbeat = config.heartbeat(id);
    AgentHealth {
        agent_id: id.to_owned(),
        name: config.agent(id).and_then(|agent| agent.name.clone()),
        is_default: id == config.default_agent_id(),
        heartbeat: AgentHeartbeat {
            enabled: heartbeat.enabled,
            every: heartbeat.every,
            every_ms: heartbeat.every_ms,
            prompt: heartbeat.prompt,
            target: heartbeat.target,
            model: heartbeat.model,
            ack_max_chars: heartbeat.ack_max_chars,
        },
        sessions: sessions::health(current, paths, id),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::events::{Received, Subscription};
    use crate::testing::{MemoryStore, live, test_paths};

    struct Fixture {
        health: Health,
        task: HealthTask,
        live: Live,
        clock: Clock,
        events: Subscription,
    }

    fn fixture(config: Value) -> Fixture {
        let (bus, clock, live) = (Bus::default(), Clock::manual(1_000), live(config));
        let events = bus.subscribe(64);
        let (health, task) = Health::new(HealthOptions {
            live: live.clone(),
            paths: test_paths(),
            bus: bus.clone(),
            versions: Versions::default(),
            heartbeats: Heartbeats::new(Arc::new(MemoryStore::default()), bus),
            clock: clock.clone(),
        });
        Fixture { health, task, live, clock, events }
    }

    fn value(json: &Bytes) -> Value {
        serde_json::from_slice(json).expect("JSON")
    }

    fn seen(events: &mut Subscription) -> Vec<Value> {
        let mut seen = Vec::new();
        while let Some(Received::Event(event)) = events.try_recv() {
            assert_eq!((event.row.name, event.state.is_some()), ("health", true));
            seen.push(value(&event.payload));
        }
        seen
    }

    async fn secs(n: u64) {
        tokio::time::sleep(Duration::from_secs(n)).await;
    }

    #[test]
    fn the_summary_of_an_empty_configuration() {
        let mut summary = value(&fixture(json!({})).health.json());
        let prompt = summary["agents"][0]["heartbeat"]["prompt"].take();
        assert!(prompt.as_str().is_some_and(|prompt| prompt.contains("HEARTBEAT.md")));
        let sessions = json!({
            "path": "/home/test/.clawdbot/agents/main/sessions/sessions.json", "count": 0, "recent": [],
        });
        let heartbeat = json!({
            "enabled": true, "every": "30m", "everyMs": 1_800_000, "prompt": null, "target": "last",
            "ackMaxChars": 300,
        });
        let agent =
            json!({"agentId": "main", "isDefault": true, "heartbeat": heartbeat, "sessions": sessions});
        let want = json!({
            "ok": true, "ts": 1_000, "durationMs": 0, "channels": {}, "channelOrder": [], "channelLabels": {},
            "heartbeatSeconds": 1_800, "defaultAgentId": "main", "agents": [agent], "sessions": sessions,
        });
        assert_eq!(summary, want);
    }

    #[test]
    fn the_status_of_an_empty_configuration_and_of_one_with_much_in_it() {
        let status = value(&fixture(json!({})).health.status());
        let path = "/home/test/.clawdbot/agents/main/sessions/sessions.json";
        let want = json!({
            "heartbeat": {
                "defaultAgentId": "main",
                "agents": [{"agentId": "main", "enabled": true, "every": "30m", "everyMs": 1_800_000}],
            },
            "channelSummary": [], "queuedSystemEvents": [],
            "sessions": {
                "paths": [path], "count": 0,
                "defaults": {"model": "claude-opus-4-5", "contextTokens": 200_000},
                "recent": [], "byAgent": [{"agentId": "main", "path": path, "count": 0, "recent": []}],
            },
        });
        assert_eq!(status, want);

        let f = fixture(json!({
            "session": {"store": "~/all.json"},
            "agents": {
                "defaults": {"model": {"primary": "openai/gpt-5"}, "heartbeat": {"every": "0m"}},
                "list": [{"id": "a"}, {"id": "b"}],
            },
        }));
        f.health.set_problems(vec!["store: the disk is full".to_owned()]);
        let status = value(&f.health.status_with(vec!["a note".to_owned()]));
        assert_eq!(status["sessions"]["paths"], json!(["/home/test/all.json"]));
        assert_eq!(status["sessions"]["defaults"], json!({"model": "gpt-5", "contextTokens": 400_000}));
        assert_eq!(status["heartbeat"]["agents"][0]["everyMs"], Value::Null);
        assert_eq!(status["queuedSystemEvents"], json!(["a note"]));
        assert_eq!(status["problems"], json!(["store: the disk is full"]));
        assert_eq!(value(&f.health.status())["queuedSystemEvents"], json!([]), "a note is not kept");
        assert_eq!(f.health.status().as_ptr(), f.health.status().as_ptr(), "made once");
        f.health.set_problems(Vec::new());
        assert_eq!(value(&f.health.status()).get("problems"), None);
    }

    #[tokio::test]
    async fn a_switched_off_heartbeat_counts_as_none() {
        let f = fixture(json!({}));
        f.health.heartbeats().set(false).await.expect("stored");
        assert_eq!(value(&f.health.now())["heartbeatSeconds"], 0);
    }

    #[tokio::test(start_paused = true)]
    async fn events_come_with_news_by_the_minute_and_never_in_a_burst() {
        let mut f = fixture(json!({}));
        let health = f.health.clone();
        let steps = async {
            for _ in 0..100 {
                health.ask();
                secs(0).await;
            }
            secs(3).await;
            assert_eq!(seen(&mut f.events), Vec::<Value>::new(), "asking alone is no news");
            for _ in 0..100 {
                let _ = health.now();
                tokio::task::yield_now().await;
            }
            secs(3).await;
            assert!((1..=2).contains(&seen(&mut f.events).len()), "a hundred probes are one or two events");
            health.set_problems(vec!["x".to_owned()]);
            secs(2).await;
            assert_eq!(seen(&mut f.events)[0]["problems"], json!(["x"]));
            health.set_problems(vec!["x".to_owned()]);
            f.live.replace((*live(json!({"agents": {"list": [{"id": "new"}]}})).current()).clone());
            secs(2).await;
            let events = seen(&mut f.events);
            assert_eq!((events.len(), &events[0]["defaultAgentId"]), (1, &json!("new")));
            f.clock.set(99_000);
            secs(61).await;
            let events = seen(&mut f.events);
            assert_eq!(
                (events.len(), &events[0]["ts"]),
                (1, &json!(99_000)),
                "and by the minute in any case"
            );
        };
        tokio::select! {
            () = f.task.run(std::future::pending()) => unreachable!("it runs until it is stopped"),
            () = steps => {}
        }
    }
}
