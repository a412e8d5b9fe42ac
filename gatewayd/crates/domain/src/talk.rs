//! Talk mode: a client tells the mobile nodes to listen and speak. The gateway passes it on and keeps nothing.

use gateway_base::clock::Clock;
use gateway_wire::types::talk::{TalkMode, TalkModeParams};

use crate::events::Bus;
use crate::time::to_wire;

/// Tells everybody and returns what was told.
pub fn set_mode(bus: &Bus, clock: &Clock, params: TalkModeParams) -> TalkMode {
    let mode = TalkMode { enabled: params.enabled, phase: params.phase, ts: to_wire(clock.now()) };
    bus.publish("talk.mode", &mode, None);
    mode
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Received;

    #[test]
    fn result_and_event_are_the_same_and_phase_is_null_when_absent() {
        let bus = Bus::default();
        let mut events = bus.subscribe(1);
        let mode = set_mode(&bus, &Clock::manual(5), TalkModeParams { enabled: true, phase: None });
        let Some(Received::Event(event)) = events.try_recv() else { panic!("an event") };
        assert_eq!(event.payload, r#"{"enabled":true,"phase":null,"ts":5}"#.as_bytes());
        assert_eq!(serde_json::to_vec(&mode).expect("JSON"), event.payload);
    }
}
