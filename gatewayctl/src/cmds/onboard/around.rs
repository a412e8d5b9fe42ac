//! What this program can find out before it asks.

use gateway_base::id;
use gateway_base::secret::Secret;
use gateway_onboard::facts::{self, Around, Facts, Host, Service};

use crate::admin;
use crate::app::App;
use crate::exit::Failure;
use crate::service::{Control, Installed, Names, System};
use crate::target::Target;

/// The facts of this machine.
pub async fn facts(app: &App) -> Result<Facts, Failure> {
    let around = Around {
        host: Host::Terminal(service(app).await),
        serving: serving(app).await,
        tailscale: facts::has_tailscale(&app.env),
        doctor: app.suggest("doctor"),
        fresh_token: fresh_token()?,
    };
    Ok(Facts::read(&app.paths, &app.env, around))
}

/// Where the gateway of this state folder serves.
async fn serving(app: &App) -> Option<String> {
    let status = admin::status_of(&app.paths).await.filter(|status| !status.listeners.is_empty())?;
    let (settings, env) = app.settings();
    Some(Target::local(&settings, &env, &app.paths, None).at(&status.listeners).url)
}

fn fresh_token() -> Result<Secret, Failure> {
    let token = id::strong_token()
        .map_err(|error| Failure::failed(format!("this system gives no random numbers: {error}")))?;
    Ok(Secret::new(token))
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
