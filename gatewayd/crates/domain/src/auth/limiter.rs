//! Slows down guessing without locking out the honest (rule R22). Choices made here:
//!
//! - Only a *wrong* credential counts, and the same wrong one counts once: repeating it teaches a guesser nothing,
//!   and a thousand clients with one outdated token behind one address are no attack.
//! - Guesses at the shared secret count per address. Over budget, right and wrong ones are refused unread, otherwise
//!   the limit would not limit guessing.
//! - A paired device that proved itself by its signature counts under its own id, whatever it offers. What others
//!   behind its address do cannot lock it out, and its own mistakes lock out nobody else.
//! - A refusal while waiting does not prolong the wait, and a success does not give others a fresh budget.
//! - Every peer is limited, loopback too: a page in a browser comes from there.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway_base::clock::{Clock, UnixMs};

use super::locality;

/// Different wrong credentials that one key may offer within [`WINDOW`].
pub const BUDGET: u32 = 10;
/// Time after which wrong credentials are forgotten when the budget was not used up.
pub const WINDOW: Duration = Duration::from_secs(60);
/// First wait; each further one is twice as long.
pub const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Longest wait, and how long a key must behave to start over.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Keys remembered at most.
pub const MAX_KEYS: usize = 10_000;

const REMEMBERED_GUESSES: usize = 16;

/// Whose guesses are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Guesses at the shared secret from one address (the /64 of a v6 one).
    Address(IpAddr),
    /// Anything a paired device offers that proved possession of its key.
    Device(String),
}

impl Key {
    /// The key of a client address.
    #[must_use]
    pub fn address(client: IpAddr) -> Self {
        Self::Address(locality::bucket(client))
    }
}

/// Counts wrong credentials. Shared by reference; the lock is held for a few instructions.
#[derive(Debug)]
pub struct Limiter {
    clock: Clock,
    hasher: RandomState,
    entries: Mutex<HashMap<Key, Entry>>,
}

#[derive(Debug, Default)]
struct Entry {
    window_began: UnixMs,
    wrong: u32,
    waits: u32,
    blocked_until: UnixMs,
    last_seen: UnixMs,
    /// Fingerprints of recent wrong credentials, newest last. Keyed per process, so they reveal nothing.
    guesses: Vec<u64>,
}

impl Limiter {
    /// A limiter that has seen nobody.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, hasher: RandomState::new(), entries: Mutex::default() }
    }

    /// Whether `key` may offer a credential now; otherwise how long it has to wait. Ask before comparing.
    pub fn check(&self, key: &Key) -> Result<(), Duration> {
        let now = self.clock.steady();
        let entries = self.lock();
        let Some(entry) = entries.get(key) else { return Ok(()) };
        match entry.wait(now) {
            Some(wait) => Err(wait),
            None => Ok(()),
        }
    }

    /// Counts a wrong credential of `key`. Returns the wait when it was the one that used up the budget. `guess` is
    /// everything that was offered, so that no unused field can make different guesses look like one.
    pub fn wrong(&self, key: &Key, guess: impl Hash) -> Option<Duration> {
        let now = self.clock.steady();
        let fingerprint = self.hasher.hash_one(guess);
        let mut entries = self.lock();
        if !entries.contains_key(key) && entries.len() >= MAX_KEYS {
            make_room(&mut entries, now);
        }
        entries.entry(key.clone()).or_default().count(fingerprint, now)
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nobody has offered anything wrong lately.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// What is left of the wait.
    fn wait(&self, now: UnixMs) -> Option<Duration> {
        let left = u64::try_from(self.blocked_until.saturating_sub(now)).unwrap_or(0);
        (left > 0).then(|| Duration::from_millis(left))
    }

    fn count(&mut self, fingerprint: u64, now: UnixMs) -> Option<Duration> {
        let idle = now.saturating_sub(self.last_seen.max(self.blocked_until));
        self.last_seen = now;
        if self.guesses.contains(&fingerprint) {
            return None;
        }
        if idle >= ms(LONGEST_WAIT) {
            self.waits = 0;
        }
        if now.saturating_sub(self.window_began) >= ms(WINDOW) {
            self.window_began = now;
            self.wrong = 0;
        }
        if self.guesses.len() == REMEMBERED_GUESSES {
            self.guesses.remove(0);
        }
        self.guesses.push(fingerprint);
        self.wrong += 1;
        if self.wrong < BUDGET {
            return None;
        }
        let wait = FIRST_WAIT.saturating_mul(1 << self.waits.min(16)).min(LONGEST_WAIT);
        self.waits = self.waits.saturating_add(1);
        self.wrong = 0;
        self.blocked_until = now.saturating_add(ms(wait));
        Some(wait)
    }

    fn is_idle(&self, now: UnixMs) -> bool {
        self.blocked_until <= now && now.saturating_sub(self.last_seen) >= ms(LONGEST_WAIT)
    }
}

/// Forgets the idle, and if that is not enough the eighth that was seen longest ago, those who wait last of all: a
/// flood from many addresses should not free the ones that are blocked.
fn make_room(entries: &mut HashMap<Key, Entry>, now: UnixMs) {
    entries.retain(|_, entry| !entry.is_idle(now));
    let keep = MAX_KEYS - MAX_KEYS / 8;
    if entries.len() <= keep {
        return;
    }
    let mut order: Vec<(bool, UnixMs, Key)> =
        entries.iter().map(|(key, e)| (e.blocked_until > now, e.last_seen, key.clone())).collect();
    order.sort_unstable_by_key(|(blocked, seen, _)| (*blocked, *seen));
    let surplus = entries.len() - keep;
    for (_, _, key) in order.into_iter().take(surplus) {
        entries.remove(&key);
    }
}

fn ms(duration: Duration) -> UnixMs {
    UnixMs::try_from(duration.as_millis()).unwrap_or(UnixMs::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> (Limiter, Clock, Key) {
        let clock = Clock::manual(1_000_000_000);
        (Limiter::new(clock.clone()), clock, Key::address([192, 0, 2, 1].into()))
    }

    fn use_up(limiter: &Limiter, key: &Key, round: u32) -> Duration {
        for n in 1..BUDGET {
            assert_eq!(limiter.wrong(key, format!("{round}-{n}")), None);
        }
        limiter.wrong(key, format!("{round}-last")).expect("the budget is used up")
    }

    fn advance(clock: &Clock, by: Duration) {
        clock.set(clock.now() + ms(by));
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end_on_time() {
        let (limiter, clock, key) = fixture();
        for (round, want) in [30, 60, 120, 240, 480, 900, 900].into_iter().enumerate() {
            let wait = use_up(&limiter, &key, u32::try_from(round).expect("small"));
            assert_eq!(wait, Duration::from_secs(want));
            assert_eq!(limiter.check(&key), Err(wait));
            advance(&clock, wait - Duration::from_millis(1));
            assert_eq!(limiter.check(&key), Err(Duration::from_millis(1)));
            advance(&clock, Duration::from_millis(1));
            assert_eq!(limiter.check(&key), Ok(()));
        }
        advance(&clock, LONGEST_WAIT);
        assert_eq!(use_up(&limiter, &key, 99), FIRST_WAIT, "good behaviour starts over");
    }

    #[test]
    fn slow_mistakes_never_wait() {
        let (limiter, clock, key) = fixture();
        for n in 0..200 {
            assert_eq!(limiter.wrong(&key, n), None);
            advance(&clock, WINDOW.div_f64(f64::from(BUDGET - 1)) + Duration::from_millis(1));
        }
    }

    #[test]
    fn a_thousand_honest_clients_with_one_wrong_token_lock_out_nobody() {
        let (limiter, clock, key) = fixture();
        for _ in 0..1_000 {
            assert_eq!(limiter.check(&key), Ok(()));
            assert_eq!(limiter.wrong(&key, "the token of last year"), None);
            advance(&clock, Duration::from_millis(3));
        }
    }

    #[test]
    fn keys_do_not_touch_each_other() {
        let (limiter, _, key) = fixture();
        use_up(&limiter, &key, 0);
        assert!(limiter.check(&key).is_err());
        assert_eq!(limiter.check(&Key::Device("d".to_owned())), Ok(()));
        assert_eq!(limiter.check(&Key::address([192, 0, 2, 2].into())), Ok(()));
        let v6 = |host| Key::address(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]));
        use_up(&limiter, &v6(1), 0);
        assert!(limiter.check(&v6(2)).is_err(), "one v6 network is one key");
    }

    #[test]
    fn a_refusal_does_not_prolong_the_wait() {
        let (limiter, clock, key) = fixture();
        let wait = use_up(&limiter, &key, 0);
        for _ in 0..10 {
            advance(&clock, wait / 10);
            let _ = limiter.check(&key);
        }
        assert_eq!(limiter.check(&key), Ok(()));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_blocked_last() {
        let (limiter, clock, key) = fixture();
        use_up(&limiter, &key, 0);
        for n in 0..30_000_u32 {
            limiter.wrong(&Key::Address(IpAddr::V4(n.into())), "x");
            if n % 1_000 == 0 {
                advance(&clock, Duration::from_millis(1));
            }
            assert!(limiter.len() <= MAX_KEYS);
        }
        assert!(limiter.check(&key).is_err(), "a flood does not free the one who waits");
    }
}
