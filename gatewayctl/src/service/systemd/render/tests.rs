use std::path::{Path, PathBuf};

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::profile::Profile;

use super::*;
use crate::cmds::testing::assert_golden;
use crate::service::names::Names;
use crate::service::spec::Parts;
use crate::service::status::{Command, Manager};
use crate::service::systemd::parse;

fn spec(scope: Scope, profile: Option<&str>) -> Spec {
    let env = Env::from_pairs([("HOME", "/home/you")]);
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

/// Texts that mean something to systemd where they stand.
fn odd() -> Vec<String> {
    let long = "x y%\"".repeat(2_000);
    let odd = [
        "",
        " ",
        "a b",
        "%",
        "%h",
        "100%%",
        "$HOME",
        "${X}",
        "$$",
        "\"",
        "'",
        "a'b\"c",
        "\\",
        "\\n",
        "a\\",
        "end\\ ",
        ";",
        "a;b",
        "# no comment",
        "=",
        "[Service]",
        "@-:+!/x",
        "é ü 你",
        "-x",
        &long,
    ];
    odd.map(str::to_owned).to_vec()
}

#[test]
fn odd_values_are_read_back_as_they_were() {
    for value in odd() {
        let mut spec = spec(Scope::User, None);
        spec.arguments.push(value.clone());
        spec.environment.push(("ODD".to_owned(), value.clone()));
        if value.len() < 4_000 {
            spec.program = PathBuf::from(format!("/opt/{value}/gatewayd"));
        }
        let text = unit(&spec, 252).expect("is written");
        let command = read(&text);
        assert_eq!(command.program_arguments[0], spec.program.display().to_string(), "{value:.40}");
        assert_eq!(command.program_arguments[1..], spec.arguments, "{value:.40}");
        assert_eq!(command.environment.get("ODD"), Some(&value), "{value:.40}");
        assert_eq!(
            text.lines().count(),
            unit(&self::spec(Scope::User, None), 252).map_or(0, |t| t.lines().count()) + 1
        );
    }
}

#[test]
fn what_would_begin_a_new_line_is_refused_in_every_field() {
    for bad in ["a\nExecStartPre=/bin/evil", "a\rb", "a\0b", "\u{1b}[2J", "\u{85}", "\u{2028}", "\t"] {
        let mut of_program = spec(Scope::User, None);
        of_program.program = PathBuf::from(format!("/opt/{bad}"));
        let mut of_argument = spec(Scope::User, None);
        of_argument.arguments.push(bad.to_owned());
        let mut of_environment = spec(Scope::User, None);
        of_environment.environment.push(("X".to_owned(), bad.to_owned()));
        let mut of_description = spec(Scope::User, None);
        of_description.description = format!("x{bad}y");
        for spec in [of_program, of_argument, of_environment, of_description] {
            assert!(matches!(unit(&spec, 252), Err(Error::Control(_))), "{bad:?}");
        }
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
    assert!(matches!(with(&|s| s.description = "ends with \\".into()), Err(Error::Control(_))));
    for user in ["", "-x", "a b", "a\nb", "%i", "$USER", "a/b", &long] {
        assert!(matches!(with(&|s| s.user = Some(user.to_owned())), Err(Error::User(_))), "{user:.20}");
    }
}
