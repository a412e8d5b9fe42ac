//! `config.*` (ws-protocol 5.5). Reading and writing files is done off the workers; one call at a time, as the table
//! says. After a write the reload runs at once, so the answer says what really happened, and the file watcher finds
//! nothing left to do.

use std::sync::Arc;
use std::time::Duration;

use gateway_base::atomic_file;
use gateway_base::clock::iso_utc;
use gateway_base::disk;
use gateway_base::error_chain::Chain;
use gateway_config::edit::Document;
use gateway_config::write::{self, Committed, Drops, Writer};
use gateway_config::{Issue, Snapshot, load, schema};
use gateway_wire::error::ErrorShape;
use gateway_wire::types::config::{
    ConfigApplyParams, ConfigApplyResult, ConfigIssue, ConfigSetParams, ConfigSetResult, ConfigSnapshot,
    Restart, RestartMode, Sentinel, SentinelKind, SentinelPayload, SentinelStats,
};
use serde_json::{Value, json as value};

use crate::context::Context;
use crate::error::thrown;
use crate::registry::{Call, Function, Reply, Work, json, later};

pub(super) const BINDINGS: &[(&str, Function)] = &[
    ("config.get", get),
    ("config.schema", describe),
    ("config.set", set),
    ("config.patch", patch),
    ("config.apply", apply),
];

/// Delay before a restart that a write needs, unless the caller says otherwise.
const RESTART_DELAY_MS: u64 = 2_000;
const RESTART_DELAY_MAX_MS: u64 = 60_000;

/// The same for `config.set`, whose caller cannot say otherwise.
const SET_RESTART_DELAY: Duration = Duration::from_millis(500);

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorShape> + Send + 'static,
) -> Result<T, ErrorShape> {
    tokio::task::spawn_blocking(work).await.map_err(|error| thrown(&error))?
}

fn get(call: Call<'_>) -> Work {
    if let Err(error) = call.no_params() {
        return Work::Done(Err(error));
    }
    let cx = call.cx.clone();
    later(async move {
        blocking(move || {
            let snapshot = load::load(&cx.paths, &cx.env);
            json(&ConfigSnapshot {
                path: snapshot.path.display().to_string(),
                exists: snapshot.exists,
                raw: snapshot.raw,
                parsed: snapshot.parsed,
                valid: snapshot.valid,
                config: snapshot.value,
                hash: snapshot.hash,
                issues: issues(&snapshot.issues),
                warnings: issues(&snapshot.warnings),
                legacy_issues: issues(&snapshot.legacy_issues).into_iter().map(|i| value!(i)).collect(),
            })
        })
        .await
    })
}

fn describe(call: Call<'_>) -> Work {
    if let Err(error) = call.no_params() {
        return Work::Done(Err(error));
    }
    let cx = call.cx.clone();
    later(async move {
        blocking(move || {
            json(&value!({
                "schema": schema::json_schema(),
                "uiHints": schema::ui_hints(),
                "version": cx.about.version,
                "generatedAt": iso_utc(cx.clock.now()),
            }))
        })
        .await
    })
}

fn set(call: Call<'_>) -> Work {
    let params: ConfigSetParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let cx = call.cx.clone();
    later(async move {
        let writer = Writer::new(cx.paths.clone(), cx.env.clone());
        let committed =
            blocking(move || commit(&writer, &params.raw, params.base_hash.as_deref(), &Drops::All)).await?;
        cx.control.reload(SET_RESTART_DELAY).await;
        json(&ConfigSetResult {
            ok: true,
            path: committed.path.display().to_string(),
            config: committed.snapshot.value,
        })
    })
}

fn patch(call: Call<'_>) -> Work {
    replace(call, "config.patch", |cx, params| {
        let writer = Writer::new(cx.paths.clone(), cx.env.clone());
        let present = load::load(&cx.paths, &cx.env);
        guard(&present, params.base_hash.as_deref())?;
        if !present.valid {
            return Err(ErrorShape::invalid("invalid config; fix before patching"));
        }
        let patch = parse(&params.raw)?;
        if !patch.is_object() {
            return Err(ErrorShape::invalid("config.patch raw must be an object"));
        }
        let (mut document, hash) = writer.open().map_err(|error| refused(&error))?;
        document.merge_patch(&patch).map_err(|error| ErrorShape::invalid(error.to_string()))?;
        commit(&writer, &document.to_string(), hash.as_deref(), &Drops::All)
    })
}

fn apply(call: Call<'_>) -> Work {
    replace(call, "config.apply", |cx, params| {
        let writer = Writer::new(cx.paths.clone(), cx.env.clone());
        commit(&writer, &params.raw, params.base_hash.as_deref(), &Drops::All)
    })
}

type Change = fn(&Context, &ConfigApplyParams) -> Result<Committed, ErrorShape>;

/// What `config.patch` and `config.apply` share: write, reload, and tell whether a restart follows.
fn replace(call: Call<'_>, reason: &'static str, change: Change) -> Work {
    let params: ConfigApplyParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let cx = call.cx.clone();
    later(async move {
        let params = Arc::new(params);
        let (cx2, params2) = (cx.clone(), params.clone());
        let committed = blocking(move || change(&cx2, &params2)).await?;
        answer(&cx, &params, committed, reason).await
    })
}

async fn answer(
    cx: &Arc<Context>,
    params: &ConfigApplyParams,
    committed: Committed,
    reason: &'static str,
) -> Reply {
    let delay_ms = params.restart_delay_ms.unwrap_or(RESTART_DELAY_MS).min(RESTART_DELAY_MAX_MS);
    let done = cx.control.reload(Duration::from_millis(delay_ms)).await;
    let path = committed.path.display().to_string();
    let payload = SentinelPayload {
        kind: SentinelKind::ConfigApply,
        status: "ok".to_owned(),
        ts: u64::try_from(cx.clock.now()).unwrap_or_default(),
        session_key: params.session_key.clone(),
        message: params.note.clone(),
        doctor_hint: "Run: clawdbot doctor --non-interactive".to_owned(),
        stats: SentinelStats { mode: reason.to_owned(), root: path.clone() },
    };
    let mut sentinel = Sentinel { path: None, payload };
    let mut restart = None;
    if done.restarts {
        sentinel.path = write_sentinel(cx, &sentinel.payload).await;
        restart = Some(Restart {
            ok: true,
            pid: std::process::id(),
            signal: "SIGUSR1".to_owned(),
            delay_ms,
            reason: Some(reason.to_owned()),
            mode: RestartMode::Emit,
        });
    }
    json(&ConfigApplyResult { ok: true, path, config: committed.snapshot.value, restart, sentinel })
}

/// Leaves word for the next start. A failure costs only that word.
async fn write_sentinel(cx: &Arc<Context>, payload: &SentinelPayload) -> Option<String> {
    let path = cx.paths.state.join("restart-sentinel.json");
    let text = serde_json::to_vec(&value!({ "version": 1, "payload": payload })).ok()?;
    let target = path.clone();
    let written = tokio::task::spawn_blocking(move || atomic_file::replace(&target, &text)).await;
    match written {
        Ok(Ok(())) => Some(path.display().to_string()),
        Ok(Err(error)) => {
            tracing::warn!(subsystem = "gateway", %error, "the restart sentinel could not be written");
            None
        }
        Err(_) => None,
    }
}

/// The base-hash guard in the order of the original: before anything else about the request.
fn guard(present: &Snapshot, base_hash: Option<&str>) -> Result<(), ErrorShape> {
    if !present.exists {
        return Ok(());
    }
    let error = match base_hash.map(str::trim).filter(|hash| !hash.is_empty()) {
        _ if present.hash.is_empty() => write::Error::BaseHashUnavailable,
        None => write::Error::BaseHashRequired,
        Some(hash) if hash == present.hash => return Ok(()),
        Some(_) => write::Error::Changed,
    };
    Err(refused(&error))
}

fn parse(raw: &str) -> Result<Value, ErrorShape> {
    Document::parse(raw)
        .map(|document| document.value().clone())
        .map_err(|error| ErrorShape::invalid(error.to_string()))
}

fn commit(
    writer: &Writer,
    text: &str,
    base_hash: Option<&str>,
    drops: &Drops,
) -> Result<Committed, ErrorShape> {
    writer.commit(text, base_hash, drops).map_err(|error| refused(&error))
}

fn refused(error: &write::Error) -> ErrorShape {
    match error {
        write::Error::Invalid { issues: found } => {
            ErrorShape::invalid("invalid config").with_details(value!({ "issues": issues(found) }))
        }
        write::Error::Io { .. } => {
            let fix = disk::advice(error).map(|advice| format!("; {advice}")).unwrap_or_default();
            thrown(&format!("{}{fix}", Chain(error)))
        }
        _ => ErrorShape::invalid(error.to_string()),
    }
}

fn issues(found: &[Issue]) -> Vec<ConfigIssue> {
    let issue = |issue: &Issue| ConfigIssue { path: issue.path.clone(), message: issue.message.clone() };
    found.iter().map(issue).collect()
}
