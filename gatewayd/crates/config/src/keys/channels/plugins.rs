//! Chat networks of plugins. Where the reference lists no keys of a plugin, any are accepted.

use crate::keys::row::{ANY, ANY_MAP, Part, Reload, keys};

keys! {
    "channels.mattermost": ANY_MAP, "-", "Mattermost; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.matrix": ANY_MAP, "-", "Matrix; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.nextcloud-talk": ANY_MAP, "-", "Nextcloud Talk; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.nostr": ANY_MAP, "-", "Nostr; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.tlon": ANY_MAP, "-", "Tlon; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.zalo": ANY_MAP, "-", "Zalo; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.zalouser": ANY_MAP, "-", "Zalo, personal account; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.line": ANY_MAP, "-", "LINE; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.twitch": ANY_MAP, "-", "Twitch; the keys are those of its plugin.", reload(Reload::Hot(Part::Channel));
    "channels.<key>": ANY, "-", "A channel of an installed plugin.", reload(Reload::Hot(Part::Channel));
}
