use std::time::Duration;

use gateway_admin::time;
use gateway_admin::v1::{
    Build, Connections, Counters, Latencies, Listener, LogLevel, LogLine, MetricsResponse, Phase, Process,
    Queues, StatusResponse,
};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::cmds::testing::assert_golden;
use crate::cmds::top::model::{Key, News};

fn snapshot(second: u64) -> MetricsResponse {
    let counts = vec![second * 5, second * (second % 7), second / 9, 0];
    MetricsResponse {
        time: Some(time::timestamp(1_769_500_000_000)),
        phase: Phase::Serving.into(),
        process: Some(Process {
            pid: 4242,
            uptime: Some(time::duration(Duration::from_secs(7_000 + second))),
            cpu_time: Some(time::duration(Duration::from_millis(second * 34))),
            resident_bytes: 14_200_000 + second * 1_000,
            open_files: 23,
            open_files_limit: 524_288,
            ..Process::default()
        }),
        connections: Some(Connections { total: 4, operators: 2, nodes: 1, unauthenticated: 1 }),
        admin_connections: 1,
        counters: Some(Counters {
            connections: 31,
            requests: second * 12,
            events: second * second,
            bytes_in: second * 2_400,
            bytes_out: second * 81_000,
            ..Counters::default()
        }),
        queues: Some(Queues { outbox_bytes: 1_536, outbox_clients: 1, answers: 3, ..Queues::default() }),
        requests: Some(Latencies { bounds_us: vec![100, 200, 500], counts, sum_us: 0 }),
        devices_paired: Some(3),
        devices_pending: Some(1),
        ..MetricsResponse::default()
    }
}

fn line(level: LogLevel, message: &str) -> LogLine {
    let time = Some(time::timestamp(1_769_500_000_000));
    LogLine { time, level: level.into(), message: message.to_owned(), ..LogLine::default() }
}

fn live() -> Model {
    let mut model = Model::default();
    let build = Some(Build { version: "9.9.9".to_owned(), ..Build::default() });
    let listeners = vec![Listener { url: "ws://127.0.0.1:18789".to_owned(), ..Listener::default() }];
    let status = StatusResponse { build, listeners, profile: "work".to_owned(), ..StatusResponse::default() };
    model.news(News::Connected(Box::new(status)));
    for second in 0..60 {
        model.news(News::Snapshot(Box::new(snapshot(second))));
    }
    let hostile = line(LogLevel::Error, "the store \u{1b}[2J\u{202e}fails");
    model.news(News::Lines(vec![line(LogLevel::Warn, "a slow client was cut off"), hostile]));
    model
}

fn drawn(model: &Model, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| draw(frame, model, Theme { colour: false })).expect("is drawn");
    terminal
}

fn screen(model: &Model, width: u16, height: u16) -> String {
    drawn(model, width, height).backend().to_string()
}

/// The time of day depends on the machine's zone.
fn golden(name: &str, text: &str) {
    let clock = gateway_base::local_time::hms(1_769_500_000_000);
    assert_golden(name, &text.replace(&clock, "hh:mm:ss"));
}

#[test]
fn the_frames_are_reviewed() {
    let mut model = live();
    golden("top-wide", &screen(&model, 110, 30));
    golden("top-narrow", &screen(&model, 60, 15));
    model.key(Key::Next);
    model.key(Key::Pause);
    golden("top-rates-paused", &screen(&model, 90, 26));
    model.key(Key::Help);
    model.news(News::Gone("The gateway is not running; start it with: gatewayd".to_owned()));
    golden("top-gone-help", &screen(&model, 110, 24));
    golden("top-first", &screen(&Model::default(), 84, 24));
    assert!(screen(&model, 39, 20).contains("39x20 is too small; 40x9 is enough"));
}

#[test]
fn what_a_line_holds_is_shown_and_not_obeyed() {
    let shown = screen(&live(), 110, 30);
    assert!(shown.contains(r"the store \u{1b}[2J\u{202e}fails"), "{shown}");
}

#[test]
fn colours_are_only_used_where_they_are_wanted() {
    for (colour, wanted) in [(true, true), (false, false)] {
        let mut terminal = Terminal::new(TestBackend::new(110, 30)).expect("a terminal");
        terminal.draw(|frame| draw(frame, &live(), Theme { colour })).expect("is drawn");
        let cells = &terminal.backend().buffer().content;
        assert_eq!(cells.iter().any(|cell| cell.fg != Color::Reset), wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_size_is_too_odd(width in 0_u16..220, height in 0_u16..70, ups in 0_usize..5, tabs in 0_usize..4, help: bool) {
        let mut model = live();
        for _ in 0..ups {
            model.key(Key::Up);
        }
        for _ in 0..tabs {
            model.key(Key::Next);
        }
        model.help = help;
        drawn(&model, width, height);
        drawn(&Model::default(), width, height);
    }
}
