//! From flags to answers. What is wrong is refused in the words of the original.

use std::fs;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::Path;

use gateway_base::secret::Secret;
use gateway_onboard::answers::{Answers, Auth, Bind, Flow, Key, Mode, Provider, TailscaleMode, Wish, Word};
use gateway_onboard::facts::Facts;
use gateway_onboard::providers::{self, Choice, Store};
use gateway_onboard::reset::Scope;

use crate::app::App;
use crate::args::{KeyArgs, OnboardArgs};
use crate::exit::{Exit, Failure};

/// The longest secret that is read from a file.
const MAX_SECRET: u64 = 64 * 1024;

/// What the flags answer, without the model provider.
pub fn answers(args: &OnboardArgs) -> Result<Answers, Failure> {
    let OnboardArgs { gateway, .. } = args;
    let (bind, custom_host) = bind(gateway.gateway_bind.as_deref())?;
    if args.daemon_runtime.as_deref().is_some_and(|name| !matches!(name, "node" | "bun")) {
        return Err(Failure::failed("Invalid --daemon-runtime (use node or bun)"));
    }
    let flow = args.flow.as_deref().map(|text| {
        let wrong = || Failure::failed("Invalid --flow (use quickstart, manual, or advanced).");
        Flow::of(text.trim()).ok_or_else(wrong)
    });
    Ok(Answers {
        risk: args.accept_risk,
        flow: flow.transpose()?,
        reset: args.reset.then_some(Scope::Full),
        mode: word::<Mode>("--mode", args.mode.as_deref(), "local|remote")?,
        workspace: args.workspace.clone(),
        port: gateway.gateway_port.as_deref().map(port).transpose()?,
        bind,
        custom_host,
        auth: word::<Auth>("--gateway-auth", gateway.gateway_auth.as_deref(), "off|token|password")?,
        token: secret(gateway.gateway_token.as_ref(), gateway.gateway_token_file.as_deref())?,
        password: secret(gateway.gateway_password.as_ref(), gateway.gateway_password_file.as_deref())?,
        tailscale: word::<TailscaleMode>("--tailscale", gateway.tailscale.as_deref(), "off|serve|funnel")?,
        reset_on_exit: gateway.tailscale_reset_on_exit.then_some(true),
        remote_url: args.remote_url.clone(),
        remote_token: args.remote_token.clone(),
        node_manager: node_manager(args.node_manager.as_deref())?,
        service: service(args),
        ..Answers::default()
    })
}

/// What the flags answer about the model provider, with keys from the environment and those that are stored.
pub fn provider(app: &App, args: &OnboardArgs, facts: &Facts, now: i64) -> Result<Option<Provider>, Failure> {
    let Some(value) = choice(args)? else { return Ok(None) };
    if value == "skip" {
        return Ok(Some(Provider::Skip));
    }
    if let Some((_, profile, provider, program, file)) =
        providers::BORROWED.iter().find(|(name, ..)| *name == value)
    {
        if !app.paths.home.join(file).is_file() {
            return Err(Failure::failed(format!("No {program} credentials found at ~/{file}")));
        }
        return Ok(Some(Provider::Borrowed(profile, provider)));
    }
    if providers::NOT_BUILT.contains(&value.as_str()) {
        let why = format!("--auth-choice {value} signs in with a browser, which this version cannot");
        return Err(Failure::failed(why).hint("Use a key instead, such as --auth-choice apiKey."));
    }
    let row = providers::find(&value).ok_or_else(|| unknown(&value))?;
    if value == "token" {
        check_token_provider(&args.keys)?;
    }
    key(args, facts, row, now).map(Some)
}

/// The way to pay that the flags name, for the summary.
pub fn chosen(args: &OnboardArgs) -> String {
    choice(args).ok().flatten().unwrap_or_else(|| "skip".to_owned())
}

/// `--auth-choice`; a single key flag says which way is meant too.
fn choice(args: &OnboardArgs) -> Result<Option<String>, Failure> {
    if let Some(value) = &args.auth_choice {
        return Ok(Some(value.trim().to_owned()));
    }
    let given = providers::CHOICES.iter().filter(|row| args.keys.of(row.flag).is_some());
    let given: Vec<&Choice> = given.collect();
    match given.as_slice() {
        [] => Ok(None),
        [first, rest @ ..] if rest.iter().all(|row| row.flag == first.flag) => {
            Ok(Some(first.value.to_owned()))
        }
        rows => {
            let flags: Vec<&str> = rows.iter().map(|row| row.flag).collect();
            let why = format!("{} are given; one model provider is set up at a time", flags.join(" and "));
            Err(Failure::new(Exit::Usage, why).hint("Say which one with --auth-choice."))
        }
    }
}

fn unknown(value: &str) -> Failure {
    let mut known: Vec<&str> = providers::CHOICES.iter().map(|row| row.value).collect();
    known.extend(providers::BORROWED.iter().map(|row| row.0));
    known.push("skip");
    Failure::failed(format!("Invalid --auth-choice \"{value}\" (use {}).", known.join("|")))
}

fn check_token_provider(keys: &KeyArgs) -> Result<(), Failure> {
    match keys.token_provider.as_deref().map(str::trim) {
        None | Some("") => Err(Failure::failed("Missing --token-provider for --auth-choice token.")),
        Some("anthropic") => Ok(()),
        Some(_) => {
            Err(Failure::failed("Only --token-provider anthropic is supported for --auth-choice token."))
        }
    }
}

/// The key of a way to pay: from its flag, a file, the environment, or what is stored.
fn key(args: &OnboardArgs, facts: &Facts, row: &'static Choice, now: i64) -> Result<Provider, Failure> {
    let given = secret(args.keys.of(row.flag), args.keys.key_file.as_deref())?;
    let from_env = || facts.variable(row).and_then(|name| facts.env.get(name)).map(Secret::new);
    let Some(secret) = given.or_else(from_env) else {
        if row.store != Store::DotEnv && facts.stored.contains(row.provider) && !args.reset {
            return Ok(Provider::Stored(row));
        }
        return Err(Failure::failed(missing(row)));
    };
    row.look_at(&secret).map_err(|why| Failure::failed(format!("{}: {why}", row.flag)))?;
    let is_token = row.store == Store::Token;
    let profile = args.keys.token_profile_id.clone().filter(|id| is_token && !id.trim().is_empty());
    let expires = args.keys.token_expires_in.as_deref().filter(|text| is_token && !text.trim().is_empty());
    let expires = expires.map(|text| lifetime(text).map(|ms| now.saturating_add(ms))).transpose()?;
    Ok(Provider::Key(Key { choice: row, secret, profile, expires }))
}

fn missing(row: &Choice) -> String {
    let Some((first, more)) = row.variables.split_first() else {
        return format!("Missing {} for --auth-choice {}.", row.flag, row.value);
    };
    let others: Vec<String> = more.iter().map(|name| format!(" (or {name})")).collect();
    let profile = match row.store {
        Store::DotEnv => String::new(),
        _ => format!(", or existing {} API-key profile", row.provider),
    };
    format!("Missing {} (or {first}{} in env{profile}).", row.flag, others.concat())
}

/// A length of time; a bare number counts days.
fn lifetime(text: &str) -> Result<i64, Failure> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "" | "d" => Some(86_400_000),
        _ => None,
    };
    let ms = factor.and_then(|factor| number.parse::<i64>().ok()?.checked_mul(factor));
    ms.ok_or_else(|| {
        Failure::failed(format!("Invalid --token-expires-in: {text} (use a number with ms, s, m, h or d)"))
    })
}

/// A secret from its flag or its file.
fn secret(flag: Option<&Secret>, file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    match (flag, file) {
        (Some(secret), _) => Ok(Some(Secret::new(secret.expose().trim()))),
        (None, Some(file)) => from_file(file).map(Some),
        (None, None) => Ok(None),
    }
}

fn from_file(file: &Path) -> Result<Secret, Failure> {
    let mut text = String::new();
    let is_input = file == Path::new("-");
    let read = if is_input {
        std::io::stdin().lock().take(MAX_SECRET).read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|open| open.take(MAX_SECRET).read_to_string(&mut text))
    };
    let name = if is_input { "standard input".to_owned() } else { file.display().to_string() };
    read.map_err(|error| Failure::failed(format!("cannot read the secret in {name}: {error}")))?;
    let secret = Secret::new(text.trim());
    if secret.is_blank() {
        let failure = Failure::failed(format!("{name} holds no secret"));
        return Err(if is_input {
            failure.hint("It is read once: only one of the flags can be -.")
        } else {
            failure
        });
    }
    Ok(secret)
}

fn word<W: Word>(flag: &str, text: Option<&str>, words: &str) -> Result<Option<W>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || Failure::failed(format!("Invalid {flag} \"{text}\" (use {words})."));
    W::of(text.trim()).map(Some).ok_or_else(wrong)
}

fn port(text: &str) -> Result<u16, Failure> {
    let port = text.trim().parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| Failure::failed("Invalid --gateway-port").hint("Use a whole number from 1 to 65535."))
}

/// A word, or an address, which is the word `custom` with that address.
fn bind(text: Option<&str>) -> Result<(Option<Bind>, Option<String>), Failure> {
    if let Some(address) = text.and_then(|text| text.trim().parse::<Ipv4Addr>().ok()) {
        return Ok((Some(Bind::Custom), Some(address.to_string())));
    }
    let bind = word::<Bind>("--gateway-bind", text, "loopback|tailnet|lan|auto|custom, or an IPv4 address")?;
    Ok((bind, None))
}

fn node_manager(text: Option<&str>) -> Result<Option<String>, Failure> {
    match text.map(str::trim) {
        None => Ok(None),
        Some(name @ ("npm" | "pnpm" | "bun")) => Ok(Some(name.to_owned())),
        Some(_) => Err(Failure::failed("Invalid --node-manager (use npm, pnpm, or bun)")),
    }
}

fn service(args: &OnboardArgs) -> Option<Wish> {
    if args.no_install_daemon { Some(Wish::Leave) } else { args.install_daemon.then_some(Wish::Install) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn args(line: &str) -> OnboardArgs {
        let words = std::iter::once("gatewayctl onboard").chain(line.split_whitespace());
        let words = words.flat_map(|word| word.split(' '));
        match Cli::try_parse_from(words).expect("a command line").command {
            Command::Onboard(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wrong_words_are_refused_in_the_known_words() {
        for (line, said) in [
            ("--mode x", "Invalid --mode \"x\" (use local|remote)."),
            ("--flow x", "Invalid --flow (use quickstart, manual, or advanced)."),
            ("--gateway-port 18789abc", "Invalid --gateway-port"),
            ("--gateway-port 65536", "Invalid --gateway-port"),
            ("--gateway-port 0", "Invalid --gateway-port"),
            (
                "--gateway-bind x",
                "Invalid --gateway-bind \"x\" (use loopback|tailnet|lan|auto|custom, or an IPv4 address).",
            ),
            ("--gateway-auth x", "Invalid --gateway-auth \"x\" (use off|token|password)."),
            ("--tailscale x", "Invalid --tailscale \"x\" (use off|serve|funnel)."),
            ("--daemon-runtime deno", "Invalid --daemon-runtime (use node or bun)"),
            ("--node-manager x", "Invalid --node-manager (use npm, pnpm, or bun)"),
            ("--gateway-token-file /no/such/file", "cannot read the secret in /no/such/file"),
        ] {
            let failure = answers(&args(line)).expect_err(line);
            assert!(failure.to_string().starts_with(said), "{line}: {failure}");
            assert_eq!(failure.exit(), Exit::Failed, "{line}");
        }
    }

    #[test]
    fn flags_are_answers() {
        let given = answers(&args(
            "--accept-risk --flow manual --mode local --workspace ~/w --gateway-port 1 --gateway-bind 10.0.0.7 \
             --gateway-auth password --gateway-password p --tailscale serve --tailscale-reset-on-exit --install-daemon \
             --node-manager pnpm --reset --daemon-runtime bun --skip-channels --skip-skills",
        ));
        let given = given.expect("answers");
        assert!(given.risk && given.flow == Some(Flow::Manual) && given.port == Some(1));
        assert_eq!((given.bind, given.custom_host.as_deref()), (Some(Bind::Custom), Some("10.0.0.7")));
        assert_eq!((given.auth, given.tailscale), (Some(Auth::Password), Some(TailscaleMode::Serve)));
        assert_eq!((given.service, given.reset), (Some(Wish::Install), Some(Scope::Full)));
        for line in ["--install-daemon --skip-daemon", "--no-install-daemon"] {
            assert_eq!(answers(&args(line)).expect("answers").service, Some(Wish::Leave), "{line}");
        }
        let nothing = answers(&args("")).expect("answers");
        assert!(nothing.port.is_none() && nothing.bind.is_none() && nothing.auth.is_none());
        assert!(nothing.reset_on_exit.is_none() && nothing.service.is_none() && nothing.mode.is_none());
    }

    #[test]
    fn times_are_read_whole() {
        assert_eq!(lifetime("2").expect("days"), 172_800_000);
        assert_eq!(lifetime("12h").expect("hours"), 43_200_000);
        for bad in ["", "h", "1w", "-1d", "1.5d", "9223372036854775807d"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_key_is_told_with_every_place_it_could_be_in() {
        let said = |value: &str| missing(providers::find(value).expect("a row"));
        assert_eq!(
            said("apiKey"),
            "Missing --anthropic-api-key (or ANTHROPIC_API_KEY in env, or existing anthropic API-key profile)."
        );
        assert_eq!(said("openai-api-key"), "Missing --openai-api-key (or OPENAI_API_KEY in env).");
        assert_eq!(
            said("opencode-zen"),
            "Missing --opencode-zen-api-key (or OPENCODE_API_KEY (or OPENCODE_ZEN_API_KEY) in env, or existing opencode API-key profile)."
        );
        assert_eq!(said("token"), "Missing --token for --auth-choice token.");
    }

    #[test]
    fn one_key_flag_says_what_is_meant_and_two_do_not() {
        assert_eq!(choice(&args("--gemini-api-key k")).expect("one"), Some("gemini-api-key".to_owned()));
        assert_eq!(choice(&args("--minimax-api-key k")).expect("one"), Some("minimax-api".to_owned()));
        assert_eq!(choice(&args("")).expect("none"), None);
        assert!(choice(&args("--gemini-api-key k --zai-api-key k")).is_err());
    }

    #[test]
    fn every_flag_of_the_table_reaches_its_key() {
        for row in providers::CHOICES {
            let given = args(&format!("{} secret", row.flag));
            assert!(given.keys.of(row.flag).is_some_and(|key| key.matches("secret")), "{}", row.flag);
        }
    }
}
