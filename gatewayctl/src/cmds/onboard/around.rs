//! What this program can find out before it asks.

use std::path::Path;

use gateway_base::id;
use gateway_base::secret::Secret;
use gateway_onboard::facts::{Around, Facts, Host, Service};

use crate::app::App;
use crate::exit::Failure;
use crate::service::{Control, Installed, Names, System};

/// Random bytes in a token.
const TOKEN_BYTES: usize = 24;

/// The facts of this machine.
pub async fn facts(app: &App) -> Result<Facts, Failure> {
    let around = Around {
        host: Host::Terminal(service(app).await),
        tailscale: has_tailscale(app),
        doctor: app.suggest("doctor"),
        fresh_token: fresh_token()?,
    };
    Ok(Facts::read(&app.paths, &app.env, around))
}

/// A strong token from the operating system.
fn fresh_token() -> Result<Secret, Failure> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::failed(format!("this system gives no random numbers: {error}")))?;
    Ok(Secret::new(id::hex(&bytes)))
}

async fn service(app: &App) -> Service {
    let names = Names::new(&app.env, &app.paths);
    let control = Control::native(names.scope(), &app.env);
    let ask = async {
        if control.check(&names, &System).await.is_err() {
            return Service::Unavailable;
        }
        match control.query(&names, &System).await.installed {
            Installed::Yes => Service::Installed,
            _ => Service::Absent,
        }
    };
    app.out.during("asking the service manager", ask).await
}

fn has_tailscale(app: &App) -> bool {
    let path = app.env.get("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(path).map(|folder| folder.join("tailscale"));
    let found =
        |program: std::path::PathBuf| program.with_extension(std::env::consts::EXE_EXTENSION).is_file();
    on_path.into_iter().any(found) || Path::new("/Applications/Tailscale.app").exists()
}
