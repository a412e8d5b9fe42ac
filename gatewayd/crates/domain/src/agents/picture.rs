//! An agent's picture: an address that a browser can show, or a file in its workspace.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ports::files::AgentFiles;

/// Largest picture that is put into a data URL.
const MAX_BYTES: u64 = 2 * 1024 * 1024;

/// What `avatar` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `http:`, `https:` or `data:image/`.
    Address,
    /// A file within the workspace.
    File,
    /// A letter, an emoji, or anything else.
    Text,
}

/// Tells what `avatar` is, by its form alone.
pub fn kind(avatar: &str) -> Kind {
    let lower = avatar.trim().to_ascii_lowercase();
    if lower.starts_with("http://") || lower.starts_with("https://") || lower.starts_with("data:image/") {
        Kind::Address
    } else if media_type(&lower).is_some() && !lower.contains(':') {
        Kind::File
    } else {
        Kind::Text
    }
}

/// The address of `avatar`: as it stands, or the file's content as a data URL.
pub fn url(avatar: &str, workspace: &Path, files: &dyn AgentFiles) -> Option<String> {
    match kind(avatar) {
        Kind::Address => Some(avatar.trim().to_owned()),
        Kind::Text => None,
        Kind::File => {
            let media_type = media_type(&avatar.trim().to_ascii_lowercase())?;
            let content = match files.read(workspace, avatar.trim(), MAX_BYTES) {
                Ok(content) => content?,
                Err(error) => {
                    tracing::debug!(avatar, %error, "an agent's picture cannot be read");
                    return None;
                }
            };
            Some(format!("data:{media_type};base64,{}", STANDARD.encode(content)))
        }
    }
}

fn media_type(lower: &str) -> Option<&'static str> {
    Some(match lower.rsplit_once('.')?.1 {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "bmp" => "image/bmp",
        "ico" => "image/x-icon",
        "tif" | "tiff" => "image/tiff",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (avatar, want) in [
            ("https://x/y.png", Kind::Address),
            ("DATA:image/png;base64,AA", Kind::Address),
            ("data:text/html,x", Kind::Text),
            ("avatars/me.PNG", Kind::File),
            ("file:///etc/x.png", Kind::Text),
            ("A", Kind::Text),
            ("🦞", Kind::Text),
            ("me.exe", Kind::Text),
        ] {
            assert_eq!(kind(avatar), want, "{avatar}");
        }
    }
}
