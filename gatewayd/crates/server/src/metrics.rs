//! What the transports count, for `/metrics` and the admin status. Cells are plain atomics in this struct; the
//! registry only reads them when somebody asks.

use gateway_api::caller::Role;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

/// Writes one gauge that was read just now; for collectors.
pub(crate) fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: i64,
) -> std::fmt::Result {
    let gauge = ConstGauge::new(value);
    // The registry ends every other help text with a full stop.
    gauge.encode(encoder.encode_descriptor(name, &format!("{help}."), unit, gauge.metric_type())?)
}

/// Labels of a refused handshake.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    reason: &'static str,
}

/// Counters and gauges of the control plane.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Operators past the handshake.
    pub operators: Gauge,
    /// Nodes past the handshake.
    pub nodes: Gauge,
    /// Sockets accepted.
    pub accepted: Counter,
    /// Requests and other messages received after the handshake.
    pub frames_in: Counter,
    /// Bytes of those messages.
    pub bytes_in: Counter,
    /// Frames handed to sockets or their queues.
    pub frames_out: Counter,
    /// Bytes of frames handed to sockets or their queues.
    pub bytes_out: Counter,
    /// Events published.
    pub events: Counter,
    /// Events not delivered to a client that was behind.
    pub events_dropped: Counter,
    /// Clients closed because they were behind for too long.
    pub slow_consumers: Counter,
    /// Handshakes that failed.
    pub refusals: Counter,
    /// Handshakes that failed, by reason.
    pub handshakes_refused: Family<Reason, Counter>,
}

impl Metrics {
    /// Makes the metrics readable under their public names.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("gateway_operators", "Operators past the handshake", self.operators.clone());
        registry.register("gateway_nodes", "Nodes past the handshake", self.nodes.clone());
        registry.register("gateway_sockets_accepted", "Sockets accepted", self.accepted.clone());
        registry.register("gateway_frames_received", "Messages received", self.frames_in.clone());
        registry.register_with_unit("gateway_received", "Bytes received", Unit::Bytes, self.bytes_in.clone());
        registry.register("gateway_frames_sent", "Frames sent or queued", self.frames_out.clone());
        registry.register_with_unit(
            "gateway_sent",
            "Bytes sent or queued",
            Unit::Bytes,
            self.bytes_out.clone(),
        );
        registry.register("gateway_events", "Events published", self.events.clone());
        registry.register(
            "gateway_events_dropped",
            "Events dropped for slow clients",
            self.events_dropped.clone(),
        );
        registry.register(
            "gateway_slow_consumers",
            "Clients closed as too slow",
            self.slow_consumers.clone(),
        );
        registry.register(
            "gateway_handshakes_refused",
            "Handshakes that failed, by reason",
            self.handshakes_refused.clone(),
        );
    }

    /// Counts `messages` messages of together `bytes` bytes.
    pub fn received(&self, messages: u64, bytes: usize) {
        self.frames_in.inc_by(messages);
        self.bytes_in.inc_by(bytes as u64);
    }

    /// Counts `frames` frames of together `bytes` bytes on their way out.
    pub fn sent(&self, frames: u64, bytes: usize) {
        self.frames_out.inc_by(frames);
        self.bytes_out.inc_by(bytes as u64);
    }

    /// The gauge of connections in a role.
    #[must_use]
    pub const fn connections(&self, role: Role) -> &Gauge {
        match role {
            Role::Operator => &self.operators,
            Role::Node => &self.nodes,
        }
    }

    /// Counts a handshake that failed.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.inc();
        self.handshakes_refused.get_or_create(&Reason { reason }).inc();
    }
}
