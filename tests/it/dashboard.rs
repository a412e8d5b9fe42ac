//! The link to the page of a gateway whose port and secret are not those of its configuration.

use std::sync::Arc;

use anyhow::{Result, ensure};
use gateway_tests::daemon::Daemon;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::http;
use serde_json::Value;

/// The link that the controller prints, and what it says below.
async fn link(daemon: &Daemon, words: &[&str]) -> Result<String> {
    let seen = daemon.ctl(&[words, &["dashboard", "--no-open"]].concat()).await?;
    ensure!(seen.code == Some(0), "{seen:?}");
    Ok(seen.stdout)
}

#[test]
fn the_link_leads_to_where_the_gateway_listens() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let said = link(&daemon, &[]).await?;
        let here = format!("http://127.0.0.1:{}/", daemon.port);
        ensure!(said.starts_with(&format!("Dashboard URL: {here}?token={TOKEN}\n")), "{said}");
        ensure!(http::get(daemon.port, "/").await?.status == 200, "its page is there");
        let seen = daemon.ctl(&["dashboard", "--json"]).await?;
        let document: Value = serde_json::from_str(&seen.stdout)?;
        ensure!(document["url"] == here.as_str() && document["needsToken"] == true, "{document}");
        // The end of a setup shows the same one.
        let words = ["onboard", "--non-interactive", "--accept-risk", "--no-install-daemon", "--skip-health"];
        let seen = daemon.ctl(&words).await?;
        ensure!(
            seen.code == Some(0) && seen.stdout.contains(&format!("Dashboard URL: {here}\n")),
            "{seen:?}"
        );
        Ok(())
    });
}

#[test]
fn the_dev_gateway_has_its_link_too() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().home(Arc::new(Home::new()?)).args(["--dev"]).start().await?;
        let said = link(&daemon, &["--profile", "dev"]).await?;
        ensure!(said.starts_with(&format!("Dashboard URL: http://127.0.0.1:{}/", daemon.port)), "{said}");
        Ok(())
    });
}

#[test]
fn a_secret_from_the_command_line_is_named_as_missing_or_not_needed() {
    gateway_tests::run(async {
        let home = || -> Result<Arc<Home>> {
            let home = Home::new()?;
            home.write_config("{ gateway: { mode: 'local' } }")?;
            Ok(Arc::new(home))
        };
        let daemon = Daemon::builder().home(home()?).args(["--token", "of-the-flag"]).start().await?;
        let said = link(&daemon, &[]).await?;
        let first = format!("Dashboard URL: http://127.0.0.1:{}/\n", daemon.port);
        ensure!(said.starts_with(&first) && said.contains("wants a token that is not in the"), "{said}");
        let document: Value = serde_json::from_str(&daemon.ctl(&["dashboard", "--json"]).await?.stdout)?;
        ensure!(document["needsToken"] == true, "{document}");
        let flags = ["--auth", "password", "--password", "of-the-flag"];
        let daemon = Daemon::builder().args(flags).start().await?;
        let said = link(&daemon, &[]).await?;
        ensure!(!said.contains("token"), "a token would not help: {said}");
        Ok(())
    });
}
