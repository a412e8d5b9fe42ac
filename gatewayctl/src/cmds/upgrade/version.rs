//! Which version a running gateway is.

use gateway_admin::v1::StatusResponse;

/// Its version, as its program would say it: `gatewayd 0.1.0 (commit 1a2b3c4, built 2026-01-29)`.
#[must_use]
pub fn version(status: &StatusResponse) -> Option<String> {
    let build = status.build.as_ref()?;
    Some(format!("gatewayd {} (commit {}, built {})", build.version, build.commit, build.date))
}
