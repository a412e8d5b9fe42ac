//! Whether controller and daemon are of one release: after an update the old process often keeps running.

use gateway_wire::version::PROTOCOL;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, Unknown};

/// The check.
pub const CHECK: Check = Check { id: "version", group: Group::Gateway, title: "versions", judge };

const VERSION: &str = env!("CARGO_PKG_VERSION");
const COMMIT: &str = env!("GATEWAYD_COMMIT");
const UNKNOWN: &str = "unknown";

fn judge(facts: &Facts) -> Judged {
    let Some(answers) = facts.answers() else {
        return Err(Unknown("no daemon answers".to_owned()));
    };
    let restart = facts.command("shutdown --restart");
    let spoken = answers.status.protocol_version;
    if spoken != 0 && spoken != PROTOCOL {
        return Ok(vec![Finding::error(
            format!("the daemon speaks protocol {spoken}, this controller {PROTOCOL}"),
            "Commands are refused or misunderstood.",
            format!("Install both of one release, then: {restart}"),
        )]);
    }
    let Some(build) = &answers.status.build else { return Ok(Vec::new()) };
    let is_known = |commit: &str| !commit.is_empty() && commit != UNKNOWN;
    let differs =
        build.version != VERSION || (is_known(&build.commit) && is_known(COMMIT) && build.commit != COMMIT);
    let found = differs.then(|| {
        Finding::warning(
            format!(
                "the daemon is {} ({}), this controller {VERSION} ({COMMIT})",
                build.version, build.commit
            ),
            "The old gateway still runs, or two releases are installed.",
            restart,
        )
    });
    Ok(found.into_iter().collect())
}
