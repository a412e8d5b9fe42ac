//! The configuration as the daemon would read it, and what a repair would make of it.

use std::sync::Arc;

use gateway_config::{last_good, load};

use crate::app::App;
use crate::doctor::facts::ConfigFacts;
use crate::doctor::repair;

/// The configuration.
pub fn gather(app: &App) -> ConfigFacts {
    let snapshot = load::load(&app.paths, &app.env);
    let good = last_good::load(&app.paths, &app.env);
    let last_good = good.as_ref().map(|_| app.paths.last_good_config());
    let planned = repair::plan(&snapshot, &app.paths, &app.env);
    let (repair, repaired) =
        planned.map_or((None, None), |(repair, snapshot)| (Some(repair), Some(snapshot)));
    let effective = Some(&snapshot).filter(|snapshot| snapshot.valid).or(repaired.as_ref()).or(good.as_ref());
    let effective = effective.map(|snapshot| Arc::clone(&snapshot.config));
    ConfigFacts { snapshot, repair, last_good, effective }
}
