//! Takes a plan, brings it into force, and shows that the gateway works.

use gateway_base::error_chain::Chain;
use gateway_onboard::answers::{Mode, Wish};
use gateway_onboard::apply::{self, Place, apply};
use gateway_onboard::plan::Plan;

use super::follow;
use super::key_check::Verdict;
use super::summary::{Local, Remote, Seen};
use crate::app::App;
use crate::args::{ClientOptions, OnboardArgs, StatusArgs};
use crate::cmds::{config, dashboard, status};
use crate::exit::{Exit, Failure};
use crate::text::{Style, Text};

/// How long the control plane may take to answer at the end.
const PROBE: std::time::Duration = std::time::Duration::from_secs(10);

/// Takes the plan to its end.
pub async fn finish(
    app: &App,
    args: &OnboardArgs,
    plan: Plan,
    verdict: Option<Verdict>,
    warnings: Vec<String>,
) -> Result<Exit, Failure> {
    let before = follow::look(app).await;
    let place =
        Place { paths: app.paths.clone(), env: app.env.clone(), now: app.clock.now(), command: "onboard" };
    let work = apply(plan.clone(), place);
    let done = app.out.during("writing", work).await.map_err(|error| refused(app, error))?;
    let corrections = plan.gateway.corrections.iter().map(|&text| text.to_owned());
    // A person has read it before answering the last question.
    let missing_key = plan.missing_key.clone().filter(|_| args.non_interactive);
    let mut seen = Seen {
        changed: done.changed,
        key_check: verdict.as_ref().map(Verdict::word),
        warnings: warnings.into_iter().chain(corrections).chain(missing_key).collect(),
    };
    say(app, &done.lines)?;
    if plan.mode == Mode::Remote {
        return remote(app, done.changed);
    }
    warn(app, &seen.warnings);
    if let Some(verdict) = verdict {
        tell(app, &verdict, &mut seen)?;
    }
    match follow::follow(app, plan.service, done.changed, before).await {
        Ok(None) => {}
        Ok(Some(outcome)) => {
            if !app.out.is_json() {
                app.out.print(&outcome.render())?;
            }
            warn(app, &outcome.warnings);
            seen.warnings.extend(outcome.warnings);
        }
        Err(failure) => {
            let (said, tip) = (
                format!("Gateway service install failed: {failure}"),
                format!("Tip: rerun `{}` after fixing the error.", app.suggest("install")),
            );
            let hint = hint(&failure);
            let lines: Vec<String> = [Some(said), hint, Some(tip)].into_iter().flatten().collect();
            warn(app, &lines);
            seen.warnings.extend(lines);
        }
    }
    if let Some(line) = other_token(app) {
        warn(app, std::slice::from_ref(&line));
        seen.warnings.push(line);
    }
    let shown = show(app, args, plan.service).await?;
    if app.out.is_json() {
        app.out.json(&Local::new(args, &plan, seen))?;
    }
    Ok(shown)
}

/// Waits for health, prints the status and the link.
async fn show(app: &App, args: &OnboardArgs, wish: Wish) -> Result<Exit, Failure> {
    let mut exit = Exit::Ok;
    if args.skip_health {
        return link(app, args).await.map(|()| exit);
    }
    // A person who left the service alone starts the gateway later; a script expects one.
    let start = format!("Start the gateway with: {}", app.suggest_start());
    let nobody = !args.non_interactive && wish == Wish::Leave;
    let wait = if nobody { std::time::Duration::ZERO } else { args.health_wait };
    if !follow::healthy(app, wait).await {
        if nobody {
            link(app, args).await?;
            app.out.say(start)?;
            return Ok(Exit::Ok);
        }
        let why = format!("no gateway serves after {} s; the configuration is written", wait.as_secs_f32());
        return Err(Failure::failed(why).hint(format!("{start}\nOr leave out this check: --skip-health")));
    }
    if !app.out.is_json() {
        let client = ClientOptions { url: None, token: None, password: None, timeout: PROBE, json: false };
        let args = StatusArgs { client, no_probe: false, deep: false };
        exit = Box::pin(status::run(app, &args)).await?;
    }
    link(app, args).await?;
    Ok(exit)
}

/// What this shell's clients would be refused for.
fn other_token(app: &App) -> Option<String> {
    let (settings, env) = app.settings();
    let stored = settings.text("gateway.auth.token").filter(|_| !settings.is_remote())?;
    let shell = env.get("CLAWDBOT_GATEWAY_TOKEN").map(str::trim).filter(|shell| *shell != stored)?;
    (!shell.is_empty()).then(|| {
        "CLAWDBOT_GATEWAY_TOKEN of this shell is not the token in the configuration. Clients here use the former: \
         unset it, or store it with --gateway-token-file."
            .to_owned()
    })
}

async fn link(app: &App, args: &OnboardArgs) -> Result<(), Failure> {
    if args.skip_ui || app.out.is_json() {
        return Ok(());
    }
    dashboard::show(app, !args.no_qr).await
}

fn remote(app: &App, changed: bool) -> Result<Exit, Failure> {
    let (settings, _) = app.settings();
    let url = settings.text("gateway.remote.url").unwrap_or_default();
    let auth = if settings.text("gateway.remote.token").is_some() { "token" } else { "none" };
    if app.out.is_json() {
        app.out.json(&Remote::new(url, auth, changed))?;
    } else {
        app.out.say(format!("Remote gateway: {url}"))?;
        app.out.say(format!("Auth: {auth}"))?;
    }
    Ok(Exit::Ok)
}

fn tell(app: &App, verdict: &Verdict, seen: &mut Seen) -> Result<(), Failure> {
    match verdict {
        Verdict::Good(said) => say(app, std::slice::from_ref(said)),
        other => {
            let line = other.sentence().to_owned();
            warn(app, std::slice::from_ref(&line));
            seen.warnings.push(line);
            Ok(())
        }
    }
}

fn say(app: &App, lines: &[String]) -> Result<(), Failure> {
    if app.out.is_json() {
        return Ok(());
    }
    let mut text = Text::default();
    lines.iter().for_each(|line| text.say(line));
    app.out.print(&text)
}

fn warn(app: &App, lines: &[String]) {
    let mut text = Text::default();
    for line in lines.iter().flat_map(|line| line.lines()) {
        text.styled(Style::Warn, line);
    }
    app.out.note(&text);
}

fn hint(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Failed(reason) => reason.hint.clone(),
        Failure::Closed | Failure::Told(_) => None,
    }
}

/// Why a plan was not taken, with the next command.
pub fn refused(app: &App, error: apply::Error) -> Failure {
    match error {
        apply::Error::Write(error) => config::refused(app, error),
        apply::Error::Reset(error @ gateway_onboard::reset::Error::Running { .. }) => {
            let stop = app.suggest("shutdown");
            Failure::failed(error.to_string()).hint(format!("Stop it with: {stop}"))
        }
        error => Failure::failed(Chain(&error).to_string()),
    }
}
