//! Every edit means what it says and leaves the rest alone, byte for byte.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::path::{Segment, parse};

fn path(text: &str) -> Vec<Segment> {
    parse(text).expect("path")
}

#[track_caller]
fn set(text: &str, at: &str, value: Value, wanted: &str) {
    let mut document = Document::parse(text).expect("text");
    document.set(&path(at), &value).expect("edit");
    assert_eq!(document.to_string(), wanted);
}

#[track_caller]
fn unset(text: &str, at: &str, wanted: &str) {
    let mut document = Document::parse(text).expect("text");
    assert!(document.unset(&path(at)).expect("edit"));
    assert_eq!(document.to_string(), wanted);
}

#[test]
fn changing_a_value_changes_its_bytes_only() {
    let text = "// top\n{\n  $schema: 'x', // s\n  gateway: { port : 0x10 /* p */, 'bind': \"lan\" },\n  list: [1, 2, 3,],\n}\n";
    set(text, "gateway.port", json!(5), &text.replace("0x10", "5"));
    set(text, "gateway.bind", json!("auto"), &text.replace("\"lan\"", "\"auto\""));
    set(text, "list[1]", json!({"a": 1}), &text.replace("2,", "{\n    \"a\": 1\n  },"));
    set(text, "gateway.port", json!(16), text);
    let same = "{a: '${TOKEN}'}";
    set(same, "a", json!("${TOKEN}"), same);
    set("{a: 1, a: 2}", "a", json!(3), "{a: 1, a: 3}");
}

#[test]
fn new_keys_look_like_their_neighbours() {
    set("{\n  a: 1\n}\n", "b", json!(2), "{\n  a: 1,\n  b: 2\n}\n");
    set("{\n\t\"a\": 1,\n}\n", "b", json!([1]), "{\n\t\"a\": 1,\n\t\"b\": [\n\t\t1\n\t],\n}\n");
    set("{a: 1}", "b-c", json!(2), "{a: 1, \"b-c\": 2}");
    set("{ a: 1, }", "b", json!(2), "{ a: 1, b: 2, }");
    set("{a:1, // one\n}", "b", json!(2), "{a:1, // one\n  b: 2,\n}");
    set("{\n  a: 1 // one\n  // end\n}", "b", json!(2), "{\n  a: 1, // one\n  // end\n  b: 2\n}");
    set(
        "{\r\n    \"a\": {}\r\n}\r\n",
        "a.b",
        json!(1),
        "{\r\n    \"a\": {\r\n        \"b\": 1\r\n    }\r\n}\r\n",
    );
    set(
        "{}",
        "gateway.auth.token",
        json!("t"),
        "{\n  \"gateway\": {\n    \"auth\": {\n      \"token\": \"t\"\n    }\n  }\n}",
    );
    set("", "a", json!(1), "{\n  \"a\": 1\n}\n");
    set("{\n  // nothing yet\n}\n", "a", json!(1), "{\n  // nothing yet\n  \"a\": 1\n}\n");
    set("{l: []}", "l[0]", json!(1), "{l: [\n  1\n]}");
    set("{l: [1, 2]}", "l[2]", json!(3), "{l: [1, 2, 3]}");
    set("\u{feff}{a: 1}", "a", json!(2), "\u{feff}{a: 2}");
}

#[test]
fn removing_takes_the_line_and_keeps_comments() {
    unset("{\n  a: 1,\n  b: 2\n}", "a", "{\n  b: 2\n}");
    unset("{\n  a: 1,\n  b: 2\n}", "b", "{\n  a: 1\n}");
    unset("{\n  a: 1,\n  b: 2,\n}", "b", "{\n  a: 1,\n}");
    unset("{\n  a: 1, // one\n  b: 2, // two\n}", "b", "{\n  a: 1, // one\n  // two\n}");
    unset("{\n  // about a\n  a: 1,\n}", "a", "{\n  // about a\n}");
    unset("{a: 1, b: 2, c: 3}", "b", "{a: 1, c: 3}");
    unset("{a: 1, b: 2}", "b", "{a: 1}");
    unset("{ a: 1 /* x */, b: 2 }", "a", "{ /* x */ b: 2 }");
    unset("{a: {x: 1, y: 2}}", "a.x", "{a: {y: 2}}");
    unset("{l: [1, 2, 3]}", "l[1]", "{l: [1, 3]}");
    unset("{l: [\n  {id: 'a'}, // first\n  {id: 'b'},\n]}", "l[0]", "{l: [\n  // first\n  {id: 'b'},\n]}");
    unset("{a: 1, b: 2, a: 3}", "a", "{b: 2}");
}

#[test]
fn a_patch_merges_and_removes() {
    let text =
        "{\n  // gate\n  gateway: { port: 1, mode: 'local' },\n  cron: { enabled: true }, // off later\n}\n";
    let mut document = Document::parse(text).expect("text");
    document
        .merge_patch(
            &json!({"gateway": {"port": 2, "mode": null}, "cron": null, "ui": {"seamColor": "ffffff"}}),
        )
        .expect("patch");
    assert_eq!(
        document.to_string(),
        "{\n  // gate\n  gateway: { port: 2 },\n  // off later\n  ui: {\n    \"seamColor\": \"ffffff\"\n  },\n}\n"
    );
    assert_eq!(document.merge_patch(&json!([])), Err(Error::NotAnObject));
}

#[test]
fn references_survive_a_resolved_value() {
    let env = gateway_base::env::Env::from_pairs([("T", "secret")]);
    let mut document = Document::parse("{a: {token: '${T}'}, l: ['x${T}'], p: 1}").expect("text");
    document
        .replace_root_resolved(&json!({"a": {"token": "secret"}, "l": ["xsecret"], "p": 2}), &env)
        .expect("edit");
    assert_eq!(document.to_string(), "{a: {token: '${T}'}, l: ['x${T}'], p: 2}");
    document
        .replace_root_resolved(&json!({"a": {"token": "other"}, "l": ["xsecret"], "p": 2}), &env)
        .expect("edit");
    assert_eq!(document.to_string(), "{a: {token: \"other\"}, l: ['x${T}'], p: 2}");
}

#[test]
fn impossible_edits_are_refused() {
    let mut document = Document::parse("{a: 1, l: [1]}").expect("text");
    for (at, message) in [
        ("a.b", "Cannot set a.b: a plain value is in the way"),
        ("l.x", "Cannot set l.x: a list is in the way; use a position in brackets"),
        ("l[5]", "Cannot set l[5]: the list is shorter than that"),
    ] {
        let error = document.set(&path(at), &json!(1)).map_err(|e| e.to_string());
        assert_eq!(error, Err(message.to_owned()));
    }
    assert_eq!(document.set(&[], &json!(1)), Err(Error::EmptyPath));
    assert_eq!(document.unset(&path("gone.deep")), Ok(false));
    assert_eq!(document.unset(&path("l[7]")), Ok(false));
    assert_eq!(document.to_string(), "{a: 1, l: [1]}");
    assert!(matches!(Document::parse("{a:"), Err(Error::Syntax(_))));
    assert_eq!(Document::parse("[]").expect("text").set(&path("a"), &json!(1)), Err(Error::NotAnObject));
}

#[test]
fn included_values_are_edited_in_their_own_file() {
    let dir = tempfile::tempdir().expect("temporary folder");
    std::fs::write(dir.path().join("g.json"), "{port: 1, auth: {token: 'x'}, trustedProxies: ['::1']}")
        .expect("write");
    let text = "{gateway: {$include: 'g.json', mode: 'local', auth: {mode: 'token'}}}";
    let mut document = Document::parse(text).expect("text").at(&dir.path().join("clawdbot.json"));
    for at in [
        "gateway.port",
        "gateway.auth.token",
        "gateway.trustedProxies",
        "gateway.trustedProxies[0]",
        "gateway.auth",
    ] {
        let error = document.set(&path(at), &json!(1)).map_err(|e| e.to_string());
        assert_eq!(error, Err(format!("{at} is set in the included file g.json; edit it there")));
    }
    assert!(document.unset(&path("gateway.port")).is_err());
    assert!(document.merge_patch(&json!({"gateway": {"port": 5}})).is_err());
    document.set(&path("gateway.mode"), &json!("remote")).expect("own key");
    document.set(&path("gateway.bind"), &json!("lan")).expect("key in neither");
    document.set(&path("gateway.auth.password"), &json!("p")).expect("key in neither");
    let blind = Document::parse(text).expect("text").set(&path("gateway.bind"), &json!("lan"));
    assert!(matches!(blind, Err(Error::Included { .. })));
}

/// Comments of a text, in order; no string of the samples has a comment mark in it.
fn comments(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("//").into_iter().chain(rest.find("/*")).min() {
        let end = if rest[at..].starts_with("//") {
            rest[at..].find('\n')
        } else {
            rest[at..].find("*/").map(|i| i + 2)
        };
        let end = at + end.unwrap_or(rest.len() - at);
        out.push(rest[at..end].trim_end().to_owned());
        rest = &rest[end..];
    }
    out
}

const SAMPLES: [&str; 6] = [
    "// a\n{\n  one: 1, // b\n  /* c */ 'two': { x: [1, 2, /* d */ 3], y: null, }, // e\n  three: [\n    { id: 'p' }, // f\n    { id: 'q' },\n  ],\n  // g\n}\n// h\n",
    "{\"one\":1,\"two\":{\"x\":[],\"y\":{}},\"three\":[[1],[2,[3]]]}",
    "{\r\n\tone : +.5 ,\r\n\ttwo : { /* in */ } ,\r\n\tthree : [ /* empty */ ]\r\n}",
    "{one: 'a', /* k */ two: {x: 1 /* v */ , y: 2}, three: [1,\n2,\n3]}",
    "{\n\n  one: {\n    deep: { deeper: [ { x: 1 } ] },\n  },\n\n\n  two: \"${A} $${B}\" , three: 'line \\\ncontinued' }",
    "{}",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i16>().prop_map(Value::from),
        "[a-z\"' ]{0,5}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("one|two|three|x|y|id|new key", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_can_be_reached_and_no_comment_at_the_top_is_lost(
        sample in 0..SAMPLES.len(), values in prop::collection::vec(prop::collection::vec(("one|two|three|four", any_value()), 0..4), 1..4)
    ) {
        let mut document = Document::parse(SAMPLES[sample]).expect("sample");
        for pairs in values {
            let wanted = Value::Object(pairs.into_iter().collect());
            document.replace_root(&wanted).map_err(|e| TestCaseError::fail(format!("{e}: {document}")))?;
            prop_assert!(crate::diff::same(document.value(), &wanted));
        }
        let (before, after) = (comments(SAMPLES[sample]), comments(&document.to_string()));
        for comment in ["// a", "// b", "// e", "// g", "// h", "/* c */", "/* k */"] {
            prop_assert_eq!(before.iter().any(|c| c == comment), after.iter().any(|c| c == comment), "{} in {}", comment, document);
        }
    }

    /// Setting an existing key touches nothing outside the bytes of its value.
    #[test]
    fn everything_outside_an_edited_value_stays(sample in 0..SAMPLES.len(), key in "one|two|three", value in any_value()) {
        let text = SAMPLES[sample];
        let tree = crate::json5::parse(text).expect("sample");
        let crate::json5::Kind::Object(members) = &tree.kind else { return Ok(()) };
        let Some(member) = members.iter().find(|m| m.key == key) else { return Ok(()) };
        let mut document = Document::parse(text).expect("sample");
        document.set(&[Segment::Key(key)], &value).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let edited = document.to_string();
        let span = &member.value.span;
        prop_assert!(edited.starts_with(&text[..span.start]) && edited.ends_with(&text[span.end..]), "{}", edited);
    }

    /// A new key is one insertion, plus at most one comma in front of it.
    #[test]
    fn adding_a_key_only_inserts(sample in 0..SAMPLES.len(), value in any_value()) {
        let text = SAMPLES[sample];
        let mut document = Document::parse(text).expect("sample");
        document.set(&[Segment::Key("added".to_owned())], &value).map_err(|e| TestCaseError::fail(e.to_string()))?;
        document.unset(&[Segment::Key("added".to_owned())]).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(squeeze(&document.to_string()), squeeze(text));
    }
}
