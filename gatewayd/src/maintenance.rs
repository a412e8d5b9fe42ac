//! What has to happen by the clock: the tick that tells clients the gateway is alive.

use std::time::Duration;

use gateway_base::clock::Clock;
use gateway_domain::events::Bus;
use gateway_wire::limits::TICK_INTERVAL_MS;
use gateway_wire::types::system::TickEvent;
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// Sends `tick` until the daemon stops. After a sleep of the machine one tick follows at once, not all that were missed.
pub async fn run(bus: Bus, clock: Clock, stop: CancellationToken) {
    let period = Duration::from_millis(TICK_INTERVAL_MS);
    let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let ts = u64::try_from(clock.now()).unwrap_or_default();
        bus.publish("tick", &TickEvent { ts }, None);
    }
}
