//! Who may call what: every method of the table, called by every kind of client over real connections. The golden
//! file is the table of ws-protocol 4.2 as the daemon lives it.

use std::fmt::Write;

use anyhow::{Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::golden;
use gateway_tests::ws_client::{Client, Refused};
use gateway_wire::methods::METHODS;
use serde_json::json;

/// `yes`, or the words of the refusal.
async fn outcome(client: &mut Client, method: &str) -> Result<String> {
    let refused = match client.request(method, json!({})).await {
        Ok(_) => return Ok("yes".to_owned()),
        Err(error) => error.downcast::<Refused>()?,
    };
    let about_rights = ["missing scope: ", "unauthorized role: "];
    if !about_rights.iter().any(|start| refused.message.starts_with(start)) {
        return Ok("yes".to_owned());
    }
    ensure!(refused.error == json!({ "code": "INVALID_REQUEST", "message": refused.message }), "{refused:?}");
    Ok(refused.message)
}

#[test]
fn every_method_asks_for_its_rights() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let scoped = |scope| Connect::cli().scopes(&[scope]);
        let kinds = [
            ("no scopes claimed", Connect::cli()),
            ("a device, no scopes claimed", Connect::cli().device(Device::seeded(1))),
            ("operator.admin", scoped("operator.admin")),
            ("operator.read", scoped("operator.read")),
            ("operator.write", scoped("operator.write")),
            ("operator.approvals", scoped("operator.approvals")),
            ("operator.pairing", scoped("operator.pairing")),
            ("an unknown scope", scoped("operator.nothing")),
            ("node", Connect::node(Device::seeded(2))),
            ("node with operator.admin", Connect::node(Device::seeded(3)).scopes(&["operator.admin"])),
        ];
        let mut table = String::new();
        for (kind, how) in kinds {
            let mut client = daemon.connect(how).await?;
            writeln!(table, "{kind}")?;
            for method in METHODS.iter().map(|method| method.name).chain(["no.such.method"]) {
                writeln!(table, "  {method}: {}", outcome(&mut client, method).await?)?;
            }
        }
        golden::check("frames/rights.txt", &table)
    });
}
