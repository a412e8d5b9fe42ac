//! Gathers what `health` shows and decides the exit code.

use gateway_admin::v1::{HealthRequest, PartState};
use serde_json::{Value, json};

use super::parts::{Part, Question, part};
use super::render::render;
use crate::admin;
use crate::app::App;
use crate::args::HealthArgs;
use crate::exit::{Exit, Failure, Reason};
use crate::gateway;
use crate::target::Target;
use crate::text::Text;

/// Answers whether the gateway is healthy.
pub async fn run(app: &App, args: &HealthArgs) -> Result<Exit, Failure> {
    match question(args) {
        Some(question) => one_question(app, args, &question).await,
        None => everything(app, args).await,
    }
}

fn question(args: &HealthArgs) -> Option<Question> {
    if args.live {
        Some(Question::Live)
    } else if args.startup {
        Some(Question::Startup)
    } else if args.ready {
        Some(Question::Ready)
    } else {
        args.part.clone().map(Question::Part)
    }
}

/// A supervisor's probe: only the private socket is asked, so it needs no port, no secret and no configuration.
async fn one_question(app: &App, args: &HealthArgs, question: &Question) -> Result<Exit, Failure> {
    if args.client.is_explicit() {
        let message = "--live, --startup, --ready and --part ask the gateway of this machine; leave --url, --token and --password out";
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut client = admin::require(app).await?;
    let health = client.health(admin::within(HealthRequest {}, args.client.timeout)).await;
    let health = health.map_err(|status| admin::call_failure(app, &status))?.into_inner();
    let Some(answer) = question.answer(&health) else {
        let names: Vec<&str> = health.parts.iter().map(|part| part.name.as_str()).collect();
        return Err(Failure::new(
            Exit::Usage,
            format!("there is no such part; the parts are: {}", names.join(", ")),
        ));
    };
    if app.out.is_json() {
        app.out.json(&answer)?;
    } else {
        app.out.print(&answer.render())?;
    }
    Ok(if answer.ok { Exit::Ok } else { Exit::Failed })
}

async fn everything(app: &App, args: &HealthArgs) -> Result<Exit, Failure> {
    let (settings, env) = app.settings();
    let target = Target::resolve(&args.client, &settings, &env, &app.paths)?;
    let target = gateway::where_it_listens(app, target, args.client.timeout).await;
    let target = target.map_err(|failure| unhealthy(failure, &[]))?;
    let parts = async { if target.local { own_parts(app, args).await } else { (true, Vec::new()) } };
    let (health, (healthy, parts)) = tokio::join!(over_control_plane(app, args, &target), parts);
    let mut health = health.map_err(|failure| unhealthy(failure, &parts))?;
    if app.out.is_json() {
        if !parts.is_empty() && health.is_object() {
            health["ok"] = healthy.into();
            health["parts"] = json!(parts);
        }
        app.out.json(&health)?;
    } else {
        let details = target.details();
        app.out.print(&render(&health, healthy, &parts, args.verbose.then_some(&details)))?;
    }
    Ok(if healthy { Exit::Ok } else { Exit::Failed })
}

async fn over_control_plane(app: &App, args: &HealthArgs, target: &Target) -> Result<Value, Failure> {
    let params = if args.verbose { json!({"probe": true}) } else { json!({}) };
    let ask = gateway::over_websocket(app, target, args.client.timeout, "health", params, false);
    app.out.during("waiting for health", ask).await
}

/// Whether the daemon calls itself healthy, and its parts. One that has no socket for us says nothing against itself:
/// its control plane has answered.
async fn own_parts(app: &App, args: &HealthArgs) -> (bool, Vec<Part>) {
    let Ok(mut client) = admin::connect(app).await else { return (true, Vec::new()) };
    let health = client.health(admin::within(HealthRequest {}, args.client.timeout)).await;
    let health = health.map(tonic::Response::into_inner).unwrap_or_default();
    // A part that nobody's service depends on may fail; the daemon knows which.
    (health.state() != PartState::Failed, health.parts.iter().map(part).collect())
}

/// The verdict before the reason, and after it the parts that may be behind it.
fn unhealthy(failure: Failure, parts: &[Part]) -> Failure {
    match failure {
        Failure::Failed(Reason { exit: exit @ (Exit::Failed | Exit::Refused), message, hint }) => {
            let mut text = Text::default();
            parts.iter().filter(|part| part.is_troubled()).for_each(|part| text.push(part.line()));
            let parts = text.plain();
            let message = format!("✗ Gateway is not healthy\nError: {message}\n{}", parts.trim_end());
            Failure::Failed(Reason { exit, message: message.trim_end().to_owned(), hint })
        }
        other => other,
    }
}
