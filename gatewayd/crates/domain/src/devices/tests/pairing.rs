use super::*;
use crate::devices::operation::{MAX_REQUESTS, MAX_REQUESTS_PER_ADDRESS};

#[tokio::test]
async fn a_local_device_is_paired_silently_and_everybody_is_told() {
    let mut f = Fixture::new();
    let issued = f.pair(local(1, "operator", &["operator.write", "operator.admin"])).await;
    assert_eq!(issued.scopes, list(&["operator.admin", "operator.write"]));
    assert_eq!((issued.role.as_str(), issued.issued_at_ms), ("operator", START));
    let events = f.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "device.pair.resolved");
    assert_eq!(events[0].1["decision"], "approved");
    assert_eq!(events[0].1["deviceId"], "device-1");
    assert_eq!(events[0].1["ts"], START);
    assert!(events[0].1["requestId"].as_str().is_some_and(|id| id.len() == 36));
}

#[tokio::test]
async fn coming_back_costs_no_write_and_gives_the_same_token() {
    let f = Fixture::new();
    let first = f.pair(local(1, "operator", &["operator.admin"])).await;
    let writes = f.store.writes();
    assert_eq!(f.pair(local(1, "operator", &["operator.admin"])).await, first);
    assert_eq!(f.pair(remote(1, "operator", &["operator.admin"])).await, first, "also from elsewhere");
    assert_eq!(f.store.writes(), writes);
    let f = f.restart().await;
    assert_eq!(f.pair(local(1, "operator", &["operator.admin"])).await, first, "also after a restart");
}

#[tokio::test]
async fn a_remote_device_waits_for_a_person() {
    let mut f = Fixture::new();
    let id = f.request(remote(1, "node", &[])).await;
    f.advance(1);
    assert_eq!(f.request(remote(1, "operator", &["operator.admin"])).await, id, "one request per device");
    let events = f.events();
    assert_eq!(events.len(), 1, "only a new request is told");
    assert_eq!(events[0].0, "device.pair.requested");
    assert_eq!(
        events[0].1,
        serde_json::json!({
            "requestId": id, "deviceId": "device-1", "publicKey": "key-1", "displayName": "Device 1",
            "platform": "linux", "clientId": "test", "clientMode": "test", "remoteIp": "192.0.2.1",
            "role": "node", "roles": ["node"], "scopes": [], "silent": false, "isRepair": false, "ts": START,
        })
    );
    let pairs = f.devices.list().await.expect("list");
    assert_eq!((pairs.pending.len(), pairs.paired.len()), (1, 0));

    let approved = f.devices.approve(&list(&["operator.pairing"]), &id).await.expect("approved");
    assert_eq!(approved.device.roles, Some(list(&["node"])), "what was recorded first is what is approved");
    assert_eq!(f.events()[0].1["decision"], "approved");
    let issued = f.pair(remote(1, "node", &[])).await;
    assert_eq!(f.verify(1, "node", issued.token.expose(), &[]).await, Ok(()));
    assert_eq!(f.devices.approve(&admin(), &id).await.map(drop), Err(Error::UnknownRequest));
    let pairs = f.devices.list().await.expect("list");
    assert_eq!((pairs.pending.len(), pairs.paired.len()), (0, 1));
    let shown = serde_json::to_string(&pairs).expect("json");
    assert!(!shown.contains(issued.token.expose()) && !shown.contains("sha256"), "no token is ever listed");
}

#[tokio::test]
async fn a_waiting_request_blocks_silent_approval_until_it_expires() {
    let f = Fixture::new();
    let id = f.request(remote(1, "operator", &["operator.read"])).await;
    assert_eq!(f.request(local(1, "operator", &["operator.read"])).await, id);
    f.advance(record_life() + 1);
    assert!(f.devices.list().await.expect("list").pending.is_empty());
    assert_eq!(f.devices.reject(&id).await, Err(Error::UnknownRequest));
    f.pair(local(1, "operator", &["operator.read"])).await;
}

#[tokio::test]
async fn more_role_or_scope_needs_approval_again() {
    let mut f = Fixture::new();
    f.pair(local(1, "operator", &["operator.read"])).await;
    let id = f.request(remote(1, "operator", &["operator.read", "operator.admin"])).await;
    let pending = f.devices.list().await.expect("list").pending;
    assert_eq!(pending[0].is_repair, Some(true));
    f.devices.reject(&id).await.expect("rejected");
    assert_eq!(f.events().last().map(|e| e.1["decision"].clone()), Some("rejected".into()));
    f.request(remote(1, "node", &[])).await;
    f.advance(record_life() + 1);
    let both = f.pair(local(1, "node", &["operator.write"])).await;
    assert_eq!(both.role, "node");
    let paired = f.devices.list().await.expect("list").paired;
    assert_eq!(paired[0].roles, Some(list(&["operator", "node"])));
    assert_eq!(paired[0].scopes, Some(list(&["operator.read", "operator.write"])));
    assert_eq!(tokens(&paired[0]).iter().map(|t| t.role.as_str()).collect::<Vec<_>>(), ["node", "operator"]);
}

#[tokio::test]
async fn another_key_under_the_same_id_is_not_paired() {
    let f = Fixture::new();
    let issued = f.pair(local(1, "operator", &["operator.admin"])).await;
    let mut thief = remote(1, "operator", &["operator.admin"]);
    thief.identity.public_key = "other".to_owned();
    let verdict = f.devices.verify_token(&thief.identity, "operator", issued.token.expose(), &[]).await;
    assert_eq!(verdict, Ok(Err(TokenError::NotPaired)));
    assert_eq!(f.devices.is_paired(&thief.identity).await, Ok(false));
    f.request(thief).await;
}

#[tokio::test]
async fn who_approves_must_have_what_is_granted() {
    let f = Fixture::new();
    let id = f.request(remote(1, "operator", &["operator.admin"])).await;
    let pairing_only = list(&["operator.pairing"]);
    assert_eq!(f.devices.approve(&pairing_only, &id).await.map(drop), Err(Error::NotAllowed));
    f.devices.approve(&admin(), &id).await.expect("admin may");
}

#[tokio::test]
async fn nothing_is_promised_when_the_store_refuses() {
    let mut f = Fixture::new();
    f.pair(local(9, "operator", &["operator.admin"])).await;
    let id = f.request(remote(2, "node", &[])).await;
    f.events();
    f.store.fail_with(Some(store::Error::Full));
    let full = || Err(Error::Store(store::Error::Full));
    assert_eq!(f.devices.admit(local(1, "operator", &["operator.admin"])).await.map(drop), full());
    assert_eq!(f.devices.admit(remote(3, "node", &[])).await.map(drop), full());
    assert_eq!(f.devices.approve(&admin(), &id).await.map(drop), full());
    assert_eq!(f.devices.reject(&id).await.map(drop), full());
    assert_eq!(f.devices.rotate(&admin(), "device-9", "operator", None).await.map(drop), full());
    assert_eq!(f.devices.revoke("device-9", "operator").await.map(drop), full());
    assert_eq!(f.events(), [], "and nothing is announced");
    f.pair(local(9, "operator", &["operator.admin"])).await;
    f.store.fail_with(None);
    let pairs = f.devices.list().await.expect("list");
    assert_eq!((pairs.pending.len(), pairs.paired.len()), (1, 1));
    f.devices.approve(&admin(), &id).await.expect("still there");
}

#[tokio::test]
async fn requests_are_limited_per_address_and_in_all() {
    let f = Fixture::new();
    let ask = |n: usize, address: usize| {
        let mut admission = remote(0, "node", &[]);
        admission.identity = Identity { device_id: format!("d{n}"), public_key: "k".to_owned() };
        admission.meta.remote_ip = Some(format!("10.0.0.{address}"));
        admission
    };
    for n in 0..MAX_REQUESTS {
        f.request(ask(n, n / MAX_REQUESTS_PER_ADDRESS)).await;
    }
    let refused = Err(Error::TooManyRequests);
    assert_eq!(f.devices.admit(ask(MAX_REQUESTS, 250)).await, refused, "all places are taken");
    f.advance(record_life() + 1);
    for n in 0..MAX_REQUESTS_PER_ADDRESS {
        f.request(ask(1_000 + n, 7)).await;
    }
    assert_eq!(f.devices.admit(ask(2_000, 7)).await, refused, "this address has its share");
    f.request(ask(2_001, 8)).await;
    let stored = f.store.list(Bucket::DeviceRequests, "").await.expect("list");
    assert_eq!(stored.len(), MAX_REQUESTS_PER_ADDRESS + 1, "expired ones leave the store");
}

#[tokio::test]
async fn requests_that_expired_before_a_restart_leave_the_store_too() {
    let f = Fixture::new();
    f.request(remote(1, "node", &[])).await;
    f.advance(record_life() + 1);
    let f = f.restart().await;
    assert!(f.devices.list().await.expect("list").pending.is_empty());
    let fresh = f.request(remote(2, "node", &[])).await;
    let stored = f.store.list(Bucket::DeviceRequests, "").await.expect("list");
    assert_eq!(stored.iter().map(|record| record.key.as_str()).collect::<Vec<_>>(), [fresh]);
}

#[tokio::test]
async fn long_descriptions_are_refused() {
    let f = Fixture::new();
    let mut long = local(1, "operator", &[]);
    long.meta.display_name = Some("x".repeat(20_000));
    assert_eq!(f.devices.admit(long.clone()).await.map(drop), Err(Error::TooLong));
    f.pair(local(1, "operator", &[])).await;
    assert_eq!(f.devices.admit(long).await.map(drop), Err(Error::TooLong), "also when it is known");
    let mut many = local(2, "operator", &[]);
    many.scopes = (0..2_000).map(|n| format!("scope-{n}")).collect();
    assert_eq!(f.devices.admit(many).await.map(drop), Err(Error::TooLong));
}

#[tokio::test(start_paused = true)]
async fn a_new_description_is_shown_at_once_and_written_later() {
    let f = Fixture::new();
    f.pair(local(1, "operator", &[])).await;
    let writes = f.store.writes();
    let mut renamed = local(1, "operator", &[]);
    renamed.meta.display_name = None;
    f.pair(renamed).await;
    let shown = &f.devices.list().await.expect("list").paired[0];
    assert_eq!(shown.display_name, None, "an omitted name erases the stored one");
    assert_eq!(f.store.writes(), writes);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(f.store.writes(), writes + 1);
    let mut renamed = local(1, "operator", &[]);
    renamed.meta.display_name = Some("last words".to_owned());
    f.pair(renamed).await;
    let f = f.restart().await;
    let shown = &f.devices.list().await.expect("list").paired[0];
    assert_eq!(shown.display_name.as_deref(), Some("last words"), "a stop writes what is left");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_left_alone() {
    let store = MemoryStore::default();
    let damaged = bytes::Bytes::from_static(b"{\"v\":1,");
    store.put(Bucket::Devices, "device-1", damaged.clone(), Expect::Any).await.expect("put");
    let f = Fixture::over(store, Clock::manual(START));
    assert_eq!(
        f.devices.admit(local(1, "operator", &[])).await.map(drop),
        Err(Error::Unreadable("devices/device-1".to_owned()))
    );
    let record = f.store.get(Bucket::Devices, "device-1").await.expect("get").expect("record");
    assert_eq!(record.value, damaged);
    f.pair(local(2, "operator", &[])).await;
}

#[tokio::test]
async fn revoking_a_device_whose_record_cannot_be_read_sets_it_aside() {
    let store = MemoryStore::default();
    let damaged = bytes::Bytes::from_static(b"{\"v\":1,");
    for id in ["device-1", "device-2"] {
        store.put(Bucket::Devices, id, damaged.clone(), Expect::Any).await.expect("put");
    }
    let f = Fixture::over(store, Clock::manual(START));
    assert_eq!(f.devices.revoke("device-9", "operator").await.map(drop), Err(Error::UnknownDevice));
    f.devices.revoke("device-1", "operator").await.expect("revoked");
    let less = |phase: &Phase| matches!(phase, Phase::Ready(left) if left == &["devices/device-2"]);
    f.devices.phase().wait_for(less).await.expect("health tells less");
    assert!(f.store.get(Bucket::Devices, "device-1").await.expect("get").is_none());
    let kept = f.store.list(Bucket::Settings, "device-set-aside/device-1/").await.expect("list");
    assert_eq!(kept.iter().map(|record| &record.value).collect::<Vec<_>>(), [&damaged], "its bytes are kept");
    assert_eq!(f.devices.revoke("device-1", "operator").await.map(drop), Err(Error::UnknownDevice));
    f.pair(local(1, "operator", &[])).await;
    let f = f.restart().await;
    assert_eq!(f.devices.list().await.expect("list").paired.len(), 1, "it is paired anew");
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_loaded_are_tried_again() {
    let store = MemoryStore::default();
    store.fail_with(Some(store::Error::Failed("x".to_owned())));
    let f = Fixture::over(store, Clock::manual(START));
    let failed = Err(Error::Store(store::Error::Failed("x".to_owned())));
    assert_eq!(f.devices.admit(local(1, "operator", &[])).await.map(drop), failed);
    assert!(matches!(*f.devices.phase().borrow(), Phase::Failed(_)));
    f.store.fail_with(None);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    f.pair(local(1, "operator", &[])).await;
    assert!(matches!(*f.devices.phase().borrow(), Phase::Ready(_)));
}

#[tokio::test]
async fn a_stopped_owner_says_so() {
    let f = Fixture::new();
    let devices = f.devices.clone();
    f.pair(local(1, "operator", &[])).await;
    f.stop().await;
    assert_eq!(devices.list().await.map(drop), Err(Error::Stopped));
}

fn record_life() -> i64 {
    crate::devices::record::REQUEST_LIFE_MS
}
