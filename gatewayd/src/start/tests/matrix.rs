//! Every way to say where to listen, with every source of a secret and every reach of Tailscale, as one reviewed
//! table. Its rows are written as they are given to the program: flags, variables and settings of `gateway`, so that a
//! test of the whole program can take each kind of refusal from the same file (`tests/it/bind.rs`).

use std::fmt::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use super::*;
use crate::bind::{self, Facts, Plan};
use crate::start::taken::{self, Scene};

const BINDS: [&str; 26] = [
    "",
    "--bind loopback",
    "--bind lan",
    "--bind tailnet",
    "--bind auto",
    "--bind custom",
    "bind=custom customBindHost=127.0.0.1",
    "bind=custom customBindHost=::1",
    "bind=custom customBindHost=10.1.2.3",
    "bind=custom customBindHost=0.0.0.0",
    "bind=custom customBindHost=10.0.0.05",
    "bind=custom customBindHost=localhost",
    "bind=lan --bind loopback",
    "--bind 127.0.0.1",
    "--bind 127.0.0.2",
    "--bind ::1",
    "--bind [::1]",
    "--bind 0.0.0.0",
    "--bind ::",
    "--bind 192.168.1.5",
    "--bind fd00::5",
    "--bind 100.100.1.2",
    "--bind everywhere",
    "--bind LAN",
    "--bind 127.0.0.1:80",
    "--bind 10.0.0.05",
];

const SECRETS: [&str; 22] = [
    "",
    "auth.token=",
    "CLAWDBOT_GATEWAY_TOKEN=",
    "remote.token=x",
    "--token x",
    "auth.token=x",
    "CLAWDBOT_GATEWAY_TOKEN=x",
    "--password x",
    "auth.password=x",
    "CLAWDBOT_GATEWAY_PASSWORD=x",
    "auth.token=x auth.password=y",
    "auth.token=x --auth password",
    "auth.token=x auth.mode=password",
    "auth.password=x --auth token",
    "auth.password=x auth.mode=token",
    "auth.password=x auth.mode=token --auth password",
    "--auth none",
    "auth.allowTailscale=true",
    "auth.allowTailscale=false",
    "auth.token=x auth.allowTailscale=true",
    "auth.token=x auth.allowTailscale=false",
    "auth.password=x auth.allowTailscale=true",
];

const REACHES: [&str; 3] = ["off", "serve", "funnel"];

/// A start as it is written in the table.
struct Given {
    line: String,
    env: Vec<(String, String)>,
    config: Value,
}

impl Given {
    /// `gateway.mode` is set, so that only what the row says is judged.
    fn new(words: &[&str]) -> Self {
        let mut given = Self { line: String::new(), env: Vec::new(), config: json!({"mode": "local"}) };
        let mut words = words.iter().flat_map(|words| words.split(' ')).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            match word.split_once('=') {
                _ if word.starts_with("--") => {
                    let value = words.next().expect("a value");
                    let _ = write!(given.line, "{word} {value} ");
                }
                Some((name, value)) if name.starts_with("CLAWDBOT_") => {
                    given.env.push((name.to_owned(), value.to_owned()));
                }
                Some((path, value)) => {
                    let place = format!("/{}", path.replace('.', "/"));
                    if let Some((section, _)) = path.split_once('.')
                        && given.config.get(section).is_none()
                    {
                        given.config[section] = json!({});
                    }
                    let (parent, name) = place.rsplit_once('/').expect("a slash");
                    let value = value.parse::<bool>().map_or_else(|_| json!(value), Value::from);
                    given.config.pointer_mut(parent).expect("a section")[name] = value;
                }
                None => panic!("{word}"),
            }
        }
        given
    }

    fn check(&self) -> Result<(Allowed, Gateway), Refusal> {
        let env: Vec<_> = self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let allowed = check(&self.line, self.config.clone(), &env)?;
        Ok((allowed, gateway(self.config.clone())))
    }
}

/// An ordinary machine: a network at home and a tailnet, with both families of addresses.
const INTERFACES: [&str; 5] = ["192.168.1.5", "fd00::5", "fd7a:115c:a1e0::9", "100.100.1.2", "fe80::1"];

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

/// Where it would listen and who may come in, or why not.
fn outcome(given: &Given) -> Result<(String, String), Refusal> {
    let (allowed, config) = given.check()?;
    let interfaces = addresses(&INTERFACES);
    let facts = Facts {
        custom_host: config.custom_bind_host.as_deref(),
        interfaces: &interfaces,
        has_auth: !allowed.auth.is_none(),
    };
    let plan = Plan::new(allowed.bind, facts).map_err(|error| {
        let (paths, env) = (paths(), Env::default());
        let scene = Scene { port: allowed.port.number, paths: &paths, env: &env };
        taken::listener(&bind::Error::from(error), scene)
    })?;
    if allowed.auth.is_none() {
        assert!(plan.all().all(gateway_base::net::is_loopback), "open without a secret: {}", given.line);
    }
    if allowed.exposure.reach.is_some() {
        assert!(plan.all().all(gateway_base::net::is_loopback), "a way past Tailscale: {}", given.line);
    }
    let names = if names_count(allowed.exposure.reach, &allowed.auth, &config) { " or name" } else { "" };
    Ok((places(&plan), format!("{}{names}", allowed.auth.mode())))
}

fn paths() -> Paths {
    Paths::resolve(&Env::from_pairs([("HOME", "/h")]), None).expect("paths")
}

fn places(plan: &Plan) -> String {
    let list = |ips: &[IpAddr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let lists = [list(&plan.wanted), list(&plan.fallback)];
    lists.into_iter().filter(|list| !list.is_empty()).collect::<Vec<_>>().join(", else ")
}

/// The refusals so far, each with its number.
#[derive(Default)]
struct Refusals(Vec<String>);

impl Refusals {
    fn number(&mut self, refusal: &Refusal, bind: &str) -> String {
        let word = bind.rsplit([' ', '=']).next().unwrap_or_default().trim_matches(['[', ']']);
        let word = if bind.contains("customBindHost") { "custom" } else { word };
        let text = refusal.lines.join("\n  ");
        let text = text.replace(&format!("gateway to {word} without"), "gateway to <bind> without");
        let text = format!("exit {}\n  {text}\n", refusal.exit.code());
        let at = self.0.iter().position(|one| *one == text).unwrap_or_else(|| {
            self.0.push(text);
            self.0.len() - 1
        });
        format!("R{}", at + 1)
    }
}

#[test]
fn every_way_to_listen_with_every_secret_and_reach_is_reviewed() {
    let mut refusals = Refusals::default();
    let mut rows = String::new();
    for bind in BINDS {
        for secret in SECRETS {
            let mut place = String::new();
            let mut cells = String::new();
            for reach in REACHES {
                let flag = Given::new(&[bind, secret, &format!("--tailscale {reach}")]);
                let file = Given::new(&[bind, secret, &format!("tailscale.mode={reach}")]);
                let seen = outcome(&flag);
                assert_eq!(
                    seen,
                    outcome(&file),
                    "{bind} {secret} {reach}: the flag and the file say the same"
                );
                let cell = match seen {
                    Ok((at, who)) => {
                        place = at;
                        who
                    }
                    Err(refusal) => refusals.number(&refusal, bind),
                };
                let _ = write!(cells, " | {cell:<16}");
            }
            let _ = writeln!(rows, "{bind:<36} | {secret:<47}{cells} | {place}");
        }
        rows.push('\n');
    }
    let mut table = String::from(
        "What is asked of clients, or the refusal, with --tailscale off, serve and funnel; then the addresses that are \
         tried.\n\n",
    );
    table.push_str(&rows);
    for (index, text) in refusals.0.iter().enumerate() {
        let _ = write!(table, "R{}: {text}", index + 1);
    }
    golden("bind-auth", &table);
}

#[test]
fn every_mode_on_every_machine_is_reviewed() {
    let machines: [(&str, &[&str]); 6] = [
        ("both families and a tailnet", &INTERFACES),
        ("IPv4 and no tailnet", &["192.168.1.5", "10.0.0.5"]),
        ("IPv6 alone", &["fd00::5", "fe80::1"]),
        ("IPv6 alone and a tailnet", &["fd00::5", "fd7a:115c:a1e0::9"]),
        ("a tailnet alone", &["100.100.1.2"]),
        ("no network", &[]),
    ];
    let mut table = String::new();
    for mode in ["loopback", "lan", "tailnet", "auto", "custom", "192.168.1.5", "::"] {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for (machine, interfaces) in machines {
            let interfaces = addresses(interfaces);
            for (secret, has_auth) in [("a secret", true), ("no secret", false)] {
                let facts = Facts { custom_host: Some("fd00::5"), interfaces: &interfaces, has_auth };
                let plan = Plan::new(mode.parse().expect(mode), facts).expect(mode);
                let note = plan.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
                let (what, whom) = (format!("{}{note}", places(&plan)), format!("  {machine}, {secret}\n"));
                match groups.iter_mut().find(|(same, _)| *same == what) {
                    Some((_, machines)) => machines.push(whom),
                    None => groups.push((what, vec![whom])),
                }
            }
        }
        for (what, machines) in groups {
            let _ = write!(table, "{mode}: {what}\n{}", machines.concat());
        }
    }
    golden("bind-plans", &table);
}

fn golden(name: &str, text: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    insta::with_settings!({snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}
