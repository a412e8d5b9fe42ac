//! The owner task. Commands about different devices overlap, so that the store can write them together; commands
//! about one device run in the order they came. Descriptions that changed in memory are written a little later,
//! all at once, and always before the task ends.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use gateway_base::error_chain::Chain;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::core::{Core, Phase};
use super::operation::Command;

/// Operations that may run at once.
const MAX_RUNNING: usize = 128;
/// Commands that may wait behind another one about the same device.
const MAX_WAITING: usize = 1_024;
const FLUSH_AFTER: Duration = Duration::from_secs(5);
const LOAD_PAUSE: Duration = Duration::from_secs(2);

/// Owns the device records; see [`super::Devices`] for what can be asked of it.
pub struct DevicesTask {
    core: Arc<Core>,
    commands: mpsc::Receiver<Command>,
    phase: watch::Sender<Phase>,
    running: FuturesUnordered<BoxFuture<'static, Option<String>>>,
    busy: HashMap<String, VecDeque<Command>>,
    waiting: usize,
}

impl DevicesTask {
    pub(super) fn new(
        core: Arc<Core>,
        commands: mpsc::Receiver<Command>,
        phase: watch::Sender<Phase>,
    ) -> Self {
        Self { core, commands, phase, running: FuturesUnordered::new(), busy: HashMap::new(), waiting: 0 }
    }

    /// Reads the records, then serves until `stop` resolves; what was accepted by then is finished.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        tokio::select! {
            () = &mut stop => return,
            () = self.load() => {}
        }
        let mut flush_at = None;
        loop {
            if flush_at.is_none() && !self.core.table().dirty.is_empty() {
                flush_at = Some(Instant::now() + FLUSH_AFTER);
            }
            let takes_more = self.running.len() < MAX_RUNNING && self.waiting < MAX_WAITING;
            tokio::select! {
                () = &mut stop => break,
                Some(done) = self.running.next() => self.finished(done),
                command = self.commands.recv(), if takes_more => match command {
                    Some(command) => self.dispatch(command),
                    None => break,
                },
                () = at(flush_at) => {
                    flush_at = None;
                    self.flush();
                }
            }
        }
        self.finish().await;
    }

    async fn load(&mut self) {
        let unreadable = loop {
            match self.core.load().await {
                Ok(unreadable) => break unreadable,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "device records cannot be read; trying again");
                    self.phase.send_replace(Phase::Failed(error));
                }
            }
            tokio::time::sleep(LOAD_PAUSE).await;
        };
        self.phase.send_replace(Phase::Ready(unreadable));
    }

    fn dispatch(&mut self, command: Command) {
        let device = command.device(&self.core);
        if let Some(device) = &device {
            if let Some(queue) = self.busy.get_mut(device) {
                queue.push_back(command);
                self.waiting += 1;
                return;
            }
            self.busy.insert(device.clone(), VecDeque::new());
        }
        self.start(device, command);
    }

    fn start(&self, device: Option<String>, command: Command) {
        let core = self.core.clone();
        self.running.push(Box::pin(async move {
            command.run(&core).await;
            device
        }));
    }

    fn finished(&mut self, device: Option<String>) {
        let Some(device) = device else { return };
        self.phase.send_if_modified(|phase| {
            let Phase::Ready(told) = phase else { return false };
            let Some(left) = self.core.mended(told) else { return false };
            *told = left;
            true
        });
        let next = self.busy.get_mut(&device).and_then(VecDeque::pop_front);
        match next {
            Some(command) => {
                self.waiting -= 1;
                self.start(Some(device), command);
            }
            None => {
                self.busy.remove(&device);
            }
        }
    }

    fn flush(&mut self) {
        let dirty = std::mem::take(&mut self.core.table().dirty);
        for device in dirty {
            self.dispatch(Command::Flush(device));
        }
    }

    async fn finish(mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.dispatch(command);
        }
        self.drain().await;
        self.flush();
        self.drain().await;
    }

    async fn drain(&mut self) {
        while let Some(done) = self.running.next().await {
            self.finished(done);
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
