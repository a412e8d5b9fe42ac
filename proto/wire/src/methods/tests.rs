use super::*;
use crate::validate;

/// The list that clients of 2026.1.24-3 were seen to receive, in its order.
const LISTED: &str = "
    health logs.tail channels.status channels.logout status usage.status usage.cost tts.status tts.providers
    tts.enable tts.disable tts.convert tts.setProvider config.get config.set config.apply config.patch
    config.schema exec.approvals.get exec.approvals.set exec.approvals.node.get exec.approvals.node.set
    exec.approval.request exec.approval.resolve wizard.start wizard.next wizard.cancel wizard.status
    talk.mode models.list agents.list skills.status skills.bins skills.install skills.update update.run
    voicewake.get voicewake.set sessions.list sessions.preview sessions.patch sessions.reset sessions.delete
    sessions.compact last-heartbeat set-heartbeats wake node.pair.request node.pair.list node.pair.approve
    node.pair.reject node.pair.verify device.pair.list device.pair.approve device.pair.reject
    device.token.rotate device.token.revoke node.rename node.list node.describe node.invoke
    node.invoke.result node.event cron.list cron.status cron.add cron.update cron.remove cron.run cron.runs
    system-presence system-event send agent agent.identity.get agent.wait chat.history chat.abort chat.send
";

const NODE: &str = "node.invoke.result node.event skills.bins";
const APPROVALS: &str = "exec.approval.request exec.approval.resolve";
const PAIRING: &str = "
    node.pair.request node.pair.list node.pair.approve node.pair.reject node.pair.verify device.pair.list
    device.pair.approve device.pair.reject device.token.rotate device.token.revoke node.rename
";
const READ: &str = "
    health logs.tail channels.status status usage.status usage.cost tts.status tts.providers models.list
    agents.list agent.identity.get skills.status voicewake.get sessions.list sessions.preview cron.list
    cron.status cron.runs system-presence last-heartbeat node.list node.describe chat.history
";
const WRITE: &str = "
    send agent agent.wait wake talk.mode tts.enable tts.disable tts.convert tts.setProvider voicewake.set
    node.invoke chat.send chat.abort
";

fn words(list: &str) -> Vec<&str> {
    list.split_whitespace().collect()
}

#[test]
fn the_listed_names_are_those_of_the_original_in_its_order() {
    assert_eq!(listed().map(|method| method.name).collect::<Vec<_>>(), words(LISTED));
}

#[test]
fn listed_rows_come_first() {
    assert!(METHODS.iter().is_sorted_by_key(|method| !method.listed));
    let unlisted: Vec<_> = METHODS.iter().filter(|method| !method.listed).map(|method| method.name).collect();
    let want = "connect sessions.resolve chat.inject poll web.login.start web.login.wait";
    assert_eq!(unlisted, words(want));
}

#[test]
fn rights_are_those_of_the_original() {
    let groups = [
        (Node, words(NODE)),
        (Approvals, words(APPROVALS)),
        (Pairing, words(PAIRING)),
        (Read, words(READ)),
        (Write, words(WRITE)),
    ];
    for method in METHODS {
        let group = groups.iter().find(|(_, names)| names.contains(&method.name)).map(|(access, _)| *access);
        assert_eq!(method.access, group.unwrap_or(Admin), "{}", method.name);
    }
    let grouped: usize = groups.iter().map(|(_, names)| names.len()).sum();
    assert_eq!(METHODS.iter().filter(|method| method.access != Admin).count(), grouped);
}

#[test]
fn no_name_stands_twice_and_each_is_found() {
    let mut names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METHODS.len());
    for method in METHODS {
        assert_eq!(find(method.name), Some(method));
    }
    for unknown in ["", "Health", "health ", "zzz", "browser.request"] {
        assert_eq!(find(unknown), None);
    }
}

#[test]
fn every_schema_named_exists() {
    for method in METHODS {
        if let Some(schema) = method.params {
            assert!(validate::has_schema(schema), "{schema}");
        }
    }
}

#[test]
fn four_methods_replay_and_one_answers_twice() {
    let keyed: Vec<_> =
        METHODS.iter().filter(|method| method.idempotency_key).map(|method| method.name).collect();
    assert_eq!(keyed, ["send", "agent", "chat.send", "poll"]);
    let twice: Vec<_> = METHODS.iter().filter(|method| method.two_stage).map(|method| method.name).collect();
    assert_eq!(twice, ["agent"]);
}

#[test]
fn methods_of_one_session_name_it_in_their_parameters() {
    for method in METHODS.iter().filter(|method| method.order == PerSession) {
        let schema = method.params.unwrap();
        let named = |key: &str| {
            let problems = validate::check(schema, &serde_json::json!({})).unwrap_err();
            problems.contains(&format!("must have required property '{key}'"))
        };
        assert!(named("key") || named("sessionKey"), "{}", method.name);
    }
}
