//! Random operations against a small model: whatever the order, a token is valid exactly when the model says so, no
//! token grants more than was approved, and a restart changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use gateway_base::secret::Secret;
use proptest::prelude::*;

use super::*;

const SCOPES: [&str; 4] = ["operator.admin", "operator.pairing", "operator.read", "operator.write"];
const ROLES: [&str; 2] = ["operator", "node"];

#[derive(Clone, Debug)]
enum Step {
    Connect { device: u8, role: usize, scopes: u8, local: bool },
    Approve { pick: usize, caller: u8 },
    Reject { pick: usize },
    Rotate { device: u8, role: usize, scopes: Option<u8>, caller: u8 },
    Revoke { device: u8, role: usize },
    Wait,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let (device, role) = (0..3_u8, 0..ROLES.len());
    prop_oneof![
        6 => (device.clone(), role.clone(), 0..16_u8, any::<bool>())
            .prop_map(|(device, role, scopes, local)| Step::Connect { device, role, scopes, local }),
        3 => (0..4_usize, 0..16_u8).prop_map(|(pick, caller)| Step::Approve { pick, caller }),
        1 => (0..4_usize).prop_map(|pick| Step::Reject { pick }),
        3 => (device.clone(), role.clone(), proptest::option::of(0..16_u8), 0..16_u8)
            .prop_map(|(device, role, scopes, caller)| Step::Rotate { device, role, scopes, caller }),
        1 => (device, role).prop_map(|(device, role)| Step::Revoke { device, role }),
        1 => Just(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

fn set(mask: u8) -> Vec<String> {
    let chosen = SCOPES.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0);
    chosen.map(|(_, scope)| (*scope).to_owned()).collect()
}

#[derive(Default)]
struct Model {
    /// Device to everything it was ever approved for, by a person or by being local.
    approved: BTreeMap<u8, (BTreeSet<&'static str>, BTreeSet<String>)>,
    /// (device, role) to the valid token and its scopes.
    tokens: BTreeMap<(u8, usize), (Secret, Vec<String>)>,
    /// Tokens that must never work again.
    dead: Vec<(u8, usize, Secret)>,
    pending: Vec<(String, u8, usize, Vec<String>)>,
}

impl Model {
    fn approve(&mut self, device: u8, role: usize, scopes: &[String]) {
        let (roles, granted) = self.approved.entry(device).or_default();
        roles.insert(ROLES[role]);
        granted.extend(scopes.iter().cloned());
    }

    fn replace(&mut self, device: u8, role: usize, token: Secret, scopes: Vec<String>) {
        if let Some((old, _)) = self.tokens.insert((device, role), (token.clone(), scopes))
            && old != token
        {
            self.dead.push((device, role, old));
        }
    }

    fn kill(&mut self, device: u8, role: usize) {
        if let Some((old, _)) = self.tokens.remove(&(device, role)) {
            self.dead.push((device, role, old));
        }
    }
}

async fn apply(mut f: Fixture, model: &mut Model, step: Step) -> Fixture {
    match step {
        Step::Connect { device, role, scopes, local: is_local } => {
            let mut admission = remote(device, ROLES[role], &[]);
            admission.scopes = set(scopes);
            admission.is_local = is_local;
            let waits = model.pending.iter().any(|(_, d, ..)| *d == device);
            match f.devices.admit(admission).await.expect("admitted") {
                Admitted::Paired(issued) => {
                    if is_local && !waits {
                        model.approve(device, role, &set(scopes));
                    }
                    assert!(scopes::contains(&issued.scopes, &set(scopes)));
                    model.replace(device, role, issued.token, issued.scopes);
                }
                Admitted::PairingRequired { request_id } => {
                    assert!(!is_local || waits, "a local device is only kept waiting by an older request");
                    if !waits {
                        model.pending.push((request_id, device, role, set(scopes)));
                    }
                }
            }
        }
        Step::Approve { pick, caller } if pick < model.pending.len() => {
            let (id, device, role, scopes) = model.pending[pick].clone();
            match f.devices.approve(&set(caller), &id).await {
                Ok(_) => {
                    assert!(scopes::covers(&set(caller), &scopes));
                    model.pending.remove(pick);
                    model.approve(device, role, &scopes);
                    model.kill(device, role);
                }
                Err(error) => {
                    assert_eq!(error, Error::NotAllowed);
                    assert!(!scopes::covers(&set(caller), &scopes));
                }
            }
        }
        Step::Reject { pick } if pick < model.pending.len() => {
            let (id, ..) = model.pending.remove(pick);
            f.devices.reject(&id).await.expect("rejected");
        }
        Step::Rotate { device, role, scopes, caller } => {
            let id = format!("device-{device}");
            let asked = scopes.map(set);
            match f.devices.rotate(&set(caller), &id, ROLES[role], asked.clone()).await {
                Ok(issued) => {
                    assert!(scopes::covers(&set(caller), &issued.scopes), "never more than the caller has");
                    if let (Some(asked), Some((_, granted))) = (asked, model.approved.get_mut(&device)) {
                        *granted = asked.into_iter().collect();
                    }
                    model.replace(device, role, issued.token, issued.scopes);
                }
                Err(Error::UnknownDevice) => {
                    assert!(
                        !model.approved.get(&device).is_some_and(|(roles, _)| roles.contains(ROLES[role]))
                    );
                }
                Err(error) => assert_eq!(error, Error::NotAllowed),
            }
        }
        Step::Revoke { device, role } => {
            if f.devices.revoke(&format!("device-{device}"), ROLES[role]).await.is_ok() {
                model.kill(device, role);
            }
        }
        Step::Wait => {
            f.advance(crate::devices::record::REQUEST_LIFE_MS + 1);
            model.pending.clear();
        }
        Step::Restart => f = f.restart().await,
        Step::Approve { .. } | Step::Reject { .. } => {}
    }
    f
}

async fn check(f: &Fixture, model: &Model) {
    for ((device, role), (token, scopes)) in &model.tokens {
        let wanted: Vec<&str> = scopes.iter().map(String::as_str).collect();
        assert_eq!(f.verify(*device, ROLES[*role], token.expose(), &wanted).await, Ok(()));
    }
    for (device, role, token) in &model.dead {
        assert!(f.verify(*device, ROLES[*role], token.expose(), &[]).await.is_err(), "a dead token works");
    }
    let pairs = f.devices.list().await.expect("list");
    assert_eq!(pairs.pending.len(), model.pending.len());
    assert_eq!(pairs.paired.len(), model.approved.len());
    for (device, (roles, granted)) in &model.approved {
        let id = format!("device-{device}");
        let shown = pairs.paired.iter().find(|d| d.device_id == id).expect("paired");
        assert_eq!(shown.roles.iter().flatten().map(String::as_str).collect::<BTreeSet<_>>(), *roles);
        assert_eq!(shown.scopes.iter().flatten().cloned().collect::<BTreeSet<_>>(), *granted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_operations_follows_the_model(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("runtime");
        runtime.block_on(async {
            let mut f = Fixture::new();
            let mut model = Model::default();
            for step in steps {
                f = apply(f, &mut model, step).await;
                check(&f, &model).await;
            }
        });
    }
}
