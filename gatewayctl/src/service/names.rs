//! What the service is called (operations 6.1). One name is used everywhere, the override included.

use std::path::PathBuf;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::profile::Profile;

/// The service's names and files for one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The systemd unit, with its `.service`.
    pub unit: String,
    /// Where the user unit is.
    pub unit_file: PathBuf,
    /// The launchd label.
    pub label: String,
    /// The scheduled task.
    pub task: String,
}

impl Names {
    /// The names for the profile of `paths`; the environment may replace each.
    #[must_use]
    pub fn new(env: &Env, paths: &Paths) -> Self {
        let profile = paths.profile.as_ref().filter(|profile| !profile.is_default()).map(Profile::name);
        let unit = env.get("CLAWDBOT_SYSTEMD_UNIT").map_or_else(
            || profile.map_or_else(|| "clawdbot-gateway".to_owned(), |p| format!("clawdbot-gateway-{p}")),
            |name| name.trim().trim_end_matches(".service").to_owned(),
        );
        let unit = format!("{unit}.service");
        let unit_file = paths.home.join(".config").join("systemd").join("user").join(&unit);
        let label = env.get("CLAWDBOT_LAUNCHD_LABEL").map_or_else(
            || format!("com.clawdbot.{}", profile.unwrap_or("gateway")),
            |l| l.trim().to_owned(),
        );
        let task = env.get("CLAWDBOT_WINDOWS_TASK_NAME").map_or_else(
            || profile.map_or_else(|| "Clawdbot Gateway".to_owned(), |p| format!("Clawdbot Gateway ({p})")),
            |task| task.trim().to_owned(),
        );
        Self { unit, unit_file, label, task }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn names(profile: Option<&str>, env: &[(&str, &str)]) -> Names {
        let env = Env::from_pairs([("HOME", "/home/you")].iter().chain(env).copied());
        let profile = profile.map(|name| Profile::parse(name).expect("is valid"));
        Names::new(&env, &Paths::resolve(&env, profile).expect("HOME is set"))
    }

    #[test]
    fn profiles_and_overrides_name_the_service() {
        let plain = names(None, &[]);
        assert_eq!(plain.unit, "clawdbot-gateway.service");
        assert_eq!(plain.label, "com.clawdbot.gateway");
        assert_eq!(plain.unit_file, Path::new("/home/you/.config/systemd/user/clawdbot-gateway.service"));
        assert_eq!(names(Some("Default"), &[]), plain);
        let work = names(Some("Work"), &[]);
        assert_eq!(
            (work.unit.as_str(), work.label.as_str()),
            ("clawdbot-gateway-Work.service", "com.clawdbot.Work")
        );
        assert_eq!(work.task, "Clawdbot Gateway (Work)");
        for name in ["mine", "mine.service"] {
            assert_eq!(names(Some("work"), &[("CLAWDBOT_SYSTEMD_UNIT", name)]).unit, "mine.service");
        }
    }
}
