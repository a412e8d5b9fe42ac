//! What the service is called (operations 6.1). One name is used everywhere, the override included.

use std::path::{Path, PathBuf};

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::profile::Profile;

use super::scope::Scope;

/// Where units are that the administrator of a machine writes.
const SYSTEM_UNITS: &str = "/etc/systemd/system";
/// The longest name of a unit that systemd takes.
const MAX_UNIT: usize = 255;

/// The longest label whose file has a name that every file system takes.
const MAX_LABEL: usize = 200;
/// The longest name of a task that the scheduler takes.
const MAX_TASK: usize = 200;

/// The service's names and files for one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The systemd unit, with its `.service`.
    pub unit: String,
    /// Where the user unit is.
    pub unit_file: PathBuf,
    /// The launchd label.
    pub label: String,
    /// Where the property list of the LaunchAgent is.
    pub agent_file: PathBuf,
    /// The scheduled task.
    pub task: String,
    /// Where the definition of the task is kept.
    pub task_file: PathBuf,
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
        let agents = paths.home.join("Library").join("LaunchAgents");
        let agent_file = agents.join(format!("{label}.plist"));
        let task_file = paths.state.join("gateway-task.xml");
        Self { unit, unit_file, label, agent_file, task, task_file }
    }

    /// Where the unit of `scope` is.
    #[must_use]
    pub fn unit_path(&self, scope: Scope) -> PathBuf {
        match scope {
            Scope::User => self.unit_file.clone(),
            Scope::System => Path::new(SYSTEM_UNITS).join(&self.unit),
        }
    }

    /// Whose service is meant when nobody says: this user's, unless only the machine has one.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let there = |scope| self.unit_path(scope).exists();
        if !there(Scope::User) && there(Scope::System) { Scope::System } else { Scope::User }
    }

    /// The description of the service.
    #[must_use]
    pub fn description(profile: Option<&Profile>, version: &str) -> String {
        match profile.filter(|profile| !profile.is_default()) {
            Some(profile) => format!("Clawdbot Gateway (profile: {}, v{version})", profile.name()),
            None => format!("Clawdbot Gateway (v{version})"),
        }
    }

    /// Whether the unit's name is one: an override must not lead out of the folder of units, nor name a template.
    #[must_use]
    pub fn is_unit_name(&self) -> bool {
        let stem = self.unit.strip_suffix(".service").unwrap_or_default();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        !stem.is_empty()
            && self.unit.len() <= MAX_UNIT
            && !stem.starts_with(['-', '.'])
            && stem.bytes().all(plain)
    }

    /// Whether the label is one: it names a file, and stands in a path of launchd.
    #[must_use]
    pub fn is_label(&self) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        !self.label.is_empty()
            && self.label.len() <= MAX_LABEL
            && !self.label.starts_with(['-', '.'])
            && self.label.bytes().all(plain)
    }

    /// Whether the task's name is one: it names a file, and a backslash would name a folder of tasks.
    #[must_use]
    pub fn is_task_name(&self) -> bool {
        let plain = |c: char| c.is_alphanumeric() || " -_.()".contains(c);
        !self.task.is_empty()
            && self.task.len() <= MAX_TASK
            && !self.task.starts_with(['-', '.'])
            && self.task.chars().all(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::{env_at, place};

    fn names(profile: Option<&str>, env: &[(&str, &str)]) -> Names {
        let env = env_at("/home/you", env);
        let profile = profile.map(|name| Profile::parse(name).expect("is valid"));
        Names::new(&env, &Paths::resolve(&env, profile).expect("HOME is set"))
    }

    #[test]
    fn profiles_and_overrides_name_the_service() {
        let plain = names(None, &[]);
        assert_eq!(plain.unit, "clawdbot-gateway.service");
        assert_eq!(plain.label, "com.clawdbot.gateway");
        assert_eq!(
            plain.unit_file,
            Path::new(&place("/home/you/.config/systemd/user/clawdbot-gateway.service"))
        );
        assert_eq!(names(Some("Default"), &[]), plain);
        let work = names(Some("Work"), &[]);
        assert_eq!(
            (work.unit.as_str(), work.label.as_str()),
            ("clawdbot-gateway-Work.service", "com.clawdbot.Work")
        );
        assert_eq!(work.task, "Clawdbot Gateway (Work)");
        assert_eq!(
            work.agent_file,
            Path::new(&place("/home/you/Library/LaunchAgents/com.clawdbot.Work.plist"))
        );
        assert_eq!(work.task_file, Path::new(&place("/home/you/.clawdbot-Work/gateway-task.xml")));
        for name in ["mine", "mine.service"] {
            assert_eq!(names(Some("work"), &[("CLAWDBOT_SYSTEMD_UNIT", name)]).unit, "mine.service");
        }
    }
    #[test]
    fn the_system_has_its_own_folder() {
        let plain = names(None, &[]);
        assert_eq!(plain.unit_path(Scope::User), plain.unit_file);
        assert_eq!(plain.unit_path(Scope::System), Path::new("/etc/systemd/system/clawdbot-gateway.service"));
        let work = Profile::parse("Work").ok();
        assert_eq!(Names::description(work.as_ref(), "1.2"), "Clawdbot Gateway (profile: Work, v1.2)");
        assert_eq!(Names::description(None, "1.2"), "Clawdbot Gateway (v1.2)");
    }

    #[test]
    fn an_override_that_is_no_unit_name_is_known() {
        let long = "x".repeat(300);
        for bad in ["../x", "a b", "a/b", "x@y", "%i", "-x", ".x", "a\nb", "é", long.as_str()] {
            assert!(!names(None, &[("CLAWDBOT_SYSTEMD_UNIT", bad)]).is_unit_name(), "{bad}");
        }
        assert!(names(Some("a_b-c"), &[]).is_unit_name());
        for bad in ["../x", "a b", "a/b", "-x", ".x", "a\nb", "é", "%", long.as_str()] {
            assert!(!names(None, &[("CLAWDBOT_LAUNCHD_LABEL", bad)]).is_label(), "{bad}");
        }
        for bad in ["..\\x", "a\\b", "a/b", "/F", "-x", "a\nb", "\"", "%PATH%", "a*", long.as_str()] {
            assert!(!names(None, &[("CLAWDBOT_WINDOWS_TASK_NAME", bad)]).is_task_name(), "{bad}");
        }
        for profile in [None, Some("a_b-c")] {
            assert!(names(profile, &[]).is_label() && names(profile, &[]).is_task_name());
        }
    }
}
