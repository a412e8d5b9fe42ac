//! The frames that both yardsticks send. Sizes follow the subject's: a challenge, a `hello-ok` of 3 KB, a result
//! of 200 bytes, an event around what the request said.

use crate::codec::field;

/// First frame on every connection.
pub const CHALLENGE: &str = r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"00000000-0000-4000-8000-000000000000","ts":1769500000000}}"#;

/// What every request but `connect` is answered with, around its id.
const RESULT: &str = r#"[{"host":"yardstick","ip":"127.0.0.1","version":"bench","platform":"linux","mode":"gateway","reason":"self","text":"Gateway: yardstick (127.0.0.1)","ts":1769500000000}]"#;

/// What one request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// To be let in.
    Connect,
    /// To tell everybody, with this phase.
    Event(&'a [u8]),
    /// Anything else.
    Other,
}

/// Reads a request with no more than the scan for its id and method; `None` without an id.
pub fn read(request: &[u8]) -> Option<(&[u8], Asked<'_>)> {
    let id = field(request, br#""id":""#)?;
    let asked = match field(request, br#""method":""#)? {
        b"connect" => Asked::Connect,
        b"talk.mode" => Asked::Event(field(request, br#""phase":""#).unwrap_or_default()),
        _ => Asked::Other,
    };
    Some((id, asked))
}

/// A successful answer.
pub fn answer(id: &[u8], payload: &str) -> Vec<u8> {
    [br#"{"type":"res","id":""#, id, br#"","ok":true,"payload":"#, payload.as_bytes(), b"}"].concat()
}

/// The small answer to `id`.
pub fn small(id: &[u8]) -> Vec<u8> {
    answer(id, RESULT)
}

/// The event that a `talk.mode` request makes.
pub fn event(phase: &[u8], seq: u64) -> Vec<u8> {
    let tail = format!(r#"","ts":1769500000000}},"seq":{seq}}}"#);
    [br#"{"type":"event","event":"talk.mode","payload":{"enabled":true,"phase":""#, phase, tail.as_bytes()]
        .concat()
}

/// The event that tells of a client that left.
pub fn leave(seq: u64) -> Vec<u8> {
    format!(r#"{{"type":"event","event":"presence","payload":{{"presence":{RESULT}}},"seq":{seq}}}"#)
        .into_bytes()
}

/// A `hello-ok` payload of 3 KB: names that stand for the lists of methods and events.
pub fn hello_ok() -> String {
    let names: Vec<String> = (0..150).map(|n| format!("\"method.number{n:03}\"")).collect();
    format!(
        r#"{{"type":"hello-ok","protocol":3,"server":{{"version":"bench","host":"yardstick","connId":"0"}},"features":{{"methods":[{}],"events":[]}},"snapshot":{{"presence":[],"health":{{}},"stateVersion":{{"presence":1,"health":1}},"uptimeMs":1}},"policy":{{"maxPayload":524288,"maxBufferedBytes":1572864,"tickIntervalMs":30000}}}}"#,
        names.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_sent_is_json_of_the_promised_size() {
        for (bytes, least, most) in [
            (CHALLENGE.as_bytes().to_vec(), 100, 150),
            (small(b"17"), 190, 230),
            (event(b"e00000001", 9), 100, 130),
            (leave(3), 190, 260),
            (answer(b"hello", &hello_ok()), 2900, 3300),
        ] {
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
            assert!(
                (least..=most).contains(&bytes.len()),
                "{} bytes: {}",
                bytes.len(),
                String::from_utf8_lossy(&bytes)
            );
        }
    }

    #[test]
    fn requests_are_told_apart() {
        let asked = |text: &'static str| {
            read(text.as_bytes()).map(|(id, asked)| (std::str::from_utf8(id).unwrap(), asked))
        };
        assert_eq!(
            asked(r#"{"type":"req","id":"a","method":"connect","params":{}}"#),
            Some(("a", Asked::Connect))
        );
        let talk = r#"{"type":"req","id":"b","method":"talk.mode","params":{"enabled":true,"phase":"e7"}}"#;
        assert_eq!(asked(talk), Some(("b", Asked::Event(b"e7"))));
        assert_eq!(asked(r#"{"type":"req","id":"c","method":"health"}"#), Some(("c", Asked::Other)));
        assert_eq!(asked("nonsense"), None);
    }
}
