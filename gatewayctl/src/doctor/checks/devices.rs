//! Pairings that cannot work: a device whose tokens are all revoked, one that was approved for nothing, requests that
//! nobody answers, and this machine's own key when it and its tokens do not belong together.

use gateway_wire::types::devices::{DevicePending, PairedDevice};

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, Unknown, quoted};

/// The check.
pub const CHECK: Check = Check { id: "devices", group: Group::Access, title: "paired devices", judge };

fn judge(facts: &Facts) -> Judged {
    let mut findings = own(facts);
    match facts.answers().map(|answers| &answers.devices) {
        Some(Ok(list)) => {
            findings.extend(list.pending.iter().map(|request| waiting(facts, request)));
            findings.extend(list.paired.iter().filter_map(|device| useless(facts, device)));
        }
        Some(Err(why)) => return unless_found(findings, format!("the daemon did not list them: {why}")),
        None => return unless_found(findings, "no daemon answers, and only it knows them".to_owned()),
    }
    Ok(findings)
}

/// What was found without the daemon is said all the same.
fn unless_found(findings: Vec<Finding>, why: String) -> Judged {
    if findings.is_empty() { Err(Unknown(why)) } else { Ok(findings) }
}

fn own(facts: &Facts) -> Vec<Finding> {
    let identity = &facts.access.identity;
    let folder = facts.paths.state.join("identity");
    let mut findings = Vec::new();
    if let Some(why) = &identity.damaged {
        let file = quoted(&folder.join("device.json"));
        findings.push(Finding::error(
            format!("this machine's device key is of no use: {why}"),
            "Commands from this machine cannot prove who they are.",
            format!("Move it away, then pair again: mv {file} {file}.bad"),
        ));
    }
    if let (Some(id), Some(of)) = (&identity.id, &identity.tokens_of)
        && id != of
    {
        findings.push(Finding::warning(
            "the device tokens of this machine belong to another device key",
            "They are of no use; commands need the gateway's token or a new pairing.",
            format!("rm {}", quoted(&folder.join("device-auth.json"))),
        ));
    }
    findings
}

fn waiting(facts: &Facts, request: &DevicePending) -> Finding {
    let name = request.display_name.as_deref().unwrap_or(&request.device_id);
    let what = if request.is_repair == Some(true) {
        "asks for more than it was approved for"
    } else {
        "asks to be let in"
    };
    Finding::warning(
        format!("{name} {what}, and nobody has answered"),
        "It is refused until somebody does.",
        format!("{} (or reject)", facts.command(&format!("devices approve {}", request.request_id))),
    )
}

fn useless(facts: &Facts, device: &PairedDevice) -> Option<Finding> {
    let name = device.display_name.as_deref().unwrap_or(&device.device_id);
    let tokens = device.tokens.as_deref().unwrap_or_default();
    let roles = device.roles.as_deref().unwrap_or_default();
    let role = device.role.as_deref().or(roles.first().map(String::as_str)).unwrap_or("operator");
    let rotate = facts.command(&format!("devices rotate --device {} --role {role}", device.device_id));
    if roles.is_empty() && device.role.is_none() {
        let finding = format!("{name} is paired and was approved for no role");
        return Some(Finding::warning(finding, "It can connect as nothing; let it pair again.", rotate));
    }
    if !tokens.is_empty() && tokens.iter().all(|token| token.revoked_at_ms.is_some()) {
        let finding = format!("{name} is paired, and all its tokens are revoked");
        return Some(Finding::warning(finding, "It is refused every time it tries.", rotate));
    }
    let is_operator = role == "operator" && !roles.iter().any(|role| role == "node");
    if is_operator && device.scopes.as_ref().is_some_and(Vec::is_empty) {
        let finding = format!("{name} is paired as operator and may do nothing");
        let fix = format!("{rotate} --scope operator.read");
        return Some(Finding::warning(finding, "It connects, and every request is refused.", fix));
    }
    None
}
