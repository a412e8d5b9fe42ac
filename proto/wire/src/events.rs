//! The second table: one row per event. It says who may see an event, whether a slow client may miss it, and
//! whether it carries the state counters; the list in `hello-ok` is made from it.

use Droppable::{Delta, No, Yes};
use Guard::{Approvals, Directed, Everyone, Pairing};

/// What there is to know about an event before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The name clients listen for.
    pub name: &'static str,
    /// Who receives it.
    pub guard: Guard,
    /// Whether a client that is too slow may miss it.
    pub droppable: Droppable,
    /// Whether it carries both state counters.
    pub state_version: bool,
}

/// Who receives an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Every connected client, nodes included.
    Everyone,
    /// Operators with `operator.approvals` or `operator.admin`.
    Approvals,
    /// Operators with `operator.pairing` or `operator.admin`.
    Pairing,
    /// Only the one connection it is sent to, and without a sequence number.
    Directed,
}

/// Whether a client that is too slow may miss an event. One that may not is closed instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Droppable {
    /// It must arrive.
    No,
    /// It may be missed.
    Yes,
    /// Only its `delta` state may be missed: a later one carries the whole text again.
    Delta,
}

/// Finds an event by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Event> {
    EVENTS.iter().find(|event| event.name == name)
}

/// Every event, in the order of `hello-ok`.
#[rustfmt::skip]
pub static EVENTS: &[Event] = &[
    row("connect.challenge", Directed, No),
    row("agent", Everyone, No),
    row("chat", Everyone, Delta),
    row("presence", Everyone, Yes).with_state_version(),
    row("tick", Everyone, Yes),
    row("talk.mode", Everyone, Yes),
    row("shutdown", Everyone, No),
    row("health", Everyone, No).with_state_version(),
    row("heartbeat", Everyone, Yes),
    row("cron", Everyone, Yes),
    row("node.pair.requested", Pairing, Yes),
    row("node.pair.resolved", Pairing, Yes),
    row("node.invoke.request", Directed, No),
    row("device.pair.requested", Pairing, Yes),
    row("device.pair.resolved", Pairing, Yes),
    row("voicewake.changed", Everyone, Yes),
    row("exec.approval.requested", Approvals, Yes),
    row("exec.approval.resolved", Approvals, Yes),
];

const fn row(name: &'static str, guard: Guard, droppable: Droppable) -> Event {
    Event { name, guard, droppable, state_version: false }
}

impl Event {
    const fn with_state_version(mut self) -> Self {
        self.state_version = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_original_in_its_order() {
        let want = "connect.challenge agent chat presence tick talk.mode shutdown health heartbeat cron \
            node.pair.requested node.pair.resolved node.invoke.request device.pair.requested \
            device.pair.resolved voicewake.changed exec.approval.requested exec.approval.resolved";
        let names: Vec<_> = EVENTS.iter().map(|event| event.name).collect();
        assert_eq!(names, want.split_whitespace().collect::<Vec<_>>());
        for event in EVENTS {
            assert_eq!(find(event.name), Some(event));
        }
        assert_eq!(find("nothing"), None);
    }

    #[test]
    fn what_must_arrive_and_what_carries_counters() {
        let names =
            |keep: fn(&&Event) -> bool| EVENTS.iter().filter(keep).map(|e| e.name).collect::<Vec<_>>();
        assert_eq!(
            names(|event| event.droppable == No),
            ["connect.challenge", "agent", "shutdown", "health", "node.invoke.request"]
        );
        assert_eq!(names(|event| event.droppable == Delta), ["chat"]);
        assert_eq!(names(|event| event.state_version), ["presence", "health"]);
    }

    #[test]
    fn guards_follow_the_names() {
        for event in EVENTS {
            let want = match event.name {
                name if name.starts_with("exec.approval.") => Approvals,
                name if name.contains(".pair.") => Pairing,
                "connect.challenge" | "node.invoke.request" => Directed,
                _ => Everyone,
            };
            assert_eq!(event.guard, want, "{}", event.name);
        }
    }
}
