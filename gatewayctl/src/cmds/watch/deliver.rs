//! Tells one of those who want to know.

use super::exec::{self, Task};
use super::message::Message;
use super::notify;
use super::record::Channel;
use super::settings::Settings;
use crate::http::{Answer, Request};

/// Tells it. The error says why that did not work, and holds no secret.
pub async fn deliver(channel: Channel, message: &Message, settings: &Settings) -> Result<(), String> {
    match channel {
        Channel::Exec => {
            let input = serde_json::to_vec(message).map_err(|error| error.to_string())?;
            exec::run(Task { words: &settings.exec, variables: &message.variables(), input }).await
        }
        Channel::Webhook => webhook(message, settings).await,
        Channel::Notify => notify::show(message).await,
    }
}

async fn webhook(message: &Message, settings: &Settings) -> Result<(), String> {
    let Some(url) = &settings.webhook else { return Ok(()) };
    let request = Request::post(url.expose()).json(message).map_err(|error| error.to_string())?;
    let request = settings
        .headers
        .iter()
        .fold(request, |request, header| request.header(&header.name, header.value.expose()));
    request.send().await.and_then(Answer::success).map(drop).map_err(|error| error.to_string())
}
