//! Timed jobs.

use super::row::{BOOL, OBJECT, POS, Part, Reload, TEXT, keys};

keys! {
    "cron": OBJECT, "-", "Timed jobs.", reload(Reload::Hot(Part::Cron));
    "cron.enabled": BOOL, "true", "Run timed jobs.";
    "cron.store": TEXT, "<state>/cron/jobs.json", "File of the original's job list, for import.";
    "cron.maxConcurrentRuns": POS, "1", "How many timed jobs run at once.";
}
