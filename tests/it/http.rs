//! What the port says to plain HTTP.

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::golden;
use gateway_tests::home::TOKEN;
use gateway_tests::http::{self, Response};
use serde_json::json;

async fn ask(daemon: &Daemon, verb: &str, path: &str, headers: &str) -> Result<Response> {
    let host = format!("Host: 127.0.0.1:{}", daemon.port);
    let text = format!("{verb} {path} HTTP/1.1\r\n{host}\r\nConnection: close\r\n{headers}\r\n");
    http::request(daemon.port, &text).await
}

#[test]
fn probes_page_and_errors() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        for path in ["/healthz", "/readyz", "/startupz"] {
            let answer = daemon.get(path).await?;
            ensure!(answer.status == 200 && answer.json()? == json!({ "ok": true }), "{path}: {answer:?}");
            ensure!(answer.header("cache-control") == Some("no-store"), "{path}: {answer:?}");
            let posted = ask(&daemon, "POST", path, "Content-Length: 0\r\n").await?;
            ensure!(
                posted.status == 405 && posted.header("allow") == Some("GET, HEAD"),
                "{path}: {posted:?}"
            );
            ensure!(posted.json()?["error"]["type"] == "invalid_request_error", "{posted:?}");
        }
        let page = daemon.get("/").await?;
        ensure!(page.status == 200 && page.body.contains("gatewayd"), "{page:?}");
        ensure!(page.header("content-type") == Some("text/html; charset=utf-8"), "{page:?}");
        ensure!(page.header("content-security-policy").is_some_and(|p| p.contains("default-src 'none'")));
        let lost = daemon.get("/no/such/page").await?;
        ensure!(lost.status == 404 && lost.json()?["error"]["type"] == "not_found", "{lost:?}");
        ensure!(lost.header("content-type") == Some("application/json; charset=utf-8"), "{lost:?}");
        Ok(())
    });
}

#[test]
fn metrics_are_for_this_machine_or_the_token() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        client.request("health", json!({})).await?;
        let metrics = daemon.get("/metrics").await?;
        ensure!(metrics.status == 200 && metrics.body.ends_with("# EOF\n"), "{metrics:?}");
        let mut names: Vec<_> =
            metrics.body.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        names.sort_unstable();
        golden::check("frames/metrics.txt", &(names.join("\n") + "\n"))?;

        let forwarded = "X-Forwarded-For: 203.0.113.7\r\n";
        let refused = ask(&daemon, "GET", "/metrics", forwarded).await?;
        ensure!(refused.status == 401 && refused.json()?["error"]["type"] == "unauthorized", "{refused:?}");
        let wrong =
            ask(&daemon, "GET", "/metrics", &format!("{forwarded}Authorization: Bearer no\r\n")).await?;
        ensure!(wrong.status == 401, "{wrong:?}");
        let bearer = format!("{forwarded}Authorization: Bearer {TOKEN}\r\n");
        let right = ask(&daemon, "GET", "/metrics", &bearer).await.context("with the token")?;
        ensure!(right.status == 200, "{right:?}");
        Ok(())
    });
}
