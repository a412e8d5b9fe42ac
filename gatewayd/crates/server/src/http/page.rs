//! The page at `/`: plain text in HTML, no script, no style from elsewhere, nothing that a request could put in.

use std::fmt::Write;

/// The page for version `version`.
pub(super) fn render(version: &str) -> String {
    let mut page = String::with_capacity(1024);
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>gatewayd</title></head>\n<body>\n\
         <h1>gatewayd</h1>\n\
         <p>This is gatewayd {version}, the control plane of a personal AI assistant. It is running.</p>\n\
         <p>Clients connect here over WebSocket, protocol 3.</p>\n\
         <ul>\n\
         <li><a href=\"healthz\">healthz</a>: the process answers</li>\n\
         <li><a href=\"startupz\">startupz</a>: it has started</li>\n\
         <li><a href=\"readyz\">readyz</a>: new work is welcome</li>\n\
         <li><a href=\"metrics\">metrics</a>: numbers for Prometheus</li>\n\
         </ul>\n\
         <p>On this machine, <code>gatewayctl status</code> says more.</p>\n\
         </body>\n</html>\n"
    );
    page
}
