//! What somebody did to the service by hand: files that are gone, changed or in the way, and gateways beside it.

use super::*;

fn link(machine: &Machine) -> PathBuf {
    machine.unit_file().with_file_name("default.target.wants").join("clawdbot-gateway.service")
}

#[tokio::test(start_paused = true)]
async fn a_service_without_its_file_is_stopped_and_removed() {
    let machine = Machine::empty();
    machine.done("install").await;
    fs::create_dir_all(link(&machine).parent().expect("folder")).expect("folder");
    std::os::unix::fs::symlink(machine.unit_file(), link(&machine)).expect("link");
    fs::remove_file(machine.unit_file()).expect("is there");
    let planned = machine.done("stop --dry-run").await;
    assert_eq!(planned.plan.len(), 1, "{:?}", planned.plan);
    assert!(machine.done("restart --dry-run").await.plan.is_empty());
    assert_eq!(machine.done("stop").await.done, Done::Stopped);
    assert_eq!(machine.unit.borrow().pid, 0);
    assert_eq!(machine.done("uninstall").await.done, Done::Uninstalled, "the link is left");
    assert!(!link(&machine).is_symlink());
    assert_eq!(machine.done("uninstall").await.done, Done::NotLoaded);
    machine.done("install").await;
    fs::remove_file(machine.unit_file()).expect("is there");
    assert_eq!(machine.done("uninstall").await.done, Done::Uninstalled, "it runs");
    assert_eq!(machine.unit.borrow().pid, 0);
}

#[tokio::test(start_paused = true)]
async fn a_masked_service_leaves_no_link() {
    let machine = Machine::empty();
    fs::create_dir_all(link(&machine).parent().expect("folder")).expect("folder");
    for (target, at) in
        [(Path::new("/dev/null"), machine.unit_file()), (&machine.unit_file(), link(&machine))]
    {
        std::os::unix::fs::symlink(target, at).expect("link");
    }
    machine.done("uninstall").await;
    assert!(!link(&machine).is_symlink() && !machine.unit_file().is_symlink());
}

#[tokio::test(start_paused = true)]
async fn drop_ins_count_where_the_gateway_is_looked_for() {
    let machine = Machine::empty();
    machine.done("install").await;
    let folder = machine.unit_file().with_file_name("clawdbot-gateway.service.d");
    fs::create_dir(&folder).expect("folder");
    let line = "[Service]\nEnvironment=CLAWDBOT_STATE_DIR=/srv/state\n";
    fs::write(folder.join("b.conf"), line).expect("drop-in");
    fs::write(folder.join("a.conf"), line.replace("/srv/state", "/srv/earlier")).expect("drop-in");
    fs::write(folder.join("c.txt"), line.replace("/srv/state", "/srv/other")).expect("not one");
    let outcome = machine.done("restart").await;
    let command = outcome.service.and_then(|service| service.command).expect("a command");
    let (_, paths) = command.place(&machine.app.env, &machine.app.paths);
    assert_eq!(paths.state, Path::new("/srv/state"));
    assert_eq!(command.port(), Some(18789));
    let left = machine.done("uninstall").await;
    assert!(left.warnings.iter().any(|line| line.contains("Your own settings for the service stay")));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_written_is_no_missing_manager() {
    let machine = Machine::empty();
    fs::write(machine.home.path().join(".config"), "a file").expect("file");
    let said = machine.failure("install").await;
    let folder = machine.home.path().join(".config/systemd/user");
    assert!(
        said.contains(&format!("See that you may write there: ls -ld \"{}\"", folder.display())),
        "{said}"
    );
    assert!(said.ends_with("Then run: gatewayctl install"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_the_config_of_another_user_is_mended_as_that_user() {
    let machine = Machine::empty();
    machine.done("install").await;
    let text = fs::read_to_string(machine.unit_file()).expect("is there");
    let home = format!("Environment=HOME={}", machine.home.path().display());
    let text = text.replace(&home, "User=keeper\nEnvironment=HOME=/home/keeper");
    fs::write(machine.unit_file(), text).expect("file");
    machine.unit.borrow_mut().fails = Some(("failed", "failed", 78));
    let said = machine.failure("restart").await;
    assert!(said.ends_with("Check: sudo -u keeper gatewayctl config validate"), "{said}");
    machine.unit.borrow_mut().journal = "Gateway start blocked: set gateway.mode=local\n";
    let said = machine.failure("restart").await;
    let both = "Run: sudo -u keeper gatewayctl config set gateway.mode local && gatewayctl start";
    assert!(said.ends_with(both), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_profile_does_not_take_the_port_of_another() {
    let machine = Machine::empty();
    let other = machine.unit_file().with_file_name("clawdbot-gateway-work.service");
    fs::create_dir_all(other.parent().expect("folder")).expect("folder");
    fs::write(&other, "ExecStart=/usr/bin/gatewayd gateway --port 18789\n").expect("file");
    for line in ["install", "install --force --replace-old"] {
        let said = machine.failure(line).await;
        assert!(said.contains("clawdbot-gateway-work.service (user, "), "{said}");
        assert!(said.contains("Take another port: gatewayctl install --port N"), "{said}");
    }
    assert!(!machine.unit_file().exists() && other.exists());
    let planned = machine.done("install --dry-run").await;
    assert!(planned.warnings[0].contains("already uses port 18789"), "{:?}", planned.warnings);
    machine.done("install --port 19001").await;
    assert_eq!(machine.done("install").await.done, Done::AlreadyInstalled);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_beside_the_service_is_named_with_its_commands() {
    let machine = Machine::empty();
    machine.unit.borrow_mut().pid = 7;
    let outcome = machine.done("restart").await;
    assert_eq!(outcome.done, Done::NotLoaded);
    let said = outcome.warnings.join("\n");
    assert!(said.contains("(pid 7). Restart it with: gatewayctl shutdown --restart"), "{said}");
    let no_bus = Fake::answering(|_| {
        Ok(Ran { stderr: "Failed to connect to bus: No medium found".to_owned(), ..Ran::default() })
    });
    for (line, command) in
        [("restart", "shutdown --restart"), ("stop", "shutdown"), ("uninstall", "shutdown")]
    {
        match machine.run_with(line, &no_bus).await {
            Err(Failure::Failed(reason)) => {
                let hint = reason.hint.unwrap_or_default();
                assert!(hint.contains(&format!("with: gatewayctl {command}\n")), "{line}: {hint}");
                assert!(hint.contains(&format!("then as you: gatewayctl {line}")), "{line}: {hint}");
                assert!(!hint.contains("install --linger"), "{line}: {hint}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}
