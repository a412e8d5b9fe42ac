//! What is asked, and what comes of it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::helper::{NEW, edits, run};
use crate::answers::{Answers, Flow, Mode};
use crate::facts::{Host, Service};
use crate::step::Kind;
use crate::testing::Home;
use crate::wizard::state::ORDER;
use crate::wizard::{Next, Wizard};

#[test]
fn the_short_run_asks_for_the_model_only() {
    let home = Home::new(None);
    let (asked, end) = run(&home.facts(NEW), Answers::default(), &[("Model/auth provider", json!("skip"))]);
    assert_eq!(
        asked,
        [
            "Clawdbot onboarding",
            "Security",
            "I understand this is powerful and inherently risky. Continue?",
            "Onboarding mode",
            "QuickStart",
            "Model/auth provider",
            "Ready"
        ]
    );
    let Next::Apply(plan) = &end else { panic!("{end:?}") };
    assert_eq!(plan.service, crate::answers::Wish::Install);
    assert_eq!(edits(&end).len(), 8);
}

#[test]
fn the_long_run_asks_for_everything() {
    let home = Home::new(None);
    let said = [
        ("Onboarding mode", json!("advanced")),
        ("Anthropic auth method", json!("apiKey")),
        ("Enter Anthropic API key", json!(" sk-ant-1 ")),
        ("Gateway port", json!(19000)),
        ("Gateway bind", json!("custom")),
        ("Custom IP address", json!("192.168.1.7")),
        ("Gateway auth", json!("password")),
        ("Gateway password", json!("pass")),
        ("Tailscale exposure", json!("off")),
        ("Install Gateway service (recommended)", json!(false)),
    ];
    let (asked, end) = run(&home.facts(NEW), Answers::default(), &said);
    assert_eq!(
        asked[4..],
        [
            "What do you want to set up?",
            "Workspace directory",
            "Model/auth provider",
            "Anthropic auth method",
            "Enter Anthropic API key",
            "Default model",
            "Gateway port",
            "Gateway bind",
            "Custom IP address",
            "Gateway auth",
            "Tailscale exposure",
            "Gateway password",
            "Install Gateway service (recommended)",
            "Ready"
        ]
    );
    let edits = edits(&end);
    for line in [
        "gateway.port = 19000",
        "gateway.bind = \"custom\"",
        "gateway.customBindHost = \"192.168.1.7\"",
        "gateway.auth.password is pass",
        "auth.profiles.anthropic:default.mode = \"api_key\"",
    ] {
        assert!(edits.contains(&line.to_owned()), "{line}: {edits:#?}");
    }
}

#[test]
fn what_contradicts_itself_is_said_and_put_right() {
    let home = Home::new(None);
    let said = [
        ("Onboarding mode", json!("advanced")),
        ("Model/auth provider", json!("skip")),
        ("Gateway bind", json!("lan")),
        ("Tailscale exposure", json!("funnel")),
        ("Gateway password", json!("pass")),
    ];
    let mut facts = home.facts(NEW);
    facts.tailscale = false;
    let (asked, end) = run(&facts, Answers::default(), &said);
    for title in ["Tailscale Warning", "Reset Tailscale serve/funnel on exit?", "Note", "Gateway password"] {
        assert!(asked.contains(&title.to_owned()), "{asked:#?}");
    }
    assert!(!asked.iter().any(|name| name.starts_with("Gateway token")), "{asked:#?}");
    assert!(edits(&end).contains(&"gateway.bind = \"loopback\"".to_owned()));
}

#[test]
fn an_existing_setup_can_be_kept_changed_or_thrown_away() {
    let config = "{ gateway: { mode: 'local', port: 19000, auth: { mode: 'token', token: 't' } } }";
    let home = Home::new(Some(config));
    let skip = ("Model/auth provider", json!("skip"));
    let facts = home.facts(Host::Terminal(Service::Installed));
    let (asked, end) = run(&facts, Answers::default(), std::slice::from_ref(&skip));
    assert!(asked.contains(&"Existing config detected".to_owned()), "{asked:#?}");
    assert!(asked.contains(&"Gateway service already installed".to_owned()), "{asked:#?}");
    assert!(!edits(&end).iter().any(|line| line.contains("port") || line.contains("token is")));
    let reset = [skip, ("Config handling", json!("reset")), ("Reset scope", json!("config"))];
    let (_, end) = run(&facts, Answers::default(), &reset);
    let lines = edits(&end);
    assert!(lines.contains(&"gateway.port = 18789".to_owned()), "{lines:#?}");
    let Next::Apply(plan) = end else { panic!("a plan") };
    assert!(plan.reset.is_some());
    let mut wizard = Wizard::new(home.facts(Host::Gateway), Answers::default());
    while let Next::Ask(step) = wizard.next() {
        assert!(
            step.options.iter().all(|choice| choice.value != "reset"),
            "a gateway cannot throw itself away"
        );
        let answer = match step.message.as_str() {
            "Model/auth provider" => json!("skip"),
            _ if step.kind == Kind::Confirm => json!(true),
            _ => step.initial.unwrap_or_default(),
        };
        wizard.answer(&answer).expect("taken");
    }
}

#[test]
fn a_broken_file_is_told_and_ends_it() {
    let home = Home::new(Some("{ gateway: { port: 'door' } }"));
    let (asked, end) = run(&home.facts(NEW), Answers::default(), &[]);
    assert_eq!(asked[3..], ["Invalid config", "Config issues"]);
    let Next::Failed(why) = end else { panic!("{end:?}") };
    assert_eq!(why, "Config invalid. Run `gatewayctl doctor` to repair it, then re-run onboarding.");
}

#[test]
fn who_does_not_want_the_risk_is_let_go() {
    let home = Home::new(None);
    let said = [("I understand this is powerful and inherently risky. Continue?", json!(false))];
    let (_, end) = run(&home.facts(NEW), Answers::default(), &said);
    assert!(matches!(end, Next::Cancelled("risk not accepted")), "{end:?}");
}

#[test]
fn a_remote_gateway_takes_the_long_way() {
    let home = Home::new(None);
    let answers = Answers { mode: Some(Mode::Remote), flow: Some(Flow::Quick), ..Answers::default() };
    let said = [("Gateway WebSocket URL", json!("wss://host")), ("Gateway token", json!("t"))];
    let (asked, end) = run(&home.facts(Host::Gateway), answers, &said);
    assert!(
        asked.contains(&"QuickStart".to_owned()) && asked.contains(&"Gateway token".to_owned()),
        "{asked:#?}"
    );
    assert_eq!(edits(&end).len(), 3);
}

#[test]
fn a_key_of_the_environment_is_offered_and_can_be_tried_again() {
    let home = Home::new(None).with("OPENAI_API_KEY", "sk-env");
    let mut wizard = Wizard::new(home.facts(NEW), Answers { risk: true, ..Answers::default() });
    let mut names = Vec::new();
    while let Next::Ask(step) = wizard.next() {
        names.push(step.message.clone());
        let answer = match step.message.as_str() {
            "Model/auth provider" => json!("openai"),
            "Use existing OPENAI_API_KEY (from the environment)?" => json!(true),
            "Enter OpenAI API key" => json!("sk-typed"),
            _ => step.initial.unwrap_or_default(),
        };
        wizard.answer(&answer).expect("taken");
        if wizard.fresh_key().is_some_and(|(_, key)| key.matches("sk-env")) {
            wizard.forget_key();
        }
    }
    assert!(names.contains(&"Enter OpenAI API key".to_owned()), "{names:#?}");
    let Next::Apply(plan) = wizard.next() else { panic!("a plan") };
    assert_eq!(plan.credentials.len(), 1);
}

#[test]
fn an_answer_that_cannot_be_meant_changes_nothing() {
    let home = Home::new(None);
    let answers = Answers { risk: true, flow: Some(Flow::Manual), ..Answers::default() };
    let mut wizard = Wizard::new(home.facts(NEW), answers);
    let mut refusals = Vec::new();
    while let Next::Ask(step) = wizard.next() {
        let bad = match step.message.as_str() {
            "Gateway port" => json!("18789abc"),
            _ if step.kind == Kind::Select => json!("nonsense"),
            _ => Value::Null,
        };
        if step.kind == Kind::Select || bad != Value::Null {
            let why = wizard.answer(&bad).expect_err("refused");
            let Next::Ask(again) = wizard.next() else { panic!("asked again") };
            assert_eq!(again, step);
            refusals.push(why);
        }
        let answer = if step.message.starts_with("Model") { Some(json!("skip")) } else { step.initial };
        wizard.answer(&answer.unwrap_or_default()).expect("taken");
    }
    assert!(refusals.contains(&"Invalid port".to_owned()), "{refusals:#?}");
}

#[test]
fn no_step_shows_a_secret_that_is_there() {
    let config = "{ gateway: { mode: 'local', auth: { mode: 'token', token: 'canary-1', password: 'canary-2' }, \
                  remote: { url: 'ws://h', token: 'canary-3' } } }";
    let home = Home::new(Some(config)).with("ANTHROPIC_API_KEY", "canary-4");
    for mode in [Mode::Local, Mode::Remote] {
        let answers = Answers {
            risk: true,
            flow: Some(Flow::Manual),
            mode: Some(mode),
            keep: Some(false),
            ..Answers::default()
        };
        let mut wizard = Wizard::new(home.facts(NEW), answers);
        while let Next::Ask(step) = wizard.next() {
            assert!(!format!("{step:?}").contains("canary"), "{step:?}");
            let answer =
                if step.message == "Anthropic auth method" { Some(json!("apiKey")) } else { step.initial };
            wizard.answer(&answer.unwrap_or_default()).expect("taken");
        }
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("local"),
        Just("remote"),
        Just("advanced"),
        Just("quickstart"),
        Just("skip"),
        Just("anthropic"),
        Just("apiKey"),
        Just("token"),
        Just("off"),
        Just("password"),
        Just("lan"),
        Just("custom"),
        Just("serve"),
        Just("funnel"),
        Just("reset"),
        Just("modify"),
        Just("full"),
        Just("10.0.0.1"),
        Just("ws://h"),
        Just("__manual__"),
    ];
    prop_oneof![
        4 => word.prop_map(|word| json!(word)),
        1 => any::<bool>().prop_map(|flag| json!(flag)),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => ".*".prop_map(|text| json!(text)),
        1 => Just(json!(null)),
        1 => Just(json!([{"a": 1}])),
    ]
}

proptest! {
    #[test]
    fn any_answers_end_or_are_refused(answers in prop::collection::vec(anything(), 0..80), gateway in any::<bool>(), there in any::<bool>()) {
        let home = Home::new(there.then_some("{ gateway: { port: 1, bind: '10.1.2.3' } }"));
        let mut wizard = Wizard::new(home.facts(if gateway { Host::Gateway } else { NEW }), Answers::default());
        let mut taken = 0;
        for answer in &answers {
            let Next::Ask(step) = wizard.next() else { break };
            prop_assert!(step.kind != Kind::Select || !step.options.is_empty());
            taken += usize::from(wizard.answer(answer).is_ok());
        }
        prop_assert!(taken <= ORDER.len(), "no question is taken twice");
        let _ = wizard.next();
    }
}
