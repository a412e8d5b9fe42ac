//! Several targets side by side, one line each: whether it is there, whether it answers, how long that took, and what
//! it is.

use unicode_width::UnicodeWidthStr;

use super::report::TargetReport;
use crate::text::{Style, Text, clean, cut_to_width};

/// The widest cell of what a gateway says of itself; below the table it is told in full.
const SAID: usize = 40;

const HEADS: [&str; 7] = ["Target", "Address", "Connect", "RPC", "Latency", "Version", "Host"];

/// The table.
pub fn table(targets: &[TargetReport]) -> Text {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(targets.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut text = Text::default();
    for (index, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width()))));
        let line = cells.collect::<Vec<_>>().join("  ");
        let style = if index == 0 { Style::Faint } else { Style::Plain };
        text.styled(style, line.trim_end());
    }
    text
}

fn row(of: &TargetReport) -> [String; 7] {
    let server = |value: Option<&String>| {
        let value = value.filter(|text| !text.is_empty()).map(|text| clean(text));
        match value {
            Some(text) if text.width() > SAID => cut_to_width(&text, SAID),
            text => text.map_or_else(|| "-".to_owned(), Into::into),
        }
    };
    let connect = if of.connect.ok {
        "ok"
    } else if of.refused {
        "refused"
    } else {
        "failed"
    };
    let rpc = match (&of.rpc_error, of.connect.ok) {
        (_, false) => "-",
        (None, true) => "ok",
        (Some(_), true) => "failed",
    };
    [
        of.of.heading().to_owned(),
        of.url.clone(),
        connect.to_owned(),
        rpc.to_owned(),
        of.connect.latency_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms}ms")),
        server(of.server.as_ref().map(|server| &server.version)),
        server(of.server.as_ref().map(|server| &server.host)),
    ]
}
