use std::path::Path;

use tokio::net::UnixListener;

use super::*;

fn at_once() -> ConnectOptions {
    ConnectOptions { wait: Duration::ZERO }
}

fn in_folder(folder: &Path) -> Endpoint {
    Endpoint::at(folder.join("admin.sock"))
}

#[tokio::test]
async fn a_missing_and_a_stale_socket_both_mean_not_running() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let endpoint = in_folder(folder.path());
    let missing = connect(&endpoint, at_once()).await.expect_err("nobody listens");
    drop(UnixListener::bind(endpoint.path()).expect("bind"));
    let stale = connect(&endpoint, at_once()).await.expect_err("nobody listens");
    for error in [missing, stale] {
        assert!(matches!(&error, Error::NotRunning { path } if path == endpoint.path()), "{error:?}");
    }
}

#[tokio::test]
async fn a_starting_daemon_is_waited_for() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let endpoint = in_folder(folder.path());
    // Polled after the first try, which finds nothing.
    let late = async { UnixListener::bind(endpoint.path()).expect("bind") };
    let options = ConnectOptions { wait: Duration::from_secs(20) };
    let (connected, _listener) = tokio::join!(connect(&endpoint, options), late);
    connected.expect("it came up in time");
}

#[tokio::test]
async fn something_that_is_no_socket_is_not_taken_for_a_daemon() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let endpoint = in_folder(folder.path());
    std::fs::write(endpoint.path(), "not a socket").expect("write");
    let error = connect(&endpoint, at_once()).await.expect_err("nobody listens");
    assert!(matches!(error, Error::NotRunning { .. }), "{error:?}");
}
