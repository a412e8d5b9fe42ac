use super::*;
use crate::answers::Flow;
use crate::facts::{Host, Service};
use crate::providers;
use crate::testing::{FRESH, Home};

const TERMINAL: Host = Host::Terminal(Service::Absent);

fn plan(home: &Home, answers: &Answers) -> Result<Plan, Error> {
    Plan::new(&home.facts(TERMINAL), answers)
}

/// The edits as lines, in order.
fn lines(home: &Home, plan: &Plan) -> Vec<String> {
    let line = |edit: &Edit| {
        let path = gateway_config::path::show(&edit.path);
        match &edit.change {
            Change::Set(value) => home.shown(&format!("{path} = {value}")),
            Change::Secret(secret) => format!("{path} is {}", secret.expose()),
            Change::Unset => format!("no {path}"),
        }
    };
    plan.edits.iter().map(line).collect()
}

fn edits(home: &Home, answers: &Answers) -> Vec<String> {
    lines(home, &plan(home, answers).expect("a plan"))
}

fn key(value: &str, secret: &str) -> Option<Provider> {
    let choice = providers::find(value).expect("a row");
    Some(Provider::Key(Key { choice, secret: Secret::new(secret), profile: None, expires: None }))
}

const ALL: &[&str] = &[
    "agents.defaults.workspace = \"~/clawd\"",
    "gateway.mode = \"local\"",
    "gateway.auth.mode = \"token\"",
    "gateway.auth.token is fresh-token-of-the-test",
    "gateway.port = 18789",
    "gateway.bind = \"loopback\"",
    "gateway.tailscale.mode = \"off\"",
    "gateway.tailscale.resetOnExit = false",
];

#[test]
fn nothing_answered_on_a_new_machine_is_the_safe_default() {
    assert_eq!(edits(&Home::new(None), &Answers::default()), ALL);
}

#[test]
fn what_is_there_stays() {
    let home = Home::new(Some(
        "{ agents: { defaults: { workspace: '~/clawd' } }, gateway: { mode: 'local', port: 19000, bind: 'lan', \
           auth: { mode: 'token', token: '${MINE}' }, tailscale: { mode: 'off', resetOnExit: false } } }",
    ))
    .with("MINE", "mine");
    assert_eq!(edits(&home, &Answers::default()), [""; 0]);
    let same = Answers { token: Some(Secret::new("mine")), port: Some(19000), ..Answers::default() };
    assert_eq!(edits(&home, &same), [""; 0], "a reference to what was answered is the answer");
    let other = Answers { token: Some(Secret::new("other")), bind: Some(Bind::Loopback), ..same };
    assert_eq!(edits(&home, &other), ["gateway.auth.token is other", "gateway.bind = \"loopback\""]);
}

#[test]
fn what_cannot_be_together_is_corrected() {
    let of = |bind, auth, tailscale| {
        let answers = Answers {
            bind: Some(bind),
            auth: Some(auth),
            tailscale: Some(tailscale),
            password: Some(Secret::new("p")),
            ..Answers::default()
        };
        let Gateway { bind, auth, corrections, .. } =
            plan(&Home::new(None), &answers).expect("a plan").gateway;
        (bind, auth, corrections.len())
    };
    use TailscaleMode::{Funnel, Off, Serve};
    assert_eq!(of(Bind::Lan, Auth::Token, Off), (Bind::Lan, Auth::Token, 0));
    assert_eq!(of(Bind::Lan, Auth::Off, Off), (Bind::Lan, Auth::Token, 1));
    assert_eq!(of(Bind::Lan, Auth::Off, Serve), (Bind::Loopback, Auth::Off, 1));
    assert_eq!(of(Bind::Tailnet, Auth::Token, Funnel), (Bind::Loopback, Auth::Password, 2));
    assert_eq!(of(Bind::Loopback, Auth::Off, Off), (Bind::Loopback, Auth::Off, 0));
}

#[test]
fn what_is_missing_is_named() {
    let home = Home::new(None);
    let password = Answers { auth: Some(Auth::Password), ..Answers::default() };
    assert_eq!(plan(&home, &password).expect_err("refused"), Error::NoPassword);
    let custom = Answers { bind: Some(Bind::Custom), ..Answers::default() };
    assert_eq!(plan(&home, &custom).expect_err("refused"), Error::NoCustomHost);
    let remote = Answers { mode: Some(Mode::Remote), ..Answers::default() };
    assert_eq!(plan(&home, &remote).expect_err("refused"), Error::NoRemoteUrl);
    let wrong = Answers { remote_url: Some("http://h".to_owned()), ..remote };
    assert_eq!(plan(&home, &wrong).expect_err("refused"), Error::BadRemoteUrl("http://h".to_owned()));
    let blank = Answers { workspace: Some(" ".to_owned()), ..Answers::default() };
    assert_eq!(edits(&home, &blank), ALL, "a blank workspace is the usual one, never the present folder");
}

#[test]
fn switching_authentication_off_takes_the_secrets_away() {
    let home = Home::new(Some("{ gateway: { auth: { mode: 'token', token: 't', password: 'p' } } }"));
    let off = edits(&home, &Answers { auth: Some(Auth::Off), ..Answers::default() });
    for line in ["no gateway.auth.mode", "no gateway.auth.token", "no gateway.auth.password"] {
        assert!(off.contains(&line.to_owned()), "{off:?}");
    }
    assert!(off.iter().all(|line| !line.contains(FRESH)), "{off:?}");
}

#[test]
fn the_token_of_this_shell_is_taken_before_a_new_one() {
    let home = Home::new(None).with("CLAWDBOT_GATEWAY_TOKEN", " shell ");
    assert!(edits(&home, &Answers::default()).contains(&"gateway.auth.token is shell".to_owned()));
}

#[test]
fn a_remote_gateway_is_an_address_and_perhaps_a_token() {
    let home = Home::new(Some("{ gateway: { remote: { token: 'old', sshTarget: 'me@host' } } }"));
    let mut answers = Answers {
        mode: Some(Mode::Remote),
        flow: Some(Flow::Quick),
        remote_url: Some(" wss://host ".to_owned()),
        ..Answers::default()
    };
    let both = ["gateway.mode = \"remote\"", "gateway.remote.url = \"wss://host\""];
    assert_eq!(edits(&home, &answers), both);
    answers.remote_token = Some(Secret::new("new"));
    assert_eq!(edits(&home, &answers)[2..], ["gateway.remote.token is new"]);
    answers.remote_token = Some(Secret::new(""));
    assert_eq!(edits(&home, &answers)[2..], ["no gateway.remote.token"]);
    assert!(plan(&home, &answers).expect("a plan").workspace.is_none());
}

#[test]
fn every_way_to_pay_is_written_where_it_belongs() {
    let home = Home::new(None);
    let of = |value: &str, secret: &str| {
        let plan = plan(&home, &Answers { provider: key(value, secret), ..Answers::default() });
        let plan = plan.expect("a plan");
        let [credential] = plan.credentials.as_slice() else { panic!("one credential for {value}") };
        let stored = match credential {
            Credential::Profile { id, kind, .. } => format!("{id} {kind:?}"),
            Credential::Variable { name, .. } => (*name).to_owned(),
        };
        let lines = lines(&home, &plan);
        (stored, lines.into_iter().filter(|line| !ALL.contains(&line.as_str())).collect::<Vec<_>>())
    };
    let profile = |id: &str, provider: &str, mode: &str| {
        vec![
            format!("auth.profiles.{id}.provider = \"{provider}\""),
            format!("auth.profiles.{id}.mode = \"{mode}\""),
        ]
    };
    assert_eq!(
        of("apiKey", "k"),
        ("anthropic:default Key".into(), profile("anthropic:default", "anthropic", "api_key"))
    );
    assert_eq!(
        of("token", "k"),
        ("anthropic:default Token".into(), profile("anthropic:default", "anthropic", "token"))
    );
    assert_eq!(of("openai-api-key", "k"), ("OPENAI_API_KEY".into(), Vec::new()));
    let (stored, lines) = of("zai-api-key", "k");
    assert_eq!((stored.as_str(), lines.len()), ("zai:default Key", 3));
    assert_eq!(lines[2], "agents.defaults.model.primary = \"zai/glm-4.7\"");
    let (_, lines) = of("moonshot-api-key", "k");
    assert!(lines[2].starts_with("models.providers.moonshot = {\"baseUrl\":\"https://api.moonshot.ai/v1\""));
    for choice in providers::CHOICES {
        of(choice.value, "k");
    }
}

#[test]
fn a_provider_that_is_there_keeps_its_address_and_its_models() {
    let home = Home::new(Some(
        "{ agents: { defaults: { models: { 'a/b': {} } } }, auth: { order: { minimax: ['minimax:work'] } }, \
           models: { providers: { minimax: { baseUrl: 'http://127.0.0.1:1', models: [{ id: 'x', name: 'X' }] } } } }",
    ));
    let answers =
        Answers { provider: key("minimax-api", "k"), model: Some("a/b".to_owned()), ..Answers::default() };
    let lines = edits(&home, &answers);
    let has = |text: &str| lines.iter().any(|line| line.starts_with(text));
    assert!(has("models.providers.minimax.models[1] = {\"id\":\"MiniMax-M2.1\""), "{lines:#?}");
    assert!(has("auth.order.minimax = [\"minimax:default\",\"minimax:work\"]"), "{lines:#?}");
    assert!(has("agents.defaults.models.minimax/MiniMax-M2\\.1 = {\"alias\":\"Minimax\"}"), "{lines:#?}");
    assert!(has("agents.defaults.model.primary = \"a/b\""), "what was answered wins: {lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("baseUrl")), "{lines:#?}");
}

#[test]
fn a_model_that_nothing_pays_for_is_named() {
    let says = |home: &Home, answers: Answers| plan(home, &answers).expect("a plan").missing_key;
    let new = Home::new(None);
    let said = says(&new, Answers::default()).expect("nothing is there");
    assert!(said.contains("anthropic/claude-opus-4-5"), "{said}");
    assert_eq!(says(&new, Answers { provider: key("apiKey", "k"), ..Answers::default() }), None);
    assert_eq!(says(&new, Answers { provider: key("zai-api-key", "k"), ..Answers::default() }), None);
    let other = Answers {
        provider: key("openai-api-key", "k"),
        model: Some("anthropic/x".to_owned()),
        ..Answers::default()
    };
    assert!(says(&new, other).is_some(), "the key is for another provider");
    assert_eq!(says(&Home::new(None).with("ANTHROPIC_API_KEY", "k"), Answers::default()), None);
    let own = "{ agents: { defaults: { model: { primary: 'ollama/x' } } } }";
    assert_eq!(says(&Home::new(Some(own)), Answers::default()), None, "it may need no key");
}

#[test]
fn nothing_of_a_secret_is_in_what_can_be_printed() {
    let home = Home::new(None);
    let answers = Answers {
        provider: key("apiKey", "canary-1"),
        token: Some(Secret::new("canary-2")),
        ..Answers::default()
    };
    let text = format!("{:?}{answers:?}", plan(&home, &answers).expect("a plan"));
    assert!(!text.contains("canary") && !text.contains(FRESH), "{text}");
}
