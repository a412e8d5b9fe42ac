//! Reading real files: the corpus, includes, variables, damage, and the last good copy.

use std::path::{Path, PathBuf};

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::last_good;

fn corpus(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("corpus").map(|e| e.expect("entry").path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).expect("text"))).collect()
}

fn env() -> Env {
    Env::from_pairs([("HOME", "/h"), ("GATEWAY_SECRET", "s3cret"), ("TELEGRAM_SECRET", "1:x")])
}

fn paths_for(config: &Path) -> Paths {
    let mut paths = Paths::resolve(&env(), None).expect("home is set");
    paths.config = config.to_path_buf();
    paths
}

struct Home {
    dir: tempfile::TempDir,
    paths: Paths,
    env: Env,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let env = Env::from_pairs([("HOME", dir.path().to_str().expect("UTF-8 path")), ("SECRET", "s3cret")]);
        let paths = Paths::resolve(&env, None).expect("home is set");
        std::fs::create_dir_all(&paths.state).expect("state folder");
        Self { dir, paths, env }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.paths.state.join(name), content).expect("write");
        self
    }

    fn load(&self) -> Snapshot {
        load(&self.paths, &self.env)
    }

    /// The message of the only issue, which must be about the whole file.
    #[track_caller]
    fn problem(&self) -> String {
        let snapshot = self.load();
        assert!(!snapshot.valid);
        assert_eq!(snapshot.issues.len(), 1, "{:?}", snapshot.issues);
        assert_eq!(snapshot.issues[0].path, "");
        snapshot.issues[0].message.replace(self.dir.path().to_str().expect("UTF-8 path"), "~")
    }
}

#[test]
fn the_corpus_is_valid() {
    for (path, text) in corpus("valid") {
        let snapshot = load(&paths_for(&path), &env());
        assert!(snapshot.valid && snapshot.exists, "{}: {:#?}", path.display(), snapshot.issues);
        assert_eq!(snapshot.raw.as_deref(), Some(text.as_str()));
        assert_eq!(snapshot.hash, gateway_base::id::sha256_hex(text.as_bytes()));
        assert!(snapshot.warnings.is_empty(), "{}: {:?}", path.display(), snapshot.warnings);
    }
}

#[test]
fn values_of_the_corpus() {
    let read = |name: &str| {
        let (path, _) = corpus("valid").into_iter().find(|(p, _)| p.ends_with(name)).expect(name);
        load(&paths_for(&path), &env())
    };
    let s = read("02-comments.json5");
    assert_eq!(s.value["gateway"]["auth"]["token"], "s3cret");
    assert_eq!(s.parsed["gateway"]["auth"]["token"], "${GATEWAY_SECRET}");
    let shown = format!("{s:?} {:?} {:?}", s.config, crate::live::Current::of(&s, None));
    assert!(shown.contains("02-comments.json5") && !shown.contains("s3cret"), "{shown}");
    assert_eq!((s.config.gateway.port, s.config.gateway.control_ui.base_path.as_str()), (18789, "/ui"));
    assert_eq!(
        s.value["logging"],
        json!({"level": "debug", "file": "/h/logs/gateway.log", "redactSensitive": "tools"})
    );
    assert_eq!(s.files.len(), 1);
    let s = read("05-rest.json5");
    assert_eq!(s.value["models"]["providers"]["own"]["apiKey"], "v");
    assert_eq!(s.value["models"]["providers"]["own"]["headers"]["X-A"], "${NOT_A_VAR} ${lower} $5");
    assert_eq!(s.value["models"]["providers"]["own"]["models"][0]["maxTokens"], 4096);
    assert_eq!(s.value["tools"]["exec"]["pathPrepend"], json!(["/h/bin"]));
    assert_eq!(s.value["agents"]["defaults"]["contextPruning"], json!({"mode": "cache-ttl", "ttl": "1h"}));
    assert_eq!(s.value["agents"]["defaults"]["heartbeat"]["every"], "30m");
    let s = read("06-includes.json5");
    assert_eq!(
        s.value["gateway"],
        json!({"mode": "local", "port": 19999, "trustedProxies": ["10.0.0.1", "10.0.0.2"]})
    );
    assert_eq!(
        (&s.value["logging"]["level"], &s.value["channels"]["telegram"]["botToken"]),
        (&json!("trace"), &json!("1:x"))
    );
    assert_eq!(s.parsed["channels"]["telegram"], json!({"$include": "../parts/telegram.json5"}));
    assert_eq!(s.merged["channels"]["telegram"]["botToken"], "${TELEGRAM_SECRET}");
    assert_eq!(s.files.len(), 5);
}

#[test]
fn a_missing_file_is_empty_and_valid() {
    let home = Home::new();
    let s = home.load();
    assert!(s.valid && !s.exists && s.raw.is_none() && s.issues.is_empty());
    assert_eq!(s.hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(s.parsed, json!({}));
    assert_eq!(
        s.value,
        json!({"messages": {"ackReactionScope": "group-mentions"},
               "agents": {"defaults": {"maxConcurrent": 4, "subagents": {"maxConcurrent": 8}, "compaction": {"mode": "safeguard"}}}})
    );
}

#[test]
fn damaged_files_are_explained() {
    let home = Home::new();
    for (content, message) in [
        (
            &b"{\n  a: 1,\n  b x\n}"[..],
            "JSON5 parse failed: SyntaxError: JSON5: invalid character 'x' at 3:5",
        ),
        (b"", "JSON5 parse failed: SyntaxError: JSON5: invalid end of input at 1:1"),
        (b"\0\0\0", "JSON5 parse failed: SyntaxError: JSON5: invalid character '\\0' at 1:1"),
        (b"[{ \"gateway\": {} }]", "Invalid input: expected object"),
        (b"null", "Invalid input: expected object"),
        (b"{\n \"a\": \"\xff\"}", "read failed: it is not UTF-8 text (bad byte at 2:8)"),
    ] {
        home.file("clawdbot.json", content);
        assert_eq!(home.problem(), message);
        assert!(home.load().exists);
    }
    home.file("clawdbot.json", format!("{{}}{}", " ".repeat(5 * 1024 * 1024)));
    assert_eq!(home.problem(), "read failed: it is larger than 5 MiB");
    assert_eq!(home.load().hash, "");
    std::fs::remove_file(&home.paths.config).expect("remove");
    std::fs::create_dir(&home.paths.config).expect("folder in its place");
    assert_eq!(home.problem(), "read failed: it is a folder, not a file");
}

#[test]
fn include_problems() {
    let home = Home::new();
    home.file("a.json", "{$include: './b.json'}")
        .file("b.json", "{$include: 'a.json'}")
        .file("bad.json", "{a:");
    home.file("list.json", "[1]").file("self.json", "{$include: 'self.json'}").file("bytes.json", b"\xff");
    for (content, message) in [
        (
            "{$include: 'gone.json'}",
            "Failed to read include file: gone.json (resolved: ~/.clawdbot/gone.json)",
        ),
        (
            "{$include: '../x/../gone.json'}",
            "Failed to read include file: ../x/../gone.json (resolved: ~/gone.json)",
        ),
        (
            "{$include: 'bad.json'}",
            "Failed to parse include file: bad.json (resolved: ~/.clawdbot/bad.json): SyntaxError: JSON5: invalid end of input at 1:4",
        ),
        (
            "{$include: 'a.json'}",
            "Circular include detected: ~/.clawdbot/clawdbot.json -> ~/.clawdbot/a.json -> ~/.clawdbot/b.json -> ~/.clawdbot/a.json",
        ),
        (
            "{$include: 'clawdbot.json'}",
            "Circular include detected: ~/.clawdbot/clawdbot.json -> ~/.clawdbot/clawdbot.json",
        ),
        ("{$include: 5}", "Invalid $include value: expected string or array of strings, got number"),
        ("{$include: null}", "Invalid $include value: expected string or array of strings, got object"),
        ("{$include: ['list.json', true]}", "Invalid $include array item: expected string, got boolean"),
        (
            "{gateway: {$include: 'list.json', port: 1}}",
            "Sibling keys require included content to be an object",
        ),
        (
            "{$include: 'bytes.json'}",
            "Failed to read include file: bytes.json (resolved: ~/.clawdbot/bytes.json): it is not UTF-8 text (bad byte at 1:1)",
        ),
    ] {
        home.file("clawdbot.json", content);
        assert_eq!(home.problem(), message, "{content}");
    }
    assert_eq!(home.load().files.len(), 2);
}

#[test]
fn include_depth_and_amount_are_limited() {
    let home = Home::new();
    for i in 0..11 {
        home.file(&format!("{i}.json"), format!("{{$include: '{}.json'}}", i + 1));
    }
    home.file("11.json", "{}").file("9.json", "{}").file("clawdbot.json", "{$include: '0.json'}");
    assert!(home.load().valid);
    home.file("9.json", "{$include: '10.json'}").file("10.json", "{}");
    assert_eq!(home.problem(), "Maximum include depth (10) exceeded at: 10.json");
    let many = vec!["'b.json'"; 100].join(",");
    home.file("b.json", format!("{{$include: [{}]}}", vec!["'c.json'"; 100].join(","))).file("c.json", "{}");
    home.file("clawdbot.json", format!("{{$include: [{many}]}}"));
    assert_eq!(home.problem(), "More than 256 include files; stopped at: c.json");
}

#[test]
fn missing_variables_are_all_named() {
    let home = Home::new();
    home.file("clawdbot.json", "{models: {providers: {x: {baseUrl: 'u', apiKey: '${KEY_A}', models: []}}}, tools: {allow: ['${SECRET}', 'x${KEY_B}y']}}");
    let issues: Vec<_> = home.load().issues.into_iter().map(|i| i.message).collect();
    assert_eq!(
        issues,
        [
            "Missing env var \"KEY_A\" referenced at config path: models.providers.x.apiKey",
            "Missing env var \"KEY_B\" referenced at config path: tools.allow[1]"
        ]
    );
}

#[test]
fn variables_are_replaced_once() {
    let env = Env::from_pairs([("A", "${B}"), ("_X1", "x"), ("E", "")]);
    for (text, expanded) in [
        ("${A}", Ok("${B}")),
        ("a${_X1}b${_X1}", Ok("axbx")),
        ("$${A}", Ok("${A}")),
        ("$$${A}", Ok("$${A}")),
        ("$A ${a} ${} ${1} $ {A} ${A", Ok("$A ${a} ${} ${1} $ {A} ${A")),
        ("${E}", Err("E")),
        ("ä${GONE}", Err("GONE")),
    ] {
        assert_eq!(expand(text, &env), expanded.map(str::to_owned).map_err(str::to_owned), "{text}");
    }
}

#[test]
fn the_last_good_copy_is_used_and_the_bad_file_left_alone() {
    let home = Home::new();
    home.file("clawdbot.json", "{gateway: {mode: 'local'}} // mine");
    let Start::Ok(snapshot) = load_or_last_good(&home.paths, &home.env) else { panic!("valid") };
    last_good::save(&home.paths, &snapshot).expect("saved");
    home.file("clawdbot.json", "{gateway: {mode: 'lo");
    let Start::Degraded { bad, good } = load_or_last_good(&home.paths, &home.env) else {
        panic!("has a copy")
    };
    assert!(!bad.valid && good.valid && good.config.gateway.mode.is_some());
    assert_eq!(good.raw.as_deref(), Some("{gateway: {mode: 'local'}} // mine"));
    assert_eq!(std::fs::read_to_string(&home.paths.config).expect("text"), "{gateway: {mode: 'lo");
    last_good::save(&home.paths, &bad).expect("nothing to do");
    std::fs::write(home.paths.last_good_config(), "{nonsense: 1}").expect("write");
    assert!(matches!(load_or_last_good(&home.paths, &home.env), Start::Broken(_)));
}

#[test]
fn the_last_good_copy_does_not_need_the_included_files() {
    let home = Home::new();
    home.file("g.json", "{mode: 'local', auth: {token: '${SECRET}'}}")
        .file("clawdbot.json", "{gateway: {$include: 'g.json'}}");
    last_good::save(&home.paths, &home.load()).expect("saved");
    let copy = std::fs::read_to_string(home.paths.last_good_config()).expect("copy");
    assert!(copy.contains("${SECRET}") && !copy.contains("s3cret"));
    std::fs::remove_file(home.paths.state.join("g.json")).expect("remove");
    let Start::Degraded { good, .. } = load_or_last_good(&home.paths, &home.env) else {
        panic!("has a copy")
    };
    assert!(good.config.gateway.auth.token.as_ref().is_some_and(|t| t.matches("s3cret")));
}

/// Texts made to be slow are answered in the ordinary way; what grows with the square of their size would show here
/// as minutes.
#[test]
fn hostile_texts_are_answered() {
    let home = Home::new();
    let names: String = (0..20_000).map(|i| format!("k{i}: 1,")).collect();
    for (text, message) in [
        (format!("{{{names}}}"), "Unrecognized keys: \"k0\", \"k1\""),
        (format!("{{tools: {{allow: ['{}']}}}}", "${A".repeat(200_000)), ""),
        (format!("{{{}}}", "a: 1,".repeat(20_000)), "Unrecognized key: \"a\""),
    ] {
        let issues = home.file("clawdbot.json", &text).load().issues;
        assert!(issues.first().map_or("", |issue| &issue.message).starts_with(message));
        let mut document = crate::edit::Document::parse(&text).expect("text");
        document.merge_patch(&json!({"a": null, "b": 1})).expect("edit");
        assert_eq!(document.value().get("a"), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any damage to a good file is either found or harmless, and never a panic.
    #[test]
    fn random_damage(file in 0..10_usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4)) {
        let (path, text) = corpus("valid").swap_remove(file);
        let mut bytes = text.into_bytes();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, byte),
            }
        }
        if let Ok(text) = String::from_utf8(bytes) {
            let snapshot = parse_text(&text, &paths_for(&path), &env());
            prop_assert_eq!(snapshot.valid, snapshot.issues.is_empty());
        }
    }
}
