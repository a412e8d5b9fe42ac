//! How often a manager has started the service again by itself. A restart that somebody asked for is not among them,
//! as far as the manager tells them apart.

use super::control::Control;
use super::names::Names;
use super::runner::Runner;
use super::status::Runtime;

/// The manager's count; `None` where it keeps none or cannot be asked.
pub async fn restarts(
    control: &Control,
    names: &Names,
    runtime: &Runtime,
    runner: &impl Runner,
) -> Option<u64> {
    match control {
        Control::Systemd(manager) => {
            let ask = ["show", &names.unit, "--no-pager", "--property", "NRestarts"];
            let said = manager.ask(ask, runner).await.ok()?;
            said.lines().find_map(|line| line.strip_prefix("NRestarts=")?.trim().parse().ok())
        }
        Control::Launchd(manager) => {
            // Every start counts there; those after an end that was not a failure were asked for.
            let failed = runtime.last_exit_status.is_some_and(|status| status != 0);
            let ran = runner.run(&manager.print(names)).await.ok().filter(|ran| ran.success && failed)?;
            ran.stdout.lines().find_map(|line| line.trim().strip_prefix("runs = ")?.parse().ok())
        }
        Control::Schtasks(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use gateway_base::paths::Paths;

    use super::*;
    use crate::cmds::testing::env_at;
    use crate::service::runner::Ran;
    use crate::service::scope::Scope;
    use crate::service::testing::Fake;
    use crate::service::{launchd, systemd};

    async fn count(control: &Control, status: Option<i32>, said: &str) -> Option<u64> {
        let env = env_at("/home/you", &[]);
        let names = Names::new(&env, &Paths::resolve(&env, None).expect("HOME is set"));
        let answer = Ran { success: true, stdout: said.to_owned(), ..Ran::default() };
        let fake = Fake::answering(move |_| Ok(answer.clone()));
        let runtime = Runtime { last_exit_status: status, ..Runtime::default() };
        restarts(control, &names, &runtime, &fake).await
    }

    #[tokio::test]
    async fn each_manager_is_asked_in_its_own_words() {
        let systemd =
            Control::Systemd(systemd::Manager::at(Scope::User, std::path::Path::new("/run/user/7")));
        assert_eq!(count(&systemd, None, "NRestarts=12\n").await, Some(12));
        for said in ["", "NRestarts=\n", "NRestarts=-1\n", "NRestarts=x\n"] {
            assert_eq!(count(&systemd, None, said).await, None, "{said}");
        }
        let launchd = Control::Launchd(launchd::Manager::new(501));
        let text = "gui/501/com.clawdbot.gateway = {\n\tstate = running\n\truns = 7\n}\n";
        assert_eq!(count(&launchd, Some(1), text).await, Some(7));
        assert_eq!(count(&launchd, Some(0), text).await, None, "it was asked to start again");
    }
}
