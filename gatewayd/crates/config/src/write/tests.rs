//! Commits, refusals and copies on real files.

mod trial;

use std::fs;
use std::path::PathBuf;

use gateway_base::env::Env;
use gateway_base::id::sha256_hex;
use gateway_base::paths::Paths;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::load::{load, parse_text};
use crate::path::{Segment, parse};

struct Home {
    _dir: tempfile::TempDir,
    paths: Paths,
    env: Env,
    writer: Writer,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let env = Env::from_pairs([("HOME", dir.path().to_str().expect("UTF-8 path"))]);
        let paths = Paths::resolve(&env, None).expect("home is set");
        let writer = Writer::new(paths.clone(), env.clone());
        Self { _dir: dir, paths, env, writer }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.paths.config).expect("config")
    }

    fn hash(&self) -> String {
        sha256_hex(self.text().as_bytes())
    }

    fn commit(&self, text: &str, drops: &Drops) -> Result<Committed, Error> {
        let hash = self.paths.config.exists().then(|| self.hash());
        self.writer.commit(text, hash.as_deref(), drops)
    }

    #[track_caller]
    fn refused(&self, text: &str, drops: &Drops) -> String {
        let before = fs::read_to_string(&self.paths.config).ok();
        let copies = history(&self.paths).len();
        let error = self.commit(text, drops).expect_err(text).to_string();
        assert_eq!(
            (fs::read_to_string(&self.paths.config).ok(), history(&self.paths).len()),
            (before, copies)
        );
        error
    }
}

#[test]
fn the_first_write_needs_no_hash_and_makes_a_private_file() {
    let home = Home::new();
    let done = home.writer.commit("{gateway: {port: 5}} // x\n", None, &Drops::None).expect("written");
    assert_eq!(home.text(), "{gateway: {port: 5}} // x\n");
    assert_eq!((done.copy, done.snapshot.config.gateway.port, done.snapshot.exists), (None, 5, true));
    assert_eq!(done.snapshot.hash, home.hash());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
        assert_eq!((mode(&home.paths.config), mode(&home.paths.state)), (0o600, 0o700));
    }
}

#[test]
fn the_hash_guard_speaks_the_known_texts() {
    let home = Home::new();
    home.commit("{}", &Drops::None).expect("written");
    let with = |hash: Option<&str>| {
        home.writer.commit("{}", hash, &Drops::All).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(with(None), Err("config base hash required; re-run config.get and retry".to_owned()));
    assert_eq!(with(Some(" ")), Err("config base hash required; re-run config.get and retry".to_owned()));
    assert_eq!(
        with(Some("abc")),
        Err("config changed since last load; re-run config.get and retry".to_owned())
    );
    assert_eq!(with(Some(&home.hash())), Ok(()));
    fs::write(&home.paths.config, b"\xff").expect("write");
    assert_eq!(
        with(Some("abc")),
        Err("config base hash unavailable; re-run config.get and retry".to_owned())
    );
}

#[test]
fn nothing_invalid_is_written() {
    let home = Home::new();
    home.commit("{gateway: {port: 5, auth: {token: 'x'}}, cron: {enabled: true}}", &Drops::None)
        .expect("written");
    for (text, message) in [
        ("{a", "SyntaxError: JSON5: invalid end of input at 1:3"),
        (
            "{gateway: {port: 'x'}}",
            "Config validation failed: gateway.port: Invalid input: expected number, received string",
        ),
        ("{bogus: 1}", "Config validation failed: <root>: Unrecognized key: \"bogus\""),
        ("[]", "Config validation failed: <root>: Invalid input: expected object"),
        (
            "{gateway: {auth: {token: '__REDACTED__'}}}",
            "gateway.auth.token holds the placeholder __REDACTED__ instead of a value; leave it out or give the real value",
        ),
        (
            "{cron: {enabled: '${GONE}'}}",
            "Config validation failed: <root>: Missing env var \"GONE\" referenced at config path: cron.enabled",
        ),
    ] {
        assert_eq!(home.refused(text, &Drops::All), message);
    }
}

#[test]
fn keys_are_not_lost_unasked() {
    let home = Home::new();
    home.commit("{gateway: {port: 5, auth: {token: 'x'}}, cron: {enabled: true}}", &Drops::None)
        .expect("written");
    let message = home.refused("{gateway: {port: 6}}", &Drops::None);
    assert_eq!(message, "refusing to drop gateway.auth, cron from the config; nothing was written");
    let message = home.refused("{gateway: {port: 6}}", &Drops::Paths(vec!["gateway".to_owned()]));
    assert_eq!(message, "refusing to drop cron from the config; nothing was written");
    let drops = Drops::Paths(vec!["gateway.auth".to_owned(), "cron".to_owned()]);
    home.commit("{gateway: {port: 6}}", &drops).expect("written");
    home.commit("{}", &Drops::All).expect("written");
}

#[test]
fn five_copies_are_kept() {
    let home = Home::new();
    for port in 1..=8 {
        home.commit(&format!("{{gateway: {{port: {port}}}}}"), &Drops::None).expect("written");
    }
    let copies = history(&home.paths);
    let texts: Vec<_> = copies.iter().map(|c| fs::read_to_string(&c.path).expect("copy")).collect();
    let wanted: Vec<_> = (3..=7).rev().map(|port| format!("{{gateway: {{port: {port}}}}}")).collect();
    assert_eq!(texts, wanted);
    let names: Vec<_> = copies.iter().filter_map(|c| c.path.file_name()?.to_str()).collect();
    assert_eq!(
        names,
        [
            "clawdbot.json.bak",
            "clawdbot.json.bak.1",
            "clawdbot.json.bak.2",
            "clawdbot.json.bak.3",
            "clawdbot.json.bak.4"
        ]
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for copy in copies {
            assert_eq!(fs::metadata(copy.path).expect("copy").permissions().mode() & 0o777, 0o600);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let home = Home::new();
    fs::create_dir_all(&home.paths.state).expect("folder");
    let real: PathBuf = home.paths.home.join("real.json5");
    fs::write(&real, "{}").expect("write");
    std::os::unix::fs::symlink(&real, &home.paths.config).expect("link");
    home.commit("{gateway: {port: 9}}", &Drops::None).expect("written");
    assert!(fs::symlink_metadata(&home.paths.config).expect("link").is_symlink());
    assert_eq!(fs::read_to_string(real).expect("text"), "{gateway: {port: 9}}");
}

#[test]
fn an_edit_with_a_stamp_keeps_the_rest() {
    let home = Home::new();
    home.commit("{\n  // port\n  gateway: { port: 5 },\n}\n", &Drops::None).expect("written");
    let (mut document, hash) = home.writer.open().expect("opened");
    document.set(&parse("gateway.port").expect("path"), &json!(6)).expect("edit");
    stamp(&mut document, "2026.1.24-3", 0).expect("stamp");
    home.writer.commit(&document.to_string(), hash.as_deref(), &Drops::None).expect("written");
    assert_eq!(
        home.text(),
        "{\n  // port\n  gateway: { port: 6 },\n  meta: {\n    \"lastTouchedVersion\": \"2026.1.24-3\",\n    \
         \"lastTouchedAt\": \"1970-01-01T00:00:00.000Z\"\n  },\n}\n"
    );
}

#[test]
fn concurrent_writers_never_both_win_on_one_base() {
    let home = Home::new();
    home.commit("{}", &Drops::None).expect("written");
    let base = home.hash();
    let won = std::thread::scope(|scope| {
        let writers: Vec<_> = (1..=8)
            .map(|port| {
                let (writer, base) = (&home.writer, &base);
                scope.spawn(move || {
                    writer.commit(&format!("{{gateway: {{port: {port}}}}}"), Some(base), &Drops::None).is_ok()
                })
            })
            .collect();
        writers.into_iter().map(|w| w.join().expect("no panic")).filter(|won| *won).count()
    });
    assert_eq!((won, history(&home.paths).len()), (1, 1));
}

fn any_patch() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..70_000_i64).prop_map(Value::from),
        "[a-z]{0,6}|local|token|::1|30m".prop_map(Value::from),
        Just(json!(["x"])),
        Just(json!({})),
    ];
    let key = "gateway|logging|cron|agents|port|mode|bind|auth|token|enabled|defaults|heartbeat|every|list|level|meta|ui|env|[A-Z]{1,2}";
    leaf.prop_recursive(3, 10, 3, move |inner| {
        prop::collection::vec((key, inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is accepted as a text is accepted from the file; a patch drops nothing it does not name.
    #[test]
    fn accepted_means_accepted_at_the_next_start(patch in any_patch()) {
        let home = Home::new();
        let start = "{ // start\n gateway: {mode: 'local', port: 1}, cron: {enabled: true}, ui: {assistant: {name: 'x'}},\n}";
        home.commit(start, &Drops::None).expect("written");
        let (mut document, hash) = home.writer.open().expect("opened");
        if document.merge_patch(&patch).is_ok() {
            let text = document.to_string();
            let valid = parse_text(&text, &home.paths, &home.env).valid;
            let written = home.writer.commit(&text, hash.as_deref(), &Drops::All).is_ok();
            prop_assert_eq!(written, valid, "{}", text);
            prop_assert!(load(&home.paths, &home.env).valid);
            prop_assert!(text.contains("// start"));
            for path in ["gateway.port", "cron.enabled", "ui.assistant.name"] {
                let named = path.split('.').try_fold(&patch, |v, k| v.get(k)).is_some()
                    || patch.get(path.split('.').next().unwrap_or("")).is_some_and(|v| !v.is_object())
                    || patch.pointer("/ui/assistant").is_some_and(|v| !v.is_object());
                let segments: Vec<Segment> = parse(path).expect("path");
                prop_assert!(named || crate::path::get(document.value(), &segments).is_some(), "{} in {}", path, text);
            }
        }
    }
}
