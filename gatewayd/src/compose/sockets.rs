//! The admin socket, new or inherited, and what the next image of the program is given of it.

use std::path::{Path, PathBuf};

use gateway_admin::endpoint::Fallback;
use gateway_server::admin::listen::{Error, Listener};

use crate::handover::HandOver;
use crate::start::Boot;

/// Opens the admin socket of `folder`, or goes on with the inherited one.
pub(super) async fn admin(folder: &Path, boot: &mut Boot, next: &mut HandOver) -> Result<Listener, Error> {
    let fallback = Fallback {
        runtime_dir: boot.env.get("XDG_RUNTIME_DIR").map(PathBuf::from),
        temp_dir: std::env::temp_dir(),
        uid: gateway_server::admin::listen::own_uid(),
    };
    #[cfg(unix)]
    {
        let listener = match boot.admin.take() {
            Some(socket) => Listener::inherit(socket, folder, &fallback).await?,
            None => Listener::bind(folder, &fallback).await?,
        };
        next.add(crate::handover::ADMIN, &listener);
        Ok(listener)
    }
    #[cfg(not(unix))]
    {
        let _ = next;
        Listener::bind(folder, &fallback).await
    }
}

/// Cancelling it leaves the admin socket to the next image of the program. Where nothing is handed over it does nothing.
pub(super) fn stays(listener: &Listener) -> tokio_util::sync::CancellationToken {
    #[cfg(unix)]
    {
        listener.stays()
    }
    #[cfg(not(unix))]
    {
        let _ = listener;
        tokio_util::sync::CancellationToken::new()
    }
}
