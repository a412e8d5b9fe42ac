//! `shutdown`: stops or restarts the gateway and shows each step as it happens.

use std::time::Duration;

use gateway_admin::time;
use gateway_admin::v1::{ShutdownMode, ShutdownRequest, ShutdownResponse, StepState};
use gateway_base::limits::SERVICE_STOP;
use serde::Serialize;

use crate::admin;
use crate::app::App;
use crate::args::ShutdownArgs;
use crate::exit::{Exit, Failure};
use crate::text::{Line, Style, Text};

/// How long a restarted gateway may take to answer again.
const COME_BACK: Duration = Duration::from_secs(30);
/// How often a gateway that restarts is asked whether it is back.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Stops or restarts the gateway.
pub async fn run(app: &App, args: &ShutdownArgs) -> Result<Exit, Failure> {
    let mut client = admin::require(app).await?;
    let before = if args.restart { started_at(&mut client).await } else { None };
    let mode = if args.restart { ShutdownMode::Restart } else { ShutdownMode::Stop };
    let request = ShutdownRequest {
        mode: mode.into(),
        drain_limit: args.drain.map(time::duration),
        reason: args.reason.clone(),
    };
    // As long as a service manager would wait: whoever takes longer does nothing any more.
    let limit = SERVICE_STOP + args.drain.unwrap_or_default();
    let asking = admin::in_time(app, limit, client.shutdown(request));
    let mut stream = app.out.during("waiting for the gateway", asking).await?.into_inner();
    let mut steps = Vec::new();
    loop {
        let next = async { Ok(stream.message().await) };
        match admin::in_time(app, limit, next).await? {
            Ok(Some(step)) => {
                if !app.out.is_json()
                    && let Some(line) = step_line(&step)
                {
                    app.out.say(line)?;
                }
                steps.push(step);
            }
            // The socket closes last; that it went is the end of the stream, however it looks.
            Ok(None) => break,
            Err(_) if !steps.is_empty() => break,
            Err(status) => return Err(admin::call_failure(app, &status)),
        }
    }
    drop(client);
    if args.restart {
        let back = app.out.during("waiting for the gateway to come back", come_back(app, before));
        back.await?;
    }
    finish(app, args.restart, &steps)
}

fn finish(app: &App, restart: bool, steps: &[ShutdownResponse]) -> Result<Exit, Failure> {
    if app.out.is_json() {
        app.out.json(&document(restart, steps))?;
        return Ok(Exit::Ok);
    }
    let mut text = Text::default();
    text.styled(Style::Good, if restart { "✓ gateway restarted" } else { "✓ gateway stopped" });
    app.out.print(&text)?;
    Ok(Exit::Ok)
}

/// When the daemon that answers now was started, and its process.
async fn started_at(client: &mut admin::Client) -> Option<(i64, u32)> {
    let request = admin::within(gateway_admin::v1::StatusRequest {}, Duration::from_secs(5));
    let process = client.status(request).await.ok()?.into_inner().process?;
    Some((time::unix_ms(&process.started_at?), process.pid))
}

/// Waits until a daemon that is not the one from before answers and serves.
async fn come_back(app: &App, before: Option<(i64, u32)>) -> Result<(), Failure> {
    let again = async {
        loop {
            if let Ok(mut client) = admin::connect(app).await
                && let Some(now) = started_at(&mut client).await
                && Some(now) != before
            {
                return;
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    };
    tokio::time::timeout(COME_BACK, again).await.map_err(|_| {
        Failure::failed(format!(
            "The gateway stopped and did not come back within {} s.",
            COME_BACK.as_secs()
        ))
        .hint(format!("Its log may say why: {}", app.suggest("logs")))
    })
}

fn step_line(step: &ShutdownResponse) -> Option<Line> {
    let (style, mark) = match step.state() {
        StepState::Done => (Style::Good, "✓"),
        StepState::TimedOut => (Style::Warn, "!"),
        StepState::Failed => (Style::Bad, "✗"),
        StepState::Running if !step.detail.is_empty() => (Style::Faint, "…"),
        StepState::Running | StepState::Unspecified => return None,
    };
    let mut rest = format!(" {}", step.step);
    if !step.detail.is_empty() {
        rest.push_str(&format!(": {}", step.detail));
    }
    if step.remaining > 0 && step.state() != StepState::Done {
        rest.push_str(&format!(" ({} left)", step.remaining));
    }
    Some(Line::default().with(style, mark).with(Style::Plain, rest))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    ok: bool,
    action: &'static str,
    duration_ms: u64,
    steps: Vec<Step<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step<'a> {
    step: &'a str,
    state: &'static str,
    detail: &'a str,
    elapsed_ms: u64,
    remaining: u64,
}

fn document(restart: bool, steps: &[ShutdownResponse]) -> Document<'_> {
    let elapsed = |step: &ShutdownResponse| {
        let length = step.elapsed.as_ref().and_then(time::length).unwrap_or_default();
        u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
    };
    let steps_out = steps.iter().map(|step| Step {
        step: &step.step,
        state: match step.state() {
            StepState::Done => "done",
            StepState::TimedOut => "timed-out",
            StepState::Failed => "failed",
            StepState::Running | StepState::Unspecified => "running",
        },
        detail: &step.detail,
        elapsed_ms: elapsed(step),
        remaining: step.remaining,
    });
    Document {
        ok: true,
        action: if restart { "restart" } else { "stop" },
        duration_ms: steps.last().map(elapsed).unwrap_or_default(),
        steps: steps_out.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    fn step(name: &str, state: StepState, detail: &str, remaining: u64) -> ShutdownResponse {
        ShutdownResponse {
            step: name.to_owned(),
            state: state.into(),
            detail: detail.to_owned(),
            elapsed: Some(time::duration(Duration::from_millis(40))),
            remaining,
        }
    }

    #[test]
    fn steps_are_shown_once_they_mean_something() {
        let line = |step: &ShutdownResponse| {
            step_line(step).map(|line| line.pieces().map(|(_, text)| text.to_owned()).collect::<String>())
        };
        assert_eq!(line(&step("health", StepState::Running, "", 0)), None);
        let waits = step("drain", StepState::Running, "runs finish", 2);
        assert_eq!(line(&waits).as_deref(), Some("… drain: runs finish (2 left)"));
        let late = step("drain", StepState::TimedOut, "2 runs were aborted", 0);
        assert_eq!(line(&late).as_deref(), Some("! drain: 2 runs were aborted"));
        assert_eq!(line(&step("store", StepState::Done, "", 0)).as_deref(), Some("✓ store"));
    }

    #[test]
    fn the_document_has_its_schema() {
        let steps = [step("health", StepState::Done, "", 0), step("drain", StepState::TimedOut, "late", 1)];
        assert_schema("shutdown", &document(true, &steps));
        assert_schema("shutdown", &document(false, &[]));
    }
}
