//! Forms and refusals, and agreement with an independent parser.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn value(text: &str) -> Value {
    parse(text).expect(text).to_value()
}

#[test]
fn all_forms_of_values() {
    let text = r#"// start
    { unquoted: 'it\'s', "quo\"ted": .5, ünï$_1: 5., \u0061b: +0x1F, neg: -0xA, e: 1e3, E: 1.5E-2, big: 18446744073709551615,
      list: [1, /* two */ 2,], nested: {}, t: true, f: false, n: null, esc: "\x41\u00e4\ud83e\udd9e\0\v\a\
joined", }"#;
    assert_eq!(
        value(text),
        json!({
            "unquoted": "it's", "quo\"ted": 0.5, "ünï$_1": 5, "ab": 31, "neg": -10, "e": 1000, "E": 0.015,
            "big": 18_446_744_073_709_551_615_u64, "list": [1, 2], "nested": {}, "t": true, "f": false, "n": null,
            "esc": "Aä🦞\u{0}\u{b}ajoined",
        })
    );
    assert_eq!(value("\u{feff}\u{a0}\u{2003}-0 "), json!(0));
    assert_eq!(value("{a: 1, b: 2, a: 3}"), json!({"a": 3, "b": 2}));
    assert_eq!(value("'lone \\ud800 half'"), json!("lone \u{fffd} half"));
}

#[test]
fn refusals_have_line_and_column() {
    for (text, message) in [
        ("", "invalid end of input at 1:1"),
        ("{ ", "invalid end of input at 1:3"),
        ("{\n  a: 1,\n  b x\n}", "invalid character 'x' at 3:5"),
        ("{a:1}}", "invalid character '}' at 1:6"),
        ("{a 1}", "invalid character '1' at 1:4"),
        ("{,}", "invalid character ',' at 1:2"),
        ("[1 2]", "invalid character '2' at 1:4"),
        ("[,1]", "invalid character ',' at 1:2"),
        ("{a: foo}", "invalid character 'o' at 1:6"),
        ("tru", "invalid end of input at 1:4"),
        ("'open", "invalid end of input at 1:6"),
        ("'a\nb'", "invalid character '\\n' at 2:0"),
        ("'\\1'", "invalid character '1' at 1:3"),
        ("'\\xg0'", "invalid character 'g' at 1:4"),
        ("'\\u12'", "invalid character '\\'' at 1:6"),
        ("01", "invalid character '1' at 1:2"),
        ("-", "invalid end of input at 1:2"),
        ("- 1", "invalid character ' ' at 1:2"),
        (".", "invalid end of input at 1:2"),
        ("1e", "invalid end of input at 1:3"),
        ("0x", "invalid end of input at 1:3"),
        ("1_000", "invalid character '_' at 1:2"),
        ("NaN", "NaN is not allowed here at 1:1"),
        ("{a: -Infinity}", "Infinity is not allowed here at 1:5"),
        ("1e999", "number out of range at 1:1"),
        ("/", "invalid end of input at 1:2"),
        ("/ 1", "invalid character ' ' at 1:2"),
        ("/* open", "invalid end of input at 1:8"),
        ("{\0: 1}", "invalid character '\\0' at 1:2"),
        ("{a: \u{1}}", "invalid character '\\x01' at 1:5"),
        ("{\\x: 1}", "invalid character 'x' at 1:3"),
        ("{a: 1 \"b\": 2}", "invalid character '\\\"' at 1:7"),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert_eq!(error, format!("SyntaxError: JSON5: {message}"), "{text:?}");
    }
}

#[test]
fn depth_is_limited() {
    let nest = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(parse(&nest(MAX_DEPTH)).is_ok());
    let error = parse(&nest(MAX_DEPTH + 1)).expect_err("too deep").to_string();
    assert!(error.contains("nested deeper than 100 levels at 1:101"), "{error}");
    assert!(parse(&"[".repeat(1_000_000)).is_err());
    assert!(parse(&"{a:".repeat(1_000_000)).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,4}|\\PC{1,3}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_json_is_read_as_serde_json_reads_it(value in any_json()) {
        let text = serde_json::to_string_pretty(&value).expect("serialises");
        let read = parse(&text).map(|n| n.to_value()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert!(crate::diff::same(&read, &value), "{read} {value}");
    }

    /// Without escapes, which the other parser reads differently from the specification.
    #[test]
    fn agrees_with_an_independent_parser(text in "[\\[\\]{}:,'\" \\n/*a0-9.xe+\\-tru]{0,24}") {
        let theirs = json_five::from_str::<Value>(&text);
        if let (Ok(ours), Ok(theirs)) = (parse(&text), theirs) {
            prop_assert!(crate::diff::same(&ours.to_value(), &theirs), "{text:?}: {} {theirs}", ours.to_value());
        }
    }

    #[test]
    fn spans_cut_out_the_values(value in any_json()) {
        let text = serde_json::to_string(&value).expect("serialises");
        let node = parse(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        if let Kind::Object(members) = &node.kind {
            for member in members {
                let own = parse(&text[member.value.span.clone()]).map(|n| n.to_value());
                prop_assert_eq!(own, Ok(member.value.to_value()));
            }
        }
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,40}") {
        let _ = parse(&text);
    }
}
