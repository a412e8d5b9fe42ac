//! The health summary. It is made anew at start, every minute, when the configuration or a problem changes, and when
//! somebody asks or connects; but at most once a second, and a summary that says nothing new is announced only by
//! the minute, because telling everybody costs as much as there are clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gateway_base::clock::Clock;
use gateway_base::paths::Paths;
use gateway_config::Config;
use gateway_config::live::Live;
use gateway_wire::limits::HEALTH_REFRESH_MS;
use gateway_wire::types::health::{AgentHealth, AgentHeartbeat, HealthSummary, SessionsHealth};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Heartbeats, status};
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
    status: Option<(Arc<Config>, Vec<String>, Bytes)>,
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

    /// Makes a fresh summary now and announces it.
    pub fn now(&self) -> Bytes {
        self.0.refresh();
        self.0.announce();
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

    /// The result of `status`, as JSON.
    #[must_use]
    pub fn status(&self) -> Bytes {
        let config = self.0.options.live.config();
        let mut state = self.0.lock();
        if let Some((of, problems, json)) = &state.status
            && Arc::ptr_eq(of, &config)
            && *problems == state.problems
        {
            return json.clone();
        }
        let result = status::result(&config, &self.0.options.paths, state.problems.clone());
        let json: Bytes = serde_json::to_vec(&result).unwrap_or_default().into();
        state.status = Some((config, state.problems.clone(), json.clone()));
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
            if self.0.refresh() {
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
        let config = self.options.live.config();
        let problems = self.lock().problems.clone();
        let now = to_wire(self.options.clock.now());
        let gist = summary(&config, &self.options.paths, self.options.heartbeats.enabled(), problems);
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

fn summary(config: &Config, paths: &Paths, heartbeats: bool, problems: Vec<String>) -> HealthSummary {
    let default_agent_id = config.default_agent_id().to_owned();
    let agents: Vec<_> = config.agents().iter().map(|agent| agent_health(config, paths, &agent.id)).collect();
    let every_ms = config.heartbeat(&default_agent_id).every_ms.filter(|_| heartbeats).unwrap_or(0);
    HealthSummary {
        ok: true,
        ts: 0,
        duration_ms: 0,
        channels: serde_json::Map::new(),
        channel_order: Vec::new(),
        channel_labels: serde_json::Map::new(),
        heartbeat_seconds: every_ms / 1_000,
        sessions: no_sessions(paths, &default_agent_id),
        default_agent_id,
        agents,
        problems,
    }
}

fn agent_health(config: &Config, paths: &Paths, id: &str) -> AgentHealth {
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
        sessions: no_sessions(paths, id),
    }
}

/// Sessions are not kept yet, so there are none to count.
fn no_sessions(paths: &Paths, agent: &str) -> SessionsHealth {
    SessionsHealth { path: paths.session_store(agent).display().to_string(), count: 0, recent: Vec::new() }
}
