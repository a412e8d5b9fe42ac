//! The laws of `gatewayd/ARCHITECTURE.md` that a machine can read: who may import whom, which foreign crates stay
//! out of a layer, the order of modules inside the domain, and that every manifest takes the workspace's lints.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use gateway_tests::workspace;
use serde_json::Value;

/// One row: a crate, the crates of ours it may name, the foreign crates it may not name, and texts that may not
/// occur in its sources.
struct Row {
    name: &'static str,
    ours: &'static [&'static str],
    not_theirs: &'static [&'static str],
    not_in_source: &'static [&'static str],
}

const HTTP: &[&str] = &["hyper", "hyper-util", "tonic", "axum", "reqwest"];
const SQL: &[&str] = &["rusqlite", "sqlx", "libsqlite3-sys"];

/// What nothing that only knows and decides may lean on.
const PURE: &[&str] =
    &["hyper", "hyper-util", "tonic", "axum", "reqwest", "rusqlite", "tungstenite", "tokio-tungstenite"];

const ROWS: &[Row] = &[
    Row {
        name: "gateway-wire",
        ours: &[],
        not_theirs: &["tokio", "hyper", "hyper-util", "tonic", "axum"],
        not_in_source: &["std::net", "std::fs"],
    },
    Row { name: "gateway-admin", ours: &[], not_theirs: &["axum"], not_in_source: &[] },
    Row { name: "gateway-base", ours: &[], not_theirs: HTTP, not_in_source: &[] },
    Row { name: "gateway-config", ours: &["base"], not_theirs: HTTP, not_in_source: &["tokio::net"] },
    Row { name: "gateway-discovery", ours: &["base"], not_theirs: HTTP, not_in_source: &["TcpListener"] },
    Row {
        name: "gateway-onboard",
        ours: &["base", "config"],
        not_theirs: PURE,
        not_in_source: &["tokio::net", "std::net::Tcp"],
    },
    Row {
        name: "gateway-domain",
        ours: &["base", "config", "wire", "onboard"],
        not_theirs: PURE,
        not_in_source: &["gateway_wire::frame", "tokio::net", "TcpStream", "UnixStream"],
    },
    Row {
        name: "gateway-adapters",
        ours: &["domain", "base", "config", "wire"],
        not_theirs: &["tonic", "axum"],
        not_in_source: &["TcpListener", "UnixListener", "gateway_wire::frame"],
    },
    Row {
        name: "gateway-api",
        ours: &["domain", "base", "config", "wire", "onboard"],
        not_theirs: &["hyper", "hyper-util", "tonic", "axum", "rusqlite", "tungstenite", "tokio-tungstenite"],
        not_in_source: &["tokio::net"],
    },
    Row {
        name: "gateway-server",
        ours: &["api", "base", "config", "wire", "admin"],
        not_theirs: SQL,
        not_in_source: &[],
    },
    Row {
        name: "gatewayd",
        ours: &["wire", "admin", "base", "config", "discovery", "domain", "adapters", "api", "server"],
        not_theirs: &[],
        not_in_source: &[],
    },
    Row {
        name: "gatewayctl",
        ours: &["admin", "config", "discovery", "base", "wire", "onboard"],
        not_theirs: SQL,
        not_in_source: &[],
    },
    Row { name: "gateway-tests", ours: &["wire", "admin", "base"], not_theirs: &[], not_in_source: &[] },
    Row { name: "gateway-bench", ours: &["wire", "admin", "base"], not_theirs: &[], not_in_source: &[] },
];

/// The domain's modules from the lowest to the highest. A module may use those of its own row and of rows above it;
/// fakes for tests may use all.
const DOMAIN: &[&[&str]] = &[
    &["ports", "events", "time"],
    &["auth", "settings"],
    &[
        "sessions",
        "agents",
        "devices",
        "presence",
        "health",
        "models",
        "talk",
        "usage",
        "voicewake",
        "wizard",
    ],
    &["nodes", "approvals"],
    &["runs"],
    &["cron", "heartbeat", "channels"],
    &["testing"],
];

fn is_ours(name: &str) -> bool {
    ROWS.iter().any(|row| row.name == name)
}

fn row(name: &str) -> Result<&'static Row> {
    ROWS.iter().find(|row| row.name == name).with_context(|| format!("{name} has no row in tests/layers.rs"))
}

fn folder(package: &Value) -> Result<&Path> {
    let manifest = package["manifest_path"].as_str().context("a manifest")?;
    Path::new(manifest).parent().context("a folder")
}

#[test]
fn crates_import_only_what_their_layer_may() -> Result<()> {
    let mut broken = BTreeSet::new();
    let packages = workspace::packages()?;
    for package in &packages {
        let name = package["name"].as_str().context("a name")?;
        let row = row(name)?;
        for dependency in package["dependencies"].as_array().context("dependencies")? {
            let other = dependency["name"].as_str().context("a name")?;
            let short = other.strip_prefix("gateway-").unwrap_or(other);
            if is_ours(other) && other != name && !row.ours.contains(&short) {
                broken.insert(format!("{name} may not import {other}"));
            }
            if row.not_theirs.contains(&other) {
                broken.insert(format!("{name} may not use {other}"));
            }
        }
    }
    ensure!(
        packages.len() == ROWS.len(),
        "the table has {} rows for {} packages",
        ROWS.len(),
        packages.len()
    );
    ensure!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn sources_hold_nothing_their_layer_may_not_know() -> Result<()> {
    let mut broken = Vec::new();
    for package in workspace::packages()? {
        let row = row(package["name"].as_str().context("a name")?)?;
        for path in workspace::files(&folder(&package)?.join("src"), &["rs"])? {
            let text = fs::read_to_string(&path)?;
            let found = row.not_in_source.iter().filter(|word| text.contains(**word));
            broken.extend(found.map(|word| format!("{}: {word}", path.display())));
        }
    }
    ensure!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn every_manifest_takes_the_lints_of_the_workspace() -> Result<()> {
    for package in workspace::packages()? {
        let manifest = fs::read_to_string(folder(&package)?.join("Cargo.toml"))?;
        let lints = manifest.split("[lints]").nth(1).map(str::trim_start);
        let inherits = lints.is_some_and(|rest| rest.starts_with("workspace = true"));
        ensure!(inherits, "{} needs [lints] workspace = true", package["name"]);
    }
    Ok(())
}

#[test]
fn the_controller_contains_no_store_and_no_server() -> Result<()> {
    let tree =
        workspace::cargo(&["tree", "-p", "gatewayctl", "-e", "normal", "--prefix", "none", "-f", "{p}"])?;
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    ensure!(names.contains("tonic") && names.contains("clap"), "cargo tree printed something else:\n{tree}");
    let forbidden = [
        "rusqlite",
        "libsqlite3-sys",
        "gateway-domain",
        "gateway-adapters",
        "gateway-api",
        "gateway-server",
        "gatewayd",
        "tonic-health",
        "tonic-reflection",
        "axum",
        "prometheus-client",
    ];
    let found: Vec<_> = forbidden.iter().filter(|name| names.contains(**name)).collect();
    ensure!(found.is_empty(), "gatewayctl contains {found:?}");
    Ok(())
}

#[test]
fn the_modules_of_the_domain_look_down_only() -> Result<()> {
    let rank = |module: &str| DOMAIN.iter().position(|row| row.contains(&module));
    let source = workspace::root().join("gatewayd/crates/domain/src");
    let mut broken = BTreeSet::new();
    for path in workspace::files(&source, &["rs"])? {
        let inside = path.strip_prefix(&source)?;
        let module =
            inside.iter().next().and_then(|p| p.to_str()).context("a module")?.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let own =
            rank(module).with_context(|| format!("the module {module} has no place in tests/layers.rs"))?;
        for used in uses(&fs::read_to_string(&path)?) {
            // Only tests may use the fakes, wherever they are.
            let allowed = used == "testing" || rank(&used).is_some_and(|other| other <= own);
            if used != module && !allowed {
                broken.insert(format!("{} uses {used}", inside.display()));
            }
        }
    }
    ensure!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

/// The modules that a source names behind `crate::`.
fn uses(source: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for rest in source.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let mut depth = 0_i32;
        let mut start = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && c.is_alphabetic() => {
                    found.insert(word(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found.retain(|name| name.starts_with(char::is_lowercase));
    found
}

#[test]
fn uses_are_found_in_every_form() {
    let source = "use crate::a::B;\nuse crate::{\n    b::{X, y::Z},\n    c,\n};\nlet x = crate::d::f();\npub(crate) fn g() {}";
    assert_eq!(uses(source).into_iter().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

/// The programs of the project hand their arguments to other programs one by one, so that no text in them is ever read
/// as a command.
#[test]
fn no_program_of_the_project_starts_a_shell() -> Result<()> {
    const SHELLS: [&str; 12] = [
        "sh",
        "bash",
        "dash",
        "zsh",
        "cmd",
        "cmd.exe",
        "powershell",
        "powershell.exe",
        "pwsh",
        "/bin/sh",
        "/bin/bash",
        "env",
    ];
    let mut broken = Vec::new();
    let mut programs = BTreeSet::new();
    for folder in ["gatewayd", "gatewayctl", "proto"] {
        for path in workspace::files(&workspace::root().join(folder), &["rs"])? {
            let text = fs::read_to_string(&path)?;
            let is_test =
                path.iter().any(|part| part == "tests" || part == "testing.rs" || part == "tests.rs");
            let code = text.split("\nmod tests").next().unwrap_or_default();
            if is_test {
                continue;
            }
            // Every way to name a program: the two kinds of commands, and the calls of the runners.
            for start in ["Command::new(\"", "Call::new(\"", ".on_path(\"", "program(\""] {
                for rest in code.split(start).skip(1) {
                    let name = rest.split('"').next().unwrap_or_default();
                    programs.insert(name.to_owned());
                    if SHELLS.contains(&name) {
                        broken.push(format!("{}: {name}", path.display()));
                    }
                }
            }
            for word in ["\"sh\"", "\"/bin/sh\"", "\"cmd.exe\"", "\"powershell\"", "raw_arg("] {
                if code.contains(word) {
                    broken.push(format!("{}: {word}", path.display()));
                }
            }
        }
    }
    ensure!(broken.is_empty(), "{broken:#?}");
    let known = [
        "/usr/sbin/scutil",
        "explorer.exe",
        "git",
        "journalctl",
        "launchctl",
        "loginctl",
        "open",
        "reg",
        "schtasks",
        "ssh",
        "sudo",
        "systemctl",
        "tailscale",
        "xdg-open",
    ];
    let known: BTreeSet<String> = known.map(str::to_owned).into();
    ensure!(programs == known, "these programs are started: {programs:?}");
    Ok(())
}
