//! Whether a person of the tailnet may come in by name. Tailscale's proxy writes the name into a header, and a header is
//! only text: it counts when it came through a proxy on this machine, and when this machine's own Tailscale says that
//! the forwarded address is a device of that person (operations 8.6). Answers are kept for a minute, so that a client
//! that connects again and again does not start a program each time.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::failure::Reason;
use crate::ports::tailnet::{Unknown, User, Whois};

/// How long a person is remembered.
pub const KNOWN: Duration = Duration::from_secs(60);
/// How long it is remembered that nobody was found.
pub const UNKNOWN: Duration = Duration::from_secs(5);
/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 1024;
/// Questions that may be open at once; each is a process.
const MAX_QUESTIONS: usize = 4;

/// What a request says about the person behind it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Peer address of the socket.
    pub peer: IpAddr,
    /// `Tailscale-User-Login`, as sent.
    pub login: Option<&'a str>,
    /// All `X-Forwarded-For` values, joined by commas.
    pub forwarded_for: Option<&'a str>,
    /// Whether `X-Forwarded-Proto` and `X-Forwarded-Host` are there too.
    pub forwarded_whole: bool,
}

/// Checks claims and remembers the answers.
pub struct Identities {
    whois: Arc<dyn Whois>,
    known: Mutex<HashMap<IpAddr, Kept>>,
    questions: Semaphore,
}

#[derive(Clone)]
struct Kept {
    answer: Result<Option<User>, Unknown>,
    until: Instant,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("known", &self.lock().len()).finish_non_exhaustive()
    }
}

impl Identities {
    /// Believes `whois`.
    #[must_use]
    pub fn new(whois: Arc<dyn Whois>) -> Self {
        Self { whois, known: Mutex::default(), questions: Semaphore::new(MAX_QUESTIONS) }
    }

    /// The person behind a request, or why the claim does not count.
    pub async fn check(&self, claim: &Claim<'_>) -> Result<User, Reason> {
        let login = claim.login.map(str::trim).filter(|login| !login.is_empty());
        let login = login.ok_or(Reason::TailscaleUserMissing)?;
        let address = client(claim).ok_or(Reason::TailscaleProxyMissing)?;
        match self.ask(address).await {
            Ok(Some(user)) if is_same(&user.login, login) => Ok(user),
            Ok(_) => Err(Reason::TailscaleUserMismatch),
            Err(_) => Err(Reason::TailscaleWhoisFailed),
        }
    }

    async fn ask(&self, address: IpAddr) -> Result<Option<User>, Unknown> {
        if let Some(answer) = self.remembered(address) {
            return answer;
        }
        // The semaphore is never closed.
        let _turn = self.questions.acquire().await;
        // Whoever had the turn before may have asked the same.
        if let Some(answer) = self.remembered(address) {
            return answer;
        }
        let answer = self.whois.whois(address).await;
        if let Err(error) = &answer {
            tracing::warn!(subsystem = "tailscale", %address, "whois failed: {error}");
        }
        let lasts = if matches!(answer, Ok(Some(_))) { KNOWN } else { UNKNOWN };
        let now = Instant::now();
        let mut known = self.lock();
        if known.len() >= MAX_ADDRESSES {
            known.retain(|_, kept| kept.until > now);
        }
        if known.len() < MAX_ADDRESSES {
            known.insert(address, Kept { answer: answer.clone(), until: now + lasts });
        }
        answer
    }

    fn remembered(&self, address: IpAddr) -> Option<Result<Option<User>, Unknown>> {
        let known = self.lock();
        known.get(&address).filter(|kept| kept.until > Instant::now()).map(|kept| kept.answer.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Kept>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address that Tailscale's proxy forwards for. It removes what the client sent and writes one address, so a chain
/// of them is the work of somebody else, who may have let a forged one through.
fn client(claim: &Claim<'_>) -> Option<IpAddr> {
    if !claim.peer.to_canonical().is_loopback() || !claim.forwarded_whole {
        return None;
    }
    let address: IpAddr = claim.forwarded_for?.trim().parse().ok()?;
    Some(address.to_canonical())
}

fn is_same(known: &str, sent: &str) -> bool {
    known.trim().to_lowercase() == decode(sent).trim().to_lowercase()
}

/// A header value with what the proxy could not write as it is: RFC 2047 words, which hide what is not ASCII.
fn decode(value: &str) -> String {
    if !value.starts_with("=?") {
        return value.to_owned();
    }
    let words: Option<Vec<Vec<u8>>> = value.split_ascii_whitespace().map(decode_word).collect();
    words.and_then(|words| String::from_utf8(words.concat()).ok()).unwrap_or_else(|| value.to_owned())
}

/// `=?utf-8?q?...?=` or `=?utf-8?b?...?=`
fn decode_word(word: &str) -> Option<Vec<u8>> {
    let mut fields = word.strip_prefix("=?")?.strip_suffix("?=")?.splitn(3, '?');
    let (charset, encoding, text) = (fields.next()?, fields.next()?, fields.next()?);
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    match encoding {
        "b" | "B" => STANDARD.decode(text).ok(),
        "q" | "Q" => quoted(text.as_bytes()),
        _ => None,
    }
}

fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [*rest.next()?, *rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => *byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::BoxFuture;

    /// Knows one address and counts how often it is asked.
    struct Fake {
        answer: Result<Option<User>, Unknown>,
        asked: Mutex<Vec<IpAddr>>,
    }

    impl Whois for Fake {
        fn whois(&self, address: IpAddr) -> BoxFuture<'_, Result<Option<User>, Unknown>> {
            Box::pin(async move {
                self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(address);
                tokio::task::yield_now().await;
                self.answer.clone()
            })
        }
    }

    fn fake(answer: Result<Option<&str>, &str>) -> (Arc<Fake>, Identities) {
        let answer = match answer {
            Ok(login) => Ok(login.map(|login| User { login: login.to_owned() })),
            Err(text) => Err(Unknown(text.to_owned())),
        };
        let fake = Arc::new(Fake { answer, asked: Mutex::default() });
        (fake.clone(), Identities::new(fake))
    }

    fn asked(fake: &Fake) -> usize {
        fake.asked.lock().expect("not poisoned").len()
    }

    fn claim<'a>(login: Option<&'a str>, forwarded_for: Option<&'a str>) -> Claim<'a> {
        Claim { peer: IpAddr::from([127, 0, 0, 1]), login, forwarded_for, forwarded_whole: true }
    }

    #[tokio::test]
    async fn a_name_counts_when_whois_says_the_same() {
        let (fake, identities) = fake(Ok(Some("Ada@example.com")));
        let user = identities.check(&claim(Some(" ada@EXAMPLE.com "), Some("100.64.0.7"))).await;
        assert_eq!(user.expect("let in").login, "Ada@example.com", "the name is that of whois");
        let other = identities.check(&claim(Some("eve@example.com"), Some("100.64.0.7"))).await;
        assert_eq!(other, Err(Reason::TailscaleUserMismatch));
        assert_eq!(asked(&fake), 1);
    }

    #[tokio::test]
    async fn what_did_not_come_through_the_local_proxy_is_not_even_asked_about() {
        let (fake, identities) = fake(Ok(Some("ada")));
        let whole = claim(Some("ada"), Some("100.64.0.7"));
        let remote = Claim { peer: IpAddr::from([192, 168, 1, 9]), ..whole };
        let part = Claim { forwarded_whole: false, ..whole };
        for claim in [
            remote,
            part,
            claim(Some("ada"), None),
            claim(Some("ada"), Some("")),
            claim(Some("ada"), Some("100.64.0.7, 10.0.0.1")),
            claim(Some("ada"), Some("localhost")),
            claim(Some("ada"), Some("--help")),
        ] {
            assert_eq!(identities.check(&claim).await, Err(Reason::TailscaleProxyMissing), "{claim:?}");
        }
        for login in [None, Some(""), Some("  ")] {
            let claim = claim(login, Some("100.64.0.7"));
            assert_eq!(identities.check(&claim).await, Err(Reason::TailscaleUserMissing));
        }
        assert_eq!(asked(&fake), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_is_known_for_a_minute_and_a_failure_for_seconds() {
        let cases = [
            (Ok(Some("ada")), KNOWN, None),
            (Ok(None), UNKNOWN, Some(Reason::TailscaleUserMismatch)),
            (Err("gone"), UNKNOWN, Some(Reason::TailscaleWhoisFailed)),
        ];
        for (answer, lasts, refused) in cases {
            let (fake, identities) = fake(answer);
            let claim = claim(Some("ada"), Some("fd7a:115c:a1e0::7"));
            for _ in 0..3 {
                assert_eq!(identities.check(&claim).await.err(), refused);
            }
            tokio::time::advance(lasts - Duration::from_millis(1)).await;
            assert_eq!((identities.check(&claim).await.err(), asked(&fake)), (refused, 1));
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!((identities.check(&claim).await.err(), asked(&fake)), (refused, 2));
        }
    }

    #[tokio::test]
    async fn forged_addresses_do_not_fill_the_memory() {
        let (_fake, identities) = fake(Ok(Some("ada")));
        for n in 0..2000u32 {
            let address = IpAddr::from(n.to_be_bytes()).to_string();
            identities.check(&claim(Some("ada"), Some(&address))).await.expect("let in");
        }
        assert_eq!(identities.lock().len(), MAX_ADDRESSES);
    }

    #[test]
    fn names_that_are_not_ascii_are_read() {
        for (sent, read) in [
            ("ada@example.com", "ada@example.com"),
            ("=?utf-8?q?J=C3=BCrgen_Maier?=", "J\u{fc}rgen Maier"),
            ("=?UTF-8?Q?J=C3=BCr?= =?utf-8?q?gen?=", "J\u{fc}rgen"),
            ("=?utf-8?b?SsO8cmdlbg==?=", "J\u{fc}rgen"),
            ("=?utf-8?q?=C3?=", "=?utf-8?q?=C3?="),
            ("=?utf-8?q?=?=", "=?utf-8?q?=?="),
            ("=?latin1?q?x?=", "=?latin1?q?x?="),
            ("=?", "=?"),
        ] {
            assert_eq!(decode(sent), read, "{sent}");
        }
    }
}
