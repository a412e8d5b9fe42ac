use std::borrow::Cow;

use serde_json::{Value, json};

use super::*;
use crate::error::ErrorShape;

fn problems(frame: &str) -> (Option<String>, String) {
    match parse(frame.as_bytes()) {
        Err(ParseError::Invalid { id, problems }) => (id, problems),
        other => panic!("{frame}: {other:?}"),
    }
}

fn not_json(frame: &[u8]) -> bool {
    matches!(parse(frame), Err(ParseError::NotJson))
}

fn nested(depth: usize) -> String {
    format!(r#"{{"type":"req","id":"1","method":"m","params":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn a_good_frame_is_borrowed() {
    let frame = r#" {"type":"req","id":"r1","method":"health","params":{"probe":true, "x":[1, 2]}} "#;
    let request = parse(frame.as_bytes()).unwrap();
    assert!(matches!(request.id, Cow::Borrowed("r1")));
    assert!(matches!(request.method, Cow::Borrowed("health")));
    assert_eq!(request.params.unwrap().get(), r#"{"probe":true, "x":[1, 2]}"#);
}

#[test]
fn escapes_are_resolved() {
    let request = parse(br#"{"id":"a\"\u00e9","\u0074ype":"req","method":"he\u0061lth"}"#).unwrap();
    assert_eq!((&*request.id, &*request.method), ("a\"é", "health"));
}

#[test]
fn absent_and_null_parameters_are_none() {
    for frame in
        [r#"{"type":"req","id":"1","method":"m"}"#, r#"{"type":"req","id":"1","method":"m","params":null}"#]
    {
        assert!(parse(frame.as_bytes()).unwrap().params.is_none(), "{frame}");
    }
    let scalar = parse(br#"{"type":"req","id":"1","method":"m","params":7}"#).unwrap();
    assert_eq!(scalar.params.unwrap().get(), "7");
}

#[test]
fn the_last_of_a_repeated_key_counts() {
    let frame = r#"{"type":"req","id":"1","id":"2","method":"a","method":"b","params":1,"params":{}}"#;
    let request = parse(frame.as_bytes()).unwrap();
    assert_eq!((&*request.id, &*request.method, request.params.unwrap().get()), ("2", "b", "{}"));
    let wrong_first =
        r#"{"type":5,"type":"req","id":null,"id":"2","method":"m","params":[1],"params":{"a":1}}"#;
    let request = parse(wrong_first.as_bytes()).unwrap();
    assert_eq!((&*request.id, request.params.unwrap().get()), ("2", r#"{"a":1}"#));
    let unset = parse(br#"{"type":"req","id":1,"id":"2","method":"m","params":{},"params":null}"#).unwrap();
    assert!(unset.params.is_none());
    assert_eq!(
        problems(r#"{"type":"req","id":"1","method":"m","id":""}"#).1,
        "at /id: must NOT have fewer than 1 characters"
    );
}

#[test]
fn refusals_are_explained() {
    let cases = [
        (
            "{}",
            None,
            "must have required property 'type'; must have required property 'id'; must have required property 'method'",
        ),
        (
            r#"{"type":"res","id":"7","ok":true}"#,
            Some("7"),
            "must have required property 'method'; at root: unexpected property 'ok'; at /type: must be equal to constant",
        ),
        (
            r#"{"type":"event","event":"x"}"#,
            None,
            "must have required property 'id'; must have required property 'method'; at root: unexpected property 'event'; at /type: must be equal to constant",
        ),
        (
            r#"{"type":"req","id":5,"method":""}"#,
            None,
            "at /id: must be string; at /method: must NOT have fewer than 1 characters",
        ),
        (
            r#"{"type":1,"id":"","method":"m"}"#,
            None,
            "at /type: must be string; at /type: must be equal to constant; at /id: must NOT have fewer than 1 characters",
        ),
        (
            r#"{"type":"req","id":"1","method":"m","extra":null}"#,
            Some("1"),
            "at root: unexpected property 'extra'",
        ),
        ("[]", None, "must be object"),
        ("null", None, "must be object"),
        (r#""req""#, None, "must be object"),
    ];
    for (frame, id, want) in cases {
        assert_eq!(problems(frame), (id.map(str::to_owned), want.to_owned()), "{frame}");
    }
}

#[test]
fn what_is_not_json() {
    let bad: [&[u8]; 9] = [
        b"",
        b" ",
        b"hello",
        b"{",
        br#"{"type":"req","id":"1","method":"m"} x"#,
        br#"{"type":"req","id":"1","method":"m",}"#,
        b"{\"type\":\"req\",\"id\":\"\xff\",\"method\":\"m\"}",
        b"\xef\xbb\xbf{}",
        b"{\"type\":\"req\",\"id\":\"a\nb\",\"method\":\"m\"}",
    ];
    for frame in bad {
        assert!(not_json(frame), "{}", String::from_utf8_lossy(frame));
    }
}

#[test]
fn deep_nesting_is_not_json_and_no_crash() {
    assert!(parse(nested(126).as_bytes()).is_ok());
    assert!(serde_json::from_str::<Value>(&nested(126)).is_ok());
    for depth in [127, 128, 1000, 250_000] {
        assert!(not_json(nested(depth).as_bytes()), "{depth}");
    }
    // A shape that the fast pass refuses takes the other way to the same end.
    assert!(not_json(format!(r#"{{"x":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000)).as_bytes()));
    assert!(not_json("[".repeat(500_000).as_bytes()));
    // Brackets in strings do not count.
    let text =
        format!(r#"{{"type":"req","id":"1","method":"m","params":{{"a":"\\\"{}"}}}}"#, "[{".repeat(5_000));
    assert!(parse(text.as_bytes()).is_ok());
    // Neither do brackets side by side.
    let wide = format!(r#"{{"type":"req","id":"1","method":"m","params":[{}0]}}"#, "[[]],".repeat(5_000));
    assert!(parse(wide.as_bytes()).is_ok());
}

#[test]
fn mutated_frames_never_panic_and_agree_with_the_slow_way() {
    let seed = br#"{"type":"req","id":"r1","method":"chat.send","params":{"sessionKey":"main","n":[1.0,-2e3],"t":"\u00e9\n"}}"#;
    let mut state = 0x9e37_79b9_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let alphabet = b"{}[]\":,\\ \0\xffreqid1.e-+nulltrue";
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut frame = seed.to_vec();
        for _ in 0..=next(3) {
            let at = next(frame.len());
            match next(3) {
                0 => frame[at] = alphabet[next(alphabet.len())],
                1 => frame.insert(at, alphabet[next(alphabet.len())]),
                _ => drop(frame.remove(at)),
            }
        }
        let tree = serde_json::from_slice::<Value>(&frame);
        match parse(&frame) {
            Ok(request) => {
                accepted += 1;
                // Numbers beyond all range are the one thing that can be skipped but not read.
                if let Ok(tree) = tree {
                    assert_eq!(tree["id"], *request.id);
                    assert_eq!(tree["method"], *request.method);
                }
            }
            Err(ParseError::NotJson) => assert!(tree.is_err(), "{}", String::from_utf8_lossy(&frame)),
            Err(ParseError::Invalid { problems, .. }) => assert!(tree.is_ok() && !problems.is_empty()),
        }
    }
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn a_hostile_frame_makes_no_huge_answer() {
    let keys: String = (0..20_000).map(|n| format!(r#""key{n}":0,"#)).collect();
    let (_, many) = problems(&format!(r#"{{{keys}"type":"req","id":"1","method":"m"}}"#));
    assert!(many.len() < 64 * 60 && many.ends_with("; and more"), "{}", many.len());
    let (_, long) =
        problems(&format!(r#"{{"{}":0,"type":"req","id":"1","method":"m"}}"#, "k".repeat(400_000)));
    assert!(long.len() < 300, "{}", long.len());
}

#[test]
fn responses() {
    let mut buf = Vec::new();
    write_ok(&mut buf, "r\"1", br#"{"runId":"idem-1","status":"started"}"#);
    assert_eq!(
        String::from_utf8(buf).unwrap(),
        r#"{"type":"res","id":"r\"1","ok":true,"payload":{"runId":"idem-1","status":"started"}}"#
    );

    let mut buf = b"kept".to_vec();
    write_ok(&mut buf, "r", b"null");
    assert_eq!(buf, br#"kept{"type":"res","id":"r","ok":true,"payload":null}"#);

    let mut buf = Vec::new();
    let details = json!({"requestId": "401fdd1c-ca41-4ce4-9324-68756730f5c8"});
    write_err(&mut buf, "r1", None, &ErrorShape::not_paired("pairing required").with_details(details));
    assert_eq!(
        String::from_utf8(buf).unwrap(),
        r#"{"type":"res","id":"r1","ok":false,"error":{"code":"NOT_PAIRED","message":"pairing required","details":{"requestId":"401fdd1c-ca41-4ce4-9324-68756730f5c8"}}}"#
    );

    let mut buf = Vec::new();
    write_err(&mut buf, "r", Some(br#"{"runId":"k","status":"error"}"#), &ErrorShape::unavailable("x"));
    assert_eq!(
        String::from_utf8(buf).unwrap(),
        r#"{"type":"res","id":"r","ok":false,"payload":{"runId":"k","status":"error"},"error":{"code":"UNAVAILABLE","message":"x"}}"#
    );
}

#[test]
fn events() {
    let event = |payload: &[u8], seq, state| {
        let mut buf = Vec::new();
        write_event(&mut buf, "tick", payload, seq, state);
        String::from_utf8(buf).unwrap()
    };
    assert_eq!(event(br#"{"ts":1}"#, None, None), r#"{"type":"event","event":"tick","payload":{"ts":1}}"#);
    assert_eq!(event(b"null", Some(0), None), r#"{"type":"event","event":"tick","payload":null,"seq":0}"#);
    assert_eq!(
        event(b"[]", Some(u64::MAX), Some(StateVersion { presence: 1, health: 2 })),
        r#"{"type":"event","event":"tick","payload":[],"seq":18446744073709551615,"stateVersion":{"presence":1,"health":2}}"#
    );
}
