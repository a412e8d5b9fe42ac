//! `~` in values whose key says that they are paths.

use gateway_base::paths::Paths;
use serde_json::Value;

/// Expands `~` and `~/...` below `value`.
pub(super) fn expand(value: &mut Value, paths: &Paths) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                match item {
                    Value::String(text) if is_path_key(key) => expand_text(text, paths),
                    Value::Array(items) if key == "paths" || key == "pathPrepend" => {
                        items.iter_mut().filter(|i| i.is_string()).for_each(|i| {
                            if let Value::String(text) = i {
                                expand_text(text, paths);
                            }
                        });
                    }
                    item => expand(item, paths),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| expand(item, paths)),
        _ => {}
    }
}

fn is_path_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["dir", "path", "paths", "file", "root", "workspace"].iter().any(|end| key.ends_with(end))
}

fn expand_text(text: &mut String, paths: &Paths) {
    if text == "~" {
        *text = paths.home.display().to_string();
    } else if let Some(rest) = text.strip_prefix("~/") {
        *text = paths.home.join(rest).display().to_string();
    }
}
