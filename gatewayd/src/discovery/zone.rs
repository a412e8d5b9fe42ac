//! Writes the zone of the tailnet when it says something new.

use gateway_base::{atomic_file, clock};
use gateway_discovery::{WIDE_AREA, Zone};

use super::options::ZoneOptions;

/// Writes the file, and says in the log what came out.
pub async fn write(options: ZoneOptions) {
    let Some(ipv4) = options.ipv4 else {
        tracing::warn!(
            subsystem = "gateway/discovery",
            "discovery.wideArea.enabled is true, but no Tailscale IPv4 address was found; skipping unicast DNS-SD zone update"
        );
        return;
    };
    let path = options.path.display().to_string();
    let updated = tokio::task::spawn_blocking(move || {
        // What cannot be read is written anew.
        let old = std::fs::read_to_string(&options.path).ok();
        let day = clock::iso_utc(options.clock.now())
            .chars()
            .take(10)
            .filter(char::is_ascii_digit)
            .collect::<String>();
        let zone = Zone { facts: options.facts, ipv4, ipv6: options.ipv6 };
        let Some(text) = zone.update(old.as_deref(), &day) else { return Ok(false) };
        atomic_file::replace(&options.path, text.as_bytes()).map(|()| true)
    });
    let outcome = match updated.await {
        Ok(Ok(true)) => Ok("updated"),
        Ok(Ok(false)) => Ok("unchanged"),
        Ok(Err(error)) => Err(format!("{path}: {error}")),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(word) => {
            tracing::info!(
                subsystem = "gateway/discovery",
                "wide-area DNS-SD {word} ({WIDE_AREA} \u{2192} {path})"
            );
        }
        Err(error) => {
            tracing::warn!(subsystem = "gateway/discovery", "wide-area discovery update failed: {error}");
        }
    }
}
