//! `gatewayctl status` in every state that a machine can be in (rule R26): each is produced for real, and each gets
//! exactly one verdict, one exit code and one next step. The outcome is a table, compared with
//! `tests/golden/status-matrix*.md`. What takes a real service manager is in `tests/systemd/status.rs`.

mod scenes;
mod servers;

use anyhow::{Context, Result, ensure};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use gateway_tests::daemon::free_port;
use gateway_tests::golden;
use gateway_tests::home::TOKEN;
use gateway_tests::program::Program;
use gateway_tests::verdict;
use rustix::io::Errno;

use self::scenes::Scene;
use self::servers::Full;

type Made = LocalBoxFuture<'static, Result<Scene>>;

/// What a row says of the machine, and how that is brought about.
type Row = (&'static str, Made);

fn here() -> Vec<Row> {
    use scenes as s;
    let now = |scene: Result<Scene>| std::future::ready(scene).boxed_local();
    let wrong = |scene: Scene| scene.args(["--token", "wrong"]);
    vec![
        ("a gateway runs", s::running().boxed_local()),
        (
            "a gateway runs, asked without the probe",
            s::running().map(|s| Ok(s?.args(["--no-probe"]))).boxed_local(),
        ),
        ("a gateway runs with TLS", s::with_tls().boxed_local()),
        ("a gateway runs, its private socket was removed", s::without_socket().boxed_local()),
        (
            "the same, asked without the probe",
            s::without_socket().map(|s| Ok(s?.args(["--no-probe"]))).boxed_local(),
        ),
        ("the same, on a port that nobody knows", s::lost().boxed_local()),
        ("nothing runs, nothing is installed", now(s::nothing())),
        ("nothing runs, the manager of the service cannot be asked", s::service(None).boxed_local()),
        (
            "nothing runs, the program of the service is gone",
            s::service(Some("/gone/gatewayd")).boxed_local(),
        ),
        ("nothing runs, the configuration is broken", now(s::broken())),
        ("another program has the port", another_program().boxed_local()),
        ("another gateway has the port", s::other_gateway(true).boxed_local()),
        ("another gateway with another secret has the port", s::other_gateway(false).boxed_local()),
        ("a gateway runs, another one has the configured port", s::two_gateways().boxed_local()),
        ("two gateways run from one configuration", s::two_of_one().boxed_local()),
        ("a signal stopped the process", s::frozen().boxed_local()),
        ("the start is not over", s::starting().boxed_local()),
        ("the end is not over", s::stopping().boxed_local()),
        ("the secret is wrong", s::running().map(move |s| Ok(wrong(s?))).boxed_local()),
        ("the clock is a day off", s::clock().boxed_local()),
        ("the disk is full", s::disk(Errno::NOSPC).boxed_local()),
        ("the disk is full, the controller has no key yet", s::no_room_for_a_key().boxed_local()),
        ("the controller's key cannot be made", s::no_key().boxed_local()),
        ("the disk is read-only", s::disk(Errno::ROFS).boxed_local()),
        ("the log cannot be written", s::no_log().boxed_local()),
        ("its tunnel cannot be opened", s::no_tunnel().boxed_local()),
        ("it was started with a broken configuration", s::last_good().boxed_local()),
        ("the configuration broke while it runs", s::broken_reload().boxed_local()),
        ("a configuration change is on trial", s::on_trial().boxed_local()),
        ("nothing runs, a configuration change was on trial", s::cut_off_trial().boxed_local()),
        ("its program was replaced on disk", s::replaced().boxed_local()),
        ("it is of another release", s::other_version().boxed_local()),
    ]
}

fn elsewhere() -> Vec<Row> {
    use scenes as s;
    let now = |scene: Result<Scene>| std::future::ready(scene).boxed_local();
    let far = |scheme| async move { s::from_afar(s::running().await?, scheme) };
    let with =
        |scheme, token: &'static str| far(scheme).map(move |s| Ok(s?.args(["--token", token]))).boxed_local();
    vec![
        ("an address: a gateway runs", with("ws", TOKEN)),
        ("an address: it is not asked", far("ws").map(|s| Ok(s?.args(["--no-probe"]))).boxed_local()),
        ("an address: the secret is wrong", with("ws", "wrong")),
        ("an address: the device is not known", unknown_device().boxed_local()),
        ("an address: the token lacks the scope", s::without_scope().boxed_local()),
        ("an address: the disk is full, the device is new", s::no_room_for_a_device().boxed_local()),
        ("an address: spoken to in clear, it speaks TLS", tls("ws").boxed_local()),
        ("an address: nobody vouches for its certificate", s::untrusted().boxed_local()),
        ("an address: another certificate is pinned", s::other_certificate().boxed_local()),
        ("an address: spoken to with TLS, it speaks in clear", with("wss", TOKEN)),
        ("an address: it refuses every kind of TLS", at("wss", servers::no_common_tls()).boxed_local()),
        ("an address: it speaks protocol 2", at("ws", servers::protocol_2()).boxed_local()),
        ("an address: it is a web server", at("ws", servers::web()).boxed_local()),
        ("an address: it accepts and is mute", at("ws", servers::mute()).map(soon).boxed_local()),
        ("an address: it sends without a pause", at("ws", servers::flood()).map(soon).boxed_local()),
        ("an address: it refuses in words that look like ours", at("ws", servers::forger()).boxed_local()),
        ("an address: its request to pair is a command", at("ws", servers::pairing_trap()).boxed_local()),
        ("an address: it lets nobody in", full().boxed_local()),
        (
            "an address: nobody listens",
            now(free_port().and_then(|port| Scene::at(format!("ws://127.0.0.1:{port}")))),
        ),
        ("an address: the name is unknown", now(Scene::at("ws://no-such-host.invalid:18789".to_owned()))),
        ("an address: it makes no sense", now(Scene::at("http://127.0.0.1:18789".to_owned()))),
    ]
}

async fn another_program() -> Result<Scene> {
    let web = servers::web().await?;
    Ok(scenes::nothing()?.port(web.port).with(web))
}

async fn unknown_device() -> Result<Scene> {
    let daemon = gateway_tests::daemon::Daemon::start().await?;
    let proxy = servers::proxy(daemon.port).await?;
    let scene = Scene::at(format!("ws://127.0.0.1:{}", proxy.port))?;
    Ok(scene.args(["--token", TOKEN]).with((daemon, proxy)))
}

async fn tls(scheme: &str) -> Result<Scene> {
    scenes::from_afar(scenes::with_tls().await?, scheme)
}

/// A client elsewhere that knows the address of this server.
async fn at(scheme: &str, server: impl Future<Output = Result<servers::Running>>) -> Result<Scene> {
    let server = server.await?;
    Ok(Scene::at(format!("{scheme}://127.0.0.1:{}", server.port))?.with(server))
}

fn soon(scene: Result<Scene>) -> Result<Scene> {
    Ok(scene?.args(["--timeout", "1000"]))
}

async fn full() -> Result<Scene> {
    let server = Full::new().await?;
    Ok(Scene::at(format!("ws://127.0.0.1:{}", server.port))?.args(["--timeout", "1000"]).with(server))
}

/// Asks in both forms, which must agree.
async fn ask(scene: &Scene) -> Result<verdict::Row> {
    let env: Vec<(&str, &str)> =
        scene.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut words = vec!["status"];
    words.extend(scene.args.iter().map(String::as_str));
    let text = Program::Gatewayctl.run_with(&scene.home, &words, &env).await?;
    words.push("--json");
    let json = Program::Gatewayctl.run_with(&scene.home, &words, &env).await?;
    verdict::Row::read(&text, &json)
}

/// Brings every state about, one after the other, and compares what is said with the golden table.
async fn check(name: &str, rows: Vec<Row>, at_least: usize) -> Result<()> {
    let mut table = verdict::Table::default();
    for (state, made) in rows {
        let scene = made.await.with_context(|| state.to_owned())?;
        let row = ask(&scene).await.with_context(|| state.to_owned())?;
        table.add(state, &row);
    }
    ensure!(table.len() >= at_least, "the whole matrix");
    golden::check(name, &table.render())
}

#[test]
fn every_state_of_this_machine_has_one_verdict() {
    gateway_tests::run(check("status-matrix.md", here(), 25));
}

#[test]
fn every_state_of_an_address_has_one_verdict() {
    gateway_tests::run(check("status-matrix-address.md", elsewhere(), 15));
}
