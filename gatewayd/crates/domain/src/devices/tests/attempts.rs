use std::net::IpAddr;
use std::time::Duration;

use gateway_base::secret::Secret;

use super::*;
use crate::auth::failure::Reason;
use crate::auth::limiter::{BUDGET, FIRST_WAIT, Limiter};
use crate::auth::secret::{Method, Mode, Offered};
use crate::devices::authenticate::{Attempt, Failure, authenticate};

struct Gate {
    f: Fixture,
    limiter: Limiter,
    mode: Mode,
    tailnet: Option<Result<(), Reason>>,
}

impl Gate {
    fn new(mode: Mode) -> Self {
        let f = Fixture::new();
        let limiter = Limiter::new(f.clock.clone());
        Self { f, limiter, mode, tailnet: None }
    }

    async fn attempt(
        &self,
        device: Option<u8>,
        ip: [u8; 4],
        offered: Offered<'_>,
    ) -> Result<Method, Failure> {
        let device = device.map(identity);
        let scopes = list(&["operator.read"]);
        let attempt = Attempt {
            mode: &self.mode,
            offered,
            client_ip: IpAddr::from(ip),
            device: device.as_ref(),
            tailnet: self.tailnet,
            role: "operator",
            scopes: &scopes,
        };
        authenticate(&self.f.devices, &self.limiter, &attempt).await
    }
}

fn token(text: &str) -> Offered<'_> {
    Offered { token: Some(text), password: None }
}

fn shared() -> Mode {
    Mode::Token(Some(Secret::new("shared")))
}

const HERE: [u8; 4] = [192, 0, 2, 1];

#[tokio::test]
async fn shared_secret_or_the_devices_own_token() {
    let gate = Gate::new(shared());
    let own = gate.f.pair(local(1, "operator", &["operator.read"])).await.token;
    assert_eq!(gate.attempt(None, HERE, token("shared")).await, Ok(Method::Token));
    assert_eq!(gate.attempt(Some(1), HERE, token("shared")).await, Ok(Method::Token));
    assert_eq!(gate.attempt(Some(1), HERE, token(own.expose())).await, Ok(Method::DeviceToken));
    let mismatch = Err(Failure::Refused(Reason::TokenMismatch));
    assert_eq!(
        gate.attempt(None, HERE, token(own.expose())).await,
        mismatch,
        "without its device it is nothing"
    );
    assert_eq!(gate.attempt(Some(2), HERE, token(own.expose())).await, mismatch, "nor with another");
    assert_eq!(
        gate.attempt(Some(1), HERE, Offered::default()).await,
        Err(Failure::Refused(Reason::TokenMissing))
    );
}

#[tokio::test]
async fn the_devices_token_works_in_password_mode() {
    let gate = Gate::new(Mode::Password(Some(Secret::new("p"))));
    let own = gate.f.pair(local(1, "operator", &["operator.read"])).await.token;
    assert_eq!(gate.attempt(Some(1), HERE, token(own.expose())).await, Ok(Method::DeviceToken));
    let missing = Err(Failure::Refused(Reason::PasswordMissing));
    assert_eq!(gate.attempt(Some(1), HERE, token("x")).await, missing);
}

#[tokio::test]
async fn a_thousand_wrong_clients_behind_one_address_do_not_lock_out_a_paired_one() {
    let gate = Gate::new(shared());
    let own = gate.f.pair(local(1, "operator", &["operator.read"])).await.token;
    for n in 0..1_000 {
        let _ = gate.attempt(None, HERE, token(&format!("wrong {n}"))).await;
        let _ = gate.attempt(Some(2), HERE, token("last year's")).await;
    }
    assert_eq!(gate.attempt(Some(1), HERE, token(own.expose())).await, Ok(Method::DeviceToken));
    assert_eq!(gate.attempt(Some(1), HERE, token("shared")).await, Ok(Method::Token));
    let waiting = Err(Failure::Refused(Reason::TooMany(FIRST_WAIT)));
    assert_eq!(gate.attempt(None, HERE, token("shared")).await, waiting, "guesses are refused unread");
    assert_eq!(
        gate.attempt(Some(2), HERE, token("shared")).await,
        waiting,
        "a device of one's own making too"
    );
    assert_eq!(gate.attempt(None, [192, 0, 2, 2], token("shared")).await, Ok(Method::Token));
    assert_eq!(
        gate.attempt(None, HERE, Offered::default()).await,
        Err(Failure::Refused(Reason::TokenMissing))
    );
    gate.f.advance(30_000);
    assert_eq!(gate.attempt(None, HERE, token("shared")).await, Ok(Method::Token));
}

#[tokio::test]
async fn a_paired_device_that_guesses_waits_alone() {
    let gate = Gate::new(shared());
    let own = gate.f.pair(local(1, "operator", &["operator.read"])).await.token;
    for n in 0..BUDGET {
        let _ = gate.attempt(Some(1), HERE, token(&format!("wrong {n}"))).await;
    }
    let waiting = Err(Failure::Refused(Reason::TooMany(Duration::from_secs(30))));
    assert_eq!(gate.attempt(Some(1), HERE, token(own.expose())).await, waiting);
    assert_eq!(gate.attempt(Some(1), [10, 0, 0, 1], token("shared")).await, waiting, "wherever it is");
    assert_eq!(gate.attempt(None, HERE, token("shared")).await, Ok(Method::Token));
}

#[tokio::test]
async fn an_unused_field_does_not_hide_guesses() {
    let gate = Gate::new(Mode::Password(Some(Secret::new("p"))));
    for n in 0..BUDGET {
        let guess = format!("wrong {n}");
        let offered = Offered { token: Some("always the same"), password: Some(&guess) };
        assert_eq!(gate.attempt(None, HERE, offered).await, Err(Failure::Refused(Reason::PasswordMismatch)));
    }
    let right = Offered { token: None, password: Some("p") };
    assert_eq!(gate.attempt(None, HERE, right).await, Err(Failure::Refused(Reason::TooMany(FIRST_WAIT))));
}

#[tokio::test(start_paused = true)]
async fn unreadable_records_are_not_a_wrong_token() {
    let store = MemoryStore::default();
    store.fail_with(Some(store::Error::ReadOnly));
    let f = Fixture::over(store, Clock::manual(START));
    let gate = Gate { limiter: Limiter::new(f.clock.clone()), f, mode: shared(), tailnet: None };
    let failed = Err(Failure::Devices(Error::Store(store::Error::ReadOnly)));
    assert_eq!(gate.attempt(Some(1), HERE, token("x")).await, failed);
    assert!(gate.limiter.is_empty(), "and does not count");
    assert_eq!(gate.attempt(None, HERE, token("shared")).await, Ok(Method::Token));
}

#[tokio::test]
async fn a_confirmed_name_needs_no_secret_and_an_unconfirmed_one_opens_nothing() {
    let reason = Reason::TailscaleUserMismatch;
    let mut gate = Gate::new(shared());
    gate.tailnet = Some(Ok(()));
    assert_eq!(gate.attempt(None, HERE, token("whatever")).await, Ok(Method::Tailscale));
    gate.tailnet = Some(Err(reason));
    assert_eq!(gate.attempt(None, HERE, token("shared")).await, Ok(Method::Token));
    assert_eq!(
        gate.attempt(None, HERE, token("wrong")).await,
        Err(Failure::Refused(Reason::TokenMismatch)),
        "the reason of the ordinary check counts"
    );
    let mut open = Gate::new(Mode::None);
    assert_eq!(open.attempt(None, HERE, Offered::default()).await, Ok(Method::None));
    open.tailnet = Some(Err(reason));
    assert_eq!(open.attempt(None, HERE, Offered::default()).await, Err(Failure::Refused(reason)));
    assert_eq!(open.attempt(Some(1), HERE, token("guess")).await, Err(Failure::Refused(reason)));
    let own = open.f.pair(local(1, "operator", &["operator.read"])).await.token;
    assert_eq!(open.attempt(Some(1), HERE, token(own.expose())).await, Ok(Method::DeviceToken));
}
