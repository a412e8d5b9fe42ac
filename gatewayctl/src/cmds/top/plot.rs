//! The plot: lines over the last snapshots, with the newest at the right edge.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType};

use super::model::{Model, Plot, Point};
use super::words::{bytes, micros, number};

/// One line.
struct Series {
    name: &'static str,
    value: fn(&Point) -> Option<f64>,
}

/// A plot's lines, and how its numbers are written.
struct Kind {
    title: &'static str,
    series: &'static [Series],
    words: fn(f64) -> String,
}

const fn kind(plot: Plot) -> Kind {
    match plot {
        Plot::Latency => Kind {
            title: "request latency",
            series: &[
                Series { name: "p50", value: |point| point.rates.latency.p50 },
                Series { name: "p99", value: |point| point.rates.latency.p99 },
            ],
            words: micros,
        },
        Plot::Rates => Kind {
            title: "each second",
            series: &[
                Series { name: "requests", value: |point| Some(point.rates.requests) },
                Series { name: "events", value: |point| Some(point.rates.events) },
            ],
            words: number,
        },
        Plot::Bytes => Kind {
            title: "bytes each second",
            series: &[
                Series { name: "in", value: |point| Some(point.rates.bytes_in) },
                Series { name: "out", value: |point| Some(point.rates.bytes_out) },
            ],
            words: bytes,
        },
        Plot::Use => Kind {
            title: "memory",
            series: &[Series { name: "resident", value: |point| Some(size(point.memory)) }],
            words: bytes,
        },
    }
}

#[allow(clippy::cast_precision_loss, reason = "a size that large is shown with three digits")]
const fn size(bytes: u64) -> f64 {
    bytes as f64
}

/// Draws it. `styles` are those of the lines, which are told apart by their marks too.
pub fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, styles: [Style; 2], faint: Style) {
    let kind = kind(model.plot);
    let columns = usize::from(area.width.saturating_sub(10)).max(2);
    let shown = model.points.iter().skip(model.points.len().saturating_sub(columns));
    let points: Vec<Point> = shown.copied().collect();
    let first = columns - points.len().min(columns);
    let lines: Vec<Vec<(f64, f64)>> = kind.series.iter().map(|series| line(series, &points, first)).collect();
    let highest = lines.iter().flatten().map(|(_, value)| *value).fold(0.0, f64::max);
    let top = nice(highest);
    let newest = |series: &Series| model.points.back().and_then(|point| (series.value)(point));
    let values = kind.series.iter().map(|series| {
        let value = newest(series).map_or_else(|| "-".to_owned(), kind.words);
        format!("{} {value}", series.name)
    });
    let title = format!(" {}: {} ", kind.title, values.collect::<Vec<_>>().join(", "));
    let marks = [Marker::Braille, Marker::Dot];
    let datasets = kind.series.iter().zip(&lines).zip(styles.into_iter().zip(marks));
    let datasets = datasets.map(|((series, line), (style, mark))| {
        let graph = if mark == Marker::Braille { GraphType::Line } else { GraphType::Scatter };
        Dataset::default().name(series.name).data(line).style(style).marker(mark).graph_type(graph)
    });
    let labels = [0.0, top / 2.0, top].map(kind.words);
    let right = f64::from(u16::try_from(columns.saturating_sub(1)).unwrap_or(u16::MAX));
    let chart = Chart::new(datasets.collect())
        .block(Block::bordered().title(title).border_style(faint))
        .x_axis(Axis::default().bounds([0.0, right]).style(faint))
        .y_axis(Axis::default().bounds([0.0, top]).labels(labels).style(faint));
    frame.render_widget(chart, area);
}

/// The values of the highest line, newest last, for where there is no room for a plot.
pub fn sparks(model: &Model, columns: usize) -> (String, Vec<u64>) {
    let kind = kind(model.plot);
    let Some(series) = kind.series.last() else { return (String::new(), Vec::new()) };
    let shown = model.points.iter().skip(model.points.len().saturating_sub(columns));
    let values: Vec<f64> = shown.map(|point| (series.value)(point).unwrap_or_default()).collect();
    let newest = values.last().copied().map_or_else(|| "-".to_owned(), kind.words);
    let title = format!("{} {} {newest}", kind.title, series.name);
    (title, values.into_iter().map(whole).collect())
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values are never negative, and a cast saturates"
)]
const fn whole(value: f64) -> u64 {
    value as u64
}

fn line(series: &Series, points: &[Point], first: usize) -> Vec<(f64, f64)> {
    let place = |at: usize| f64::from(u16::try_from(first + at).unwrap_or(u16::MAX));
    let values = points.iter().enumerate();
    values.filter_map(|(at, point)| (series.value)(point).map(|value| (place(at), value))).collect()
}

/// The next number above that begins with 1, 2 or 5, so that the scale does not change with every snapshot.
fn nice(highest: f64) -> f64 {
    let mut step = 1.0;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if step * factor >= highest || step > 1e18 {
                return step * factor;
            }
        }
        step *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_begin_with_one_two_or_five() {
        let scales = [0.0, 0.3, 1.0, 1.1, 37.0, 501.0, 1e30, f64::NAN].map(nice);
        assert_eq!(scales[..6], [1.0, 1.0, 1.0, 2.0, 50.0, 1_000.0]);
        assert!(scales[6] > 1e18 && scales[7] > 1e18);
    }
}
