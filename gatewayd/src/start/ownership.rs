//! Which instance owns what. The first gateway of a configuration owns its lock and the state folder; a further one
//! may run beside it on an explicitly different port, without the parts that write the state (operations 12.4).

use std::path::Path;
use std::time::Duration;

use gateway_base::lock_file::{self, LockFile, Places, Record};
use gateway_base::paths::Paths;

use super::checks::Port;

/// How long to wait for an owner that is on its way out.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(100);

/// What this instance may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Everything: it owns the state folder.
    Primary,
    /// Nothing of the state: another gateway owns it.
    Secondary {
        /// The owner's pid, when its record could be read.
        owner_pid: Option<u32>,
        /// The owner's port, when its record names one.
        owner_port: Option<u16>,
    },
}

/// The locks of this instance; dropping them lets the next one in.
#[derive(Debug, Default)]
pub struct Locks(Vec<LockFile>);

impl Locks {
    /// Tells the next instance that waiting is worth it.
    pub fn mark_stopping(&mut self) {
        for lock in &mut self.0 {
            if let Err(error) = lock.mark_stopping() {
                tracing::debug!(subsystem = "gateway", %error, "the lock file cannot be written");
            }
        }
    }
}

/// Why this instance may not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another gateway runs from this configuration.
    #[error("gateway already running")]
    Running {
        /// What its record says.
        owner: Option<Record>,
        /// It was on its way out, and the wait for it is over.
        waited: bool,
    },
    /// The lock cannot be used at all.
    #[error(transparent)]
    Lock(lock_file::Error),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Where the lock files are.
    pub places: &'a Places,
    /// The paths of this instance.
    pub paths: &'a Paths,
    /// The port of this instance.
    pub port: Port,
    /// Several gateways per configuration are allowed.
    pub allows_many: bool,
    /// The listeners were handed over, so whoever has a lock now came in between and cannot stay.
    pub is_restart: bool,
}

/// Who certainly keeps this instance from starting, found without taking anything: the cheap answer for the loser
/// of a race. `port` is the port that a flag or the environment names, if any.
#[must_use]
pub fn certain_owner(places: &Places, config: &Path, port: Option<u16>) -> Option<Record> {
    let owner = lock_file::owner(&places.gateway(config)).filter(|owner| owner.locked && !owner.stopping)?;
    let is_same = port.is_none_or(|port| owner.port == Some(port));
    is_same.then_some(owner)
}

/// Takes the locks, or says who has them. Waits only for an owner that is stopping.
pub async fn claim(claim: Claim<'_>, record: &Record) -> Result<(Locks, Ownership), Error> {
    let Claim { places, paths, port, allows_many, is_restart } = claim;
    let mut held = Vec::new();
    let mut owner = None;
    if !allows_many {
        match take(&places.gateway(&paths.config), record, is_restart).await {
            Ok(lock) => held.push(lock),
            Err(Error::Running { owner: found, waited }) => {
                let owner_port = found.as_ref().and_then(|record| record.port).unwrap_or(port.configured);
                if !port.is_explicit || owner_port == port.number {
                    return Err(Error::Running { owner: found, waited });
                }
                held.push(take(&places.gateway_on(&paths.config, port.number), record, is_restart).await?);
                owner = Some(found);
            }
            Err(error) => return Err(error),
        }
    }
    if owner.is_none() {
        match take(&places.state(&paths.state), record, is_restart).await {
            Ok(lock) => held.push(lock),
            Err(Error::Running { owner: found, .. }) => owner = Some(found),
            Err(error) => return Err(error),
        }
    }
    let ownership = owner.map_or(Ownership::Primary, |owner| Ownership::Secondary {
        owner_pid: owner.as_ref().map(|record| record.pid),
        owner_port: owner.as_ref().and_then(|record| record.port),
    });
    Ok((Locks(held), ownership))
}

async fn take(path: &Path, record: &Record, is_restart: bool) -> Result<LockFile, Error> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut waited = false;
    loop {
        match LockFile::acquire(path, record.clone()) {
            Ok(lock) => return Ok(lock),
            Err(lock_file::Error::Held(owner)) => {
                let is_leaving = is_restart || owner.as_ref().is_some_and(|owner| owner.stopping);
                if !is_leaving || tokio::time::Instant::now() >= deadline {
                    return Err(Error::Running { owner, waited });
                }
            }
            Err(error) => return Err(Error::Lock(error)),
        }
        waited = true;
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_base::clock::Clock;
    use gateway_base::env::Env;

    struct Home {
        _dir: tempfile::TempDir,
        places: Places,
        paths: Paths,
    }

    fn home() -> Home {
        let dir = tempfile::tempdir().expect("temporary folder");
        let text = dir.path().display().to_string();
        let env = Env::from_pairs([("TMPDIR", text.clone()), ("HOME", text)]);
        Home { places: Places::new(&env), paths: Paths::resolve(&env, None).expect("paths"), _dir: dir }
    }

    async fn start(
        home: &Home,
        number: u16,
        is_explicit: bool,
        allows_many: bool,
    ) -> Result<(Locks, Ownership), Error> {
        let port = Port { number, is_explicit, configured: 18789 };
        let record = Record::of_this_process(&Clock::system(), &home.paths.config, number, "loopback");
        let (places, paths) = (&home.places, &home.paths);
        claim(Claim { places, paths, port, allows_many, is_restart: false }, &record).await
    }

    fn secondary() -> Ownership {
        Ownership::Secondary { owner_pid: Some(std::process::id()), owner_port: Some(18789) }
    }

    #[tokio::test]
    async fn a_second_instance_needs_an_explicitly_different_port() {
        let home = home();
        let first = start(&home, 18789, false, false).await.expect("free");
        assert_eq!(first.1, Ownership::Primary);
        for (port, is_explicit) in [(18789, false), (18789, true), (19001, false)] {
            let refused = start(&home, port, is_explicit, false).await;
            assert!(matches!(refused, Err(Error::Running { waited: false, .. })), "{port} {is_explicit}");
        }
        let second = start(&home, 19001, true, false).await.expect("beside the first");
        assert_eq!(second.1, secondary());
        assert!(matches!(start(&home, 19001, true, false).await, Err(Error::Running { .. })));
        drop(first);
        assert_eq!(start(&home, 18789, false, false).await.expect("free again").1, Ownership::Primary);
    }

    #[tokio::test]
    async fn a_certain_owner_is_one_that_lives_stays_and_has_the_port() {
        let home = home();
        let owner = |port| certain_owner(&home.places, &home.paths.config, port).map(|owner| owner.pid);
        assert_eq!(owner(None), None);
        let mut first = start(&home, 18789, false, false).await.expect("free").0;
        let own = Some(std::process::id());
        assert_eq!((owner(None), owner(Some(18789)), owner(Some(19001))), (own, own, None));
        first.mark_stopping();
        assert_eq!(owner(None), None);
    }

    #[tokio::test]
    async fn allowing_many_skips_the_gateway_lock_but_not_the_state() {
        let home = home();
        let _first = start(&home, 18789, false, true).await.expect("free");
        assert_eq!(start(&home, 18790, false, true).await.expect("allowed").1, secondary());
    }

    #[tokio::test(start_paused = true)]
    async fn an_owner_on_its_way_out_is_waited_for() {
        let home = home();
        let mut first = start(&home, 18789, false, false).await.expect("free").0;
        first.mark_stopping();
        let began = tokio::time::Instant::now();
        let refused = start(&home, 18789, false, false).await;
        assert!(matches!(refused, Err(Error::Running { waited: true, .. })));
        assert!(began.elapsed() >= PATIENCE);
        let (next, ()) = tokio::join!(start(&home, 18789, false, false), async {
            tokio::time::sleep(POLL * 3).await;
            drop(first);
        });
        assert_eq!(next.expect("it left").1, Ownership::Primary);
    }
}
