//! The example for Kubernetes: it can be read, and its probes ask for what exists.

use anyhow::{Context, Result, ensure};
use gateway_tests::daemon::Daemon;
use gateway_tests::setup::foreign_clients;
use serde_json::Value;
use tokio::process::Command;

use crate::made::{dockerfile, good, packages, sources};

const TO_JSON: &str =
    "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";

fn words(list: &Value) -> Result<Vec<String>> {
    Ok(serde_json::from_value(list.clone())?)
}

#[test]
fn its_probes_answer() {
    gateway_tests::run(async {
        let python = foreign_clients().await?.join("python");
        let file = sources().join("kubernetes.yaml");
        let json = good(Command::new(python).args(["-c", TO_JSON]).arg(file)).await?;
        let documents: Vec<Value> = serde_json::from_str(&json)?;
        let set = documents.iter().find(|d| d["kind"] == "StatefulSet").context("a stateful set")?;
        let pod = &set["spec"]["template"];
        let container = &pod["spec"]["containers"][0];
        ensure!(set["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"], "it finds its pods");
        ensure!(words(&container["args"])? == dockerfile("CMD")?, "it starts as the image does");
        ensure!(container["ports"][0]["containerPort"] == 18789, "the port");

        let daemon = Daemon::start().await?;
        for name in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let probe = &container[name];
            if let Some(path) = probe["httpGet"]["path"].as_str() {
                ensure!(probe["httpGet"]["port"] == container["ports"][0]["name"], "{probe}");
                let answer = daemon.get(path).await?;
                ensure!(answer.status == 200, "{path}: {}", answer.status);
            } else {
                let command = words(&probe["exec"]["command"])?;
                let (program, args) = command.split_first().context("a command")?;
                let inside = packages().await?.join("image").join(program.trim_start_matches('/'));
                ensure!(inside.is_file() && program.ends_with("/gatewayctl"), "{command:?}");
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let seen = daemon.ctl(&args).await?;
                ensure!(seen.code == Some(0), "{name}: {seen:?}");
            }
        }
        Ok(())
    });
}
