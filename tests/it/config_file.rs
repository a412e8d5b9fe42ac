//! A state folder that is not as it should be: the start says what is wrong and where, and nothing is lost.

use std::fs;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::home::Home;
use gateway_tests::program::{Finished, Program};

async fn start_in(home: &Home) -> Result<Finished> {
    Program::Gatewayd.run(home, &["--port", &free_port()?.to_string()]).await
}

#[test]
fn a_store_that_cannot_be_opened_is_named() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let store = home.state().join("gateway.sqlite");
        fs::create_dir(&store)?;
        let seen = start_in(&home).await?;
        let expected = format!(
            "Gateway failed to start: Error: the store cannot be opened: the store {} cannot be written; check the permissions of the file and its folder",
            store.display()
        );
        ensure!(seen.code == Some(1) && seen.stderr.contains(&expected), "{seen:?}");
        ensure!(!seen.stdout.contains("listening on"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_file_in_place_of_the_socket_folder_is_named() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        home.write(".clawdbot/run", "in the way")?;
        let seen = start_in(&home).await?;
        let expected = format!("{} must be a folder of this user", home.state().join("run").display());
        ensure!(seen.code == Some(1) && seen.stderr.contains(&expected), "{seen:?}");
        ensure!(home.read(".clawdbot/run")? == "in the way", "it is left alone");
        Ok(())
    });
}

#[test]
fn a_file_in_place_of_the_state_folder_is_refused() {
    gateway_tests::run(async {
        let home = Home::new()?;
        home.write(".clawdbot", "in the way")?;
        let seen = start_in(&home).await?;
        ensure!(seen.code == Some(78) && seen.stderr.contains("Not a directory"), "{seen:?}");
        ensure!(home.read(".clawdbot")? == "in the way", "it is left alone");
        Ok(())
    });
}

#[test]
fn a_damaged_store_is_moved_aside_and_told() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        ensure!(daemon.stop().await?.success(), "it stops");
        let damage = "this is no database ".repeat(1000);
        daemon.home.write(".clawdbot/gateway.sqlite", &damage)?;
        daemon.start_again().await?;
        let store = daemon.admin().await?.status().await?.store.context("a store")?;
        ensure!(fs::read_to_string(&store.moved_aside)? == damage, "the damaged file is kept: {store:?}");
        ensure!(daemon.stderr()?.contains(&store.moved_aside), "{}", daemon.stderr()?);
        daemon.connect(Connect::cli()).await.map(drop)
    });
}
