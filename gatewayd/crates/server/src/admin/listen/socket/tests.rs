use std::os::unix::fs::symlink;

use gateway_admin::connect::{ConnectOptions, connect};
use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("temporary folder")
}

fn fallback(temp: &Path) -> Fallback {
    Fallback { runtime_dir: None, temp_dir: temp.to_path_buf(), uid: rustix::process::geteuid().as_raw() }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").mode() & 0o777
}

/// A state directory whose socket path is too long.
fn long_state(base: &Path) -> PathBuf {
    base.join("x".repeat(120))
}

#[tokio::test]
async fn the_socket_and_its_folder_are_private_even_if_the_folder_was_not() {
    let (state, temp) = (folder(), folder());
    let run = state.path().join("run");
    fs::create_dir(&run).expect("run folder");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).expect("open to all");
    let listener = Listener::bind(state.path(), &fallback(temp.path())).await.expect("bind");
    assert_eq!((mode(&run), mode(listener.path())), (0o700, 0o600));
    assert_eq!(listener.path(), run.join("admin.sock"));
    assert!(!endpoint::pointer_file(state.path()).exists());
    let path = listener.path().to_path_buf();
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_missing_state_directory_is_made_private() {
    let (base, temp) = (folder(), folder());
    let state = base.path().join("state");
    let _listener = Listener::bind(&state, &fallback(temp.path())).await.expect("bind");
    assert_eq!(mode(&state), 0o700);
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_live_one_is_left_alone() {
    let (state, temp) = (folder(), folder());
    let path = endpoint::default_socket(state.path());
    fs::create_dir(path.parent().expect("it has one")).expect("run folder");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bind"));
    assert!(path.exists(), "a closed socket leaves its file");
    let live = Listener::bind(state.path(), &fallback(temp.path())).await.expect("the stale one is replaced");
    let error = Listener::bind(state.path(), &fallback(temp.path())).await.expect_err("one is running");
    assert!(matches!(&error, Error::AlreadyRunning { path: taken } if *taken == path), "{error:?}");
    assert!(answers(live.path()).await);
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_not_removed() {
    let (state, temp) = (folder(), folder());
    let path = endpoint::default_socket(state.path());
    fs::create_dir(path.parent().expect("it has one")).expect("run folder");
    fs::write(&path, "precious").expect("write");
    let error = Listener::bind(state.path(), &fallback(temp.path())).await.expect_err("it is in the way");
    assert!(matches!(error, Error::Bind { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
}

#[tokio::test]
async fn a_long_path_moves_the_socket_and_clients_find_it() {
    let (base, temp) = (folder(), folder());
    let state = long_state(base.path());
    let listener = Listener::bind(&state, &fallback(temp.path())).await.expect("bind");
    let path = listener.path().to_path_buf();
    assert!(path.starts_with(temp.path()), "{path:?}");
    assert_eq!((mode(path.parent().expect("it has one")), mode(&path)), (0o700, 0o600));
    let found = Endpoint::find(&state);
    assert_eq!(found.path(), path);
    connect(&found, ConnectOptions::default()).await.expect("somebody listens");
    drop(listener);
    assert!(!path.exists() && !endpoint::pointer_file(&state).exists());
}

#[tokio::test]
async fn a_daemon_at_another_place_is_found_through_the_pointer() {
    let (base, one, two) = (folder(), folder(), folder());
    let state = long_state(base.path());
    let _live = Listener::bind(&state, &fallback(one.path())).await.expect("bind");
    let error = Listener::bind(&state, &fallback(two.path())).await.expect_err("one is running");
    assert!(matches!(&error, Error::AlreadyRunning { path } if path.starts_with(one.path())), "{error:?}");
}

#[tokio::test]
async fn a_link_in_a_shared_folder_is_not_followed() {
    let (base, temp, elsewhere) = (folder(), folder(), folder());
    let state = long_state(base.path());
    let place = Endpoint::choose(&state, &fallback(temp.path())).expect("it fits");
    symlink(elsewhere.path(), place.path().parent().expect("it has one")).expect("link");
    let error = Listener::bind(&state, &fallback(temp.path())).await.expect_err("the folder is a link");
    assert!(matches!(error, Error::NotOurs { .. }), "{error:?}");
    assert_eq!(fs::read_dir(elsewhere.path()).expect("folder").count(), 0);
}

#[tokio::test]
async fn a_successor_keeps_its_socket_when_the_old_one_goes() {
    let (state, temp) = (folder(), folder());
    let old = Listener::bind(state.path(), &fallback(temp.path())).await.expect("bind");
    let path = old.path().to_path_buf();
    fs::rename(&path, state.path().join("run").join("moved")).expect("out of the way");
    let new = Listener::bind(state.path(), &fallback(temp.path())).await.expect("the place is free");
    drop(old);
    assert!(answers(new.path()).await);
}

#[tokio::test]
async fn one_that_stays_is_gone_on_with_and_whoever_waits_in_it_is_served() {
    let (state, temp) = (folder(), folder());
    let old = Listener::bind(state.path(), &fallback(temp.path())).await.expect("bind");
    let copy = || {
        let copy = rustix::io::fcntl_dupfd_cloexec(&old, 0).expect("a copy");
        std::os::unix::net::UnixListener::from(copy)
    };
    let (first, second) = (copy(), copy());
    old.stays().cancel();
    let path = old.path().to_path_buf();
    drop(old);
    let waiting = UnixStream::connect(&path).await.expect("it is still there");
    let new = Listener::inherit(first, state.path(), &fallback(temp.path())).await.expect("goes on");
    new.accept().await.expect("whoever waits");
    drop((waiting, new));
    assert!(!path.exists(), "it was not to stay this time");
    // One that nobody finds any more is replaced.
    let fresh = Listener::inherit(second, state.path(), &fallback(temp.path())).await.expect("bind");
    assert!(path.exists());
    UnixStream::connect(&path).await.expect("it answers");
    fresh.accept().await.expect("the new one");
}
