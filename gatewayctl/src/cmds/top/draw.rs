//! One frame of the dashboard, from the model alone. A wide terminal gets panels and a plot, a narrow one lines and a
//! sparkline, a tiny one a request for more room. Colours never carry what words do not.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Sparkline};

use super::model::{Link, Model, Plot, Row};
use super::plot;
use super::rates::{Rates, uptime};
use super::words::{bytes, length, micros, number};
use crate::cmds::health::phase_word;
use crate::text::clean;

/// From this size on there are panels and a plot.
const WIDE: (u16, u16) = (84, 24);
/// Below this size nothing can be shown.
const TINY: (u16, u16) = (40, 9);

const KEYS: [(&str, &str); 5] = [
    ("q, Esc, ctrl-c", "end"),
    ("p, space", "pause, and go on"),
    ("Tab", "the next plot: latency, requests, bytes, memory"),
    ("up, down", "older and newer lines of the log"),
    ("?", "this help"),
];

/// How things stand out.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Whether there are colours.
    pub colour: bool,
}

impl Theme {
    fn with(self, colour: Color, otherwise: Modifier) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new().add_modifier(otherwise) }
    }

    fn good(self) -> Style {
        self.with(Color::Green, Modifier::empty())
    }

    fn warn(self) -> Style {
        self.with(Color::Yellow, Modifier::BOLD)
    }

    fn bad(self) -> Style {
        self.with(Color::Red, Modifier::BOLD)
    }

    fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}

/// Draws the frame.
pub fn draw(frame: &mut Frame<'_>, model: &Model, theme: Theme) {
    let area = frame.area();
    if area.width < TINY.0 || area.height < TINY.1 {
        let text = format!("{}x{} is too small; {}x{} is enough", area.width, area.height, TINY.0, TINY.1);
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let wide = area.width >= WIDE.0 && area.height >= WIDE.1;
    let middle = if wide {
        [Constraint::Length(10), Constraint::Fill(3)]
    } else {
        [Constraint::Length(4), Constraint::Length(3)]
    };
    let [head, panels, plot_area, log, foot] = Layout::vertical([
        Constraint::Length(2),
        middle[0],
        middle[1],
        Constraint::Fill(2),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(self::head(model, theme)), head);
    if wide {
        boxes(frame, panels, model, theme);
        plot::draw(frame, plot_area, model, [theme.good(), theme.warn()], theme.faint());
    } else {
        frame.render_widget(Paragraph::new(lines(model)), panels);
        sparks(frame, plot_area, model, theme);
    }
    self::log(frame, log, model, theme);
    let keys = if model.paused {
        "paused: p goes on   q ends   ? help"
    } else {
        "q ends   p pauses   Tab plot   up/down log   ? help"
    };
    frame.render_widget(Paragraph::new(keys).style(theme.faint()), foot);
    if model.help {
        help(frame, area, theme);
    }
}

fn head(model: &Model, theme: Theme) -> Vec<Line<'static>> {
    let mut first = vec![Span::styled("gatewayd", theme.strong())];
    let mut add = |text: String, style: Style| first.push(Span::styled(format!("  {text}"), style));
    if let Some(status) = &model.status {
        let version = status.build.as_ref().map(|build| build.version.as_str()).unwrap_or_default();
        add(clean(version).into_owned(), Style::new());
    }
    match &model.link {
        Link::Connecting => add("connecting".to_owned(), theme.warn()),
        Link::Gone(why) => add(format!("✗ {}; it is tried again", clean(why)), theme.bad()),
        Link::Live => {
            let phase = model.last.as_ref().map_or("starting", |last| phase_word(last.phase()));
            add(phase.to_owned(), if phase == "serving" { theme.good() } else { theme.warn() });
        }
    }
    if model.paused {
        add("paused".to_owned(), theme.warn());
    }
    if let (Some(last), Link::Live) = (&model.last, &model.link) {
        add(format!("up {}", length(uptime(last))), Style::new());
    }
    if let Some(status) = model.status.as_ref().filter(|status| !status.profile.is_empty()) {
        add(format!("profile {}", clean(&status.profile)), Style::new());
    }
    if let Some(listener) = model.status.as_ref().and_then(|status| status.listeners.first()) {
        add(clean(&listener.url).into_owned(), theme.faint());
    }
    vec![Line::from(first), Line::from(process(model))]
}

fn process(model: &Model) -> String {
    let Some(process) = model.last.as_ref().and_then(|last| last.process.as_ref()) else {
        return String::new();
    };
    let cpu = model
        .rates
        .and_then(|rates| rates.cpu)
        .map_or_else(|| "-".to_owned(), |cpu| format!("{:.1} %", cpu * 100.0));
    format!(
        "pid {}  cpu {cpu}  memory {}  files {} of {}",
        process.pid,
        bytes(float(process.resident_bytes)),
        process.open_files,
        number(float(process.open_files_limit))
    )
}

/// A name and a value in a panel.
type Entry = (&'static str, String);

fn connections(model: &Model) -> Vec<Entry> {
    let Some(last) = &model.last else { return Vec::new() };
    let open = last.connections.unwrap_or_default();
    let devices = last.devices_paired.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let waiting = last.devices_pending.map_or_else(|| "-".to_owned(), |count| count.to_string());
    vec![
        ("operators", open.operators.to_string()),
        ("nodes", open.nodes.to_string()),
        ("joining", open.unauthenticated.to_string()),
        ("admin", last.admin_connections.to_string()),
        ("devices paired", devices),
        ("devices waiting", waiting),
        ("sessions", last.sessions.to_string()),
        ("accepted", number(float(last.counters.unwrap_or_default().connections))),
    ]
}

fn rates(model: &Model) -> Vec<Entry> {
    let Some(counters) = model.last.as_ref().and_then(|last| last.counters) else { return Vec::new() };
    let rate = |of: fn(&Rates) -> f64, words: fn(f64) -> String| {
        model.rates.as_ref().map_or_else(|| "-".to_owned(), |rates| words(of(rates)))
    };
    vec![
        ("requests/s", rate(|rates| rates.requests, number)),
        ("events/s", rate(|rates| rates.events, number)),
        ("in/s", rate(|rates| rates.bytes_in, bytes)),
        ("out/s", rate(|rates| rates.bytes_out, bytes)),
        ("connects/s", rate(|rates| rates.connections, number)),
        ("refused", number(float(counters.handshakes_failed))),
        ("events dropped", number(float(counters.events_dropped))),
        ("cut off as slow", number(float(counters.slow_consumers))),
    ]
}

fn queues(model: &Model) -> Vec<Entry> {
    let Some(queues) = model.last.as_ref().and_then(|last| last.queues) else { return Vec::new() };
    let count = |value: u64| number(float(value));
    vec![
        ("unsent", bytes(float(queues.outbox_bytes))),
        ("most to one", bytes(float(queues.outbox_largest_bytes))),
        ("unsent pieces", count(queues.outbox_pieces)),
        ("clients behind", count(queues.outbox_clients)),
        ("answers", count(queues.answers)),
        ("events", count(queues.events)),
        ("hub orders", count(queues.hub_orders)),
        ("handshakes", count(queues.handshakes)),
    ]
}

fn boxes(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let areas: [Rect; 4] = Layout::horizontal([Constraint::Fill(1); 4]).areas(area);
    let latency = |of: fn(&Rates) -> Option<f64>| {
        model.rates.as_ref().and_then(of).map_or_else(|| "-".to_owned(), micros)
    };
    let latencies = vec![
        ("p50", latency(|rates| rates.latency.p50)),
        ("p90", latency(|rates| rates.latency.p90)),
        ("p99", latency(|rates| rates.latency.p99)),
    ];
    for (area, (title, entries)) in areas.into_iter().zip([
        (" connections ", connections(model)),
        (" rates ", rates(model)),
        (" waiting ", queues(model)),
        (" latency ", latencies),
    ]) {
        let block = Block::bordered().title(title).border_style(theme.faint());
        let width = usize::from(block.inner(area).width);
        let lines: Vec<Line<'_>> =
            entries.iter().map(|(name, value)| entry(name, value, width, theme)).collect();
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }
}

fn entry(name: &'static str, value: &str, width: usize, theme: Theme) -> Line<'static> {
    let gap = width.saturating_sub(name.len() + value.chars().count()).max(1);
    Line::from(vec![
        Span::styled(name, theme.faint()),
        Span::raw(" ".repeat(gap)),
        Span::raw(value.to_owned()),
    ])
}

/// The same as the panels, for a narrow terminal.
fn lines(model: &Model) -> Vec<Line<'static>> {
    let join = |entries: &[Entry], wanted: &[usize]| {
        let entries = wanted.iter().filter_map(|at| entries.get(*at));
        entries.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("  ")
    };
    let latency = |of: Option<f64>| of.map_or_else(|| "-".to_owned(), micros);
    let of = model.rates.unwrap_or_default().latency;
    vec![
        Line::from(join(&connections(model), &[0, 1, 2, 6])),
        Line::from(join(&rates(model), &[0, 1, 2, 3])),
        Line::from(join(&queues(model), &[0, 3, 4, 5])),
        Line::from(format!("p50 {}  p90 {}  p99 {}", latency(of.p50), latency(of.p90), latency(of.p99))),
    ]
}

fn sparks(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let (title, values) = plot::sparks(model, usize::from(area.width));
    let style = if model.plot == Plot::Latency { theme.warn() } else { theme.good() };
    let block = Block::new().title(Span::styled(title, theme.faint()));
    frame.render_widget(Sparkline::default().block(block).data(values).style(style), area);
}

fn log(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let title = match model.scrolled {
        0 => " warnings and errors ".to_owned(),
        back => format!(" warnings and errors, {back} lines back "),
    };
    let block = Block::bordered().title(title).border_style(theme.faint());
    let inner = block.inner(area);
    let end = model.rows.len().saturating_sub(model.scrolled);
    let start = end.saturating_sub(usize::from(inner.height));
    let rows = model.rows.range(start..end);
    let mut lines: Vec<Line<'_>> = rows.map(|row| log_line(row, theme)).collect();
    if model.rows.is_empty() {
        lines.push(Line::styled("none", theme.faint()));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn log_line(row: &Row, theme: Theme) -> Line<'static> {
    let time = row.time.map(gateway_base::local_time::hms).unwrap_or_default();
    let style = if row.is_error { theme.bad() } else { theme.warn() };
    let mark = if row.is_error { "error" } else { "warn" };
    Line::from(vec![
        Span::styled(format!("{time} "), theme.faint()),
        Span::styled(format!("{mark} "), style),
        Span::raw(clean(&row.message).into_owned()),
    ])
}

fn help(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let lines: Vec<Line<'_>> = KEYS
        .iter()
        .map(|(key, what)| {
            Line::from(vec![Span::styled(format!("{key:<16}"), theme.strong()), Span::raw(*what)])
        })
        .collect();
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let width = area.width.min(68);
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), place);
}

#[allow(clippy::cast_precision_loss, reason = "a total that large is shown with three digits")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
