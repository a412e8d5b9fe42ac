//! The two ways through: a script with flags, and a person with prompts.

use gateway_base::secret::Secret;
use gateway_onboard::answers::{Answers, Auth, Provider, Wish};
use gateway_onboard::credentials;
use gateway_onboard::facts::{Facts, Host, Service};
use gateway_onboard::plan::Plan;
use gateway_onboard::providers::Choice;
use gateway_onboard::wizard::{Next, Wizard};

use super::finish::finish;
use super::key_check::{self, Verdict};
use super::prompt::{self, Prompts, Stop};
use super::{around, flags};
use crate::app::App;
use crate::args::OnboardArgs;
use crate::exit::{Exit, Failure};
use crate::text::Text;

/// Sets the gateway up.
pub async fn run(app: &App, args: &OnboardArgs) -> Result<Exit, Failure> {
    let answers = flags::answers(args)?;
    if args.non_interactive {
        if !args.accept_risk {
            return Err(not_accepted(app));
        }
        return scripted(app, args, answers).await;
    }
    if args.json {
        return Err(Failure::new(Exit::Usage, "--json needs --non-interactive"));
    }
    by_person(app, args, answers, Prompts::choose(app, args.plain)?).await
}

/// Asks, then does it.
async fn by_person(
    app: &App,
    args: &OnboardArgs,
    answers: Answers,
    prompts: Prompts,
) -> Result<Exit, Failure> {
    let asking = Box::pin(asked(app, args, answers, prompts));
    let planned = if prompts == Prompts::Arrows {
        // Listened for from the beginning: a prompt that is interrupted then ends and puts the terminal back, instead of
        // the whole program ending at once.
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => None,
            planned = asking => planned?,
        }
    } else {
        asking.await?
    };
    let Some(Planned { plan, verdict }) = planned else { return cancelled(app) };
    let interrupted = || Failure::failed("interrupted; what was done until then stays").hint(again(app));
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Err(interrupted()),
        done = Box::pin(finish(app, args, plan, verdict, Vec::new())) => done,
    }
}

fn again(app: &App) -> String {
    format!("Run it again to go on: {}", app.suggest("onboard"))
}

fn not_accepted(app: &App) -> Failure {
    let again = app.suggest("onboard --non-interactive --accept-risk ...");
    Failure::failed(format!(
        "Non-interactive onboarding requires explicit risk acknowledgement.\n\
         Read: https://docs.clawd.bot/security\nRe-run with: {again}"
    ))
}

async fn scripted(app: &App, args: &OnboardArgs, answers: Answers) -> Result<Exit, Failure> {
    let facts = around::facts(app).await?;
    if !facts.issues.is_empty() && !args.reset {
        return Err(broken(&facts));
    }
    let provider = flags::provider(app, args, &facts, app.clock.now())?;
    let mut warnings = Vec::new();
    let answers = without_manager(app, &facts, answers, &mut warnings);
    let answers = Answers { provider, ..from_environment(app, answers) };
    let plan = Plan::new(&facts, &answers).map_err(|error| Failure::failed(error.to_string()))?;
    let verdict = if args.skip_key_check { None } else { try_key(app, &facts, &answers).await };
    if let Some(Verdict::Refused(said)) = &verdict {
        return Err(Failure::failed(format!("{said} Nothing was written."))
            .hint("Check the key, or store it all the same with --skip-key-check."));
    }
    finish(app, args, plan, verdict, warnings).await
}

fn broken(facts: &Facts) -> Failure {
    let listed: Vec<String> = facts.issues.iter().map(|issue| format!("- {issue}")).collect();
    let text = format!("Config invalid. Run `{}` to repair it, then re-run onboarding.", facts.doctor);
    Failure::new(Exit::BadConfig, text).hint(listed.join("\n"))
}

/// A password that this shell's clients use counts as given.
fn from_environment(app: &App, answers: Answers) -> Answers {
    let env = app.env.get("CLAWDBOT_GATEWAY_PASSWORD").map(|text| Secret::new(text.trim()));
    let is_wanted = answers.auth == Some(Auth::Password);
    let password = answers.password.or_else(|| env.filter(|_| is_wanted));
    Answers { password, ..answers }
}

/// Where the service manager cannot be asked, that is said and the service is left out.
fn without_manager(app: &App, facts: &Facts, answers: Answers, warnings: &mut Vec<String>) -> Answers {
    let wants = matches!(answers.service, Some(Wish::Install | Wish::Reinstall | Wish::Restart));
    if !wants || facts.host != Host::Terminal(Service::Unavailable) {
        return answers;
    }
    warnings.push(if cfg!(target_os = "linux") {
        "Systemd user services are unavailable; skipping service install.".to_owned()
    } else {
        "The service manager cannot be asked; skipping service install.".to_owned()
    });
    warnings.push(format!("What is missing: {}", app.suggest("install")));
    Answers { service: Some(Wish::Leave), ..answers }
}

async fn try_key(app: &App, facts: &Facts, answers: &Answers) -> Option<Verdict> {
    let (choice, key) = match answers.provider.as_ref()? {
        Provider::Key(key) => (key.choice, key.secret.clone()),
        Provider::Stored(choice) => (*choice, credentials::kept_key(&app.paths, choice.provider)?),
        Provider::Skip | Provider::Borrowed(..) => return None,
    };
    Some(check(app, facts, choice, &key).await)
}

async fn check(app: &App, facts: &Facts, choice: &Choice, key: &Secret) -> Verdict {
    app.out.during("trying the key", key_check::check(facts, choice, key)).await
}

/// What came of the questions.
struct Planned {
    plan: Plan,
    verdict: Option<Verdict>,
}

/// `None` when the person does not want to go on.
async fn asked(
    app: &App,
    args: &OnboardArgs,
    answers: Answers,
    prompts: Prompts,
) -> Result<Option<Planned>, Failure> {
    let facts = around::facts(app).await?;
    let provider =
        if args.auth_choice.is_some() { flags::provider(app, args, &facts, app.clock.now())? } else { None };
    let mut wizard = Wizard::new(facts.clone(), Answers { provider, ..answers });
    let mut verdict = None;
    loop {
        let step = match wizard.next() {
            Next::Ask(step) => step,
            Next::Apply(plan) => return Ok(Some(Planned { plan: *plan, verdict })),
            Next::Cancelled(_) => return Ok(None),
            Next::Failed(why) if !facts.issues.is_empty() => return Err(Failure::new(Exit::BadConfig, why)),
            Next::Failed(why) => return Err(Failure::failed(why)),
        };
        match prompts.ask(app, &step, |answer| wizard.answer(answer)) {
            Ok(()) => {}
            Err(Stop::Cancelled) => return Ok(None),
            Err(Stop::Failed(failure)) => return Err(failure),
        }
        // A prompt blocks; an interrupt between two keys is noticed here.
        tokio::task::yield_now().await;
        if let Some((choice, key)) = wizard.fresh_key().filter(|_| !args.skip_key_check) {
            let found = check(app, &facts, choice, key).await;
            if let Verdict::Refused(said) = &found {
                match keep_anyway(app, prompts, said) {
                    Ok(true) => {}
                    Ok(false) => wizard.forget_key(),
                    Err(Stop::Cancelled) => return Ok(None),
                    Err(Stop::Failed(failure)) => return Err(failure),
                }
            }
            verdict = Some(found);
        }
    }
}

/// A key that was refused is kept only when that is meant.
fn keep_anyway(app: &App, prompts: Prompts, said: &str) -> Result<bool, Stop> {
    let mut keep = false;
    let take = |answer: &serde_json::Value| {
        keep = gateway_onboard::step::yes(answer);
        Ok(())
    };
    prompts.ask(app, &prompt::keep_anyway(said), take)?;
    Ok(keep)
}

fn cancelled(app: &App) -> Result<Exit, Failure> {
    let mut text = Text::default();
    text.say("Setup cancelled.");
    app.out.note(&text);
    Ok(Exit::Ok)
}
