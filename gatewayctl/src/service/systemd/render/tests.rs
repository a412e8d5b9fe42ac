use std::path::{Path, PathBuf};

use gateway_base::paths::Paths;
use gateway_base::profile::Profile;

use super::*;
use crate::cmds::testing::{assert_golden, env_at};
use crate::service::names::Names;
use crate::service::spec::Parts;
use crate::service::status::{Command, Manager};
use crate::service::systemd::parse;

fn spec(scope: Scope, profile: Option<&str>) -> Spec {
    let env = env_at("/home/you", &[]);
    let profile = profile.and_then(|name| Profile::parse(name).ok());
    let paths = Paths::resolve(&env, profile).expect("HOME is set");
    Spec::new(Parts {
        manager: Manager::Systemd,
        scope,
        names: &Names::new(&env, &paths),
        paths: &paths,
        env: &env,
        program: Path::new("/usr/bin/gatewayd"),
        port: 18789,
        user: (scope == Scope::System).then_some("you"),
    })
}

fn read(text: &str) -> Command {
    parse::unit(text, Path::new("/u"))
}

#[cfg(unix)]
#[test]
fn the_units_are_reviewed() {
    let golden = |name: &str, scope, profile, version| {
        let text = unit(&spec(scope, profile), version).expect("is written");
        assert_golden(name, &text.replace(env!("CARGO_PKG_VERSION"), "<version>"));
    };
    golden("systemd-user", Scope::User, None, 252);
    golden("systemd-user-profile", Scope::User, Some("work"), 254);
    golden("systemd-system", Scope::System, None, 252);
}

#[test]
fn what_is_written_is_read_back() {
    for (scope, profile) in [(Scope::User, None), (Scope::User, Some("Work")), (Scope::System, Some("x"))] {
        let spec = spec(scope, profile);
        let command = read(&unit(&spec, 254).expect("is written"));
        assert_eq!(command.program_arguments[0], "/usr/bin/gatewayd");
        assert_eq!(command.program_arguments[1..], spec.arguments);
        assert_eq!(command.environment, spec.environment.into_iter().collect());
    }
}

#[test]
fn a_unit_of_ours_has_no_finding() {
    for scope in [Scope::User, Scope::System] {
        let text = unit(&spec(scope, None), 252).expect("is written");
        let audit = crate::service::audit(Manager::Systemd, Some(&read(&text)), &text, |_| true);
        assert!(audit.ok, "{audit:?}");
    }
}

#[test]
fn a_value_never_makes_a_line_of_its_own() {
    let lines = |change: &dyn Fn(&mut Spec)| {
        let mut spec = spec(Scope::User, None);
        change(&mut spec);
        unit(&spec, 252).expect("is written").lines().count()
    };
    let before = lines(&|_| {});
    for value in ["[Service]", "# no comment", ";", "a\\", "=", "\"", "'", "end\\ "] {
        assert_eq!(lines(&|spec| spec.arguments.push(value.to_owned())), before, "{value}");
        let variable = |spec: &mut Spec| spec.environment.push(("ODD".to_owned(), value.to_owned()));
        assert_eq!(lines(&variable), before + 1, "{value}");
    }
}

#[test]
fn what_cannot_be_run_is_refused() {
    let with = |change: &dyn Fn(&mut Spec)| {
        let mut spec = spec(Scope::System, None);
        change(&mut spec);
        unit(&spec, 252)
    };
    let long = format!("/{}", "x".repeat(10_000));
    assert!(matches!(with(&|s| s.program = PathBuf::from(&long)), Err(Error::Long(..))));
    assert!(matches!(with(&|s| s.program = "gatewayd".into()), Err(Error::Relative(_))));
    assert!(matches!(with(&|s| s.arguments.push("x".repeat(100_000))), Err(Error::Long(..))));
    for user in ["", "-x", "a b", "a\nb", "%i", "$USER", "a/b", &long] {
        assert!(matches!(with(&|s| s.user = Some(user.to_owned())), Err(Error::User(_))), "{user:.20}");
    }
}
