//! `wizard.*` (ws-protocol 5.8). What is asked and what comes of it is the machine's; here it meets files. The settings
//! are written where that may block, and the run ends with that, so a client that left meanwhile finds its end.

use std::sync::Arc;
use std::time::Duration;

use gateway_base::error_chain::Chain;
use gateway_base::id;
use gateway_base::secret::Secret;
use gateway_domain::wizard::{self, Ended, Turn};
use gateway_onboard::answers::{Answers, Mode};
use gateway_onboard::apply::{self, Place};
use gateway_onboard::facts::{self, Around, Facts, Host};
use gateway_onboard::plan::Plan;
use gateway_onboard::step::{Kind, Step};
use gateway_onboard::workspace;
use gateway_wire::error::ErrorShape;
use gateway_wire::types::wizard::{
    WizardExecutor, WizardKind, WizardMode, WizardNext, WizardNextParams, WizardOption, WizardSessionParams,
    WizardStartParams, WizardStarted, WizardState, WizardStatus, WizardStep,
};
use serde_json::Value;

use crate::context::Context;
use crate::error::thrown;
use crate::registry::{Call, Function, Work, json, later, now};

pub(super) const BINDINGS: &[(&str, Function)] =
    &[("wizard.start", start), ("wizard.next", next), ("wizard.cancel", cancel), ("wizard.status", status)];

/// Delay before a restart that new settings need, so that the last answer can leave.
const RESTART_DELAY: Duration = Duration::from_secs(2);

fn start(call: Call<'_>) -> Work {
    let params: WizardStartParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    if let Err(error) = call.cx.domain.wizards.check_free() {
        return Work::Done(Err(refused(error)));
    }
    let cx = call.cx.clone();
    later(async move {
        let place = cx.clone();
        let facts = tokio::task::spawn_blocking(move || look(&place)).await.map_err(|e| thrown(&e))??;
        let mode = params.mode.map(|mode| match mode {
            WizardMode::Local => Mode::Local,
            WizardMode::Remote => Mode::Remote,
        });
        let answers = Answers { mode, workspace: params.workspace, ..Answers::default() };
        let (session_id, turn) = cx.domain.wizards.start(facts, answers).map_err(refused)?;
        let next = follow(&cx, &session_id, turn).await?;
        json(&WizardStarted { session_id, next })
    })
}

fn next(call: Call<'_>) -> Work {
    let params: WizardNextParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let cx = call.cx.clone();
    later(async move {
        let id = &params.session_id;
        let answer = params.answer.as_ref().map(|answer| (answer.step_id.as_str(), &answer.value));
        let turn = cx.domain.wizards.next(id, answer).map_err(refused)?;
        json(&follow(&cx, id, turn).await?)
    })
}

fn cancel(call: Call<'_>) -> Work {
    let params: WizardSessionParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let cx = call.cx.clone();
    later(async move {
        let id = &params.session_id;
        loop {
            match cx.domain.wizards.cancel(id).map_err(refused)? {
                Turn::Over(ended) => return json(&told(ended)),
                Turn::Wait(mut over) => drop(over.wait_for(|over| *over).await),
                Turn::Ask { .. } | Turn::Apply(_) => return Err(refused(wizard::Error::NotRunning)),
            }
        }
    })
}

fn status(call: Call<'_>) -> Work {
    now(|| {
        let params: WizardSessionParams = call.params()?;
        json(&told(call.cx.domain.wizards.status(&params.session_id).map_err(refused)?))
    })
}

/// The facts about this gateway.
fn look(cx: &Context) -> Result<Facts, ErrorShape> {
    let around = Around {
        host: Host::Gateway,
        serving: None,
        tailscale: facts::has_tailscale(&cx.env),
        doctor: "clawdbot doctor".to_owned(),
        fresh_token: Secret::new(id::strong_token().map_err(|error| thrown(&error))?),
    };
    let mut facts = Facts::read(&cx.paths, &cx.env, around);
    // The daemon tells the port that it really has in its environment; the file may name another.
    let tls = facts.dotted("gateway.tls.enabled") == Some(&Value::Bool(true));
    let scheme = if tls { "wss" } else { "ws" };
    facts.serving = cx.env.get("CLAWDBOT_GATEWAY_PORT").map(|port| format!("{scheme}://127.0.0.1:{port}"));
    Ok(facts)
}

/// What the client is told; what has to be done is done first.
async fn follow(cx: &Arc<Context>, id: &str, turn: Turn) -> Result<WizardNext, ErrorShape> {
    let mut turn = turn;
    loop {
        match turn {
            Turn::Ask { step_id, step } => {
                let (step, status) = (Some(shown(step_id, step)), Some(WizardState::Running));
                return Ok(WizardNext { done: false, step, status, error: None });
            }
            Turn::Over(Ended { state, error }) => {
                return Ok(WizardNext { done: true, step: None, status: Some(state), error });
            }
            Turn::Apply(plan) => take(cx, id, *plan).await?,
            // Whoever does it has forgotten the run when it was asked for its end first.
            Turn::Wait(mut over) => drop(over.wait_for(|over| *over).await),
        }
        turn = cx.domain.wizards.next(id, None).map_err(refused)?;
    }
}

/// Writes the settings, ends the run, and brings them into force.
async fn take(cx: &Arc<Context>, id: &str, plan: Plan) -> Result<(), ErrorShape> {
    let place =
        Place { paths: cx.paths.clone(), env: cx.env.clone(), now: cx.clock.now(), command: "onboard" };
    let (wizards, run) = (cx.domain.wizards.clone(), id.to_owned());
    let folder = plan.workspace.as_ref().filter(|(_, files)| *files).map(|(folder, _)| folder.clone());
    let work = tokio::task::spawn_blocking(move || {
        let done = apply::write(&plan, &place);
        let changed = done.as_ref().is_ok_and(|done| done.changed);
        wizards.finish(&run, done.map(drop).map_err(|error| Chain(&error).to_string()));
        changed
    });
    let changed = work.await.map_err(|error| thrown(&error))?;
    if let Some(folder) = folder {
        workspace::under_git(&folder, &cx.env).await;
    }
    if changed {
        cx.control.reload(RESTART_DELAY).await;
    }
    Ok(())
}

fn shown(id: String, step: Step) -> WizardStep {
    let options = step.options.into_iter().map(|choice| WizardOption {
        value: Value::String(choice.value),
        label: choice.label,
        hint: choice.hint,
    });
    let options: Vec<WizardOption> = options.collect();
    WizardStep {
        id,
        kind: match step.kind {
            Kind::Note => WizardKind::Note,
            Kind::Select => WizardKind::Select,
            Kind::Text => WizardKind::Text,
            Kind::Confirm => WizardKind::Confirm,
        },
        title: step.title,
        message: Some(step.message),
        options: Some(options).filter(|options| !options.is_empty()),
        initial_value: step.initial,
        placeholder: step.placeholder.map(str::to_owned),
        sensitive: step.sensitive.then_some(true),
        executor: Some(WizardExecutor::Client),
    }
}

fn told(ended: Ended) -> WizardStatus {
    WizardStatus { status: ended.state, error: ended.error }
}

fn refused(error: wizard::Error) -> ErrorShape {
    match error {
        wizard::Error::AlreadyRunning => ErrorShape::unavailable(error.to_string()),
        wizard::Error::NotFound | wizard::Error::NotRunning | wizard::Error::NoPendingStep => {
            ErrorShape::invalid(error.to_string())
        }
    }
}
