//! What counts as an incident and who is told, from the command line or from the file that `watch install` wrote. An
//! address of a webhook and its headers are secrets: that file is their only copy.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::secret::Secret;
use serde::{Deserialize, Serialize, Serializer};

use super::record::{Channel, Policy};
use crate::args::AlarmOptions;
use crate::exit::{Exit, Failure};
use crate::http;

/// The largest file with an address or headers.
const MAX_FILE: u64 = 64 * 1024;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The program to run and its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exec: Vec<String>,
    /// The address to send to.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "exposed_option")]
    pub webhook: Option<Secret>,
    /// The headers to send there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// Whether the desktop is told.
    pub notify: bool,
    /// Whether the end of an incident is told.
    pub on_recovery: bool,
    /// Whether something missing is an incident.
    pub degraded: bool,
    /// How long silence must last, in milliseconds.
    pub after_ms: u64,
    /// How many restarts are not yet a loop.
    pub restarts: u32,
    /// The time in which they are counted, in milliseconds.
    pub within_ms: u64,
    /// How many good looks end an incident.
    pub settle: u32,
    /// The pause of the timer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
}

/// One header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(serialize_with = "exposed")]
    pub value: Secret,
}

/// This one file is where the secret is kept.
fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn exposed_option<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(secret.as_ref().map(|secret| secret.expose()).unwrap_or_default())
}

impl Settings {
    /// From the command line. What the options name is looked at now, while somebody can still mend it.
    pub fn from_options(options: &AlarmOptions, env: &Env) -> Result<Self, Failure> {
        let webhook = match &options.webhook_file {
            Some(path) => Some(Secret::new(read(path)?.trim())),
            None => options.webhook.clone(),
        };
        if let Some(url) = &webhook {
            let usage = |error: http::Error| Failure::new(Exit::Usage, format!("the webhook: {error}"));
            http::host_of(url.expose()).map_err(usage)?;
        }
        let headers = options.header_file.as_deref().map(headers).transpose()?.unwrap_or_default();
        if webhook.is_none() && !headers.is_empty() {
            return Err(Failure::new(Exit::Usage, "--header-file belongs to --webhook or --webhook-file"));
        }
        let mut exec = options.exec.clone();
        if let Some(program) = exec.first_mut() {
            *program = find(program, env)?;
        }
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Ok(Self {
            exec,
            webhook,
            headers,
            notify: options.notify,
            on_recovery: options.on_recovery,
            degraded: options.degraded,
            after_ms: ms(options.after),
            restarts: options.restarts,
            within_ms: ms(options.within),
            settle: options.settle,
            every_ms: None,
        })
    }

    /// From the file that `watch install` wrote.
    pub fn load(path: &Path, again: &str) -> Result<Self, Failure> {
        let failed = |why: String| {
            let text = format!("the settings of the watch cannot be used ({}: {why})", path.display());
            Failure::new(Exit::BadConfig, text).hint(format!("Write them again: {again}"))
        };
        let mut text = Vec::new();
        let read = if path == Path::new("-") {
            io::stdin().lock().take(MAX_FILE).read_to_end(&mut text)
        } else {
            File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut text))
        };
        read.map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
    }

    /// The text of that file.
    pub fn text(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self).map_err(|error| Failure::failed(error.to_string()))
    }

    /// Who is told.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let all = [
            (Channel::Exec, !self.exec.is_empty()),
            (Channel::Webhook, self.webhook.is_some()),
            (Channel::Notify, self.notify),
        ];
        all.into_iter().filter(|(_, wanted)| *wanted).map(|(channel, _)| channel).collect()
    }

    /// The rules for looks.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            restarts: self.restarts.into(),
            window: Duration::from_millis(self.within_ms),
            settle: self.settle,
            on_recovery: self.on_recovery,
            channels: self.channels(),
        }
    }

    /// The settings of a timer with this pause.
    #[must_use]
    pub fn every(mut self, pause: Duration) -> Self {
        self.every_ms = u64::try_from(pause.as_millis()).ok();
        self
    }

    /// How long silence must last.
    #[must_use]
    pub const fn after(&self) -> Duration {
        Duration::from_millis(self.after_ms)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |why: String| Failure::new(Exit::Usage, format!("{}: {why}", path.display()));
    let meta = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if meta.len() > MAX_FILE {
        return Err(failed(format!("it has more than {MAX_FILE} bytes")));
    }
    fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

fn headers(path: &Path) -> Result<Vec<Header>, Failure> {
    let text = read(path)?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(at, line)| match line.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Header { name: name.trim().to_owned(), value: Secret::new(value.trim()) })
            }
            // The line itself may be a secret.
            _ => {
                let text = format!("{}: line {at} is not a header; write Name: value", path.display());
                Err(Failure::new(Exit::Usage, text))
            }
        })
        .collect()
}

/// The program's full path, because a timer has another search path than this shell.
fn find(program: &str, env: &Env) -> Result<String, Failure> {
    let found = if program.contains(std::path::is_separator) {
        Some(std::path::absolute(program).unwrap_or_else(|_| PathBuf::from(program)))
            .filter(|path| path.is_file())
    } else {
        let folders = env.get("PATH").map(std::env::split_paths).into_iter().flatten();
        folders.map(|folder| folder.join(program)).find(|path| path.is_file())
    };
    let shown = |path: PathBuf| path.into_os_string().into_string().ok();
    found.and_then(shown).ok_or_else(|| {
        let text = format!("there is no program {program}");
        Failure::new(Exit::Usage, text)
            .hint("Give its full path. No shell is involved, so a command with pipes belongs in a script.")
    })
}

#[cfg(all(test, unix))]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn options(line: &str) -> AlarmOptions {
        let words = line.split(' ').filter(|word| !word.is_empty());
        match Cli::try_parse_from(["gatewayctl", "watch"].into_iter().chain(words)).map(|cli| cli.command) {
            Ok(Command::Watch(args)) => args.alarm,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn env() -> Env {
        Env::from_pairs([("PATH", "/nowhere:/bin:/usr/bin")])
    }

    fn settings(line: &str) -> Result<Settings, String> {
        Settings::from_options(&options(line), &env()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn options_are_read_and_come_back_from_the_file() {
        let dir = tempfile::tempdir().expect("folder");
        let (url, headers) = (dir.path().join("url"), dir.path().join("headers"));
        fs::write(&url, "https://example.com/hook/s3cret\n").expect("file");
        fs::write(&headers, "# of the chat\nAuthorization: Bearer t0ken: x\n\nX-A:b\n").expect("file");
        let line = format!(
            "--webhook-file {} --header-file {} --notify --on-recovery --after 5s --within 1m --exec sh -c --x ; --degraded",
            url.display(),
            headers.display()
        );
        let made = settings(&line).expect("settings");
        assert_eq!(made.channels(), [Channel::Exec, Channel::Webhook, Channel::Notify]);
        assert!(made.exec[0].ends_with("/sh") && made.exec[1..] == ["-c", "--x"], "{:?}", made.exec);
        assert!(made.degraded && made.on_recovery && made.after() == Duration::from_secs(5));
        assert_eq!(made.headers[0].value.expose(), "Bearer t0ken: x");
        assert!(!format!("{made:?}").contains("s3cret"));
        let path = dir.path().join("settings.json");
        fs::write(&path, made.text().expect("text")).expect("file");
        assert_eq!(Settings::load(&path, "x"), Ok(made));
        assert_eq!(settings("").expect("settings").channels(), []);
    }

    #[test]
    fn what_cannot_work_is_said_at_once_and_no_secret_with_it() {
        let dir = tempfile::tempdir().expect("folder");
        let bad = dir.path().join("bad");
        fs::write(&bad, "s3cret\n").expect("file");
        for line in [
            "--exec no-such-program-anywhere".to_owned(),
            "--exec ./no-such-program".to_owned(),
            format!("--exec {}", dir.path().display()),
            "--webhook ftp://s3cret/".to_owned(),
            format!("--webhook-file {}", bad.display()),
            "--webhook-file /no/such/file".to_owned(),
            format!("--webhook http://x/ --header-file {}", bad.display()),
        ] {
            let error = settings(&line).expect_err("fails");
            assert!(!error.contains("s3cret"), "{line}: {error}");
        }
        fs::write(&bad, "a: b\n").expect("file");
        settings(&format!("--header-file {}", bad.display())).expect_err("headers of nothing");
        for text in ["", "{}", "[1]", "{\"exec\": 1}"] {
            fs::write(&bad, text).expect("file");
            let error = Settings::load(&bad, "gatewayctl watch install").expect_err("is no settings file");
            assert!(error.to_string().contains("cannot be used"), "{error}");
        }
    }
}
