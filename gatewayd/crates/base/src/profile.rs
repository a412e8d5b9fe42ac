//! Profiles keep several gateways of one user apart: own state folder, own config, own service names. The rules
//! and the exact refusals are the original's (operations 1.3).

use crate::env::Env;

/// A valid profile name, lower- or upper-case as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile(String);

/// Why a profile was refused; `gatewayd` and `gatewayctl` print it behind `[clawdbot] ` and exit 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `--dev` and `--profile other` together.
    #[error("Cannot combine --dev with --profile")]
    DevAndProfile,
    /// `--profile` as the last word, or with an empty value.
    #[error("--profile requires a value")]
    MissingValue,
    /// Anything but letters, digits, `_` and `-`, or too long.
    #[error("Invalid --profile (use letters, numbers, \"_\", \"-\" only)")]
    Invalid,
}

impl Profile {
    /// Checks `name` against `^[a-z0-9][a-z0-9_-]{0,63}$`, case ignored.
    pub fn parse(name: &str) -> Result<Self, Error> {
        if name.is_empty() {
            return Err(Error::MissingValue);
        }
        let ok = name.len() <= 64
            && name.as_bytes()[0].is_ascii_alphanumeric()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if ok { Ok(Self(name.to_owned())) } else { Err(Error::Invalid) }
    }

    /// The profile of `--dev`.
    #[must_use]
    pub fn dev() -> Self {
        Self("dev".to_owned())
    }

    /// The profile chosen by the root options, if any.
    pub fn from_options(dev: bool, name: Option<&str>) -> Result<Option<Self>, Error> {
        match (dev, name) {
            (false, None) => Ok(None),
            (true, None) => Ok(Some(Self::dev())),
            (false, Some(name)) => Self::parse(name).map(Some),
            (true, Some("dev")) => Ok(Some(Self::dev())),
            (true, Some(_)) => Err(Error::DevAndProfile),
        }
    }

    /// The profile named by `CLAWDBOT_PROFILE`, when it is a valid name.
    #[must_use]
    pub fn from_env(env: &Env) -> Option<Self> {
        env.get("CLAWDBOT_PROFILE").and_then(|name| Self::parse(name.trim()).ok())
    }

    /// The name as typed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether this is `default` in any case, which means "no suffix".
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0.eq_ignore_ascii_case("default")
    }

    /// What the state folder and the workspace append: `-work`, or nothing for `default`.
    #[must_use]
    pub fn suffix(&self) -> String {
        if self.is_default() { String::new() } else { format!("-{}", self.0) }
    }
}

/// Inserts `--profile NAME` after the command word of a suggested command, when a profile is active (operations
/// 1.3.4). `command` starts with `clawdbot`, `gatewayd` or `gatewayctl`.
#[must_use]
pub fn hint(profile: Option<&Profile>, command: &str) -> String {
    let Some(profile) = profile.filter(|p| !p.is_default()) else { return command.to_owned() };
    if command.contains("--profile") || command.contains("--dev") {
        return command.to_owned();
    }
    match command.split_once(' ') {
        Some((word, rest)) => format!("{word} --profile {} {rest}", profile.name()),
        None => format!("{command} --profile {}", profile.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(Profile::parse("work_2-x").is_ok());
        assert_eq!(Profile::parse(""), Err(Error::MissingValue));
        assert_eq!(Profile::parse("-x"), Err(Error::Invalid));
        assert_eq!(Profile::parse("a/b"), Err(Error::Invalid));
        assert_eq!(Profile::from_options(true, Some("x")), Err(Error::DevAndProfile));
        assert_eq!(Profile::from_options(true, Some("dev")), Ok(Some(Profile::dev())));
    }

    #[test]
    fn hints_name_the_profile() {
        let p = Profile::parse("work").ok();
        assert_eq!(hint(p.as_ref(), "clawdbot gateway stop"), "clawdbot --profile work gateway stop");
        assert_eq!(hint(None, "clawdbot gateway stop"), "clawdbot gateway stop");
    }
}
