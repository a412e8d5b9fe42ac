//! Refusals with their exact path and message. Each text is checked the way the daemon checks it.

use gateway_base::env::Env;
use gateway_base::paths::Paths;

use crate::load::{Snapshot, parse_text};

fn read(text: &str) -> Snapshot {
    let env = Env::from_pairs([("HOME", "/h")]);
    parse_text(text, &Paths::resolve(&env, None).expect("home is set"), &env)
}

/// `text` must give exactly one issue, with this path and message.
#[track_caller]
fn refused(cases: &[(&str, &str, &str)]) {
    for (text, path, message) in cases {
        let snapshot = read(text);
        let found: Vec<_> = snapshot.issues.iter().map(|i| (i.path.as_str(), i.message.as_str())).collect();
        assert_eq!(found, [(*path, *message)], "{text}");
        assert!(!snapshot.valid && snapshot.config.gateway.mode.is_none(), "{text}");
    }
}

#[test]
fn the_corpus_of_refusals() {
    let corpus = include_str!("../../corpus/refusals.txt");
    let lines: Vec<&str> = corpus.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let cases: Vec<_> =
        lines.chunks(3).map(|c| (c[0], if c[1] == "<root>" { "" } else { c[1] }, c[2])).collect();
    assert!(cases.len() > 100 && lines.len().is_multiple_of(3));
    refused(&cases);
}

#[test]
fn two_agents_in_one_folder() {
    refused(&[(
        "{agents: {list: [{id: 'a', agentDir: '/x'}, {id: 'b', agentDir: '/x'}]}}",
        "agents.list",
        "Duplicate agentDir detected (multi-agent config).\n- /x: \"a\", \"b\"\nGive each agent its own id or agentDir: \
         two agents in one folder would share credentials and sessions.",
    )]);
}

#[test]
fn several_findings_come_together() {
    let issues = read("{gateway: {port: 'x', mode: 'y', z: 1}, logging: {level: 1}}").issues;
    let paths: Vec<_> = issues.iter().map(|i| i.path.as_str()).collect();
    assert_eq!(paths, ["gateway.port", "gateway.mode", "gateway", "logging.level"]);
    let many = format!("{{agents: {{list: [{}]}}}}", "{},".repeat(1000));
    assert_eq!(read(&many).issues.len(), 200);
}

#[test]
fn guesses() {
    for (text, hint) in [
        ("{gateway: {prot: 1}}", Some("did you mean \"port\"?")),
        ("{gatway: {}}", Some("did you mean \"gateway\"?")),
        ("{gateway: {trustedProxy: []}}", Some("did you mean \"trustedProxies\"?")),
        ("{trustedProxies: []}", Some("did you mean \"gateway.trustedProxies\"?")),
        ("{gateway: {mode: 'lokal'}}", Some("did you mean \"local\"?")),
        ("{gateway: {bind: 'loopbak'}}", Some("did you mean \"loopback\"?")),
        ("{gateway: {bind: 'eth0'}}", Some("an IP address works too")),
        ("{channels: {telegramm: {}}}", Some("did you mean \"telegram\"?")),
        ("{zzzzzz: 1}", None),
    ] {
        let issues = read(text).issues;
        assert_eq!(issues[0].hint.as_deref(), hint, "{text}");
    }
    let shown = read("{gateway: {prot: 1}}").issues[0].to_string();
    assert_eq!(shown, "gateway: Unrecognized key: \"prot\" (did you mean \"port\"?)");
}

#[test]
fn doubts_do_not_make_it_invalid() {
    let snapshot = read(
        "{gateway: {trustedProxies: ['10.0.0.0/8', 'proxy.local']}, session: {mainKey: 'home'}, \
         plugins: {entries: {nope: {}}, allow: ['telegram']}, meta: {lastTouchedVersion: '2026.2.1'}}",
    );
    assert!(snapshot.valid, "{:?}", snapshot.issues);
    let found: Vec<_> = snapshot.warnings.iter().map(|i| (i.path.as_str(), i.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("plugins.entries.nope", "plugin not found: nope"),
            (
                "gateway.trustedProxies.1",
                "\"proxy.local\" is not an IP address or CIDR range, so it never matches a proxy"
            ),
            ("session.mainKey", "session.mainKey is ignored; main session is always \"main\"."),
            (
                "meta.lastTouchedVersion",
                "Config was last written by a newer Clawdbot (2026.2.1); current version is 2026.1.24-3."
            ),
        ]
    );
}

#[test]
fn old_keys_are_named() {
    let cases = [
        (
            "{gateway: {token: 't'}}",
            "gateway.token",
            "gateway.token is ignored; use gateway.auth.token instead (auto-migrated on load).",
        ),
        ("{telegram: {}}", "telegram", "telegram config moved to channels.telegram (auto-migrated on load)."),
        ("{msteams: {}}", "msteams", "msteams config moved to channels.msteams (auto-migrated on load)."),
        (
            "{routing: {allowFrom: []}}",
            "routing.allowFrom",
            "routing.allowFrom was removed; use channels.whatsapp.allowFrom instead (auto-migrated on load).",
        ),
        (
            "{identity: {}}",
            "identity",
            "identity was moved; use agents.list[].identity instead (auto-migrated on load).",
        ),
        (
            "{tools: {bash: {}}}",
            "tools.bash",
            "tools.bash was removed; use tools.exec instead (auto-migrated on load).",
        ),
        (
            "{messages: {tts: {enabled: true}}}",
            "messages.tts.enabled",
            "messages.tts.enabled was replaced by messages.tts.auto (auto-migrated on load).",
        ),
    ];
    refused(&cases);
    for (text, path, _) in cases {
        assert_eq!(read(text).legacy_issues[0].path, path);
    }
    let both = read("{agent: {model: 'x'}, bogus: 1}");
    let paths: Vec<_> = both.legacy_issues.iter().map(|i| i.path.as_str()).collect();
    assert_eq!((paths, both.issues.len()), (vec!["agent", "agent.model"], 2));
}

#[test]
fn unknown_keys_are_named_by_their_whole_path() {
    let value = serde_json::json!({
        "gateway": {"prot": 1, "port": 2}, "bogus": {}, "agents": {"list": [{"id": "a"}, {"id": "b", "x.y": 1}]},
    });
    let mut paths = super::unknown_keys(&value);
    paths.sort();
    assert_eq!(paths, [vec!["agents", "list", "1", "x.y"], vec!["bogus"], vec!["gateway", "prot"]]);
    assert!(super::unknown_keys(&serde_json::json!({"env": {"ANY": "x"}})).is_empty());
}
