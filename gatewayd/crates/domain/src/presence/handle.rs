//! The handle to the list, and the task that tells everybody when it changed, at most once a second.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use gateway_base::clock::{Clock, UnixMs};
use gateway_wire::types::presence::PresenceEntry;
use gateway_wire::types::system::SystemEventParams;
use tokio::sync::Notify;

use super::beacon::{self, Line};
use super::entries::Entries;
use super::system_events::SystemEvents;
use crate::events::{Bus, Versions, paced};
use crate::time::to_wire;

/// How long a finished list is handed out; the gateway's own entry carries the time, so it cannot be kept for ever.
const FRESH_MS: UnixMs = 1_000;

/// What the list needs.
#[derive(Debug)]
pub struct PresenceOptions {
    /// The gateway itself.
    pub own: Own,
    /// Where the event goes.
    pub bus: Bus,
    /// The counters to raise.
    pub versions: Versions,
    /// The time.
    pub clock: Clock,
}

/// The gateway's own entry.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Host name.
    pub host: String,
    /// Primary IPv4 address.
    pub ip: Option<String>,
    /// Version, or `unknown`.
    pub version: String,
    /// `linux <release>`, `macos <version>` or `windows <release>`.
    pub platform: String,
    /// `Linux`, `Mac` or `Windows`.
    pub device_family: String,
    /// Processor architecture or Mac model.
    pub model_identifier: String,
}

/// A client that connected.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// Display name or client id.
    pub host: String,
    /// Its address, when it is remote.
    pub ip: Option<String>,
    /// `client.version`.
    pub version: String,
    /// `client.platform`.
    pub platform: String,
    /// `client.deviceFamily`.
    pub device_family: Option<String>,
    /// `client.modelIdentifier`.
    pub model_identifier: Option<String>,
    /// `client.mode`.
    pub mode: String,
    /// Its device.
    pub device_id: Option<String>,
    /// Its role.
    pub role: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Its device or installation.
    pub instance_id: Option<String>,
}

/// The list. Clones share it.
#[derive(Clone, Debug)]
pub struct Presence(Arc<Shared>);

/// Sends the `presence` event.
#[derive(Debug)]
pub struct PresenceTask {
    presence: Presence,
    bus: Bus,
}

#[derive(Debug)]
struct Shared {
    own: PresenceEntry,
    versions: Versions,
    clock: Clock,
    changed: Notify,
    notes: SystemEvents,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    entries: Entries,
    /// The finished list and when it was made.
    json: Option<(UnixMs, Bytes)>,
}

impl Presence {
    /// The handle and the task.
    #[must_use]
    pub fn new(options: PresenceOptions) -> (Self, PresenceTask) {
        let PresenceOptions { own, bus, versions, clock } = options;
        let presence = Self(Arc::new(Shared {
            own: own.entry(),
            versions,
            notes: SystemEvents::new(clock.clone()),
            clock,
            changed: Notify::new(),
            list: Mutex::default(),
        }));
        (presence.clone(), PresenceTask { presence, bus })
    }

    /// Notes a client that connected. Nobody is told; the list is part of its own `hello-ok`.
    pub fn connected(&self, key: &str, arrival: Arrival) {
        let mut list = self.lock();
        let known = list.entries.get(key);
        let text = known.and_then(|known| known.text.clone());
        let text = text.unwrap_or_else(|| format!("Node: {} · mode {}", arrival.host, arrival.mode));
        let entry = PresenceEntry {
            roles: beacon::union(known.and_then(|k| k.roles.as_ref()), Some(&vec![arrival.role])),
            scopes: beacon::union(known.and_then(|k| k.scopes.as_ref()), Some(&arrival.scopes)),
            last_input_seconds: known.and_then(|known| known.last_input_seconds),
            host: Some(arrival.host),
            ip: arrival.ip,
            version: Some(arrival.version),
            platform: Some(arrival.platform),
            device_family: arrival.device_family,
            model_identifier: arrival.model_identifier,
            mode: Some(arrival.mode),
            reason: Some("connect".to_owned()),
            tags: None,
            text: Some(text),
            ts: 0,
            device_id: arrival.device_id,
            instance_id: arrival.instance_id,
        };
        list.put(key, entry, &self.0.clock);
        self.0.versions.bump_presence();
    }

    /// Notes that the client under `key` left, and tells everybody soon.
    pub fn disconnected(&self, key: &str) {
        let mut list = self.lock();
        if let Some(known) = list.entries.get(key) {
            let entry = PresenceEntry { reason: Some("disconnect".to_owned()), ..known.clone() };
            list.put(key, entry, &self.0.clock);
        }
        self.0.versions.bump_presence();
        self.0.changed.notify_one();
    }

    /// Takes up a `system-event`: updates the list, queues what the agent should hear in `main_session`, and tells
    /// everybody soon.
    pub fn system_event(&self, params: &SystemEventParams, main_session: &str) {
        let line = Line::parse(&params.text);
        let key = beacon::key(params.device_id.as_deref())
            .or_else(|| beacon::key(params.instance_id.as_deref()))
            .unwrap_or_else(|| line.key(&params.text));
        let (known, next) = {
            let mut list = self.lock();
            let known = list.entries.get(&key).cloned().unwrap_or_default();
            let next = beacon::merge(params, &line, &known);
            list.put(&key, next.clone(), &self.0.clock);
            (known, next)
        };
        self.0.versions.bump_presence();
        self.0.changed.notify_one();
        if !params.text.starts_with("Node:") {
            self.0.notes.push(main_session, &params.text, None);
            return;
        }
        let addressed = self.0.notes.is_other_context(main_session, &key);
        if let Some(news) = beacon::news(&known, &next, addressed) {
            self.0.notes.push(main_session, &news, Some(&key));
        }
    }

    /// The list as JSON, newest first, the gateway itself at its head.
    #[must_use]
    pub fn json(&self) -> Bytes {
        let now = self.0.clock.steady();
        let mut list = self.lock();
        if let Some((made, json)) = &list.json
            && now.saturating_sub(*made) < FRESH_MS
        {
            return json.clone();
        }
        let own = PresenceEntry { ts: to_wire(self.0.clock.now()), ..self.0.own.clone() };
        let json = Bytes::from(list.entries.list_json(&own, now));
        list.json = Some((now, json.clone()));
        json
    }

    /// Notes that wait for the sessions.
    #[must_use]
    pub fn system_events(&self) -> &SystemEvents {
        &self.0.notes
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn put(&mut self, key: &str, entry: PresenceEntry, clock: &Clock) {
        let entry = PresenceEntry { ts: to_wire(clock.now()), ..entry };
        self.entries.put(key, entry, clock.steady());
        self.json = None;
    }
}

impl PresenceTask {
    /// Runs until `stop` resolves.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let work = || {
            let list = self.presence.json();
            let mut payload = Vec::with_capacity(list.len() + 14);
            payload.extend_from_slice(br#"{"presence":"#);
            payload.extend_from_slice(&list);
            payload.push(b'}');
            self.bus.publish_json("presence", payload.into(), Some(self.presence.0.versions.current()));
        };
        tokio::select! {
            () = stop => {}
            () = paced(&self.presence.0.changed, work) => {}
        }
    }
}

impl Own {
    fn entry(self) -> PresenceEntry {
        let at = self.ip.as_deref().map(|ip| format!(" ({ip})")).unwrap_or_default();
        let text = format!("Gateway: {}{at} · app {} · mode gateway · reason self", self.host, self.version);
        PresenceEntry {
            host: Some(self.host),
            ip: self.ip,
            version: Some(self.version),
            platform: Some(self.platform),
            device_family: Some(self.device_family),
            model_identifier: Some(self.model_identifier),
            mode: Some("gateway".to_owned()),
            reason: Some("self".to_owned()),
            text: Some(text),
            ..PresenceEntry::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Received, Subscription};

    struct Fixture {
        presence: Presence,
        task: PresenceTask,
        clock: Clock,
        versions: Versions,
        events: Subscription,
    }

    fn fixture() -> Fixture {
        let (bus, versions, clock) = (Bus::default(), Versions::default(), Clock::manual(1_000_000));
        let events = bus.subscribe(64);
        let own = Own {
            host: "gw".to_owned(),
            ip: Some("192.0.2.2".to_owned()),
            version: "unknown".to_owned(),
            platform: "linux 6.18".to_owned(),
            device_family: "Linux".to_owned(),
            model_identifier: "x64".to_owned(),
        };
        let options = PresenceOptions { own, bus, versions: versions.clone(), clock: clock.clone() };
        let (presence, task) = Presence::new(options);
        Fixture { presence, task, clock, versions, events }
    }

    fn arrival(host: &str) -> Arrival {
        Arrival {
            host: host.to_owned(),
            version: "1".to_owned(),
            platform: "linux".to_owned(),
            mode: "ui".to_owned(),
            role: "operator".to_owned(),
            scopes: vec!["operator.admin".to_owned()],
            ..Arrival::default()
        }
    }

    fn list(presence: &Presence) -> Vec<PresenceEntry> {
        serde_json::from_slice(&presence.json()).expect("a list")
    }

    #[test]
    fn the_gateways_own_entry_as_the_original_shows_it() {
        let f = fixture();
        let json = String::from_utf8(f.presence.json().to_vec()).expect("text");
        let want = r#"[{"host":"gw","ip":"192.0.2.2","version":"unknown","platform":"linux 6.18","deviceFamily":"Linux","modelIdentifier":"x64","mode":"gateway","reason":"self","text":"Gateway: gw (192.0.2.2) · app unknown · mode gateway · reason self","ts":1000000}]"#;
        assert_eq!(json, want);
        f.clock.set(1_001_000);
        assert_eq!(list(&f.presence)[0].ts, 1_001_000);
    }

    #[test]
    fn a_client_comes_and_goes() {
        let f = fixture();
        f.presence.connected("d", arrival("Peter"));
        let entry = &list(&f.presence)[1];
        assert_eq!(entry.text.as_deref(), Some("Node: Peter · mode ui"));
        assert_eq!(entry.reason.as_deref(), Some("connect"));
        assert_eq!((f.versions.current().presence, entry.ts), (2, 1_000_000));
        f.clock.set(1_000_500);
        f.presence.connected("d", Arrival { role: "node".to_owned(), scopes: vec![], ..arrival("Peter") });
        let entry = &list(&f.presence)[1];
        assert_eq!(entry.roles, Some(vec!["operator".to_owned(), "node".to_owned()]));
        f.presence.disconnected("d");
        let entry = &list(&f.presence)[1];
        assert_eq!(entry.reason.as_deref(), Some("disconnect"));
        assert_eq!((f.versions.current().presence, entry.ts), (4, 1_000_500));
        f.presence.disconnected("nobody");
        assert_eq!(list(&f.presence).len(), 2);
    }

    #[test]
    fn the_list_is_made_once_until_it_changes() {
        let f = fixture();
        f.presence.connected("d", arrival("Peter"));
        let first = f.presence.json();
        assert_eq!(first.as_ptr(), f.presence.json().as_ptr());
        f.presence.connected("e", arrival("Paul"));
        assert_ne!(first, f.presence.json());
    }

    #[tokio::test(start_paused = true)]
    async fn leaving_is_told_and_coming_is_not() {
        let mut f = fixture();
        let presence = f.presence.clone();
        let steps = async {
            presence.connected("d", arrival("Peter"));
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            assert!(f.events.try_recv().is_none());
            for n in 0..100 {
                presence.disconnected(&n.to_string());
            }
            presence.disconnected("d");
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        };
        tokio::select! {
            () = f.task.run(std::future::pending()) => unreachable!("it runs until it is stopped"),
            () = steps => {}
        }
        let Some(Received::Event(event)) = f.events.try_recv() else { panic!("an event") };
        assert_eq!((event.row.name, event.state), ("presence", Some(f.versions.current())));
        let payload: serde_json::Value = serde_json::from_slice(&event.payload).expect("payload");
        assert_eq!(payload["presence"][1]["reason"], "disconnect");
        assert!(f.events.try_recv().is_none(), "a hundred leavers are one event");
    }

    #[test]
    fn beacons_reach_the_list_and_only_news_reach_the_agent() {
        let f = fixture();
        let beacon = |reason: &str| SystemEventParams {
            text: format!("Node: Mac (192.0.2.7) · app 2 · last input 3s ago · mode ui · reason {reason}"),
            instance_id: Some("I-1".to_owned()),
            ..SystemEventParams::default()
        };
        f.presence.system_event(&beacon("launch"), "agent:main:main");
        f.presence.system_event(&beacon("periodic"), "agent:main:main");
        f.presence.system_event(&beacon("launch"), "agent:main:main");
        f.presence.system_event(&beacon("wake"), "agent:main:main");
        let other = SystemEventParams { text: "disk is full".to_owned(), ..SystemEventParams::default() };
        f.presence.system_event(&other, "agent:main:main");
        let waiting = f.presence.system_events().waiting("agent:main:main");
        assert_eq!(
            waiting,
            [
                "Node: Mac (192.0.2.7) · app 2 · mode ui · reason launch",
                "reason launch",
                "reason wake",
                "disk is full"
            ]
        );
        let list = list(&f.presence);
        assert_eq!(list.len(), 3);
        assert_eq!(list.iter().filter(|e| e.host.as_deref() == Some("Mac")).count(), 1);
        assert_eq!(f.versions.current().presence, 6);
    }
}
