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
fn unknown_keys_on_every_level() {
    refused(&[
        ("{bogus: 1}", "", r#"Unrecognized key: "bogus""#),
        ("{bogus: 1, other: 2}", "", r#"Unrecognized keys: "bogus", "other""#),
        ("{gateway: {prot: 1}}", "gateway", r#"Unrecognized key: "prot""#),
        ("{gateway: {auth: {user: 'x'}}}", "gateway.auth", r#"Unrecognized key: "user""#),
        ("{gateway: {controlUi: {x: 1}}}", "gateway.controlUi", r#"Unrecognized key: "x""#),
        ("{logging: {colour: true}}", "logging", r#"Unrecognized key: "colour""#),
        ("{agents: {list: [{id: 'a', foo: 1}]}}", "agents.list.0", r#"Unrecognized key: "foo""#),
        ("{agents: {list: [{id: 'a', heartbeat: {x: 1}}]}}", "agents.list.0.heartbeat", r#"Unrecognized key: "x""#),
        ("{agents: {defaults: {model: {x: 1}}}}", "agents.defaults.model", r#"Unrecognized key: "x""#),
        ("{channels: {telegram: {x: 1}}}", "channels.telegram", r#"Unrecognized key: "x""#),
        ("{channels: {telegram: {accounts: {a: {x: 1}}}}}", "channels.telegram.accounts.a", r#"Unrecognized key: "x""#),
        ("{channels: {telegram: {accounts: {a: {accounts: {}}}}}}", "channels.telegram.accounts.a", r#"Unrecognized key: "accounts""#),
        ("{channels: {slack: {dm: {x: 1}}}}", "channels.slack.dm", r#"Unrecognized key: "x""#),
        ("{channels: {msteams: {webhook: {x: 1}}}}", "channels.msteams.webhook", r#"Unrecognized key: "x""#),
        ("{models: {providers: {p: {baseUrl: 'u', models: [], x: 1}}}}", "models.providers.p", r#"Unrecognized key: "x""#),
        ("{tools: {exec: {shell: 'x'}}}", "tools.exec", r#"Unrecognized key: "shell""#),
        ("{tools: {media: {image: {language: 'en', x: 1}}}}", "tools.media.image", r#"Unrecognized key: "x""#),
        ("{env: {shellEnv: {x: 1}}}", "env.shellEnv", r#"Unrecognized key: "x""#),
        ("{session: {resetByType: {channel: {}}}}", "session.resetByType", r#"Unrecognized key: "channel""#),
        ("{messages: {queue: {byChannel: {matrix: 'queue'}}}}", "messages.queue.byChannel", r#"Unrecognized key: "matrix""#),
        ("{bindings: [{agentId: 'a', match: {channel: 'x', y: 1}}]}", "bindings.0.match", r#"Unrecognized key: "y""#),
        ("{skills: {entries: {a: {x: 1}}}}", "skills.entries.a", r#"Unrecognized key: "x""#),
        ("{$schema: 's', $comment: 'c'}", "", r#"Unrecognized key: "$comment""#),
    ]);
}

#[test]
fn wrong_kinds() {
    refused(&[
        ("{gateway: {port: '18789'}}", "gateway.port", "Invalid input: expected number, received string"),
        ("{gateway: {port: 1.5}}", "gateway.port", "Invalid input: expected int, received number"),
        ("{gateway: {port: null}}", "gateway.port", "Invalid input: expected number, received null"),
        ("{gateway: []}", "gateway", "Invalid input: expected object, received array"),
        ("{gateway: 'x'}", "gateway", "Invalid input: expected object, received string"),
        ("{gateway: null}", "gateway", "Invalid input: expected object, received null"),
        ("{gateway: {auth: {token: 5}}}", "gateway.auth.token", "Invalid input: expected string, received number"),
        ("{gateway: {controlUi: {enabled: 'yes'}}}", "gateway.controlUi.enabled", "Invalid input: expected boolean, received string"),
        ("{gateway: {trustedProxies: '::1'}}", "gateway.trustedProxies", "Invalid input: expected array, received string"),
        ("{gateway: {trustedProxies: [1]}}", "gateway.trustedProxies.0", "Invalid input: expected string, received number"),
        ("{gateway: {bind: 5}}", "gateway.bind", "Invalid input: expected string, received number"),
        ("{agents: {list: {}}}", "agents.list", "Invalid input: expected array, received object"),
        ("{agents: {list: ['a']}}", "agents.list.0", "Invalid input: expected object, received string"),
        ("{agents: {list: [{id: 'a', model: 5}]}}", "agents.list.0.model", "Invalid input: expected string or object, received number"),
        ("{agents: {defaults: {maxConcurrent: '4'}}}", "agents.defaults.maxConcurrent", "Invalid input: expected number, received string"),
        ("{agents: {defaults: {models: []}}}", "agents.defaults.models", "Invalid input: expected object, received array"),
        ("{channels: {matrix: 5}}", "channels.matrix", "Invalid input: expected object, received number"),
        ("{channels: {telegram: {allowFrom: [true]}}}", "channels.telegram.allowFrom.0", "Invalid input: expected string or number, received boolean"),
        ("{channels: {whatsapp: {allowFrom: [1]}}}", "channels.whatsapp.allowFrom.0", "Invalid input: expected string, received number"),
        ("{commands: {native: 'x'}}", "commands.native", "Invalid input: expected \"auto\""),
        ("{commands: {native: 5}}", "commands.native", "Invalid input: expected boolean or \"auto\", received number"),
        ("{env: {A: 5}}", "env.A", "Invalid input: expected string, received number"),
        ("{env: {vars: {A: 5}}}", "env.vars.A", "Invalid input: expected string, received number"),
        ("{broadcast: {x: 'a'}}", "broadcast.x", "Invalid input: expected array, received string"),
        ("{tools: {elevated: {allowFrom: {x: ['a', {}]}}}}", "tools.elevated.allowFrom.x.1", "Invalid input: expected string or number, received object"),
        ("{tools: {media: {models: [{providerOptions: {a: {b: null}}}]}}}", "tools.media.models.0.providerOptions.a.b", "Invalid input: expected string or number or boolean, received null"),
        ("{bindings: {}}", "bindings", "Invalid input: expected array, received object"),
    ]);
}

#[test]
fn wrong_words() {
    refused(&[
        ("{gateway: {bind: 'localhost'}}", "gateway.bind", r#"Invalid option: expected one of "auto"|"lan"|"loopback"|"custom"|"tailnet""#),
        ("{gateway: {bind: '10.0.0.300'}}", "gateway.bind", r#"Invalid option: expected one of "auto"|"lan"|"loopback"|"custom"|"tailnet""#),
        ("{gateway: {mode: 'lokal'}}", "gateway.mode", r#"Invalid option: expected one of "local"|"remote""#),
        ("{gateway: {mode: 5}}", "gateway.mode", r#"Invalid option: expected one of "local"|"remote""#),
        ("{gateway: {auth: {mode: 'none'}}}", "gateway.auth.mode", r#"Invalid option: expected one of "token"|"password""#),
        ("{gateway: {reload: {mode: 'on'}}}", "gateway.reload.mode", r#"Invalid option: expected one of "off"|"restart"|"hot"|"hybrid""#),
        ("{logging: {level: 'warning'}}", "logging.level", r#"Invalid option: expected one of "silent"|"fatal"|"error"|"warn"|"info"|"debug"|"trace""#),
        ("{session: {scope: 'all'}}", "session.scope", r#"Invalid option: expected one of "per-sender"|"global""#),
        ("{channels: {telegram: {dmPolicy: 'closed'}}}", "channels.telegram.dmPolicy", r#"Invalid option: expected one of "pairing"|"allowlist"|"open"|"disabled""#),
        ("{agents: {defaults: {memorySearch: {store: {driver: 'x'}}}}}", "agents.defaults.memorySearch.store.driver", r#"Invalid input: expected "sqlite""#),
        ("{agents: {defaults: {memorySearch: {sources: ['x']}}}}", "agents.defaults.memorySearch.sources.0", r#"Invalid option: expected one of "memory"|"sessions""#),
        ("{models: {mode: 'add'}}", "models.mode", r#"Invalid option: expected one of "merge"|"replace""#),
        ("{update: {channel: 'nightly'}}", "update.channel", r#"Invalid option: expected one of "stable"|"beta"|"dev""#),
        ("{ui: {seamColor: 'red'}}", "ui.seamColor", "Invalid string: must match pattern /^#?[0-9a-fA-F]{6}$/"),
    ]);
}

#[test]
fn bounds() {
    refused(&[
        ("{gateway: {port: 0}}", "gateway.port", "Too small: expected number to be >=1"),
        ("{gateway: {port: -1}}", "gateway.port", "Too small: expected number to be >=1"),
        ("{gateway: {port: 65536}}", "gateway.port", "Too big: expected number to be <=65535"),
        ("{gateway: {reload: {debounceMs: -1}}}", "gateway.reload.debounceMs", "Too small: expected number to be >=0"),
        ("{agents: {defaults: {maxConcurrent: 0}}}", "agents.defaults.maxConcurrent", "Too small: expected number to be >0"),
        ("{agents: {defaults: {compaction: {maxHistoryShare: 0.05}}}}", "agents.defaults.compaction.maxHistoryShare", "Too small: expected number to be >=0.1"),
        ("{commands: {bashForegroundMs: 30001}}", "commands.bashForegroundMs", "Too big: expected number to be <=30000"),
        ("{session: {reset: {atHour: 24}}}", "session.reset.atHour", "Too big: expected number to be <=23"),
        ("{web: {reconnect: {jitter: 1.1}}}", "web.reconnect.jitter", "Too big: expected number to be <=1"),
        ("{messages: {tts: {elevenlabs: {voiceSettings: {speed: 0.4}}}}}", "messages.tts.elevenlabs.voiceSettings.speed", "Too small: expected number to be >=0.5"),
        ("{channels: {signal: {startupTimeoutMs: 1}}}", "channels.signal.startupTimeoutMs", "Too small: expected number to be >=1000"),
        ("{browser: {profiles: {a: {cdpPort: 70000, color: '000000'}}}}", "browser.profiles.a.cdpPort", "Too big: expected number to be <=65535"),
        ("{ui: {assistant: {name: '123456789012345678901234567890123456789012345678901'}}}", "ui.assistant.name", "Too big: expected string to have <=50 characters"),
        ("{models: {providers: {p: {baseUrl: '', models: []}}}}", "models.providers.p.baseUrl", "Too small: expected string to have >=1 characters"),
        ("{agents: {defaults: {sandbox: {browser: {allowedControlPorts: [0]}}}}}", "agents.defaults.sandbox.browser.allowedControlPorts.0", "Too small: expected number to be >0"),
    ]);
}

#[test]
fn missing_keys() {
    refused(&[
        ("{agents: {list: [{}]}}", "agents.list.0.id", "Invalid input: expected string, received undefined"),
        ("{models: {providers: {p: {baseUrl: 'u'}}}}", "models.providers.p.models", "Invalid input: expected array, received undefined"),
        ("{models: {providers: {p: {baseUrl: 'u', models: [{id: 'x'}]}}}}", "models.providers.p.models.0.name", "Invalid input: expected string, received undefined"),
        ("{auth: {profiles: {p: {provider: 'x'}}}}", "auth.profiles.p.mode", r#"Invalid option: expected one of "api_key"|"oauth"|"token""#),
        ("{bindings: [{agentId: 'a'}]}", "bindings.0.match", "Invalid input: expected object, received undefined"),
        ("{bindings: [{agentId: 'a', match: {}}]}", "bindings.0.match.channel", "Invalid input: expected string, received undefined"),
        ("{hooks: {mappings: [{transform: {}}]}}", "hooks.mappings.0.transform.module", "Invalid input: expected string, received undefined"),
        ("{approvals: {exec: {targets: [{channel: 'c'}]}}}", "approvals.exec.targets.0.to", "Invalid input: expected string, received undefined"),
        ("{audio: {transcription: {}}}", "audio.transcription.command", "Invalid input: expected array, received undefined"),
        ("{plugins: {installs: {x: {}}}}", "plugins.installs.x.source", r#"Invalid option: expected one of "npm"|"archive"|"path""#),
    ]);
}

#[test]
fn rules_between_keys() {
    let duplicate = "Duplicate agentDir detected (multi-agent config).\n- /x: \"a\", \"b\"\nGive each agent its own id or \
                     agentDir: two agents in one folder would share credentials and sessions.";
    refused(&[
        ("{agents: {list: [{id: 'a', agentDir: '/x'}, {id: 'b', agentDir: '/x'}]}}", "agents.list", duplicate),
        ("{agents: {list: [{id: 'a', identity: {avatar: '/etc/x.png'}}]}}", "agents.list.0.identity.avatar", "identity.avatar must be a workspace-relative path, http(s) URL, or data URI."),
        ("{agents: {list: [{id: 'a', identity: {avatar: 'ftp://x'}}]}}", "agents.list.0.identity.avatar", "identity.avatar must be a workspace-relative path, http(s) URL, or data URI."),
        ("{agents: {list: [{id: 'a', identity: {avatar: 'a/../../x.png'}}]}}", "agents.list.0.identity.avatar", "identity.avatar must stay within the agent workspace."),
        ("{agents: {defaults: {heartbeat: {target: 'irc'}}}}", "agents.defaults.heartbeat.target", "unknown heartbeat target: irc"),
        ("{agents: {list: [{id: 'a', heartbeat: {target: ' '}}]}}", "agents.list.0.heartbeat.target", "heartbeat target must not be empty"),
        ("{agents: {defaults: {heartbeat: {every: '5 weeks'}}}}", "agents.defaults.heartbeat.every", "invalid duration (use ms, s, m, h)"),
        ("{agents: {defaults: {heartbeat: {activeHours: {start: '24:00'}}}}}", "agents.defaults.heartbeat.activeHours.start", "invalid time (use \"HH:MM\" 24h format)"),
        ("{agents: {defaults: {heartbeat: {activeHours: {end: '8:00'}}}}}", "agents.defaults.heartbeat.activeHours.end", "invalid time (use \"HH:MM\" 24h format)"),
        ("{channels: {foo: {}}}", "channels.foo", "unknown channel id: foo"),
        ("{channels: {telegram: {dmPolicy: 'open'}}}", "channels.telegram.dmPolicy", r#"channels.telegram.dmPolicy="open" requires channels.telegram.allowFrom to include "*""#),
        ("{channels: {signal: {accounts: {x: {dmPolicy: 'open', allowFrom: ['1']}}}}}", "channels.signal.accounts.x.dmPolicy", r#"channels.signal.accounts.x.dmPolicy="open" requires channels.signal.accounts.x.allowFrom to include "*""#),
        ("{channels: {discord: {dm: {policy: 'open'}}}}", "channels.discord.dm.policy", r#"channels.discord.dm.policy="open" requires channels.discord.dm.allowFrom to include "*""#),
        ("{channels: {slack: {mode: 'http'}}}", "channels.slack.signingSecret", r#"channels.slack.mode="http" requires channels.slack.signingSecret"#),
        ("{channels: {slack: {accounts: {a: {mode: 'http'}}}}}", "channels.slack.accounts.a.signingSecret", r#"channels.slack.accounts.a.mode="http" requires channels.slack.accounts.a.signingSecret"#),
        ("{channels: {telegram: {customCommands: [{command: 'Back Up'}]}}}", "channels.telegram.customCommands.0.command", "Telegram custom command \"/back up\" is invalid (use a-z, 0-9, underscore; max 32 chars)."),
        ("{channels: {telegram: {customCommands: [{command: 'help'}]}}}", "channels.telegram.customCommands.0.command", "Telegram custom command \"/help\" conflicts with a native command."),
        ("{browser: {profiles: {a: {color: '000000'}}}}", "browser.profiles.a", "Profile must set cdpPort or cdpUrl"),
        ("{browser: {profiles: {A_b: {color: '000000', cdpPort: 1}}}}", "browser.profiles.A_b", "Profile names must be lower-case letters, digits and hyphens"),
        ("{agents: {list: [{id: 'main'}]}, broadcast: {p: ['main', 'mian']}}", "broadcast.p.1", "Unknown agent id \"mian\" (not in agents.list)."),
        ("{channels: {signal: {cliPath: 'signal-cli; rm -rf x'}}}", "channels.signal.cliPath", "expected safe executable name or path"),
        ("{tools: {media: {audio: {models: [{command: '-x'}]}}}}", "tools.media.audio.models.0.command", "expected safe executable name or path"),
    ]);
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
            ("gateway.trustedProxies.1", "\"proxy.local\" is not an IP address or CIDR range, so it never matches a proxy"),
            ("session.mainKey", "session.mainKey is ignored; main session is always \"main\"."),
            ("meta.lastTouchedVersion", "Config was last written by a newer Clawdbot (2026.2.1); current version is 2026.1.24-3."),
        ]
    );
}

#[test]
fn old_keys_are_named() {
    let cases = [
        ("{gateway: {token: 't'}}", "gateway.token", "gateway.token is ignored; use gateway.auth.token instead (auto-migrated on load)."),
        ("{telegram: {}}", "telegram", "telegram config moved to channels.telegram (auto-migrated on load)."),
        ("{msteams: {}}", "msteams", "msteams config moved to channels.msteams (auto-migrated on load)."),
        ("{routing: {allowFrom: []}}", "routing.allowFrom", "routing.allowFrom was removed; use channels.whatsapp.allowFrom instead (auto-migrated on load)."),
        ("{identity: {}}", "identity", "identity was moved; use agents.list[].identity instead (auto-migrated on load)."),
        ("{tools: {bash: {}}}", "tools.bash", "tools.bash was removed; use tools.exec instead (auto-migrated on load)."),
        ("{messages: {tts: {enabled: true}}}", "messages.tts.enabled", "messages.tts.enabled was replaced by messages.tts.auto (auto-migrated on load)."),
    ];
    refused(&cases);
    for (text, path, _) in cases {
        assert_eq!(read(text).legacy_issues[0].path, path);
    }
    let both = read("{agent: {model: 'x'}, bogus: 1}");
    let paths: Vec<_> = both.legacy_issues.iter().map(|i| i.path.as_str()).collect();
    assert_eq!((paths, both.issues.len()), (vec!["agent", "agent.model"], 2));
}
