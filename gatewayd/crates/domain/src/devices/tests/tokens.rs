use super::*;

#[tokio::test]
async fn a_token_is_checked_for_role_scope_and_revocation() {
    let f = Fixture::new();
    let token = f.pair(local(1, "operator", &["operator.read"])).await.token;
    let token = token.expose();
    assert_eq!(f.verify(1, "operator", token, &["operator.read"]).await, Ok(()));
    assert_eq!(f.verify(1, "operator", token, &[]).await, Ok(()));
    assert_eq!(f.verify(1, "operator", token, &["operator.admin"]).await, Err(TokenError::ScopeMismatch));
    assert_eq!(f.verify(1, "operator", "x", &[]).await, Err(TokenError::TokenMismatch));
    assert_eq!(f.verify(1, "node", token, &[]).await, Err(TokenError::TokenMissing));
    assert_eq!(f.verify(1, "", token, &[]).await, Err(TokenError::RoleMissing));
    assert_eq!(f.verify(2, "operator", token, &[]).await, Err(TokenError::NotPaired));
    f.advance(7);
    let revoked = f.devices.revoke("device-1", "operator").await.expect("revoked");
    assert_eq!(revoked.revoked_at_ms, START + 7);
    assert_eq!(f.verify(1, "operator", token, &[]).await, Err(TokenError::TokenRevoked));
}

#[tokio::test]
async fn a_token_that_let_somebody_in_is_looked_at_once_more() {
    let f = Fixture::new();
    let old = f.pair(local(1, "operator", &["operator.read"])).await.token;
    let lets_in = |n, role, token: &str, scopes: &[&str]| {
        f.devices.still_lets_in(&local(n, role, &[]).identity, role, token, &list(scopes))
    };
    assert!(lets_in(1, "operator", old.expose(), &["operator.read"]));
    assert!(!lets_in(1, "operator", old.expose(), &["operator.admin"]));
    assert!(!lets_in(2, "operator", old.expose(), &[]) && !lets_in(1, "node", old.expose(), &[]));
    let new = f.devices.rotate(&admin(), "device-1", "operator", None).await.expect("rotated").token;
    assert!(!lets_in(1, "operator", old.expose(), &[]) && lets_in(1, "operator", new.expose(), &[]));
    f.devices.revoke("device-1", "operator").await.expect("revoked");
    assert!(!lets_in(1, "operator", new.expose(), &[]));
    // Who is judged again is given a token anew; that does not bring the revoked one back.
    f.pair(local(1, "operator", &["operator.read"])).await;
    assert!(!lets_in(1, "operator", new.expose(), &[]));
}

#[tokio::test]
async fn using_a_token_is_noted() {
    let f = Fixture::new();
    let issued = f.pair(local(1, "operator", &["operator.read"])).await;
    f.advance(5);
    assert_eq!(f.verify(1, "operator", issued.token.expose(), &[]).await, Ok(()));
    let paired = f.devices.list().await.expect("list").paired;
    assert_eq!(tokens(&paired[0])[0].last_used_at_ms, Some(1_000_000_005));
}

#[tokio::test]
async fn rotation_replaces_the_token_and_ends_its_sessions() {
    let f = Fixture::new();
    let mut invalidated = f.devices.invalidated();
    let old = f.pair(local(1, "operator", &["operator.admin"])).await;
    f.advance(3);
    let new = f.devices.rotate(&admin(), " device-1 ", "operator", None).await.expect("rotated");
    assert_eq!(new.scopes, old.scopes);
    assert_eq!(new.issued_at_ms, START + 3);
    assert_ne!(new.token, old.token);
    assert_eq!(
        invalidated.try_recv().expect("told"),
        Invalidated { device_id: "device-1".to_owned(), role: "operator".to_owned() }
    );
    assert_eq!(f.verify(1, "operator", old.token.expose(), &[]).await, Err(TokenError::TokenMismatch));
    assert_eq!(f.verify(1, "operator", new.token.expose(), &["operator.admin"]).await, Ok(()));
    assert_eq!(f.pair(local(1, "operator", &["operator.admin"])).await.token, new.token);
    let f = f.restart().await;
    assert_eq!(f.verify(1, "operator", old.token.expose(), &[]).await, Err(TokenError::TokenMismatch));
    assert_eq!(f.verify(1, "operator", new.token.expose(), &[]).await, Ok(()));
}

#[tokio::test]
async fn rotation_never_grants_more_than_the_caller_has_or_was_approved() {
    let f = Fixture::new();
    f.pair(local(1, "operator", &["operator.admin"])).await;
    f.pair(local(2, "operator", &["operator.read", "operator.pairing"])).await;
    let pairing = list(&["operator.pairing"]);
    let both = list(&["operator.pairing", "operator.read"]);
    type Case<'a> = (&'a [String], u8, Option<&'a [&'a str]>, bool);
    let cases: [Case<'_>; 8] = [
        (&pairing, 1, None, false),
        (&pairing, 1, Some(&["operator.admin"]), false),
        (&pairing, 2, None, false),
        (&pairing, 2, Some(&["operator.pairing"]), true),
        (&admin(), 1, Some(&["operator.read"]), true),
        (&admin(), 2, Some(&["operator.admin"]), false),
        (&both, 2, Some(&["operator.read"]), false),
        (&both, 2, Some(&["operator.pairing"]), true),
    ];
    for (caller, n, scopes, allowed) in cases {
        let scopes = scopes.map(list);
        let rotated = f.devices.rotate(caller, &format!("device-{n}"), "operator", scopes.clone()).await;
        match rotated {
            Ok(issued) => {
                assert!(allowed && scopes.is_none_or(|s| s == issued.scopes), "{caller:?} {issued:?}")
            }
            Err(error) => {
                assert!(!allowed && error == Error::NotAllowed, "{caller:?} {n} {scopes:?} {error}")
            }
        }
    }
    let paired = f.devices.list().await.expect("list").paired;
    let scopes = |id: &str| paired.iter().find(|d| d.device_id == id).and_then(|d| d.scopes.clone());
    assert_eq!(scopes("device-1"), Some(list(&["operator.read"])), "given scopes replace the device's own");
    assert_eq!(scopes("device-2"), Some(pairing));
}

#[tokio::test]
async fn what_is_unknown_is_unknown() {
    let f = Fixture::new();
    f.pair(local(1, "operator", &[])).await;
    for (device, role) in [("device-2", "operator"), ("device-1", "node"), ("device-1", ""), ("", "operator")]
    {
        let unknown = Err(Error::UnknownDevice);
        assert_eq!(
            f.devices.rotate(&admin(), device, role, None).await.map(drop),
            unknown,
            "{device} {role}"
        );
        assert_eq!(f.devices.revoke(device, role).await.map(drop), Err(Error::UnknownDevice));
    }
    assert_eq!(Error::UnknownDevice.to_string(), "unknown deviceId/role");
    assert_eq!(Error::UnknownRequest.to_string(), "unknown requestId");
}

#[tokio::test]
async fn after_a_revocation_the_next_connect_mints_a_fresh_token() {
    let f = Fixture::new();
    let mut invalidated = f.devices.invalidated();
    let old = f.pair(local(1, "operator", &["operator.read"])).await;
    f.devices.revoke("device-1", "operator").await.expect("revoked");
    assert!(invalidated.try_recv().is_ok());
    f.advance(1);
    let new = f.pair(remote(1, "operator", &["operator.read"])).await;
    assert_ne!(new.token, old.token);
    assert_eq!(new.issued_at_ms, START + 1);
    f.devices.revoke("device-1", "operator").await.expect("revoked");
    let rotated = f.devices.rotate(&admin(), "device-1", "operator", None).await.expect("rotated");
    assert_eq!(
        f.verify(1, "operator", rotated.token.expose(), &[]).await,
        Ok(()),
        "rotation ends a revocation"
    );
}

#[tokio::test]
async fn a_token_that_covers_too_little_is_replaced() {
    let f = Fixture::new();
    let all = f.pair(local(1, "operator", &["operator.read", "operator.write"])).await;
    assert_eq!(
        f.pair(local(1, "operator", &["operator.read"])).await,
        all,
        "a narrower wish changes nothing"
    );
    let narrow = list(&["operator.read"]);
    let few = f.devices.rotate(&admin(), "device-1", "operator", Some(narrow)).await.expect("rotated");
    assert_eq!(few.scopes, list(&["operator.read"]));
    f.request(remote(1, "operator", &["operator.write"])).await;
}

#[tokio::test]
async fn ensuring_never_widens() {
    let f = Fixture::new();
    let paired = f.pair(local(1, "operator", &["operator.read"])).await;
    let ensure = |n: u8, role: &'static str, scopes: &'static [&'static str]| {
        let devices = f.devices.clone();
        async move { devices.ensure_token(&identity(n), role, &list(scopes)).await.expect("records") }
    };
    assert_eq!(ensure(1, "operator", &["operator.read"]).await, Some(paired));
    assert_eq!(ensure(1, "operator", &["operator.admin"]).await, None);
    assert_eq!(ensure(1, "node", &[]).await, None);
    assert_eq!(ensure(2, "operator", &[]).await, None);
}

#[tokio::test]
async fn an_imported_device_keeps_its_token() {
    let store = MemoryStore::default();
    let record = r#"{"v":1,"deviceId":"device-1","publicKey":"key-1","role":"operator","roles":["operator"],
        "scopes":["operator.admin"],"tokens":{"operator":{"token":"b7b00350f9d44970bd6df66124681806",
        "role":"operator","scopes":["operator.admin"],"createdAtMs":5}},"createdAtMs":5,"approvedAtMs":5}"#;
    store.put(Bucket::Devices, "device-1", record.into(), Expect::Any).await.expect("put");
    let f = Fixture::over(store, Clock::manual(START));
    let old = "b7b00350f9d44970bd6df66124681806";
    assert_eq!(f.verify(1, "operator", old, &["operator.admin"]).await, Ok(()));
    let issued = f.pair(remote(1, "operator", &["operator.admin"])).await;
    assert_eq!((issued.token.expose(), issued.issued_at_ms), (old, 5));
    let new = f.devices.rotate(&admin(), "device-1", "operator", None).await.expect("rotated");
    let stored = f.store.get(Bucket::Devices, "device-1").await.expect("get").expect("record").value;
    let stored = String::from_utf8_lossy(&stored).into_owned();
    assert!(!stored.contains(old) && !stored.contains(new.token.expose()), "only a hash is at rest");
}

#[tokio::test]
async fn a_lost_key_means_new_tokens_not_broken_ones() {
    let f = Fixture::new();
    let old = f.pair(local(1, "operator", &[])).await;
    let (store, clock) = f.stop().await;
    store.delete(Bucket::Settings, "device-token-key", Expect::Any).await.expect("deleted");
    let f = Fixture::over(store, clock);
    assert_eq!(f.verify(1, "operator", old.token.expose(), &[]).await, Ok(()), "the hash still knows it");
    let new = f.pair(local(1, "operator", &[])).await;
    assert_ne!(new.token, old.token);
    assert_eq!(f.verify(1, "operator", new.token.expose(), &[]).await, Ok(()));
}

#[tokio::test]
async fn two_gateways_on_one_store_do_not_overwrite_each_other() {
    let one = Fixture::new();
    one.pair(local(1, "operator", &["operator.read"])).await;
    let two = Fixture::over(one.store.clone(), one.clock.clone());
    let from_two = two.pair(local(1, "node", &[])).await;
    let from_one = one.pair(local(1, "operator", &["operator.read", "operator.write"])).await;
    let paired = one.devices.list().await.expect("list").paired;
    assert_eq!(paired[0].roles, Some(list(&["operator", "node"])), "what the other wrote is kept");
    assert_eq!(one.verify(1, "node", from_two.token.expose(), &[]).await, Ok(()));
    let two = two.restart().await;
    assert_eq!(two.verify(1, "operator", from_one.token.expose(), &["operator.write"]).await, Ok(()));
}
