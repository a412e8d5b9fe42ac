//! The steps themselves: their order, what they propose, what they refuse.

use serde_json::{Value, json};

use super::helper::{NEW, edits, run};
use crate::answers::{Answers, Bind, Flow, Mode};
use crate::facts::{Facts, Host, Service};
use crate::testing::Home;
use crate::wizard::questions::first_open;
use crate::wizard::show::show;
use crate::wizard::state::{Aside, ORDER, Question, State};
use crate::wizard::take::{settle, take};
use crate::wizard::{Next, Wizard};

/// What a run asks when the named steps are answered so, and all others as proposed.
fn questions(facts: Facts, answers: Answers, said: &[(&str, Value)]) -> Vec<Question> {
    let mut state = State { facts, answers, asked: Vec::new(), aside: Aside::default() };
    settle(&mut state);
    while let Some(question) = first_open(&state) {
        let step = show(&state, question);
        let own = said.iter().find(|(message, _)| *message == step.message).map(|(_, answer)| answer.clone());
        let answer = own.or(step.initial).unwrap_or_default();
        take(&mut state, question, &answer).unwrap_or_else(|why| panic!("{question:?}: {answer}: {why}"));
        settle(&mut state);
        state.asked.push(question);
    }
    state.asked
}

#[test]
fn every_question_is_asked_of_somebody_and_in_its_order() {
    let new = Home::new(None).with("OPENAI_API_KEY", "sk-env");
    let there = Home::new(Some("{ gateway: { auth: { token: 't' } } }"));
    let stored = there.paths.state.join("agents/main/agent/auth-profiles.json");
    std::fs::create_dir_all(stored.parent().expect("a folder")).expect("folder");
    let profile = json!({ "type": "api_key", "provider": "zai", "key": "k" });
    std::fs::write(stored, json!({ "profiles": { "zai:default": profile } }).to_string()).expect("file");
    let manual = || Answers { flow: Some(Flow::Manual), mode: Some(Mode::Local), ..Answers::default() };
    let mut without_tailscale = new.facts(NEW);
    without_tailscale.tailscale = false;
    let key = [
        ("Model/auth provider", json!("openai")),
        ("Use existing OPENAI_API_KEY (from the environment)?", json!(false)),
        ("Enter OpenAI API key", json!("sk-1")),
        ("Default model", json!("__manual__")),
        ("Model", json!("openai/gpt-5.2")),
        ("Gateway bind", json!("custom")),
        ("Custom IP address", json!("10.0.0.7")),
        ("Tailscale exposure", json!("funnel")),
        ("Gateway password", json!("p")),
    ];
    let skip = ("Model/auth provider", json!("skip"));
    let reset = [skip.clone(), ("Config handling", json!("reset"))];
    let remote = Answers { flow: Some(Flow::Quick), mode: Some(Mode::Remote), ..Answers::default() };
    let ways = [("Model/auth provider", json!("anthropic")), ("Enter Anthropic API key", json!("k"))];
    let kept = [("Model/auth provider", json!("zai")), ("Config handling", json!("modify"))];
    let runs = [
        questions(without_tailscale, manual(), &key),
        questions(new.facts(NEW), Answers::default(), &ways),
        questions(there.facts(Host::Terminal(Service::Installed)), manual(), &kept),
        questions(there.facts(Host::Terminal(Service::Unavailable)), Answers::default(), &reset),
        questions(new.facts(NEW), remote, &[("Gateway token", json!("t"))]),
        questions(new.facts(NEW), Answers { flow: Some(Flow::Manual), ..Answers::default() }, &[skip]),
        questions(Home::new(Some("{ gateway: { port: 'door' } }")).facts(NEW), Answers::default(), &[]),
    ];
    let place = |question: &Question| ORDER.iter().position(|other| other == question);
    for asked in &runs {
        assert!(asked.is_sorted_by_key(place), "{asked:?}");
    }
    for question in ORDER {
        assert!(runs.iter().any(|asked| asked.contains(question)), "{question:?} is never asked");
    }
}

#[test]
fn who_goes_back_is_asked_whose_models_again() {
    let home = Home::new(None);
    let mut wizard = Wizard::new(home.facts(NEW), Answers { risk: true, ..Answers::default() });
    let is_about_it = |name: &&str| name.starts_with("Model/auth") || name.ends_with("auth method");
    let mut answers = [json!("anthropic"), json!("__back"), json!("openai")].into_iter();
    let mut asked = Vec::new();
    while let Next::Ask(step) = wizard.next() {
        let own = if is_about_it(&step.message.as_str()) { answers.next() } else { None };
        let key = step.sensitive.then(|| json!("sk-1"));
        asked.push(step.message);
        wizard.answer(&own.or(key).or(step.initial).unwrap_or_default()).expect("taken");
    }
    let asked: Vec<&str> = asked.iter().map(String::as_str).filter(is_about_it).collect();
    assert_eq!(asked, ["Model/auth provider", "Anthropic auth method", "Model/auth provider"]);
    let Next::Apply(plan) = wizard.next() else { panic!("a plan") };
    assert_eq!(plan.credentials.len(), 1);
}

/// What is proposed for the model after this way to pay was chosen, and what keeping the present one writes.
fn proposed(config: &str, group: &str, way: &str) -> (String, Vec<String>) {
    let home = Home::new(Some(config));
    let answers = Answers { risk: true, flow: Some(Flow::Quick), keep: Some(true), ..Answers::default() };
    let mut wizard = Wizard::new(home.facts(Host::Gateway), answers);
    let mut first = String::new();
    while let Next::Ask(step) = wizard.next() {
        let answer = match step.message.as_str() {
            "Model/auth provider" => json!(group),
            "Default model" => {
                first = crate::step::line(&step.initial.clone().unwrap_or_default());
                assert!(step.options.iter().any(|choice| choice.value == first), "{step:?}");
                json!("__keep__")
            }
            message if message.ends_with("auth method") => json!(way),
            _ if step.sensitive => json!("key-1"),
            _ => step.initial.unwrap_or_default(),
        };
        wizard.answer(&answer).expect("taken");
    }
    let edits = edits(&wizard.next());
    (first, edits.into_iter().filter(|line| line.contains("model.primary")).collect())
}

#[test]
fn a_key_proposes_a_model_that_it_pays_for_and_keeping_one_writes_nothing() {
    let with = |model: &str| format!("{{ agents: {{ defaults: {{ model: {{ primary: '{model}' }} }} }} }}");
    for (config, group, way, first) in [
        ("{}".to_owned(), "anthropic", "apiKey", "__keep__"),
        ("{}".to_owned(), "openai", "openai-api-key", "openai/gpt-5.2"),
        ("{}".to_owned(), "zai", "zai-api-key", "zai/glm-4.7"),
        (with("zai/glm-4.5"), "zai", "zai-api-key", "__keep__"),
        (with("zai/glm-4.7"), "zai", "zai-api-key", "__keep__"),
        (with("minimax/MiniMax-M2.1"), "minimax", "minimax-api-lightning", "minimax/MiniMax-M2.1-lightning"),
        (with("openai/gpt-5-mini"), "anthropic", "apiKey", "anthropic/claude-opus-4-5"),
    ] {
        assert_eq!(proposed(&config, group, way), (first.to_owned(), Vec::new()), "{config} {way}");
    }
}

#[test]
fn what_is_there_is_what_is_proposed_and_told() {
    let hints = |home: &Home, serving: Option<&str>| {
        let mut facts = home.facts(NEW);
        facts.serving = serving.map(str::to_owned);
        let answers =
            Answers { risk: true, flow: Some(Flow::Manual), keep: Some(false), ..Answers::default() };
        let mut wizard = Wizard::new(facts, answers);
        while let Next::Ask(step) = wizard.next() {
            if step.message == "What do you want to set up?" {
                let hints = step.options.into_iter().map(|choice| choice.hint.unwrap_or_default());
                return (step.initial.unwrap_or_default(), hints.collect::<Vec<_>>());
            }
            wizard.answer(&Value::Null).expect("notes only");
        }
        panic!("the mode is asked")
    };
    let new = Home::new(None);
    let nobody = ["No gateway detected (ws://127.0.0.1:18789)", "No remote URL configured yet"];
    assert_eq!(hints(&new, None), (json!("local"), nobody.map(str::to_owned).to_vec()));
    let (_, found) = hints(&new, Some("ws://127.0.0.1:5"));
    assert_eq!(found[0], "Gateway reachable (ws://127.0.0.1:5)");
    let remote = Home::new(Some("{ gateway: { mode: 'remote', port: 7, remote: { url: 'wss://h' } } }"));
    let there = ["No gateway detected (ws://127.0.0.1:7)", "Configured (wss://h)"].map(str::to_owned);
    assert_eq!(hints(&remote, None), (json!("remote"), there.to_vec()));
    let answers = Answers { risk: true, flow: Some(Flow::Manual), ..Answers::default() };
    let (asked, end) = run(&remote.facts(NEW), answers, &[]);
    assert!(!asked.contains(&"Gateway token".to_owned()), "it has none, and none is proposed: {asked:?}");
    assert!(edits(&end).is_empty(), "what is there was answered: {end:?}");
}

#[test]
fn an_address_is_refused_for_what_is_wrong_with_it() {
    let home = Home::new(None);
    let answers = Answers {
        risk: true,
        flow: Some(Flow::Manual),
        mode: Some(Mode::Local),
        bind: Some(Bind::Custom),
        ..Answers::default()
    };
    let mut wizard = Wizard::new(home.facts(NEW), answers);
    while let Next::Ask(step) = wizard.next() {
        if step.message == "Custom IP address" {
            break;
        }
        let skip = step.message.starts_with("Model").then(|| json!("skip"));
        wizard.answer(&skip.or(step.initial).unwrap_or_default()).expect("taken");
    }
    for (typed, why) in [
        ("", "IP address is required for custom bind mode"),
        ("999.1.1.1", "Invalid IPv4 address (each octet must be 0-255)"),
        ("1.2.3", "Invalid IPv4 address (e.g., 192.168.1.100)"),
        ("a.b.c.d", "Invalid IPv4 address (e.g., 192.168.1.100)"),
    ] {
        assert_eq!(wizard.answer(&json!(typed)).expect_err("refused"), why, "{typed}");
    }
}
