//! What a service manager of the systemd kind is told, when it asked to be told: ready, reloading, stopping, and a
//! sign of life from the runtime itself, so that a daemon that hangs is restarted.

use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::limits;
use gateway_base::task::Tasks;

#[cfg(unix)]
use crate::bind;
use crate::handover::HandOver;

/// Tells the service manager. Does nothing without one.
#[derive(Clone, Debug)]
pub struct Notifier {
    is_asked: bool,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// What the environment asks for.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let number = |name: &str| env.get(name).and_then(|text| text.trim().parse::<u64>().ok());
        let for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|usec| for_us && *usec > 0).map(Duration::from_micros);
        Self { is_asked: cfg!(unix) && env.get("NOTIFY_SOCKET").is_some(), watchdog }
    }

    /// Puts the control plane's listeners into the manager's store, which outlives this process, and takes those out
    /// that are closed. The manager knows a socket again, so telling it twice does no harm.
    pub fn keep(&self, sockets: &HandOver, closed: &[String]) {
        if self.is_asked
            && let Err(error) = keep(sockets, closed)
        {
            tracing::debug!(subsystem = "gateway", %error, "the service manager cannot keep the listeners");
        }
    }

    /// Clients are served.
    pub fn ready(&self) {
        self.send(Message::Ready);
    }

    /// The configuration is being read again; [`Notifier::ready`] follows.
    pub fn reloading(&self) {
        self.send(Message::Reloading);
    }

    /// The end has begun. A drain that was asked for may take longer than the manager would wait by itself.
    pub fn stopping(&self, drain: Option<Duration>) {
        self.send(Message::Stopping);
        if let Some(drain) = drain {
            self.send(Message::Longer(drain.saturating_add(limits::SERVICE_STOP)));
        }
    }

    /// Gives signs of life at half the interval that was asked for, until the tasks stop.
    pub fn watch(&self, tasks: &Tasks) {
        let Some(interval) = self.watchdog.filter(|_| self.is_asked) else { return };
        let (notifier, stop) = (self.clone(), tasks.stopping());
        tasks.spawn_restarting("watchdog", move || {
            let (notifier, stop) = (notifier.clone(), stop.clone());
            async move {
                let mut ticks = tokio::time::interval(interval / 2);
                loop {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        _ = ticks.tick() => notifier.send(Message::Alive),
                    }
                }
            }
        });
    }

    fn send(&self, message: Message) {
        if self.is_asked
            && let Err(error) = send(message)
        {
            tracing::debug!(subsystem = "gateway", %error, "the service manager cannot be told");
        }
    }
}

#[derive(Clone, Copy)]
#[cfg_attr(not(unix), allow(dead_code, reason = "nobody is told anything there"))]
enum Message {
    Ready,
    Reloading,
    Stopping,
    Longer(Duration),
    Alive,
}

#[cfg(unix)]
fn send(message: Message) -> std::io::Result<()> {
    use sd_notify::NotifyState;
    match message {
        Message::Ready => sd_notify::notify(&[NotifyState::Ready]),
        // The manager compares the time with its own to tell this reload from an older one.
        Message::Reloading => {
            sd_notify::notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])
        }
        Message::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
        Message::Longer(time) => {
            let text = format!("EXTEND_TIMEOUT_USEC={}", time.as_micros());
            sd_notify::notify(&[NotifyState::Custom(&text)])
        }
        Message::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
    }
}

#[cfg(unix)]
fn keep(sockets: &HandOver, closed: &[String]) -> std::io::Result<()> {
    use sd_notify::NotifyState;
    for name in closed {
        sd_notify::notify(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)])?;
    }
    // A socket unit keeps its own.
    for (name, socket) in sockets.sockets().filter(|(name, _)| bind::is_our_name(name)) {
        sd_notify::notify_with_fds(&[NotifyState::FdStore, NotifyState::FdName(name)], &[socket])?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep(_: &HandOver, _: &[String]) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn send(_: Message) -> std::io::Result<()> {
    Ok(())
}
