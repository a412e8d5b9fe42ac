//! Hands the link to the clipboard and to a browser. It carries the token, and what is on a command line everybody on the
//! machine can read; so the clipboard gets it on its standard input, and the browser gets a private page that leads on.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use gateway_base::atomic_file;
use gateway_base::env::Env;
use gateway_base::secret::Secret;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::app::App;

/// How long a helper may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Whether a person sits in front of this machine's screen.
#[must_use]
pub fn has_screen(env: &Env) -> bool {
    let display = env.get("DISPLAY").is_some() || env.get("WAYLAND_DISPLAY").is_some();
    let remote = ["SSH_CLIENT", "SSH_TTY", "SSH_CONNECTION"].iter().any(|name| env.get(name).is_some());
    if cfg!(any(target_os = "macos", windows)) { !remote } else { display }
}

/// Copies the link. Returns whether a clipboard took it.
pub async fn copy(env: &Env, link: &Secret) -> bool {
    const TOOLS: [(&str, &[&str]); 5] = [
        ("pbcopy", &[]),
        ("clip.exe", &[]),
        ("wl-copy", &[]),
        ("xclip", &["-selection", "clipboard"]),
        ("xsel", &["--clipboard", "--input"]),
    ];
    if !has_screen(env) {
        return false;
    }
    for (program, words) in TOOLS {
        let fits = match program {
            "pbcopy" => cfg!(target_os = "macos"),
            "clip.exe" => cfg!(windows),
            "wl-copy" => env.get("WAYLAND_DISPLAY").is_some(),
            _ => env.get("DISPLAY").is_some(),
        };
        if fits && give(program, words, link).await {
            return true;
        }
    }
    false
}

async fn give(program: &str, words: &[&str], link: &Secret) -> bool {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let Ok(mut child) = command.spawn() else { return false };
    let work = async {
        let mut input = child.stdin.take()?;
        input.write_all(link.expose().as_bytes()).await.ok()?;
        drop(input);
        child.wait().await.ok().filter(std::process::ExitStatus::success)
    };
    matches!(timeout(LIMIT, work).await, Ok(Some(_)))
}

/// Opens the link. Returns whether a browser was started.
pub async fn open(app: &App, link: &Secret) -> bool {
    if !has_screen(&app.env) {
        return false;
    }
    let Ok(page) = leading_page(app, link) else { return false };
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        Command::new("explorer.exe")
    } else {
        Command::new("xdg-open")
    };
    command.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    // Some openers stay as long as the browser does.
    match timeout(LIMIT, child.wait()).await {
        Ok(Ok(status)) => status.success() || cfg!(windows),
        Ok(Err(_)) => false,
        Err(_) => true,
    }
}

fn leading_page(app: &App, link: &Secret) -> std::io::Result<PathBuf> {
    let path = app.paths.state.join("run").join("dashboard.html");
    let address = link.expose().replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"refresh\" content=\"0; url={address}\"><a href=\"{address}\">Dashboard</a>\n"
    );
    atomic_file::replace(&path, page.as_bytes())?;
    Ok(path)
}
