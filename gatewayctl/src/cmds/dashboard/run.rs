//! `dashboard`, and the link at the end of `onboard`.

use gateway_base::net;
use serde::Serialize;

use super::link::{Link, Running};
use super::{browser, qr};
use crate::admin;
use crate::app::App;
use crate::args::DashboardArgs;
use crate::exit::{Exit, Failure};
use crate::target::{self, Target};
use crate::text::Text;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_url: Option<String>,
    needs_token: bool,
}

/// Prints the link, copies it, and opens it unless told otherwise.
pub async fn run(app: &App, args: &DashboardArgs) -> Result<Exit, Failure> {
    let (settings, _) = app.settings();
    if settings.is_remote() {
        let url = settings.text("gateway.remote.url").unwrap_or_default();
        return Err(Failure::failed(format!("the gateway is elsewhere: {url}"))
            .hint("Its own machine knows its link: gatewayctl dashboard"));
    }
    let link = find(app).await.ok_or_else(|| {
        Failure::failed("the page is switched off")
            .hint(format!("Switch it on: {}", app.suggest("config set gateway.controlUi.enabled true")))
    })?;
    if app.out.is_json() {
        let Link { here: url, network: network_url, needs_token, .. } = link;
        app.out.json(&Document { url, network_url, needs_token })?;
        return Ok(Exit::Ok);
    }
    let full = link.with_token(&link.here);
    app.out.say(format!("Dashboard URL: {}", full.expose()))?;
    if let Some(line) = unknown_token(&link) {
        app.out.say(line)?;
    }
    if args.qr {
        app.out.print(&code(&link))?;
    }
    let copied = browser::copy(&app.env, &full).await;
    app.out.say(if copied { "Copied to clipboard." } else { "Copy to clipboard unavailable." })?;
    if args.no_open {
        app.out.say("Browser launch disabled (--no-open). Use the URL above.")?;
    } else if browser::open(app, &full).await {
        app.out.say("Opened in your browser. Keep that tab to control the gateway.")?;
    } else {
        app.out.print(&tunnel(app, &link))?;
    }
    Ok(Exit::Ok)
}

/// The link at the end of a setup. The token is in it only where a person reads it: standard output of a script ends
/// in logs.
pub async fn show(app: &App, with_code: bool) -> Result<(), Failure> {
    let Some(link) = find(app).await else { return Ok(()) };
    let mut text = Text::default();
    text.gap();
    if !app.out.is_terminal() {
        text.say(format!("Dashboard URL: {}", link.here));
        if link.needs_token {
            text.say(format!("With the token in it: {}", app.suggest("dashboard --no-open")));
        }
        return app.out.print(&text);
    }
    text.say(format!("Dashboard URL: {}", link.with_token(&link.here).expose()));
    if let Some(network) = &link.network {
        text.say(format!("From your network: {}", link.with_token(network).expose()));
    }
    if let Some(line) = unknown_token(&link) {
        text.say(line);
    }
    if with_code {
        text.append(code(&link));
    }
    app.out.print(&text)
}

async fn find(app: &App) -> Option<Link> {
    let (settings, env) = app.settings();
    let addresses = net::interface_addresses().unwrap_or_default();
    let lan = net::lan_addresses(&addresses).first().copied();
    let configured = Target::local(&settings, &env, &app.paths, target::local_tailnet());
    let status = app.out.during("asking the gateway", admin::status_of(&app.paths)).await;
    let running = status.filter(|status| !status.listeners.is_empty());
    let running = running.map(|status| Running { listeners: status.listeners, auth_mode: status.auth_mode });
    Link::of(&settings, &env, configured, running.as_ref(), lan)
}

/// What to say when a token is needed that the configuration does not have.
fn unknown_token(link: &Link) -> Option<&'static str> {
    let is_unknown = link.needs_token && link.token.is_none();
    is_unknown.then_some("The gateway wants a token that is not in the configuration; add it: ?token=...")
}

/// The code of the link that reaches farthest.
fn code(link: &Link) -> Text {
    let mut text = Text::default();
    let address = link.network.as_ref().unwrap_or(&link.here);
    let width = usize::from(console::Term::stdout().size().1);
    for line in qr::lines(link.with_token(address).expose(), width).into_iter().flatten() {
        text.say(line);
    }
    text
}

fn tunnel(app: &App, link: &Link) -> Text {
    let user = app.env.get("USER").or_else(|| app.env.get("LOGNAME")).unwrap_or("user");
    let port = link.port;
    let address = format!("http://localhost:{port}{}", link.path);
    let mut text = Text::default();
    text.say("No GUI detected. Open from your computer:");
    text.say(format!("ssh -N -L {port}:127.0.0.1:{port} {user}@<host>"));
    text.say("Then open:");
    text.say(link.with_token(&address).expose());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    #[test]
    fn the_document_has_its_schema() {
        for network_url in [None, Some("http://192.168.1.7:18789/".to_owned())] {
            let url = "http://127.0.0.1:18789/".to_owned();
            assert_schema("dashboard", &Document { url, network_url, needs_token: true });
        }
    }
}
